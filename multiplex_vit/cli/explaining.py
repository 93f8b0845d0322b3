"""What explain and evaluate share: their arguments, and a heatmap measured for every image."""

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import multiplex_vit as mv
from multiplex_vit.checks import whole
from multiplex_vit.cli.command import (
    DONE,
    FAILED,
    SOME_FAILED,
    failed,
    model_arguments,
    place,
    say,
)
from multiplex_vit.cli.settings import add_settings, settings_of
from multiplex_vit.errors import InputError
from multiplex_vit.evaluation.curve import Faithfulness
from multiplex_vit.evaluation.many import protocol_of
from multiplex_vit.evaluation.protocols import Choices
from multiplex_vit.models.classifier import Classifier
from multiplex_vit.pictures import samples
from multiplex_vit.tabular import unicode_text

# --- arguments ------------------------------------------------------------------------------------


def explaining_arguments(parser: argparse.ArgumentParser, *, out: str, what: str) -> None:
    """Add images, method and protocol, the folder or file to write, and the settings of masks.

    Parameters
    ----------
    parser : ArgumentParser
    out : str
        Default of --out.
    what : str
        What --out is, such as "Folder to write into".
    """
    _image_arguments(parser)
    method = "Explainer, perhaps with options: 'rise_tokens(budget=550)'. Default: %(default)s."
    parser.add_argument("--method", metavar="NAME", default="mutex", help=method)
    parser.add_argument(
        "--out", type=place, default=Path(out), help=f"{what}. Default: %(default)s."
    )
    _protocol_arguments(parser)
    add_settings(parser)


def _image_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "images",
        nargs="*",
        type=place,
        metavar="IMAGE",
        default=[samples()["deer"]],
        help="Image files. Default: the bundled deer.",
    )
    label = "Index or name of the class to explain. Default: the predicted class."
    parser.add_argument("--label", help=label)
    batch_size = "Most masks of a forward pass, or auto. Default: %(default)s."
    parser.add_argument("--batch-size", default="auto", help=batch_size)
    model_arguments(parser)


def _protocol_arguments(parser: argparse.ArgumentParser) -> None:
    names = ", ".join(mv.PROTOCOLS)
    baselines = ", ".join(mv.evaluation.BASELINES)
    protocol = f"How insertion and deletion are made: {names}, with a baseline ({baselines})"
    protocol += " as in patch/blur. Default: %(default)s."
    parser.add_argument("--protocol", metavar="NAME", default="patch/black", help=protocol)
    steps = "Points of a curve. Default: every patch, up to 100."
    parser.add_argument("--steps", type=int, help=steps)
    seed = "Seed of masks that are drawn, and of the random baseline. Default: %(default)s."
    parser.add_argument("--seed", type=int, default=0, help=seed)


# --- images ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Measured:
    """An image explained, its heatmap measured, and both as a row of a table.

    Attributes
    ----------
    explanation : Explanation
    faithfulness : Faithfulness
    row : dict
        Columns of the table with their values.
    """

    explanation: Any
    faithfulness: Faithfulness
    row: dict[str, Any]


Keep = Callable[[str, Measured], str]
"""Takes the name of an image's results and what they are, and returns the line to print."""


def explain_images(args: argparse.Namespace, names: list[str], keep: Keep) -> int:
    """Explain and measure one image after the other, and return the exit code.

    A bad image is reported in one line, and the next one follows.

    Parameters
    ----------
    args : Namespace
    names : list of str
        A name for the results of each image.
    keep : callable
        What is done with the results of an image.
    """
    explainer = _explainer(args)
    options = _options(args)
    model = mv.load(args.model, device=args.device, dtype=args.dtype, score=args.score)
    _check_for_model(model, explainer, args)
    n_failed = 0
    for path, name in zip(args.images, names, strict=True):
        try:
            line = keep(name, _measured(model, path, explainer, options, args))
        except Exception as error:
            # Whatever is wrong with one image, the others are explained.
            n_failed += 1
            failed(error)
        else:
            say(f"{path.name}: {line}")
    if not n_failed:
        return DONE
    return FAILED if n_failed == len(args.images) else SOME_FAILED


def areas(faithfulness: Faithfulness) -> str:
    """Return the areas under the curves as text."""
    texts = []
    for name, curve in faithfulness.curves.items():
        texts.append(f"{name} {curve.auc:.3f}")
    return ", ".join(texts)


def _explainer(args: argparse.Namespace) -> Any:
    """Return the explainer with the settings that were given."""
    explainer = mv.EXPLAINERS[args.method].at(**settings_of(args))
    # A seed in the name of the method goes before that of --seed.
    if "seed" in explainer.options:
        return explainer
    return explainer.where_taken(seed=args.seed)


def _options(args: argparse.Namespace) -> Choices:
    """Return the options of an evaluation, all of them checked."""
    batch_size = args.batch_size
    if batch_size != "auto":
        is_number = batch_size.lstrip("-").isdecimal()
        number = int(batch_size) if is_number else batch_size
        # A text that is no number is refused there, with the right line.
        batch_size = whole("batch_size", number, at_least=1)
    options: Choices = {"steps": args.steps, "seed": args.seed, "batch_size": batch_size}
    # What the protocol does not take is refused before a model is loaded.
    protocol_of(args.protocol, options)
    return options


def _check_for_model(model: Classifier, explainer: Any, args: argparse.Namespace) -> None:
    """Refuse once what would fail with every image."""
    if args.label is not None:
        model.label_of(args.label, 0)
    settings = explainer.settings
    if settings is not None and settings.starting_layer >= model.n_layers:
        layers = f"{model.name} has layers 0 to {model.n_layers - 1}"
        raise InputError(f"starting_layer is {settings.starting_layer}; {layers}")


def _measured(
    model: Classifier,
    path: Path,
    explainer: Any,
    options: Choices,
    args: argparse.Namespace,
) -> Measured:
    # Read once for both: the file may be replaced in between.
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
    row = {
        "image": unicode_text(str(path)),
        **explanation.row(),
        **faithfulness.row(),
    }
    return Measured(explanation, faithfulness, row)
