"""Imputation: what is not shown, worked out of what is around it."""

from typing import Any

import numpy as np

_NEIGHBOURS = {
    (-1, 0): 1 / 6,
    (1, 0): 1 / 6,
    (0, -1): 1 / 6,
    (0, 1): 1 / 6,
    (-1, -1): 1 / 12,
    (-1, 1): 1 / 12,
    (1, -1): 1 / 12,
    (1, 1): 1 / 12,
}
"""How much a neighbour counts, by where it is; those beyond the border do not."""

NOISE = 0.01
"""Standard deviation of the noise that hides where pixels were worked out, in pixel values."""


def imputed(image: np.ndarray, shown: np.ndarray, empty: np.ndarray, seed: int = 0) -> np.ndarray:
    """Return an image whose pixels that are not shown are the mean of their neighbours, and noise.

    Neighbours at a side count 1/6 and those at a corner 1/12, shown or not, so that the pixels are
    found together, as one sparse system of equations: noisy linear imputation, of ROAD (Rong,
    Leemann, Borisov, Kasneci, Kasneci, ICML 2022, arXiv:2202.00449).

    Parameters
    ----------
    image : ndarray [channel, row, col]
    shown : ndarray bool [row, col]
    empty : ndarray [channel, row, col]
        What stands where no pixel at all is shown, which leaves the equations without a solution.
    seed : int
        Of the noise. Default: 0.

    Returns
    -------
    ndarray [channel, row, col]

    Examples
    --------
    >>> ramp = np.arange(5.0)[None, None]
    >>> shown = np.array([[True, False, False, False, True]])
    >>> imputed(ramp, shown, 0 * ramp).round(1).tolist()
    [[[0.0, 1.0, 2.0, 3.0, 4.0]]]
    """
    if shown.all():
        return image.copy()
    if not shown.any():
        return empty.copy()
    from scipy.sparse.linalg import spsolve

    equations, constants = _equations(image, shown)
    values = spsolve(equations, constants).reshape(-1, len(image))
    noise = np.random.default_rng(seed).standard_normal(image.shape)
    result = image.copy()
    result[:, ~shown] = values.T + NOISE * noise[:, ~shown]
    return result


def _equations(image: np.ndarray, shown: np.ndarray) -> tuple[Any, np.ndarray]:
    """Return a sparse matrix [hidden, hidden] and constants [hidden, channel] of hidden pixels."""
    from scipy.sparse import coo_matrix

    row, col = np.nonzero(~shown)
    n_hidden = len(row)
    number = np.full(shown.shape, -1)
    number[row, col] = np.arange(n_hidden)
    total = np.zeros(n_hidden)
    constants = np.zeros((n_hidden, len(image)))
    places, weights = [], []
    for (down, right), weight in _NEIGHBOURS.items():
        near_row, near_col = row + down, col + right
        inside = (near_row >= 0) & (near_row < shown.shape[0])
        inside &= (near_col >= 0) & (near_col < shown.shape[1])
        pixel = np.flatnonzero(inside)
        near = near_row[inside], near_col[inside]
        total[pixel] += weight
        is_known = shown[near]
        known = near[0][is_known], near[1][is_known]
        constants[pixel[is_known]] += weight * image[:, known[0], known[1]].T
        neighbour = number[near][~is_known]
        places.append(np.stack([pixel[~is_known], neighbour]))
        weights.append(np.full(len(neighbour), -weight))
    itself = np.arange(n_hidden)
    places.append(np.stack([itself, itself]))
    weights.append(total)
    rows, cols = np.concatenate(places, axis=1)
    matrix = coo_matrix((np.concatenate(weights), (rows, cols)), shape=(n_hidden, n_hidden))
    return matrix.tocsc(), constants
