"""Chain: one layer as a Markov chain, whose walker follows edges by their weights."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from scipy.linalg import schur
from scipy.sparse.csgraph import connected_components

from multiplex_vit.accepts import accepts, matrix
from multiplex_vit.checks import between_0_and_1, whole
from multiplex_vit.errors import InputError
from multiplex_vit.network.layer import Layer
from multiplex_vit.network.matrices import linked_nodes, relative

_ROUNDING = 1e-12
"""Moduli of eigenvalues that are nearer to 1 are 1."""

_NEVER = float(np.finfo(float).eps)
"""A step of less probability is lost beside the others when probabilities are added up."""


@dataclass(frozen=True, eq=False)
class Metastable:
    """Sets of nodes in which a walker stays long.

    Parameters
    ----------
    membership : ndarray of int [node]
        The set of each node, numbered as they appear; -1 for isolates.
    shares : ndarray [node, state]
        How far each node belongs to each set; rows sum to 1, and may lie beyond 0 to 1 where a
        set has no clear boundary. NaN for isolates.
    staying : ndarray [state]
        The probability of staying in the set for a step.
    """

    membership: np.ndarray
    shares: np.ndarray
    staying: np.ndarray


@dataclass(frozen=True, eq=False)
class Chain:
    """A layer as a Markov chain in discrete time.

    The walker goes from a node along an edge with a probability proportional to its weight, so in
    a network of attention from a token to one that it attends to. From a node that attends to
    nothing it goes to any node that has an edge. Isolates are no part of the chain.

    The rows of unpruned attention are such probabilities already, if prefix tokens are nodes too.

    Parameters
    ----------
    layer : Layer

    References
    ----------
    Erel et al., Attention (as Discrete-Time Markov) Chains, arXiv:2507.17657 (2025).

    Examples
    --------
    >>> chain = Chain(Layer(np.array([[0.5, 0.5], [0.25, 0.75]])))
    >>> chain.stationary.round(4).tolist(), round(chain.second_eigenvalue, 4)
    ([0.3333, 0.6667], 0.25)
    >>> chain.bounces([0], steps=2).tolist()
    [[1.0, 0.0], [0.5, 0.5], [0.375, 0.625]]
    """

    layer: Layer

    def __post_init__(self) -> None:
        matrix("weights", self.layer.weights)

    @cached_property
    def linked(self) -> np.ndarray:
        """Numbers of the nodes that have an edge."""
        return linked_nodes(self.layer.weights)

    @cached_property
    def transition(self) -> np.ndarray:
        """Probabilities [linked, linked] of a step; rows sum to 1."""
        scaled = relative(self.layer.weights[np.ix_(self.linked, self.linked)])
        strength = scaled.sum(1, keepdims=True)
        anywhere = np.full(scaled.shape, 1 / max(1, len(scaled)))
        return np.divide(scaled, strength, out=anywhere, where=strength > 0)

    @accepts()
    def bounces(self, tokens: Any, steps: int = 5) -> np.ndarray:
        """Return where the walker is after each step from some tokens (multi-bounce attention).

        Parameters
        ----------
        tokens : int, str or iterable of them
            Where the walk begins, at each with the same probability: nodes by number or name.
        steps : int
            From 0 up. Default: 5.

        Returns
        -------
        ndarray [step, node]
            Probabilities: row 0 is the beginning, row k after k steps: x <- P^T x.

        Raises
        ------
        InputError
            If there is no such token, or one is an isolate.
        """
        steps = whole("steps", steps, at_least=0)
        begin = np.zeros(len(self.layer.weights))
        begin[self.layer.tokens.numbers(tokens)] = 1
        outside = np.setdiff1d(np.flatnonzero(begin), self.linked)
        if len(outside):
            name = self.layer.tokens.names[outside[0]]
            raise InputError(f"{name} has no edge; give tokens from which a walk can begin")
        walk = np.zeros((steps + 1, len(begin)))
        here = begin[self.linked] / begin.sum()
        walk[0, self.linked] = here
        for step in range(steps):
            here = here @ self.transition
            walk[step + 1, self.linked] = here
        return walk

    @property
    def stationary(self) -> np.ndarray:
        """Where the walker is in the long run [node]: pi P = pi.

        It is NaN where that depends on where it begins, as in a layer of separate parts.
        """
        stationary = np.full(len(self.layer.weights), np.nan)
        if self._n_closed == 1:
            stationary[:] = 0
            stationary[self.linked] = self._stationary
        return stationary

    @accepts()
    def token_rank(self, alpha: float = 0.99) -> np.ndarray:
        """Return TokenRank [node]: where the walker is in the long run if it sometimes starts anew.

        The stationary vector of alpha P + (1 - alpha) 1 1^T / n. Isolates have 0.

        Parameters
        ----------
        alpha : float, 0 to 1 (exclusive)
            Default: 0.99.
        """
        alpha = between_0_and_1("alpha", alpha)
        n_linked = len(self.linked)
        rank = np.zeros(len(self.layer.weights))
        system = np.eye(n_linked) - alpha * self.transition.T
        rank[self.linked] = np.linalg.solve(
            system, np.full(n_linked, (1 - alpha) / max(1, n_linked))
        )
        return rank

    @cached_property
    def eigenvalues(self) -> np.ndarray:
        """Eigenvalues of the chain, complex [linked], the greatest modulus first."""
        values = []
        # Class by class, which is exact where nodes are left for good.
        for number in range(self._n_classes):
            members = np.flatnonzero(self._class == number)
            values.append(np.linalg.eigvals(self.transition[np.ix_(members, members)]))
        joined = np.concatenate([np.zeros(0), *values]).astype(complex)
        return joined[np.argsort(-np.abs(joined), kind="stable")]

    @property
    def second_eigenvalue(self) -> float:
        """The second greatest modulus of an eigenvalue, 0 to 1: how slowly a walk forgets its start.

        1 where it never does, since the layer falls apart or is periodic.
        """
        if self._n_closed > 1:
            return 1.0
        if len(self.linked) < 2:
            return 0.0
        second = float(np.abs(self.eigenvalues[1]))
        return 1.0 if second > 1 - _ROUNDING else second

    @property
    def spectral_gap(self) -> float:
        """1 - `second_eigenvalue`."""
        return 1 - self.second_eigenvalue

    @property
    def relaxation_time(self) -> float:
        """1 / `spectral_gap`, in steps; NaN where a walk never forgets its start."""
        return 1 / self.spectral_gap if self.spectral_gap > 0 else np.nan

    @property
    def kemeny_constant(self) -> float:
        """Steps that it takes on average to reach a node drawn from the stationary vector.

        It is the same wherever the walk begins: the sum of 1 / (1 - lambda) over all eigenvalues
        but the first. NaN where the layer falls apart.
        """
        if self._n_closed != 1:
            return np.nan
        n_linked = len(self.linked)
        fundamental = np.eye(n_linked) - self.transition + self._stationary
        return float(np.trace(np.linalg.inv(fundamental)) - 1)

    @accepts()
    def metastable(self, n_states: int) -> Metastable:
        """Return sets of nodes in which the walker stays long before it leaves (PCCA+).

        The slowest processes of the chain are nearly constant on such sets. Their Schur vectors
        span a simplex, whose corners are taken as the sets (inner simplex algorithm).

        Parameters
        ----------
        n_states : int
            1 to the number of nodes that have an edge.

        Raises
        ------
        InputError
            If there are fewer nodes, or `n_states` parts processes that are equally slow.

        References
        ----------
        Deuflhard, Weber, Linear Algebra Appl. 398, 161 (2005), doi:10.1016/j.laa.2004.10.026;
        Reuter et al., J. Chem. Theory Comput. 14, 3579 (2018), doi:10.1021/acs.jctc.8b00079.

        Examples
        --------
        >>> blocks = np.kron(np.eye(2), np.ones((2, 2))) + 0.01
        >>> Chain(Layer(blocks)).metastable(2).membership.tolist()
        [0, 0, 1, 1]
        """
        if not len(self.linked):
            raise InputError("the layer has no edge; give one with edges to find metastable sets")
        n_states = whole("n_states", n_states, at_least=1, at_most=len(self.linked))
        vectors = self._slowest(n_states)
        corners = _corners(vectors)
        shares = np.full((len(self.layer.weights), n_states), np.nan)
        shares[self.linked] = vectors @ np.linalg.inv(vectors[corners])
        membership = np.full(len(shares), -1)
        nearest = shares[self.linked].argmax(1)
        # Numbered as they appear, whichever corner was found first.
        _, first, number = np.unique(nearest, return_index=True, return_inverse=True)
        membership[self.linked] = np.argsort(np.argsort(first))[number]
        order = nearest[np.sort(first)]
        return Metastable(membership, shares[:, order], self._staying(membership, len(order)))

    def _slowest(self, n_states: int) -> np.ndarray:
        """Return an orthonormal basis [linked, state] of the slowest processes."""
        moduli = np.append(np.sort(np.abs(np.linalg.eigvals(self.transition)))[::-1], -1.0)
        slow, fast = moduli[n_states - 1], moduli[n_states]
        if slow - fast < 1e-9:
            problem = f"n_states is {n_states}, but process {n_states + 1} is as slow"
            raise InputError(f"{problem}; give one more or one less")
        middle = (slow + fast) / 2
        _, basis, _ = schur(
            self.transition,
            sort=lambda real, imaginary: np.hypot(real, imaginary) > middle,
        )
        return basis[:, :n_states]

    def _staying(self, membership: np.ndarray, n_states: int) -> np.ndarray:
        """Return the probability of staying in each set for a step."""
        visits = self.token_rank()[self.linked]
        states = membership[self.linked]
        staying = []
        for state in range(n_states):
            inside = states == state
            leaving_not = self.transition[np.ix_(inside, inside)].sum(1)
            staying.append(np.average(leaving_not, weights=visits[inside]))
        return np.array(staying)

    @cached_property
    def _classes(self) -> tuple[int, np.ndarray]:
        """Number of classes of nodes that reach each other, and the class of each linked node."""
        if not len(self.linked):
            return 0, np.zeros(0, dtype=int)
        count, number = connected_components(self.transition > _NEVER, connection="strong")
        return int(count), number

    @property
    def _n_classes(self) -> int:
        return self._classes[0]

    @property
    def _class(self) -> np.ndarray:
        return self._classes[1]

    @property
    def _n_closed(self) -> int:
        """Number of classes that a walker never leaves."""
        source, target = np.nonzero(self.transition > _NEVER)
        leaves = self._class[source] != self._class[target]
        return self._n_classes - len(np.unique(self._class[source[leaves]]))

    @cached_property
    def _stationary(self) -> np.ndarray:
        """The stationary vector [linked] of a chain with one closed class."""
        n_linked = len(self.linked)
        system = np.eye(n_linked) - self.transition.T + 1
        stationary = np.linalg.solve(system, np.ones(n_linked))
        return np.clip(stationary, 0, None)


def _corners(vectors: np.ndarray) -> list[int]:
    """Return the rows of vectors that span the largest simplex, one after the other."""
    corners = [int(np.linalg.norm(vectors, axis=1).argmax())]
    rest = vectors - vectors[corners[0]]
    for _ in range(vectors.shape[1] - 1):
        farthest = int(np.linalg.norm(rest, axis=1).argmax())
        corners.append(farthest)
        direction = rest[farthest] / np.linalg.norm(rest[farthest])
        rest = rest - np.outer(rest @ direction, direction)
    return corners
