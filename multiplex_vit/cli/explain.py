"""multiplex-vit explain and evaluate: heatmaps of images, and how faithful they are."""

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import multiplex_vit as mv
from multiplex_vit.checks import whole
from multiplex_vit.cli.command import (
    DONE,
    FAILED,
    SOME_FAILED,
    Command,
    check_outputs,
    failed,
    model_arguments,
    place,
    say,
)
from multiplex_vit.errors import InputError
from multiplex_vit.files import locked, output_folder, output_stems, written_together, written_whole
from multiplex_vit.files.locks import SHORT
from multiplex_vit.models.classifier import Classifier
from multiplex_vit.pictures import samples

_OPTIONS = (
    "min_cut",
    "token_ratio",
    "starting_layer",
    "operators",
    "centralities",
    "statistics",
    "numerics",
    "design",
    "budget",
    "estimator",
)

TABLE = "explanations.csv"
_NUMBERS = (
    *(
        "label",
        "probability",
        "predicted",
        "min_cut",
        "token_ratio",
        "starting_layer",
        "budget",
        "seed",
    ),
    *("smoothness", "grid_weight", "direct_weight", "masks", "distinct_masks", "forward_passes", "backward_passes"),
    *("insertion", "deletion", "difference"),
)
"""Columns of the table that hold numbers."""

# --- arguments ------------------------------------------------------------------------------------


def _explain_arguments(parser: argparse.ArgumentParser) -> None:
    _image_arguments(parser)
    defaults = mv.Settings()
    methods = "mutex, communities, or another explainer, perhaps with options: 'rise_tokens(budget=550)'"
    parser.add_argument(
        "--method",
        metavar="NAME",
        default="mutex",
        help=f"{methods}; the options below change its own (%(default)s)",
    )
    parser.add_argument(
        "--out",
        type=place,
        default=Path("explanations"),
        help="folder, or for evaluate the CSV file, to write (%(default)s)",
    )
    parser.add_argument(
        "--min-cut",
        type=float,
        help=f"cut edges below this share of a layer's greatest weight ({defaults.min_cut})",
    )
    parser.add_argument(
        "--token-ratio",
        type=float,
        help=f"share of the patch tokens that a mask removes ({defaults.token_ratio})",
    )
    parser.add_argument("--starting-layer", type=int, help=f"first layer that counts ({defaults.starting_layer})")
    for option, registry in (
        ("operators", mv.OPERATORS),
        ("centralities", mv.CENTRALITIES),
        ("statistics", mv.STATISTICS),
    ):
        names = list(getattr(defaults, option))
        parser.add_argument(
            f"--{option}",
            nargs="+",
            choices=list(registry),
            metavar="NAME",
            help=f"of {', '.join(registry)} ({' '.join(names)})",
        )
    ways = "as published, or alike on every processor"
    parser.add_argument(
        "--numerics",
        choices=("published", "stable"),
        help=f"how nodes are ranked: {ways}; the method's unless given",
    )
    parser.add_argument("--design", choices=list(mv.DESIGNS), help="which masks are made; the method's unless given")
    parser.add_argument(
        "--estimator",
        choices=list(mv.ESTIMATORS),
        help="how masks and confidences make a heatmap; the method's unless given",
    )
    parser.add_argument("--budget", type=int, help="most forward passes an image; 55 unless given")
    _protocol_arguments(parser)


def _image_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "images",
        nargs="*",
        type=place,
        metavar="IMAGE",
        default=[samples()["horse"]],
        help="image files; the bundled horse unless given",
    )
    parser.add_argument("--label", help="index or name of the class to explain; the predicted one unless given")
    parser.add_argument("--batch-size", default="auto", help="most masks a forward pass, or auto (%(default)s)")
    model_arguments(parser)


