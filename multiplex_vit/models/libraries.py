"""What is imported of transformers that needs torchvision, where that is installed.

A torchvision that was built for another torch makes the import fail; the error then says so.
"""

import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version

from multiplex_vit.errors import InputError


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
