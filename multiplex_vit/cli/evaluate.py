"""multiplex-vit evaluate: how faithful the heatmaps of images are, as a table."""

import argparse
from typing import Any

import pandas as pd

from multiplex_vit.cli.command import check_outputs, say
from multiplex_vit.cli.explaining import Measured, areas, explain_images, explaining_arguments
from multiplex_vit.files import output_folder, output_stems, written_whole
from multiplex_vit.tabular import write_table


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    explaining_arguments(parser, out="evaluation.csv", what="CSV file to write")


def run(args: argparse.Namespace) -> int:
    """Explain and measure the images, and write one table."""
    check_outputs([args.out], inputs=args.images, model=args.model)
    rows: list[dict[str, Any]] = []

    def keep(name: str, measured: Measured) -> str:
        rows.append(measured.row)
        faithfulness = measured.faithfulness
        label = measured.explanation.label_name
        return f"{label}, {faithfulness.protocol}: {areas(faithfulness)}"

    code = explain_images(args, output_stems(args.images), keep)
    if rows:
        with output_folder(args.out.parent), written_whole(args.out) as temporary:
            write_table(pd.DataFrame(rows), temporary)
        say(f"{len(rows)} evaluated; written to {args.out}")
    return code
