"""Checkpoint: the files of a model, in a folder or on the hub, found but not yet believed."""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from huggingface_hub.constants import ENDPOINT
from transformers.utils import cached_file, logging

from multiplex_vit.errors import InputError
from multiplex_vit.limits import MOST_JSON_BYTES
from multiplex_vit.models.bundled import bundled
from multiplex_vit.reading import named, read_json

_PROXIES = ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy")


@dataclass(frozen=True)
class Checkpoint:
    """A model's folder, or its name on the Hugging Face hub.

    Attributes
    ----------
    path : str
        As it is known to transformers.
    is_folder : bool
    """

    path: str
    is_folder: bool

    @classmethod
    def of(cls, name: Any) -> "Checkpoint":
        """Return the checkpoint that a name means: bundled, a folder, or one of the hub.

        Raises
        ------
        InputError
            If no folder can have the name, or it is a file.

        Examples
        --------
        >>> Checkpoint.of("demo-vit").is_folder
        True
        """
        path = str(bundled().get(str(name), name))
        place = named(path)
        if place.is_file():
            raise InputError(f"cannot load {path}: it is a file; give the folder of a checkpoint")
        return cls(path, place.is_dir())

    def find(self, file: str) -> Path | None:
        """Return where a file is, or None if the checkpoint has none of that name."""
        if self.is_folder:
            place = Path(self.path) / file
            return place if os.path.lexists(place) else None
        try:
            found = cached_file(self.path, file, local_files_only=self._is_offline())
        except OSError:
            return None
        return None if found is None else Path(found)

    def fetch(self, file: str, what: str) -> Path:
        """Return where a file is that must be there; InputError says why it is not."""
        if self.is_folder:
            return Path(self.path) / file
        try:
            return Path(cached_file(self.path, file, local_files_only=self._is_offline()))
        except Exception as error:  # what the hub's client raises is told in one line
            raise self.cannot_read(what, error) from error

    def table(self, file: str, what: str) -> dict[str, Any]:
        """Return what a JSON file of the checkpoint holds, which must be a table."""
        place = self.fetch(file, what)
        try:
            found = read_json(place, give="the file as transformers wrote it", most=MOST_JSON_BYTES)
        except InputError as error:
            raise self.cannot_read(what, error) from error
        if not isinstance(found, dict):
            raise self.cannot_read(what, f"{file} holds no table")
        return found

    def cannot_read(self, what: str, why: Any) -> InputError:
        """Return the error that says in one line why a part of the checkpoint cannot be read."""
        if self.is_folder:
            return InputError(f"cannot read the {what} of {self.path}: {line_of(why)}")
        lacking = f"it is no local folder, and its {what} cannot be fetched from the hub"
        known = ", ".join(bundled())
        return InputError(
            f"cannot load {self.path}: {lacking} ({line_of(why)}); bundled models: {known}",
        )

    def _is_offline(self) -> bool:
        """Tell whether the hub has no address, which spares half a minute of retries."""
        if any(name in os.environ for name in _PROXIES):
            return False
        try:
            socket.getaddrinfo(urlsplit(ENDPOINT).hostname, 443)
        except OSError:
            return True
        return False


def line_of(why: Any) -> str:
    """Return the first line of an error's message, at most 300 characters.

    Examples
    --------
    >>> line_of(ValueError("no\\nuse."))
    'no'
    """
    lines = str(why).strip().splitlines() or [type(why).__name__]
    return lines[0][:300].rstrip(". ")


@contextmanager
def quiet() -> Iterator[None]:
    """Keep transformers' progress bars and warnings about unused weights off the screen."""
    verbosity, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(verbosity)
        if bars:
            logging.enable_progress_bar()
