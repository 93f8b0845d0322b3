"""Manifest: the file that says which study a folder holds, and which explainers it has."""

import json
import platform
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from multiplex_vit.errors import InputError
from multiplex_vit.files import written_whole
from multiplex_vit.reading import read_json
from multiplex_vit.study.groups import Group
from multiplex_vit.study.parts import identity_of
from multiplex_vit.study.schema import IMAGES, MANIFEST

FORMAT = "multiplex_vit study 3"

_PACKAGES = ("multiplex-vit", "torch", "transformers", "numpy", "scipy", "igraph", "pyarrow")
_SHOWN_CHARACTERS = 100


@dataclass(frozen=True)
class Manifest:
    """What a study is.

    Attributes
    ----------
    study : dict
        Plan, images, size of a chunk and hash of the model's weights, as JSON can hold them.
    groups : tuple of Group
        The explainers that are computed together; more may be added later.
    versions : dict
        Python and the packages that results depend on, when the study was begun.
    origin : dict, optional
        What gives the images again (see `images`).
    """

    study: Mapping[str, Any]
    groups: tuple[Group, ...]
    versions: dict[str, str]
    origin: Mapping[str, Any] | None

    @property
    def save(self) -> tuple[str, ...]:
        """The tables that are kept beside those that every study has."""
        return tuple(self.study["plan"]["save"])

    @property
    def n_images(self) -> int:
        """How many images there are."""
        return int(self.study["images"][IMAGES])

    @cached_property
    def identity(self) -> str:
        """Hash of what makes the study the same."""
        return identity_of(_facts(self.study))

    def group_identity(self, number: int) -> str:
        """Hash of the study and one of its groups; "" where it has no such group."""
        if number >= len(self.groups):
            return ""
        return identity_of([self.identity, self.groups[number].record()])

    def check_same(self, study: Mapping[str, Any], folder: Path) -> None:
        """Refuse another study than this one, and say in what it differs."""
        # As JSON gives it back, where tuples have become lists.
        written = json.loads(json.dumps(study))
        _check_same(folder, _facts(self.study), _facts(written))

    @classmethod
    def read(cls, folder: Path) -> "Manifest":
        """Return the manifest of a folder; InputError if it is missing or damaged."""
        path = folder / MANIFEST
        if not path.is_file():
            what = f"{folder} holds no study ({MANIFEST} is missing)"
            raise InputError(f"{what}; give a folder that a study wrote")
        try:
            return cls._restored(read_json(path))
        except (ValueError, KeyError, TypeError) as error:
            reason = "something is missing"
            if isinstance(error, ValueError):
                reason = " ".join(str(error).split())
            what = f"{path} is damaged or of another version ({reason})"
            raise InputError(f"{what}; give another folder") from error

    @classmethod
    def _restored(cls, record: Any) -> "Manifest":
        """Return what a file holds; ValueError, KeyError or TypeError if that is no manifest."""
        if record["format"] != FORMAT:
            raise KeyError(record["format"])
        checksum = record.pop("checksum", None)
        study = record["study"]
        # Asked for here, so that nothing is found missing in the middle of a run.
        _ = study["plan"]["save"], study["images"][IMAGES], study["chunk"], study["model_sha256"]
        if checksum != identity_of(record):
            raise ValueError("it is not what was written")
        groups = tuple(Group.restored(group) for group in record["groups"])
        return cls(study, groups, record["versions"], record["origin"])

    def write(self, folder: Path) -> None:
        """Write the manifest into a folder."""
        record = {
            "format": FORMAT,
            "versions": self.versions,
            "origin": self.origin,
            "study": self.study,
            "groups": [group.record() for group in self.groups],
        }
        write_record(folder, record)


def write_record(folder: Path, record: Mapping[str, Any]) -> None:
    """Write what a manifest holds, with its checksum."""
    plain = json.loads(json.dumps(record))
    with written_whole(folder / MANIFEST) as temporary:
        text = json.dumps({**plain, "checksum": identity_of(plain)}, indent=1)
        temporary.write_text(text, encoding="utf-8")


def versions() -> dict[str, str]:
    """Return the versions of Python and of the packages that results depend on."""
    numbers = {"python": platform.python_version()}
    for name in _PACKAGES:
        try:
            numbers[name] = version(name)
        except PackageNotFoundError:
            # A checkout that is only on the path of Python has no version of its own.
            continue
    return numbers


def _facts(study: Mapping[str, Any]) -> dict[str, Any]:
    """Return what makes a study the same: where its images lie is no part of it."""
    images = {name: fact for name, fact in study["images"].items() if name != "kind"}
    return {**study, "images": images}


def _check_same(
    folder: Path, before: Mapping[str, Any], now: Mapping[str, Any], under: str = ""
) -> None:
    for name in dict.fromkeys([*before, *now]):
        old, new = before.get(name), now.get(name)
        if isinstance(old, dict) and isinstance(new, dict):
            _check_same(folder, old, new, f"{under}{name} ")
        elif old != new:
            values = f"{_short(old)}, now {_short(new)}"
            what = f"{folder} holds a study with another {under}{name} ({values})"
            raise InputError(f"{what}; give another folder, or the same study")


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[:60]} ... {text[-30:]}"
