"""Networks: attention of one layer over the image, and all layers as a stack of sheets."""

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.collections import LineCollection, PatchCollection
from matplotlib.patches import FancyArrowPatch, Polygon

from multiplex_vit.accepts import accepts, grid_size, matrix, picture
from multiplex_vit.accepts import stack as stack_of_layers
from multiplex_vit.checks import numbers, whole
from multiplex_vit.errors import InputError
from multiplex_vit.plot.colour import (
    INK,
    LINKS,
    MISSING,
    edge_colours,
    map_named,
    scale,
    unit,
)
from multiplex_vit.plot.sheets import corners, places, prefix_count
from multiplex_vit.plot.text import layer_names, shortened

_NAME = 16
"""How many letters of a layer's name are drawn."""

_GREY = tuple(part / 255 for part in MISSING)

_DARK = (0.15, 0.15, 0.15, 1.0)


@accepts(image=picture, weights=matrix, grid=grid_size)
def attention(
    image: np.ndarray,
    weights: np.ndarray,
    grid: tuple[int, int],
    *,
    edges: int = 120,
    cmap: str = LINKS,
    title: str = "",
    ax: Axes | None = None,
) -> Axes:
    """Draw one layer's strongest edges over the image: arrows from source to target.

    In a network of attention the arrow leads to the token attended to, in one of information to the
    token that takes it in. Bright edges are strong. Self-loops are not drawn. A node's disc grows
    with its in-strength from other patches. Prefix tokens, which come first where there are any,
    have no place in the image: neither they nor their edges are drawn.

    Parameters
    ----------
    image : ndarray uint8 [row, col, channel]
    weights : ndarray [source, target]
    grid : tuple of int
        Rows and columns of patches.
    edges : int
        How many edges to draw, strongest last.
    cmap : str
    title : str
    ax : Axes, optional

    Returns
    -------
    Axes

    Raises
    ------
    InputError
        If there are fewer nodes than patches.
    """
    n_prefix = prefix_count(len(weights), grid)
    weights = weights[n_prefix:, n_prefix:]
    ax = ax or plt.gca()
    height, width = image.shape[:2]
    rows, cols = grid
    row, col = np.divmod(np.arange(len(weights)), cols)
    # Nodes lie in the middle of their patches.
    x = (col + 0.5) * width / cols
    y = (row + 0.5) * height / rows
    ax.imshow(image, alpha=0.75, cmap="gray")
    source, target, weight = strongest(weights, edges)
    shades = edge_colours(weight, cmap=cmap)
    shares = unit(weight)
    for edge, (one, other) in enumerate(zip(source, target, strict=True)):
        arrow = FancyArrowPatch(
            (x[one], y[one]),
            (x[other], y[other]),
            connectionstyle="arc3,rad=0.15",
            arrowstyle="-|>",
            mutation_scale=7,
            color=shades[edge],
            lw=0.6 + 1.4 * shares[edge],
        )
        ax.add_patch(arrow)
    received = _off_diagonal(weights).sum(0)
    # Discs of a fine grid must not cover each other.
    widest = 90 * min(1.0, (14 / max(grid)) ** 2)
    ax.scatter(
        x,
        y,
        s=4 + widest * unit(received),
        color="white",
        edgecolors="black",
        linewidths=0.6,
        zorder=3,
    )
    ax.set(xticks=[], yticks=[], xlim=(0, width), ylim=(height, 0))
    ax.set_title(title, parse_math=False)
    return ax


