"""multiplex-vit models: which models and explainers there are."""

import argparse
from pathlib import Path

import multiplex_vit as mv
from multiplex_vit.cli.command import DONE, say
from multiplex_vit.models.bundled import bundled

_LOADED = ("transformers", "timm")
"""Libraries whose checkpoints can be loaded; modules of the others are wrapped."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add no arguments: the command takes none."""


def run(args: argparse.Namespace) -> int:
    """Print the bundled models, the architectures and the explainers."""
    for name, folder in bundled().items():
        say(f"{name}: {_card_line(folder)}")
    for library, families in mv.models.FAMILIES.items():
        whole = [name for name, family in families.items() if not family.needs_head]
        backbones = [name for name in families if name not in whole]
        given = "a module, mv.wrap(module)"
        if library in _LOADED:
            given = "any checkpoint folder or hub id"
        if whole:
            say(f"{library}, {given}: {', '.join(whole)}")
        if backbones:
            given = "a backbone and a head, mv.wrap(backbone, head=...)"
            say(f"{library}, {given}: {', '.join(backbones)}")
    say(f"Explainers: {', '.join(mv.EXPLAINERS)}")
    return DONE


def _card_line(folder: Path) -> str:
    """Return the first paragraph of a model card."""
    paragraphs = (folder / "README.md").read_text(encoding="utf-8").split("\n\n")
    return " ".join(paragraphs[1].split())
