"""What is taken of transformers that needs torchvision where that is installed, and which of the two is at fault if it fails."""

import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version

from multiplex_vit.errors import InputError


@contextmanager
def torchvision_told() -> Iterator[None]:
    """Turn an error that comes out of torchvision, as where it was built for another torch, into one line."""
    try:
        yield
    except InputError:
        raise
    except Exception as error:
        fault = _of_torchvision(error)
        if fault is None:
            raise
        why = " ".join(str(fault).split())[:200] or type(fault).__name__
        raise InputError(
            f"torchvision {_version('torchvision')} does not go with torch {_version('torch')} ({why}); "
            "install the torchvision that belongs to it, or uninstall torchvision, which is not needed"
        ) from error


def _of_torchvision(error: BaseException | None) -> BaseException | None:
    """Return the error of a chain of them that was raised in torchvision, or speaks of it, the first cause before all."""
    found = None
    while error is not None:
        files = [
            frame.filename.replace("\\", "/") for frame in traceback.extract_tb(error.__traceback__)
        ]
        if "torchvision" in str(error) or any("/torchvision/" in file for file in files):
            found = error
        error = error.__cause__ or error.__context__
    return found


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "of unknown version"


with torchvision_told():
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
    "torchvision_told",
]
