"""Tokens: the nodes of every layer, their names and their places."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np

from multiplex_vit.arguments import fitting
from multiplex_vit.checks import distinct_names, shown, whole, whole_or_none
from multiplex_vit.errors import InputError
from multiplex_vit.limits import MOST_NODES

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Tokens:
    """The tokens that are the nodes of a layer.

    Prefix tokens come first, where there are any, then the patches row by row.

    Parameters
    ----------
    grid : tuple of int
        Rows and columns of patches.
    prefix : tuple of str
        Names of the prefix tokens, such as "class", "distillation" or "register1".

    Raises
    ------
    InputError
        If the grid has no patch, or a prefix token is named twice or as a patch.

    Examples
    --------
    >>> tokens = Tokens((1, 2), prefix=("class",))
    >>> tokens.table
       node   name  token  row  col
    0     0  class  class   -1   -1
    1     1   r0c0  patch    0    0
    2     2   r0c1  patch    0    1
    """

    grid: tuple[int, int]
    prefix: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        grid = _checked_grid(self.grid)
        prefix = distinct_names("prefix", self.prefix)
        # A frozen object gets its checked values by way of its own dictionary.
        vars(self).update(grid=grid, prefix=prefix)
        # The names of all nodes are made below, so that their number is looked at first.
        if len(self) > MOST_NODES:
            size = f"{grid[0]} x {grid[1]}"
            raise InputError(f"grid is {size}; give at most {MOST_NODES:,} nodes")
        if len(set(self.names)) < len(self) or "patch" in prefix:
            problem = "give distinct names that no patch has"
            raise InputError(f"prefix tokens are {list(prefix)}; {problem}")

    def __len__(self) -> int:
        return len(self.prefix) + self.grid[0] * self.grid[1]

    @property
    def names(self) -> list[str]:
        """Names [node]: prefix tokens by their own, patches by row and column ("r0c1")."""
        rows, cols = self.grid
        patches = [f"r{row}c{col}" for row, col in product(range(rows), range(cols))]
        return [*self.prefix, *patches]

    @cached_property
    def table(self) -> "pd.DataFrame":
        """Table of the nodes, one row a node.

        Columns are node, name, token ("patch", or the prefix token's name), row and col; row and
        col are -1 for a prefix token.
        """
        import pandas as pd

        n_patches = len(self) - len(self.prefix)
        row, col = self.places.T
        return pd.DataFrame(
            {
                "node": np.arange(len(self)),
                "name": self.names,
                "token": [*self.prefix, *["patch"] * n_patches],
                "row": row,
                "col": col,
            }
        )

    @cached_property
    def places(self) -> np.ndarray:
        """Row and column [node, 2] of every node; -1 for prefix tokens, which have no place."""
        rows, cols = self.grid
        # Patches are numbered row by row.
        row, col = np.divmod(np.arange(rows * cols), cols)
        nowhere = np.full((len(self.prefix), 2), -1)
        return np.concatenate([nowhere, np.column_stack([row, col])])

    @cached_property
    def distances(self) -> np.ndarray:
        """Euclidean distance [node, node] between patch centres, in patches.

        Distances to and from prefix tokens are NaN.

        Examples
        --------
        >>> Tokens((1, 3)).distances[0].tolist()
        [0.0, 1.0, 2.0]
        """
        # NaN spreads to every distance from or to a prefix token.
        places = np.where(self.places < 0, np.nan, self.places)
        down, right = (places[:, None] - places[None]).transpose(2, 0, 1)
        return np.hypot(down, right)

    def numbers(self, nodes: Iterable[int | str]) -> list[int]:
        """Return the numbers of nodes given by number or name.

        Parameters
        ----------
        nodes : iterable of int or str, or ndarray of bool [node]
            Numbers are from 0, negative ones from the end.

        Raises
        ------
        InputError
            If there is no such node, or none is given.

        Examples
        --------
        >>> Tokens((1, 2), prefix=("class",)).numbers(["class", "r0c1", -2])
        [0, 2, 1]
        """
        single = isinstance(nodes, str) or not isinstance(nodes, Iterable)
        given: list[Any] = [nodes] if single else list(nodes)
        flags = [isinstance(node, (bool, np.bool_)) for node in given]
        if len(given) == len(self) and all(flags):
            given = np.flatnonzero(given).tolist()
        if not given:
            raise InputError("no node was chosen; give at least one, by number or name")
        places = {name: number for number, name in enumerate(self.names)}
        numbers = []
        for node in given:
            number = whole_or_none(node)
            if isinstance(node, str):
                number = places.get(node)
            if number is None or not -len(self) <= number < len(self):
                choices = f"0 to {len(self) - 1}, or a name such as {self.names[-1]!r}"
                raise InputError(f"there is no node {shown(node)}; give {choices}")
            numbers.append(number % len(self))
        return numbers


def _checked_grid(grid: Any) -> tuple[int, ...]:
    sizes = tuple(grid) if isinstance(grid, (tuple, list)) else ()
    if len(sizes) != 2:
        expected = "give rows and columns of patches, at least 1 each"
        raise InputError(f"grid is {grid!r}; {expected}")
    return tuple(whole("grid", size, at_least=1) for size in sizes)


def checked_weights(given: Any, tokens: Tokens, *, signed: bool = False) -> np.ndarray:
    """Return weights [layer, source, target] as an array of floats.

    They are checked to be a network of these tokens.

    Raises
    ------
    InputError
        If they are no real numbers of that shape, or one is NaN, infinite or, unless they are
        signed, negative.
    """
    try:
        # A tensor may belong to a graph of gradients, or to a GPU.
        values = given.detach().cpu() if hasattr(given, "detach") else given
        # A copy, as a network does not change with what it was made of.
        weights = np.asarray(values).copy()
    except (TypeError, ValueError, RuntimeError) as error:
        reason = f"weights cannot become an array ({error})"
        raise InputError(f"{reason}; give numbers [layer, source, target]") from error
    # Whole numbers would be divided with a loss.
    if weights.dtype.kind in "bui":
        weights = weights.astype(float)
    if weights.dtype.kind != "f":
        raise InputError(f"weights are {weights.dtype}; give real numbers")
    n_nodes = len(tokens)
    if weights.ndim != 3 or weights.shape[1:] != (n_nodes, n_nodes) or not len(weights):
        raise InputError(_wrong_shape(weights, tokens))
    signed = fitting("signed", signed, bool)
    is_finite = np.isfinite(weights).all()
    if signed and not is_finite:
        raise InputError("weights hold NaN or infinity; give finite numbers")
    is_negative = not signed and (weights < 0).any()
    if is_negative or not is_finite:
        problem = "NaN, infinity or a negative value"
        raise InputError(f"weights hold {problem}; attention is finite and at least 0")
    return weights


def _wrong_shape(weights: np.ndarray, tokens: Tokens) -> str:
    nodes = f"a {tokens.grid[0]} x {tokens.grid[1]} grid"
    if tokens.prefix:
        nodes += f" and {len(tokens.prefix)} prefix tokens"
    expected = f"{nodes} needs [layer, {len(tokens)}, {len(tokens)}]"
    return f"weights have shape {list(weights.shape)}; {expected}"


def checked_edges_before(given: Any, weights: np.ndarray) -> tuple[int, ...]:
    """Return how many edges each layer had before any filter; as many as it has if none are given.

    Parameters
    ----------
    given : sequence of int
        One number a layer, or none at all.
    weights : ndarray [layer, source, target]

    Raises
    ------
    InputError
        If a number is not whole, below the layer's edges, or above those of a full layer.

    Examples
    --------
    >>> checked_edges_before((), np.eye(2)[None]), checked_edges_before([3], np.eye(2)[None])
    ((2,), (3,))
    >>> checked_edges_before([-1], np.eye(2)[None])
    Traceback (most recent call last):
    multiplex_vit.errors.InputError: edges_before is -1 for a layer of 2 edges; give 2 to 4
    """
    now = np.count_nonzero(weights, axis=(1, 2)).tolist()
    numbers = list(given) if isinstance(given, Iterable) else [given]
    if not numbers:
        return tuple(now)
    if len(numbers) != len(now):
        counts = f"{len(numbers)} numbers for {len(now)} layers"
        raise InputError(f"edges_before has {counts}; give one a layer")
    # A layer without a single missing edge has one for each pair of nodes, loops too.
    most = weights[0].size
    for number, least in zip(numbers, now, strict=True):
        is_whole = isinstance(number, (int, np.integer)) and not isinstance(number, bool)
        if not is_whole or not least <= number <= most:
            layer = f"a layer of {least} edges"
            raise InputError(f"edges_before is {number!r} for {layer}; give {least} to {most}")
    return tuple(int(number) for number in numbers)
