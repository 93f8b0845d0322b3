"""Painting: images some of whose pixels are another's, a few of them at a time."""

import math
from collections.abc import Callable

import numpy as np

from multiplex_vit.evaluation.curve import Curve
from multiplex_vit.evaluation.protocols.registry import Curves
from multiplex_vit.evaluation.protocols.subject import Subject

IMAGES_AT_ONCE = 32
"""Images made at once: of 384 x 384 pixels they take 57 MB."""


def painted(
    measure: Callable[[np.ndarray], np.ndarray],
    rank: np.ndarray,
    counts: np.ndarray,
    inside: np.ndarray,
    outside: np.ndarray,
) -> np.ndarray:
    """Measure images that are `inside` where a pixel's rank is below a count, else `outside`.

    Parameters
    ----------
    measure : callable
        Takes pixel values [image, channel, row, col] and returns a number for each [image]. Never
        more than 32 images are in memory.
    rank : ndarray [row, col]
        Places of the pixels in the order in which they change.
    counts : ndarray [step]
        How many pixels have changed.
    inside, outside : ndarray [channel, row, col]
        Pixel values of the two images.

    Returns
    -------
    ndarray [step]
    """
    measured = []
    n_chunks = math.ceil(len(counts) / IMAGES_AT_ONCE)
    for chunk in np.array_split(counts, n_chunks):
        changed = rank < chunk[:, None, None]
        images = np.where(changed[:, None], inside, outside)
        measured.append(measure(images))
    return np.concatenate(measured)


def inserted_and_deleted(
    subject: Subject,
    rank: np.ndarray,
    counts: np.ndarray,
    *,
    fraction: np.ndarray,
    empty: np.ndarray,
    protocol: str,
) -> Curves:
    """Return the curves of inserting pixels into an empty image, and of deleting them to it.

    Parameters
    ----------
    subject : Subject
    rank : ndarray [row, col]
        Places of the pixels in the order in which they change.
    counts : ndarray [step]
        How many pixels have changed.
    fraction : ndarray [step]
        The same as a share of the image, as the curves have it.
    empty : ndarray [channel, row, col]
        Pixel values of the image that holds nothing.
    protocol : str
        The curves' protocol.
    """
    image = subject.pixels[0]
    inserted = painted(subject.confidence, rank, counts, image, empty)
    deleted = painted(subject.confidence, rank, counts, empty, image)
    return Curve(fraction, inserted, protocol), Curve(fraction, deleted, protocol)
