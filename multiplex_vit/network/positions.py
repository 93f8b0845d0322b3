"""Positions: where nodes lie in files and other libraries, one layout for all layers.

Every layout is a lattice: patches lie along two directions, and layers along one or two others.
A straight line from a node to its copy in the next layer follows the direction of layers. That
direction is a little out of true, so that the line passes between the nodes of its own two layers,
and through none of another.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from multiplex_vit.network.depth import ranks
from multiplex_vit.network.tokens import Tokens
from multiplex_vit.registry import Named, Registry

SPACING = 25.0
"""Distance of neighbouring patches."""

_GAP = 2.0
"""Patches of empty space between layers."""

_LEVEL = 0.866
"""Cosine of 30 degrees: what is left of a length that is seen from 30 degrees above."""


@dataclass(frozen=True)
class Lattice:
    """The directions [x, y] in which nodes and layers follow each other, in patches.

    Parameters
    ----------
    right, down : tuple of float
        From a patch to the next of its row, and to the next of its column.
    ahead : tuple of float
        From a layer to the next, or from a row of layers to the next.
    beside : tuple of float
        From a layer to the next in a row of layers, or from a head of a block to the next.
    """

    right: tuple[float, float]
    down: tuple[float, float]
    ahead: tuple[float, float]
    beside: tuple[float, float]


LAYOUTS: Registry[Callable[[Tokens], Lattice]] = Registry("layout", traits={"rows": bool})
"""A member takes the tokens of a layer and returns the lattice on which nodes of all layers lie.

The trait `rows` is True where layers fill rows rather than follow each other in one direction.
"""


def positions(tokens: Tokens, blocks: tuple[int, ...], layout: Named = "grid") -> np.ndarray:
    """Return x, y and z [layer * node, 3] of every node of every layer.

    y is upwards, as most programs draw it, and z the block, counted among those that are there.
    Prefix tokens lie just above their layer's patches. The heads of a block lie side by side.

    Parameters
    ----------
    tokens : Tokens
    blocks : tuple of int
        The transformer block of every layer.
    layout : str or callable
        "grid", "stack", "isometric", or a function of the tokens that returns a `Lattice`.
        Default: "grid".

    Raises
    ------
    InputError
        If the layout is unknown.

    Examples
    --------
    >>> positions(Tokens((1, 2), ("class",)), (0,)).tolist()
    [[0.0, 25.0, 0.0], [0.0, 0.0, 0.0], [25.0, 0.0, 0.0]]
    """
    lattice = LAYOUTS.resolve(layout)(tokens)
    in_rows = bool(LAYOUTS.trait(layout, "rows"))
    if in_rows and len(set(blocks)) < len(blocks):
        lattice = _upright(lattice)
    cols = tokens.grid[1]
    node = np.arange(len(tokens))
    is_prefix = node < len(tokens.prefix)
    row = np.where(is_prefix, -1 - node // cols, tokens.places[:, 0])
    col = np.where(is_prefix, node % cols, tokens.places[:, 1])
    ahead, beside = _panels(blocks, in_rows=in_rows)
    within = np.outer(col, lattice.right) + np.outer(row, lattice.down)
    of_layer = np.outer(ahead, lattice.ahead) + np.outer(beside, lattice.beside)
    flat = SPACING * (of_layer[:, None] + within).reshape(-1, 2)
    # Files hold few digits of places; adding 0.0 turns -0.0 into 0.0.
    flat = np.round(flat, 3) + 0.0
    z = np.repeat(SPACING * ranks(blocks), len(tokens))
    return np.column_stack([flat, z])


@LAYOUTS.register(rows=True)
def grid(tokens: Tokens) -> Lattice:
    """Lay layers side by side, as seen from above.

    They fill rows of a page, to the right and back again by turns, so that each lies beside the
    next. Each is shifted against it by a little more than a patch.

    Examples
    --------
    >>> grid(Tokens((8, 8))).beside
    (10.0, 1.25)
    """
    rows, cols = _size(tokens)
    wide, high = cols + _GAP, rows + _GAP
    # Over the width of a layer, a line that leaves it rises by less than one patch.
    return Lattice(
        right=(1.0, 0.0),
        down=(0.0, -1.0),
        ahead=(high / rows, -high),
        beside=(wide, wide / cols),
    )


@LAYOUTS.register
def stack(tokens: Tokens) -> Lattice:
    """Lay layers over each other as flat sheets, the first at the bottom.

    Examples
    --------
    >>> stack(Tokens((8, 8))).ahead
    (0.0, 5.0)
    """
    rows, cols = _size(tokens)
    # No two nodes of a sheet lie above each other, so links go straight up between them.
    lean = 1 / rows
    return Lattice(
        right=(1.0, 0.0),
        down=(-lean, -0.5),
        ahead=(0.0, 0.5 * (rows + _GAP)),
        beside=(cols + _GAP, 0.0),
    )


@LAYOUTS.register
def isometric(tokens: Tokens) -> Lattice:
    """Stand layers behind each other as upright sheets, seen from the side and from above.

    The first is at the left. Heads of a block lie below each other.

    Examples
    --------
    >>> isometric(Tokens((8, 8))).down
    (0.0, -1.0)
    """
    rows, cols = _size(tokens)
    apart = min(rows, cols) + _GAP
    # A line along the axis would meet the nodes of a diagonal of its own sheet.
    drop = apart * (0.5 + 1 / max(rows, cols))
    return Lattice(
        right=(_LEVEL, 0.5),
        down=(0.0, -1.0),
        ahead=(apart * _LEVEL, -drop),
        beside=(0.0, -(rows + 0.5 * cols + _GAP)),
    )


def _upright(lattice: Lattice) -> Lattice:
    """Return a lattice of straight rows and columns: the links of heads are not drawn."""
    ahead, beside = (0.0, lattice.ahead[1]), (lattice.beside[0], 0.0)
    return replace(lattice, ahead=ahead, beside=beside)


def _size(tokens: Tokens) -> tuple[int, int]:
    """Return rows and columns of a layer, with the rows of prefix tokens above the patches."""
    rows, cols = tokens.grid
    above = -(-len(tokens.prefix) // cols)
    return rows + above, cols


def _panels(blocks: tuple[int, ...], *, in_rows: bool) -> tuple[np.ndarray, np.ndarray]:
    """Return how far ahead and how far beside each layer lies, in layers."""
    n_layers = len(blocks)
    if len(set(blocks)) < n_layers:
        return ranks(blocks), _heads(blocks)
    place = ranks(blocks)
    if not in_rows:
        return place, np.zeros(n_layers, dtype=int)
    in_a_row = int(np.ceil(np.sqrt(n_layers)))
    ahead, beside = np.divmod(place, in_a_row)
    # Every second row runs back, so that no layer lies between another and the next.
    beside = np.where(ahead % 2, in_a_row - 1 - beside, beside)
    return ahead, beside


def _heads(blocks: tuple[int, ...]) -> np.ndarray:
    """Return the number of each layer among those of its block."""
    numbers = np.zeros(len(blocks), dtype=int)
    for block in set(blocks):
        heads = np.flatnonzero(np.array(blocks) == block)
        numbers[heads] = np.arange(len(heads))
    return numbers
