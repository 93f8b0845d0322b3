"""tis2023: the evaluation of Transformer Input Sampling."""

from functools import partial

import numpy as np

from multiplex_vit.evaluation.baselines import blur
from multiplex_vit.evaluation.protocols.options import Options
from multiplex_vit.evaluation.protocols.order import pixel_ranks
from multiplex_vit.evaluation.protocols.painting import inserted_and_deleted
from multiplex_vit.evaluation.protocols.registry import PROTOCOLS, Curves
from multiplex_vit.evaluation.protocols.subject import Subject
from multiplex_vit.registry import name_of

_BLUR = partial(blur, sigma=5, radius=5)


def rows_of_pixels(size: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Return how many pixels have changed at each point of a curve, a row's worth a step and both ends included; and their share.

    Examples
    --------
    >>> rows_of_pixels((2, 5))[0].tolist(), rows_of_pixels((2, 5))[1].tolist()
    ([0, 5, 10], [0.0, 0.5, 1.0])
    """
    height, width = size
    return np.arange(height + 1) * width, np.arange(height + 1) / height


@PROTOCOLS.register(fixed={"baseline": "published blur", "steps": "published steps, as many as rows of pixels"})
def tis2023(subject: Subject, heatmap: np.ndarray, options: Options) -> Curves:
    """Insert into and delete to a blur, 11 x 11 and sigma 5 pixels of the model's input, a row's worth of pixels a step.

    Englebert et al., ICCV Workshops 2023, Explaining Through Transformer Input Sampling. Published are 224 steps of 224 pixels, for images
    of 224 x 224; of other sizes there are as many steps as rows and as many pixels a step as columns. The heatmap is enlarged bilinearly,
    as in the authors' code, ties by index. Their code leaves out the image before the first step; here both ends stand, without which a
    random order would not have an expected difference of 0. Fractions run from 0 to 1.
    """
    size = subject.pixels.shape[2:]
    counts, fraction = rows_of_pixels(size)
    empty = subject.baseline(_BLUR, options.seed)
    return inserted_and_deleted(subject, pixel_ranks(heatmap, subject.model.patch, size), counts, fraction, empty, f"tis2023/{name_of(_BLUR)}")
