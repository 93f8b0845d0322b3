"""Question: a model, an image, a class and a method, asked again under changed conditions."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from multiplex_vit.checks import vision_model, whole
from multiplex_vit.evaluation.protocols import Subject
from multiplex_vit.models.classifier import Classifier
from multiplex_vit.registry import Named, name_of
from multiplex_vit.saliency.explainers import EXPLAINERS, Explainer


@dataclass(frozen=True, eq=False)
class Question:
    """What is explained, and by what.

    Attributes
    ----------
    model : Classifier
    pixels : ndarray float32 [1, channel, row, col]
        Pre-processed pixel values.
    label : int
        The class explained, whatever changes.
    method : str
        Name of the method, for tables.
    explainer : Explainer
    """

    model: Classifier
    pixels: np.ndarray
    label: int
    method: str
    explainer: Explainer

    @classmethod
    def of(
        cls,
        model: Classifier,
        image: Any,
        method: Named,
        *,
        label: int | str | None,
        seed: int,
    ) -> "Question":
        """Return a question; the seed goes to a method that takes one and has none set.

        Raises
        ------
        InputError
            If there is no such class or method, or the image cannot be read.
        """
        picture = vision_model(model).picture(image)
        pixels = np.asarray(picture.pixels.cpu(), dtype=np.float32)
        explainer = EXPLAINERS.resolve(method)
        seed = whole("seed", seed, at_least=0)
        # A seed in the text of the method goes before that of the check.
        if "seed" not in explainer.options:
            explainer = explainer.where_taken(seed=seed)
        # The class of the unchanged image, so that all answers are about the same one.
        subject = Subject.of(model, pixels, label)
        return cls(model, pixels, subject.label, name_of(method), explainer)

    @cached_property
    def heatmap(self) -> np.ndarray:
        """The heatmap [row, col] under unchanged conditions."""
        return self.answer()

    def answer(
        self,
        *,
        model: Classifier | None = None,
        pixels: np.ndarray | None = None,
    ) -> np.ndarray:
        """Return the heatmap [row, col] of another model or other pixels, for the same class."""
        shown = self.pixels if pixels is None else pixels
        explanation = self.explainer(model or self.model, shown, label=self.label)
        return np.asarray(explanation.heatmap)

    def still_predicted(self, pixels: np.ndarray) -> bool | None:
        """Return whether the model decides for the class in other pixels.

        None where it predicts values, not classes.
        """
        score = self.model.score
        if not score.is_probability:
            return None
        scores = self.model.classify(pixels).cpu().numpy()
        return bool(score.decided(scores, self.label)[0])
