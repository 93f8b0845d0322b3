"""Picture: an image as the model takes it, and the part of it that the model sees."""

from dataclasses import dataclass

import numpy as np
from PIL import Image
from torch import Tensor

VIEW_SIDE = 448
"""Longest side, in pixels, of the picture kept for drawing."""

Box = tuple[float, float, float, float]
"""Left, top, right and bottom in pixels of an image.

They may lie beyond the image, where a processor pads it.
"""


@dataclass(frozen=True, eq=False)
class Picture:
    """An image as the model takes it, and as a person sees it.

    Attributes
    ----------
    pixels : Tensor [1, channel, row, col]
        Pre-processed pixel values, on the model's device.
    view : ndarray uint8 [row, col, channel]
        What the model sees of the image, for drawing under a heatmap: what its patches cover,
        padded as the processor pads it.
    """

    pixels: Tensor
    view: np.ndarray


def view_of(rgb: Image.Image, box: Box, padding: tuple[int, ...]) -> Image.Image:
    """Return a part of an image for drawing, at most `VIEW_SIDE` pixels a side.

    Parameters
    ----------
    rgb : PIL.Image.Image
    box : tuple of float
        The part, in pixels.
    padding : tuple of int
        The colour of what lies beyond the image.

    Examples
    --------
    >>> white = Image.new("RGB", (8, 8), "white")
    >>> view_of(white, (-4, 0, 4, 8), (0, 0, 0)).resize((2, 1), 0).convert("L").tobytes()
    b'\\x00\\xff'
    """
    left, top, right, bottom = map(round, box)
    right, bottom = max(right, left + 1), max(bottom, top + 1)
    part = (max(left, 0), max(top, 0), min(right, rgb.width), min(bottom, rgb.height))
    if part == (left, top, right, bottom):
        view = rgb.crop(part)
        view.thumbnail((VIEW_SIDE, VIEW_SIDE))
        return view

    # Shrunk before it is padded, since a small image may be padded to a large one.
    shrink = min(1, VIEW_SIDE / max(right - left, bottom - top))
    size = _scaled((right - left, bottom - top), shrink)
    view = Image.new(rgb.mode, size, padding if len(padding) > 1 else padding[0])
    if part[0] < part[2] and part[1] < part[3]:
        inside = _scaled((part[2] - part[0], part[3] - part[1]), shrink)
        place = (round((part[0] - left) * shrink), round((part[1] - top) * shrink))
        view.paste(rgb.crop(part).resize(inside), place)
    return view


def _scaled(size: tuple[int, int], factor: float) -> tuple[int, int]:
    return max(1, round(size[0] * factor)), max(1, round(size[1] * factor))
