"""multiplex-vit study, ablate and report: many images by many settings, and what was found."""

import argparse
import os
import sys
from pathlib import Path
from typing import Any

from multiplex_vit.cli.command import DONE, SOME_FAILED, STOPPED, Command, check_outputs, place, say
from multiplex_vit.errors import InputError
from multiplex_vit.files import written_whole

_DIMENSIONS = ("operator", "direction", "centrality", "statistic")
_PASSED_ON = [
    "images",
    "out",
    "model",
    "device",
    "dtype",
    "score",
    "method",
    "labels",
    "index",
    "limit",
    "protocols",
    "steps",
    "seed",
    "explained",
    "save",
    "chunk",
    "workers",
    "scheduler",
    "preset",
]


def _study_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "images", nargs="?", metavar="IMAGES", help="folder, folder of one folder a class, CSV (file, label), or Parquet with a column of images"
    )
    parser.add_argument("--out", type=place, help="folder of the study; one that holds the same study is gone on with")
    parser.add_argument("--config", type=place, metavar="FILE", help="TOML file with these options by their names, [settings], [vary] and [cluster]")
    parser.add_argument("--preset", help="options to start from: published")
    parser.add_argument("--model", help="bundled model, checkpoint folder or hub id (demo-vit)")
    parser.add_argument("--method", help="settings to start from (mutex)")
    parser.add_argument("--vary", action="append", default=[], metavar="NAME=A,B", help="values of a setting; several --vary are combined")
    parser.add_argument("--labels", help="CSV (file, label) for a folder, or a column's name")
    parser.add_argument("--index", help="text file of the places of the images to take, or published")
    parser.add_argument("--limit", type=int, help="at most so many images")
    parser.add_argument("--protocols", nargs="+", metavar="NAME", help="how heatmaps are measured, such as patch/black, token, mutex2025/black (patch/black)")
    parser.add_argument("--steps", type=int, help="points of a curve; every patch up to 100 unless given")
    parser.add_argument("--explained", help="predicted or true (predicted)")
    parser.add_argument("--save", nargs="*", metavar="TABLE", help="of heatmaps, masks, layers, multilayer (heatmaps masks)")
    parser.add_argument("--seed", type=int, help="of the random order measured with every image (0)")
    parser.add_argument("--chunk", type=int, help="images a unit of work (8)")
    parser.add_argument("--device", help="auto, cpu, cuda, cuda:1, ... (auto)")
    parser.add_argument("--dtype", help="auto, float32, bfloat16 or float16 (auto)")
    parser.add_argument("--score", metavar="NAME", help="softmax, sigmoid or raw; as the checkpoint says unless given")
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--workers", type=int, help="worker processes (1: this one)")
    where.add_argument("--scheduler", metavar="ADDRESS", help="Dask scheduler, such as tcp://HOST:8786")
    parser.add_argument("--resume", action="store_true", help="go on with what is there; this is always done")
    parser.add_argument("--retry-failed", action="store_true", help="compute units again in which images failed")


def _study(args: argparse.Namespace) -> int:
    from multiplex_vit.study.config import configured, read_config, vary_of
    from multiplex_vit.study.study import NoneExplainedError

    options: dict[str, Any] = read_config(args.config) if args.config else {}
    given = {name: value for name in _PASSED_ON if (value := getattr(args, name)) is not None}
    if args.out:
        given["out"] = str(args.out)
    if args.workers or args.scheduler:
        options = {name: value for name, value in options.items() if name not in ("workers", "scheduler", "cluster")}
    options |= given
    if args.vary:
        names = [text.partition("=")[0] for text in args.vary]
        if len(set(names)) < len(names):
            raise InputError(f"--vary gives {max(names, key=names.count)} twice; give all its values at once, such as min_cut=0.01,0.05")
        options["vary"] = {**options.get("vary", {}), **dict(map(vary_of, args.vary))}
    chosen = configured(options)
    inputs = [args.config, *(options.get(name) for name in ("images", "labels", "index"))]
    _check_folder(Path(chosen.study.out), inputs, model=options.get("model", ""))
    try:
        chosen.study.run(workers=chosen.workers, scheduler=chosen.scheduler, retry_failed=args.retry_failed)
    except NoneExplainedError as error:
        for name, reason in error.failures:
            say(f"multiplex-vit: {name}: {reason}")
        raise
    except KeyboardInterrupt as stopped:
        kept = len(chosen.study.store.done())
        say(f"multiplex-vit: stopped; {kept} units are kept, run the same command to go on", sys.stderr)
        return getattr(stopped, "code", STOPPED)
    return _told(chosen.study)


