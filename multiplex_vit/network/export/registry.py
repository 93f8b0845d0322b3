"""The registry of formats."""

from collections.abc import Callable
from pathlib import Path

from multiplex_vit.network.export.view import Export
from multiplex_vit.registry import Registry

Exporter = Callable[[Export, Path], None]

EXPORTERS: Registry[Exporter] = Registry(
    "format",
    data=2,
    traits={"suffix": str, "extension": str, "preset": str, "signed": bool},
)
"""Formats by name.

A member takes an `Export` and a path, and writes the file. It may write more files beside it
whose names begin with the path's stem.

The trait `suffix` is the suffix by which a format is chosen where none is named; `extension` is
the usual one of a format that is always named.
"""
