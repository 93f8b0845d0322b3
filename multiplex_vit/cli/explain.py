"""multiplex-vit explain: heatmaps of images, drawn, saved and measured."""

import argparse
from io import BytesIO
from pathlib import Path

import pandas as pd

from multiplex_vit import plot
from multiplex_vit.cli.command import check_outputs, say
from multiplex_vit.cli.explaining import Measured, areas, explain_images, explaining_arguments
from multiplex_vit.cli.settings import numeric_settings
from multiplex_vit.errors import InputError
from multiplex_vit.files import locked, output_folder, output_stems, written_together
from multiplex_vit.files.locks import SHORT
from multiplex_vit.tabular import read_table, write_table

TABLE = "explanations.csv"

_ENDINGS = ("_overlay.png", "_summary.png", "_summary.pdf", ".npz")
"""What the files of an explanation end in, behind the name of its image."""

_NUMBERS = (
    "label",
    "probability",
    "predicted",
    *numeric_settings(),
    "masks",
    "distinct_masks",
    "forward_passes",
    "backward_passes",
    "insertion",
    "deletion",
    "difference",
)
"""Columns of the table that hold numbers."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    explaining_arguments(parser, out="explanations", what="Folder to write into")


def run(args: argparse.Namespace) -> int:
    """Explain the images, and write pictures, saved explanations and a table of them."""
    table = args.out / TABLE
    names = output_stems(args.images)
    outputs = [table]
    for name in names:
        outputs += [args.out / file for file in _files_of(name)]
    check_outputs(outputs, folders=[args.out], inputs=args.images, model=args.model)
    # A table that cannot be added to is refused before anything is computed.
    _earlier_rows(table)
    n_explained = 0

    def keep(name: str, measured: Measured) -> str:
        nonlocal n_explained
        _write_explanation(args.out, name, measured)
        n_explained += 1
        explanation = measured.explanation
        score = explanation.score.text(explanation.clean[explanation.label])
        label = f"{explanation.label_name} ({score})"
        return f"{label}, {areas(measured.faithfulness)}; {', '.join(_files_of(name))}"

    code = explain_images(args, names, keep)
    if n_explained:
        say(f"{n_explained} explained; written into {args.out}")
    return code


def _files_of(name: str) -> list[str]:
    """Return the files that an explanation is written into."""
    return [f"{name}{ending}" for ending in _ENDINGS]


def _write_explanation(folder: Path, name: str, measured: Measured) -> None:
    """Write overlay, summary, saved explanation and its row of the table, all or none."""
    drawn = _drawn(name, measured)
    rows = pd.DataFrame([measured.row])
    # Other commands that write into the folder wait, so that each reads the rows of those before.
    with output_folder(folder), locked(folder, wait=SHORT), written_together(folder) as temporary:
        for file, content in drawn.items():
            (temporary / file).write_bytes(content)
        measured.explanation.save(temporary / f"{name}.npz")
        earlier = _earlier_rows(folder / TABLE)
        if earlier is not None:
            others = earlier[~earlier["image"].isin(rows["image"])]
            rows = pd.concat([others, rows])
        write_table(rows, temporary / TABLE)


def _drawn(name: str, measured: Measured) -> dict[str, bytes]:
    """Return the pictures of an explanation by their files' names."""
    # Here, as Matplotlib would make --help slow; "Agg" needs no screen.
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

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


def _earlier_rows(path: Path) -> pd.DataFrame | None:
    """Return the rows that a table of explanations holds, None where there is none."""
    if not path.exists():
        return None
    reason = f"{path} is no table of explanations"
    try:
        earlier = read_table(path, numbers=_NUMBERS, give="a table of explanations")
    except InputError as error:
        raise InputError(f"{reason}; choose another folder") from error
    if "image" not in earlier:
        raise InputError(f"{reason}; choose another folder")
    return earlier
