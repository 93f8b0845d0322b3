"""Explorer: a network and what was made of it, as one interactive page or a widget."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from multiplex_vit.arguments import check_fields, checked
from multiplex_vit.errors import InputError
from multiplex_vit.explore.contents import contents
from multiplex_vit.explore.data import (
    MaskSteps,
    ShownClasses,
    ShownCurves,
    ThinNetwork,
    check_networks,
    check_patches,
)
from multiplex_vit.explore.page import page
from multiplex_vit.files import written_whole

if TYPE_CHECKING:
    from multiplex_vit.explore.widget import ExplorerWidget

MOST_BYTES = 32 * 2**20
"""Bytes that a page may have; browsers take seconds to open larger ones."""


@dataclass(frozen=True, eq=False)
class Explorer:
    """A multiplex network beside its photo: one page of HTML, or a widget in a notebook.

    The page needs no other file, no server and no network. Made by `mv.explorer(model, image)`,
    `Multiplex.explore` and `Explanation.explore`.

    Attributes
    ----------
    title : str
        Heading of the page.
    networks : tuple of ThinNetwork
        All of the same tokens; the first one is shown first.
    view : ndarray uint8 [row, col, channel], optional
        The photo, as the model saw it.
    classes : ShownClasses, optional
        Heatmaps.
    masks : MaskSteps, optional
        Masks and their confidence, for the same classes.
    curves : ShownCurves, optional
        Insertion and deletion.

    Raises
    ------
    InputError
        If there is no network, or they and the heatmaps are not of the same patches.
    """

    title: str
    networks: tuple[ThinNetwork, ...] = field(repr=False)
    view: np.ndarray | None = field(default=None, repr=False)
    classes: ShownClasses | None = field(default=None, repr=False)
    masks: MaskSteps | None = field(default=None, repr=False)
    curves: ShownCurves | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        check_fields(self)
        check_networks(self.networks)
        grid = self.networks[0].grid
        if self.classes is not None:
            check_patches("heatmaps", self.classes.heatmaps, grid)
        if self.masks is not None:
            check_patches("masks", self.masks.kept, grid)

    @cached_property
    def contents(self) -> dict[str, Any]:
        """What page and widget hold, as values that JSON has."""
        return contents(
            self.title,
            self.networks,
            view=self.view,
            classes=self.classes,
            masks=self.masks,
            curves=self.curves,
        )

    @cached_property
    def html(self) -> str:
        """The page as text."""
        return page(self.title, self.contents)

    @checked
    def write(self, path: str | Path) -> Path:
        """Write the page, whole or not at all, and return its path.

        Parameters
        ----------
        path : path-like
            A name that ends in .html or .htm.

        Raises
        ------
        InputError
            If the name ends otherwise, the page is too large, or it cannot be written there.
        """
        target = Path(path)
        if target.suffix.lower() not in (".html", ".htm"):
            raise InputError(f"{target} is no name of a page; give one that ends in .html")
        content = self.html.encode()
        if len(content) > MOST_BYTES:
            size = f"the page takes {len(content) / 2**20:.0f} MiB"
            raise InputError(f"{size}; give fewer networks, layers or classes")
        with written_whole(target) as temporary:
            temporary.write_bytes(content)
        return target

    def widget(self, selection: Mapping[str, Any] | None = None) -> "ExplorerWidget":
        """Return the page as a Jupyter widget, whose selection Python can read and set.

        Parameters
        ----------
        selection : mapping, optional
            What is selected at first, by the names that `ExplorerWidget.selection` has, such as
            {"layer": "L03", "pins": ["r2c4"]}. Default: as on a page.

        Raises
        ------
        InputError
            If anywidget is not installed (extra "widget"), or a name is unknown.
        """
        try:
            from multiplex_vit.explore.widget import explorer_widget
        except ImportError as error:
            install = 'pip install "multiplex-vit[widget]"'
            raise InputError(f"a widget needs anywidget; {install}") from error
        return explorer_widget(self.contents, selection or {})
