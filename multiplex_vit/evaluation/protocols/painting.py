"""Painting: images of which some pixels are shown, and something else stands for the others."""

import math
from collections.abc import Callable

import numpy as np

from multiplex_vit.evaluation.baselines import BASELINES
from multiplex_vit.evaluation.curve import Curve
from multiplex_vit.evaluation.imputation import imputed
from multiplex_vit.evaluation.protocols.options import Options
from multiplex_vit.evaluation.protocols.registry import Curves
from multiplex_vit.evaluation.protocols.subject import Subject

IMAGES_AT_ONCE = 32
"""Images made at once: of 384 x 384 pixels they take 57 MB."""

Paint = Callable[[np.ndarray], np.ndarray]
"""Takes which pixels are shown, bool [image, row, col]; gives pixel values [image, ...]."""


def over(image: np.ndarray, empty: np.ndarray) -> Paint:
    """Return a painter of an image [channel, row, col] over one that holds nothing."""

    def paint(shown: np.ndarray) -> np.ndarray:
        return np.where(shown[:, None], image, empty)

    return paint


def painter(subject: Subject, options: Options) -> Paint:
    """Return the painter of a subject's image with the baseline of the options.

    Raises
    ------
    InputError
        If there is no such baseline, or it gives no image.
    """
    image = subject.pixels[0]
    empty = subject.baseline(BASELINES.resolve(options.empty), options.seed)
    if not BASELINES.trait(options.empty, "from_neighbours"):
        return over(image, empty)

    def paint(shown: np.ndarray) -> np.ndarray:
        return np.stack([imputed(image, pixels, empty, options.seed) for pixels in shown])

    return paint


def painted(
    measure: Callable[[np.ndarray], np.ndarray],
    rank: np.ndarray,
    counts: np.ndarray,
    paint: Paint,
    *,
    inserted: bool,
) -> np.ndarray:
    """Measure images while pixels are inserted, or while they are deleted.

    Parameters
    ----------
    measure : callable
        Takes pixel values [image, channel, row, col] and returns a number for each [image]. Never
        more than 32 images are in memory.
    rank : ndarray [row, col]
        Places of the pixels in the order in which they change.
    counts : ndarray [step]
        How many pixels have changed.
    paint : callable
        Makes the images.
    inserted : bool
        Whether pixels that have changed are shown, or are not.

    Returns
    -------
    ndarray [step]
    """
    measured = []
    n_chunks = math.ceil(len(counts) / IMAGES_AT_ONCE)
    for chunk in np.array_split(counts, n_chunks):
        changed = rank < chunk[:, None, None]
        shown = changed if inserted else ~changed
        measured.append(measure(paint(shown)))
    return np.concatenate(measured)


def inserted_and_deleted(
    subject: Subject,
    rank: np.ndarray,
    counts: np.ndarray,
    *,
    fraction: np.ndarray,
    paint: Paint,
    protocol: str,
) -> Curves:
    """Return the curves of inserting pixels and of deleting them.

    Parameters
    ----------
    subject : Subject
    rank : ndarray [row, col]
        Places of the pixels in the order in which they change.
    counts : ndarray [step]
        How many pixels have changed.
    fraction : ndarray [step]
        The same as a share of the image, as the curves have it.
    paint : callable
        Makes the images.
    protocol : str
        The curves' protocol.
    """
    insertion = painted(subject.confidence, rank, counts, paint, inserted=True)
    deletion = painted(subject.confidence, rank, counts, paint, inserted=False)
    return Curve(fraction, insertion, protocol), Curve(fraction, deletion, protocol)
