"""Comparison: many methods on many images, seen at once."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from multiplex_vit.errors import InputError
from multiplex_vit.plot.colour import MARK, distinct
from multiplex_vit.plot.heat import overlay
from multiplex_vit.plot.text import in_unit_range, legend, score_axis, shortened, spread

_GREY, _SECOND = "0.35", "#d55e00"
_APART = 0.65
"""Powers of ten between passes from which on names are written in another column.

A name is about as wide.
"""
_LINE = 10
"""Points from one name to the next."""
_PAIRS = (("insertion", "deletion"), ("negative", "positive"))


def panel(size: tuple[float, float]) -> Axes:
    """Return the axes of a figure of its own, which no global state holds, in inches."""
    return Figure(figsize=size, layout="constrained").add_subplot()


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
    ax = ax or plt.gca()
    total = (table["forward_passes"] + table["backward_passes"]).to_numpy(dtype=float)
    means = table["difference"].to_numpy(dtype=float)
    ends = table[["difference_low", "difference_high"]].to_numpy(dtype=float)
    shades = dict(zip(marked, (_SECOND, MARK), strict=False))
    colours = [shades.get(method, _GREY) for method in table["method"]]
    for x, y, (low, high), colour, hollow in zip(total, means, ends, colours, _told_of_fewer(ax, table), strict=True):
        face = "white" if hollow else colour
        ax.errorbar(
            x,
            y,
            yerr=[[max(0, y - low)], [max(0, high - y)]],
            fmt="o",
            color=colour,
            markerfacecolor=face,
            markersize=4,
            linewidth=1,
        )
    ax.axhline(0, color="0.85", linewidth=0.8, zorder=0)
    margin = 0.06 * (ends.max() - min(0, ends.min()) or 1)
    ax.set(xscale="log", ylim=(min(0, ends.min()) - margin, ends.max() + margin))
    _name_columns(
        ax,
        [shortened(entry) for entry in table["entry"]],
        np.column_stack([total, means]),
        colours,
    )
    ax.set(
        xlabel="passes an image, forward and backward",
        ylabel="insertion AUC - deletion AUC",
    )
    ax.set_title(title, parse_math=False, fontsize="medium")
    sns.despine(ax=ax)
    return ax


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
    protocols = table["protocol"].unique() if "protocol" in table else []
    if len(protocols) > 1:
        raise InputError(f"curves of {' and '.join(protocols)} do not compare; draw one protocol at a time")
    here = list(table["entry"].unique())
    names = [name for name in order if name in here] + [name for name in here if name not in order]
    styles = dict(zip(names, distinct(len(names)), strict=True))
    panels = [name for pair in _PAIRS for name in pair if name in set(table["curve"])]
    figure = Figure(figsize=(4.1 * len(panels) + 1.7, 3.7), layout="constrained")
    axes = figure.subplots(1, len(panels), sharey=True, squeeze=False)[0]
    for ax, name in zip(axes, panels, strict=True):
        lines = [
            _band(
                ax,
                table[(table["curve"] == name) & (table["entry"] == entry)],
                *styles[entry],
            )
            for entry in names
        ]
        ax.set_title(name, fontsize="medium")
        score_axis(ax, table, "mean ")
        ax.set_xlabel("share of the image" if table["fraction"].max() <= 1 else "percent of the image")
        sns.despine(ax=ax)
    for ax in axes[1:]:
        ax.set_ylabel("")
    legend(
        axes[-1],
        lines,
        [shortened(name) for name in names],
        loc="upper left",
        bbox_to_anchor=(1.0, 1.0),
    )
    figure.suptitle(title, parse_math=False, fontsize="medium")
    return figure


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
    counts = {len(row) for row in heatmaps} or {0}
    if len(views) != len(heatmaps) or not len(views) or counts != {len(methods)} or len(images) not in (0, len(views)):
        raise InputError(f"{len(views)} images, {len(methods)} methods and heatmaps for {len(heatmaps)} x {sorted(counts)} came; give one an image and method")
    heights = [view.shape[0] / view.shape[1] for view in views]
    size = (
        1.35 * (1 + len(methods)) + 0.3,
        1.35 * sum(heights) + 0.4 + (0.3 if title else 0),
    )
    figure = Figure(figsize=size, layout="constrained")
    axes = figure.subplots(len(views), 1 + len(methods), squeeze=False, height_ratios=heights)
    for i, (row, view) in enumerate(zip(axes, views, strict=True)):
        row[0].imshow(view)
        row[0].set(xticks=[], yticks=[])
        row[0].set_ylabel(
            shortened(images[i], 18) if len(images) else "",
            parse_math=False,
            fontsize="small",
        )
        for ax, heatmap in zip(row[1:], heatmaps[i], strict=True):
            ax.set_axis_off() if heatmap is None else overlay(view, heatmap - heatmap.min(), alpha=0.75, ax=ax)
    for ax, name in zip(axes[0], ["image", *methods], strict=True):
        ax.set_title(shortened(name, 18), parse_math=False, fontsize="small")
    figure.suptitle(title, parse_math=False, fontsize="medium")
    return figure


def _told_of_fewer(ax: Axes, table: pd.DataFrame) -> np.ndarray:
    """Return which rows are of fewer images than others, and say so in the corner."""
    if "images" not in table or table["images"].nunique() == 1:
        return np.zeros(len(table), dtype=bool)
    fewer = (table["images"] < table["images"].max()).to_numpy()
    counts = " or ".join(map(str, sorted(table.loc[fewer, "images"].unique())))
    ax.text(
        0.99,
        0.01,
        f"hollow: on {counts} of {table['images'].max()} images",
        transform=ax.transAxes,
        ha="right",
        va="bottom",
        fontsize=7,
        color=_GREY,
    )
    return fewer


def _band(ax: Axes, table: pd.DataFrame, colour: tuple[float, ...], dash: object) -> object:
    """Draw one mean curve with its band and return the line."""
    points = table.groupby("fraction")["confidence"].agg(["mean", "sem"]).fillna({"sem": 0})
    (line,) = ax.plot(points.index, points["mean"], color=colour, linestyle=dash, linewidth=1.4)
    low, high = (points["mean"] + side * points["sem"] for side in (-1.96, 1.96))
    if in_unit_range(table):
        low, high = low.clip(0, 1), high.clip(0, 1)
    ax.fill_between(points.index, low, high, color=colour, alpha=0.13, linewidth=0)
    return line


def _name_columns(ax: Axes, names: list[str], points: np.ndarray, colours: list[str]) -> None:
    """Write the name of each point [entry,.

    (passes, mean)] to the right of the points of about as many passes, none over another.
    """
    logs = np.log10(points[:, 0])
    order = np.argsort(logs, kind="stable")
    columns = np.split(order, np.flatnonzero(np.diff(logs[order]) > _APART) + 1)
    width = max(1.0, np.ptp(logs)) + 0.8
    ax.set_xlim(10 ** (logs.min() - 0.15), 10 ** (logs.max() + 0.8))
    low, high = ax.get_ylim()
    gap = _LINE * ax.figure.dpi / 72 / ax.get_window_extent().height
    for column in columns:
        heights = spread((points[column, 1] - low) / (high - low), gap)
        for i, height in zip(column, heights, strict=True):
            place = (
                10 ** (logs[column].max() + 0.03 * width),
                low + height * (high - low),
            )
            line = {
                "arrowstyle": "-",
                "color": "0.75",
                "linewidth": 0.5,
                "shrinkA": 1,
                "shrinkB": 3,
            }
            text = ax.annotate(
                "",
                points[i],
                xytext=place,
                fontsize=7,
                va="center",
                color=colours[i],
                arrowprops=line,
            )
            text.set(text=names[i], parse_math=False)
