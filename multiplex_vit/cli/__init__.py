"""The command line: multiplex-vit COMMAND, a file a command."""

import argparse
import sys
import warnings
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import multiplex_vit as mv
from multiplex_vit.cli.command import STOPPED, Parser, PipeClosed, failed, say
from multiplex_vit.cli.compare import COMPARE
from multiplex_vit.cli.explain import EVALUATE, EXPLAIN
from multiplex_vit.cli.models import MODELS
from multiplex_vit.cli.network import NETWORK
from multiplex_vit.cli.study import ABLATE, REPORT, STUDY
from multiplex_vit.files import Stopped, stopping
from multiplex_vit.reading import named

COMMANDS = {
    "explain": EXPLAIN,
    "network": NETWORK,
    "evaluate": EVALUATE,
    "compare": COMPARE,
    "study": STUDY,
    "ablate": ABLATE,
    "report": REPORT,
    "models": MODELS,
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code.

    0: done. 1: some images failed. 2: bad input or a failure, and nothing is left of what was
    begun. 128 and the number of a signal: stopped by it; 141 where nobody reads the output any
    more.
    """
    given = list(sys.argv[1:] if argv is None else argv)
    try:
        with stopping():
            return _run(given)
    except PipeClosed as closed:
        return closed.code
    except KeyboardInterrupt as stopped:
        return _stopped(stopped)


def _run(given: Sequence[str]) -> int:
    args = _parser(given).parse_args(given)
    warnings.showwarning = lambda message, *_, **__: say(f"note: {message}", sys.stderr)
    try:
        _check_names(args)
        return COMMANDS[args.command].run(args)
    except Exception as error:
        return failed(error)


def _stopped(stopped: KeyboardInterrupt) -> int:
    by = f" by {stopped}" if isinstance(stopped, Stopped) else ""
    # Where nobody reads the errors either, the exit code says it.
    with suppress(PipeClosed):
        say(f"multiplex-vit: stopped{by}", sys.stderr)
    return getattr(stopped, "code", STOPPED)


def _check_names(args: argparse.Namespace) -> None:
    """Refuse a path that no file can have, before anything is done with the others."""
    for value in vars(args).values():
        for path in value if isinstance(value, list) else [value]:
            if isinstance(path, Path):
                named(path)


def _parser(given: Sequence[str]) -> Parser:
    parser = Parser(
        prog="multiplex-vit",
        description="Vision Transformers as multiplex networks, and the networks as explanations.",
    )
    parser.add_argument("--version", action="version", version=f"multiplex-vit {mv.__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, command in COMMANDS.items():
        sub = commands.add_parser(name, help=command.help, description=command.help)
        if name in given[:1]:
            command.add_arguments(sub)
    return parser
