"""Tokens: the nodes of every layer, their names and their places."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from multiplex_vit.checks import distinct_names, whole
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
        grid = tuple(self.grid) if isinstance(self.grid, (tuple, list)) else ()
        if len(grid) != 2:
            raise InputError(f"grid is {self.grid!r}; give rows and columns of patches, at least 1 each")
        object.__setattr__(self, "grid", tuple(whole("grid", size, at_least=1) for size in grid))
        object.__setattr__(self, "prefix", distinct_names("prefix", self.prefix))
        # The names of all nodes are made below, so that their number is looked at first.
        if len(self.prefix) + self.grid[0] * self.grid[1] > MOST_NODES:
            size = f"{self.grid[0]} x {self.grid[1]}"
            raise InputError(f"grid is {size}; give at most {MOST_NODES:,} nodes")
        if len(set(self.names)) < len(self) or "patch" in self.prefix:
            raise InputError(f"prefix tokens are {list(self.prefix)}; give distinct names that no patch has")

    def __len__(self) -> int:
        return len(self.prefix) + self.grid[0] * self.grid[1]

    @property
    def names(self) -> list[str]:
        """Names [node]: prefix tokens by their own, patches by row and column ("r0c1")."""
        return [
            *self.prefix,
            *(f"r{row}c{col}" for row in range(self.grid[0]) for col in range(self.grid[1])),
        ]

    @cached_property
    def table(self) -> "pd.DataFrame":
        """Table of the nodes, one row a node.

        Columns are node, name, token ("patch", or the prefix token's name), row and col; row and
        col are -1 for a prefix token.
        """
        import pandas as pd

        row, col = self.places.T
        kinds = [*self.prefix, *["patch"] * (len(self) - len(self.prefix))]
        return pd.DataFrame(
            {
                "node": np.arange(len(self)),
                "name": self.names,
                "token": kinds,
                "row": row,
                "col": col,
            }
        )

    @cached_property
    def places(self) -> np.ndarray:
        """Row and column [node, 2] of every node; -1 for prefix tokens, which have no place."""
        patches = np.column_stack(np.divmod(np.arange(self.grid[0] * self.grid[1]), self.grid[1]))
        return np.concatenate([np.full((len(self.prefix), 2), -1), patches])

    @cached_property
    def distances(self) -> np.ndarray:
        """Euclidean distance [node, node] between patch centres, in patches.

        Distances to and from prefix tokens are NaN.

        Examples
        --------
        >>> Tokens((1, 3)).distances[0].tolist()
        [0.0, 1.0, 2.0]
        """
        places = np.where(self.places < 0, np.nan, self.places)
        return np.hypot(*(places[:, None] - places[None]).transpose(2, 0, 1))


def checked_weights(given: Any, tokens: Tokens) -> np.ndarray:
    """Return weights [layer, source, target] as an array of floats.

    They are checked to be a network of these tokens.

    Raises
    ------
    InputError
        If they are no real numbers of that shape, or one is negative, NaN or infinite.
    """
    try:
        weights = np.array(given)
    except (TypeError, ValueError) as error:
        raise InputError(f"weights cannot become an array ({' '.join(str(error).split())}); give numbers [layer, source, target]") from error
    if weights.dtype.kind in "bui":
        weights = weights.astype(float)
    if weights.dtype.kind != "f":
        raise InputError(f"weights are {weights.dtype}; give real numbers")
    if weights.ndim != 3 or weights.shape[1:] != (len(tokens), len(tokens)) or not len(weights):
        also = f" and {len(tokens.prefix)} prefix tokens" if tokens.prefix else ""
        wanted = f"a {tokens.grid[0]} x {tokens.grid[1]} grid{also} wants [layer, {len(tokens)}, {len(tokens)}]"
        raise InputError(f"weights have shape {list(weights.shape)}; {wanted}")
    if not np.isfinite(weights).all() or (weights < 0).any():
        raise InputError("weights hold NaN, infinity or a negative value; attention is finite and at least 0")
    return weights


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
    most = weights[0].size
    for number, least in zip(numbers, now, strict=True):
        is_whole = isinstance(number, (int, np.integer)) and not isinstance(number, bool)
        if not is_whole or not least <= number <= most:
            layer = f"a layer of {least} edges"
            raise InputError(f"edges_before is {number!r} for {layer}; give {least} to {most}")
    return tuple(map(int, numbers))
