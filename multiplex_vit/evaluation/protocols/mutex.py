"""mutex2025: the published evaluation of MUTEX."""

import numpy as np

from multiplex_vit.errors import InputError
from multiplex_vit.evaluation.baselines import BASELINES, Baseline
from multiplex_vit.evaluation.curve import Curve
from multiplex_vit.evaluation.protocols.options import Options
from multiplex_vit.evaluation.protocols.order import pixel_map, ranks
from multiplex_vit.evaluation.protocols.painting import inserted_and_deleted, over
from multiplex_vit.evaluation.protocols.registry import PROTOCOLS, Curves
from multiplex_vit.evaluation.protocols.subject import Subject

PUBLISHED_PERCENT = (1, 5, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100)


def published_baseline(baseline: str | Baseline) -> Baseline:
    """Return a baseline by the name it has in the published evaluation.

    Raises
    ------
    InputError
        If the published evaluation has no such baseline.
    """
    published: dict[str, Baseline] = {
        "black": BASELINES["zero"],
        "blur": BASELINES["blur"],
        "random": BASELINES["random"],
        "mean": _overall_mean,
    }
    if callable(baseline):
        # A function of the user's own is what it is, under whatever name.
        return baseline
    if baseline not in published:
        known = ", ".join(published)
        raise InputError(f"mutex2025 has no baseline {baseline!r}; known: {known}")
    return published[baseline]


def _overall_mean(
    pixels: np.ndarray,
    mean: np.ndarray,
    std: np.ndarray,
    rng: np.random.Generator,
) -> np.ndarray:
    return np.full_like(pixels, pixels.mean())


@PROTOCOLS.register(
    fixed={"steps": "12 published points"},
    takes_baseline=True,
    baseline=published_baseline,
    probability="counts a deletion from a score of 0 on",
    from_zero=True,
)
def mutex2025(subject: Subject, heatmap: np.ndarray, options: Options) -> Curves:
    """Follow the published evaluation, biases included (doi:10.1007/s00521-025-11591-x).

    The heatmap is enlarged to pixels (nearest); the top int(fraction * pixels) pixels change, at 1,
    5, 10, 20, ..., 100 %. Fractions are in percent, so an AUC lies between 0 and 100. Ties inside a
    patch are broken by index.

    Insertion has no point at 0 %; deletion has (0 %, score 0) where the clean confidence belongs:
    both are biased low. Where the confidence grows evenly with the pixels shown, from e of the
    empty image to c of the clean one, a random order has an expected difference of
    .495 (c - e) - .5 e of 100, not 0.

    Baselines have their published meaning: "black" is zeros in normalised space (the processor's
    mean colour), "mean" the image's one mean value. A model that predicts values is refused: for
    values, the published score of 0 means nothing.
    """
    baseline = published_baseline(options.empty)
    empty = subject.baseline(baseline, options.seed)
    # All pixels of a patch have its rank; ranking them again breaks the ties by index.
    patch_rank = ranks(heatmap)[pixel_map(subject, heatmap.shape)]
    rank = ranks(-patch_rank).reshape(patch_rank.shape)
    percent = np.array(PUBLISHED_PERCENT, dtype=float)
    counts = (percent / 100 * rank.size).astype(int)
    name = f"mutex2025/{options.label}"
    insertion, deletion = inserted_and_deleted(
        subject,
        rank,
        counts,
        fraction=percent,
        paint=over(subject.pixels[0], empty),
        protocol=name,
    )
    # Published as it is: a score of 0 at 0 %, where the clean confidence belongs.
    from_zero = Curve(np.append(0, percent), np.append(0, deletion.confidence), name)
    return insertion, from_zero
