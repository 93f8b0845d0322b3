"""Rounding: in which type the passes of masks are computed, while the attention that makes the masks stays as it is."""

from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from typing import Any

import torch

TF32 = "tf32"
"""float32 weights whose products a GPU rounds to 10 bits."""


class Rounded:
    """The model that passes run on: itself, or a copy whose weights are of another type, made anew when the weights have changed.

    Parameters
    ----------
    model : transformers.PreTrainedModel
    passes : torch.dtype or "tf32", optional
    """

    def __init__(self, model: Any, passes: torch.dtype | str | None):
        self.model, self.passes = model, passes
        self._copy: Any = None
        self._weights: list[tuple[int, int]] = []

    def __call__(self) -> Any:
        """Return it."""
        if self.passes in (None, TF32, self.model.dtype):
            return self.model
        now = [(id(each), each._version) for each in (*self.model.parameters(), *self.model.buffers())]
        if self._copy is None or now != self._weights:
            self._copy, self._weights = deepcopy(self.model).to(self.passes), now
        return self._copy


@contextmanager
def tf32(allowed: bool) -> Iterator[None]:
    """Let a GPU's matrix products of float32 be rounded if they are allowed to, and put the setting back, whatever happens."""
    if not allowed:
        yield
        return
    matmul = torch.backends.cuda.matmul
    try:
        name, before = "allow_tf32", matmul.allow_tf32
    except RuntimeError:  # it was set by torch's newer name, which does not go with the older one
        name, before = "fp32_precision", matmul.fp32_precision
    try:
        setattr(matmul, name, True if name == "allow_tf32" else "tf32")
        yield
    finally:
        setattr(matmul, name, before)
