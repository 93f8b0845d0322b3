"""Picture: an image as the model takes it, and what image processors do to its frame."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image
from torch import Tensor

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
