"""Image files of a folder, of one folder a class, or of a list, with labels where they have them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from multiplex_vit.errors import InputError
from multiplex_vit.limits import MOST_IMAGE_BYTES
from multiplex_vit.reading import content_of, named
from multiplex_vit.study.sources.columns import column_named
from multiplex_vit.study.sources.source import Label, Source
from multiplex_vit.tabular import read_table

SUFFIXES = frozenset(
    [
        ".jpg",
        ".jpeg",
        ".jpe",
        ".png",
        ".webp",
        ".tif",
        ".tiff",
        ".gif",
        ".bmp",
        ".ppm",
        ".pgm",
        ".pnm",
        ".mpo",
        ".jp2",
        ".avif",
        ".tga",
        ".ico",
        ".pcx",
    ]
)
"""File names that count as images."""


@dataclass(frozen=True, eq=False)
class Files:
    """Image files under a folder."""

    root: Path
    names: tuple[str, ...]
    labels: tuple[Label, ...]
    kind: str
    fingerprint: None = None

    def __len__(self) -> int:
        return len(self.names)

    def name(self, place: int) -> str:
        """Return the file's path under the folder."""
        return self.names[place]

    def data(self, place: int) -> bytes:
        """Return the file's content."""
        path = self.root / self.names[place]
        content = content_of(path, give="an image file", most=MOST_IMAGE_BYTES)
        if not content:
            raise InputError(f"{path} is empty (0 bytes); give an image file")
        return content

    def label(self, place: int) -> Label:
        """Return the file's class."""
        return self.labels[place]

    def is_array(self, place: int) -> bool:
        """Return False: files hold pictures."""
        return False

    def state(self) -> Sequence[Any]:
        """Return names, sizes and labels."""
        sizes = []
        for name in self.names:
            path = self.root / name
            # A file that is gone is a change too.
            sizes.append(path.stat().st_size if path.exists() else -1)
        return [self.names, sizes, self.labels]


# --- what a path or a list gives ------------------------------------------------------------------


def from_folder(folder: Path, names: list[str], labels: Any) -> Source:
    """Return pictures of a folder, by what `pictures_of` found; folders in it are classes."""
    if not names:
        # That it is empty is said before anything about labels.
        return Files(folder, (), (), str(folder))
    is_by_class = "/" in names[0]
    if is_by_class and labels is None:
        classes: tuple[Label, ...] = tuple(name.split("/")[0] for name in names)
    else:
        classes = _labels(names, labels)
    return Files(folder, tuple(names), classes, str(folder))


def from_files(paths: list[Path], labels: Any) -> Source:
    """Return image files as a source; InputError if one is missing."""
    missing = [path for path in paths if not path.exists()]
    if missing:
        others = f", nor {len(missing) - 1} others" if missing[1:] else ""
        raise InputError(f"no such image: {missing[0]}{others}")
    folders = {path.parent for path in paths}
    names = [path.name for path in paths]
    if len(folders) == 1 and len(set(names)) == len(names):
        root = folders.pop()
    else:
        # Names alone would not tell files of several folders apart.
        root = Path("/")
        names = [str(path.resolve()) for path in paths]
    return Files(root, tuple(names), _labels(names, labels), "files")


def from_csv(path: Path) -> Source:
    """Return the files that a CSV lists, with their labels where it has them."""
    table = _listed_files(path)
    names = [str(name) for name in table["file"]]
    missing = [name for name in names if not named(path.parent / name).is_file()]
    if missing:
        what = f"{path} names {len(missing)} of {len(names)} files that are not there"
        where = "paths are relative to the CSV's folder"
        raise InputError(f"{what}, such as {missing[0]!r}; {where}")
    labels: tuple[Label, ...] = (None,) * len(names)
    if "label" in table:
        labels = tuple(_label(text) for text in table["label"])
    return Files(path.parent, tuple(names), labels, str(path))


def pictures_of(folder: Path) -> list[str]:
    """Return the names of a folder's pictures, or else of those in its folders ("cat/1.png").

    Raises
    ------
    InputError
        If there are pictures at both levels, or beside Parquet files: either would hide the other.
    """
    # In the order of their names: that of a file system differs between machines.
    visible = (entry for entry in folder.iterdir() if not entry.name.startswith("."))
    entries = sorted(visible)
    names = [entry.name for entry in entries if _is_picture(entry)]
    names_below = []
    for entry in entries:
        if entry.is_dir():
            inside = sorted(file for file in entry.iterdir() if _is_picture(file))
            names_below += [f"{entry.name}/{file.name}" for file in inside]
    kinds: dict[str, list[Any]] = {
        "pictures": names,
        "Parquet files": parquet_of(folder),
        "pictures in folders": names_below,
    }
    present = [f"{len(files)} {kind}" for kind, files in kinds.items() if files]
    if len(present) > 1:
        what = " beside ".join(present)
        raise InputError(f"{folder} holds {what}; move one of them elsewhere, or give the files")
    return names or names_below


def parquet_of(folder: Path) -> list[Path]:
    """Return the Parquet files of a folder, by name."""
    paths = []
    for entry in folder.iterdir():
        if entry.suffix.lower() == ".parquet" and not entry.name.startswith("."):
            paths.append(entry)
    return sorted(paths)


def _is_picture(path: Path) -> bool:
    return path.suffix.lower() in SUFFIXES and path.is_file()


# --- labels ---------------------------------------------------------------------------------------


def _labels(names: list[str], labels: Any) -> tuple[Label, ...]:
    """Return a label a file; every file must have one, and every label a file."""
    if labels is None:
        return (None,) * len(names)
    label_of = _labels_by_name(labels)
    unlabelled = [name for name in names if name not in label_of]
    unused = sorted(set(label_of) - set(names))
    faults = []
    if unlabelled:
        faults.append(f"{len(unlabelled)} images without a label, such as {unlabelled[0]!r}")
    if unused:
        faults.append(f"{len(unused)} labels without an image, such as {unused[0]!r}")
    if faults:
        raise InputError(f"the labels do not match the images: {'; '.join(faults)}")
    return tuple(label_of[name] for name in names)


def _labels_by_name(labels: Any) -> dict[str, Label]:
    if isinstance(labels, Mapping):
        return {str(name): label for name, label in labels.items()}
    table = _listed_files(Path(labels))
    if "label" not in table:
        raise InputError(f"{labels} has no column label")
    return dict(zip(table["file"], map(_label, table["label"]), strict=True))


def _listed_files(path: Path) -> pd.DataFrame:
    """Return a CSV with the column `file`, and `label` where it has that."""
    table = read_table(path, give="a CSV with columns file and label")
    renamed = {}
    for wanted in ("file", "label"):
        column = column_named(wanted, table.columns, str(path))
        if column is not None:
            renamed[column] = wanted
    table = table.rename(columns=renamed)
    if "file" not in table:
        columns = ", ".join(map(str, table))
        raise InputError(f"{path} has columns {columns}; file (and label) are wanted")
    twice = table["file"][table["file"].duplicated()]
    if len(twice):
        raise InputError(f"{path} names {twice.iloc[0]!r} twice; give each file once")
    return table


def _label(text: Any) -> Label:
    """Return the label of a cell; an empty one is none."""
    return None if text in ("", None) else text
