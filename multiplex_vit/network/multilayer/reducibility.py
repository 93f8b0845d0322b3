"""Reducibility: which layers tell the same, so that they can be merged into fewer."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy.cluster.hierarchy import linkage
from scipy.spatial.distance import squareform
from scipy.special import entr

from multiplex_vit import plot
from multiplex_vit.accepts import accepts, signed_matrix, stack
from multiplex_vit.checks import positive, whole
from multiplex_vit.errors import InputError
from multiplex_vit.network.scores import z_and_p
from multiplex_vit.registry import Named, Registry

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DENSITIES: Registry[Callable[[np.ndarray, float], np.ndarray]] = Registry(
    "density", data=2, traits={}
)
"""A member takes the Laplacian [node, node] of a symmetric layer and tau.

It returns a matrix of trace 1, or of zeros for an empty layer.
"""

_ROUNDING = 1e-12
"""Divergences and differences of quality below this are rounding."""


@DENSITIES.register
@accepts(laplacian=signed_matrix)
def laplacian(laplacian: np.ndarray, tau: float) -> np.ndarray:
    """Return L / tr L; zeros for an empty layer.

    tau does not matter. Braunstein, Ghosh, Severini 2006, doi:10.1007/s00026-006-0289-3.

    Examples
    --------
    >>> laplacian(np.array([[2.0, -2.0], [-2.0, 2.0]]), 1.0).tolist()
    [[0.5, -0.5], [-0.5, 0.5]]
    """
    trace = np.trace(laplacian)
    if trace > 0:
        return laplacian / trace
    return np.zeros_like(laplacian)


@DENSITIES.register
@accepts(laplacian=signed_matrix)
def gibbs(laplacian: np.ndarray, tau: float) -> np.ndarray:
    """Return exp(-tau L) / tr exp(-tau L); I / nodes for an empty layer.

    De Domenico, Biamonte 2016, doi:10.1103/PhysRevX.6.041062.

    Examples
    --------
    >>> gibbs(np.zeros((2, 2)), 1.0).tolist()
    [[0.5, 0.0], [0.0, 0.5]]
    """
    # The exponential of a symmetric matrix by its eigenvalues.
    values, vectors = np.linalg.eigh(laplacian)
    # Less the least eigenvalue, so that not all terms vanish; the trace divides it out.
    shares = np.exp(-tau * (values - values.min()))
    return (vectors * (shares / shares.sum())) @ vectors.T


@dataclass(frozen=True, eq=False)
class Reducibility:
    """What merging layers step by step, most alike first, does to the network.

    Parameters
    ----------
    distances : ndarray [layer, layer]
        Square root of the Jensen-Shannon divergence of the layers, 0 to 1.
    linkage : ndarray [merge, 4]
        The merges, as SciPy writes them.
    quality : ndarray [merges + 1]
        How much more the layers left tell than their aggregate, after 0, 1, ... merges.
    names : tuple of str
        Of the layers.
    by_chance : ndarray [sample, merges + 1], optional
        `quality` of the same layers, each with its nodes permuted at random. Default: no sample.
    """

    distances: np.ndarray
    linkage: np.ndarray
    quality: np.ndarray
    names: tuple[str, ...]
    by_chance: np.ndarray = field(default_factory=lambda: np.zeros((0, 0)))

    @property
    def best(self) -> int:
        """Number of merges with the greatest quality; of several as good, the greatest number."""
        as_good = self.quality >= self.quality.max() - _ROUNDING
        return int(np.flatnonzero(as_good)[-1])

    @property
    def z(self) -> float:
        """The z-score of the best quality against the best qualities by chance.

        It is NaN without samples.

        Far below 0, layers share more than layers of unrelated nodes do, so that together they
        tell less; far above, the groups that merging finds differ more.
        """
        return self._against_chance[0]

    @property
    def p(self) -> float:
        """The empirical two-sided p-value of the best quality; NaN without samples.

        See `layer_table`.
        """
        return self._against_chance[1]

    @property
    def _against_chance(self) -> tuple[float, float]:
        if not len(self.by_chance):
            return np.nan, np.nan
        return z_and_p(float(self.quality.max()), self.by_chance.max(1))

    def groups(self, merges: int | None = None) -> tuple[tuple[int, ...], ...]:
        """Return the groups of layers, by number, after a number of merges.

        Groups are in the order of their first layers.

        Parameters
        ----------
        merges : int, optional
            Default: `best`.

        Raises
        ------
        InputError
            If there are not so many merges.
        """
        count = self.best
        if merges is not None:
            count = whole("merges", merges, at_least=0)
        n_layers = len(self.names)
        most = len(self.linkage)
        if count > most:
            raise InputError(f"merges is {count}; {n_layers} layers have 0 to {most}")
        groups: dict[int, tuple[int, ...]] = {layer: (layer,) for layer in range(n_layers)}
        # SciPy numbers what the k-th merge makes n_layers + k.
        for step, (one, other) in enumerate(_pairs(self.linkage[:count])):
            groups[n_layers + step] = groups.pop(one) + groups.pop(other)
        ordered = []
        for group in groups.values():
            ordered.append(tuple(sorted(group)))
        return tuple(sorted(ordered))

    def table(self) -> pd.DataFrame:
        """Return one row for each number of merges.

        Columns are merges, layers (left), height (Ward's, of the last merge), quality and groups
        (by name). With samples there are also by_chance (their mean quality after as many merges),
        and z and p (two-sided) of the quality against theirs.
        """
        steps = len(self.quality)
        table = pd.DataFrame(
            {
                "merges": range(steps),
                "layers": len(self.names) - np.arange(steps),
                "height": [np.nan, *self.linkage[:, 2]],
                "quality": self.quality,
            }
        )
        if len(self.by_chance):
            scores = []
            for step, quality in enumerate(self.quality):
                scores.append(z_and_p(float(quality), self.by_chance[:, step]))
            table["by_chance"] = self.by_chance.mean(0)
            table[["z", "p"]] = scores
        table["groups"] = [self._group_names(merges) for merges in range(steps)]
        return table

    def _group_names(self, merges: int) -> str:
        """Return the groups after a number of merges as text, such as "L00+L01, L02"."""
        texts = []
        for group in self.groups(merges):
            texts.append("+".join(self.names[layer] for layer in group))
        return ", ".join(texts)

    def plot(self) -> "Figure":
        """Draw the dendrogram and the quality curve; see `multiplex_vit.plot.reducibility`."""
        return plot.reducibility(
            self.linkage,
            self.quality,
            names=self.names,
            best=self.best,
            by_chance=self.by_chance if len(self.by_chance) else None,
        )


@accepts(weights=stack)
def reducibility(
    weights: np.ndarray,
    names: Sequence[str],
    *,
    density: Named = "laplacian",
    tau: float = 1.0,
    samples: int = 0,
    seed: int = 0,
) -> Reducibility:
    """Return which layers can be merged with the least loss: structural reducibility.

    Each layer is made symmetric, (W + W^T) / 2; self-loops do not change its Laplacian L. With
    rho its density matrix and h(rho) = -tr rho log2 rho its von Neumann entropy, layers lie
    sqrt(JSD) apart, JSD = h((rho_a + rho_b) / 2) - (h_a + h_b) / 2. Ward's linkage merges the
    nearest, and the quality of the M layers left is q = 1 - mean_a h_a / h(aggregate of all
    layers). Layers merged are their mean: for "laplacian", which does not see the scale of
    weights, the same as the paper's sum; for "gibbs" a sum would change tau.

    Parameters
    ----------
    weights : ndarray [layer, source, target]
    names : sequence of str
        Of the layers.
    density : "laplacian", "gibbs" or callable
        L / tr L as in the paper, or exp(-tau L) / tr exp(-tau L), whose entropy is subadditive; a
        member of `DENSITIES`.
    tau : float, above 0
        Diffusion time of "gibbs".
    samples : int
        How many times quality is computed of the same layers with their nodes permuted, each
        layer's in its own way. Every layer is then what it was, but which node is which in two
        layers is left to chance: how far layers merely as different as these would seem
        reducible. Default: 0, no comparison.
    seed : int
        Of the permutations. Default: 0.

    Returns
    -------
    Reducibility
        q is high where the layers left tell different things, and 0 where they tell no more than
        their aggregate: after the last merge, for layers that are all the same, and wherever the
        aggregate's entropy is 0. "laplacian" has no density for an empty layer (without an edge
        between two nodes): it lies at 1 from others and at 0 from other empty ones, and mean_a
        leaves it out, so merging it changes no quality. For "gibbs" it is a layer like others,
        with the greatest entropy, log2(nodes).

    Raises
    ------
    InputError
        If the density is unknown, tau is not above 0, or samples is 1 or negative.

    References
    ----------
    De Domenico, Nicosia, Arenas, Latora, Nat Commun 6, 6864 (2015), doi:10.1038/ncomms7864.

    Examples
    --------
    >>> path = [[0, 1.0, 0], [1.0, 0, 1.0], [0, 1.0, 0]]
    >>> star = [[0, 1.0, 1.0], [1.0, 0, 0], [1.0, 0, 0]]
    >>> result = reducibility(np.array([path, star, path]), ("a", "b", "c"))
    >>> result.groups(), result.best, result.quality.round(4).tolist()
    (((0, 2), (1,)), 1, [0.136, 0.136, 0.0])
    """
    tau = positive("tau", tau)
    density_of = DENSITIES.resolve(density)
    rng = np.random.default_rng(whole("seed", seed, at_least=0))
    samples = whole("samples", samples, at_least=0)
    if samples == 1:
        raise InputError("samples is 1; give 0 for none, or at least 2")
    layers = np.asarray(weights, dtype=float)
    result = _reduced(layers, tuple(names), density_of, tau)
    if not samples:
        return result
    qualities = []
    for _ in range(samples):
        sample = _reduced(_permuted(layers, rng), result.names, density_of, tau)
        qualities.append(sample.quality)
    return replace(result, by_chance=np.stack(qualities))


def _reduced(
    weights: np.ndarray,
    names: tuple[str, ...],
    density_of: Any,
    tau: float,
) -> Reducibility:
    """Return the merging of layers, without samples."""
    layers = [(layer + layer.T) / 2 for layer in weights]
    densities = [density_of(_laplacian(layer), tau) for layer in layers]
    distances = _distances(densities)
    merges = np.zeros((0, 4))
    if len(layers) > 1:
        merges = linkage(squareform(distances), "ward")
    for layer in _merged(layers, merges):
        densities.append(density_of(_laplacian(layer), tau))
    quality = _quality(densities, merges)
    return Reducibility(distances, merges, quality, names)


def _permuted(weights: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return layers whose nodes have been permuted, each in its own way."""
    permuted = []
    for layer in weights:
        order = rng.permutation(len(layer))
        permuted.append(layer[np.ix_(order, order)])
    return np.stack(permuted)


