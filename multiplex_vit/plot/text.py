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

from multiplex_vit.errors import InputError


def shortened(text: str, length: int = 28) -> str:
    """Return a text for a title, cut where it is too long.

    Examples
    --------
    >>> shortened("vit-base-patch16-224", 10)
    'vit-base-…'
    """
    return text if len(text) <= length else text[: length - 1] + "…"


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
    kinds = [str(kind) for kind in table["quantity"].unique()] if "quantity" in table else []
    if len(kinds) > 1:
        raise InputError(f"curves of {' and '.join(kinds)} do not compare; draw one at a time")
    ax.set_ylabel(prefix + (kinds[0] if kinds and kinds[0] else "confidence"))
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
    kinds = set(table["quantity"]) if "quantity" in table else set()
    return "predicted value" not in kinds and bool(table["confidence"].between(0, 1).all())


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
        raise InputError(f"{len(names)} names came for {n_layers} layers; give one a layer, or none")
    return [str(name) for name in names] if len(names) else [f"L{i:02d}" for i in range(n_layers)]


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
    step = math.ceil(len(names) / most) or 1
    beside = axis is axis.axes.yaxis
    shown = [shortened(name, 14 if beside else 10) for name in names[::step]]
    options: dict[str, Any] = {} if beside or max(map(len, shown), default=0) <= 4 else {"rotation": 90}
    axis.set_ticks(
        list(range(len(names)) if places is None else places)[::step],
        shown,
        parse_math=False,
        fontsize="small",
        **options,
    )


def legend(ax: Axes, handles: Sequence[Any], labels: Sequence[str], **options: Any) -> Legend:
    """Draw a legend whose labels are taken letter by letter.

    Also those that begin with an underscore.
    """
    found = ax.legend(
        handles,
        [str(i) for i in range(len(labels))],
        frameon=False,
        fontsize="small",
        **options,
    )
    for text, label in zip(found.get_texts(), labels, strict=True):
        text.set(text=label, parse_math=False)
    return found


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
    order = np.argsort(heights, kind="stable")
    steps = np.arange(len(heights)) * min(gap, 1 / max(1, len(heights) - 1))
    up = np.maximum.accumulate(np.asarray(heights, dtype=float)[order] - steps)
    moved = np.empty(len(heights))
    moved[order] = np.clip(up, 0, 1 - steps[-1] if len(steps) else 1) + steps
    return moved