@accepts(weights=stack_of_layers, grid=grid_size)
def stack(
    weights: np.ndarray,
    grid: tuple[int, int],
    *,
    names: Sequence[str] = (),
    layers: Sequence[int] | None = None,
    values: np.ndarray | Mapping[str, Any] | None = None,
    edges: int = 60,
    links: int = 8,
    ax: Axes | None = None,
) -> Axes:
    """Draw a multiplex network as stacked layers, the first at the bottom.

    Inter-layer links join copies of the same token.

    Patches lie on the layer's sheet; prefix tokens, which come first where there are any, are
    diamonds to its left. Bright edges are strong; with `values`, dark ones are, beside nodes that
    are dark where they have much. Links are drawn from a sheet to the next, whichever way they run;
    between heads of a block they stand for ordinal and categorical links.

    Parameters
    ----------
    weights : ndarray [layer, source, target]
    grid : tuple of int
        Rows and columns of patches.
    names : sequence of str
        Names of all layers.
    layers : sequence of int, optional
        Which layers to draw, from bottom to top; default: all.
    values : ndarray [layer, node] or mapping of one name to it, optional
        A measure of the nodes of all layers, for their size and colour, with a colour bar that
        bears the name: `{"pagerank": values}`. Without it a node grows with its in-strength from
        others in its layer.
    edges : int
        How many of each layer's strongest edges to draw (no self-loops).
    links : int
        For how many tokens the inter-layer links are drawn: those with the greatest in-strength, or
        the greatest values, over the layers drawn.
    ax : Axes, optional

    Returns
    -------
    Axes

    Raises
    ------
    InputError
        If a layer is not there, or names or values are not of these layers and nodes.
    """
    weights = np.asarray(weights)
    n_layers, n_nodes = weights.shape[:2]
    n_prefix = prefix_count(n_nodes, grid)
    label, measure = _named(values)
    if measure is not None and measure.shape != (n_layers, n_nodes):
        shape = f"values have shape {list(measure.shape)}"
        raise InputError(f"{shape}; give [layer, node], here {[n_layers, n_nodes]}")
    drawn = _chosen(layers, n_layers)
    labels = [""] * n_layers
    if len(names):
        labels = layer_names(names, n_layers)
    received = np.stack([_off_diagonal(weights[layer]).sum(0) for layer in drawn])
    measured = None if measure is None else measure[drawn]
    ax = ax or plt.gca()
    positions = np.stack([places(grid, n_prefix, level) for level in range(len(drawn))])
    _tie(ax, positions, received if measured is None else np.nan_to_num(measured), links)
    for level, layer in enumerate(drawn):
        _draw_sheet(ax, grid, level, labels[layer])
        lines = strongest(weights[layer], edges)
        # Colours of nodes are read best beside grey edges.
        _draw_edges(ax, lines, positions[level], level=level, grey=measured is not None)
    # All levels together, so that sizes and colours of layers compare.
    sizes, shades = _looks(received, measured)
    _draw_nodes(ax, positions, n_prefix, sizes, shades)
    if measured is not None:
        _measure_bar(ax, measured, label)
    ax.autoscale_view()
    _make_room(ax, max(len(labels[layer]) for layer in drawn))
    ax.set_aspect("equal")
    ax.set_axis_off()
    return ax


def _measure_bar(ax: Axes, measured: np.ndarray, label: str) -> None:
    """Draw a colour bar that bears the name of the measure."""
    cmap, norm = scale(measured, INK)
    bar = ax.figure.colorbar(
        ScalarMappable(norm, cmap),
        ax=ax,
        location="bottom",
        shrink=0.5,
        aspect=30,
        pad=0.04,
    )
    bar.set_label(label, parse_math=False)


