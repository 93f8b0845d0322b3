"""Layers: how alike they are, and how far they can be merged."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import MaxNLocator
from scipy.cluster import hierarchy

from multiplex_vit.errors import InputError
from multiplex_vit.plot.colour import HEAT, MARK, beyond_marked, scale
from multiplex_vit.plot.text import layer_names, layer_ticks

_ANNOTATED = 12
"""Up to so many layers have numbers in the cells."""


def similarity(
    matrix: np.ndarray,
    *,
    names: Sequence[str] = (),
    linkage: np.ndarray | None = None,
    cmap: str = HEAT,
    title: str = "",
) -> Figure:
    """Draw how alike the layers are, pair by pair.

    The colour scale runs over the pairs of different layers: a layer's likeness to itself would
    use it up, and where it lies beyond it has a colour of its own, green, which ends the colour
    bar.

    Parameters
    ----------
    matrix : ndarray [layer, layer]
        NaN, where a pair has no value, is left grey.
    names : sequence of str
        Names of the layers.
    linkage : ndarray [merge, 4], optional
        Of `scipy.cluster.hierarchy.linkage`; its dendrogram is drawn beside and orders the rows.
    cmap : str
        SIGNED takes its place if a value is negative.
    title : str

    Returns
    -------
    Figure

    Raises
    ------
    InputError
        If the matrix is not square, or names or linkage are not of its layers.
    """
    matrix = np.asarray(matrix, dtype=float)
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or not matrix.size:
        raise InputError(f"the matrix has shape {list(matrix.shape)}; give [layer, layer] with at least one layer")
    n = len(matrix)
    names = layer_names(names, n)
    tree = _checked(linkage, n) if linkage is not None and n > 1 else None
    side = min(8.0, max(3.0, 0.45 * n + 1))
    figure = plt.figure(figsize=(side + 1.2 + (0 if tree is None else 1.3), side), layout="constrained")
    axes = figure.subplots(
        1,
        1 if tree is None else 2,
        squeeze=False,
        width_ratios=None if tree is None else (1, 0.22 * side + 2),
    )[0]
    order = np.arange(n)
    if tree is not None:
        order = _dendrogram(axes[0], tree)
        axes[0].set_axis_off()
    _cells(
        axes[-1],
        matrix[np.ix_(order, order)],
        [names[i] for i in order],
        cmap,
        square=tree is None,
    )
    figure.suptitle(title, parse_math=False)
    return figure


def reducibility(
    linkage: np.ndarray,
    quality: np.ndarray,
    *,
    names: Sequence[str] = (),
    best: int | None = None,
    by_chance: np.ndarray | None = None,
    title: str = "",
) -> Figure:
    """Draw the merging of layers.

    The left panel is its dendrogram, the right one the quality of what is left after every merge.

    Parameters
    ----------
    linkage : ndarray [merge, 4]
        Of `scipy.cluster.hierarchy.linkage`.
    quality : ndarray [layer]
        quality[k] is the quality after k merges, with n_layers - k layers left.
    names : sequence of str
        Names of the layers.
    best : int, optional
        The number of merges to mark. Default: the one of greatest quality; of equal ones, the one
        with most merges.
    by_chance : ndarray [sample, layer], optional
        `quality` of samples of a null model: a line shows their mean, a band their range.
    title : str

    Returns
    -------
    Figure

    Raises
    ------
    InputError
        If linkage, quality, names, best and by_chance do not fit each other.
    """
    quality = np.asarray(quality, dtype=float)
    n = len(quality)
    tree = _checked(linkage, n)
    names = layer_names(names, n)
    if best is None:
        best = n - 1 - int(np.argmax(np.where(np.isfinite(quality), quality, -np.inf)[::-1]))
    if not 0 <= best < n:
        raise InputError(f"best is {best}; give a number of merges of 0 to {n - 1}")
    chance = None if by_chance is None else np.asarray(by_chance, dtype=float)
    if chance is not None and (chance.ndim != 2 or chance.shape[1] != n or not len(chance)):
        raise InputError(f"by_chance has shape {list(chance.shape)}; give [sample, {n}] with at least one sample")
    figure, (left, right) = plt.subplots(
        1,
        2,
        figsize=(9.5, min(9.0, max(3.4, 0.28 * n + 1))),
        layout=ConstrainedLayoutEngine(wspace=0.06),
    )
    _merges(left, tree, names, best)
    if chance is not None:
        _chance(right, chance)
    _quality(right, quality, best)
    figure.suptitle(title, parse_math=False)
    return figure


def _checked(linkage: np.ndarray, n: int) -> np.ndarray:
    tree = np.asarray(linkage, dtype=float)
    if (n > 1 or tree.size) and tree.shape != (n - 1, 4):
        raise InputError(f"the linkage has shape {list(tree.shape)}; {n} layers want {[n - 1, 4]}, as scipy.cluster.hierarchy.linkage gives it")
    return tree


def _dendrogram(ax: Axes, tree: np.ndarray, merged: int = 0) -> np.ndarray:
    """Draw a dendrogram whose leaves lie beside the rows of a heatmap.

    The layers are returned in that order. The first merges are coloured.
    """
    n = len(tree) + 1
    found = hierarchy.dendrogram(
        tree,
        ax=ax,
        orientation="left",
        no_labels=True,
        link_color_func=lambda k: MARK if k < n + merged else "0.35",
    )
    ax.set_ylim(10 * n, 0)
    return np.array(found["leaves"])


def _cells(ax: Axes, matrix: np.ndarray, names: Sequence[str], cmap: str, *, square: bool) -> None:
    """Draw the matrix; beside a dendrogram it must fill its panel.

    Or rows and leaves would not meet.
    """
    n = len(matrix)
    pairs = matrix[~np.eye(n, dtype=bool)] if n > 1 else matrix.ravel()
    chosen, norm = scale(pairs, cmap)
    own = matrix.diagonal()
    over, under = (own > norm.vmax).any(), (own < norm.vmin).any()
    extend = {
        (False, False): "neither",
        (True, False): "max",
        (False, True): "min",
        (True, True): "both",
    }[bool(over), bool(under)]
    options = {
        "cmap": beyond_marked(chosen),
        "vmin": norm.vmin,
        "vmax": norm.vmax,
        "square": square,
        "cbar_kws": {"shrink": 0.8, "extend": extend},
    }
    sns.heatmap(
        matrix,
        ax=ax,
        annot=n <= _ANNOTATED,
        fmt=_digits(pairs),
        annot_kws={"fontsize": 7},
        xticklabels=False,
        yticklabels=False,
        **options,
    )
    ax.set_facecolor("0.7")
    layer_ticks(ax.xaxis, names, places=np.arange(n) + 0.5, most=24)
    layer_ticks(ax.yaxis, names, places=np.arange(n) + 0.5, most=24)
    ax.tick_params(length=0)


def _digits(values: np.ndarray) -> str:
    """Return the number format that shows two digits of the greatest value.

    Values below 10 have at least two decimals.
    """
    known = np.abs(values[np.isfinite(values)])
    greatest = known.max() if known.any() else 1.0
    return f".{int(np.clip(1 - np.floor(np.log10(greatest)), 2 if greatest < 10 else 0, 4))}f"


def _merges(ax: Axes, tree: np.ndarray, names: Sequence[str], best: int) -> None:
    """Draw the dendrogram, and a line where merging is best stopped."""
    n = len(names)
    order = np.arange(n)
    if n > 1:
        order = _dendrogram(ax, tree, best)
        heights = np.concatenate([[0], tree[:, 2], [1.06 * tree[-1, 2]]])
        ax.set_xlim(1.08 * tree[-1, 2] or 1, 0)
        ax.axvline((heights[best] + heights[best + 1]) / 2, color="0.2", lw=1, ls=(0, (4, 2)))
    else:
        ax.set(ylim=(10, 0), xticks=[])
    ax.yaxis.tick_right()
    layer_ticks(ax.yaxis, [names[int(i)] for i in order], places=10 * np.arange(n) + 5, most=30)
    ax.tick_params(axis="y", length=0)
    ax.set_xlabel("distance at which layers merge")
    sns.despine(ax=ax, left=True)


def _chance(ax: Axes, by_chance: np.ndarray) -> None:
    left = by_chance.shape[1] - np.arange(by_chance.shape[1])
    ax.fill_between(left, by_chance.min(0), by_chance.max(0), color="0.6", alpha=0.3, lw=0)
    ax.plot(
        left,
        by_chance.mean(0),
        color="0.6",
        ls="--",
        label=f"nodes permuted, {len(by_chance)} times",
    )


def _quality(ax: Axes, quality: np.ndarray, best: int) -> None:
    n = len(quality)
    left = n - np.arange(n)
    ax.plot(left, quality, color="0.35", marker="o", ms=4)
    ax.plot(
        left[best],
        quality[best],
        color=MARK,
        marker="o",
        ms=10,
        ls="",
        label=f"best: {left[best]} of {n} layers",
    )
    ax.set(xlabel="layers left", ylabel="quality q", xlim=(n + 0.5, 0.5))
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.margins(y=0.12)
    ax.legend(
        frameon=False,
        fontsize="small",
        loc="lower right",
        bbox_to_anchor=(1, 1),
        borderaxespad=0,
    )
    sns.despine(ax=ax)
