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
    # At least one pixel, however small the part is.
    right = max(right, left + 1)
    bottom = max(bottom, top + 1)
    box_inside = (
        max(left, 0),
        max(top, 0),
        min(right, rgb.width),
        min(bottom, rgb.height),
    )
    if box_inside == (left, top, right, bottom):
        view = rgb.crop(box_inside)
        view.thumbnail((VIEW_SIDE, VIEW_SIDE))
        return view

    # Shrunk before it is padded, since a small image may be padded to a large one.
    width, height = right - left, bottom - top
    shrink = min(1, VIEW_SIDE / max(width, height))
    colour = padding if len(padding) > 1 else padding[0]
    view = Image.new(rgb.mode, _scaled(width, height, shrink), colour)
    x, y, x_end, y_end = box_inside
    if x < x_end and y < y_end:
        size = _scaled(x_end - x, y_end - y, shrink)
        place = round((x - left) * shrink), round((y - top) * shrink)
        view.paste(rgb.crop(box_inside).resize(size), place)
    return view


def _scaled(width: int, height: int, factor: float) -> tuple[int, int]:
    return max(1, round(width * factor)), max(1, round(height * factor))
