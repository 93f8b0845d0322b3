"""Reading images safely: whatever holds a picture becomes an RGB PIL image, anything else a clear error."""

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import IO, Any

import numpy as np
from PIL import Image, ImageOps

from multiplex_vit.errors import InputError
from multiplex_vit.limits import MOST_IMAGE_BYTES
from multiplex_vit.reading import named, opened

MAX_PIXELS = 89_478_485
"""Most pixels an image may claim (Pillow's own warning limit, 256 MiB as RGB); larger ones are refused unread."""

MIN_SIDE = 4
"""Fewest pixels a side: below that a picture has no rows and columns to tell apart."""

FORMATS = ("JPEG", "PNG", "WEBP", "TIFF", "GIF", "BMP", "PPM", "MPO", "JPEG2000", "AVIF", "TGA", "ICO", "PCX")
"""Formats that are read: rasters decoded in process (no EPS, which would start another program)."""

_SAMPLES = Path(__file__).parent / "samples"


def samples() -> dict[str, Path]:
    """Return the bundled pictures by name; samples/README.md names source and licence of each.

    Examples
    --------
    >>> sorted(samples())
    ['cat', 'horse', 'rocket']
    """
    return {path.stem: path for path in sorted(_SAMPLES.glob("*.jpg"))}


def read_image(image: Any) -> Image.Image:
    """Return an image as RGB, upright.

    Parameters
    ----------
    image : path-like, bytes, PIL.Image.Image or ndarray
        A file, a file's content, an image, or uint8 [row, col], [row, col, 3] or [row, col, 4]. Grey, palette, CMYK, 16-bit and
        transparent images are converted (transparency over white); EXIF rotation is applied; of an animation the first frame
        is taken.

    Returns
    -------
    PIL.Image.Image
        Mode RGB.

    Raises
    ------
    InputError
        If it is not an image, is damaged, or is smaller than 4 x 4 or larger than `MAX_PIXELS`.

    Examples
    --------
    >>> read_image(np.zeros((8, 6), dtype="uint8")).size
    (6, 8)
    """
    if isinstance(image, (str, os.PathLike)):
        return _read_file(named(image))
    if isinstance(image, bytes):
        return _decoded(BytesIO(image), "the image")
    if isinstance(image, Image.Image):
        with _told("the image"):
            return _as_rgb(image, "the image")
    if isinstance(image, np.ndarray):
        return _as_rgb(_from_array(image), "the array")
    raise InputError(f"cannot read an image from {type(image).__name__}; give a path, a PIL image or a uint8 array [row, col, channel]")


def _read_file(path: Path) -> Image.Image:
    if not os.path.lexists(path):
        known = ", ".join(samples())
        raise InputError(f"no such image: {path}; bundled pictures: {known} (multiplex_vit.samples())")
    if path.is_dir():
        raise InputError(f"{path} is a folder; give image files")
    with opened(path, give="an image file", most=MOST_IMAGE_BYTES) as file:
        if not os.fstat(file.fileno()).st_size:
            raise InputError(f"{path} is empty (0 bytes); give an image file")
        return _decoded(file, str(path))


def _decoded(file: IO[bytes], name: str) -> Image.Image:
    Image.init()
    with _told(name), warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        with Image.open(file, formats=[known for known in FORMATS if known in Image.OPEN]) as opened:
            return _as_rgb(opened, name)


@contextmanager
def _told(name: str) -> Iterator[None]:
    """Turn whatever a decoder raises into one line; damaged files make decoders fail in any way."""
    try:
        yield
    except InputError:
        raise
    except Image.DecompressionBombError as error:
        raise InputError(f"{name} has too many pixels (limit {MAX_PIXELS:,}); shrink it first") from error
    except Image.UnidentifiedImageError as error:
        raise InputError(f"{name} is not an image of a known format; give JPEG, PNG, WebP, TIFF, GIF, BMP or the like") from error
    except Exception as error:
        raise InputError(f"{name} is damaged or cannot be read ({' '.join(str(error).split()) or type(error).__name__}); save it again") from error


def _from_array(array: np.ndarray) -> Image.Image:
    channels_last = array.ndim == 2 or (array.ndim == 3 and array.shape[2] in (3, 4))
    if array.dtype != np.uint8 or not channels_last:
        shape = list(array.shape)
        raise InputError(
            f"cannot read an image from a {array.dtype} array of shape {shape}; give uint8 [row, col, 3], or float pixel values [1, channel, row, col]"
        )
    return Image.fromarray(array)


def _as_rgb(image: Image.Image, name: str) -> Image.Image:
    width, height = image.size
    if width * height > MAX_PIXELS:
        raise InputError(f"{name} has {width} x {height} pixels (limit {MAX_PIXELS:,}); shrink it first")
    if min(width, height) < MIN_SIDE:
        raise InputError(f"{name} has {width} x {height} pixels; at least {MIN_SIDE} x {MIN_SIDE} are needed")
    image = ImageOps.exif_transpose(image)
    if image.mode.startswith("I") or image.mode == "F":
        image = _from_deep(image)
    if image.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in image.info:
        image = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")
    return image.convert("RGB")


def _from_deep(image: Image.Image) -> Image.Image:
    """Bring 16-bit and 32-bit greys to 8 bits: by their range if they are 16-bit, by their own maximum beyond."""
    values = np.nan_to_num(np.asarray(image, dtype=np.float64))
    top = 65535.0 if image.mode != "F" and values.max(initial=0) <= 65535 else max(values.max(initial=0), 1e-12)
    return Image.fromarray((255 * np.clip(values / top, 0, 1)).round().astype(np.uint8))
