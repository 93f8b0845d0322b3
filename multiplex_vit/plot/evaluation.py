"""Evaluation: curves of explanations, and explanations beside them."""

from collections.abc import Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from multiplex_vit.accepts import accepts, not_empty
from multiplex_vit.errors import InputError
from multiplex_vit.plot.heat import overlay
from multiplex_vit.plot.text import (
    name_fractions,
    require_columns,
    require_one_protocol,
    score_axis,
    shortened,
)

_CURVES = ["curve", "fraction", "confidence"]


@accepts()
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
    require_columns(table, _CURVES)
    require_one_protocol(table)
    ax = ax or plt.gca()
    several = table.duplicated(["curve", "fraction"]).any()
    # Curves that mean the same have the same colour in both pairs.
    first, second = sns.color_palette("colorblind")[:2]
    colours = {
        "insertion": first,
        "deletion": second,
        "negative": first,
        "positive": second,
    }
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
    labels = []
    for name in names:
        if name not in means:
            # Curves that were on these axes before keep their names.
            labels.append(name)
            continue
        mean = means[name]
        area = np.trapezoid(mean.to_numpy(), mean.index.to_numpy())
        labels.append(f"{name}, AUC {area:.3f}")
    ax.legend(handles, labels, frameon=False, fontsize="small")
    score_axis(ax, table)
    name_fractions(ax, table)
    sns.despine(ax=ax)
    return ax


@accepts(explanations=not_empty, evaluations=not_empty)
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
    n_rows = len(explanations)
    if len(evaluations) != n_rows:
        given = f"{n_rows} explanations and {len(evaluations)} evaluations were given"
        raise InputError(f"{given}; give as many of both")
    for explanation, evaluation in zip(explanations, evaluations, strict=True):
        if not hasattr(explanation, "heatmap") or not hasattr(evaluation, "table"):
            raise InputError("give explanations and their evaluations (faithfulness)")
    figure, axes = plt.subplots(
        n_rows,
        4,
        figsize=(11.5, 2.9 * n_rows),
        squeeze=False,
        layout="constrained",
        width_ratios=(1, 1, 1.15, 1.15),
    )
    for row, explanation, evaluation in zip(axes, explanations, evaluations, strict=True):
        row[0].imshow(explanation.view)
        row[0].set(xticks=[], yticks=[])
        row[0].set_title(shortened(explanation.title, 40), parse_math=False)
        # The last part of a path or a name on the hub.
        model = explanation.model.rstrip("/").split("/")[-1]
        title = f"heatmap, {shortened(model)}"
        overlay(explanation.view, explanation.heatmap, title=title, ax=row[1])
        table = evaluation.table()
        for ax, name in zip(row[2:], table["curve"].unique(), strict=True):
            curves(table[table["curve"] == name], ax=ax)
            ax.set_title(f"{name}, {evaluation.protocol}", parse_math=False)
    return figure
