"""Unit: explainers and images that are computed and written together. Plain values."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from multiplex_vit.saliency.explainers import Explainer
from multiplex_vit.saliency.explanation import Explanation
from multiplex_vit.study.groups import PASSES
from multiplex_vit.study.layout import UnitId
from multiplex_vit.study.sources import Sample


@dataclass(frozen=True)
class Kept:
    """What a study keeps of an image, so that no pass is needed for it.

    Attributes
    ----------
    label : int, optional
        The class explained.
    heatmaps : mapping of str to ndarray [row, col]
        By the text of the explainer.
    base : Explanation, optional
        Of the explainer whose masks are used.
    """

    label: int | None = None
    heatmaps: Mapping[str, np.ndarray] = field(default_factory=dict)
    base: Explanation | None = None


@dataclass(frozen=True)
class Unit:
    """Explainers and images that are computed and written together.

    Attributes
    ----------
    id : UnitId
    explainers : tuple of Explainer
    protocols : tuple of str
    made_from : str
        See `Group`.
    samples : tuple of Sample
    unread : tuple of (int, str, str)
        Number, name and reason of images that could not be read.
    kept : mapping of int to Kept
        By the number of the image.
    """

    id: UnitId
    explainers: tuple[Explainer, ...]
    protocols: tuple[str, ...]
    made_from: str = PASSES
    samples: tuple[Sample, ...] = ()
    unread: tuple[tuple[int, str, str], ...] = ()
    kept: Mapping[int, Kept] = field(default_factory=dict)