def _check_folder(folder: Path, inputs: list[Any], *, model: str) -> None:
    """Refuse a study's folder that cannot be written or is read from; what is given may be the name of a column."""
    from multiplex_vit.study.store import MANIFEST

    there = [path for path in inputs if path is not None and os.path.exists(path)]
    check_outputs([folder / MANIFEST], folders=[folder], inputs=there, model=model)


def _told(study: Any) -> int:
    """Print what was done, and return the exit code."""
    facts, failures, passes = study.image_table(), study.failures(), study.all_passes()
    for row in failures.itertuples():
        say(f"multiplex-vit: {row.name}: {row.reason}")
    say(f"{len(facts)} images, {len(study.plan.settings)} settings; {passes.run:,} forward passes, {passes.naive:,} without sharing; written into {study.out}")
    _print_summary(study)
    return DONE if failures.empty else SOME_FAILED


def _print_summary(study: Any) -> None:
    from multiplex_vit.study.summary import summarise

    summary = summarise(study)
    shown = summary[["protocol", "setting", "value", "low", "high", "more", "p_holm"]]
    say("insertion - deletion, with 95 % intervals, and how much more than a random order:")
    say(shown.to_string(index=False, float_format="%.3f", na_rep=""))


def _ablate_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=place, metavar="DIR", help="folder of a study")
    parser.add_argument(
        "--leave-out", nargs="+", choices=_DIMENSIONS, default=[], metavar="WHAT", help=f"without each value in turn, of {', '.join(_DIMENSIONS)}"
    )
    parser.add_argument("--keep-only", nargs="+", choices=_DIMENSIONS, default=[], metavar="WHAT", help="by each value alone, of the same")
    parser.add_argument("--images", help="the study's images, where they are elsewhere now")
    parser.add_argument("--workers", type=int, default=1, help="worker processes (%(default)s)")


def _ablate(args: argparse.Namespace) -> int:
    from multiplex_vit.study.ablate import FOLDER, ablate, ablation_name
    from multiplex_vit.study.study import Study
    from multiplex_vit.tabular import write_table

    leave_out = args.leave_out or ([] if args.keep_only else ["statistic"])
    study = Study.open(args.folder, images=args.images)
    name = ablation_name(leave_out, args.keep_only)
    out = args.folder / FOLDER / f"{name}.csv"
    check_outputs([out], folders=[args.folder / FOLDER / name], inputs=[study.store.folder], model=study.plan.model)
    found = ablate(study, leave_out=leave_out, keep_only=args.keep_only, workers=args.workers)
    if found.table.empty:
        raise InputError(f"no image of {args.folder} could be ablated; see its failures")
    summary = found.summary()
    with written_whole(out) as temporary:
        write_table(summary, temporary)
    shown = summary[["setting", "protocol", "variant", "value", "change", "change_low", "change_high", "p_holm", "agreement"]]
    say(shown.to_string(index=False, float_format="%.3f", na_rep=""))
    say(f"{found.passes.run:,} forward passes in place of {found.passes.naive:,}; written to {out}")
    lacking = sorted(set(study.image_table()["number"]) - set(found.table["number"]))
    if lacking:
        say(f"multiplex-vit: {len(lacking)} explained images could not be ablated, such as number {lacking[0]}; see {out.parent / out.stem}")
    return SOME_FAILED if lacking else DONE


def _report_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=place, metavar="DIR", help="folder of a study")
    parser.add_argument("--out", type=place, help="folder to write into (DIR/report)")


def _report(args: argparse.Namespace) -> int:
    from multiplex_vit.cli.report import FILES, write_report
    from multiplex_vit.study.study import Study

    out = args.out or args.folder / "report"
    study = Study.open(args.folder)
    read = [args.folder, *(place for place in args.folder.iterdir() if place.is_dir() and place.name != "report")]
    check_outputs([out / name for name in FILES], folders=[out], inputs=read)
    files = write_report(study, out)
    say(f"written: {', '.join(map(str, files))}")
    return DONE


STUDY = Command("Explain many images by many settings and measure the heatmaps; stops and goes on.", _study_arguments, _study)
ABLATE = Command("Measure a study's explanations without some measures, or by some alone.", _ablate_arguments, _ablate)
REPORT = Command("Write a study's tables and figures: Markdown, PNG and PDF.", _report_arguments, _report)
