"""Index: which of a source's images are taken, by their numbers."""

import os
import re
from collections.abc import Iterable, Sequence
from importlib.resources import files
from typing import Any

from multiplex_vit.checks import whole
from multiplex_vit.errors import InputError
from multiplex_vit.reading import named, read_text
from multiplex_vit.study.sources.source import Source

PUBLISHED = "published"
"""Name of the index of 5,000 ImageNet validation images of the published evaluation."""

_VALIDATION = re.compile(r"ILSVRC2012_val_([0-9]{8})\.")


def index_numbers(index: Any) -> list[int]:
    """Return the numbers of an index, which may be a list, a text file, or `PUBLISHED`."""
    if isinstance(index, (str, os.PathLike)):
        index = _numbers_of_file(index)
    if not isinstance(index, Iterable):
        wanted = f"give a list of whole numbers, a file or {PUBLISHED!r}"
        raise InputError(f"index is {index!r}; {wanted}")
    numbers = [whole("index", number, at_least=0) for number in index]
    if not numbers:
        raise InputError("the index is empty; give at least one whole number")
    if len(set(numbers)) < len(numbers):
        raise InputError("the index holds a number twice; give each once")
    return numbers


def positions(source: Source, places: Sequence[int], numbers: list[int]) -> list[int]:
    """Return where among places the images of these numbers are.

    Images of ImageNet's validation set go by the number in their names, so that a folder of some of
    them will do; all others by their place.
    """
    # Rows of tables and data sets have no names of files.
    names = getattr(source, "names", ())
    matches = [_VALIDATION.search(names[place]) for place in places] if names else []
    if matches and all(matches):
        return _positions_by_name(source, matches, numbers)
    beyond = [number for number in numbers if number >= len(places)]
    if beyond:
        there = f"{source.kind} has {len(places)} (0 to {len(places) - 1})"
        raise InputError(f"the index asks for image {beyond[0]}, but {there}")
    return numbers


def _positions_by_name(
    source: Source, matches: Iterable[re.Match[str] | None], numbers: list[int]
) -> list[int]:
    position_of = {}
    for position, match in enumerate(matches):
        if match:
            # Names count from 1, indices from 0.
            position_of[int(match[1]) - 1] = position
    missing = [number for number in numbers if number not in position_of]
    if missing:
        name = f"ILSVRC2012_val_{missing[0] + 1:08d}"
        lacking = f"lacks {len(missing)} of the {len(numbers)} images of the index"
        raise InputError(f"{source.kind} {lacking}, such as {name}")
    return [position_of[number] for number in numbers]


def _numbers_of_file(index: Any) -> list[int]:
    if index == PUBLISHED:
        path: Any = files("multiplex_vit.study.sources") / "imagenet_5000.txt"
    else:
        path = named(index)
    try:
        return [int(number) for number in read_text(path).split()]
    except ValueError as error:
        wanted = f"give a text file of whole numbers, or {PUBLISHED!r}"
        raise InputError(f"cannot read the index {path}: {error}; {wanted}") from error
