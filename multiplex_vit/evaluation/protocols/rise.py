"""rise2018: the evaluation of RISE."""

import numpy as np
from scipy.ndimage import convolve1d, gaussian_filter1d

from multiplex_vit.evaluation.baselines import zero
from multiplex_vit.evaluation.curve import Curve
from multiplex_vit.evaluation.protocols.options import Options
from multiplex_vit.evaluation.protocols.order import pixel_ranks
from multiplex_vit.evaluation.protocols.painting import over, painted
from multiplex_vit.evaluation.protocols.registry import PROTOCOLS, Curves
from multiplex_vit.evaluation.protocols.subject import Subject
from multiplex_vit.evaluation.protocols.tis import PUBLISHED_STEPS, rows_of_pixels

_WIDTH, _SIGMA = 11, 5
_BLUR = f"a blur {_WIDTH} x {_WIDTH} sigma {_SIGMA}"


@PROTOCOLS.register(fixed={"baseline": "two published baselines", "steps": PUBLISHED_STEPS})
def rise2018(subject: Subject, heatmap: np.ndarray, options: Options) -> Curves:
    """Insert into a blur, and delete to zeros in normalised space (the processor's mean colour).

    Petsiuk, Das, Saenko, BMVC 2018, arXiv:1806.07421. The blur is 11 x 11 with sigma 5 pixels of
    the model's input. A row's worth of pixels changes in a step (published: 224 steps of 224
    pixels), with both ends; fractions run from 0 to 1. The heatmap is enlarged bilinearly, ties by
    index.

    Insertion and deletion have different ends: a random order's expected difference is not 0 but
    what the blur leaves over the mean colour, averaged over the steps. Compare with the random
    control, not with 0.
    """
    image = subject.pixels[0]
    size = subject.pixels.shape[2:]
    rank = pixel_ranks(heatmap, subject.model.patch, size)
    counts, fraction = rows_of_pixels(size)
    blurred = subject.baseline(rise_blur, options.seed)
    zeros = subject.baseline(zero, options.seed)
    # The two curves end in different images, as published.
    inserted = painted(
        subject.confidence,
        rank,
        counts,
        over(image, blurred),
        inserted=True,
    )
    deleted = painted(
        subject.confidence,
        rank,
        counts,
        over(image, zeros),
        inserted=False,
    )
    name = f"rise2018/insertion from {_BLUR}, deletion to zero"
    insertion = Curve(fraction, inserted, name)
    deletion = Curve(fraction, deleted, name)
    return insertion, deletion


def rise_blur(
    pixels: np.ndarray,
    mean: np.ndarray,
    std: np.ndarray,
    rng: np.random.Generator,
) -> np.ndarray:
    """Return the image through the kernel of the paper's code.

    The kernel is a Gaussian, sigma 5, folded back at the ends of its 11 taps, so that it is nearly
    flat. Beyond the border there are zeros in normalised space.

    Examples
    --------
    >>> rise_blur(np.ones((1, 21, 21)), None, None, None)[0, 10, [0, 10]].round(2).tolist()
    [0.55, 1.0]
    """
    # The paper's code blurs a single 1 inside an array of 11, whose ends are mirrored.
    tap = np.zeros(_WIDTH)
    tap[_WIDTH // 2] = 1
    kernel = gaussian_filter1d(tap, _SIGMA)
    blurred = pixels.astype(float)
    # The kernel is a product of rows and columns: one axis at a time.
    for axis in (1, 2):
        blurred = convolve1d(
            blurred,
            kernel,
            axis=axis,
            mode="constant",
        )
    return blurred.astype(pixels.dtype)
