"""Picture: an image as the model takes it, and the part of it that the model sees."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image
from torch import Tensor

from multiplex_vit.errors import InputError
from multiplex_vit.pictures import MAX_PIXELS

VIEW_SIDE = 448
"""Longest side, in pixels, of the picture kept for drawing."""

Box = tuple[float, float, float, float]
"""Left, top, right and bottom in pixels of an image; beyond the image where a processor pads it."""


@dataclass(frozen=True, eq=False)
class Picture:
    """An image as the model takes it, and as a person sees it.

    Attributes
    ----------
    pixels : Tensor [1, channel, row, col]
        Pre-processed pixel values, on the model's device.
    view : ndarray uint8 [row, col, channel]
        What the model sees of the image, for drawing under a heatmap: what its patches cover, with what the processor pads it with.
    """

    pixels: Tensor
    view: np.ndarray


def processed_size(processor: Any) -> tuple[int, int] | None:
    """Return rows and columns of pixels that an image processor makes of any image, if it is one size."""
    if processor is None:
        return None
    size = None
    if getattr(processor, "do_center_crop", False):
        size = processor.crop_size
    elif getattr(processor, "do_resize", True):
        size = getattr(processor, "size", None)
    if not size or not size.get("height") or not size.get("width"):
        return None
    return size["height"], size["width"]


def refuse_large(rgb: Image.Image, processor: Any) -> None:
    """Refuse a long and narrow image that its processor would enlarge beyond all memory.

    Raises
    ------
    InputError
        If the image has more than `MAX_PIXELS` pixels once its shorter side is as the processor
        wants it.
    """
    size = processor.size if getattr(processor, "do_resize", False) else None
    shortest = size.get("shortest_edge") if size else None
    if not shortest:
        return
    width, height = rgb.size
    resized = width * height * (shortest / min(width, height)) ** 2
    if resized > MAX_PIXELS:
        why = f"an image of {width} x {height} pixels has {resized:,.0f} once its shorter side is"
        raise InputError(f"{why} {shortest} (limit {MAX_PIXELS:,}); crop it first")


def view_of(rgb: Image.Image, box: Box, beyond: tuple[int, ...]) -> Image.Image:
    """Return a part of an image, of the colour `beyond` where it lies beyond it, at most `VIEW_SIDE` pixels a side.

    Examples
    --------
    >>> view_of(Image.new("RGB", (8, 8), "white"), (-4, 0, 4, 8), (0, 0, 0)).resize((2, 1), 0).convert("L").tobytes()
    b'\\x00\\xff'
    """
    left, top, right, bottom = map(round, box)
    right, bottom = max(right, left + 1), max(bottom, top + 1)
    inner = (max(left, 0), max(top, 0), min(right, rgb.width), min(bottom, rgb.height))
    if inner == (left, top, right, bottom):
        view = rgb.crop(inner)
        view.thumbnail((VIEW_SIDE, VIEW_SIDE))
        return view
    # Shrunk before it is padded: a small image may be padded to a large one.
    shrink = min(1, VIEW_SIDE / max(right - left, bottom - top))
    size = _scaled((right - left, bottom - top), shrink)
    view = Image.new(rgb.mode, size, beyond if len(beyond) > 1 else beyond[0])
    if inner[0] < inner[2] and inner[1] < inner[3]:
        part = rgb.crop(inner).resize(_scaled((inner[2] - inner[0], inner[3] - inner[1]), shrink))
        view.paste(part, (round((inner[0] - left) * shrink), round((inner[1] - top) * shrink)))
    return view


def _scaled(size: tuple[int, int], share: float) -> tuple[int, int]:
    return max(1, round(size[0] * share)), max(1, round(size[1] * share))
