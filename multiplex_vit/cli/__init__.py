"""The command line: multiplex-vit COMMAND, a file a command."""

import argparse
import sys
import warnings
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import multiplex_vit as mv
from multiplex_vit.cli.command import STOPPED, Command, Parser, PipeClosed, failed, say
from multiplex_vit.files import Stopped, stopping
from multiplex_vit.reading import named

COMMANDS = {
    "explain": Command(
        "explain",
        "Explain images: heatmap, pictures, insertion and deletion.",
    ),
    "network": Command(
        "network",
        "Write the multiplex network of an image to a file.",
    ),
    "explore": Command(
        "explore",
        "Write an interactive page of an image: its network, masks and curves.",
    ),
    "evaluate": Command(
        "evaluate",
        "Explain images and measure the heatmaps, as a table.",
    ),
    "compare": Command(
        "compare",
        "Compare explainers on the same images: figures, intervals, paired differences, pictures.",
    ),
    "study": Command(
        "study",
        "Explain many images by many explainers and measure the heatmaps; stops and continues.",
    ),
    "ablate": Command(
        "ablate",
        "Measure a study's explainers without some measures, or by some alone.",
    ),
    "report": Command(
        "report",
        "Write a study's tables and figures: Markdown, CSV and PNG.",
    ),
    "models": Command(
        "models",
        "List the bundled models, the supported architectures and the explainers.",
    ),
}
"""The subcommands by name. A new one is a file in this folder, and a line here."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code.

    Parameters
    ----------
    argv : sequence of str, optional
        Command and arguments. Default: those of the process.

    Returns
    -------
    int
        0: done. 1: some images failed. 2: bad input or a failure, and nothing is left of what was
        begun. 128 plus the number of a signal: stopped by it. 141: nobody reads the output any
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
    # Ctrl-C comes without the name of a signal.
    by = f" by {stopped}" if isinstance(stopped, Stopped) else ""
    # Where nobody reads the errors either, the exit code says it.
    with suppress(PipeClosed):
        say(f"multiplex-vit: stopped{by}", sys.stderr)
    return getattr(stopped, "code", STOPPED)


def _check_names(args: argparse.Namespace) -> None:
    """Refuse a path that no file can have, before anything is done with the others."""
    for value in vars(args).values():
        values = value if isinstance(value, list) else [value]
        for path in values:
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
        # The arguments of the other commands would bring imports that are not needed.
        if name in given[:1]:
            command.add_arguments(sub)
    return parser
