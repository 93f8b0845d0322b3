"""Checkpoint: the files of a model, in a folder or on the hub, before anything in them is used."""

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
        The folder or the name, as transformers takes it.
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
        # Bundled names first, so that a folder of that name must be given as "./demo-vit".
        path = str(bundled().get(str(name), name))
        place = named(path)
        if place.is_file():
            raise InputError(f"cannot load {path}: it is a file; give the folder of a checkpoint")
        return cls(path, place.is_dir())

    def find(self, file: str) -> Path | None:
        """Return the path of a file, or None if the checkpoint has none of that name."""
        if self.is_folder:
            path = Path(self.path) / file
            # A broken link is there too, so that reading it says what is wrong.
            return path if os.path.lexists(path) else None
        try:
            cached = cached_file(self.path, file, local_files_only=self._is_offline())
        except OSError:
            return None
        return None if cached is None else Path(cached)

    def fetch(self, file: str, part: str) -> Path:
        """Return the path of a file that must be there.

        Parameters
        ----------
        file : str
        part : str
            What the file holds, for the message: "configuration".

        Raises
        ------
        InputError
            If it cannot be fetched from the hub.
        """
        if self.is_folder:
            return Path(self.path) / file
        try:
            return Path(cached_file(self.path, file, local_files_only=self._is_offline()))
        except Exception as error:
            # The hub's client raises errors of many kinds.
            raise self.cannot_read(part, error) from error

    def table(self, file: str, part: str) -> dict[str, Any]:
        """Return the table that a JSON file of the checkpoint holds.

        Raises
        ------
        InputError
            If it is missing, no JSON, or no table.
        """
        path = self.fetch(file, part)
        give = "the file as transformers wrote it"
        try:
            content = read_json(path, give=give, most=MOST_JSON_BYTES)
        except InputError as error:
            raise self.cannot_read(part, error) from error
        if not isinstance(content, dict):
            raise self.cannot_read(part, f"{file} holds no table")
        return content

    def cannot_read(self, part: str, reason: Any) -> InputError:
        """Return the error that says in one line why a part of the checkpoint cannot be read."""
        if self.is_folder:
            return InputError(f"cannot read the {part} of {self.path}: {line_of(reason)}")
        names = ", ".join(bundled())
        return InputError(
            f"cannot load {self.path}: it is no local folder, and its {part} cannot be fetched "
            f"from the hub ({line_of(reason)}); bundled models: {names}"
        )

    def _is_offline(self) -> bool:
        """Tell whether the hub has no address, which spares half a minute of retries."""
        if any(name in os.environ for name in _PROXIES):
            # A proxy finds the address, so there may be none here.
            return False
        try:
            socket.getaddrinfo(urlsplit(ENDPOINT).hostname, 443)
        except OSError:
            return True
        return False


def line_of(reason: Any) -> str:
    """Return the first line of an error's message, at most 300 characters.

    Examples
    --------
    >>> line_of(ValueError("no\\nuse."))
    'no'
    """
    lines = str(reason).strip().splitlines() or [type(reason).__name__]
    return lines[0][:300].rstrip(". ")


@contextmanager
def quiet() -> Iterator[None]:
    """Keep transformers' progress bars and warnings about unused weights off the screen."""
    verbosity = logging.get_verbosity()
    shows_bars = logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(verbosity)
        if shows_bars:
            logging.enable_progress_bar()
