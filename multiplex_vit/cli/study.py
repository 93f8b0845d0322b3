"""multiplex-vit study: many images by many explainers."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import multiplex_vit as mv
from multiplex_vit.cli.command import DONE, SOME_FAILED, place, say
from multiplex_vit.cli.studies import check_folder, run_and_report
from multiplex_vit.errors import InputError
from multiplex_vit.study.config import KEYS, Key, configured, read_config, swept_option

if TYPE_CHECKING:
    from multiplex_vit.study.study import Study

_WHERE = ("workers", "scheduler")
"""Where a study runs: one of these."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command: an option for each key of a configuration."""
    config = "TOML file that holds these options by their names, and a table [sweep]."
    parser.add_argument("--config", type=place, metavar="FILE", help=config)
    where = parser.add_mutually_exclusive_group()
    for name, key in KEYS.items():
        _add_key(where if name in _WHERE else parser, name, key)
    retry = "Compute again what failed. Default: what failed stays so."
    parser.add_argument("--retry-failed", action="store_true", help=retry)


def _add_key(parser: Any, name: str, key: Key) -> None:
    # Without defaults of argparse: what is not given here may stand in the configuration.
    options: dict[str, Any] = {"metavar": key.metavar, "help": key.help}
    if key.kind is int:
        options["type"] = int
    elif key.kind is dict:
        options |= {"action": "append", "default": []}
    elif list[str] in get_args(key.kind):
        options["nargs"] = "*"
    if name == "images":
        parser.add_argument(name, nargs="?", **options)
        return
    if name == "out":
        options["type"] = place
    parser.add_argument(f"--{name}", **options)


def run(args: argparse.Namespace) -> int:
    """Run a study, and print its summary."""
    options: dict[str, Any] = read_config(args.config) if args.config else {}
    if args.workers or args.scheduler:
        # Where a study runs is one choice: the command line's replaces the file's.
        options.pop("workers", None)
        options.pop("scheduler", None)
    for name in KEYS:
        # --sweep may be given several times, and is put together below.
        value = None if name == "sweep" else getattr(args, name)
        if value is not None:
            options[name] = str(value) if isinstance(value, Path) else value
    options["sweep"] = {**options.get("sweep", {}), **_swept(args.sweep)}
    chosen = configured(options)
    inputs = [args.config]
    inputs += [options.get(name) for name in ("images", "labels", "index")]
    check_folder(chosen.study.out, inputs, model=options.get("model", ""))
    code = run_and_report(
        chosen.study,
        workers=chosen.workers,
        client=chosen.scheduler,
        retry_failed=args.retry_failed,
    )
    if code in (DONE, SOME_FAILED):
        _print_summary(chosen.study)
    return code


def _swept(texts: list[str]) -> dict[str, list[Any]]:
    """Return the options of --sweep with their values."""
    values: dict[str, list[Any]] = {}
    for text in texts:
        name, several = swept_option(text)
        if name in values:
            remedy = "give all its values at once, such as min_cut=0.01,0.05"
            raise InputError(f"--sweep gives {name} twice; {remedy}")
        values[name] = several
    return values


def _print_summary(study: "Study") -> None:
    summary = mv.report.summarise(study)
    columns = ["protocol", "name", "value", "low", "high", "more", "p_holm"]
    shown = summary[[name for name in columns if name in summary]]
    say("insertion - deletion, with 95 % intervals, and how much more than a random order:")
    say(shown.to_string(index=False, float_format="%.3f", na_rep=""))
