"""Question: a model, an image, a class and a method, asked again and again under changed conditions."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypedDict, Unpack

import numpy as np

from multiplex_vit.arguments import check_options
from multiplex_vit.checks import vision_model
from multiplex_vit.models.classifier import Classifier
from multiplex_vit.registry import Named, name_of
from multiplex_vit.saliency.explainers import EXPLAINERS


class Asked(TypedDict, total=False):
    """What every check takes as keywords: the class (the predicted one unless given), the method's budget in passes, and its seed."""

    label: int | str | None
    budget: int | None
    seed: int


@dataclass(frozen=True, eq=False)
class Question:
    """What is explained, and by what.

    Attributes
    ----------
    model : Classifier
    pixels : ndarray float32 [1, channel, row, col]
    label : int
        The class explained, whatever changes.
    method : str
    explain : callable
        Takes model, image and label.
    """

    model: Classifier
    pixels: np.ndarray
    label: int
    method: str
    explain: Callable[..., Any]

    @classmethod
    def of(cls, model: Classifier, image: Any, method: Named, **asked: Unpack[Asked]) -> "Question":
        """Return a question after making sure of all of it; InputError if there is no such class, method or option."""
        check_options(asked, Asked)
        pixels = np.asarray(vision_model(model).picture(image).pixels.cpu(), dtype=np.float32)
        explainer = EXPLAINERS.resolve(method)
        options = {"budget": asked.get("budget"), "seed": asked.get("seed", 0)}
        left_open = {name: value for name, value in options.items() if value is not None and name not in explainer.options}
        explain = explainer.where_taken(**left_open)
        label = asked.get("label")
        predicted = _predicted(model, pixels) if label is None else -1
        return cls(model, pixels, model.label_of(label, predicted), name_of(method), explain)

    @cached_property
    def heatmap(self) -> np.ndarray:
        """The heatmap [row, col] as it is."""
        return self.answer()

    def answer(self, *, model: Classifier | None = None, pixels: np.ndarray | None = None) -> np.ndarray:
        """Return the heatmap [row, col] of another model or other pixels, for the same class."""
        shown = self.pixels if pixels is None else pixels
        return np.asarray(self.explain(model or self.model, shown, label=self.label).heatmap)

    def still_predicted(self, pixels: np.ndarray) -> bool | None:
        """Return whether the model decides for the class in other pixels; None where it predicts values, not classes."""
        score = self.model.score
        if not score.is_probability:
            return None
        return bool(score.decided(self.model.classify(pixels).cpu().numpy(), self.label)[0])


def _predicted(model: Classifier, pixels: np.ndarray) -> int:
    return int(model.classify(pixels)[0].argmax())
