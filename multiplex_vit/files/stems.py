"""Stems: names for results that every system takes, whatever their images are called."""

import os
import re
import unicodedata
from collections.abc import Iterable
from pathlib import Path

_LONGEST_STEM = 120
"""Letters of a name for results, so that endings and a number fit behind it everywhere."""

_UNSAFE = re.compile(r'[\x00-\x1f\x7f<>:"/\\|?*\ud800-\udfff]')
_RESERVED = re.compile(
    r"(con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³])( *\..*)?", re.IGNORECASE
)


def output_stems(paths: Iterable[str | os.PathLike[str]]) -> list[str]:
    """Return a name for the results of each file: its stem, safe on any system, each of them once.

    Letters that some system takes in no name become "_"; so does a leading dot or hyphen, and a
    trailing dot or blank. Names that Windows keeps for devices get a "_" before them, and long ones
    are cut. Where a name comes again, as systems that know no case see it, it is numbered.

    Examples
    --------
    >>> output_stems(["a/cat.jpg", "b/Cat.png", "...", "con.png", "-x.png"])
    ['cat', 'Cat-2', '__', '_con', '_x']
    """
    used: set[str] = set()
    stems = []
    for path in paths:
        stem = _safe(Path(path).stem)
        name, number = stem, 1
        while _alike(name) in used:
            number += 1
            name = f"{stem}-{number}"
        used.add(_alike(name))
        stems.append(name)
    return stems


def _safe(stem: str) -> str:
    name = _UNSAFE.sub("_", stem)
    # File systems count bytes; letters are taken off one by one, so that none is cut in half.
    while len(name.encode()) > _LONGEST_STEM:
        name = name[:-1]
    if name[:1] in (".", "-", "~", " "):
        name = f"_{name[1:]}"
    # Windows drops dots and blanks at the end, and another file would have that name.
    bare = name.rstrip(". ")
    name = bare if bare == name else f"{bare}_"
    return f"_{name}" if not name or _RESERVED.fullmatch(name) else name


def _alike(name: str) -> str:
    """Return what names have in common that some file system takes for one."""
    return unicodedata.normalize("NFC", name).casefold()
