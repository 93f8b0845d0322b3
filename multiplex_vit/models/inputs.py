"""Inputs: from an image to pixel values, and from pixel values to tokens."""

from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from multiplex_vit.errors import InputError
from multiplex_vit.models.fast.batches import chunks_of_fixed_size
from multiplex_vit.models.normalisation import normalisation_of
from multiplex_vit.models.passes import tokens_of
from multiplex_vit.models.picture import Picture, view_of
from multiplex_vit.models.port import Port, Tokens
from multiplex_vit.models.processing import processing_of
from multiplex_vit.models.running import attending
from multiplex_vit.models.tensors import computable, refuse_many_tokens, to_device
from multiplex_vit.pictures import MAX_PIXELS, read_image


def input_size(port: Port, processor: Any) -> tuple[int, int]:
    """Return rows and columns of pixels of an image as it is usually given.

    It is the size that the image processor makes of any image, or else that of the configuration.
    """
    if port.trunk.any_size:
        size = processed_size(processor)
        if size is not None:
            return size
    return port.trunk.image_size


def processed_size(processor: Any) -> tuple[int, int] | None:
    """Return rows and columns of pixels that an image processor makes of any image.

    Returns
    -------
    tuple of int or None
        None if the size depends on the image, or there is no processor.
    """
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


def picture_of(port: Port, processor: Any, image: Any) -> Picture:
    """Return an image ready for the model; see `VisionModel.picture`."""
    if isinstance(image, Picture):
        return image
    if isinstance(image, Tensor):
        return _of_pixels(port, processor, image.detach())
    if isinstance(image, np.ndarray) and image.dtype.kind == "f":
        values = np.ascontiguousarray(image, dtype=np.float32)
        return _of_pixels(port, processor, torch.from_numpy(values))
    if processor is None:
        raise InputError(
            f"{port.name} has no image processor; "
            "give pre-processed pixel values [1, channel, row, col]"
        )
    return _of_image(port, processor, image)


def _of_pixels(port: Port, processor: Any, values: Tensor) -> Picture:
    pixels = _checked(port, processor, values)
    return Picture(pixels, _shown(port, processor, pixels))


def _of_image(port: Port, processor: Any, image: Any) -> Picture:
    rgb = read_image(image)
    # Before the processor, which would enlarge it.
    _refuse_large(rgb, processor)
    if port.trunk.n_channels == 1:
        rgb = rgb.convert("L")
    values = processor(images=rgb, return_tensors="pt")["pixel_values"]
    # A processor that does not rescale gives whole numbers.
    pixels = _checked(port, processor, values.float())
    size = rgb.height, rgb.width
    processing = processing_of(processor, size, rgb.mode)
    # The picture is cut out of the image itself, at its own resolution.
    box = None
    if processing is not None:
        box = processing.box(*_covered(port, pixels))
    if processing is None or box is None:
        # Where the processor cannot be followed, the pixel values are shown instead.
        return Picture(pixels, _shown(port, processor, pixels))
    view = view_of(rgb, box, processing.padding)
    return Picture(pixels, np.asarray(view.convert("RGB")))


def _refuse_large(rgb: Image.Image, processor: Any) -> None:
    """Refuse a long and narrow image that its processor would enlarge beyond all memory."""
    size = processor.size if getattr(processor, "do_resize", False) else None
    shortest = size.get("shortest_edge") if size else None
    if not shortest:
        return
    width, height = rgb.size
    resized = width * height * (shortest / min(width, height)) ** 2
    if resized > MAX_PIXELS:
        raise InputError(
            f"an image of {width} x {height} pixels has {resized:,.0f} once its shorter side is "
            f"{shortest} (limit {MAX_PIXELS:,}); crop it first"
        )


def _checked(port: Port, processor: Any, pixels: Tensor) -> Tensor:
    """Return pixel values on the model's device, after checking that it can take them."""
    fits, expected = _fit(port, processor, pixels)
    if not fits or not pixels.is_floating_point():
        raise InputError(
            f"pixel values have shape {list(pixels.shape)} ({pixels.dtype}); "
            f"{port.name} wants float {expected}"
        )
    rows, cols = port.grid_of(pixels.shape[2:])
    refuse_many_tokens(rows * cols)
    pixels = computable(pixels).to(torch.float32)
    if not pixels.isfinite().all():
        raise InputError("pixel values contain NaN or infinity; pre-process the image again")
    return to_device(pixels, port.device, torch.float32)


def _fit(port: Port, processor: Any, pixels: Tensor) -> tuple[bool, str]:
    """Return whether pixel values have a shape that the model takes, and what it takes."""
    channels = port.trunk.n_channels
    shape = tuple(pixels.shape)
    if port.trunk.any_size and len(shape) == 4:
        rows, cols = port.trunk.patch
        patch = f"at least one patch ({rows} x {cols})"
        expected = f"[1, {channels}, row, col] of {patch}"
        has_patch = min(port.grid_of(shape[2:])) >= 1
        return shape[:2] == (1, channels) and has_patch, expected
    size = input_size(port, processor)
    return shape == (1, channels, *size), f"[1, {channels}, {size[0]}, {size[1]}]"


def _covered(port: Port, pixels: Tensor) -> tuple[int, int]:
    """Return rows and columns of pixels that lie in a patch.

    The pixels left at the right and below have no part in the model.
    """
    grid_rows, grid_cols = port.grid_of(pixels.shape[2:])
    patch_rows, patch_cols = port.trunk.patch
    return grid_rows * patch_rows, grid_cols * patch_cols


def _shown(port: Port, processor: Any, pixels: Tensor) -> np.ndarray:
    """Return pixel values as a picture uint8 [row, col, channel]."""
    mean, std = normalisation_of(port, processor)
    rows, cols = _covered(port, pixels)
    values = pixels[0, :, :rows, :cols].cpu().numpy()
    values = values * std[:, None, None]
    values = values + mean[:, None, None]
    # Of many channels the first three are shown as colours, of few the first as grey.
    places = [0, 1, 2] if len(values) >= 3 else [0, 0, 0]
    values = values[places]
    levels = (255 * values.clip(0, 1)).round().astype(np.uint8)
    return levels.transpose(1, 2, 0)


@torch.no_grad()
def embed(port: Port, pixels: Tensor | np.ndarray) -> Tokens:
    """Return the tokens that enter the first block; see `VisionModel.embed`."""
    size = pixels.shape[2:]
    n_token = port.n_token(size)
    values = to_device(torch.as_tensor(pixels), port.device, port.dtype)
    rows, cols = port.grid_of(size)
    chunks = []
    with attending(port.module):
        for chunk, count in chunks_of_fixed_size(values, n_token):
            chunks.append(tokens_of(port, chunk)[:count])
    tokens = torch.cat(chunks)
    if tokens.shape[1] != n_token:
        raise InputError(
            f"{port.name} makes {tokens.shape[1]} tokens, but its trunk says "
            f"{port.n_prefix} prefix tokens + {rows} x {cols} patches = {n_token}; "
            "mend its trunk"
        )
    return Tokens(tokens, (rows, cols))