def _protocol_arguments(parser: argparse.ArgumentParser) -> None:
    known = f"{', '.join(mv.PROTOCOLS)}; with a baseline ({', '.join(mv.BASELINES)}) as in patch/blur"
    how = f"how insertion and deletion are made: {known} (%(default)s)"
    parser.add_argument("--protocol", metavar="NAME", default="patch/black", help=how)
    parser.add_argument(
        "--steps",
        type=int,
        default=None,
        help="points of a curve; every patch up to 100 unless given",
    )
    parser.add_argument(
        "--seed",
        type=int,
        default=0,
        help="of masks that are drawn, and of the random baseline (%(default)s)",
    )


def _evaluate_arguments(parser: argparse.ArgumentParser) -> None:
    _explain_arguments(parser)
    parser.set_defaults(out=Path("evaluation.csv"))


# --- commands -------------------------------------------------------------------------------------


def _explain(args: argparse.Namespace) -> int:
    table, names = args.out / TABLE, output_stems(args.images)
    files = [args.out / file for name in names for file in _files_of(name)]
    check_outputs([*files, table], folders=[args.out], inputs=args.images, model=args.model)
    _earlier_rows(table)
    n_explained = 0

    def keep(path: Path, name: str, measured: Measured) -> str:
        nonlocal n_explained
        _write_explanation(args.out, name, measured)
        n_explained += 1
        explanation = measured.explanation
        score = explanation.score.text(explanation.clean[explanation.label])
        label = f"{explanation.label_name} ({score})"
        return f"{label}, {_areas(measured.faithfulness)}; {', '.join(_files_of(name))}"

    code = _each(args, names, keep)
    if n_explained:
        say(f"{n_explained} explained; written into {args.out}")
    return code


def _evaluate(args: argparse.Namespace) -> int:
    check_outputs([args.out], inputs=args.images, model=args.model)
    rows: list[dict[str, Any]] = []

    def keep(path: Path, name: str, measured: Measured) -> str:
        rows.append(measured.row)
        faithfulness = measured.faithfulness
        return f"{measured.explanation.label_name}, {faithfulness.protocol}: {_areas(faithfulness)}"

    code = _each(args, output_stems(args.images), keep)
    if rows:
        _write_evaluation(rows, args.out)
        say(f"{len(rows)} evaluated; written to {args.out}")
    return code


# --- shared by the commands -----------------------------------------------------------------------


@dataclass(frozen=True)
class Measured:
    """An image explained, its heatmap measured, and both as a row of a table."""

    explanation: Any
    faithfulness: Any
    row: dict[str, Any]


def _each(args: argparse.Namespace, names: list[str], keep: Callable[[Path, str, Measured], str]) -> int:
    """Explain and measure one image after the other; report a bad one in one line and go on."""
    explainer, options = _explainer(args), _options(args)
    settings = explainer.settings
    model = mv.load(args.model, device=args.device, dtype=args.dtype, score=args.score)
    if args.label is not None:
        model.label_of(args.label, 0)
    if settings is not None and settings.starting_layer >= model.n_layers:
        layers = f"{model.name} has layers 0 to {model.n_layers - 1}"
        raise InputError(f"starting_layer is {settings.starting_layer}; {layers}")
    n_failed = 0
    for path, name in zip(args.images, names, strict=True):
        try:
            line = keep(path, name, _measured(model, path, explainer, options, args))
        except Exception as error:
            n_failed += 1
            failed(error)
        else:
            say(f"{path.name}: {line}")
    if not n_failed:
        return DONE
    return FAILED if n_failed == len(args.images) else SOME_FAILED


def _measured(model: Classifier, path: Path, explainer: Any, options: dict[str, Any], args: argparse.Namespace) -> Measured:
    from multiplex_vit.tabular import unicode_text

    picture = model.picture(path)
    explanation = explainer(model, picture, args.label, batch_size=options["batch_size"])
    faithfulness = mv.evaluate(
        model,
        picture,
        explanation.heatmap,
        label=explanation.label,
        protocol=args.protocol,
        **options,
    )
    row = {"image": unicode_text(str(path)), **explanation.row(), **faithfulness.row()}
    return Measured(explanation, faithfulness, row)


