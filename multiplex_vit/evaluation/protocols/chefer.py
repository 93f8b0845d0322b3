"""chefer2021: the perturbation tests of Chefer, Gur and Wolf."""

import numpy as np

from multiplex_vit.evaluation.baselines import black
from multiplex_vit.evaluation.curve import Curve
from multiplex_vit.evaluation.protocols.options import Options
from multiplex_vit.evaluation.protocols.order import pixel_ranks
from multiplex_vit.evaluation.protocols.painting import painted
from multiplex_vit.evaluation.protocols.registry import PROTOCOLS, Curves
from multiplex_vit.evaluation.protocols.subject import Subject

DECIDED = "share still predicted"
_FRACTIONS = np.array([0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9])


@PROTOCOLS.register(curves=("negative", "positive"), fixed={"baseline": "published true black", "steps": "9 published points"})
def chefer2021(subject: Subject, heatmap: np.ndarray, options: Options) -> Curves:
    """Follow whether the prediction stays while true black replaces 10 to 90 % of the pixels: the least relevant first, the most relevant first.

    Chefer, Gur, Wolf, CVPR 2021, arXiv:2012.09838. There is no insertion: both curves delete. "negative" takes the least relevant pixels
    first and should stay high, "positive" the most relevant first and should fall; the difference is negative minus positive. A point is 1
    where the model still decides for the class followed, else 0: with a softmax where it is the most probable one, with a sigmoid where its
    probability is at least .5. Predicted values decide nothing and are refused. The mean over images is the published accuracy. The class is the
    predicted one (published as "predicted") unless a label is given ("target"). The heatmap is enlarged bilinearly, ties by index. The
    fractions go from .1 to .9, so an AUC lies between 0 and .8.
    """
    subject.refuse_values("chefer2021", "counts where the class stays predicted")
    image, size = subject.pixels[0], subject.pixels.shape[2:]
    empty = subject.baseline(black, options.seed)
    counts = (image[0].size * _FRACTIONS).astype(int)
    orders = (pixel_ranks(sign * np.asarray(heatmap, dtype=float), subject.model.patch, size) for sign in (-1, 1))
    negative, positive = (Curve(_FRACTIONS, painted(subject.kept, rank, counts, empty, image), "chefer2021/black", DECIDED) for rank in orders)
    return negative, positive
