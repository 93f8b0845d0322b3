"""Baselines: what stands in for a patch that is not there.

Each takes normalised pixel values [channel, row, col], the processor's `mean` and `std` [channel] (pixel space, 0 to 1) and a NumPy
random generator, and returns normalised pixel values of the same shape.
"""

from collections.abc import Callable

import numpy as np

from multiplex_vit.registry import Registry

Baseline = Callable[[np.ndarray, np.ndarray, np.ndarray, np.random.Generator], np.ndarray]
BASELINES: Registry[Baseline] = Registry("baseline", data=4)


@BASELINES.register
def black(pixels: np.ndarray, mean: np.ndarray, std: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return true black: 0 in pixel space, that is -mean / std.

    Examples
    --------
    >>> black(np.ones((1, 1, 1)), np.array([0.5]), np.array([0.5]), None).tolist()
    [[[-1.0]]]
    """
    return np.zeros_like(pixels) - (mean / std)[:, None, None].astype(pixels.dtype)


@BASELINES.register
def zero(pixels: np.ndarray, mean: np.ndarray, std: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return normalised zeros: in pixel space the processor's mean colour, for most models a mid grey.

    Examples
    --------
    >>> zero(np.ones((1, 1, 1)), np.array([0.5]), np.array([0.5]), None).tolist()
    [[[0.0]]]
    """
    return np.zeros_like(pixels)


@BASELINES.register
def mean(pixels: np.ndarray, mean: np.ndarray, std: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return the image's own mean colour, channel by channel.

    Examples
    --------
    >>> mean(np.array([[[1.0, 3.0]]]), None, None, None).tolist()
    [[[2.0, 2.0]]]
    """
    return np.broadcast_to(pixels.mean((1, 2), keepdims=True), pixels.shape).copy()


@BASELINES.register
def blur(pixels: np.ndarray, mean: np.ndarray, std: np.ndarray, rng: np.random.Generator, *, sigma: float = 7, radius: int = 7) -> np.ndarray:
    """Return the image through a 15 x 15 Gaussian, sigma 7 pixels of the model's input, mirrored at the edges.

    Another kernel is `functools.partial(blur, sigma=..., radius=...)`, 2 radius + 1 pixels wide; a result's protocol names it. On small images enlarged to the model's input it removes hardly any evidence.

    Examples
    --------
    >>> blur(np.ones((1, 4, 4)), None, None, None).round(6).min()
    np.float64(1.0)
    """
    from scipy.ndimage import gaussian_filter

    return np.stack([gaussian_filter(channel, sigma=sigma, radius=radius, mode="mirror") for channel in pixels])


@BASELINES.register
def random(pixels: np.ndarray, mean: np.ndarray, std: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return standard normal noise in normalised space: coloured noise around the processor's mean colour, from a seed.

    Examples
    --------
    >>> random(np.zeros((1, 1, 2)), None, None, np.random.default_rng(0)).round(3).tolist()
    [[[0.126, -0.132]]]
    """
    return rng.standard_normal(pixels.shape).astype(pixels.dtype)
