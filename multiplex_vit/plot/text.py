"""Text in pictures.

Names are drawn letter by letter, never read as mathematics, and never run into each other.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.legend import Legend

from multiplex_vit.accepts import accepts
from multiplex_vit.errors import InputError


@accepts()
def shortened(text: str, length: int = 28) -> str:
    """Return a text for a title, cut where it is too long.

    Examples
    --------
    >>> shortened("vit-base-patch16-224", 10)
    'vit-base-…'
    """
    if len(text) <= length:
        return text
    return text[: max(0, length - 1)] + "…"


def score_axis(ax: Axes, table: pd.DataFrame, prefix: str = "") -> None:
    """Name the axis of scores by what a table of curves says that they are.

    The axis of probabilities goes from 0 to 1.

    Parameters
    ----------
    ax : Axes
    table : DataFrame
        confidence and, where it is known, quantity: "probability (softmax)", "predicted value".
    prefix : str
        Such as "mean ".

    Raises
    ------
    InputError
        If the rows are of several quantities.
    """
    kinds = []
    if "quantity" in table:
        kinds = [str(kind) for kind in table["quantity"].unique()]
    if len(kinds) > 1:
        raise InputError(f"curves of {' and '.join(kinds)} do not compare; draw one at a time")
    kind = kinds[0] if kinds else ""
    ax.set_ylabel(prefix + (kind or "confidence"))
    if in_unit_range(table):
        ax.set_ylim(0, 1.02)


def in_unit_range(table: pd.DataFrame) -> bool:
    """Return whether the confidences of a table of curves are shares from 0 to 1.

    All confidences are, except predicted values.

    Examples
    --------
    >>> in_unit_range(pd.DataFrame({"confidence": [0.5], "quantity": ["predicted value"]}))
    False
    """
    if "quantity" in table and "predicted value" in set(table["quantity"]):
        return False
    return bool(table["confidence"].between(0, 1).all())


def name_fractions(ax: Axes, table: pd.DataFrame) -> None:
    """Name the axis of how much of the image is inserted or deleted."""
    unit = "share" if table["fraction"].max() <= 1 else "percent"
    ax.set_xlabel(f"{unit} of the image")


def require_columns(table: pd.DataFrame, columns: Sequence[str]) -> None:
    """Refuse a table that lacks a column, or any row.

    Examples
    --------
    >>> require_columns(pd.DataFrame({"a": [1]}), ["a", "b"])
    Traceback (most recent call last):
    multiplex_vit.errors.InputError: the table has no column b; it needs a, b, one row at least
    """
    problem = "is empty" if table.empty else ""
    for name in reversed(columns):
        if name not in table:
            problem = f"has no column {name}"
    if problem:
        needed = ", ".join(columns)
        raise InputError(f"the table {problem}; it needs {needed}, one row at least")


def require_one_protocol(table: pd.DataFrame) -> None:
    """Refuse a table of curves of several protocols."""
    protocols = []
    if "protocol" in table:
        protocols = [str(protocol) for protocol in table["protocol"].unique()]
    if len(protocols) > 1:
        names = " and ".join(protocols)
        raise InputError(f"curves of {names} do not compare; draw one protocol at a time")


def layer_names(names: Sequence[str], n_layers: int) -> list[str]:
    """Return the names given, or "L00", "L01", ... if there are none.

    Raises
    ------
    InputError
        If there are names, but not one a layer.

    Examples
    --------
    >>> layer_names((), 2)
    ['L00', 'L01']
    """
    if len(names) not in (0, n_layers):
        given = f"{len(names)} names were given for {n_layers} layers"
        raise InputError(f"{given}; give one a layer, or none")
    if not len(names):
        return [f"L{layer:02d}" for layer in range(n_layers)]
    return [str(name) for name in names]


def layer_ticks(
    axis: Axis,
    names: Sequence[str],
    *,
    places: Sequence[float] | np.ndarray | None = None,
    most: int = 12,
) -> None:
    """Name the layers along an axis.

    Every layer is named where `most` is enough, otherwise every second, third, ... one.
    """
    # At least 1, also where there is no name.
    step = math.ceil(len(names) / most) or 1
    if places is None:
        places = range(len(names))
    is_vertical = axis is axis.axes.yaxis
    shown = [shortened(name, 14 if is_vertical else 10) for name in names[::step]]
    longest = max((len(name) for name in shown), default=0)
    # Long names side by side would run into each other.
    turned = not is_vertical and longest > 4
    options: dict[str, Any] = {"rotation": 90} if turned else {}
    ticks = list(places)[::step]
    axis.set_ticks(ticks, shown, parse_math=False, fontsize="small", **options)


def legend(
    ax: Axes,
    handles: Sequence[Any],
    labels: Sequence[str],
    *,
    loc: str,
    anchor: tuple[float, float] | None = None,
) -> Legend:
    """Draw a legend whose labels are taken letter by letter.

    matplotlib leaves out labels that begin with an underscore, so numbers stand in for them first.
    """
    # Any text that matplotlib does not treat in a way of its own.
    numbers = [str(number) for number in range(len(labels))]
    place: dict[str, Any] = {"loc": loc, "bbox_to_anchor": anchor}
    drawn = ax.legend(handles, numbers, frameon=False, fontsize="small", **place)
    for text, label in zip(drawn.get_texts(), labels, strict=True):
        text.set(text=label, parse_math=False)
    return drawn


def spread(heights: np.ndarray, gap: float) -> np.ndarray:
    """Return heights within 0 and 1, moved apart to at least `gap` and in their order.

    They are spread evenly where there is too little room.

    Examples
    --------
    >>> spread(np.array([0.5, 0.5, 0.0]), 0.25).tolist()
    [0.5, 0.75, 0.0]
    >>> spread(np.array([1.0, 1.0, 1.0]), 0.75).tolist()
    [0.0, 0.5, 1.0]
    """
    n_heights = len(heights)
    if not n_heights:
        return np.empty(0)
    order = np.argsort(heights, kind="stable")
    room = 1 / max(1, n_heights - 1)
    steps = np.arange(n_heights) * min(gap, room)
    # Less the steps, heights need only be in order to lie far enough apart.
    ordered = np.asarray(heights, dtype=float)[order]
    up = np.maximum.accumulate(ordered - steps)
    moved = np.empty(n_heights)
    moved[order] = np.clip(up, 0, 1 - steps[-1]) + steps
    return moved


def say(ax: Axes, text: str) -> None:
    """Write in the middle of empty axes why they are empty."""
    ax.text(0.5, 0.5, text, transform=ax.transAxes, ha="center", va="center", color="0.4")
