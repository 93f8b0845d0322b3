"""Shown: an explanation as pictures and as a page."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from multiplex_vit.arguments import checked
from multiplex_vit.explore import Explorer
from multiplex_vit.models.score import Score
from multiplex_vit.network.tables import Measures
from multiplex_vit.network.thinned import short_name, thinned
from multiplex_vit.saliency.steps import classes_of, mask_steps, shown_classes, shown_curves

if TYPE_CHECKING:
    from matplotlib.axes import Axes


class Shown:
    """What an `Explanation` draws."""

    label: int
    clean: np.ndarray
    model: str
    view: np.ndarray
    score: Score

    if TYPE_CHECKING:

        @property
        def label_name(self) -> str:
            """Name of the class explained."""

        @property
        def heatmap(self) -> np.ndarray:
            """Worth [row, col] of every node."""

    @property
    def title(self) -> str:
        """The class explained and its score in the whole image, as pictures show them."""
        return f"{self.label_name} ({self.score.text(self.clean[self.label], 2)})"

    def plot(
        self,
        *,
        alpha: float = 0.6,
        smooth: bool | None = None,
        colourbar: bool = True,
        title: str | None = None,
        ax: "Axes | None" = None,
    ) -> "Axes":
        """Draw the heatmap over the image; see `multiplex_vit.plot.overlay`.

        Parameters
        ----------
        alpha : float
            Mean opacity of the heatmap. Default: 0.6.
        smooth : bool, optional
            Interpolate between patches. Default: from 256 patches on.
        colourbar : bool
            Draw the scale beside it. Default: True.
        title : str, optional
            Default: the class and its score.
        ax : Axes, optional
            Default: the current one.
        """
        # Drawing is not needed to explain, and takes half a second to import.
        from multiplex_vit import plot

        title = self.title if title is None else title
        options: dict[str, Any] = {
            "alpha": alpha,
            "smooth": smooth,
            "colourbar": colourbar,
        }
        return plot.overlay(self.view, self.heatmap, title=title, ax=ax, **options)

    def _repr_png_(self) -> bytes:
        from multiplex_vit import plot

        return plot.thumbnail(self.view, self.heatmap, title=self.title)

    @checked
    def explore(
        self,
        network: Any,
        faithfulness: Any = None,
        *,
        classes: Sequence[int | str] | None = None,
        measures: Measures = None,
        title: str | None = None,
    ) -> Explorer:
        """Return the explanation beside a network as an interactive page, which also is a widget.

        Parameters
        ----------
        network : Multiplex, sequence of Multiplex, or mapping of str to Multiplex
            Networks of the same image, such as `mv.multiplex(model, image)`; with `heads=True` each
            head can be chosen. A mapping gives them names.
        faithfulness : Faithfulness, optional
            What `mv.evaluate` says of the heatmap. Default: none, and the page has no curves.
        classes : sequence of int or str, optional
            Classes whose heatmaps the page holds beside the one explained. Default: those of the
            ten greatest scores, of which there is a prior where the explanation has one (see
            `with_classes`).
        measures : as for `Multiplex.node_table`
            Values by which nodes can be coloured and sized. Default: all centralities; of heads and
            of networks of over two million weights the quick ones alone.
        title : str, optional
            Heading of the page. Default: the model and the class explained.

        Returns
        -------
        Explorer
            `write("page.html")` writes the page, `widget()` shows it in a notebook.

        Raises
        ------
        InputError
            If an argument cannot be used, networks have another grid, or all of it is too large for
            a page.
        """
        labels = classes_of(self, classes)
        curves = None
        if faithfulness is not None:
            curves = shown_curves(self, faithfulness)
        return Explorer(
            title=title or f"Why {short_name(self.model)} sees {self.title}",
            networks=thinned(network, measures),
            view=self.view,
            classes=shown_classes(self, labels),
            masks=mask_steps(self, labels),
            curves=curves,
        )
