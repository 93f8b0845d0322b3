"""XML read as a stream."""

from pathlib import Path
from typing import Any
from xml.parsers import expat

from multiplex_vit.errors import InputError
from multiplex_vit.limits import MOST_GRAPH_BYTES
from multiplex_vit.reading import opened


class XmlStream:
    """A reader of XML files that keeps nothing but what its subclasses take.

    `start` is called at every element, `end` after it with the text since the last tag.

    Subclasses override both. `line` is where the reader stands.
    """

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._parser: Any = None

    @property
    def line(self) -> int:
        """The line that is being read, from 1."""
        return self._parser.CurrentLineNumber

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        """Take the start of an element, its name without a prefix."""

    def end(self, tag: str, text: str) -> None:
        """Take the end of an element and the text before it."""

    def read(self, path: Path) -> None:
        """Read a file from its start to its end.

        Raises
        ------
        InputError
            If there is no such file, it is no regular file or no well-formed XML, or has a
            DOCTYPE, which could stand for more text than there is.
        """
        self._parser = parser = expat.ParserCreate()
        # Text comes in one piece wherever expat can manage it.
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._pieces.append
        # Entities declared there could stand for far more text than the file has.
        parser.StartDoctypeDeclHandler = _refuse
        try:
            with opened(path, most=MOST_GRAPH_BYTES) as file:
                parser.ParseFile(file)
        except OSError as error:
            reason = error.strerror or error
            raise InputError(f"cannot read {path}: {reason}; give a file") from error
        except KeyError:
            # A subclass misses an attribute: its own readers say what that means.
            raise
        except (expat.ExpatError, LookupError) as error:
            raise InputError(f"cannot read {path}: damaged or no XML ({error})") from error

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        self._pieces.clear()
        self.start(_without_prefix(tag), attributes)

    def _end(self, tag: str) -> None:
        text = "".join(self._pieces)
        self._pieces.clear()
        self.end(_without_prefix(tag), text)


def _without_prefix(tag: str) -> str:
    return tag.rpartition(":")[2]


def _refuse(*_: object) -> None:
    problem = "which is not read; take it away (graphs need none)"
    raise InputError(f"the file has a DOCTYPE, {problem}")
