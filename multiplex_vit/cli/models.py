"""multiplex-vit models: which models there are."""

import argparse
from pathlib import Path

import multiplex_vit as mv
from multiplex_vit.cli.command import DONE, Command, say
from multiplex_vit.models.bundled import bundled


def _models(args: argparse.Namespace) -> int:
    for name, folder in bundled().items():
        say(f"{name}: {_card_line(folder)}")
    architectures = ", ".join(mv.ADAPTERS)
    say(f"Any checkpoint folder or hub id of these architectures works too: {architectures}")
    return DONE


def _card_line(folder: Path) -> str:
    """Return the first paragraph of a model card."""
    paragraphs = (folder / "README.md").read_text(encoding="utf-8").split("\n\n")
    return " ".join(paragraphs[1].split())


MODELS = Command("List the bundled models and the supported architectures.", lambda parser: None, _models)
