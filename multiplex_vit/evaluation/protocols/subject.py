"""Subject: what an evaluation asks of a model and an image."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from multiplex_vit.errors import InputError
from multiplex_vit.evaluation.baselines import Baseline
from multiplex_vit.models.classifier import Classifier
from multiplex_vit.registry import name_of


@dataclass(frozen=True, eq=False)
class Subject:
    """A model, an image ready for it, and the class whose confidence is followed."""

    model: Classifier
    pixels: np.ndarray
    label: int
    batch_size: int | str = "auto"

    @cached_property
    def tokens(self) -> Any:
        """The tokens that enter the first block [1, token, width], as the model has them."""
        return self.model.embed(self.pixels)

    def confidence(self, pixels: np.ndarray) -> np.ndarray:
        """Return the class's score [image] in pixel values [image, channel, row, col]."""
        return self._probabilities(pixels)[:, self.label]

    def kept(self, pixels: np.ndarray) -> np.ndarray:
        """Return [image] 1 where the model decides for the class in pixel values [image, channel, row, col], else 0.

        Raises
        ------
        InputError
            If the model gives predicted values, from which no decision follows.
        """
        return self.model.score.decided(self._probabilities(pixels), self.label).astype(float)

    def refuse_values(self, protocol: str, why: str) -> None:
        """Refuse a protocol that asks for a probability where the model gives predicted values."""
        if not self.model.score.is_probability:
            quantity = self.model.score.quantity
            raise InputError(f"{protocol} {why}, which a {quantity} does not have; give 'patch' or 'token'")

    def _probabilities(self, pixels: np.ndarray) -> np.ndarray:
        return self.model.classify(pixels, batch_size=self.batch_size).cpu().numpy()

    def token_confidence(self, kept: np.ndarray) -> np.ndarray:
        """Return the class's score [mask] from kept tokens [mask, node]."""
        return self.model.probabilities(self.tokens, kept, batch_size=self.batch_size)[:, self.label].cpu().numpy()

    def baseline(self, function: Baseline, seed: int) -> np.ndarray:
        """Return the image that holds nothing [channel, row, col]."""
        mean, std = self.model.normalisation
        empty = np.asarray(function(self.pixels[0], mean, std, np.random.default_rng(seed)), dtype=np.float32)
        if empty.shape != self.pixels[0].shape or not np.isfinite(empty).all():
            raise InputError(f"baseline {name_of(function)} returned shape {list(empty.shape)}; finite values {list(self.pixels[0].shape)} were wanted")
        return empty
