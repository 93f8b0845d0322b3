"""Reading images safely: what holds a picture becomes an RGB image, anything else a clear error."""

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
"""Most pixels an image may claim; larger ones are refused unread.

It is Pillow's own warning limit, 256 MiB as RGB.
"""

MIN_SIDE = 4
"""Fewest pixels a side: below that a picture has no rows and columns to tell apart."""

# Rasters that are decoded in this process; EPS, for one, would start another program.
FORMATS = (
    "JPEG",
    "PNG",
    "WEBP",
    "TIFF",
    "GIF",
    "BMP",
    "PPM",
    "MPO",
    "JPEG2000",
    "AVIF",
    "TGA",
    "ICO",
    "PCX",
)
"""Formats that are read."""

_TRANSPARENT = ("RGBA", "LA", "PA", "RGBa", "La")
_SAMPLES = Path(__file__).parent / "samples"


def samples() -> dict[str, Path]:
    """Return the bundled pictures by name; samples/README.md names source and licence of each.

    Examples
    --------
    >>> sorted(samples())
    ['cat', 'deer', 'deer_and_dog', 'dogs', 'grey_cat', 'horse', 'rocket']
    """
    return {path.stem: path for path in sorted(_SAMPLES.glob("*.jpg"))}


def read_image(image: Any) -> Image.Image:
    """Return an image as RGB, upright.

    Parameters
    ----------
    image : path-like, bytes, PIL.Image.Image or ndarray
        A file, a file's content, an image, or uint8 [row, col], [row, col, 3] or [row, col, 4].
        Grey, palette, CMYK, 16-bit and transparent images are converted (transparency over white);
        EXIF rotation is applied; of an animation the first frame is taken.

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
        # An image may be open but not yet decoded.
        with _decoding("the image"):
            return _as_rgb(image, "the image")
    if isinstance(image, np.ndarray):
        return _as_rgb(_from_array(image), "the array")
    given = f"cannot read an image from {type(image).__name__}"
    raise InputError(f"{given}; give a path, a PIL image or a uint8 array [row, col, channel]")


def _read_file(path: Path) -> Image.Image:
    if not os.path.lexists(path):
        names = ", ".join(samples())
        bundled = f"bundled pictures: {names} (multiplex_vit.samples())"
        raise InputError(f"no such image: {path}; {bundled}")
    if path.is_dir():
        raise InputError(f"{path} is a folder; give image files")
    with opened(path, give="an image file", most=MOST_IMAGE_BYTES) as file:
        if not os.fstat(file.fileno()).st_size:
            raise InputError(f"{path} is empty (0 bytes); give an image file")
        return _decoded(file, str(path))


def _decoded(file: IO[bytes], name: str) -> Image.Image:
    Image.init()
    # Which formats there are depends on how Pillow was built.
    formats = [kind for kind in FORMATS if kind in Image.OPEN]
    with _decoding(name), warnings.catch_warnings():
        # The number of pixels is checked below.
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        with Image.open(file, formats=formats) as image:
            return _as_rgb(image, name)


@contextmanager
def _decoding(name: str) -> Iterator[None]:
    """Turn whatever a decoder raises into one line; damaged files make decoders fail in any way."""
    try:
        yield
    except InputError:
        raise
    except Image.DecompressionBombError as error:
        limit = f"(limit {MAX_PIXELS:,})"
        raise InputError(f"{name} has too many pixels {limit}; shrink it first") from error
    except Image.UnidentifiedImageError as error:
        give = "give JPEG, PNG, WebP, TIFF, GIF, BMP or the like"
        raise InputError(f"{name} is not an image of a known format; {give}") from error
    except Exception as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        damage = f"{name} is damaged or cannot be read ({reason})"
        raise InputError(f"{damage}; save it again") from error


def _from_array(array: np.ndarray) -> Image.Image:
    is_grey = array.ndim == 2
    is_coloured = array.ndim == 3 and array.shape[2] in (3, 4)
    if array.dtype == np.uint8 and (is_grey or is_coloured):
        return Image.fromarray(array)
    shape = list(array.shape)
    given = f"a {array.dtype} array of shape {shape}"
    # Floats are pixel values, which go to the model as they are.
    give = "uint8 [row, col, 3]"
    pixels = "float pixel values [1, channel, row, col]"
    raise InputError(f"cannot read an image from {given}; give {give}, or {pixels}")


def _as_rgb(image: Image.Image, name: str) -> Image.Image:
    """Return an image as RGB after checking its size, before any pixel is decoded."""
    # The size stands in a file's first bytes: a picture of absurd size costs nothing to refuse.
    width, height = image.size
    size = f"{name} has {width} x {height} pixels"
    if width * height > MAX_PIXELS:
        raise InputError(f"{size} (limit {MAX_PIXELS:,}); shrink it first")
    if min(width, height) < MIN_SIDE:
        raise InputError(f"{size}; at least {MIN_SIDE} x {MIN_SIDE} are needed")
    image = ImageOps.exif_transpose(image)
    # Pillow would cut greys of 16 bits off at 255.
    if image.mode.startswith("I") or image.mode == "F":
        image = _to_8_bits(image)
    if image.mode in _TRANSPARENT or "transparency" in image.info:
        image = image.convert("RGBA")
        white = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(white, image)
    return image.convert("RGB")


def _to_8_bits(image: Image.Image) -> Image.Image:
    """Bring greys of 16 and 32 bits to 8 bits.

    Those of 16 bits are divided by their range, those beyond by their own maximum.
    """
    values = np.nan_to_num(np.asarray(image, dtype=np.float64))
    top = values.max(initial=0)
    if image.mode != "F" and top <= 65535:
        top = 65535.0
    # A picture that is black all over has no maximum to divide by.
    levels = 255 * np.clip(values / max(top, 1e-12), 0, 1)
    return Image.fromarray(levels.round().astype(np.uint8))
