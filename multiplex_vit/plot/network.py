"""Networks: attention of one layer over the image, and all layers as a stack of sheets."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.collections import LineCollection, PatchCollection
from matplotlib.patches import FancyArrowPatch, Polygon

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
    row, col = np.divmod(np.arange(len(weights)), grid[1])
    x, y = (col + 0.5) * width / grid[1], (row + 0.5) * height / grid[0]
    ax.imshow(image, alpha=0.75, cmap="gray")
    source, target, weight = strongest(weights, edges)
    colours = edge_colours(weight, cmap=cmap)
    for i, j, colour, share in zip(source, target, colours, unit(weight), strict=True):
        arrow = FancyArrowPatch(
            (x[i], y[i]),
            (x[j], y[j]),
            connectionstyle="arc3,rad=0.15",
            arrowstyle="-|>",
            mutation_scale=7,
            color=colour,
            lw=0.6 + 1.4 * share,
        )
        ax.add_patch(arrow)
    received = _off_diagonal(weights).sum(0)
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


def stack(
    weights: np.ndarray,
    grid: tuple[int, int],
    *,
    names: Sequence[str] = (),
    layers: Sequence[int] | None = None,
    values: np.ndarray | Mapping[str, np.ndarray] | None = None,
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
    n_prefix = prefix_count(weights.shape[1], grid)
    label, known = _named(values)
    if known is not None and known.shape != weights.shape[:2]:
        raise InputError(f"values have shape {list(known.shape)}; give [layer, node], here {list(weights.shape[:2])}")
    drawn = _chosen(layers, len(weights))
    shown = [layer_names(names, len(weights))[i] if len(names) else "" for i in drawn]
    received = np.stack([_off_diagonal(weights[i]).sum(0) for i in drawn])
    measured = None if known is None else known[drawn]
    ax = ax or plt.gca()
    positions = np.stack([places(grid, n_prefix, level) for level in range(len(drawn))])
    _tie(ax, positions, received if measured is None else np.nan_to_num(measured), links)
    for level, (i, name) in enumerate(zip(drawn, shown, strict=True)):
        _draw_sheet(ax, grid, level, name)
        _draw_edges(ax, weights[i], positions[level], edges, level=level, grey=known is not None)
    _draw_nodes(ax, positions, n_prefix, *_looks(received, measured))
    if measured is not None:
        cmap, norm = scale(measured, INK)
        ax.figure.colorbar(
            ScalarMappable(norm, cmap),
            ax=ax,
            location="bottom",
            shrink=0.5,
            aspect=30,
            pad=0.04,
        ).set_label(label, parse_math=False)
    ax.autoscale_view()
    _make_room(ax, max(map(len, shown)))
    ax.set_aspect("equal")
    ax.set_axis_off()
    return ax


def strongest(weights: np.ndarray, edges: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return source, target and weight of the strongest edges between different nodes.

    The weakest of them comes first.

    Examples
    --------
    >>> [part.tolist() for part in strongest(np.array([[9, 1, 2], [0, 9, 0], [3, 0, 9]]), 2)]
    [[0, 2], [2, 0], [2, 3]]
    """
    between = _off_diagonal(weights)
    order = np.argsort(between, axis=None, kind="stable")[-edges:] if edges > 0 else np.array([], dtype=int)
    source, target = np.unravel_index(order, between.shape)
    there = between[source, target] > 0
    return source[there], target[there], between[source, target][there]


def _off_diagonal(weights: np.ndarray) -> np.ndarray:
    return weights * (1 - np.eye(len(weights), dtype=weights.dtype))


def _named(
    values: np.ndarray | Mapping[str, np.ndarray] | None,
) -> tuple[str, np.ndarray | None]:
    """Return the name and the numbers of a measure; None if there is none."""
    if values is None:
        return "", None
    if not isinstance(values, Mapping):
        return "", np.asarray(values, dtype=float)
    if len(values) != 1:
        raise InputError(f"values hold {len(values)} measures ({', '.join(values)}); give one")
    [(name, numbers)] = values.items()
    return str(name), np.asarray(numbers, dtype=float)


def _chosen(layers: Sequence[int] | None, n_layers: int) -> list[int]:
    chosen = list(range(n_layers)) if layers is None else [int(i) for i in layers]
    if not chosen or not all(-n_layers <= i < n_layers for i in chosen):
        raise InputError(f"layers are {chosen}; give one or more of 0 to {n_layers - 1}")
    return chosen


def _tie(ax: Axes, positions: np.ndarray, values: np.ndarray, links: int) -> None:
    """Draw the inter-layer links of the tokens with the greatest values over all layers."""
    tokens = np.argsort(-values.sum(0), kind="stable")[: max(0, links)]
    between = [positions[level : level + 2, node] for level in range(len(positions) - 1) for node in tokens]
    ax.add_collection(
        LineCollection(
            between,
            colors="0.35",
            linewidths=1.0,
            linestyles=(0, (1, 2)),
            zorder=2 * len(positions),
        )
    )


def _draw_sheet(ax: Axes, grid: tuple[int, int], level: int, name: str) -> None:
    outline = corners(grid, level)
    ax.add_collection(
        PatchCollection(
            [Polygon(outline)],
            facecolor="white",
            edgecolor="0.6",
            alpha=0.8,
            zorder=2 * level,
        )
    )
    if name:
        place = {"xy": outline[2], "xytext": (6, 0), "textcoords": "offset points"}
        ax.annotate(
            shortened(name, _NAME),
            **place,
            va="center",
            fontsize="small",
            parse_math=False,
        )


def _make_room(ax: Axes, letters: int) -> None:
    """Widen the axes to the right, so that names of so many letters stay within.

    Whatever the shape of the axes.
    """
    (left, right), (low, high) = ax.get_xlim(), ax.get_ylim()
    box = ax.get_window_extent().transformed(ax.figure.dpi_scale_trans.inverted())
    inches = min(0.1 + 0.085 * min(letters, _NAME), 0.5 * box.width)
    ax.set_xlim(
        left,
        right
        + max(
            inches * (right - left) / (box.width - inches),
            inches * (high - low) / box.height,
        ),
    )


def _draw_edges(
    ax: Axes,
    layer: np.ndarray,
    place: np.ndarray,
    edges: int,
    *,
    level: int,
    grey: bool,
) -> None:
    source, target, weight = strongest(layer, edges)
    lines = np.stack([place[source], place[target]], 1)
    shades = map_named("Greys")(0.25 + 0.5 * unit(weight)) if grey else edge_colours(weight)
    ax.add_collection(
        LineCollection(
            list(lines),
            colors=shades,
            linewidths=0.5 + unit(weight),
            zorder=2 * level + 1,
        )
    )


def _draw_nodes(
    ax: Axes,
    positions: np.ndarray,
    n_prefix: int,
    sizes: np.ndarray,
    shades: np.ndarray,
) -> None:
    for level, place in enumerate(positions):
        for part, marker, least in (
            (slice(0, n_prefix), "D", 12),
            (slice(n_prefix, None), "o", 0),
        ):
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

    By their values on one scale, or dark and by attention received.
    """
    if values is None:
        return np.stack([1 + 26 * unit(row) for row in received]), np.full((*received.shape, 4), (0.15, 0.15, 0.15, 1.0))
    cmap, norm = scale(values, INK)
    known = np.isfinite(values)
    shades = np.where(known[..., None], cmap(norm(np.where(known, values, 0))), (*_GREY, 1.0))
    return 4 + 36 * unit(np.where(known, np.abs(values), 0).ravel()).reshape(values.shape), shades
