"""multiplex-vit explain and evaluate: heatmaps of images, and how faithful they are."""

import argparse
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import multiplex_vit as mv
from multiplex_vit.checks import whole
from multiplex_vit.cli.command import DONE, FAILED, SOME_FAILED, Command, failed, model_arguments, say
from multiplex_vit.errors import InputError
from multiplex_vit.files import output_folder, output_stems, written_together, written_whole
from multiplex_vit.pictures import samples

_SETTINGS = ("min_cut", "token_ratio", "starting_layer", "operators", "centralities", "statistics", "numerics", "design", "budget", "seed", "estimator")

# --- arguments --------------------------------------------------------------------------------------------------------


def _explain_arguments(parser: argparse.ArgumentParser) -> None:
    _image_arguments(parser)
    defaults = mv.Settings()
    parser.add_argument("--method", choices=list(mv.METHODS), default="mutex", help="settings to start from; the options below change them (%(default)s)")
    parser.add_argument("--out", type=Path, default=Path("explanations"), help="folder, or for evaluate the CSV file, to write (%(default)s)")
    parser.add_argument("--min-cut", type=float, help=f"cut edges below this share of a layer's greatest weight ({defaults.min_cut})")
    parser.add_argument("--token-ratio", type=float, help=f"share of the patch tokens that a mask removes ({defaults.token_ratio})")
    parser.add_argument("--starting-layer", type=int, help=f"first layer that counts ({defaults.starting_layer})")
    for option, registry in (("operators", mv.OPERATORS), ("centralities", mv.CENTRALITIES), ("statistics", mv.STATISTICS)):
        names = list(getattr(defaults, option))
        parser.add_argument(f"--{option}", nargs="+", choices=list(registry), metavar="NAME", help=f"of {', '.join(registry)} ({' '.join(names)})")
    parser.add_argument(
        "--numerics", choices=("published", "stable"), help="how nodes are ranked: as published, or alike on every processor; the method's unless given"
    )
    parser.add_argument("--design", choices=list(mv.DESIGNS), help="which masks are made; the method's unless given")
    parser.add_argument("--estimator", choices=list(mv.ESTIMATORS), help="how masks and confidences make a heatmap; the method's unless given")
    parser.add_argument("--budget", type=int, help="most forward passes an image; 55 unless given")
    _protocol_arguments(parser)


def _image_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("images", nargs="*", type=Path, metavar="IMAGE", default=[samples()["horse"]], help="image files; the bundled horse unless given")
    parser.add_argument("--label", help="index or name of the class to explain; the predicted one unless given")
    parser.add_argument("--batch-size", default="auto", help="most masks a forward pass, or auto (%(default)s)")
    model_arguments(parser)


def _protocol_arguments(parser: argparse.ArgumentParser) -> None:
    known = f"{', '.join(mv.PROTOCOLS)}; with a baseline ({', '.join(mv.BASELINES)}) as in patch/blur"
    how = f"how insertion and deletion are made: {known} (%(default)s)"
    parser.add_argument("--protocol", metavar="NAME", default="patch/black", help=how)
    parser.add_argument("--steps", type=int, default=None, help="points of a curve; every patch up to 100 unless given")
    parser.add_argument("--seed", type=int, default=0, help="of masks that are drawn, and of the random baseline (%(default)s)")


def _evaluate_arguments(parser: argparse.ArgumentParser) -> None:
    _explain_arguments(parser)
    parser.set_defaults(out=Path("evaluation.csv"))


# --- commands ---------------------------------------------------------------------------------------------------------


def _explain(args: argparse.Namespace) -> int:
    with output_folder(args.out) as out:
        rows: list[dict[str, Any]] = []

        def one(path: Path, name: str, explanation: Any, faithfulness: Any) -> str:
            files = _write_explanation(out, name, explanation, faithfulness)
            score = explanation.score.told(explanation.clean[explanation.label])
            return f"{explanation.label_name} ({score}), {_areas(faithfulness)}; {', '.join(files)}"

        try:
            code = _each(args, rows, one)
        finally:
            _write_rows(rows, out / "explanations.csv", go_on=True)
        if rows:
            say(f"{len(rows)} explained; written into {out}")
        return code


def _evaluate(args: argparse.Namespace) -> int:
    if args.out.is_dir():
        raise InputError(f"cannot write {args.out}: it is a folder; give a file name")
    with output_folder(args.out.parent):
        rows: list[dict[str, Any]] = []
        try:
            code = _each(args, rows, lambda path, name, explanation, faithfulness: f"{explanation.label_name}, {faithfulness.protocol}: {_areas(faithfulness)}")
        finally:
            _write_rows(rows, args.out)
        if rows:
            say(f"{len(rows)} evaluated; written to {args.out}")
        return code


