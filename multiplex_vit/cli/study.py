"""multiplex-vit study, ablate and report: many images by many explainers, and what came out."""

import argparse
import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from multiplex_vit.cli.command import DONE, SOME_FAILED, STOPPED, Command, check_outputs, place, say
from multiplex_vit.errors import InputError

if TYPE_CHECKING:
    from multiplex_vit.study.study import Study

_DIMENSIONS = ("operator", "direction", "centrality", "statistic")
_PASSED_ON = (
    *("images", "out", "model", "device", "dtype", "score", "explainers", "labels", "index"),
    *("limit", "protocols", "steps", "seed", "target", "save", "chunk", "workers"),
    *("scheduler", "preset"),
)
"""Options that a configuration file has by the same names."""


def _study_arguments(parser: argparse.ArgumentParser) -> None:
    images = "folder, folder of one folder a class, CSV (file, label), or Parquet of images"
    parser.add_argument("images", nargs="?", metavar="IMAGES", help=images)
    parser.add_argument("--out", type=place, help="folder of the study; the same study continues there")
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


def _study(args: argparse.Namespace) -> int:
    from multiplex_vit.study.config import configured, read_config

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
    code = run_and_tell(
        chosen.study,
        workers=chosen.workers,
        client=chosen.scheduler,
        retry_failed=args.retry_failed,
    )
    if code in (DONE, SOME_FAILED):
        _print_summary(chosen.study)
    return code


def check_folder(folder: Path, inputs: Iterable[Any], *, model: str, files: Iterable[Path] = ()) -> None:
    """Refuse a folder for a study that cannot be written or is read from.

    Labels may be the name of a column, and an index that of a published one: what is no file or
    folder is left out.
    """
    from multiplex_vit.study.store import MANIFEST

    there = [path for path in inputs if path is not None and os.path.exists(path)]
    targets = [folder / MANIFEST, *files]
    folders = list(dict.fromkeys(target.parent for target in targets))
    check_outputs(targets, folders=folders, inputs=there, model=model)


def _swept(texts: list[str]) -> dict[str, list[Any]]:
    """Return the options of --sweep with their values."""
    from multiplex_vit.study.config import swept_option

    values: dict[str, list[Any]] = {}
    for text in texts:
        name, several = swept_option(text)
        if name in values:
            raise InputError(f"--sweep gives {name} twice; give all its values at once, such as min_cut=0.01,0.05")
        values[name] = several
    return values


def run_and_tell(study: "Study", **where: Any) -> int:
    """Run a study, print what was done and what failed, and return the exit code."""
    from multiplex_vit.study.running import NothingExplainedError

    try:
        study.run(**where)
    except NothingExplainedError as error:
        for name, reason in error.failures:
            say(f"multiplex-vit: {name}: {reason}")
        raise
    except KeyboardInterrupt as stopped:
        n_kept = len(study.store.done())
        stopped_line = f"stopped; {n_kept} units are kept, run the same command to go on"
        say(f"multiplex-vit: {stopped_line}", sys.stderr)
        code: int = getattr(stopped, "code", STOPPED)
        return code
    failures = study.failures()
    for row in failures.itertuples():
        explainer = f" {row.explainer}:" if row.explainer else ""
        say(f"multiplex-vit: {row.name}:{explainer} {row.reason}")
    passes = study.all_passes()
    say(
        f"{len(study.image_table())} images, {len(study.explainers)} explainers;"
        f" {passes.run:,} forward passes, {passes.naive:,} without sharing;"
        f" written into {study.out}"
    )
    return DONE if failures.empty else SOME_FAILED


def _print_summary(study: "Study") -> None:
    from multiplex_vit.report.summary import summarise

    summary = summarise(study)
    columns = ["protocol", "name", "value", "low", "high", "more", "p_holm"]
    shown = summary[[name for name in columns if name in summary]]
    say("insertion - deletion, with 95 % intervals, and how much more than a random order:")
    say(shown.to_string(index=False, float_format="%.3f", na_rep=""))


def _ablate_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=place, metavar="DIR", help="folder of a study")
    several: dict[str, Any] = {"nargs": "+", "choices": _DIMENSIONS, "default": []}
    leave_out = f"without each value in turn, of {', '.join(_DIMENSIONS)} (statistic)"
    parser.add_argument("--leave-out", metavar="WHAT", help=leave_out, **several)
    keep_only = "by each value alone, of the same"
    parser.add_argument("--keep-only", metavar="WHAT", help=keep_only, **several)
    images = "the study's images, where they are elsewhere now"
    parser.add_argument("--images", help=images)
    parser.add_argument("--workers", type=int, default=1, help="worker processes (%(default)s)")


def _ablate(args: argparse.Namespace) -> int:
    from multiplex_vit.files import written_whole
    from multiplex_vit.report.ablate import ablate, full_explainers
    from multiplex_vit.study.ablations import ablations
    from multiplex_vit.study.study import Study
    from multiplex_vit.tabular import write_table

    leave_out = args.leave_out or ([] if args.keep_only else ["statistic"])
    asked = {"leave_out": leave_out, "keep_only": args.keep_only}
    study = Study.open(args.folder, images=args.images)
    out = args.folder / "ablation.csv"
    check_outputs([out], model=study.plan.model)
    full = full_explainers(study)
    if not full:
        raise InputError(f"no explainer of {args.folder} has masks of operators, centralities and statistics; run a study of mutex")
    variants = []
    for explainer in full:
        variants += ablations(explainer, **asked)
    before = study.all_passes().run
    code = run_and_tell(study.extended(explainers=variants), workers=args.workers)
    if code not in (DONE, SOME_FAILED):
        return code
    found = Study.open(args.folder, images=args.images)
    summary = ablate(found, **asked).summary()
    with written_whole(out) as temporary:
        write_table(summary, temporary)
    shown = summary[
        [
            *("explainer", "protocol", "variant", "value", "change", "change_low"),
            *("change_high", "p_holm", "agreement"),
        ]
    ]
    say(shown.to_string(index=False, float_format="%.3f", na_rep=""))
    say(f"{found.all_passes().run - before:,} forward passes were added; written to {out}")
    return code


def _report_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=place, metavar="DIR", help="folder of a study")
    parser.add_argument("--out", type=place, help="folder to write into (DIR/report)")
    against = "explainers that the others are compared with (mutex and the best rival)"
    parser.add_argument("--against", nargs="+", metavar="NAME", help=against)


def _report(args: argparse.Namespace) -> int:
    import matplotlib

    matplotlib.use("Agg")
    from multiplex_vit.report.writing import REPORT as REPORT_FILE
    from multiplex_vit.report.writing import write_report
    from multiplex_vit.study.study import Study

    out = args.out or args.folder / "report"
    study = Study.open(args.folder)
    tables = [path for path in args.folder.iterdir() if path.is_dir() and path.name != "report"]
    check_outputs([out / REPORT_FILE], folders=[out], inputs=[args.folder, *tables])
    files = write_report(study, out, against=args.against)
    say(f"written into {out}: {', '.join(file.name for file in files)}")
    return DONE


STUDY = Command(
    "Explain many images by many explainers and measure the heatmaps; stops and continues.",
    _study_arguments,
    _study,
)
ABLATE = Command(
    "Measure a study's explainers without some measures, or by some alone.",
    _ablate_arguments,
    _ablate,
)
REPORT = Command("Write a study's tables and figures: Markdown, CSV and PNG.", _report_arguments, _report)
