"""Counting: a model that counts the sequences that it classifies."""

from typing import Any

from multiplex_vit.models.classifier import Classifier
from multiplex_vit.models.relay import Relay


class Counted(Relay):
    """A model that counts the sequences it classifies.

    Attributes
    ----------
    count : int
    """

    def __init__(self, model: Classifier):
        super().__init__(model)
        self.count = 0

    def attend(self, tokens: Any, *args: Any, **options: Any) -> Any:
        """Count and hand on."""
        self.count += len(tokens)
        return super().attend(tokens, *args, **options)

    def attend_directly(self, tokens: Any, *args: Any, **options: Any) -> Any:
        """Count and hand on."""
        self.count += len(tokens)
        return super().attend_directly(tokens, *args, **options)

    def attend_relevance(self, tokens: Any, *args: Any, **options: Any) -> Any:
        """Count and hand on."""
        self.count += len(tokens)
        return super().attend_relevance(tokens, *args, **options)

    def probabilities(self, tokens: Any, kept: Any, **options: Any) -> Any:
        """Count and hand on."""
        self.count += len(kept)
        return super().probabilities(tokens, kept, **options)

    def probabilities_of_images(self, tokens: Any, kept: Any, **options: Any) -> Any:
        """Count and hand on."""
        self.count += sum(len(masks) for masks in kept)
        return super().probabilities_of_images(tokens, kept, **options)

    def classify(self, pixels: Any, **options: Any) -> Any:
        """Count and hand on."""
        self.count += len(pixels)
        return super().classify(pixels, **options)
