"""What the study scripts share: CIFAR-10 test images drawn from a seed, the command line, and the head of a summary."""

import argparse
from pathlib import Path

import numpy as np
from provenance import provenance

import multiplex_vit as mv
from multiplex_vit.study.sources import ImageSource


def arguments(doc: str, name: str) -> argparse.ArgumentParser:
    """Return a parser with what every study script takes."""
    parser = argparse.ArgumentParser(
        description=doc, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", nargs="+", default=["demo-vit", "demo-deit"])
    parser.add_argument(
        "--data", type=Path, default=Path(), help="folder with test.parquet (this one)"
    )
    parser.add_argument("--images", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0, help="of the images drawn")
    parser.add_argument(
        "--steps", type=int, help="points of a curve; every patch up to 100 unless given"
    )
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument(
        "--study",
        type=Path,
        default=Path(f"studies/{name}"),
        help="folder of the studies themselves, to go on with (%(default)s)",
    )
    parser.add_argument(
        "--out",
        type=Path,
        default=Path(f"analysis/results/{name}"),
        help="results, without suffix (%(default)s)",
    )
    return parser


def drawn(args: argparse.Namespace) -> ImageSource:
    """Return test images drawn from the seed, without looking at them."""
    every = mv.images(args.data / "test.parquet")
    chosen = np.sort(np.random.default_rng(args.seed).permutation(len(every))[: args.images])
    return mv.images(args.data / "test.parquet", index=chosen.tolist())


def head(
    title: str,
    args: argparse.Namespace,
    *,
    tests: str = "paired differences; p by Wilcoxon, corrected by Holm",
) -> str:
    """Return a summary's first lines: title, command, commit, device, and what is tested how."""
    facts = provenance()
    return (
        f"# {title}\n\n`{facts['command']}`; {facts['date']}, commit {facts['commit']}, {facts['device']}. "
        f"{args.images} CIFAR-10 test images drawn with seed {args.seed}; the predicted class is explained. "
        f"Means with bootstrap 95 % intervals over images; {tests}.\n"
    )
