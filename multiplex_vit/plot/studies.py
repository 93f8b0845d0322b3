"""Studies: what changes against a reference, and how alike heatmaps are."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from multiplex_vit.accepts import accepts
from multiplex_vit.errors import InputError
from multiplex_vit.plot.colour import MARK
from multiplex_vit.plot.text import require_columns, shortened

_CHANGES = ["variant", "change", "change_low", "change_high", "p_holm"]


@accepts()
def changes(
    table: pd.DataFrame,
    *,
    label: str = "change of insertion - deletion",
    ax: Axes | None = None,
) -> Axes:
    """Draw paired differences with their 95 % intervals, one line a variant.

    A filled dot is one whose corrected p lies below 0.05.

    Parameters
    ----------
    table : DataFrame
        One row a variant: variant, change, change_low, change_high, p_holm, as `Ablation.summary`
        gives them.
    label : str
        What changes.
    ax : Axes, optional

    Returns
    -------
    Axes

    Raises
    ------
    InputError
        If a column is missing or there is no row.
    """
    require_columns(table, _CHANGES)
    ax = ax or plt.gca()
    # The first variant is at the top.
    place = np.arange(len(table))[::-1]
    ax.axvline(0, color="0.6", lw=0.8, zorder=0)
    ax.hlines(place, table["change_low"], table["change_high"], color=MARK, lw=1.8)
    change = table["change"].to_numpy()
    significant = (table["p_holm"] < 0.05).to_numpy()
    for rows, fill in ((significant, MARK), (~significant, "white")):
        ax.scatter(change[rows], place[rows], s=34, facecolor=fill, edgecolor=MARK, zorder=3)
    names = [shortened(str(name), 40) for name in table["variant"]]
    ax.set_yticks(place, names, parse_math=False)
    ax.set_ylim(-0.7, len(table) - 0.3)
    ax.set_xlabel(label, parse_math=False)
    sns.despine(ax=ax, left=True)
    ax.tick_params(axis="y", length=0)
    return ax


@accepts()
def correlation(
    matrix: pd.DataFrame,
    *,
    label: str = "Spearman's rank correlation",
    ax: Axes | None = None,
) -> Axes:
    """Draw how alike heatmaps are, as a matrix of correlations from -1 to 1.

    Parameters
    ----------
    matrix : DataFrame [variant, variant]
    label : str
        What the colour means.
    ax : Axes, optional

    Returns
    -------
    Axes
    """
    if matrix.empty:
        raise InputError("the matrix of correlations is empty; give at least one row")
    ax = ax or plt.gca()
    names = [shortened(str(name), 32) for name in matrix.index]
    sns.heatmap(
        matrix.to_numpy(),
        ax=ax,
        xticklabels=names,
        yticklabels=names,
        cbar_kws={"label": label, "shrink": 0.8},
        vmin=-1,
        vmax=1,
        cmap="RdBu_r",
        square=True,
        # Numbers of more rows would not be legible.
        annot=len(names) <= 16,
        fmt=".2f",
        annot_kws={"fontsize": 7},
    )
    ax.tick_params(axis="x", rotation=90)
    ax.tick_params(axis="y", rotation=0)
    return ax


@accepts()
def settings(
    table: pd.DataFrame,
    *,
    x: str,
    hue: str | None = None,
    y: str = "value",
    ax: Axes | None = None,
) -> Axes:
    """Draw a measure over a setting's values, one line for each value of another setting.

    Bands are 95 % intervals over images.

    Parameters
    ----------
    table : DataFrame
        One row an image and setting; where it has a column `number`, rows of one image are
        averaged first.
    x, hue, y : str
        Its columns.
    ax : Axes, optional

    Returns
    -------
    Axes
    """
    varied = [name for name in (x, hue) if name]
    require_columns(table, [*varied, y])
    ax = ax or plt.gca()
    # Intervals are over images, so that rows of one image count once.
    if "number" in table:
        by_image = table.groupby([*varied, "number"], as_index=False, sort=False)
        table = by_image[y].mean()
    # seaborn cannot draw nullable whole numbers.
    for name in varied:
        table = _plain_integers(table, name)
    palette = None
    if hue is not None:
        # Numbers have an order, which the colours show.
        ordered = pd.api.types.is_numeric_dtype(table[hue])
        colours = "viridis" if ordered else "colorblind"
        palette = sns.color_palette(colours, table[hue].nunique())
    sns.lineplot(
        table,
        x=x,
        y=y,
        hue=hue,
        palette=palette,
        errorbar=("ci", 95),
        n_boot=500,
        seed=0,
        marker="o",
        ms=4,
        ax=ax,
    )
    ax.set_xlabel(x, parse_math=False)
    if pd.api.types.is_integer_dtype(table[x]):
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    if hue is not None:
        ax.legend(title=hue, frameon=False, fontsize="small", title_fontsize="small")
    sns.despine(ax=ax)
    return ax


def _plain_integers(table: pd.DataFrame, name: str) -> pd.DataFrame:
    """Return a table in which whole numbers of pandas are those of NumPy, which seaborn draws."""
    if not pd.api.types.is_integer_dtype(table[name]):
        return table
    missing = table[name].isna().any()
    return table.astype({name: float if missing else int})
