"""Widget: the page inside a notebook, whose selection Python reads and sets (extra "widget")."""

from collections.abc import Mapping
from typing import Any

import anywidget
import traitlets

from multiplex_vit.errors import InputError
from multiplex_vit.explore.page import static

SELECTED = (
    "tab",
    "network",
    "layer",
    "layout",
    "k",
    "direction",
    "colour",
    "size",
    "overlay",
    "pins",
    "theme",
    "class",
    "mask",
    "curve",
    "share",
)
"""What can be selected, by the names that `selection` and the page's address have."""


class ExplorerWidget(anywidget.AnyWidget):
    """The explorer in a notebook.

    Attributes
    ----------
    contents : dict
        What the page holds; see `explore.contents`.
    selection : dict
        What is selected: "layer" (its name), "pins" (names of nodes, at most two), "network",
        "class", "mask" and so on. It follows the page, and the page follows what is assigned to it:
        `widget.selection = {**widget.selection, "layer": "L03"}`.
    """

    _esm = static("explorer.js")
    _css = static("explorer.css")
    contents = traitlets.Dict().tag(sync=True)
    selection = traitlets.Dict().tag(sync=True)


def explorer_widget(contents: dict[str, Any], selection: Mapping[str, Any]) -> ExplorerWidget:
    """Return a widget of a page's contents.

    Parameters
    ----------
    contents : dict
    selection : mapping
        What is selected at first. What is left out is as on a page.

    Raises
    ------
    InputError
        If there is nothing of such a name to select.
    """
    unknown = [name for name in selection if name not in SELECTED]
    if unknown:
        known = ", ".join(SELECTED)
        raise InputError(f"unknown selection {unknown[0]!r}; known: {known}")
    return ExplorerWidget(contents=contents, selection=dict(selection))
