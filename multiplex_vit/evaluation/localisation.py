"""Localisation: how much of a heatmap lies where its class is known to be.

All shares are of positive attribution: the positive values of a heatmap as they are, which is the
published definition, or with `centred` what lies above the heatmap's median. Heatmaps of the
estimator "coverage" (mutex, RISE) are mean confidences: they are positive everywhere, with an
offset that is spread evenly and draws every share towards chance, however right the order of the
patches. The centred share is the same for h and for a h + b (a > 0), so that it compares methods
with and without such an offset.
"""

import numpy as np

from multiplex_vit.arguments import checked, checked_but
from multiplex_vit.checks import numbers, whole
from multiplex_vit.errors import InputError


def cells(grid: tuple[int, int], shape: tuple[int, int]) -> np.ndarray:
    """Return the cell of a mosaic [row, col] to which each patch belongs.

    Cells are numbered row by row. They are whole patches, as even as possible.

    Examples
    --------
    >>> cells((2, 5), (1, 3)).tolist()
    [[0, 0, 1, 2, 2], [0, 0, 1, 2, 2]]
    """
    n_rows, n_cols = shape_of(shape)
    heights = np.diff(edges_of(grid[0], n_rows))
    widths = np.diff(edges_of(grid[1], n_cols))
    rows = np.repeat(np.arange(n_rows), heights)
    cols = np.repeat(np.arange(n_cols), widths)
    return rows[:, None] * n_cols + cols


def edges_of(n_patches: int, n_cells: int) -> np.ndarray:
    """Return where cells begin and end along one side [cell + 1], in patches.

    Examples
    --------
    >>> edges_of(8, 2).tolist(), edges_of(8, 3).tolist()
    ([0, 4, 8], [0, 3, 5, 8])
    """
    if n_cells > n_patches:
        given = f"{n_cells} cells a side do not fit on {n_patches} patches"
        raise InputError(f"{given}; give a shape of fewer cells")
    # Rounded, so that cells differ by one patch at most.
    edges = np.linspace(0, n_patches, n_cells + 1).round()
    return edges.astype(int)


def shape_of(shape: tuple[int, int]) -> tuple[int, int]:
    """Return rows and columns of cells as whole numbers of at least 1."""
    if np.shape(shape) != (2,):
        wanted = "rows and columns of cells, such as (2, 2)"
        raise InputError(f"shape is {shape!r}; give {wanted}")
    n_rows = whole("rows of cells", shape[0], at_least=1)
    n_cols = whole("columns of cells", shape[1], at_least=1)
    return n_rows, n_cols


@checked_but("shape")
def grid_pointing(
    heatmaps: np.ndarray,
    shape: tuple[int, int] = (2, 2),
    *,
    centred: bool = False,
) -> np.ndarray:
    """Return the share of positive attribution that each class has in its own cell of a mosaic.

    share_i = sum of h_i+ in cell i / sum of h_i+, the grid pointing game (Böhle, Fritz, Schiele,
    CVPR 2021, arXiv:2104.00032; Rao, Böhle, Schiele, CVPR 2022, arXiv:2205.10435).

    Parameters
    ----------
    heatmaps : ndarray [cell, row, col]
        One for the class of each cell, cells row by row.
    shape : tuple of int
        Rows and columns of cells. Default: (2, 2).
    centred : bool
        Take what lies above a heatmap's median in place of what is above 0. Default: False.

    Returns
    -------
    ndarray [cell]
        0 to 1; chance is a cell's share of the patches, 1 / n for even cells. A heatmap without
        positive values points nowhere and has the share of chance.

    Raises
    ------
    InputError
        If there is not one heatmap for each cell, or a value is not finite.

    Examples
    --------
    >>> heatmap = np.array([[3.0, 1.0], [1.0, -9.0]])
    >>> grid_pointing(np.stack([heatmap] * 4)).tolist()
    [0.6, 0.2, 0.2, 0.0]
    >>> grid_pointing(np.stack([heatmap] * 4), centred=True).tolist()
    [1.0, 0.0, 0.0, 0.0]
    """
    heatmaps = np.asarray(heatmaps, dtype=float)
    n_rows, n_cols = shape_of(shape)
    n_cells = n_rows * n_cols
    if heatmaps.ndim != 3 or len(heatmaps) != n_cells:
        given = f"heatmaps have shape {list(heatmaps.shape)}"
        wanted = f"{n_cells} are wanted, [cell, row, col]"
        raise InputError(f"{given}; {wanted}, one a cell")
    cell_of_patch = cells(heatmaps.shape[1:], shape)
    shares = []
    # Each cell has its own class, and so its own heatmap.
    for cell, heatmap in enumerate(heatmaps):
        is_own = cell_of_patch == cell
        share = mask_mass(heatmap, is_own, centred=centred)
        shares.append(share)
    return np.array(shares)