# --- shared by the commands -------------------------------------------------------------------------------------------


def _each(args: argparse.Namespace, rows: list[dict[str, Any]], one: Callable[[Path, str, Any, Any], str]) -> int:
    """Explain and measure one image after the other; report a bad one in one line and go on."""
    from multiplex_vit.tabular import unicode_text

    settings, options = _settings(args), _options(args)
    model = mv.load(args.model, device=args.device, dtype=args.dtype, score=args.score)
    if args.label is not None:
        model.label_of(args.label, 0)
    if settings.starting_layer >= model.n_layers:
        raise InputError(f"starting_layer is {settings.starting_layer}; {model.name} has layers 0 to {model.n_layers - 1}")
    n_failed = 0
    for path, name in zip(args.images, output_stems(args.images), strict=True):
        try:
            picture = model.picture(path)
            explanation = mv.explain(model, picture, label=args.label, batch_size=options["batch_size"], settings=settings)
            faithfulness = mv.evaluate(model, picture, explanation.heatmap, label=explanation.label, protocol=args.protocol, **options)
            line = one(path, name, explanation, faithfulness)
            rows.append({"image": unicode_text(str(path)), **explanation.row(), **faithfulness.row()})
            say(f"{path.name}: {line}")
        except Exception as error:
            n_failed += 1
            failed(error)
    if not n_failed:
        return DONE
    return FAILED if n_failed == len(args.images) else SOME_FAILED


def _settings(args: argparse.Namespace) -> Any:
    changed: dict[str, Any] = {field: value for field in _SETTINGS if (value := getattr(args, field)) is not None}
    return replace(mv.METHODS[args.method], **changed)


def _options(args: argparse.Namespace) -> dict[str, Any]:
    """Return the options of an evaluation, all of them checked."""
    from multiplex_vit.evaluation.many import protocol_of

    batch_size = args.batch_size
    if batch_size != "auto":
        batch_size = whole("batch_size", int(batch_size) if batch_size.lstrip("-").isdecimal() else batch_size, at_least=1)
    options = {"steps": args.steps, "seed": args.seed, "batch_size": batch_size}
    protocol_of(args.protocol, options)  # type: ignore[arg-type]
    return options


def _areas(faithfulness: Any) -> str:
    return ", ".join(f"{name} {curve.auc:.3f}" for name, curve in faithfulness.curves.items())


def _write_explanation(out: Path, name: str, explanation: Any, faithfulness: Any) -> list[str]:
    """Write overlay, summary and saved explanation; return the files' names."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    from multiplex_vit import plot

    figure, ax = plt.subplots(figsize=(4.5, 4.5), layout="constrained")
    explanation.plot(ax=ax)
    summary = plot.summary([explanation], [faithfulness])
    files = {f"{name}_overlay.png": figure, f"{name}_summary.png": summary, f"{name}_summary.pdf": summary}
    try:
        with written_together(out) as temporary:
            for file, drawing in files.items():
                drawing.savefig(temporary / file, dpi=160)
            explanation.save(temporary / f"{name}.npz")
    finally:
        plt.close(figure)
        plt.close(summary)
    return [*files, f"{name}.npz"]


def _write_rows(rows: list[dict[str, Any]], path: Path, *, go_on: bool = False) -> None:
    """Write rows as CSV; to go on keeps the rows that a file has of other images."""
    import pandas as pd

    from multiplex_vit.tabular import read_table, write_table

    if not rows:
        return
    table = pd.DataFrame(rows)
    if go_on and path.exists():
        numbers = [name for name in table if pd.api.types.is_numeric_dtype(table[name])]
        try:
            earlier = read_table(path, numbers=numbers, give="a table of explanations")
            others = earlier[~earlier["image"].isin(table["image"])]
        except (InputError, KeyError) as error:
            what = f"{path} is no table of explanations"
            raise InputError(f"{what}; choose another folder") from error
        table = pd.concat([others, table])
    with written_whole(path) as temporary:
        write_table(table, temporary)


EXPLAIN = Command("Explain images: heatmap, pictures, insertion and deletion.", _explain_arguments, _explain)
EVALUATE = Command("Explain images and measure the heatmaps, as a table.", _evaluate_arguments, _evaluate)
