"""Colours: which map a picture uses, and where values fall on it."""

from typing import Any

import matplotlib
import numpy as np
import seaborn as sns
from matplotlib.colors import Colormap, ListedColormap, Normalize

from multiplex_vit.accepts import accepts, vector
from multiplex_vit.errors import InputError
from multiplex_vit.spelling import did_you_mean

HEAT = "inferno"
"""Colour map of heatmaps: perceptually uniform, dark is little."""

SIGNED = "coolwarm"
"""Colour map of heatmaps with negative values, such as contrasts.

Blue is against, red for, and grey in between.
"""

LINKS = "viridis"
"""Colour map of attention edges, bright for much, and of layers by depth."""

INK = "flare"
"""Colour map of what is drawn on white paper.

It is seaborn's, and perceptually uniform: dark is much, light is little but still seen.
"""

MARK = "#0173b2"
"""Colour of the one thing that stands out: the blue of seaborn's colour-blind palette."""

BEYOND = "#66c2a5"
"""Colour of a value beyond its scale: a green that neither HEAT nor SIGNED has."""

MISSING = (128, 128, 128)
"""Red, green and blue of a value that is not there (NaN)."""

_PHOTO_PART = (0.05, 0.85)
"""Part of a sequential map that is laid over a photo: neither black nor nearly white hides it."""

_DARK_PART = 0.9
"""Part of a map that white paper does not swallow; the palest end is left out."""

_LEGIBLE = (0, 1, 2, 3, 4, 9, 5)
"""Places in seaborn's colour-blind palette of colours in which text can be read on white."""

_DASHES = ("-", (0, (4, 1.5)), (0, (1, 1)), (0, (4, 1.5, 1, 1.5)))


@accepts(values=vector)
def colours(values: np.ndarray, *, cmap: str = LINKS) -> np.ndarray:
    """Return the colour of every value, for files that hold colours.

    Parameters
    ----------
    values : ndarray [node]
        From the least, at the start of the map, to the greatest, at its end; equal values get its
        middle, NaN gets grey.
    cmap : str
        Name of a matplotlib colour map.

    Returns
    -------
    ndarray uint8 [node, 3]
        Red, green, blue.

    Raises
    ------
    InputError
        If there is no such colour map.

    Examples
    --------
    >>> colours(np.array([0, 1, np.nan, 2]), cmap="gray").tolist()
    [[0, 0, 0], [128, 128, 128], [128, 128, 128], [255, 255, 255]]
    """
    shares = _shares(np.asarray(values, dtype=float))
    shades = map_named(cmap)(shares, bytes=True)[..., :3].astype(np.uint8)
    shades[np.isnan(shares)] = MISSING
    return shades


def map_named(name: str) -> Colormap:
    """Return a colour map by its name.

    Raises
    ------
    InputError
        If there is none.

    Examples
    --------
    >>> map_named("virids")
    Traceback (most recent call last):
    multiplex_vit.errors.InputError: unknown colour map 'virids' (did you mean 'viridis'?); known:
    those of matplotlib and seaborn
    """
    if isinstance(name, str) and name in matplotlib.colormaps:
        return matplotlib.colormaps[name]
    hint = did_you_mean(str(name), matplotlib.colormaps)
    raise InputError(f"unknown colour map {name!r}{hint}; known: those of matplotlib and seaborn")


def scale(values: np.ndarray, cmap: str) -> tuple[Colormap, Normalize]:
    """Return the colour map and the range of values.

    The range goes from the least to the greatest value, or around 0 (in SIGNED) if one is
    negative.

    Examples
    --------
    >>> chosen, norm = scale(np.array([-1, 0.5, np.nan]), "inferno")
    >>> chosen.name, norm.vmin, norm.vmax
    ('coolwarm', -1.0, 1.0)
    """
    finite = np.asarray(values, dtype=float)
    finite = finite[np.isfinite(finite)]
    low, high = 0.0, 1.0
    if finite.size:
        low, high = float(finite.min()), float(finite.max())
    if low < 0:
        # Around 0, so that the middle of the map is no effect.
        bound = max(-low, high)
        return map_named(SIGNED), Normalize(-bound, bound)
    return map_named(cmap), Normalize(low, high)


