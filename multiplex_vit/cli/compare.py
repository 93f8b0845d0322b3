"""multiplex-vit compare: which heatmap is the most faithful for its passes?"""

import argparse
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import multiplex_vit as mv
from multiplex_vit.checks import whole
from multiplex_vit.cli.command import DONE, SOME_FAILED, model_arguments, place, say
from multiplex_vit.cli.studies import AGAINST, WORKERS, check_folder, run_and_report
from multiplex_vit.errors import InputError
from multiplex_vit.report.markdown import REPORT
from multiplex_vit.study.sources import SUFFIXES, pictures_of

if TYPE_CHECKING:
    from multiplex_vit.saliency.explainers import Explainer

MOST_PASSES = 100
"""Explainers that take a pass for each token are left out by default where that is more."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    images = "Image files, or folders of them. Default: two bundled photos."
    bundled = [mv.samples()["deer"], mv.samples()["dogs"]]
    parser.add_argument(
        "images", nargs="*", type=place, metavar="IMAGE", default=bundled, help=images
    )
    explainers = "Explainers, as `multiplex-vit models` lists them. Default: all"
    explainers += f", without those that take a pass a token where that is over {MOST_PASSES}."
    parser.add_argument("--explainers", nargs="+", metavar="NAME", help=explainers)
    budget = "Forward passes of the explainers that have a budget, such as 55,550. Default: 55."
    parser.add_argument("--budget", nargs="+", default=["55"], metavar="N", help=budget)
    baselines = ", ".join(mv.evaluation.BASELINES)
    protocols = f"Protocols, of {', '.join(mv.PROTOCOLS)}, with a baseline where there is one"
    protocols += f" ({baselines}). Default: token,patch/black."
    default = ["token,patch/black"]
    parser.add_argument("--protocol", nargs="+", default=default, metavar="NAME", help=protocols)
    steps = "Points of a curve. Default: every patch, up to 100."
    parser.add_argument("--steps", type=int, metavar="N", help=steps)
    parser.add_argument("--against", nargs="+", metavar="NAME", help=AGAINST)
    label = "Index or name of the class to explain. Default: each image's predicted one."
    parser.add_argument("--label", metavar="CLASS", help=label)
    seed = "Seed of what is drawn. Default: %(default)s."
    parser.add_argument("--seed", type=int, default=0, help=seed)
    parser.add_argument("--workers", type=int, default=1, metavar="N", help=WORKERS)
    out = "Folder to write into; the same command goes on there. Default: %(default)s."
    parser.add_argument("--out", type=place, default=Path("comparison"), metavar="DIR", help=out)
    model_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Run a study of the explainers, and write its report."""
    import matplotlib

    # Torch comes with it, which --help does without.
    from multiplex_vit.report.leaderboard import readable

    matplotlib.use("Agg")

    images = list(_files(args.images))
    report = args.out / "report"
    check_folder(args.out, [*args.images, *images], model=args.model, files=[report / REPORT])
    # It is wanted before the study for the number of patches alone.
    model = mv.load(args.model, device="cpu", dtype=args.dtype, score=args.score)
    rows, columns = model.grid_of(model.input_size)
    study = mv.Study(
        args.out,
        images,
        model=args.model,
        explainers=_explainers(args, rows * columns, model.n_layers),
        protocols=list(dict.fromkeys(parts(args.protocol))),
        steps=args.steps,
        seed=args.seed,
        target="predicted" if args.label is None else args.label,
        device=args.device,
        dtype=args.dtype,
        score=args.score,
    )
    _check_against(args, study.explainers)
    code = run_and_report(study, workers=args.workers)
    if code not in (DONE, SOME_FAILED):
        return code
    for protocol in study.protocols:
        board = mv.report.leaderboard(study, protocol, against=args.against)
        board = readable(board, brief=True)
        say(f"\n{protocol}: insertion - deletion, mean [95 % over images]")
        say(board.to_string(index=False))
    files = mv.report.write_report(study, report, against=args.against)
    say(f"\nwritten into {report}: {', '.join(file.name for file in files)}")
    return code


def _explainers(args: argparse.Namespace, n_tokens: int, n_layers: int) -> "list[Explainer]":
    """Return the explainers to compare, those that have a budget at each budget."""
    names = parts(args.explainers) if args.explainers else list(mv.EXPLAINERS)
    chosen = [mv.EXPLAINERS[name] for name in names]
    if not args.explainers and n_tokens + 1 > MOST_PASSES:
        chosen = [explainer for explainer in chosen if not explainer.each_token]
    explainers: list[Explainer] = []
    for text in parts(args.budget):
        budget = whole("budget", int(text) if text.isdecimal() else text, at_least=2)
        for explainer in chosen:
            explainers.append(at_budget(explainer, budget, n_tokens, n_layers))
    return list(dict.fromkeys(explainers))


def at_budget(explainer: "Explainer", budget: int, n_tokens: int, n_layers: int) -> "Explainer":
    """Return an explainer with a budget, or as it is where that makes no difference.

    Parameters
    ----------
    explainer : Explainer
    budget : int
        Most forward passes.
    n_tokens, n_layers : int
        Patches of an image, and blocks of the model.

    Examples
    --------
    >>> mutex, rise = mv.EXPLAINERS["mutex"], mv.EXPLAINERS["rise_tokens"]
    >>> at_budget(mutex, 550, 64, 6), at_budget(rise, 550, 64, 6)
    (<Explainer mutex>, <Explainer rise_tokens(budget=550)>)
    """
    if not explainer.takes("budget") or "budget" in explainer.options:
        return explainer
    changed = explainer.at(budget=budget)
    n_passes = explainer.passes(n_tokens, n_layers)
    # An explainer of the user's own does not say how many passes it takes.
    if n_passes is not None and n_passes == changed.passes(n_tokens, n_layers):
        return explainer
    return changed


def _check_against(args: argparse.Namespace, explainers: "Iterable[Explainer]") -> None:
    """Refuse what others cannot be compared with before anything is computed."""
    texts = [str(explainer) for explainer in explainers]
    names = [explainer.name for explainer in explainers]
    for name in args.against or ():
        if name not in texts and name not in names:
            compared = f"the explainers compared ({', '.join(texts)})"
            raise InputError(f"--against {name} is none of {compared}; add it to --explainers")


def parts(values: Iterable[str]) -> list[str]:
    """Return what stands between commas, except those within brackets.

    Examples
    --------
    >>> parts(["55,550", "1000"]), parts(["tis(budget=9, seed=1),mutex"])
    (['55', '550', '1000'], ['tis(budget=9, seed=1)', 'mutex'])
    """
    texts = []
    for value in values:
        part, depth = "", 0
        for character in value:
            depth += (character == "(") - (character == ")")
            if character == "," and depth == 0:
                texts.append(part)
                part = ""
            else:
                part += character
        texts.append(part)
    return [text.strip() for text in texts if text.strip()]


def _files(paths: Iterable[Path]) -> Iterable[Path]:
    """Yield image files, those of folders by name."""

    for path in dict.fromkeys(paths):
        if not path.is_dir():
            yield path
            continue
        names = pictures_of(path)
        if not names:
            suffixes = ", ".join(sorted(SUFFIXES))
            raise InputError(f"{path} holds no image; files that end in {suffixes} are taken")
        for name in names:
            yield path / name
