"""tis2023: the evaluation of Transformer Input Sampling."""

from functools import partial

import numpy as np

from multiplex_vit.evaluation.baselines import blur
from multiplex_vit.evaluation.protocols.options import Options
from multiplex_vit.evaluation.protocols.order import pixel_ranks
from multiplex_vit.evaluation.protocols.painting import inserted_and_deleted, over
from multiplex_vit.evaluation.protocols.registry import PROTOCOLS, Curves
from multiplex_vit.evaluation.protocols.subject import Subject
from multiplex_vit.registry import name_of

PUBLISHED_STEPS = "published steps, as many as rows of pixels"
_BLUR = partial(blur, sigma=5, radius=5)


def rows_of_pixels(size: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Return how many pixels have changed at each point of a curve [step], and their share.

    A row's worth of pixels changes in a step; both ends are included.

    Examples
    --------
    >>> rows_of_pixels((2, 5))[0].tolist(), rows_of_pixels((2, 5))[1].tolist()
    ([0, 5, 10], [0.0, 0.5, 1.0])
    """
    height, width = size
    rows = np.arange(height + 1)
    return rows * width, rows / height


@PROTOCOLS.register(fixed={"baseline": "published blur", "steps": PUBLISHED_STEPS})
def tis2023(subject: Subject, heatmap: np.ndarray, options: Options) -> Curves:
    """Insert into and delete to a blur, a row's worth of pixels in a step.

    Englebert et al., ICCV Workshops 2023, Explaining Through Transformer Input Sampling. The blur
    is 11 x 11 with sigma 5 pixels of the model's input. Published are 224 steps of 224 pixels, for
    images of 224 x 224; of other sizes there are as many steps as rows, and as many pixels in a
    step as columns. Fractions run from 0 to 1.

    The heatmap is enlarged bilinearly, as in the authors' code, ties by index. Their code leaves
    out the image before the first step. Here both ends stand, without which a random order would
    not have an expected difference of 0.
    """
    size = subject.pixels.shape[2:]
    rank = pixel_ranks(heatmap, subject.model.patch, size)
    counts, fraction = rows_of_pixels(size)
    empty = subject.baseline(_BLUR, options.seed)
    name = f"tis2023/{name_of(_BLUR)}"
    return inserted_and_deleted(
        subject,
        rank,
        counts,
        fraction=fraction,
        paint=over(subject.pixels[0], empty),
        protocol=name,
    )
