"""multiplex-vit study: many images by many explainers."""

import argparse
from pathlib import Path
from typing import Any

from multiplex_vit.cli.command import DONE, SOME_FAILED, place, say
from multiplex_vit.cli.studies import check_folder, run_and_report
from multiplex_vit.errors import InputError
from multiplex_vit.report.summary import summarise
from multiplex_vit.study.config import configured, read_config, swept_option
from multiplex_vit.study.study import Study

_PASSED_ON = (
    *("images", "out", "model", "device", "dtype", "score", "explainers", "labels", "index"),
    *("limit", "protocols", "steps", "seed", "target", "save", "chunk", "workers"),
    *("scheduler", "preset"),
)
"""Options that a configuration file has by the same names."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    images = "folder, folder of one folder a class, CSV (file, label), or Parquet of images"
    parser.add_argument("images", nargs="?", metavar="IMAGES", help=images)
    parser.add_argument(
        "--out", type=place, help="folder of the study; the same study continues there"
    )
    config = "TOML file with these options by their names, and a table [sweep]"
    parser.add_argument("--config", type=place, metavar="FILE", help=config)
    parser.add_argument("--preset", help="options to start from: published")
    parser.add_argument("--model", help="bundled model, checkpoint folder or hub id (demo-vit)")
    explainers = 'such as mutex communities "rise_tokens(budget=550)" (mutex)'
    parser.add_argument("--explainers", nargs="+", metavar="NAME", help=explainers)
    sweep = "values of an option of the explainers that have it; several are combined"
    parser.add_argument("--sweep", action="append", default=[], metavar="NAME=A,B", help=sweep)
    parser.add_argument("--labels", help="CSV (file, label) for a folder, or a column's name")
    parser.add_argument("--index", help="text file of the places of the images, or published")
    parser.add_argument("--limit", type=int, help="at most so many images")
    protocols = "such as patch/black, token, mutex2025/black (patch/black)"
    parser.add_argument("--protocols", nargs="+", metavar="NAME", help=protocols)
    parser.add_argument("--steps", type=int, help="points of a curve (every patch, up to 100)")
    target = "predicted, true, or the index or name of a class (predicted)"
    parser.add_argument("--target", help=target)
    save = "of masks, layers, multilayer (masks)"
    parser.add_argument("--save", nargs="*", metavar="TABLE", help=save)
    parser.add_argument("--seed", type=int, help="of what is drawn (0)")
    parser.add_argument("--chunk", type=int, help="images that are computed together (8)")
    parser.add_argument("--device", help="auto, cpu, cuda, cuda:1, ... (auto)")
    parser.add_argument("--dtype", help="auto, float32, bfloat16 or float16 (auto)")
    score = "softmax, sigmoid or raw (as the checkpoint says)"
    parser.add_argument("--score", metavar="NAME", help=score)
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--workers", type=int, help="worker processes (1: this one)")
    scheduler = "Dask scheduler, such as tcp://HOST:8786"
    where.add_argument("--scheduler", metavar="ADDRESS", help=scheduler)
    retry = "compute units again in which something failed"
    parser.add_argument("--retry-failed", action="store_true", help=retry)


def run(args: argparse.Namespace) -> int:
    """Run a study, and print its summary."""
    options: dict[str, Any] = read_config(args.config) if args.config else {}
    if args.workers or args.scheduler:
        # Where a study runs is one choice: the command line's replaces the file's.
        options.pop("workers", None)
        options.pop("scheduler", None)
    for name in _PASSED_ON:
        value = getattr(args, name)
        if value is not None:
            options[name] = str(value) if isinstance(value, Path) else value
    options["sweep"] = {**options.get("sweep", {}), **_swept(args.sweep)}
    chosen = configured(options)
    inputs = [args.config, *(options.get(name) for name in ("images", "labels", "index"))]
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


def _print_summary(study: Study) -> None:
    summary = summarise(study)
    columns = ["protocol", "name", "value", "low", "high", "more", "p_holm"]
    shown = summary[[name for name in columns if name in summary]]
    say("insertion - deletion, with 95 % intervals, and how much more than a random order:")
    say(shown.to_string(index=False, float_format="%.3f", na_rep=""))
