"""What the commands that run a study share."""

import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from multiplex_vit.cli.command import DONE, SOME_FAILED, STOPPED, check_outputs, say
from multiplex_vit.study.failures import NothingExplainedError
from multiplex_vit.study.schema import MANIFEST

if TYPE_CHECKING:
    from multiplex_vit.study.study import Study

AGAINST = "Explainers that the others are compared with. Default: mutex and the best rival."
WORKERS = "Worker processes. Default: %(default)s, which is this process."
"""What --against and --workers are, for the help of several commands."""


def check_folder(
    folder: Path,
    inputs: Iterable[Any],
    *,
    model: str,
    files: Iterable[Path] = (),
) -> None:
    """Refuse a folder for a study that cannot be written or is read from.

    Labels may be the name of a column, and an index that of a published one: what is no file or
    folder is left out.
    """
    existing = [path for path in inputs if path is not None and os.path.exists(path)]
    # A study writes many files; where one can be written, the others can.
    targets = [folder / MANIFEST, *files]
    folders = list(dict.fromkeys(target.parent for target in targets))
    check_outputs(targets, folders=folders, inputs=existing, model=model)


def run_and_report(study: "Study", **where: Any) -> int:
    """Run a study, print what was done and what failed, and return the exit code."""
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