def _laplacian(layer: np.ndarray) -> np.ndarray:
    # Self-loops cancel out of a Laplacian.
    strength = layer.sum(1) - np.diag(layer)
    laplacian = -layer
    np.fill_diagonal(laplacian, strength)
    return laplacian


def _entropy(density: np.ndarray) -> float:
    """Return the von Neumann entropy in bits; 0 for the zeros of an empty layer."""
    eigenvalues = np.linalg.eigvalsh(density)
    # Rounding makes eigenvalues of 0 slightly negative, and those have no logarithm.
    return float(entr(np.clip(eigenvalues, 0, None)).sum() / np.log(2))


def _distances(densities: list[np.ndarray]) -> np.ndarray:
    """Return the distance [layer, layer]: the square root of the Jensen-Shannon divergence."""
    entropies = [_entropy(density) for density in densities]
    distances = np.zeros((len(densities), len(densities)))
    for a, b in combinations(range(len(densities)), 2):
        one, other = densities[a], densities[b]
        if one.any() and other.any():
            mixed = _entropy((one + other) / 2)
            divergence = mixed - (entropies[a] + entropies[b]) / 2
        else:
            # An empty layer lies at 0 from other empty ones and at 1 from the rest.
            divergence = float(one.any() != other.any())
        if divergence > _ROUNDING:
            distances[a, b] = distances[b, a] = np.sqrt(min(divergence, 1.0))
    return distances


