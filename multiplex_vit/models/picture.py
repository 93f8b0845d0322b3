"""Picture: an image as the model takes it, and what image processors do to its frame."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image
from torch import Tensor

from multiplex_vit.errors import InputError
from multiplex_vit.pictures import MAX_PIXELS

VIEW_SIDE = 448
"""Longest side, in pixels, of the picture kept for drawing."""


@dataclass(frozen=True, eq=False)
class Picture:
    """An image as the model takes it, and as a person sees it.

    Attributes
    ----------
    pixels : Tensor [1, channel, row, col]
        Pre-processed pixel values, on the model's device.
    view : ndarray uint8 [row, col, channel]
        What the model sees of the image (its crop), for drawing under a heatmap.
    """

    pixels: Tensor
    view: np.ndarray


def processed_size(processor: Any) -> tuple[int, int] | None:
    """Return rows and columns of pixels that an image processor makes of any image, if it is one size."""
    if processor is None:
        return None
    size = processor.crop_size if getattr(processor, "do_center_crop", False) else processor.size
    return (size["height"], size["width"]) if size and size.get("height") and size.get("width") else None


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


def view_of(rgb: Image.Image, processor: Any) -> Image.Image:
    """Return the part of an image that its processor lets through, at most `VIEW_SIDE` pixels a side."""
    if getattr(processor, "do_center_crop", False):
        width, height = rgb.size
        size, crop = processor.size, processor.crop_size
        shortest = size.get("shortest_edge") if getattr(processor, "do_resize", False) else min(width, height)
        scale = shortest / min(width, height) if shortest else None
        resized = (width * scale, height * scale) if scale else (size["width"], size["height"])
        w, h = (width * min(1, crop["width"] / resized[0]), height * min(1, crop["height"] / resized[1]))
        rgb = rgb.crop((round((width - w) / 2), round((height - h) / 2), round((width + w) / 2), round((height + h) / 2)))
    view = rgb.copy()
    view.thumbnail((VIEW_SIDE, VIEW_SIDE))
    return view