def translucent(cmap: Colormap, alpha: float) -> Colormap:
    """Return a colour map through which a grey photo is seen.

    A sequential map shades the photo where heat is little and lets it through where heat is much,
    so that it is read best where it matters. A signed map is clear at 0, in its middle. What is
    missing (NaN) is clear.

    Parameters
    ----------
    cmap : Colormap
        Signed if its name is SIGNED, otherwise sequential.
    alpha : float
        Mean opacity, from 0 to 1.

    Examples
    --------
    >>> opacity = translucent(map_named("inferno"), 0.6)([0.0, 1.0])[:, 3]
    >>> opacity.round(2).tolist()
    [0.78, 0.48]
    """
    place = np.linspace(0, 1, 256)
    if cmap.name == SIGNED:
        shades = cmap(place)
        opacity = alpha * (0.3 + np.abs(2 * place - 1))
    else:
        start, end = _PHOTO_PART
        shades = cmap(start + (end - start) * place)
        opacity = alpha * (1.3 - 0.5 * place)
    shades[:, 3] = np.clip(opacity, 0, 1)
    return ListedColormap(shades, name=cmap.name)


def edge_colours(weights: np.ndarray, *, cmap: str = LINKS) -> np.ndarray:
    """Return the colour [edge, 4] of edges.

    Bright and opaque for strong ones, dark and faint for weak.

    The same on a photo and on white paper, so that pictures side by side read alike; the palest end
    of the map, which white paper swallows, is left out.

    Examples
    --------
    >>> weak, strong = edge_colours(np.array([0.1, 0.9]))
    >>> bool(strong[:3].sum() > weak[:3].sum()), float(weak[3]), float(strong[3])
    (True, 0.5, 1.0)
    """
    shares = unit(weights)
    shades = map_named(cmap)(_DARK_PART * shares)
    shades[:, 3] = 0.5 + 0.5 * shares
    return shades


def beyond_marked(cmap: Colormap) -> Colormap:
    """Return a colour map that paints values beyond its scale in a colour of their own."""
    return cmap.with_extremes(over=BEYOND, under=BEYOND)


def by_depth(n: int) -> list[tuple[float, ...]]:
    """Return one colour a layer, dark for the first.

    The palest end of the map, which white paper swallows, is left out.
    """
    if not n:
        return []
    shades = map_named(LINKS)(np.linspace(0, _DARK_PART, n))
    return [tuple(shade) for shade in shades]


def distinct(n: int) -> list[tuple[tuple[float, ...], Any]]:
    """Return a colour and a dash for each of n lines, which the colour-blind tell apart.

    Colours come again with another dash.

    The palette's grey, yellow and light pink are left out: text in them cannot be read on white.
    """
    palette = sns.color_palette("colorblind")
    legible = [tuple(palette[place]) for place in _LEGIBLE]
    styles = []
    for line in range(n):
        round_, place = divmod(line, len(legible))
        dash = _DASHES[round_ % len(_DASHES)]
        styles.append((legible[place], dash))
    return styles


@accepts()
def palette(n: int) -> np.ndarray:
    """Return one colour for each of n groups, neighbours in number far apart in hue.

    Returns
    -------
    ndarray uint8 [group, 3]
        Red, green, blue; none is pale or dark.

    Examples
    --------
    >>> palette(2).shape
    (2, 3)
    """
    shades = np.array(sns.husl_palette(max(1, n), s=0.85, l=0.58))[:n]
    # Every third hue in turn, so that groups 0, 1, 2 differ most.
    order = np.concatenate([np.arange(start, n, 3) for start in range(3)])
    return np.rint(255 * shades[np.argsort(order)]).astype(np.uint8)


def unit(values: np.ndarray) -> np.ndarray:
    """Bring values to 0 .. 1; equal ones to 1, or to 0 where all are 0.

    Examples
    --------
    >>> unit(np.array([1.0, 2.0, 3.0])).tolist(), unit(np.array([2.0, 2.0])).tolist()
    ([0.0, 0.5, 1.0], [1.0, 1.0])
    """
    if not len(values):
        return np.asarray(values, dtype=float)
    low, high = values.min(), values.max()
    if high > low:
        return (values - low) / (high - low)
    return np.full(len(values), float(high > 0))


def _shares(values: np.ndarray) -> np.ndarray:
    """Bring values to 0 .. 1 and equal ones to 0.5; infinite ones lie at the ends, NaN stays."""
    finite = values[np.isfinite(values)]
    # Infinities alone lie at the ends, and NaN stays NaN.
    if not finite.size:
        return np.clip(values * 0.5, 0, 1)
    low, high = finite.min(), finite.max()
    if high > low:
        return np.clip((values - low) / (high - low), 0, 1)
    return np.clip(np.where(values == low, 0.5, values), 0, 1)
