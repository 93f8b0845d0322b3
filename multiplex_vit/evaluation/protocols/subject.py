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
    """A model, an image ready for it, and the class whose confidence is followed.

    Attributes
    ----------
    model : Classifier
    pixels : ndarray float32 [1, channel, row, col]
        Pre-processed pixel values.
    label : int
    batch_size : int or "auto"
        Most images of a forward pass. Default: "auto".
    """

    model: Classifier
    pixels: np.ndarray
    label: int
    batch_size: int | str = "auto"

    @classmethod
    def of(
        cls,
        model: Classifier,
        pixels: np.ndarray,
        label: int | str | None,
        batch_size: int | str = "auto",
    ) -> "Subject":
        """Return the subject of a class, or of the predicted class for None.

        Raises
        ------
        InputError
            If there is no such class.
        """
        # A pass is run only where nobody says which class it is.
        predicted = -1
        if label is None:
            scores = model.classify(pixels)[0]
            predicted = int(scores.argmax())
        followed = model.label_of(label, predicted)
        return cls(model, pixels, followed, batch_size)

    @cached_property
    def tokens(self) -> Any:
        """The tokens that enter the first block [1, token, width], as the model has them."""
        return self.model.embed(self.pixels)

    def confidence(self, pixels: np.ndarray) -> np.ndarray:
        """Return the class's score [image] in pixel values [image, channel, row, col]."""
        return self._scores(pixels)[:, self.label]

    def kept(self, pixels: np.ndarray) -> np.ndarray:
        """Return 1 for each image [image] in which the model decides for the class, else 0.

        Parameters
        ----------
        pixels : ndarray [image, channel, row, col]

        Raises
        ------
        InputError
            If the model predicts values, from which no decision follows.
        """
        scores = self._scores(pixels)
        decided = self.model.score.decided(scores, self.label)
        return decided.astype(float)

    def refuse_values(self, protocol: str, why: str) -> None:
        """Refuse a protocol that asks for a probability where the model predicts values.

        Raises
        ------
        InputError
        """
        score = self.model.score
        if not score.is_probability:
            lacks = f"which a {score.quantity} does not have"
            raise InputError(f"{protocol} {why}, {lacks}; give 'patch' or 'token'")

    def token_confidence(self, kept: np.ndarray) -> np.ndarray:
        """Return the class's score [mask] from kept tokens, bool [mask, node]."""
        scores = self.model.probabilities(
            self.tokens,
            kept,
            batch_size=self.batch_size,
        )
        return scores[:, self.label].cpu().numpy()

    def baseline(self, function: Baseline, seed: int) -> np.ndarray:
        """Return the image that holds nothing [channel, row, col].

        Raises
        ------
        InputError
            If the baseline gives an array of another shape, or values that are not finite.
        """
        image = self.pixels[0]
        mean, std = self.model.normalisation
        # A new generator each time, so that insertion and deletion have the same noise.
        rng = np.random.default_rng(seed)
        values = function(image, mean, std, rng)
        empty = np.asarray(values, dtype=np.float32)
        # A baseline of the user's own may return anything.
        if empty.shape != image.shape or not np.isfinite(empty).all():
            returned = f"baseline {name_of(function)} returned"
            given = f"{returned} shape {list(empty.shape)}"
            wanted = f"finite values {list(image.shape)}"
            raise InputError(f"{given}; {wanted} were wanted")
        return empty

    def _scores(self, pixels: np.ndarray) -> np.ndarray:
        scores = self.model.classify(
            pixels,
            batch_size=self.batch_size,
        )
        return scores.cpu().numpy()
