"""Images in memory: PIL images, arrays, tensors, or paths by names of the user's own."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np

from multiplex_vit.checks import numbers
from multiplex_vit.errors import InputError
from multiplex_vit.limits import MOST_IMAGE_BYTES
from multiplex_vit.reading import content_of
from multiplex_vit.study.sources.source import Label, Source, png_of
from multiplex_vit.tabular import unicode_text


@dataclass(frozen=True, eq=False)
class Pictures:
    """Images in memory, each by a name of its own; they are turned into PNG.

    Attributes
    ----------
    names : tuple of str
    images : tuple
        Paths, PIL images, uint8 arrays [row, col, channel], or pixel values as models take them
        (float arrays or tensors), which are kept as they are.
    """

    names: tuple[str, ...]
    images: tuple[Any, ...]
    kind: str = "images"
    fingerprint: None = None

    def __len__(self) -> int:
        return len(self.names)

    def name(self, place: int) -> str:
        """Return the image's name."""
        return self.names[place]

    def is_array(self, place: int) -> bool:
        """Return whether an image is given by its pixel values."""
        dtype = getattr(self.images[place], "dtype", None)
        # Bytes are the levels of a picture; any other numbers are what a model takes.
        return dtype is not None and str(dtype) != "uint8"

    def data(self, place: int) -> bytes:
        """Return the image as PNG, or a file's content or pixel values as they are."""
        image = self.images[place]
        if isinstance(image, (str, os.PathLike)):
            return content_of(Path(image), give="an image file", most=MOST_IMAGE_BYTES)
        if not self.is_array(place):
            return png_of(image)
        pixels = numbers("image", image).astype(np.float32)
        written = BytesIO()
        np.save(written, pixels, allow_pickle=False)
        return written.getvalue()

    def label(self, place: int) -> Label:
        """Return None: nothing is known of classes."""
        return None

    def state(self) -> Sequence[Any]:
        """Return names and hashes of the images."""
        hashes = []
        for place in range(len(self)):
            try:
                hashes.append(sha256(self.data(place)).hexdigest())
            except (InputError, OSError) as error:
                # It fails again where it is to be explained, and is reported there.
                hashes.append(str(error))
        return [self.names, hashes]


def from_memory(pictures: Mapping[str, Any], labels: Any) -> Source:
    """Return images by their names as a source; InputError if labels are given or names repeat."""
    if labels is not None:
        raise InputError("labels came with images in memory; give files, or a data set")
    names = tuple(unicode_text(name) for name in pictures)
    # Two names that UTF-8 cannot hold may become one.
    if len(set(names)) < len(names):
        raise InputError("two images have one name; give each its own")
    return Pictures(names, tuple(pictures.values()))


def is_image(value: Any) -> bool:
    """Tell whether something is an image in memory: a PIL image, an array or a tensor."""
    return hasattr(value, "__array_interface__") or hasattr(value, "dtype")
