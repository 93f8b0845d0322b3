"""Looks: sizes and colours of nodes and edges in files that a program draws."""

from dataclasses import dataclass

import numpy as np

from multiplex_vit import plot

SMALLEST, MIDDLE, LARGEST = 3, 6, 10
"""Radii of nodes; neighbouring patches are 25 apart."""

LINK_THICKNESS = 0.2

_LINK = np.array([212, 212, 222])
"""Red, green and blue of inter-layer links, where they are few."""

_FEW = 100
"""Nodes of a layer beyond which links lie so close that they are drawn paler."""

_MOST = 0.99
"""The share of nodes that a scale is made for; the greatest values beyond share its end."""

_THINNEST, _THICKEST = 0.4, 2.0
"""Thickness of edges."""

_GREY = 128
"""Red, green and blue of a node whose value is not a number."""

_BETWEEN = (150, 150, 160)
"""Red, green and blue of an edge that belongs to no node or community."""

_FAINTEST, _DEEPEST = 0.25, 0.8
"""How much of its colour the weakest edge and the strongest have; the rest is white."""


@dataclass(frozen=True, eq=False)
class EdgeLooks:
    """How edges look: colours as "#rrggbb" and thicknesses, one a edge."""

    colours: list[str]
    thicknesses: list[float]


def sizes(values: np.ndarray) -> np.ndarray:
    """Return radii from the least value to the greatest.

    Equal values and texts get the middle, and NaN the smallest. Of many nodes the greatest
    hundredth are equally large: a single sink would leave all others the smallest.

    Examples
    --------
    >>> sizes(np.array([0, 1, np.nan, 2])).tolist()
    [3, 6, 3, 10]
    """
    if values.dtype.kind not in "biuf":
        return np.full(values.shape, MIDDLE)
    values = values.astype(float)
    low, high = _range(values)
    if np.isnan(low):
        return np.full(values.shape, SMALLEST)
    if high <= low:
        return np.where(np.isnan(values), SMALLEST, MIDDLE)
    # Half of each value, so that the difference of two huge ones does not overflow.
    shares = (np.clip(values, low, high) / 2 - low / 2) / (high / 2 - low / 2)
    radii = SMALLEST + (LARGEST - SMALLEST) * shares
    return np.rint(np.nan_to_num(radii, nan=SMALLEST)).astype(int)


def colours(values: np.ndarray, *, partition: bool = False) -> np.ndarray:
    """Return colours [node, 3]: dark for much, on the scale of `sizes`, and grey for NaN.

    Infinities get the colours of the ends; texts, and whole numbers of a partition, one colour
    for each.
    """
    is_text = values.dtype.kind not in "biuf"
    if is_text or (partition and values.dtype.kind in "iu"):
        groups, number = np.unique(values.astype(str), return_inverse=True)
        return plot.palette(len(groups))[number]
    values = values.astype(float)
    low, high = _range(values)
    if np.isnan(low):
        return np.full((len(values), 3), _GREY)
    filled = np.nan_to_num(values, nan=low)
    shades = plot.colours(np.clip(filled, low, high), cmap=plot.INK)
    return np.where(np.isnan(values)[:, None], _GREY, shades)


def _range(values: np.ndarray) -> tuple[float, float]:
    """Return the least finite value and the greatest that a scale shows; NaN if none is finite."""
    finite = values[np.isfinite(values)]
    if not finite.size:
        return np.nan, np.nan
    return float(finite.min()), float(np.quantile(finite, _MOST, method="higher"))


def link_colour(n_nodes: int) -> str:
    """Return the colour of inter-layer links: pale, since there are many and all are alike.

    Examples
    --------
    >>> link_colour(64), link_colour(196)
    ('#d4d4de', '#e9e9ee')
    """
    depth = min(1.0, _FEW / n_nodes)
    red, green, blue = np.rint(255 - depth * (255 - _LINK)).astype(int).tolist()
    return f"#{red:02x}{green:02x}{blue:02x}"


def edge_looks(weight: np.ndarray, greatest: float, colour: np.ndarray | None) -> EdgeLooks:
    """Return the looks of edges: the stronger, the thicker and the less pale.

    Parameters
    ----------
    weight : ndarray [edge]
    greatest : float
        The weight of the strongest edge of the layer.
    colour : ndarray [edge, 3], optional
        Default: grey.

    Examples
    --------
    >>> edge_looks(np.array([0.25, 1.0]), 1.0, np.array([[200, 0, 0], [200, 0, 0]]))
    EdgeLooks(colours=['#e27979', '#d33333'], thicknesses=[1.2, 2.0])
    """
    # Weights are spread over orders of magnitude, so the root of their share is shown.
    strength = np.sqrt(weight / greatest)
    thickness = _THINNEST + (_THICKEST - _THINNEST) * strength
    if colour is None:
        colour = np.broadcast_to(_BETWEEN, (len(weight), 3))
    depth = (_FAINTEST + (_DEEPEST - _FAINTEST) * strength)[:, None]
    shades = np.rint(255 - depth * (255 - colour)).astype(int)
    texts = [f"#{red:02x}{green:02x}{blue:02x}" for red, green, blue in shades.tolist()]
    return EdgeLooks(texts, np.round(thickness, 2).tolist())


def colour_of_edges(
    nodes: np.ndarray,
    source: np.ndarray,
    target: np.ndarray,
    *,
    groups: np.ndarray | None = None,
) -> np.ndarray:
    """Return the colour [edge, 3] of edges: that of their target.

    Parameters
    ----------
    nodes : ndarray [node, 3]
        Colours of the nodes.
    source, target : ndarray of int [edge]
    groups : ndarray [node], optional
        Communities of the nodes: an edge from one to another is grey.
    """
    shades = nodes[target]
    if groups is None:
        return shades
    within = groups[source] == groups[target]
    return np.where(within[:, None], shades, _BETWEEN)


def links_drawn(
    source: np.ndarray,
    target: np.ndarray,
    n_nodes: int,
    depth: np.ndarray,
) -> np.ndarray:
    """Return bool [link]: the inter-layer links that a picture can show.

    They join layers that follow each other; a link further would lie on those between. Of two
    that run opposite ways the one that comes first stays. Between layers that are heads of one
    block, or of the next, there are as many links as pairs of heads: none of them stays.

    Parameters
    ----------
    source, target : ndarray of int [link]
        Node i of layer a is a * n_nodes + i.
    n_nodes : int
    depth : ndarray of int [layer]
        The place of each layer's block among the blocks that are there.

    Examples
    --------
    >>> source, target = np.array([0, 0, 1, 2]), np.array([1, 2, 0, 1])
    >>> links_drawn(source, target, 1, np.arange(3)).tolist()
    [True, False, False, True]
    """
    if len(set(depth.tolist())) < len(depth):
        return np.zeros(len(source), dtype=bool)
    is_next = np.abs(depth[source // n_nodes] - depth[target // n_nodes]) == 1
    pairs = np.column_stack([np.minimum(source, target), np.maximum(source, target)])
    first = np.unique(pairs, axis=0, return_index=True)[1]
    is_first = np.zeros(len(source), dtype=bool)
    is_first[first] = True
    return is_next & is_first
