"""Rounding: in which type masks are classified, while attention stays in the model's own.

Unlike the other shortcuts this one changes the numbers, so it is off by default.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn

from multiplex_vit.models.port import Port
from multiplex_vit.models.unwrap import duplicate

TF32 = "tf32"
"""The type of float32 weights whose products a GPU rounds to 10 bits."""


class Rounded:
    """The model that classifies masks: the model itself, or a copy in another type.

    The copy is made anew when the model's weights or settings have changed.

    Parameters
    ----------
    port : Port
    mask_dtype : torch.dtype or "tf32", optional
        Default: None, the model's own.
    """

    def __init__(self, port: Port, mask_dtype: torch.dtype | str | None):
        self.port = port
        self.mask_dtype = mask_dtype
        self._copy: Any = None
        self._copied_state: list[Any] = []

    def __call__(self) -> Port:
        """Return the model, up to date."""
        if self.mask_dtype in (None, TF32, self.port.dtype):
            return self.port
        module = self.port.module
        # Users may train or change a model between two calls.
        state = [_state(part) for part in module.modules()]
        if self._copy is None or state != self._copied_state:
            self._copy = duplicate(module).to(self.mask_dtype)
            self._copied_state = state
        return self.port.with_module(self._copy)

    def __getstate__(self) -> dict[str, Any]:
        """Return what another process is sent, which makes a copy of its own."""
        return {**self.__dict__, "_copy": None, "_copied_state": []}


def _state(module: nn.Module) -> tuple[Any, ...]:
    """Return what decides what a module does: its weights, settings and hooks.

    Settings say, for example, which adapters are on.
    """
    weights = []
    for weight in (*module._parameters.values(), *module._buffers.values()):
        if weight is not None:
            # Tensors of inference mode have no count of changes.
            version = 0 if weight.is_inference() else weight._version
            weights.append((id(weight), version))
    settings = {}
    for name, value in module.__dict__.items():
        if name != "training" and _is_setting(value):
            settings[name] = value
    hooks = [*module._forward_hooks, *module._forward_pre_hooks]
    return id(module), weights, repr(settings), hooks


def _is_setting(value: Any) -> bool:
    """Tell whether a value is a number, a text, or a list of them, and not a part."""
    if isinstance(value, (list, tuple)):
        return all(map(_is_setting, value))
    return isinstance(value, (bool, int, float, str))


@contextmanager
def tf32(allowed: bool) -> Iterator[None]:
    """Let a GPU round matrix products of float32, and put the setting back afterwards.

    Parameters
    ----------
    allowed : bool
        False leaves the setting as it is.
    """
    if not allowed:
        yield
        return
    matmul = torch.backends.cuda.matmul
    name: str = "allow_tf32"
    value: bool | str = True
    try:
        before: bool | str = matmul.allow_tf32
    except RuntimeError:
        # The setting was made by torch's newer name, which does not go with the older one.
        name, value = "fp32_precision", "tf32"
        before = matmul.fp32_precision
    try:
        setattr(matmul, name, value)
        yield
    finally:
        setattr(matmul, name, before)
