"""Localisation: how much of a heatmap lies where its class is known to be.

All shares are of positive attribution: the positive values of a heatmap as they are, which is the published definition, or with
`centred` what lies above the heatmap's median. Heatmaps of the estimator "coverage" (mutex, RISE) are mean confidences: positive
everywhere, with an offset that is spread evenly and draws every share towards chance, however right the order of the patches.
The centred share is the same for h and for a h + b (a > 0), so that it compares methods with and without such an offset.
"""

import numpy as np

from multiplex_vit.arguments import checked, checked_but
from multiplex_vit.checks import numbers, whole
from multiplex_vit.errors import InputError


def cells(grid: tuple[int, int], shape: tuple[int, int]) -> np.ndarray:
    """Return the cell of a mosaic [row, col] to which each patch belongs, row by row; cells are whole patches, as even as possible.

    Examples
    --------
    >>> cells((2, 5), (1, 3)).tolist()
    [[0, 0, 1, 2, 2], [0, 0, 1, 2, 2]]
    """
    rows, cols = (np.repeat(np.arange(n), np.diff(edges_of(size, n))) for size, n in zip(grid, shape_of(shape), strict=True))
    return rows[:, None] * shape[1] + cols


def edges_of(n_patches: int, n_cells: int) -> np.ndarray:
    """Return where cells begin and end along one side [cell + 1], in patches.

    Examples
    --------
    >>> edges_of(8, 2).tolist(), edges_of(8, 3).tolist()
    ([0, 4, 8], [0, 3, 5, 8])
    """
    if n_cells > n_patches:
        raise InputError(f"{n_cells} cells a side do not fit on {n_patches} patches; give a shape of fewer cells")
    return np.linspace(0, n_patches, n_cells + 1).round().astype(int)


def shape_of(shape: tuple[int, int]) -> tuple[int, int]:
    """Return rows and columns of cells, checked."""
    if np.shape(shape) != (2,):
        raise InputError(f"shape is {shape!r}; give rows and columns of cells, such as (2, 2)")
    return whole("rows of cells", shape[0], at_least=1), whole("columns of cells", shape[1], at_least=1)


@checked_but("shape")
def grid_pointing(heatmaps: np.ndarray, shape: tuple[int, int] = (2, 2), *, centred: bool = False) -> np.ndarray:
    """Return the share of positive attribution that each class has in its own cell of a mosaic: the grid pointing game.

    share_i = sum of h_i+ in cell i / sum of h_i+. (Böhle, Fritz, Schiele, CVPR 2021, arXiv:2104.00032; Rao, Böhle, Schiele, CVPR 2022,
    arXiv:2205.10435.)

    Parameters
    ----------
    heatmaps : ndarray [cell, row, col]
        One of the class of each cell, cells row by row.
    shape : tuple of int
        Rows and columns of cells.
    centred : bool
        Take what lies above a heatmap's median in place of what is above 0.

    Returns
    -------
    ndarray [cell]
        0 to 1; chance is a cell's share of the patches, 1 / n for even cells. A heatmap without positive values points nowhere: chance.

    Raises
    ------
    InputError
        If there is not one heatmap a cell, or a value is not finite.

    Examples
    --------
    >>> heatmap = np.array([[3.0, 1.0], [1.0, -9.0]])
    >>> grid_pointing(np.stack([heatmap] * 4)).tolist()
    [0.6, 0.2, 0.2, 0.0]
    >>> grid_pointing(np.stack([heatmap] * 4), centred=True).tolist()
    [1.0, 0.0, 0.0, 0.0]
    """
    heatmaps, n_cells = np.asarray(heatmaps, dtype=float), int(np.prod(shape_of(shape)))
    if heatmaps.ndim != 3 or len(heatmaps) != n_cells:
        raise InputError(f"heatmaps have shape {list(heatmaps.shape)}; {n_cells} are wanted, [cell, row, col], one a cell")
    cell = cells(heatmaps.shape[1:], shape)
    return np.array([share_inside(heatmap, cell == i, centred=centred) for i, heatmap in enumerate(heatmaps)])


