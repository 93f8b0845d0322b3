"""Order: which patch or pixel changes when."""

import numpy as np
from scipy.ndimage import map_coordinates

from multiplex_vit.evaluation.protocols.subject import Subject

DEFAULT_STEPS = 100
"""Most steps of a curve by default; grids of fewer patches take every patch."""

_DIGITS = 9
"""Far more than differences between heatmaps mean, and far less than the last bits of a float."""


def ranks(heatmap: np.ndarray) -> np.ndarray:
    """Return each node's place in the order of falling values, ties by index.

    Examples
    --------
    >>> ranks(np.array([[1, 3], [3, 2]])).tolist()
    [3, 0, 1, 2]
    """
    # A stable sort leaves equal values in the order of their index.
    falling = -heatmap.astype(float)
    order = np.argsort(falling, axis=None, kind="stable")
    # A permutation is inverted by writing numbers to its places.
    rank = np.empty(heatmap.size, dtype=int)
    rank[order] = np.arange(heatmap.size)
    return rank


def steps_of(n_nodes: int, steps: int | None) -> np.ndarray:
    """Return the numbers of patches at the points of a curve, 0 and all of them included.

    Examples
    --------
    >>> steps_of(4, None).tolist(), steps_of(10, 2).tolist()
    ([0, 1, 2, 3, 4], [0, 5, 10])
    """
    n_points = min(n_nodes, steps or DEFAULT_STEPS) + 1
    # Rounding may give a number twice where there are nearly as many steps as patches.
    counts = np.linspace(0, n_nodes, n_points).round()
    return np.unique(counts.astype(int))


def pixel_map(subject: Subject, grid: tuple[int, ...]) -> np.ndarray:
    """Return the node to which each pixel [row, col] belongs.

    Pixels that no patch covers belong to their nearest patch.
    """
    n_rows, n_cols = grid
    patch_rows, patch_cols = subject.model.patch
    height, width = subject.pixels.shape[2:]
    row = np.arange(height) // patch_rows
    col = np.arange(width) // patch_cols
    # What lies beyond the last whole patch goes to it.
    row = np.minimum(row, n_rows - 1)
    col = np.minimum(col, n_cols - 1)
    return row[:, None] * n_cols + col


def pixel_ranks(
    heatmap: np.ndarray,
    patch: tuple[int, int],
    size: tuple[int, ...],
) -> np.ndarray:
    """Return each pixel's place [row, col] in the order of falling values of the enlarged heatmap.

    The heatmap is enlarged bilinearly, and ties are broken by index. A patch has its value at its
    centre; beyond the outer centres values stay as they are. Values are rounded to nine digits of
    their range, so that what is equal but for the last bit is a tie on any processor.

    Parameters
    ----------
    heatmap : ndarray [row, col]
    patch : tuple of int
        Rows and columns of pixels of a patch.
    size : tuple of int
        Rows and columns of pixels of the image.

    Examples
    --------
    >>> pixel_ranks(np.array([[0.0, 1.0]]), (1, 2), (1, 4)).tolist()
    [[3, 2, 1, 0]]
    """
    values = np.asarray(heatmap, dtype=float)
    # A flat heatmap has no range to divide by; all its pixels are ties.
    spread = np.ptp(values) or 1
    values = (values - values.min()) / spread
    # Centres of pixels, in patches, counted from the centre of the first patch.
    rows = (np.arange(size[0]) + 0.5) / patch[0] - 0.5
    cols = (np.arange(size[1]) + 0.5) / patch[1] - 0.5
    places = np.meshgrid(rows, cols, indexing="ij")
    enlarged = map_coordinates(
        values,
        places,
        order=1,
        mode="nearest",
    )
    rounded = enlarged.round(_DIGITS)
    return ranks(rounded).reshape(enlarged.shape)
