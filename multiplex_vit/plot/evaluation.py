"""Evaluation: curves of explanations, and explanations beside them."""

from collections.abc import Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from multiplex_vit.errors import InputError
from multiplex_vit.plot.heat import overlay
from multiplex_vit.plot.text import score_axis, shortened


def curves(table: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw insertion and deletion curves (or negative and positive ones) with their AUC.

    Of several images the mean is drawn with its 95 % interval.

    Parameters
    ----------
    table : DataFrame
        curve, fraction, confidence, quantity (what the confidence is), as `Faithfulness.table`
        gives it; rows of several images may be concatenated.
    ax : Axes, optional

    Returns
    -------
    Axes
    """
    protocols = table["protocol"].unique() if "protocol" in table else []
    if len(protocols) > 1:
        raise InputError(f"curves of {' and '.join(protocols)} do not compare; draw one protocol at a time")
    ax = ax or plt.gca()
    several = table.duplicated(["curve", "fraction"]).any()
    pairs = (("insertion", "deletion"), ("negative", "positive"))
    colours = {name: colour for pair in pairs for name, colour in zip(pair, sns.color_palette("colorblind")[:2], strict=True)}
    sns.lineplot(
        table,
        x="fraction",
        y="confidence",
        hue="curve",
        palette=colours,
        errorbar=("ci", 95) if several else None,
        ax=ax,
    )
    means = table.groupby(["curve", "fraction"])["confidence"].mean()
    handles, names = ax.get_legend_handles_labels()
    areas = [np.trapezoid(means[name].to_numpy(), means[name].index.to_numpy()) for name in names]
    labels = [f"{name}, AUC {area:.3f}" for name, area in zip(names, areas, strict=True)]
    ax.legend(handles, labels, frameon=False, fontsize="small")
    score_axis(ax, table)
    ax.set_xlabel("share of the image" if table["fraction"].max() <= 1 else "percent of the image")
    sns.despine(ax=ax)
    return ax


def summary(explanations: Sequence[Any], evaluations: Sequence[Any]) -> Figure:
    """Draw one row an image: the image, its heatmap, its insertion and deletion curves.

    Parameters
    ----------
    explanations : sequence of Explanation
        Anything with view, heatmap, title and model.
    evaluations : sequence of Faithfulness
        Anything with table() and protocol, in the same order.

    Returns
    -------
    Figure
    """
    n = len(explanations)
    figure, axes = plt.subplots(
        n,
        4,
        figsize=(11.5, 2.9 * n),
        squeeze=False,
        layout="constrained",
        width_ratios=(1, 1, 1.15, 1.15),
    )
    for row, explanation, evaluation in zip(axes, explanations, evaluations, strict=True):
        row[0].imshow(explanation.view)
        row[0].set(xticks=[], yticks=[])
        row[0].set_title(shortened(explanation.title, 40), parse_math=False)
        overlay(
            explanation.view,
            explanation.heatmap,
            title=f"heatmap, {shortened(explanation.model.rstrip('/').split('/')[-1])}",
            ax=row[1],
        )
        table = evaluation.table()
        for ax, name in zip(row[2:], table["curve"].unique(), strict=True):
            curves(table[table["curve"] == name], ax=ax)
            ax.set_title(f"{name}, {evaluation.protocol}", parse_math=False)
    return figure
