"""What the subcommands share: exit codes, how an error is printed, arguments that several have."""

import argparse
import os
import sys
import traceback
from collections.abc import Iterable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, NoReturn, TextIO

from multiplex_vit.errors import InputError
from multiplex_vit.files import check_targets, output_folder
from multiplex_vit.models.bundled import DEFAULT
from multiplex_vit.spelling import did_you_mean

DONE, SOME_FAILED, FAILED = 0, 1, 2
"""Exit codes: all done; some images failed and the rest were done; nothing done."""
STOPPED = 130
"""Exit code after Ctrl-C, as shells have it: 128 and the number of the signal."""
PIPE_CLOSED = 141
"""Exit code where nobody reads the output any more, as of a process that SIGPIPE ends."""


class PipeClosed(KeyboardInterrupt):
    """Raised where the reader of the output is gone, as in `multiplex-vit models | head -1`.

    It is no error of an image, so that no `except Exception` may take it for one.
    """

    code = PIPE_CLOSED


@dataclass(frozen=True)
class Command:
    """A subcommand.

    Its file has the functions `add_arguments(parser)` and `run(args)`. It is imported only when the
    command is called, so that --help and other commands stay quick.

    Attributes
    ----------
    file : str
        Name of the file in this folder.
    help : str
        What the command does, in one line.
    """

    file: str
    help: str

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add the arguments of the command to a parser."""
        self._module().add_arguments(parser)

    def run(self, args: argparse.Namespace) -> int:
        """Run the command and return its exit code."""
        code: int = self._module().run(args)
        return code

    def _module(self) -> ModuleType:
        return import_module(f"multiplex_vit.cli.{self.file}")


class Parser(argparse.ArgumentParser):
    """A parser that says what is wrong in one line."""

    def _print_message(self, message: str, file: Any = None) -> None:
        if message:
            _print(message, file or sys.stderr)

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        """Refuse what is no choice, as messages of the package do: with what may have been meant.

        argparse calls it for every argument that has choices, commands among them.
        """
        if action.choices is None or value in action.choices:
            return
        known = [str(choice) for choice in action.choices]
        hint = did_you_mean(str(value), known)
        choices = ", ".join(known)
        message = f"invalid choice: {value!r}{hint}; choose from {choices}"
        raise argparse.ArgumentError(action, message)

    def error(self, message: str) -> NoReturn:
        """Print one line and exit with 2."""
        self.exit(FAILED, f"multiplex-vit: {message}; see {self.prog} --help\n")


def failed(error: Exception) -> int:
    """Print an error in one line; MULTIPLEX_VIT_TRACEBACK=1 shows where it comes from."""
    if os.environ.get("MULTIPLEX_VIT_TRACEBACK"):
        traceback.print_exception(error)
    # What is no InputError is a fault of the package, and a user should not have to guess that.
    kind = ""
    if not isinstance(error, (InputError, OSError)):
        kind = f"unexpected {type(error).__name__}, please report it: "
    # Texts of other libraries may run over several lines.
    reason = " ".join(str(error).split())
    say(f"multiplex-vit: {kind}{reason}", sys.stderr)
    return FAILED


def say(line: str, stream: TextIO | None = None) -> None:
    """Print a line; letters that the console cannot show are written as their codes."""
    _print(f"{line}\n", stream or sys.stdout)


def _print(text: str, stream: Any) -> None:
    try:
        stream.write(shown_on(stream, text))
        # Unless each line is sent at once, Python finds out at its very end that nobody reads.
        stream.flush()
    except BrokenPipeError:
        _silence(stream)
        raise PipeClosed from None


def _silence(stream: Any) -> None:
    """Let what is still written to a stream, also by Python at its end, go nowhere."""
    # The file behind the stream is replaced, as Python flushes it once more at its end.
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


def shown_on(stream: Any, text: str) -> str:
    r"""Return a text with the letters that a stream's encoding lacks as their codes.

    Examples
    --------
    >>> shown_on(None, "a\udcff")
    'a\\udcff'
    """
    encoding = getattr(stream, "encoding", None) or "utf-8"
    return text.encode(encoding, "backslashreplace").decode(encoding)


def place(text: str) -> Path:
    """Return the path that an option gives.

    An empty one is refused: `Path` would take it for the current folder.

    Examples
    --------
    >>> place("")
    Traceback (most recent call last):
    argparse.ArgumentTypeError: it is empty; give a path, such as . for this folder
    """
    if not text.strip():
        remedy = "give a path, such as . for this folder"
        raise argparse.ArgumentTypeError(f"it is empty; {remedy}")
    return Path(text)


def check_outputs(
    files: Iterable[Path],
    *,
    folders: Iterable[Path] = (),
    inputs: Iterable[Any] = (),
    model: str = "",
) -> None:
    """Refuse what cannot or must not be written, before a model is loaded; see `check_targets`.

    Folders that are missing are made for a moment: a full or write-protected disk is found out only
    by trying.
    """
    # Both are gone through twice, which an iterator allows once.
    files = list(files)
    folders = list(folders)
    check_targets(
        files,
        inputs=inputs,
        folders=folders,
        model=model,
    )
    folders += [path.parent for path in files]
    for folder in dict.fromkeys(folders):
        with output_folder(folder):
            # Nothing is written: making the folder shows whether it can be.
            pass


def model_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `load`."""
    model = "Bundled model, checkpoint folder or hub id. Default: %(default)s."
    parser.add_argument("--model", default=DEFAULT, help=model)
    device = "Device to compute on: auto, cpu, cuda, cuda:1, ... Default: %(default)s."
    parser.add_argument("--device", default="auto", help=device)
    dtype = "Type of the weights: auto, float32, bfloat16 or float16. Default: %(default)s."
    parser.add_argument("--dtype", default="auto", help=dtype)
    score = "What the outputs mean: softmax, sigmoid or raw. Default: what the checkpoint says."
    parser.add_argument("--score", default="auto", metavar="NAME", help=score)
