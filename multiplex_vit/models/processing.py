"""What an image processor does, found out by showing it images: which part it lets through, and what black and white become.

Its options say so too, but each processor reads them in its own way and order; so the answers are taken as they come.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from PIL import Image

from multiplex_vit.models.picture import Box

_GREY_LEVELS = 255
_MOST_PIXELS = 2**25
"""Of larger images nothing is found out, as it takes several times their memory."""

_LEVELS_OF = (64, 64)
"""Rows and columns of the images that show what black and white become."""


@dataclass(frozen=True, eq=False)
class Processing:
    """What becomes of an image of one size.

    Attributes
    ----------
    black, white : ndarray float32 [channel]
        Pixel values of black and white.
    beyond : tuple of int
        The colour that it is padded with, 0 to 255 a channel; black where it is not.
    columns, rows : tuple of float, or None
        Place of the first processed pixel's edge in the image, and image pixels a processed pixel; None where pixels are
        not taken at even distances.
    """

    black: np.ndarray
    white: np.ndarray
    beyond: tuple[int, ...]
    columns: tuple[float, float] | None
    rows: tuple[float, float] | None

    def box(self, n_rows: int, n_cols: int) -> Box | None:
        """Return the part of the image that lies under so many processed pixels, from the upper left one on; None if it is none."""
        if self.columns is None or self.rows is None:
            return None
        (left, width), (top, height) = self.columns, self.rows
        return left, top, left + n_cols * width, top + n_rows * height


def processing_of(processor: Any, size: tuple[int, int], mode: str) -> Processing | None:
    """Return what a processor makes of images of `size` rows and columns, or None where it cannot be found out.

    Parameters
    ----------
    processor : transformers image processor
    size : tuple of int
    mode : "RGB" or "L"
        How the images are given.

    Examples
    --------
    >>> from transformers import BitImageProcessorPil
    >>> crops = BitImageProcessorPil(size={"shortest_edge": 50}, crop_size={"height": 60, "width": 50})
    >>> processing_of(crops, (100, 200), "RGB").box(60, 50)
    (50.0, -10.0, 150.0, 110.0)
    """
    return _found(_Asked(processor), size, mode)


def levels_of(processor: Any, mode: str) -> tuple[np.ndarray, np.ndarray] | None:
    """Return the pixel values of black and of white [channel], or None where they cannot be found out."""
    found = processing_of(processor, _LEVELS_OF, mode)
    return None if found is None else (found.black, found.white)


class _Asked:
    """A processor, equal to another of the same options, which may change between two images."""

    def __init__(self, processor: Any):
        self.processor = processor
        self.key = (
            type(processor),
            repr(sorted(vars(processor).items(), key=lambda item: item[0])),
        )

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Asked) and self.key == other.key

    def __hash__(self) -> int:
        return hash(self.key)


@lru_cache(maxsize=256)
def _found(asked: _Asked, size: tuple[int, int], mode: str) -> Processing | None:
    n_rows, n_cols = size
    if n_rows * n_cols > _MOST_PIXELS:
        return None
    columns = np.linspace(0, _GREY_LEVELS, n_cols).round()[None]
    rows = np.linspace(0, _GREY_LEVELS, n_rows).round()[:, None]
    try:
        across, down, white, black = (
            _shown(asked.processor, grey, size, mode) for grey in (columns, rows, _GREY_LEVELS, 0)
        )
    except Exception:  # a processor of one's own may take no such image
        return None
    span = white - black
    inside = np.abs(span[0]) > 0.99 * np.abs(span[0]).max()
    if not inside.any():
        return None
    with np.errstate(invalid="ignore", divide="ignore"):
        across, down = ((values - black)[0] / span[0] for values in (across, down))
    there = np.flatnonzero(inside.any(0)), np.flatnonzero(inside.any(1))
    row, col = there[1][0], there[0][0]
    low, high = black[:, row, col], white[:, row, col]
    return Processing(
        low.astype(np.float32),
        high.astype(np.float32),
        _colour(black[:, ~inside], low, high),
        _line(np.where(inside, across, np.nan)[there[1]], there[0], n_cols),
        _line(np.where(inside, down, np.nan).T[there[0]], there[1], n_rows),
    )


def _colour(outside: np.ndarray, black: np.ndarray, white: np.ndarray) -> tuple[int, ...]:
    """Return the colour of pixel values [channel, place] that are no part of the image."""
    if not outside.size:
        return (0,) * len(black)
    shares = (outside.mean(1) - black) / (white - black)
    return tuple(int(level) for level in (_GREY_LEVELS * shares.clip(0, 1)).round())


def _shown(processor: Any, grey: Any, size: tuple[int, int], mode: str) -> np.ndarray:
    """Return the pixel values [channel, row, col] of an image of grey levels that fill its rows, its columns, or all of it."""
    image = Image.fromarray(np.broadcast_to(np.asarray(grey, dtype=np.uint8), size)).convert(mode)
    return np.asarray(
        processor(images=image, return_tensors="np")["pixel_values"], dtype=np.float32
    )[0]


def _line(places: np.ndarray, processed: np.ndarray, n_pixels: int) -> tuple[float, float] | None:
    """Return where processed pixels come from along one side.

    Parameters
    ----------
    places : ndarray [line, pixel]
        What is seen of a ramp from 0 to 1 over the image.
    processed : ndarray [place]
        Which processed pixels lie within the image.
    n_pixels : int
        Of the image.
    """
    seen = places[:, processed].mean(0) * (n_pixels - 1) + 0.5
    centres = processed + 0.5
    straight = _away_from_ends(seen, n_pixels)
    seen, centres = seen[straight], centres[straight]
    if len(seen) < 2 or not np.isfinite(seen).all():
        return None
    step = np.polyfit(centres, seen, 1)[0]
    if step <= 0:
        return None
    # An image is resized to whole pixels, then cropped or padded by whole pixels: so few steps and starts are possible.
    about = round(n_pixels / step)
    found = [
        _at_whole_pixels(seen, centres, n_pixels / size)
        for size in range(max(1, about - 3), about + 4)
    ]
    error, start, step = min(found)
    tolerance = step / 2 + n_pixels / _GREY_LEVELS
    return (start * step, step) if error <= tolerance else None


def _away_from_ends(seen: np.ndarray, n_pixels: int) -> np.ndarray:
    """Return which places are far from the ends of the image, where a resized ramp is flat or overshoots; the middle ones if none are."""
    step = abs(float(np.median(np.diff(seen)))) if len(seen) > 1 else 0.0
    far = np.flatnonzero(np.minimum(seen, n_pixels - seen) > 2 * max(1.0, step))
    margin = len(seen) // 4
    return far if len(far) >= 4 else np.arange(margin, len(seen) - margin)


def _at_whole_pixels(
    seen: np.ndarray, centres: np.ndarray, step: float
) -> tuple[float, int, float]:
    """Return the error of the best start that is a whole number of steps, that start, and the step."""
    start = round(float(np.mean(seen / step - centres)))
    return float(np.abs((centres + start) * step - seen).mean()), start, step
