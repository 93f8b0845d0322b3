"""Studies: what changes against a reference, and how alike heatmaps are."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from multiplex_vit.errors import InputError
from multiplex_vit.plot.colour import MARK
from multiplex_vit.plot.text import shortened


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
    _wanted(table, ["variant", "change", "change_low", "change_high", "p_holm"])
    ax = ax or plt.gca()
    place = np.arange(len(table))[::-1]
    ax.axvline(0, color="0.6", lw=0.8, zorder=0)
    ax.hlines(place, table["change_low"], table["change_high"], color=MARK, lw=1.8)
    sure = (table["p_holm"] < 0.05).to_numpy()
    for chosen, fill in ((sure, MARK), (~sure, "white")):
        ax.scatter(
            table["change"].to_numpy()[chosen],
            place[chosen],
            s=34,
            facecolor=fill,
            edgecolor=MARK,
            zorder=3,
        )
    ax.set_yticks(place, [shortened(str(name), 40) for name in table["variant"]], parse_math=False)
    ax.set_ylim(-0.7, len(table) - 0.3)
    ax.set_xlabel(label, parse_math=False)
    sns.despine(ax=ax, left=True)
    ax.tick_params(axis="y", length=0)
    return ax


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
    written = len(names) <= 16
    style = {
        "vmin": -1,
        "vmax": 1,
        "cmap": "RdBu_r",
        "square": True,
        "annot": written,
        "fmt": ".2f",
        "annot_kws": {"fontsize": 7},
    }
    sns.heatmap(
        matrix.to_numpy(),
        ax=ax,
        xticklabels=names,
        yticklabels=names,
        cbar_kws={"label": label, "shrink": 0.8},
        **style,
    )
    ax.tick_params(axis="x", rotation=90)
    ax.tick_params(axis="y", rotation=0)
    return ax


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
    _wanted(table, [name for name in (x, hue, y) if name])
    ax = ax or plt.gca()
    axes = [name for name in (x, hue) if name]
    if "number" in table:
        table = table.groupby([*axes, "number"], as_index=False, sort=False)[y].mean()
    table = table.astype({name: float if table[name].isna().any() else int for name in axes if pd.api.types.is_integer_dtype(table[name])})
    ordered = hue is not None and pd.api.types.is_numeric_dtype(table[hue])
    palette = None if hue is None else sns.color_palette("viridis" if ordered else "colorblind", table[hue].nunique())
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


def _wanted(table: pd.DataFrame, columns: list[str]) -> None:
    missing = [name for name in columns if name not in table]
    if missing or table.empty:
        raise InputError(f"the table {f'has no column {missing[0]}' if missing else 'is empty'}; it needs {', '.join(columns)}, one row at least")
