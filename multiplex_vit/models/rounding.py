"""Rounding: in which type the passes of masks are computed, while the attention that makes the masks stays as it is."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn

from multiplex_vit.models.unwrap import duplicate

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
        self._found: list[Any] = []

    def __call__(self) -> Any:
        """Return it."""
        if self.passes in (None, TF32, self.model.dtype):
            return self.model
        now = [_state(module) for module in self.model.modules()]
        if self._copy is None or now != self._found:
            self._copy, self._found = duplicate(self.model).to(self.passes), now
        return self._copy

    def __getstate__(self) -> dict[str, Any]:
        """Return what a process that is given this one's model needs: it makes its own copy."""
        return {**self.__dict__, "_copy": None, "_found": []}


def _state(module: nn.Module) -> tuple[Any, ...]:
    """Return what tells whether a module does what it did: its weights, and settings such as which adapters are on."""
    own = [weight for weight in (*module._parameters.values(), *module._buffers.values()) if weight is not None]
    weights = [(id(weight), 0 if weight.is_inference() else weight._version) for weight in own]
    settings = {name: value for name, value in module.__dict__.items() if name != "training" and _is_simple(value)}
    hooks = [*module._forward_hooks, *module._forward_pre_hooks]
    return id(module), weights, repr(settings), hooks


def _is_simple(value: Any) -> bool:
    """Tell whether a value is a setting rather than a part: numbers, texts, and lists of them."""
    if isinstance(value, (list, tuple)):
        return all(map(_is_simple, value))
    return isinstance(value, (bool, int, float, str))


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
