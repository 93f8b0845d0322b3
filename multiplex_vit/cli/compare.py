"""multiplex-vit compare: which heatmap is the most faithful for its passes?"""

import argparse
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import multiplex_vit as mv
from multiplex_vit.checks import whole
from multiplex_vit.cli.command import DONE, SOME_FAILED, Command, check_outputs, model_arguments, place, say
from multiplex_vit.errors import InputError
from multiplex_vit.files import locked, output_folder


def _compare_arguments(parser: argparse.ArgumentParser) -> None:
    bundled = list(mv.samples().values())
    parser.add_argument(
        "images", nargs="*", type=place, metavar="IMAGE", default=bundled, help="image files, or folders of them; the bundled ones unless given"
    )
    methods = "mutex, communities, rivals such as rise_tokens, generic_attention, random_order; all of at most 100 passes unless given"
    parser.add_argument("--methods", nargs="+", metavar="NAME", help=methods)
    parser.add_argument("--budget", nargs="+", default=["55"], metavar="N", help="passes of the methods that have a budget, as 55,550 (55)")
    known = f"{', '.join(mv.PROTOCOLS)}, with a baseline where there is one ({', '.join(mv.BASELINES)}), as token,patch/black (both)"
    parser.add_argument("--protocol", nargs="+", default=["token,patch/black"], metavar="NAME", help=known)
    parser.add_argument("--steps", type=int, help="points of a curve; every patch up to 100 unless given")
    parser.add_argument("--against", nargs="+", metavar="NAME", help="methods that the others are compared with; mutex unless given")
    parser.add_argument("--label", help="index or name of the class to explain; each image's predicted one unless given")
    parser.add_argument("--seed", type=int, default=0, help="of what is drawn (%(default)s)")
    parser.add_argument("--batch-size", default="auto", help="most images a forward pass, or auto (%(default)s)")
    parser.add_argument("--out", type=place, default=Path("comparison"), help="folder to write, where a second run goes on (%(default)s)")
    model_arguments(parser)


def _compare(args: argparse.Namespace) -> int:
    from multiplex_vit.study.ledger import CURVES, FACTS, HEATMAPS, ROWS

    images = list(_files(args.images))
    files = [args.out / name for name in (ROWS, CURVES, HEATMAPS, FACTS)]
    check_outputs(files, folders=[args.out], inputs=[*args.images, *images], model=args.model)
    choices = _choices(args)
    model = mv.load(args.model, device=args.device, dtype=args.dtype, score=args.score)
    _known_method(args)
    # A second comparison into the folder would lose the rows of this one.
    with output_folder(args.out), locked(args.out):
        return _measure(model, images, choices, args)


def _measure(model: Any, images: list[Path], choices: dict[str, Any], args: argparse.Namespace) -> int:
    found = mv.compare(model, images, out=args.out, tell=say, **choices)
    for image, reason in found.failures:
        say(f"multiplex-vit: {image}: {reason}", sys.stderr)
    for protocol, rows in found.summary(args.against).items():
        say(f"\n{protocol}: insertion minus deletion AUC, mean [95 % over images]; what shares a rank is not told apart\n{_text(rows)}")
    written = found.write(args.out, against=args.against)
    say(f"\n{found!r} written into {args.out}: {', '.join(file.name for file in written)}")
    return SOME_FAILED if found.failures else DONE


def _known_method(args: argparse.Namespace) -> None:
    """Refuse what others cannot be compared with before anything is measured."""
    unknown = [name for name in args.against or () if args.methods is not None and name.split(" ")[0] not in _parts(args.methods)]
    if unknown:
        raise InputError(f"--against {unknown[0]} is none of the methods measured: {', '.join(_parts(args.methods))}; add it to --methods")


def _choices(args: argparse.Namespace) -> dict[str, Any]:
    budgets = [whole("budget", int(part) if part.isdecimal() else part, at_least=2) for part in _parts(args.budget)]
    batch_size: Any = int(args.batch_size) if args.batch_size.isdecimal() else args.batch_size
    if batch_size != "auto":
        batch_size = whole("batch_size", batch_size, at_least=1)
    protocols = _parts(args.protocol)
    methods = None if args.methods is None else _parts(args.methods)
    fields = {"methods": methods, "budgets": budgets, "protocols": protocols, "batch_size": batch_size}
    return {**fields, "steps": args.steps, "label": args.label, "seed": args.seed}


def _parts(values: Iterable[str]) -> list[str]:
    """Return what stands between commas and blanks.

    Examples
    --------
    >>> _parts(["55,550", "1000"])
    ['55', '550', '1000']
    """
    return [part for value in values for part in value.split(",") if part]


def _files(paths: Iterable[Path]) -> Iterable[Path]:
    """Yield image files, those of folders by name."""
    from multiplex_vit.study.images import SUFFIXES, pictures_of

    for path in dict.fromkeys(paths):
        if not path.is_dir():
            yield path
            continue
        names = pictures_of(path)
        if not names:
            known = ", ".join(sorted(SUFFIXES))
            raise InputError(f"{path} holds no image; files that end in {known} are taken")
        for name in names:
            yield path / name


def _text(rows: Any) -> str:
    from multiplex_vit.study.standing import told

    return str(told(rows, brief=True).to_string(index=False))


COMPARE = Command("Compare methods on the same images: figures, intervals, paired differences, pictures.", _compare_arguments, _compare)
