"""Rounding: in which type the passes of masks are computed, while the attention that makes the masks stays as it is."""

from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from typing import Any

import torch

TF32 = "tf32"
"""float32 weights whose products a GPU rounds to 10 bits."""


def rounded(model: Any, passes: torch.dtype | str | None) -> Any:
    """Return the model that passes are to run on: itself, or a copy whose weights are of another type."""
    return model if passes in (None, TF32, model.dtype) else deepcopy(model).to(passes)


@contextmanager
def tf32(allowed: bool) -> Iterator[None]:
    """Let a GPU's matrix products of float32 be rounded if they are allowed to, and put the setting back, whatever happens."""
    matmul = torch.backends.cuda.matmul
    before = matmul.allow_tf32
    try:
        matmul.allow_tf32 = allowed or before
        yield
    finally:
        matmul.allow_tf32 = before
