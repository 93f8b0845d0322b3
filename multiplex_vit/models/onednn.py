"""Linear layers of float32 on an x86 CPU by oneDNN, whose matrix products are up to a third faster there than the default ones.

Weights are laid out for it once a context instead of once a call, and GELU is taken in the product before it. Results differ from the default's in the
last bits, so attention for masks is not taken this way.
"""

import platform
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeGuard

import torch
from torch import Tensor, nn

from multiplex_vit.models.libraries import GELUActivation, PreTrainedModel
from multiplex_vit.models.linear import is_plain_linear
from multiplex_vit.models.swaps import forwards, unheard

MOST_BYTES = 96 * 2**20
"""Weights of a larger model are not laid out anew: it takes memory, and pays less the larger the products are (4 % for ViT-S, 1 % for ViT-B)."""


@contextmanager
def fast_linear(model: PreTrainedModel) -> Iterator[None]:
    """Let a model's linear layers run on oneDNN where that is faster."""
    linears = [m for m in model.modules() if _usual(m)] if _helps(model) else []
    before_gelu = _before_gelu(model) if linears else {}
    pack = sum(linear.weight.nbytes for linear in linears) <= MOST_BYTES
    swaps: dict[nn.Module, Callable[..., Tensor]] = {each: _Linear(each, "gelu" if each in before_gelu else "none", pack=pack) for each in linears}
    swaps |= dict.fromkeys(before_gelu.values(), _same)
    with forwards(swaps):
        yield


class _Linear:
    """A linear layer as oneDNN runs it; its weights are laid out when it runs for the second time, as it does not pay for one."""

    def __init__(self, linear: nn.Linear, then: str, *, pack: bool):
        self.linear, self.then = linear, then
        self.weight = linear.weight.detach()
        self.bias = None if linear.bias is None else linear.bias.detach()
        self.runs_left = 1 if pack else -1

    def __call__(self, values: Tensor) -> Tensor:
        if values.dtype != torch.float32 or torch.is_autocast_enabled("cpu"):
            # A part of the model runs in autocast of its own.
            own = nn.functional.linear(values, self.linear.weight, self.linear.bias)
            return nn.functional.gelu(own) if self.then == "gelu" else own
        if self.runs_left == 0:
            self.weight = torch.ops.mkldnn._reorder_linear_weight(self.weight, values.shape[:-1].numel())
        self.runs_left -= 1
        return torch.ops.mkldnn._linear_pointwise(values, self.weight, self.bias, self.then, [], "none" if self.then == "gelu" else "")


def _same(values: Tensor) -> Tensor:
    return values


def _helps(model: PreTrainedModel) -> bool:
    usable = torch.backends.mkldnn.is_available() and all(hasattr(torch.ops.mkldnn, name) for name in ("_linear_pointwise", "_reorder_linear_weight"))
    return usable and not torch.is_autocast_enabled("cpu") and model.device.type == "cpu" and platform.machine() in ("x86_64", "AMD64")


def _usual(module: Any) -> TypeGuard[nn.Linear]:
    """Tell whether a module is a plain float32 linear layer that nobody listens to."""
    return is_plain_linear(module) and module.weight.dtype == torch.float32


def _before_gelu(model: PreTrainedModel) -> dict[nn.Module, nn.Module]:
    """Return the linear layers that are followed by an exact GELU, and these; in the MLPs of the known architectures, fc1, activation_fn and fc2 in turn."""
    found: dict[nn.Module, nn.Module] = {}
    for mlp in model.modules():
        first: Any = getattr(mlp, "fc1", None)
        activation: Any = getattr(mlp, "activation_fn", None)
        known = type(mlp).__name__ in ("ViTMLP", "DeiTMLP", "Dinov2MLP", "Dinov2WithRegistersMLP") and unheard(mlp)
        if known and _usual(first) and type(activation) is GELUActivation and activation.act is nn.functional.gelu and unheard(activation):
            found[first] = activation
    return found
