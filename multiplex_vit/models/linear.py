"""Effective maps: the matrix that a module applies to what it is given, whatever the module is made of.

The weight that a layer shows need not be what it applies: adapters add to it, hooks change what comes out, quantised
layers store it in another form. So the map is read off the module's answers, and held against further answers.
"""

from dataclasses import dataclass
from typing import Any, TypeGuard

import torch
from torch import Tensor, nn
from torch.nn.functional import layer_norm, linear

from multiplex_vit.models.swaps import is_unchanged

_ENLARGED = 64.0
"""What the columns of the identity are multiplied by, so that the bias beside them costs few digits; a power of two."""

_TOLERANCE = {torch.float64: 1e-6, torch.float32: 1e-3}
_TOLERANCE_OF_HALF = 5e-2
"""Greatest distance between a module's answers and the map's, by their norm: rounding is below, 8-bit activations above."""


@dataclass(frozen=True, eq=False)
class LinearMap:
    """x -> x W' + b, in float32.

    Attributes
    ----------
    weight : Tensor [output, input]
    bias : Tensor [output]
    """

    weight: Tensor
    bias: Tensor


@dataclass(frozen=True, eq=False)
class NormMap:
    """x -> (x - mean) / sqrt(variance + eps) * weight + bias, over the width, in float32.

    Attributes
    ----------
    weight, bias : Tensor [width]
    eps : float
    """

    weight: Tensor
    bias: Tensor
    eps: float


def is_plain_linear(module: Any) -> TypeGuard[nn.Linear]:
    """Tell whether a module is a linear layer whose weight is what it applies: of that class, not wrapped, nor listened to."""
    return (
        type(module) is nn.Linear
        and type(module.weight) in (nn.Parameter, Tensor)
        and is_unchanged(module)
    )


def is_plain_scale(module: Any) -> bool:
    """Tell whether a module multiplies by its `lambda1`, as DINOv2's do, and is not wrapped, nor listened to."""
    known = type(module).__name__ in ("Dinov2LayerScale", "Dinov2WithRegistersLayerScale")
    return known and type(module.lambda1) in (nn.Parameter, Tensor) and is_unchanged(module)


@torch.no_grad()
def linear_map(module: Any, like: Tensor) -> LinearMap | None:
    """Return what a module does to its input as a linear map, or None where it does anything but multiply and add.

    Parameters
    ----------
    module : nn.Module
        In evaluation mode.
    like : Tensor [row, input] or [image, token, input]
        Something that it is given in the model; its values do not matter.

    Examples
    --------
    >>> layers = nn.Sequential(nn.Linear(3, 4, bias=False), nn.Linear(4, 2))
    >>> found = linear_map(layers, torch.zeros(1, 3))
    >>> torch.allclose(found.weight, layers[1].weight @ layers[0].weight, atol=1e-6)
    True
    >>> linear_map(nn.GELU(), torch.zeros(1, 3)) is None
    True
    """
    if is_plain_linear(module):
        weight = module.weight.float()
        bias = weight.new_zeros(len(weight)) if module.bias is None else module.bias.float()
        return LinearMap(weight, bias)
    units = _ENLARGED * torch.eye(like.shape[-1], dtype=like.dtype, device=like.device)
    ends = _answer(module, torch.cat([units, torch.zeros_like(units[:1])]), like.ndim)
    if ends is None:
        return None
    found = LinearMap((ends[:-1] - ends[-1]).T / _ENLARGED, ends[-1])
    values = _probes(like)
    expected = linear(values.float(), found.weight, found.bias)
    return found if _agree(_answer(module, values, like.ndim), expected, like.dtype) else None


@torch.no_grad()
def norm_map(module: Any, like: Tensor) -> NormMap | None:
    """Return what a module does to its input as a layer norm, or None where it is none; parameters are as for `linear_map`.

    Examples
    --------
    >>> norm_map(nn.Sequential(nn.LayerNorm(4, eps=0.5)), torch.zeros(1, 4)).eps
    0.5
    """
    if type(module) is nn.LayerNorm and module.elementwise_affine and is_unchanged(module):
        bias = torch.zeros_like(module.weight) if module.bias is None else module.bias
        return NormMap(module.weight.float(), bias.float(), module.eps)
    parts = list(module.modules()) if isinstance(module, nn.Module) else []
    eps = {part.eps for part in parts if isinstance(part, nn.LayerNorm)}
    width = like.shape[-1]
    if len(eps) != 1 or width % 2:
        return None
    # Of mean 0 and variance 1, so that a layer norm does nothing to it but scale and shift.
    even = torch.ones(1, width, dtype=like.dtype, device=like.device)
    even[:, 1::2] = -1
    ends = _answer(module, torch.cat([even, -even]), like.ndim)
    if ends is None:
        return None
    scale = (ends[0] - ends[1]) / 2 * (1 + min(eps)) ** 0.5 / even[0].float()
    found = NormMap(scale, (ends[0] + ends[1]) / 2, min(eps))
    values = _probes(like)
    expected = layer_norm(values.float(), (width,), found.weight, found.bias, found.eps)
    return found if _agree(_answer(module, values, like.ndim), expected, like.dtype) else None


def _probes(like: Tensor) -> Tensor:
    """Return values of several sizes [probe, input], always the same and without touching torch's random state."""
    generator = torch.Generator().manual_seed(0)
    values = torch.randn(8, like.shape[-1], generator=generator)
    return (values * torch.logspace(-1, 1, 8)[:, None]).to(like.device, like.dtype)


def _answer(module: Any, rows: Tensor, ndim: int) -> Tensor | None:
    """Return what a module makes of rows [row, input], as the tokens of one image where it takes tokens; None where it fails."""
    try:
        answer = module(rows[None] if ndim == 3 else rows)
    except (RuntimeError, TypeError, ValueError, IndexError):
        return None
    if not isinstance(answer, Tensor) or answer.ndim != ndim:
        return None
    answer = answer.flatten(0, -2)
    return answer.float() if len(answer) == len(rows) else None


def _agree(found: Tensor | None, expected: Tensor, dtype: torch.dtype) -> bool:
    """Tell whether rows differ by no more than rounding; NaN differs."""
    if found is None or found.shape != expected.shape:
        return False
    tolerance = _TOLERANCE.get(dtype, _TOLERANCE_OF_HALF)
    return bool(((found - expected).norm(dim=-1) <= tolerance * expected.norm(dim=-1) + 1e-6).all())
