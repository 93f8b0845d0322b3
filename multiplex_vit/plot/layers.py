"""Layers: how alike they are, and how far they can be merged."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import MaxNLocator
from scipy.cluster import hierarchy

from multiplex_vit.accepts import accepts, vector
from multiplex_vit.checks import numbers
from multiplex_vit.errors import InputError
from multiplex_vit.plot.colour import HEAT, MARK, beyond_marked, scale
from multiplex_vit.plot.text import layer_names, layer_ticks

_ANNOTATED = 12
"""Up to so many layers have numbers in the cells."""


@accepts()
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
    matrix = numbers("matrix", matrix)
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or not matrix.size:
        shape = f"the matrix has shape {list(matrix.shape)}"
        raise InputError(f"{shape}; give [layer, layer] with at least one layer")
    n_layers = len(matrix)
    names = layer_names(names, n_layers)
    side = min(8.0, max(3.0, 0.45 * n_layers + 1))
    order = np.arange(n_layers)
    has_tree = n_layers > 1 and linkage is not None
    if n_layers > 1 and linkage is not None:
        size, ratios = (side + 1.2 + 1.3, side), (1, 0.22 * side + 2)
        figure = plt.figure(figsize=size, layout="constrained")
        left, right = figure.subplots(1, 2, width_ratios=ratios)
        order = _dendrogram(left, _checked(linkage, n_layers))
        left.set_axis_off()
    else:
        figure = plt.figure(figsize=(side + 1.2, side), layout="constrained")
        right = figure.subplots()
    ordered = matrix[np.ix_(order, order)]
    _cells(right, ordered, [names[layer] for layer in order], cmap, square=not has_tree)
    figure.suptitle(title, parse_math=False)
    return figure


@accepts()
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
    quality = vector("quality", quality).astype(float)
    n_layers = len(quality)
    if not n_layers:
        raise InputError("quality is empty; give one number for each number of merges, 0 too")
    tree = _checked(linkage, n_layers)
    names = layer_names(names, n_layers)
    if best is None:
        best = _best(quality)
    if not 0 <= best < n_layers:
        raise InputError(f"best is {best}; give a number of merges of 0 to {n_layers - 1}")
    figure, (left, right) = plt.subplots(
        1,
        2,
        figsize=(9.5, min(9.0, max(3.4, 0.28 * n_layers + 1))),
        layout=ConstrainedLayoutEngine(wspace=0.06),
    )
    _merges(left, tree, names, best)
    if by_chance is not None:
        _chance(right, by_chance, n_layers)
    _quality(right, quality, best)
    figure.suptitle(title, parse_math=False)
    return figure


def _best(quality: np.ndarray) -> int:
    """Return the number of merges of greatest quality; of equal ones, the one with most merges."""
    finite = np.where(np.isfinite(quality), quality, -np.inf)
    return len(quality) - 1 - int(np.argmax(finite[::-1]))


def _checked(linkage: np.ndarray, n_layers: int) -> np.ndarray:
    """Return the merges of layers, which must be of as many."""
    tree = numbers("linkage", linkage)
    expected = (n_layers - 1, 4)
    if (n_layers > 1 or tree.size) and tree.shape != expected:
        shape = f"the linkage has shape {list(tree.shape)}"
        needs = f"{n_layers} layers need {list(expected)}"
        raise InputError(f"{shape}; {needs}, as scipy.cluster.hierarchy.linkage gives it")
    if (tree < 0).any() or not np.isfinite(tree).all():
        raise InputError("the linkage has a negative number, NaN or infinity; give SciPy's")
    return tree


def _dendrogram(ax: Axes, tree: np.ndarray, merged: int = 0) -> np.ndarray:
    """Draw a dendrogram whose leaves lie beside the rows of a heatmap.

    The layers are returned in that order. The first merges are coloured.
    """
    n_layers = len(tree) + 1

    def colour(merge: int) -> str:
        return MARK if merge < n_layers + merged else "0.35"

    drawn = hierarchy.dendrogram(
        tree,
        ax=ax,
        orientation="left",
        no_labels=True,
        link_color_func=colour,
    )
    # SciPy puts leaves 10 apart; the first is to lie at the top.
    ax.set_ylim(10 * n_layers, 0)
    return np.array(drawn["leaves"])


def _cells(
    ax: Axes,
    matrix: np.ndarray,
    names: Sequence[str],
    cmap: str,
    *,
    square: bool,
) -> None:
    """Draw the matrix.

    Beside a dendrogram it must fill its panel, or rows and leaves would not meet.
    """
    n_layers = len(matrix)
    pairs = matrix.ravel()
    if n_layers > 1:
        pairs = matrix[~np.eye(n_layers, dtype=bool)]
    # The likeness of a layer to itself would use up the scale.
    colours, norm = scale(pairs, cmap)
    sns.heatmap(
        matrix,
        ax=ax,
        annot=n_layers <= _ANNOTATED,
        fmt=_digits(pairs),
        annot_kws={"fontsize": 7},
        xticklabels=False,
        yticklabels=False,
        cmap=beyond_marked(colours),
        vmin=norm.vmin,
        vmax=norm.vmax,
        square=square,
        cbar_kws={"shrink": 0.8, "extend": _extended(matrix.diagonal(), norm)},
    )
    # Cells of NaN are left out, so that the background shows.
    ax.set_facecolor("0.7")
    # Cells are 1 wide and begin at 0.
    middle = np.arange(n_layers) + 0.5
    layer_ticks(ax.xaxis, names, places=middle, most=24)
    layer_ticks(ax.yaxis, names, places=middle, most=24)
    ax.tick_params(length=0)


def _extended(diagonal: np.ndarray, norm: Normalize) -> str:
    """Return at which ends the colour bar goes on: a layer's likeness to itself lies there."""
    over = (diagonal > norm.vmax).any()
    under = (diagonal < norm.vmin).any()
    if over and under:
        return "both"
    if over:
        return "max"
    return "min" if under else "neither"


