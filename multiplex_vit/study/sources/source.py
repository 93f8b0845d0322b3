"""ImageSource: images of a study, whatever they are read from, one file's content at a time."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from io import BytesIO
from typing import Any, Protocol

import numpy as np

from multiplex_vit.errors import InputError
from multiplex_vit.pictures import read_image

Label = int | str | None
"""The class of an image, as its source has it; None where it is not known."""


@dataclass(frozen=True)
class Sample:
    """One image of a study.

    Attributes
    ----------
    number : int
        Its place among the study's images.
    name : str
    data : bytes
        Content of the image's file.
    label : int, str or None
        Its class, as the source has it.
    is_array : bool
        Whether the data are pixel values, as NumPy writes arrays.
    """

    number: int
    name: str
    data: bytes
    label: Label = None
    is_array: bool = False

    @property
    def image(self) -> Any:
        """The image as models take it: a file's content, or pixel values."""
        if not self.is_array:
            return self.data
        # Written by this package, and still never unpickled.
        return np.load(BytesIO(self.data), allow_pickle=False)

    @cached_property
    def sha256(self) -> str:
        """Hash of the content."""
        return sha256(self.data).hexdigest()


class Source(Protocol):
    """What `ImageSource` reads from: images by their place, with names and perhaps classes."""

    @property
    def kind(self) -> str:
        """Return what it is, for messages."""

    @property
    def fingerprint(self) -> Any:
        """Return a hash of all images where the source has one already, else None."""

    def __len__(self) -> int: ...
    def name(self, place: int) -> str:
        """Return a name."""

    def data(self, place: int) -> bytes:
        """Return the content of the image's file; InputError or OSError if there is none."""

    def label(self, place: int) -> Label:
        """Return the class, or None."""

    def is_array(self, place: int) -> bool:
        """Return whether the content is pixel values, as NumPy writes arrays."""

    def state(self) -> Sequence[Any]:
        """Return what tells this source from one that has changed, without reading the images."""


@dataclass(frozen=True, eq=False)
class ImageSource:
    """Images, read one at a time; from `images`.

    Attributes
    ----------
    source : Source
    places : sequence of int
        Which of the source's images, in order.
    origin : dict, optional
        What `images` was given, where it is plain text and numbers, to find them again.
    """

    source: Source
    places: Sequence[int]
    origin: dict[str, Any] | None = None

    def __len__(self) -> int:
        return len(self.places)

    def __repr__(self) -> str:
        return f"<ImageSource: {len(self)} images of {self.source.kind}>"

    def __iter__(self) -> Iterator[Sample]:
        for number in range(len(self)):
            yield self.sample(number)

    def name(self, number: int) -> str:
        """Return the name of an image; its place where not even the name can be read."""
        try:
            return self.source.name(self.places[number])
        except Exception:
            return f"{self.places[number]:06d}"

    def sample(self, number: int) -> Sample:
        """Return an image by its number; InputError if it cannot be read."""
        place = self.places[number]
        source = self.source
        try:
            return Sample(
                number,
                source.name(place),
                source.data(place),
                source.label(place),
                source.is_array(place),
            )
        except InputError:
            raise
        except Exception as error:
            # A data set of the user's own may raise anything, and the other images go on.
            reason = " ".join(str(error).split())
            raise InputError(f"cannot be read ({type(error).__name__}: {reason})") from error

    def record(self) -> dict[str, Any]:
        """Return what a study's manifest keeps of the images.

        That is their kind, how many they are, and a fingerprint of names, sizes, labels and choice.
        """
        # What JSON cannot hold, such as a label of NumPy, counts by its text.
        state = json.dumps([list(self.source.state()), list(self.places)], default=str)
        return {
            "kind": self.source.kind,
            "images": len(self),
            "fingerprint": sha256(state.encode()).hexdigest(),
        }


def png_of(image: Any) -> bytes:
    """Return an image as the content of a PNG file."""
    written = BytesIO()
    read_image(image).save(written, "PNG")
    return written.getvalue()
