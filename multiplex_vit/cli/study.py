"""multiplex-vit study: many images by many explainers."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

import multiplex_vit as mv
from multiplex_vit.cli.command import DONE, SOME_FAILED, place, say
from multiplex_vit.cli.studies import check_folder, run_and_report
from multiplex_vit.errors import InputError
from multiplex_vit.models.bundled import DEFAULT
from multiplex_vit.study.config import KEYS, PRESETS, configured, read_config, swept_option
from multiplex_vit.study.plan import EXTRAS

if TYPE_CHECKING:
    from multiplex_vit.study.study import Study

_STEPS = "Points of a curve. Default: every patch, up to 100."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    _input_arguments(parser)
    _explainer_arguments(parser)
    _model_arguments(parser)
    _running_arguments(parser)


def _input_arguments(parser: argparse.ArgumentParser) -> None:
    images = "Folder, folder with one folder a class, CSV (file, label), or Parquet of images."
    parser.add_argument("images", nargs="?", metavar="IMAGES", help=images)
    out = "Folder of the study. The same command goes on with a study that was stopped."
    parser.add_argument("--out", type=place, metavar="DIR", help=out)
    config = "TOML file that holds these options by their names, and a table [sweep]."
    parser.add_argument("--config", type=place, metavar="FILE", help=config)
    preset = f"Options to start from: {', '.join(PRESETS)}. Default: none."
    parser.add_argument("--preset", metavar="NAME", help=preset)
    labels = "CSV (file, label) of a folder, or the column that holds labels. Default: as found."
    parser.add_argument("--labels", metavar="FILE", help=labels)
    index = "Text file with the places of the images to take, or published. Default: all images."
    parser.add_argument("--index", metavar="FILE", help=index)
    limit = "Most images to take. Default: all of them."
    parser.add_argument("--limit", type=int, metavar="N", help=limit)


def _explainer_arguments(parser: argparse.ArgumentParser) -> None:
    explainers = 'Explainers, such as communities "rise_tokens(budget=550)". Default: mutex.'
    parser.add_argument("--explainers", nargs="+", metavar="NAME", help=explainers)
    sweep = (
        "Values of an option, for the explainers that have it. "
        "Given for several options, all combinations are taken. Default: none."
    )
    parser.add_argument("--sweep", action="append", default=[], metavar="NAME=A,B", help=sweep)
    protocols = "Protocols, such as token mutex2025/black. Default: patch/black."
    parser.add_argument("--protocols", nargs="+", metavar="NAME", help=protocols)
    parser.add_argument("--steps", type=int, metavar="N", help=_STEPS)
    target = "Class to explain: predicted, true, or an index or name. Default: predicted."
    parser.add_argument("--target", metavar="CLASS", help=target)
    parser.add_argument("--seed", type=int, help="Seed of what is drawn. Default: 0.")


def _model_arguments(parser: argparse.ArgumentParser) -> None:
    # Without defaults of argparse: what is not given here may stand in the configuration.
    model = f"Bundled model, checkpoint folder or hub id. Default: {DEFAULT}."
    parser.add_argument("--model", help=model)
    device = "Device to compute on: auto, cpu, cuda, cuda:1, ... Default: auto."
    parser.add_argument("--device", help=device)
    dtype = "Type of the weights: auto, float32, bfloat16 or float16. Default: auto."
    parser.add_argument("--dtype", help=dtype)
    score = "What the outputs mean: softmax, sigmoid or raw. Default: what the checkpoint says."
    parser.add_argument("--score", metavar="NAME", help=score)


def _running_arguments(parser: argparse.ArgumentParser) -> None:
    save = f"Tables to keep beside heatmaps and curves: {', '.join(EXTRAS)}. Default: masks."
    parser.add_argument("--save", nargs="*", metavar="TABLE", help=save)
    chunk = "Images that are computed together. Default: 8."
    parser.add_argument("--chunk", type=int, metavar="N", help=chunk)
    where = parser.add_mutually_exclusive_group()
    workers = "Worker processes. Default: 1, which is this process."
    where.add_argument("--workers", type=int, metavar="N", help=workers)
    scheduler = "Dask scheduler to run on, such as tcp://HOST:8786. Default: none."
    where.add_argument("--scheduler", metavar="ADDRESS", help=scheduler)
    retry = "Compute again what failed. Default: what failed stays so."
    parser.add_argument("--retry-failed", action="store_true", help=retry)


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


def _print_summary(study: "Study") -> None:
    summary = mv.report.summarise(study)
    columns = ["protocol", "name", "value", "low", "high", "more", "p_holm"]
    shown = summary[[name for name in columns if name in summary]]
    say("insertion - deletion, with 95 % intervals, and how much more than a random order:")
    say(shown.to_string(index=False, float_format="%.3f", na_rep=""))
