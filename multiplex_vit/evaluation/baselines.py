"""Baselines: what stands in for a patch that is not there.

Each takes an image and returns another of the same shape. `pixels` [channel, row, col] are
normalised values; `mean` and `std` [channel] are those of the model's processor, in pixel space
from 0 to 1; `rng` is a NumPy random generator.
"""

from collections.abc import Callable

import numpy as np

from multiplex_vit.registry import Registry

Baseline = Callable[[np.ndarray, np.ndarray, np.ndarray, np.random.Generator], np.ndarray]
BASELINES: Registry[Baseline] = Registry("baseline", data=4, traits={"from_neighbours": bool})


@BASELINES.register
def black(
    pixels: np.ndarray,
    mean: np.ndarray,
    std: np.ndarray,
    rng: np.random.Generator,
) -> np.ndarray:
    """Return true black: 0 in pixel space, that is -mean / std.

    Examples
    --------
    >>> black(np.ones((1, 1, 1)), np.array([0.5]), np.array([0.5]), None).tolist()
    [[[-1.0]]]
    """
    # Subtracting from zeros broadcasts one colour over the image.
    colour = (mean / std)[:, None, None].astype(pixels.dtype)
    return np.zeros_like(pixels) - colour


@BASELINES.register
def zero(
    pixels: np.ndarray,
    mean: np.ndarray,
    std: np.ndarray,
    rng: np.random.Generator,
) -> np.ndarray:
    """Return normalised zeros: the processor's mean colour, for most models a mid grey.

    Examples
    --------
    >>> zero(np.ones((1, 1, 1)), np.array([0.5]), np.array([0.5]), None).tolist()
    [[[0.0]]]
    """
    return np.zeros_like(pixels)


@BASELINES.register
def mean(
    pixels: np.ndarray,
    mean: np.ndarray,
    std: np.ndarray,
    rng: np.random.Generator,
) -> np.ndarray:
    """Return the image's own mean colour, channel by channel.

    Examples
    --------
    >>> mean(np.array([[[1.0, 3.0]]]), None, None, None).tolist()
    [[[2.0, 2.0]]]
    """
    colour = pixels.mean((1, 2), keepdims=True)
    # A copy, since what is broadcast cannot be written to.
    return np.broadcast_to(colour, pixels.shape).copy()


@BASELINES.register
def blur(
    pixels: np.ndarray,
    mean: np.ndarray,
    std: np.ndarray,
    rng: np.random.Generator,
    *,
    sigma: float = 7,
    radius: int = 7,
) -> np.ndarray:
    """Return the image blurred by a Gaussian kernel, mirrored at the edges.

    On small images that were enlarged to the model's input it removes hardly any evidence.

    Parameters
    ----------
    pixels, mean, std, rng
        As for all baselines.
    sigma : float
        Standard deviation of the kernel, in pixels of the model's input. Default: 7.
    radius : int
        The kernel is 2 radius + 1 pixels wide. Default: 7.

    Examples
    --------
    >>> blur(np.ones((1, 4, 4)), None, None, None).round(6).min()
    np.float64(1.0)
    """
    # SciPy's filters take as long to import as the rest of the package.
    from scipy.ndimage import gaussian_filter

    channels = []
    for channel in pixels:
        channels.append(gaussian_filter(channel, sigma=sigma, radius=radius, mode="mirror"))
    return np.stack(channels)


@BASELINES.register
def random(
    pixels: np.ndarray,
    mean: np.ndarray,
    std: np.ndarray,
    rng: np.random.Generator,
) -> np.ndarray:
    """Return standard normal noise in normalised space, around the processor's mean colour.

    Examples
    --------
    >>> random(np.zeros((1, 1, 2)), None, None, np.random.default_rng(0)).round(3).tolist()
    [[[0.126, -0.132]]]
    """
    return rng.standard_normal(pixels.shape).astype(pixels.dtype)


@BASELINES.register(from_neighbours=True)
def impute(
    pixels: np.ndarray,
    mean: np.ndarray,
    std: np.ndarray,
    rng: np.random.Generator,
) -> np.ndarray:
    """Return the image's mean colour: what imputation comes to where no pixel is shown.

    As long as some are, hidden patches are worked out of what is around them (see
    `multiplex_vit.evaluation.imputation.imputed`), so that images look like images: ROAD, Rong et
    al., ICML 2022, arXiv:2202.00449.

    Examples
    --------
    >>> impute(np.array([[[1.0, 3.0]]]), None, None, None).tolist()
    [[[2.0, 2.0]]]
    """
    # The parameter `mean` hides the function of that name.
    return BASELINES["mean"](pixels, mean, std, rng)
