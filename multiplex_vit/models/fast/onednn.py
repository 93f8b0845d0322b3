"""oneDNN: linear layers of float32 on an x86 CPU, up to a third faster than by default.

Weights are laid out for oneDNN once a context instead of once a call, and GELU is computed within
the product before it. Results differ from the default's in the last bits, so the attention that
makes masks is not computed this way.
"""

import platform
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeGuard

import torch
from torch import Tensor, nn

from multiplex_vit.models.libraries import GELUActivation
from multiplex_vit.models.linear import is_plain_linear
from multiplex_vit.models.swaps import forwards, is_unchanged

MOST_BYTES = 96 * 2**20
"""Weights of a larger model are not laid out anew.

It takes memory, and pays less the larger the products are (4 % for ViT-S, 1 % for ViT-B).
"""

FUSE_GELU = True
"""Whether an exact GELU is computed within the product before it."""

# They are no public part of torch, so they may not be there.
_OPERATIONS = ("_linear_pointwise", "_reorder_linear_weight")
_MLPS = {
    "ViTMLP": "activation_fn",
    "DeiTMLP": "activation_fn",
    "Dinov2MLP": "activation_fn",
    "Dinov2WithRegistersMLP": "activation_fn",
    "Mlp": "act",
}
"""Classes that run fc1 and an activation in turn, and what they call the activation.

The first ones are those of transformers, "Mlp" is timm's.
"""


@contextmanager
def fast_linear(model: nn.Module, *, on: bool = True) -> Iterator[None]:
    """Let a model's linear layers run on oneDNN where that is faster.

    Parameters
    ----------
    model : nn.Module
    on : bool
        False leaves all layers as they are. Default: True.
    """
    if not on or not _is_faster(model):
        yield
        return
    linears = [part for part in model.modules() if _is_float32_linear(part)]
    activations = _activations(model)
    pack = sum(linear.weight.nbytes for linear in linears) <= MOST_BYTES

    stand_ins: dict[nn.Module, Callable[..., Tensor]] = {}
    for linear in linears:
        then = "gelu" if linear in activations else "none"
        stand_ins[linear] = _Linear(linear, then, pack=pack)
    for activation in activations.values():
        stand_ins[activation] = _unchanged
    with forwards(stand_ins):
        yield


class _Linear:
    """A linear layer as oneDNN runs it.

    Its weights are laid out when it runs for the second time, as that does not pay for one run.
    """

    def __init__(self, linear: nn.Linear, then: str, *, pack: bool):
        self.linear = linear
        self.then = then
        self.weight = linear.weight.detach()
        self.bias = None if linear.bias is None else linear.bias.detach()
        self.runs_left = 1 if pack else -1

    def __call__(self, values: Tensor) -> Tensor:
        if values.dtype != torch.float32 or torch.is_autocast_enabled("cpu"):
            return self._by_default(values)
        # Laid out at the second run; never where `runs_left` began below 0.
        if self.runs_left == 0:
            n_rows = values.shape[:-1].numel()
            self.weight = torch.ops.mkldnn._reorder_linear_weight(self.weight, n_rows)
        self.runs_left -= 1
        gelu = "none" if self.then == "gelu" else ""
        return torch.ops.mkldnn._linear_pointwise(
            values, self.weight, self.bias, self.then, [], gelu
        )

    def _by_default(self, values: Tensor) -> Tensor:
        """Return what torch gives; a part of the model may run in autocast of its own."""
        linear = self.linear
        result = nn.functional.linear(values, linear.weight, linear.bias)
        return nn.functional.gelu(result) if self.then == "gelu" else result


def _unchanged(values: Tensor) -> Tensor:
    """Skip an activation that is part of the product before it."""
    return values


def _is_faster(model: nn.Module) -> bool:
    """Tell whether oneDNN is there, and this is a model that it makes faster."""
    if not torch.backends.mkldnn.is_available():
        return False
    if not all(hasattr(torch.ops.mkldnn, name) for name in _OPERATIONS):
        return False
    on_cpu = next(model.parameters()).device.type == "cpu"
    is_x86 = on_cpu and platform.machine() in ("x86_64", "AMD64")
    return is_x86 and not torch.is_autocast_enabled("cpu")


def _is_float32_linear(module: Any) -> TypeGuard[nn.Linear]:
    """Tell whether a module is a plain linear layer of float32 that nobody listens to."""
    return is_plain_linear(module) and module.weight.dtype == torch.float32


def _activations(model: nn.Module) -> dict[nn.Module, nn.Module]:
    """Return the exact GELU activations of a model's MLPs, by the linear layer before each."""
    activations: dict[nn.Module, nn.Module] = {}
    if not FUSE_GELU:
        return activations
    for mlp in model.modules():
        if type(mlp).__name__ not in _MLPS or not is_unchanged(mlp):
            continue
        linear: Any = getattr(mlp, "fc1", None)
        activation: Any = getattr(mlp, _MLPS[type(mlp).__name__], None)
        if _is_float32_linear(linear) and _is_exact_gelu(activation):
            activations[linear] = activation
    return activations


def _is_exact_gelu(activation: Any) -> bool:
    if not isinstance(activation, nn.Module) or not is_unchanged(activation):
        return False
    if type(activation) is nn.GELU:
        return activation.approximate == "none"
    return type(activation) is GELUActivation and activation.act is nn.functional.gelu