def _explainer(args: argparse.Namespace) -> Any:
    """Return the explainer with the options that were given; a seed reaches those that take one."""
    changed: dict[str, Any] = {field: value for field in _OPTIONS if (value := getattr(args, field)) is not None}
    explainer = mv.EXPLAINERS[args.method].at(**changed)
    return explainer if "seed" in explainer.options else explainer.where_taken(seed=args.seed)


def _options(args: argparse.Namespace) -> dict[str, Any]:
    """Return the options of an evaluation, all of them checked."""
    from multiplex_vit.evaluation.many import protocol_of

    batch_size = args.batch_size
    if batch_size != "auto":
        batch_size = whole(
            "batch_size",
            int(batch_size) if batch_size.lstrip("-").isdecimal() else batch_size,
            at_least=1,
        )
    options = {"steps": args.steps, "seed": args.seed, "batch_size": batch_size}
    protocol_of(args.protocol, options)  # type: ignore[arg-type]
    return options


def _areas(faithfulness: Any) -> str:
    return ", ".join(f"{name} {curve.auc:.3f}" for name, curve in faithfulness.curves.items())


# --- writing --------------------------------------------------------------------------------------


def _files_of(name: str) -> list[str]:
    """Return the files that an explanation is written into."""
    return [f"{name}_overlay.png", f"{name}_summary.png", f"{name}_summary.pdf", f"{name}.npz"]


def _write_explanation(folder: Path, name: str, measured: Measured) -> None:
    """Write overlay, summary, saved explanation and its row of the table, all or none."""
    import pandas as pd

    from multiplex_vit.tabular import write_table

    drawn = _drawn(name, measured)
    new = pd.DataFrame([measured.row])
    # Other commands that write into the folder wait, so that each finds the rows of those before.
    with output_folder(folder), locked(folder, wait=SHORT), written_together(folder) as temporary:
        for file, content in drawn.items():
            (temporary / file).write_bytes(content)
        measured.explanation.save(temporary / f"{name}.npz")
        earlier = _earlier_rows(folder / TABLE)
        if earlier is not None:
            others = earlier[~earlier["image"].isin(new["image"])]
            new = pd.concat([others, new])
        write_table(new, temporary / TABLE)


def _drawn(name: str, measured: Measured) -> dict[str, bytes]:
    """Return the pictures of an explanation by their files' names."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    from multiplex_vit import plot

    overlay, ax = plt.subplots(figsize=(4.5, 4.5), layout="constrained")
    measured.explanation.plot(ax=ax)
    summary = plot.summary([measured.explanation], [measured.faithfulness])
    figures = {
        f"{name}_overlay.png": overlay,
        f"{name}_summary.png": summary,
        f"{name}_summary.pdf": summary,
    }
    drawn = {}
    try:
        for file, figure in figures.items():
            content = BytesIO()
            figure.savefig(content, dpi=160, format=Path(file).suffix[1:])
            drawn[file] = content.getvalue()
    finally:
        plt.close(overlay)
        plt.close(summary)
    return drawn


def _earlier_rows(path: Path) -> Any:
    """Return the rows that a table of explanations holds, None where there is none."""
    from multiplex_vit.tabular import read_table

    if not path.exists():
        return None
    what = f"{path} is no table of explanations"
    try:
        earlier = read_table(path, numbers=_NUMBERS, give="a table of explanations")
    except InputError as error:
        raise InputError(f"{what}; choose another folder") from error
    if "image" not in earlier:
        raise InputError(f"{what}; choose another folder")
    return earlier


def _write_evaluation(rows: list[dict[str, Any]], path: Path) -> None:
    import pandas as pd

    from multiplex_vit.tabular import write_table

    with output_folder(path.parent), written_whole(path) as temporary:
        write_table(pd.DataFrame(rows), temporary)


EXPLAIN = Command("Explain images: heatmap, pictures, insertion and deletion.", _explain_arguments, _explain)
EVALUATE = Command("Explain images and measure the heatmaps, as a table.", _evaluate_arguments, _evaluate)
