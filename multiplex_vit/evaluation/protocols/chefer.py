"""chefer2021: the perturbation tests of Chefer, Gur and Wolf."""

import numpy as np

from multiplex_vit.evaluation.baselines import black
from multiplex_vit.evaluation.curve import Curve
from multiplex_vit.evaluation.protocols.options import Options
from multiplex_vit.evaluation.protocols.order import pixel_ranks
from multiplex_vit.evaluation.protocols.painting import over, painted
from multiplex_vit.evaluation.protocols.registry import PROTOCOLS, Curves
from multiplex_vit.evaluation.protocols.subject import Subject

_FRACTIONS = np.array([0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9])
_FIXED = {"baseline": "published true black", "steps": "9 published points"}


@PROTOCOLS.register(
    curves=("negative", "positive"),
    fixed=_FIXED,
    probability="counts where the class stays predicted",
    quantity="share still predicted",
)
def chefer2021(subject: Subject, heatmap: np.ndarray, options: Options) -> Curves:
    """Follow whether the prediction stays while true black replaces 10 to 90 % of the pixels.

    Chefer, Gur, Wolf, CVPR 2021, arXiv:2012.09838. There is no insertion: both curves delete.
    "negative" deletes the least relevant pixels first and should stay high, "positive" the most
    relevant first and should fall; the difference is negative minus positive.

    A point is 1 where the model still decides for the class followed, else 0: with a softmax where
    the class is the most probable one, with a sigmoid where its probability is at least .5. A model
    that predicts values decides nothing and is refused. The mean over images is the published
    accuracy. The class is the predicted one (published as "predicted") or the label that is given
    ("target").

    The heatmap is enlarged bilinearly, ties by index. The fractions go from .1 to .9, so an AUC
    lies between 0 and .8.
    """
    heatmap = np.asarray(heatmap, dtype=float)
    negative = _deleted(subject, -heatmap, options)
    positive = _deleted(subject, heatmap, options)
    return negative, positive


def _deleted(subject: Subject, relevance: np.ndarray, options: Options) -> Curve:
    """Return the curve of deleting the most relevant pixels first."""
    image = subject.pixels[0]
    size = image.shape[1:]
    rank = pixel_ranks(relevance, subject.model.patch, size)
    # Rounded down, as published.
    counts = (rank.size * _FRACTIONS).astype(int)
    empty = subject.baseline(black, options.seed)
    decided = painted(subject.kept, rank, counts, over(image, empty), inserted=False)
    return Curve(_FRACTIONS, decided, "chefer2021/black")