def _merged(layers: list[np.ndarray], merges: np.ndarray) -> list[np.ndarray]:
    """Return what each merge makes: the mean of all layers that are in it."""
    sums = list(layers)
    means = []
    for one, other, _, count in merges:
        total = sums[int(one)] + sums[int(other)]
        sums.append(total)
        means.append(total / count)
    return means


def _quality(densities: list[np.ndarray], merges: np.ndarray) -> np.ndarray:
    """Return the quality after 0, 1, ... merges.

    `densities` are those of the layers, and then of what each merge makes.
    """
    means = [np.mean(entropies) if entropies else 0.0 for entropies in _left(densities, merges)]
    # After the last merge the aggregate of all layers alone is left.
    aggregate = means[-1]
    if aggregate <= _ROUNDING:
        return np.zeros(len(means))
    quality = 1 - np.array(means) / aggregate
    return np.where(np.abs(quality) < _ROUNDING, 0, quality)


def _left(densities: list[np.ndarray], merges: np.ndarray) -> Iterator[list[float]]:
    """Yield the entropies of the layers left after 0, 1, ... merges; empty layers have none."""
    entropies = {}
    for number, density in enumerate(densities):
        if density.any():
            entropies[number] = _entropy(density)
    n_layers = len(densities) - len(merges)
    left = set(range(n_layers))
    for step, pair in enumerate([*_pairs(merges), ()]):
        yield [entropies[number] for number in left if number in entropies]
        left = (left - set(pair)) | {n_layers + step}


def _pairs(merges: np.ndarray) -> list[list[int]]:
    """Return the numbers of what each merge joins."""
    return merges[:, :2].astype(int).tolist()
