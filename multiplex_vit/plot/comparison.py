"""Comparison: many methods on many images, seen at once."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from multiplex_vit.accepts import accepts, picture, plane
from multiplex_vit.checks import positive
from multiplex_vit.errors import InputError
from multiplex_vit.plot.colour import MARK, distinct
from multiplex_vit.plot.heat import overlay
from multiplex_vit.plot.text import (
    in_unit_range,
    legend,
    name_fractions,
    require_columns,
    require_one_protocol,
    score_axis,
    shortened,
    spread,
)

_GREY, _SECOND = "0.35", "#d55e00"
_APART = 0.65
"""Powers of ten between passes from which on names are written in another column.

A name is about as wide.
"""
_LINE = 10
"""Points from one name to the next."""
_PANELS = ("insertion", "deletion", "negative", "positive")
_PASSES = [
    "entry",
    "method",
    "forward_passes",
    "backward_passes",
    "difference",
    "difference_low",
    "difference_high",
]
_CURVES = ["entry", "curve", "fraction", "confidence"]
_THIN_LINE = {
    "arrowstyle": "-",
    "color": "0.75",
    "linewidth": 0.5,
    "shrinkA": 1,
    "shrinkB": 3,
}


@accepts()
def panel(size: tuple[float, float]) -> Axes:
    """Return the axes of a figure of its own, which no global state holds.

    Parameters
    ----------
    size : tuple of float
        Width and height in inches, above 0.
    """
    width, height = size
    size = (positive("size", width), positive("size", height))
    return Figure(figsize=size, layout="constrained").add_subplot()


@accepts()
def passes(
    table: pd.DataFrame,
    *,
    marked: Sequence[str] = ("communities", "mutex"),
    title: str = "",
    ax: Axes | None = None,
) -> Axes:
    """Draw the difference of AUC of methods against the passes they take.

    Passes are both forward and backward ones. Differences have their intervals.

    Parameters
    ----------
    table : DataFrame
        A row a method: entry (its name), method, forward_passes, backward_passes, difference,
        difference_low, difference_high; and images: methods that were measured on fewer than
        others are hollow.
    marked : sequence of str
        Methods in colour.
    title : str
    ax : Axes, optional

    Returns
    -------
    Axes
    """
    require_columns(table, _PASSES)
    ax = ax or plt.gca()
    total = (table["forward_passes"] + table["backward_passes"]).to_numpy(dtype=float)
    means = table["difference"].to_numpy(dtype=float)
    ends = table[["difference_low", "difference_high"]].to_numpy(dtype=float)
    # Two methods stand out at most; all others are grey.
    shades = dict(zip(marked, (_SECOND, MARK), strict=False))
    colours = [shades.get(method, _GREY) for method in table["method"]]
    hollow = _fewer_images(ax, table)
    for row, colour in enumerate(colours):
        below = max(0, means[row] - ends[row, 0])
        above = max(0, ends[row, 1] - means[row])
        ax.errorbar(
            total[row],
            means[row],
            yerr=[[below], [above]],
            fmt="o",
            color=colour,
            markerfacecolor="white" if hollow[row] else colour,
            markersize=4,
            linewidth=1,
        )
    ax.axhline(0, color="0.85", linewidth=0.8, zorder=0)
    low, high = min(0, ends.min()), ends.max()
    margin = 0.06 * (high - low or 1)
    ax.set(xscale="log", ylim=(low - margin, high + margin))
    names = [shortened(entry) for entry in table["entry"]]
    _name_columns(ax, names, np.column_stack([total, means]), colours)
    ax.set_xlabel("passes an image, forward and backward")
    ax.set_ylabel("insertion AUC - deletion AUC")
    ax.set_title(title, parse_math=False, fontsize="medium")
    sns.despine(ax=ax)
    return ax


@accepts()
def curve_bands(table: pd.DataFrame, *, order: Sequence[str] = (), title: str = "") -> Figure:
    """Draw the mean curves of methods over images with 95 % bands, one panel a curve.

    Bands are normal: 1.96 standard errors.

    Parameters
    ----------
    table : DataFrame
        image, entry (the method's name), curve ("insertion", "deletion"), fraction, confidence,
        quantity (what the confidence is); of one protocol.
    order : sequence of str
        Of the legend.
    title : str

    Returns
    -------
    Figure

    Raises
    ------
    InputError
        If the rows are of several protocols.
    """
    require_columns(table, _CURVES)
    require_one_protocol(table)
    entries = list(table["entry"].unique())
    names = [name for name in order if name in entries]
    names += [name for name in entries if name not in order]
    # The same method looks the same in every panel.
    styles = dict(zip(names, distinct(len(names)), strict=True))
    drawn = [name for name in _PANELS if name in set(table["curve"])]
    if not drawn:
        raise InputError(f"the table has no curve of {', '.join(_PANELS)}; give at least one")
    figure = Figure(figsize=(4.1 * len(drawn) + 1.7, 3.7), layout="constrained")
    axes = figure.subplots(1, len(drawn), sharey=True, squeeze=False)[0]
    for ax, curve in zip(axes, drawn, strict=True):
        of_curve = table[table["curve"] == curve]
        lines = []
        for entry in names:
            colour, dash = styles[entry]
            lines.append(_band(ax, of_curve[of_curve["entry"] == entry], colour, dash))
        ax.set_title(curve, fontsize="medium")
        score_axis(ax, table, "mean ")
        name_fractions(ax, table)
        sns.despine(ax=ax)
    # The panels share the axis of the first.
    for ax in axes[1:]:
        ax.set_ylabel("")
    labels = [shortened(name) for name in names]
    legend(axes[-1], lines, labels, loc="upper left", anchor=(1.0, 1.0))
    figure.suptitle(title, parse_math=False, fontsize="medium")
    return figure


@accepts()
def gallery(
    views: Sequence[np.ndarray],
    heatmaps: Sequence[Sequence[np.ndarray | None]],
    *,
    methods: Sequence[str],
    images: Sequence[str] = (),
    title: str = "",
) -> Figure:
    """Draw heatmaps side by side: a row an image, the image first, then a column a method.

    Parameters
    ----------
    views : sequence of ndarray uint8 [row, col, channel]
        What the model saw.
    heatmaps : sequence [image][method] of ndarray [row, col]
        None leaves a place empty. Each goes from its least, dark, to its greatest value, also
        where some are negative, so that one map serves all.
    methods, images : sequence of str
        Names; images may have none.
    title : str

    Returns
    -------
    Figure

    Raises
    ------
    InputError
        If the numbers of images, methods and heatmaps do not fit.
    """
    _check_counts(views, heatmaps, methods, images)
    views = [picture("a view", view) for view in views]
    # Rows are as high as their images are wide, in proportion.
    heights = [view.shape[0] / view.shape[1] for view in views]
    room = 0.4 + (0.3 if title else 0)
    size = (1.35 * (1 + len(methods)) + 0.3, 1.35 * sum(heights) + room)
    figure = Figure(figsize=size, layout="constrained")
    axes = figure.subplots(
        len(views),
        1 + len(methods),
        squeeze=False,
        height_ratios=heights,
    )
    for number, (row, view) in enumerate(zip(axes, views, strict=True)):
        name = shortened(images[number], 18) if len(images) else ""
        row[0].imshow(view, cmap="gray")
        row[0].set(xticks=[], yticks=[])
        row[0].set_ylabel(name, parse_math=False, fontsize="small")
        for ax, heatmap in zip(row[1:], heatmaps[number], strict=True):
            if heatmap is None:
                ax.set_axis_off()
            else:
                # From its least value, so that one colour map serves all, signed ones too.
                heat = plane("a heatmap", heatmap)
                overlay(view, heat - heat.min(), colourbar=False, ax=ax)
    for ax, name in zip(axes[0], ["image", *methods], strict=True):
        ax.set_title(shortened(name, 18), parse_math=False, fontsize="small")
    figure.suptitle(title, parse_math=False, fontsize="medium")
    return figure


def _check_counts(
    views: Sequence[np.ndarray],
    heatmaps: Sequence[Sequence[np.ndarray | None]],
    methods: Sequence[str],
    images: Sequence[str],
) -> None:
    """Refuse images, methods and heatmaps whose numbers do not fit."""
    counts = {len(row) for row in heatmaps} or {0}
    fits = len(views) == len(heatmaps) and counts == {len(methods)}
    if not fits or not len(views) or len(images) not in (0, len(views)):
        given = f"{len(views)} images, {len(methods)} methods"
        given += f" and heatmaps for {len(heatmaps)} x {sorted(counts)}"
        raise InputError(f"{given} were given; give one an image and method")


def _fewer_images(ax: Axes, table: pd.DataFrame) -> np.ndarray:
    """Return which rows are of fewer images than others, and say so in the corner."""
    if "images" not in table or table["images"].nunique() == 1:
        return np.zeros(len(table), dtype=bool)
    most = table["images"].max()
    fewer = (table["images"] < most).to_numpy()
    numbers = sorted(table.loc[fewer, "images"].unique())
    counts = " or ".join(str(number) for number in numbers)
    ax.text(
        0.99,
        0.01,
        f"hollow: on {counts} of {most} images",
        transform=ax.transAxes,
        ha="right",
        va="bottom",
        fontsize=7,
        color=_GREY,
    )
    return fewer


def _band(ax: Axes, table: pd.DataFrame, colour: tuple[float, ...], dash: object) -> object:
    """Draw one mean curve with its band and return the line."""
    points = table.groupby("fraction")["confidence"].agg(["mean", "sem"])
    # One image has no standard error.
    points = points.fillna({"sem": 0})
    mean, error = points["mean"], 1.96 * points["sem"]
    (line,) = ax.plot(points.index, mean, color=colour, linestyle=dash, linewidth=1.4)
    low, high = mean + -1.96 * points["sem"], mean + error
    if in_unit_range(table):
        low, high = low.clip(0, 1), high.clip(0, 1)
    ax.fill_between(points.index, low, high, color=colour, alpha=0.13, linewidth=0)
    return line


def _name_columns(ax: Axes, names: list[str], points: np.ndarray, colours: list[str]) -> None:
    """Write the name of each point [entry, (passes, mean)] to its right, none over another.

    Points of about as many passes have their names in one column.
    """
    logs = np.log10(points[:, 0])
    order = np.argsort(logs, kind="stable")
    starts = np.flatnonzero(np.diff(logs[order]) > _APART) + 1
    width = max(1.0, np.ptp(logs)) + 0.8
    ax.set_xlim(10 ** (logs.min() - 0.15), 10 ** (logs.max() + 0.8))
    low, high = ax.get_ylim()
    # In shares of the axis, whatever its size and resolution.
    gap = _LINE * ax.figure.dpi / 72 / ax.get_window_extent().height
    for column in np.split(order, starts):
        heights = spread((points[column, 1] - low) / (high - low), gap)
        x = 10 ** (logs[column].max() + 0.03 * width)
        for entry, height in zip(column, heights, strict=True):
            text = ax.annotate(
                "",
                points[entry],
                xytext=(x, low + height * (high - low)),
                fontsize=7,
                va="center",
                color=colours[entry],
                arrowprops=_THIN_LINE,
            )
            text.set(text=names[entry], parse_math=False)
