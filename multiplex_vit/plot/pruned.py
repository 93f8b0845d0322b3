"""Pruned: what a filter does to a network."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from multiplex_vit.accepts import accepts
from multiplex_vit.plot.colour import MARK, distinct
from multiplex_vit.plot.text import legend, require_columns, say, shortened

_RANK = "tau_"

_PRUNED = ["value", "density", "isolates", "giant_component"]


@accepts()
def pruning(table: pd.DataFrame, *, title: str = "") -> Figure:
    """Draw what a filter does to a network.

    Four panels show density, isolates, the giant component and the ranks of nodes against the
    filter's number.

    The first three show the mean over layers and the range from the least to the greatest layer;
    the last shows for each measure the mean over layers of Kendall's tau between its values
    before and after. 0 has no place on a logarithmic axis: it stands at the left end, where the
    axis is linear.

    Parameters
    ----------
    table : DataFrame
        One row a layer and number (`value`) of a filter, with density, isolates, giant_component and a column
        tau_<measure> for each measure.
    title : str

    Returns
    -------
    Figure

    Raises
    ------
    InputError
        If a column is missing or there is no row.
    """
    require_columns(table, _PRUNED)
    taus = [name for name in table if str(name).startswith(_RANK)]
    figure, axes = plt.subplots(
        2,
        2,
        figsize=(9.5, 6),
        layout="constrained",
        sharex=True,
    )
    for ax, name in zip(axes.flat, _PRUNED[1:], strict=False):
        sns.lineplot(
            table,
            x="value",
            y=name,
            # The band goes from the least layer to the greatest.
            errorbar=("pi", 100),
            color=MARK,
            marker="o",
            ms=4,
            mec="none",
            ax=ax,
        )
        ax.set(ylabel=name.replace("_", " "), ylim=(0, None))
    _draw_taus(axes[1, 1], table.groupby("value")[taus].mean())
    label = "value"
    if "filter" in table:
        label = ", ".join(map(str, pd.unique(table["filter"])))
    cuts = np.unique(table["value"])
    for ax in axes.flat:
        _cut_axis(ax, cuts)
        ax.set_xlabel(label if ax in axes[1] else "")
        sns.despine(ax=ax)
    figure.suptitle(title, parse_math=False)
    return figure


def _draw_taus(ax: Axes, means: pd.DataFrame) -> None:
    shown = means.dropna(axis=1, how="all")
    ax.set(ylabel="Kendall's tau to unpruned")
    if shown.shape[1] == 0:
        say(ax, "no measure")
        return
    lines, labels = [], []
    for name, (colour, dash) in zip(shown, distinct(shown.shape[1]), strict=True):
        style = {"color": colour, "ls": dash, "marker": "o", "ms": 3.5, "lw": 1.5}
        lines += ax.plot(shown.index, shown[name], **style)
        labels.append(shortened(str(name).removeprefix(_RANK), 24))
    legend(ax, lines, labels, loc="center left", anchor=(1, 0.5))


def _cut_axis(ax: Axes, cuts: np.ndarray) -> None:
    above = cuts[cuts > 0]
    if not above.size:
        return
    if cuts.min() > 0:
        ax.set_xscale("log")
    else:
        # 0 has no place on a logarithmic axis, so that the axis is linear near it.
        ax.set_xscale("symlog", linthresh=above.min(), linscale=0.4)
