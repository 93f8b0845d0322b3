"""Painting: images some of whose pixels are another's, a few of them at a time."""

import math
from collections.abc import Callable

import numpy as np

from multiplex_vit.evaluation.curve import Curve
from multiplex_vit.evaluation.protocols.registry import Curves
from multiplex_vit.evaluation.protocols.subject import Subject

_IMAGES_AT_ONCE = 32


def painted(measure: Callable[[np.ndarray], np.ndarray], rank: np.ndarray, counts: np.ndarray, inside: np.ndarray, outside: np.ndarray) -> np.ndarray:
    """Return what is measured of images that are `inside` where a pixel's rank is below a count, and `outside` elsewhere.

    Parameters
    ----------
    measure : callable
        Pixel values [image, channel, row, col] -> [image].
    rank : ndarray [row, col]
    counts : ndarray [step]
    inside, outside : ndarray [channel, row, col]

    Returns
    -------
    ndarray [step]
        Never more than 32 images are in memory.
    """
    chunks = np.array_split(counts, math.ceil(len(counts) / _IMAGES_AT_ONCE))
    return np.concatenate([measure(np.where((rank < chunk[:, None, None])[:, None], inside, outside)) for chunk in chunks])


def inserted_and_deleted(subject: Subject, rank: np.ndarray, counts: np.ndarray, fraction: np.ndarray, empty: np.ndarray, protocol: str) -> Curves:
    """Return the curves of inserting pixels into, and deleting them to, one empty image [channel, row, col]."""
    image = subject.pixels[0]
    return (
        Curve(fraction, painted(subject.confidence, rank, counts, image, empty), protocol),
        Curve(fraction, painted(subject.confidence, rank, counts, empty, image), protocol),
    )
