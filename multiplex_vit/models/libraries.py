"""What is imported of transformers that needs torchvision, where that is installed.

A torchvision that was built for another torch makes the import fail. Where its compiled operators
alone are missing, they are declared, as models and transforms need none of them: the usual wheel of
torchvision beside a torch for CPUs. Otherwise the error says what is wrong.
"""

import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

import torch

from multiplex_vit.errors import InputError

_OPERATORS = ("nms", "qnms")
"""What torchvision says of compiled operators when it is imported, whether they are there or not."""

_COMPILED = ("_C.so", "_C.pyd", "_C.dylib")


def declared_operators() -> torch.library.Library | None:
    """Declare the compiled operators of a torchvision whose compiled part cannot be loaded.

    Returns
    -------
    torch.library.Library or None
        Declarations last as long as it does. None where nothing is declared: torchvision is not
        installed, was imported before, or can be loaded.
    """
    if "torchvision" in sys.modules:
        return None
    spec = find_spec("torchvision")
    folders = [] if spec is None else spec.submodule_search_locations or []
    for folder in folders:
        for file in _COMPILED:
            path = Path(folder) / file
            if path.exists() and not _can_be_loaded(path):
                return _declared()
    return None


def _can_be_loaded(path: Path) -> bool:
    try:
        torch.ops.load_library(path)
    except (ImportError, OSError):
        return False
    return True


def _declared() -> torch.library.Library:
    library = torch.library.Library("torchvision", "FRAGMENT")
    for name in _OPERATORS:
        library.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    return library


@contextmanager
def torchvision_errors() -> Iterator[None]:
    """Turn an error that comes out of torchvision into one line."""
    try:
        yield
    except InputError:
        raise
    except Exception as error:
        fault = _of_torchvision(error)
        if fault is None:
            raise
        reason = " ".join(str(fault).split())[:200] or type(fault).__name__
        raise InputError(
            f"torchvision {_version('torchvision')} does not go with torch {_version('torch')} "
            f"({reason}); install the torchvision that belongs to it, or uninstall torchvision, "
            "which is not needed"
        ) from error


def _of_torchvision(error: BaseException | None) -> BaseException | None:
    """Return the error of a chain that was raised in torchvision, or names it.

    Where there are several it is the first cause.
    """
    fault = None
    while error is not None:
        frames = traceback.extract_tb(error.__traceback__)
        files = [frame.filename.replace("\\", "/") for frame in frames]
        if "torchvision" in str(error) or any("/torchvision/" in file for file in files):
            fault = error
        error = error.__cause__ or error.__context__
    return fault


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "of unknown version"


_DECLARED = declared_operators()

with torchvision_errors():
    from transformers import AttentionInterface, AttentionMaskInterface, PreTrainedModel
    from transformers.activations import ACT2FN, GELUActivation
    from transformers.masking_utils import sdpa_mask

__all__ = [
    "ACT2FN",
    "AttentionInterface",
    "AttentionMaskInterface",
    "GELUActivation",
    "PreTrainedModel",
    "sdpa_mask",
    "torchvision_errors",
]