@checked
def mask_mass(heatmap: np.ndarray, mask: np.ndarray, *, centred: bool = False) -> float:
    """Return the share of positive attribution inside a mask, the energy-based pointing game.

    Wang et al., CVPR Workshops 2020, arXiv:1910.01279.

    Parameters
    ----------
    heatmap : ndarray [row, col]
        On the patch grid.
    mask : ndarray bool [row, col]
        On the patch grid, or in pixels of what the model sees; then a patch counts with the share
        of it that is inside.
    centred : bool
        Take what lies above the heatmap's median in place of what is above 0. Default: False.

    Returns
    -------
    float
        0 to 1; chance is the mask's share of the image, which a heatmap without positive values has
        too.

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
    heatmap = finite_values(heatmap)
    inside = _checked_mask(heatmap, mask)
    if centred:
        heatmap = heatmap - np.median(heatmap)
    attribution = heatmap.clip(min=0)
    # Each pixel of the mask gets the value of the patch it lies in.
    for axis in range(2):
        size = inside.shape[axis]
        n_patches = heatmap.shape[axis]
        # In whole numbers, so that no border falls by rounding.
        patch_of = np.arange(size) * n_patches // size
        attribution = attribution.take(patch_of, axis=axis)
    total = attribution.sum()
    # A heatmap that points nowhere has what a random one would have.
    if not total > 0:
        return float(inside.mean())
    return float(attribution[inside].sum() / total)


@checked
def pointing_game(heatmap: np.ndarray, mask: np.ndarray) -> bool:
    """Return whether the centre of the best patch lies in a mask.

    Zhang et al., IJCV 126, 1084 (2018), doi:10.1007/s11263-017-1059-x. Of equal patches the first
    one is taken. The published tolerance of 15 pixels is left out.

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
    heatmap = finite_values(heatmap)
    inside = _checked_mask(heatmap, mask)
    best = np.unravel_index(heatmap.argmax(), heatmap.shape)
    n_rows, n_cols = heatmap.shape
    height, width = inside.shape
    row = _centre(int(best[0]), n_rows, height)
    col = _centre(int(best[1]), n_cols, width)
    return bool(inside[row, col])


def _centre(patch: int, n_patches: int, size: int) -> int:
    """Return where the centre of a patch lies along a side of a mask."""
    return int((patch + 0.5) * size / n_patches)


def finite_values(heatmap: np.ndarray, grid: tuple[int, int] | None = None) -> np.ndarray:
    """Return a heatmap as floats [row, col].

    Parameters
    ----------
    heatmap : ndarray [row, col]
    grid : tuple of int, optional
        Rows and columns that it must have. Default: None, any.

    Raises
    ------
    InputError
        If its shape is another one, or it holds NaN or infinity.

    Examples
    --------
    >>> finite_values([[1, 2]], (2, 2))
    Traceback (most recent call last):
    multiplex_vit.errors.InputError: heatmap of shape [1, 2]; finite values [2, 2] are wanted
    """
    values = numbers("heatmap", heatmap)
    if grid is None:
        fits = values.ndim == 2 and values.size > 0
        wanted = "[row, col]"
    else:
        fits = values.shape == tuple(grid)
        wanted = str(list(grid))
    if fits and np.isfinite(values).all():
        return values
    why = " holds NaN or infinity" if fits else ""
    given = f"heatmap of shape {list(values.shape)}{why}"
    raise InputError(f"{given}; finite values {wanted} are wanted")


def _checked_mask(heatmap: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Return a mask as bool [row, col], on patches or on pixels."""
    values = numbers("mask", mask)
    given = f"mask of shape {list(values.shape)}"
    is_binary = np.isin(values, (0, 1)).all()
    # An empty mask has no share to compare with.
    if values.ndim != 2 or not is_binary or not values.any():
        wanted = "True and False [row, col] are wanted, with at least one True"
        raise InputError(f"{given}; {wanted}")
    # A patch would get several values of a smaller mask, and no one says which.
    height, width = values.shape
    n_rows, n_cols = heatmap.shape
    if height < n_rows or width < n_cols:
        smaller = f"is smaller than the heatmap {list(heatmap.shape)}"
        raise InputError(f"{given} {smaller}; give patches or pixels")
    return values.astype(bool)
