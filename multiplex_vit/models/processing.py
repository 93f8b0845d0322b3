"""What an image processor does: which part of an image it lets through, and what colours become.

A processor's options say so too, but each processor reads them in its own way and order. So it is
shown images, and the answers are taken as they are.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from PIL import Image

from multiplex_vit.models.picture import Box

_GREY_LEVELS = 255
_MOST_PIXELS = 2**25
"""A processor is not shown larger images, as it takes several times their memory."""

_LEVELS_SIZE = (64, 64)
"""Rows and columns of the images that show what black and white become."""


@dataclass(frozen=True, eq=False)
class Processing:
    """What becomes of an image of one size.

    Attributes
    ----------
    black, white : ndarray float32 [channel]
        Pixel values of black and white.
    padding : tuple of int
        The colour that the image is padded with, 0 to 255 a channel; black where it is not padded.
    columns, rows : tuple of float, or None
        Place of the first processed pixel's edge in the image, and image pixels a processed pixel;
        None where pixels are not taken at even distances.
    """

    black: np.ndarray
    white: np.ndarray
    padding: tuple[int, ...]
    columns: tuple[float, float] | None
    rows: tuple[float, float] | None

    def box(self, n_rows: int, n_cols: int) -> Box | None:
        """Return the part of the image that lies under processed pixels.

        Parameters
        ----------
        n_rows, n_cols : int
            How many processed pixels, from the upper left one on.

        Returns
        -------
        tuple of float or None
            None where pixels are not taken at even distances.
        """
        if self.columns is None or self.rows is None:
            return None
        left, width = self.columns
        top, height = self.rows
        return left, top, left + n_cols * width, top + n_rows * height


def processing_of(processor: Any, size: tuple[int, int], mode: str) -> Processing | None:
    """Return what a processor makes of images of one size.

    Parameters
    ----------
    processor : transformers image processor
    size : tuple of int
        Rows and columns of pixels.
    mode : "RGB" or "L"
        How the images are given.

    Returns
    -------
    Processing or None
        None where it cannot be found out.

    Examples
    --------
    >>> from transformers import BitImageProcessorPil
    >>> sizes = {"size": {"shortest_edge": 50}, "crop_size": {"height": 60, "width": 50}}
    >>> processing_of(BitImageProcessorPil(**sizes), (100, 200), "RGB").box(60, 50)
    (50.0, -10.0, 150.0, 110.0)
    """
    return _by_showing(_Shown(processor), size, mode)


def levels_of(processor: Any, mode: str) -> tuple[np.ndarray, np.ndarray] | None:
    """Return the pixel values of black and of white [channel].

    They are None where they cannot be found out.
    """
    processing = processing_of(processor, _LEVELS_SIZE, mode)
    if processing is None:
        return None
    return processing.black, processing.white


class _Shown:
    """A processor as a key: equal to another one of the same options.

    A processor may change between two images, so its options are part of the key.
    """

    def __init__(self, processor: Any):
        self.processor = processor
        options = sorted(vars(processor).items(), key=lambda item: item[0])
        self.key = (type(processor), repr(options))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Shown) and self.key == other.key

    def __hash__(self) -> int:
        return hash(self.key)


@lru_cache(maxsize=256)
def _by_showing(shown: _Shown, size: tuple[int, int], mode: str) -> Processing | None:
    n_rows, n_cols = size
    if n_rows * n_cols > _MOST_PIXELS:
        return None
    # Ramps of grey tell where a processed pixel comes from; black and white tell how bright it is.
    ramp_across = np.linspace(0, _GREY_LEVELS, n_cols).round()[None]
    ramp_down = np.linspace(0, _GREY_LEVELS, n_rows).round()[:, None]
    try:
        across = _processed(shown.processor, ramp_across, size, mode)
        down = _processed(shown.processor, ramp_down, size, mode)
        white = _processed(shown.processor, _GREY_LEVELS, size, mode)
        black = _processed(shown.processor, 0, size, mode)
    except Exception:
        # A processor of the user's own may not take such an image.
        return None

    # Where black and white look alike, the processor has put something else than the image.
    contrast = (white - black)[0]
    inside = np.abs(contrast) > 0.99 * np.abs(contrast).max()
    if not inside.any():
        return None
    with np.errstate(invalid="ignore", divide="ignore"):
        across = np.where(inside, (across - black)[0] / contrast, np.nan)
        down = np.where(inside, (down - black)[0] / contrast, np.nan)
    columns = np.flatnonzero(inside.any(0))
    rows = np.flatnonzero(inside.any(1))
    low = black[:, rows[0], columns[0]]
    high = white[:, rows[0], columns[0]]
    return Processing(
        black=low.astype(np.float32),
        white=high.astype(np.float32),
        padding=_colour(black[:, ~inside], low, high),
        columns=_line(across[rows], columns, n_cols),
        rows=_line(down.T[columns], rows, n_rows),
    )


def _processed(processor: Any, grey: Any, size: tuple[int, int], mode: str) -> np.ndarray:
    """Return the pixel values [channel, row, col] of an image of grey levels.

    The levels are one for the image, one a row or one a column.
    """
    levels = np.asarray(grey, dtype=np.uint8)
    image = Image.fromarray(np.broadcast_to(levels, size))
    # A batch of one image.
    batch = processor(images=image.convert(mode), return_tensors="np")
    values = np.asarray(batch["pixel_values"], dtype=np.float32)
    return values[0]


def _colour(outside: np.ndarray, black: np.ndarray, white: np.ndarray) -> tuple[int, ...]:
    """Return the colour of pixel values [channel, place] that are no part of the image."""
    if not outside.size:
        return (0,) * len(black)
    brightness = (outside.mean(1) - black) / (white - black)
    levels = (_GREY_LEVELS * brightness.clip(0, 1)).round()
    return tuple(int(level) for level in levels)


def _line(places: np.ndarray, processed: np.ndarray, n_pixels: int) -> tuple[float, float] | None:
    """Return where processed pixels come from along one side.

    Parameters
    ----------
    places : ndarray [line, pixel]
        How bright a ramp from 0 to 1 over the image became.
    processed : ndarray [place]
        Which processed pixels lie within the image.
    n_pixels : int
        Of the image.
    """
    sources = places[:, processed].mean(0) * (n_pixels - 1) + 0.5
    centres = processed + 0.5
    middle = _away_from_ends(sources, n_pixels)
    sources, centres = sources[middle], centres[middle]
    if len(sources) < 2 or not np.isfinite(sources).all():
        return None
    step = np.polyfit(centres, sources, 1)[0]
    if step <= 0:
        return None
    # An image is resized to whole pixels, then cropped or padded by whole pixels. So only a few
    # steps and starts are possible.
    size = round(n_pixels / step)
    fits = []
    for possible_size in range(max(1, size - 3), size + 4):
        fits.append(_at_whole_pixels(sources, centres, n_pixels / possible_size))
    error, start, step = min(fits)
    tolerance = step / 2 + n_pixels / _GREY_LEVELS
    return (start * step, step) if error <= tolerance else None


def _away_from_ends(sources: np.ndarray, n_pixels: int) -> np.ndarray:
    """Return which places lie away from the ends of the image; the middle ones if none do.

    A resized ramp is flat at its ends, or overshoots.
    """
    step = 0.0
    if len(sources) > 1:
        step = abs(float(np.median(np.diff(sources))))
    from_end = np.minimum(sources, n_pixels - sources)
    away = np.flatnonzero(from_end > 2 * max(1.0, step))
    margin = len(sources) // 4
    if len(away) >= 4:
        return away
    return np.arange(margin, len(sources) - margin)


def _at_whole_pixels(
    sources: np.ndarray, centres: np.ndarray, step: float
) -> tuple[float, int, float]:
    """Return the error of the best start that is a whole number of steps, the start and step."""
    start = round(float(np.mean(sources / step - centres)))
    error = float(np.abs((centres + start) * step - sources).mean())
    return error, start, step
