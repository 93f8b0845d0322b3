"""multiplex-vit ablate: a study's explainers without some measures, or by some alone."""

import argparse
from typing import Any

import multiplex_vit as mv
from multiplex_vit.cli.command import DONE, SOME_FAILED, check_outputs, place, say
from multiplex_vit.cli.studies import WORKERS, run_and_report
from multiplex_vit.errors import InputError
from multiplex_vit.files import written_whole
from multiplex_vit.study.plan import DIMENSIONS
from multiplex_vit.tabular import write_table

_SHOWN = [
    "explainer",
    "protocol",
    "variant",
    "value",
    "change",
    "change_low",
    "change_high",
    "p_holm",
    "agreement",
]
"""Columns of the summary that are printed; the file has all of them."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument(
        "folder",
        type=place,
        metavar="DIR",
        help="Folder of a study.",
    )
    several: dict[str, Any] = {
        "nargs": "+",
        "metavar": "WHAT",
        "choices": DIMENSIONS,
        "default": [],
    }
    what = ", ".join(DIMENSIONS)
    leave_out = f"Measure without each value in turn, of {what}."
    leave_out += " Default: statistic, unless --keep-only is given."
    parser.add_argument("--leave-out", help=leave_out, **several)
    keep_only = f"Measure by each value alone, of {what}. Default: none."
    parser.add_argument("--keep-only", help=keep_only, **several)
    images = "The study's images, where they have moved."
    images += " Default: where they were."
    parser.add_argument("--images", metavar="IMAGES", help=images)
    parser.add_argument(
        "--workers",
        type=int,
        default=1,
        metavar="N",
        help=WORKERS,
    )


def run(args: argparse.Namespace) -> int:
    """Add the ablations of a study to it, and write what they change."""
    # Torch comes with it, which --help does without.
    from multiplex_vit.report.ablate import full_explainers

    leave_out = args.leave_out
    # Whoever asks for one kind of variant alone gets no other.
    if not leave_out and not args.keep_only:
        leave_out = ["statistic"]
    choices = {"leave_out": leave_out, "keep_only": args.keep_only}
    study = mv.Study.open(args.folder, images=args.images)
    out = args.folder / "ablation.csv"
    # Before hours of work, not after them.
    check_outputs([out], model=study.plan.model)
    full = full_explainers(study)
    if not full:
        lacking = "has masks of operators, centralities and statistics"
        problem = f"no explainer of {args.folder} {lacking}"
        raise InputError(f"{problem}; run a study of mutex")
    variants = []
    for explainer in full:
        variants += mv.study.ablations(explainer, **choices)
    # Variants use the masks of the full explainer, so that what is added is small: it is told.
    before = study.all_passes().run
    with_variants = study.extended(explainers=variants)
    code = run_and_report(with_variants, workers=args.workers)
    if code not in (DONE, SOME_FAILED):
        return code
    # Opened anew, so that what is told is what the files hold.
    extended = mv.Study.open(args.folder, images=args.images)
    ablation = mv.report.ablate(extended, **choices)
    summary = ablation.summary()
    with written_whole(out) as temporary:
        write_table(summary, temporary)
    shown = summary[_SHOWN]
    text = shown.to_string(
        index=False,
        float_format="%.3f",
        na_rep="",
    )
    say(text)
    n_added = extended.all_passes().run - before
    say(f"{n_added:,} forward passes were added; written to {out}")
    return code