@checked
def mask_mass(heatmap: np.ndarray, mask: np.ndarray, *, centred: bool = False) -> float:
    """Return the share of positive attribution inside a mask: the energy-based pointing game (Wang et al., CVPR Workshops 2020, arXiv:1910.01279).

    Parameters
    ----------
    heatmap : ndarray [row, col]
        On the patch grid.
    mask : ndarray bool [row, col]
        On the patch grid, or in pixels of what the model sees; then a patch counts with the share of it that is inside.
    centred : bool
        Take what lies above the heatmap's median in place of what is above 0.

    Returns
    -------
    float
        0 to 1; chance is the mask's share of the image, which a heatmap without positive values has too.

    Raises
    ------
    InputError
        If the mask is empty, smaller than the heatmap or not of 0 and 1, or a value is not finite.

    Examples
    --------
    >>> mask_mass(np.array([[3.0, 1.0]]), np.array([[True, False]]))
    0.75
    >>> mask_mass(np.array([[3.0, 1.0]]), np.array([[False, True, True, True]]))
    0.625
    """
    return share_inside(heatmap, mask, centred=centred)


@checked
def pointing_game(heatmap: np.ndarray, mask: np.ndarray) -> bool:
    """Return whether the centre of the best patch lies in a mask (Zhang et al., IJCV 126, 1084 (2018), doi:10.1007/s11263-017-1059-x).

    The first of equal patches is taken, and the published tolerance of 15 pixels is not.

    Parameters
    ----------
    heatmap : ndarray [row, col]
        On the patch grid.
    mask : ndarray bool [row, col]
        On the patch grid, or in pixels of what the model sees.

    Raises
    ------
    InputError
        If the mask is empty, smaller than the heatmap or not of 0 and 1, or a value is not finite.

    Examples
    --------
    >>> pointing_game(np.array([[1.0, 3.0]]), np.array([[False, True]]))
    True
    """
    heatmap = finite_heatmap(heatmap)
    inside = _checked_mask(heatmap, mask)
    best = np.unravel_index(heatmap.argmax(), heatmap.shape)
    row, col = (int((place + 0.5) * size / n) for place, size, n in zip(best, inside.shape, heatmap.shape, strict=True))
    return bool(inside[row, col])


def share_inside(heatmap: np.ndarray, mask: np.ndarray, *, centred: bool = False) -> float:
    """Return the share of a heatmap's positive attribution inside a mask; the mask's own share where nothing is positive."""
    heatmap = finite_heatmap(heatmap)
    inside = _checked_mask(heatmap, mask)
    enlarged = (heatmap - np.median(heatmap) if centred else heatmap).clip(min=0)
    for axis, (size, n) in enumerate(zip(inside.shape, heatmap.shape, strict=True)):
        enlarged = enlarged.take(np.arange(size) * n // size, axis=axis)
    total = enlarged.sum()
    return float(enlarged[inside].sum() / total if total > 0 else inside.mean())


def finite_heatmap(heatmap: np.ndarray) -> np.ndarray:
    """Return a heatmap as floats [row, col].

    Raises
    ------
    InputError
        If it is none, or holds NaN or infinity.
    """
    values = numbers("heatmap", heatmap)
    if values.ndim != 2 or not values.size or not np.isfinite(values).all():
        raise InputError(f"heatmap of shape {list(values.shape)}{' holds NaN or infinity' if values.ndim == 2 else ''}; finite values [row, col] are wanted")
    return values


def _checked_mask(heatmap: np.ndarray, mask: np.ndarray) -> np.ndarray:
    values = numbers("mask", mask)
    if values.ndim != 2 or not np.isin(values, (0, 1)).all() or not values.any():
        raise InputError(f"mask of shape {list(values.shape)}; True and False [row, col] are wanted, with at least one True")
    if (np.array(values.shape) < heatmap.shape).any():
        raise InputError(f"mask of shape {list(values.shape)} is smaller than the heatmap {list(heatmap.shape)}; give patches or pixels")
    return values.astype(bool)
