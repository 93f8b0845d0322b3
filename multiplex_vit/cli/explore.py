"""multiplex-vit explore: an interactive page of an image."""

import argparse
from pathlib import Path

import multiplex_vit as mv
from multiplex_vit.checks import whole
from multiplex_vit.cli.command import DONE, check_outputs, model_arguments, place, say
from multiplex_vit.errors import InputError
from multiplex_vit.files import output_folder, output_stems
from multiplex_vit.pictures import samples


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument(
        "image",
        nargs="?",
        type=place,
        metavar="IMAGE",
        default=samples()["deer_and_dog"],
        help="Image file. Default: the bundled picture of a deer and a dog.",
    )
    model_arguments(parser)
    label = "Class to explain, by index or name. Default: the predicted class."
    parser.add_argument("--label", help=label)
    method = "Explainer, perhaps with options: mutex, communities, ... Default: %(default)s."
    parser.add_argument("--method", metavar="NAME", default="mutex", help=method)
    parser.add_argument(
        "--operators",
        nargs="+",
        choices=list(mv.models.OPERATORS),
        metavar="NAME",
        default=["sum"],
        help=f"How attention is pooled over heads, a network for each:"
        f" {', '.join(mv.models.OPERATORS)}. Default: sum.",
    )
    steps = "Points of the insertion and deletion curves, 0 for none. Default: %(default)s."
    parser.add_argument("--steps", type=int, default=25, help=steps)
    out = "Page to write. Default: the image's name and _explorer.html."
    parser.add_argument("--out", type=place, help=out)


def run(args: argparse.Namespace) -> int:
    """Explain the image and write its page."""
    out = args.out or Path(f"{output_stems([args.image])[0]}_explorer.html")
    if out.suffix.lower() not in (".html", ".htm"):
        raise InputError(f"--out is {out}; give a name that ends in .html")
    steps = whole("steps", args.steps, at_least=0) or None
    check_outputs([out], inputs=[args.image], model=args.model)
    # An unknown method is refused before a model is loaded.
    mv.EXPLAINERS.resolve(args.method)
    model = mv.load(args.model, device=args.device, dtype=args.dtype, score=args.score)
    explorer = mv.explorer(
        model,
        args.image,
        label=args.label,
        method=args.method,
        operators=args.operators,
        steps=steps,
    )
    with output_folder(out.parent):
        explorer.write(out)
    size = f"{out.stat().st_size / 1e6:.1f} MB"
    say(f"{explorer.title}; written to {out} ({size}): open it in a browser")
    return DONE
