"""Heat: values of patches drawn over their image."""

import io
import math
from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Colormap, Normalize
from matplotlib.figure import Figure
from matplotlib.image import AxesImage

from multiplex_vit.accepts import accepts, grid_size, picture, plane
from multiplex_vit.checks import numbers, share, whole
from multiplex_vit.errors import InputError
from multiplex_vit.plot.colour import HEAT, scale, translucent
from multiplex_vit.plot.sheets import prefix_count
from multiplex_vit.plot.text import layer_names, shortened

SMOOTH_FROM = 256
"""Number of patches from which a heatmap is smooth by default: squares of fewer can be told apart."""

_DARKEST = 70.0
"""Grey value, of 255, of black under a heatmap."""

_BRIGHTNESS = np.array([0.299, 0.587, 0.114])
"""Weights of red, green and blue (ITU-R BT.601)."""


@accepts(image=picture, heatmap=plane)
def overlay(
    image: np.ndarray,
    heatmap: np.ndarray,
    *,
    alpha: float = 0.6,
    smooth: bool | None = None,
    cmap: str = HEAT,
    title: str = "",
    colourbar: bool = True,
    ax: Axes | None = None,
) -> Axes:
    """Draw a heatmap over an image, which is turned grey so that every colour is heat.

    The image is shaded where heat is little and let through where heat is much. A heatmap with
    negative values is clear at 0, and coloured for and against.

    Parameters
    ----------
    image : ndarray uint8 [row, col, channel]
    heatmap : ndarray [row, col]
        On the patch grid; stretched over the image, from its least to its greatest value, or
        around 0 if it has negative ones. Where it is NaN the image is seen.
    alpha : float
        Mean opacity of the heatmap, from 0 to 1. Default: 0.6.
    smooth : bool, optional
        Interpolate between patches; otherwise each patch is one flat square. Default: from 256
        patches on.
    cmap : str
        Colour map of a heatmap without negative values. Default: "inferno".
    title : str
    colourbar : bool
        Draw the scale beside it. Default: True.
    ax : Axes, optional

    Returns
    -------
    Axes
    """
    alpha = share("alpha", alpha)
    ax = ax or plt.gca()
    heat = _laid(ax, image, heatmap, scale(heatmap, cmap), alpha=alpha, smooth=smooth)
    ax.set_title(title, parse_math=False)
    if colourbar:
        ax.figure.colorbar(heat, ax=ax, shrink=0.85)
    return ax


@accepts(image=picture, grid=grid_size)
def small_multiples(
    image: np.ndarray,
    values: np.ndarray,
    grid: tuple[int, int],
    *,
    names: Sequence[str] = (),
    cols: int = 4,
    cmap: str = HEAT,
    shared: bool = True,
    title: str = "",
) -> Figure:
    """Draw a measure of nodes as heat over the image, one panel a layer.

    Parameters
    ----------
    image : ndarray uint8 [row, col, channel]
    values : ndarray [layer, node]
        Such as a centrality; prefix tokens, which come first where there are any, are not drawn.
    grid : tuple of int
        Rows and columns of patches.
    names : sequence of str
        Names of the layers.
    cols : int
        Panels in a row.
    cmap : str
    shared : bool
        One scale for all layers, so that they compare; otherwise each has its own, so that each
        shows its shape.
    title : str

    Returns
    -------
    Figure

    Raises
    ------
    InputError
        If there is no layer or no column, or there are fewer nodes than patches.
    """
    heatmaps = _heatmaps(values, grid)
    n_layers = len(heatmaps)
    labels = layer_names(names, n_layers)
    # No more columns than panels, or the figure would have empty ones.
    cols = min(whole("cols", cols, at_least=1), n_layers)
    rows = math.ceil(n_layers / cols)
    height = 2.1 * image.shape[0] / image.shape[1]
    bars = 0.9 if shared else 0.7 * cols
    size = (2.1 * cols + bars, (height + 0.35) * rows + (0.4 if title else 0))
    figure, axes = plt.subplots(
        rows,
        cols,
        figsize=size,
        squeeze=False,
        layout="constrained",
    )
    # One scale over all layers makes them comparable.
    common = scale(heatmaps, cmap)
    panels = list(axes.flat)
    for ax, heatmap, label in zip(panels, heatmaps, labels, strict=False):
        colours = common if shared else scale(heatmap, cmap)
        heat = _laid(ax, image, heatmap, colours)
        ax.set_title(shortened(label, 20), parse_math=False, fontsize="medium")
        if not shared:
            bar = figure.colorbar(heat, ax=ax, shrink=0.85)
            bar.ax.tick_params(labelsize="x-small")
    for ax in panels[n_layers:]:
        ax.set_axis_off()
    if shared:
        # The bar is as wide as the room that was left for it, however many panels there are.
        figure.colorbar(
            heat,
            ax=axes,
            shrink=min(1.0, 2 / rows),
            aspect=25,
            fraction=0.3 / size[0],
            pad=0.15 / size[0],
        )
    figure.suptitle(title, parse_math=False)
    return figure


def _heatmaps(values: np.ndarray, grid: tuple[int, int]) -> np.ndarray:
    """Return values of patches [layer, row, col], prefix tokens left out."""
    values = numbers("values", values)
    if values.ndim != 2 or not len(values):
        shape = f"values have shape {list(values.shape)}"
        raise InputError(f"{shape}; give [layer, node] with at least one layer")
    n_prefix = prefix_count(values.shape[1], grid)
    return values[:, n_prefix:].reshape(-1, *grid)


@accepts(image=picture, heatmap=plane)
def thumbnail(image: np.ndarray, heatmap: np.ndarray, *, title: str = "") -> bytes:
    """Return a small overlay as the bytes of a PNG, for notebooks."""
    # A figure of its own, which pyplot does not hold on to.
    figure = Figure(figsize=(3.2, 3.2), layout="constrained")
    overlay(image, heatmap, title=title, colourbar=False, ax=figure.add_subplot())
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=90)
    return buffer.getvalue()


def _laid(
    ax: Axes,
    image: np.ndarray,
    heatmap: np.ndarray,
    colours: tuple[Colormap, Normalize],
    *,
    alpha: float = 0.6,
    smooth: bool | None = None,
) -> AxesImage:
    """Lay a heatmap over an image in grey and return it, for a colour bar."""
    height, width = image.shape[:2]
    # Both share one extent, so that the patches lie over their part of the image.
    extent = (0.0, float(width), float(height), 0.0)
    ax.imshow(
        _grey(image), extent=extent, interpolation="antialiased", cmap="gray", vmin=0, vmax=255
    )
    ax.set(xticks=[], yticks=[])
    if smooth is None:
        smooth = heatmap.size >= SMOOTH_FROM
    cmap, norm = colours
    return ax.imshow(
        heatmap,
        extent=extent,
        interpolation="bicubic" if smooth else "nearest",
        cmap=translucent(cmap, alpha),
        norm=norm,
    )


def _grey(image: np.ndarray) -> np.ndarray:
    """Return an image [row, col] with the brightness that an eye sees in its colours.

    Dark parts are lifted, as colours cannot be told apart on black.
    """
    brightness = image if image.ndim == 2 else image[..., :3] @ _BRIGHTNESS
    return _DARKEST + brightness * (1 - _DARKEST / 255)
