"""Shared passes: how many several explanations of one image take together."""

from collections.abc import Sequence
from dataclasses import dataclass

from multiplex_vit.saliency.explanation import Explanation


@dataclass(frozen=True)
class SharedPasses:
    """How many sequences a model classified for several explanations of one image.

    Attributes
    ----------
    run : int
        Together: the whole image, and each distinct mask once.
    naive : int
        By a script that runs the image and every mask anew for each explanation.
    """

    run: int
    naive: int


def shared_passes(explanations: Sequence[Explanation]) -> SharedPasses:
    """Return how many forward passes explanations by masks take together, and without sharing.

    Examples
    --------
    >>> import multiplex_vit as mv
    >>> ex = mv.explain(mv.load("demo-vit", device="cpu"), mv.samples()["cat"])
    >>> shared_passes([ex, ex.subset(statistic="max")]).naive
    62
    """
    distinct: set[bytes] = set()
    naive = 0
    for explanation in explanations:
        naive += 1
        if explanation.masks is not None:
            naive += len(explanation.masks)
            for row in explanation.masks.kept:
                distinct.add(row.tobytes())
    return SharedPasses(len(distinct) + 1, naive)
