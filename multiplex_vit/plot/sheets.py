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
    n_patches = rows * cols
    if n_nodes < n_patches:
        expected = f"a {rows} x {cols} grid needs {n_patches}, or more with prefix tokens first"
        raise InputError(f"there are {n_nodes} nodes; {expected}")
    return n_nodes - n_patches


def places(grid: tuple[int, int], n_prefix: int, level: int) -> np.ndarray:
    """Return drawing positions [node, 2] of one layer.

    It is a sheared, flattened grid, lifted by its level. Prefix tokens stand in a column to its
    left.
    """
    rows, cols = grid
    row, col = np.divmod(np.arange(rows * cols), cols)
    # Prefix tokens are spread over the height of the grid.
    beside = (np.arange(n_prefix) + 0.5) * rows / max(1, n_prefix) - 0.5
    all_cols = np.concatenate([np.full(n_prefix, -2.0), col])
    all_rows = np.concatenate([beside, row])
    return _lifted(all_cols, all_rows, grid, level)


def corners(grid: tuple[int, int], level: int) -> np.ndarray:
    """Return the corners [4, 2] of one layer's sheet."""
    bottom, right = grid[0] - 0.5, grid[1] - 0.5
    cols = np.array([-0.5, right, right, -0.5])
    rows = np.array([bottom, bottom, -0.5, -0.5])
    return _lifted(cols, rows, grid, level)


def _lifted(col: np.ndarray, row: np.ndarray, grid: tuple[int, int], level: int) -> np.ndarray:
    rows = grid[0]
    # The first row lies at the back, which is drawn higher.
    up = rows - 1 - row
    x = 1.7 * col + 0.6 * up
    y = 0.32 * up + level * (0.32 * rows + 0.8)
    return np.column_stack([x, y])
