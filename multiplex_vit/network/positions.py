"""Positions: where nodes lie, all layers side by side, in files and other libraries."""

import numpy as np

from multiplex_vit.network.depth import ranks
from multiplex_vit.network.tokens import Tokens

SPACING = 25.0
"""Distance of neighbouring patches."""

_GAP = 2.0
"""Patches of empty space between layers."""


def positions(tokens: Tokens, blocks: tuple[int, ...]) -> np.ndarray:
    """Return x, y and z [layer * node, 3] of every node of every layer.

    Layers lie side by side, the heads of a block in one row. y is the row upside down, since most
    programs draw it upwards, and z the block, counted among those that are there. Prefix tokens
    lie just above their layer's patches.

    Parameters
    ----------
    tokens : Tokens
    blocks : tuple of int
        The transformer block of every layer.

    Examples
    --------
    >>> positions(Tokens((1, 2), ("class",)), (0,)).tolist()
    [[0.0, 25.0, 0.0], [0.0, 0.0, 0.0], [25.0, 0.0, 0.0]]
    """
    rows, cols = tokens.grid
    n_prefix = len(tokens.prefix)
    # The rows of prefix tokens above the patches count into the height of a layer.
    above = -(-n_prefix // cols)
    node = np.arange(len(tokens))
    is_prefix = node < n_prefix
    row = np.where(is_prefix, -1 - node // cols, tokens.places[:, 0])
    col = np.where(is_prefix, node % cols, tokens.places[:, 1])
    down, right = _panels(blocks)
    x = SPACING * (col + right[:, None] * (cols + _GAP))
    # Adding 0.0 turns -0.0 into 0.0.
    y = -SPACING * (row + down[:, None] * (rows + above + _GAP)) + 0.0
    z = np.broadcast_to(SPACING * ranks(blocks)[:, None], x.shape)
    return np.stack([x.ravel(), y.ravel(), z.ravel()], axis=1)


def _panels(blocks: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Return how far down and how far right each layer lies, in layers."""
    n_layers = len(blocks)
    if len(set(blocks)) == n_layers:
        in_a_row = int(np.ceil(np.sqrt(n_layers)))
        down, right = np.divmod(np.arange(n_layers), in_a_row)
        return down, right
    right = np.zeros(n_layers, dtype=int)
    for block in set(blocks):
        heads = np.flatnonzero(np.array(blocks) == block)
        right[heads] = np.arange(len(heads))
    return ranks(blocks), right