@accepts(weights=matrix)
def strongest(weights: np.ndarray, edges: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return source, target and weight of the strongest edges between different nodes.

    The weakest of them comes first.

    Examples
    --------
    >>> [part.tolist() for part in strongest(np.array([[9, 1, 2], [0, 9, 0], [3, 0, 9]]), 2)]
    [[0, 2], [2, 0], [2, 3]]
    """
    between = _off_diagonal(weights)
    order = np.array([], dtype=int)
    if edges > 0:
        order = np.argsort(between, axis=None, kind="stable")[-edges:]
    # The order is ascending: the strongest are drawn last, on top.
    source, target = np.unravel_index(order, between.shape)
    weight = between[source, target]
    present = weight > 0
    return source[present], target[present], weight[present]


def _off_diagonal(weights: np.ndarray) -> np.ndarray:
    """Return weights without self-loops."""
    return weights * (1 - np.eye(len(weights), dtype=weights.dtype))


def _named(
    values: np.ndarray | Mapping[str, np.ndarray] | None,
) -> tuple[str, np.ndarray | None]:
    """Return the name and the numbers of a measure; None if there is none."""
    if values is None:
        return "", None
    if not isinstance(values, Mapping):
        return "", numbers("values", values)
    if len(values) != 1:
        names = ", ".join(str(name) for name in values)
        raise InputError(f"values hold {len(values)} measures ({names}); give one")
    # Exactly one measure, as was checked.
    [(name, array)] = values.items()
    return str(name), numbers("values", array)


def _chosen(layers: Sequence[int] | None, n_layers: int) -> list[int]:
    """Return the layers to draw."""
    if layers is None:
        return list(range(n_layers))
    chosen = [whole("layers", layer, at_least=-n_layers) for layer in layers]
    if not chosen or max(chosen) >= n_layers:
        raise InputError(f"layers are {chosen}; give one or more of 0 to {n_layers - 1}")
    return chosen


def _tie(ax: Axes, positions: np.ndarray, values: np.ndarray, links: int) -> None:
    """Draw the inter-layer links of the tokens with the greatest values over all layers."""
    nodes = np.argsort(-values.sum(0), kind="stable")[: max(0, links)]
    lines = []
    for level in range(len(positions) - 1):
        for node in nodes:
            lines.append(positions[level : level + 2, node])
    dotted = LineCollection(
        lines,
        colors="0.35",
        linewidths=1.0,
        linestyles=(0, (1, 2)),
        # Above all sheets, which lie on the levels below.
        zorder=2 * len(positions),
    )
    ax.add_collection(dotted)


def _draw_sheet(ax: Axes, grid: tuple[int, int], level: int, name: str) -> None:
    """Draw the sheet of a layer, and its name at the right."""
    outline = corners(grid, level)
    sheet = PatchCollection(
        [Polygon(outline)],
        facecolor="white",
        edgecolor="0.6",
        alpha=0.8,
        zorder=2 * level,
    )
    ax.add_collection(sheet)
    if name:
        ax.annotate(
            shortened(name, _NAME),
            xy=outline[2],
            xytext=(6, 0),
            textcoords="offset points",
            va="center",
            fontsize="small",
            parse_math=False,
        )


def _make_room(ax: Axes, letters: int) -> None:
    """Widen the axes to the right, so that names of so many letters stay within.

    It works whatever the shape of the axes.
    """
    left, right = ax.get_xlim()
    low, high = ax.get_ylim()
    box = ax.get_window_extent().transformed(ax.figure.dpi_scale_trans.inverted())
    inches = min(0.1 + 0.085 * min(letters, _NAME), 0.5 * box.width)
    # Whichever binds once x and y have one scale: the width of the box, or its height.
    by_width = inches * (right - left) / (box.width - inches)
    by_height = inches * (high - low) / box.height
    ax.set_xlim(left, right + max(by_width, by_height))


def _draw_edges(
    ax: Axes,
    edges: tuple[np.ndarray, np.ndarray, np.ndarray],
    place: np.ndarray,
    *,
    level: int,
    grey: bool,
) -> None:
    """Draw the edges of a layer on its sheet."""
    source, target, weight = edges
    share = unit(weight)
    lines = np.stack([place[source], place[target]], 1)
    shades = edge_colours(weight)
    if grey:
        shades = map_named("Greys")(0.25 + 0.5 * share)
    collection = LineCollection(
        list(lines),
        colors=shades,
        linewidths=0.5 + share,
        zorder=2 * level + 1,
    )
    ax.add_collection(collection)


def _draw_nodes(
    ax: Axes,
    positions: np.ndarray,
    n_prefix: int,
    sizes: np.ndarray,
    shades: np.ndarray,
) -> None:
    """Draw prefix tokens as diamonds and patches as discs."""
    # The two kinds of nodes lie one after the other.
    prefix, patches = slice(0, n_prefix), slice(n_prefix, None)
    for level, place in enumerate(positions):
        for part, marker, least in ((prefix, "D", 12), (patches, "o", 0)):
            x, y = place[part].T
            ax.scatter(
                x,
                y,
                s=least + sizes[level, part],
                c=shades[level, part],
                marker=marker,
                edgecolors="0.2",
                linewidths=0.6 if least else 0,
                zorder=2 * level + 1,
            )


def _looks(received: np.ndarray, values: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    """Return size [layer, node] and colour [layer, node, 4] of the nodes.

    They show their values on one scale or, without values, the attention received in dark discs.
    """
    if values is None:
        sizes = np.stack([1 + 26 * unit(row) for row in received])
        return sizes, np.full((*received.shape, 4), _DARK)
    cmap, norm = scale(values, INK)
    finite = np.isfinite(values)
    filled = np.where(finite, values, 0)
    shades = np.where(finite[..., None], cmap(norm(filled)), (*_GREY, 1.0))
    share = unit(np.abs(filled).ravel()).reshape(values.shape)
    return 4 + 36 * share, shades