def _digits(values: np.ndarray) -> str:
    """Return the number format that shows two digits of the greatest value.

    Values below 10 have at least two decimals.
    """
    sizes = np.abs(values[np.isfinite(values)])
    greatest = sizes.max() if sizes.any() else 1.0
    least_digits = 2 if greatest < 10 else 0
    digits = np.clip(1 - np.floor(np.log10(greatest)), least_digits, 4)
    return f".{int(digits)}f"


def _merges(ax: Axes, tree: np.ndarray, names: Sequence[str], best: int) -> None:
    """Draw the dendrogram, and a line where merging is best stopped."""
    n_layers = len(names)
    order = np.arange(n_layers)
    if n_layers > 1:
        order = _dendrogram(ax, tree, best)
        highest = tree[-1, 2]
        heights = np.concatenate([[0], tree[:, 2], [1.06 * highest]])
        ax.set_xlim(1.08 * highest or 1, 0)
        # Between the last merge that is made and the first that is not.
        stop = (heights[best] + heights[best + 1]) / 2
        ax.axvline(stop, color="0.2", lw=1, ls=(0, (4, 2)))
    else:
        ax.set(ylim=(10, 0), xticks=[])
    ax.yaxis.tick_right()
    labels = [names[int(layer)] for layer in order]
    layer_ticks(ax.yaxis, labels, places=10 * np.arange(n_layers) + 5, most=30)
    ax.tick_params(axis="y", length=0)
    ax.set_xlabel("distance at which layers merge")
    sns.despine(ax=ax, left=True)


def _chance(ax: Axes, by_chance: np.ndarray, n_layers: int) -> None:
    """Draw the quality of samples of a null model: their mean and their range."""
    samples = numbers("by_chance", by_chance)
    if samples.ndim != 2 or samples.shape[1] != n_layers or not len(samples):
        shape = f"by_chance has shape {list(samples.shape)}"
        raise InputError(f"{shape}; give [sample, {n_layers}] with at least one sample")
    # The axis shows how many layers are left, so that merges run to the right.
    left = n_layers - np.arange(n_layers)
    ax.fill_between(left, samples.min(0), samples.max(0), color="0.6", alpha=0.3, lw=0)
    label = f"nodes permuted, {len(samples)} times"
    ax.plot(left, samples.mean(0), color="0.6", ls="--", label=label)


def _quality(ax: Axes, quality: np.ndarray, best: int) -> None:
    """Draw the quality of the layers left, and mark the best."""
    n_layers = len(quality)
    left = n_layers - np.arange(n_layers)
    ax.plot(left, quality, color="0.35", marker="o", ms=4)
    label = f"best: {left[best]} of {n_layers} layers"
    ax.plot(left[best], quality[best], color=MARK, marker="o", ms=10, ls="", label=label)
    ax.set(xlabel="layers left", ylabel="quality q", xlim=(n_layers + 0.5, 0.5))
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
