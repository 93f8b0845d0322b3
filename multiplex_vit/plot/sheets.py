"""Sheets: where nodes lie when layers are drawn as a stack of sheets, prefix tokens beside them."""

import numpy as np

from multiplex_vit.errors import InputError


def prefix_count(n_nodes: int, grid: tuple[int, int]) -> int:
    """Return how many nodes stand before the patches.

    Raises
    ------
    InputError
        If there are fewer nodes than patches.

    Examples
    --------
    >>> prefix_count(5, (2, 2))
    1
    """
    rows, cols = grid
    if n_nodes < rows * cols:
        raise InputError(f"there are {n_nodes} nodes; a {rows} x {cols} grid wants {rows * cols}, or more with prefix tokens first")
    return n_nodes - rows * cols


def places(grid: tuple[int, int], n_prefix: int, level: int) -> np.ndarray:
    """Return drawing positions [node, 2] of one layer.

    A sheared, flattened grid, lifted by its level; prefix tokens in a column to its left.
    """
    row, col = np.divmod(np.arange(grid[0] * grid[1]), grid[1])
    beside = (np.arange(n_prefix) + 0.5) * grid[0] / max(1, n_prefix) - 0.5
    return _lifted(
        np.concatenate([np.full(n_prefix, -2.0), col]),
        np.concatenate([beside, row]),
        grid,
        level,
    )


def corners(grid: tuple[int, int], level: int) -> np.ndarray:
    """Return the corners [4, 2] of one layer's sheet."""
    bottom, right = grid[0] - 0.5, grid[1] - 0.5
    return _lifted(
        np.array([-0.5, right, right, -0.5]),
        np.array([bottom, bottom, -0.5, -0.5]),
        grid,
        level,
    )


def _lifted(col: np.ndarray, row: np.ndarray, grid: tuple[int, int], level: int) -> np.ndarray:
    up = grid[0] - 1 - row
    return np.column_stack([1.7 * col + 0.6 * up, 0.32 * up + level * (0.32 * grid[0] + 0.8)])
