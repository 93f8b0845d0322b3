"""Pictured: what every explanation of an image can say of itself and draw."""

from typing import TYPE_CHECKING, Any

import numpy as np

from multiplex_vit.models.score import Score

if TYPE_CHECKING:
    from matplotlib.axes import Axes


class Pictured:
    """A heatmap of a class over the picture that the model saw; `Explanation` and `Attribution` are such.

    Attributes
    ----------
    label : int
        The class explained.
    clean : ndarray float32 [class]
        Scores of the whole image: probabilities, unless `score` says otherwise.
    classes : tuple of str
        Class names.
    score : Score
        What the numbers of `clean` mean.
    view : ndarray uint8 [row, col, channel]
        What the model saw, for drawing.
    """

    label: int
    clean: np.ndarray
    classes: tuple[str, ...]
    score: Score
    view: np.ndarray
    heatmap: np.ndarray

    @property
    def label_name(self) -> str:
        """Name of the class explained."""
        return self.classes[self.label]

    @property
    def predicted(self) -> int:
        """The class of the whole image whose score is greatest; of one logit, its only class."""
        return int(self.clean.argmax())

    def plot(self, **options: Any) -> "Axes":
        """Draw the heatmap over the image; see `multiplex_vit.plot.overlay`."""
        from multiplex_vit import plot

        return plot.overlay(self.view, self.heatmap, **{"title": self.title, **options})

    def _repr_png_(self) -> bytes:
        from multiplex_vit import plot

        return plot.thumbnail(self.view, self.heatmap, title=self.title)

    @property
    def title(self) -> str:
        """The class explained and its score in the whole image, as pictures say them."""
        return f"{self.label_name} ({self.score.text(self.clean[self.label], 2)})"

    def head(self) -> dict[str, Any]:
        """Return what a row says of the class: label, its name, its score and what that score is."""
        return {
            "label": self.label,
            "label_name": self.label_name,
            "probability": float(self.clean[self.label]),
            "score": self.score.quantity,
            "predicted": self.predicted,
        }
