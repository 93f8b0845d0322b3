"""Pictured: what every explanation of an image can say of itself and draw."""

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes


class Pictured:
    """A heatmap of a class over the picture that the model saw; `Explanation` and `Attribution` are such.

    Attributes
    ----------
    label : int
        The class explained.
    clean : ndarray float32 [class]
        Class probabilities of the whole image.
    classes : tuple of str
        Class names.
    view : ndarray uint8 [row, col, channel]
        What the model saw, for drawing.
    """

    label: int
    clean: np.ndarray
    classes: tuple[str, ...]
    view: np.ndarray
    heatmap: np.ndarray

    @property
    def label_name(self) -> str:
        """Name of the class explained."""
        return self.classes[self.label]

    @property
    def predicted(self) -> int:
        """The most probable class of the whole image."""
        return int(self.clean.argmax())

    def plot(self, **options: Any) -> "Axes":
        """Draw the heatmap over the image; see `multiplex_vit.plot.overlay`."""
        from multiplex_vit import plot

        return plot.overlay(self.view, self.heatmap, **{"title": self._title, **options})

    def _repr_png_(self) -> bytes:
        from multiplex_vit import plot

        return plot.thumbnail(self.view, self.heatmap, title=self._title)

    @property
    def _title(self) -> str:
        return f"{self.label_name} ({self.clean[self.label]:.2f})"
