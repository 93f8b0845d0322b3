"""Effective maps: the matrix that a module applies to its input, whatever the module is made of.

The weight that a layer shows need not be what it applies: adapters add to it, hooks change what
comes out, quantised layers store it in another form. So the map is read off the module's answers,
and compared with further answers.
"""

from dataclasses import dataclass
from typing import Any, TypeGuard

import torch
from torch import Tensor, nn
from torch.nn.functional import layer_norm, linear

from multiplex_vit.models.swaps import is_unchanged

_ENLARGED = 64.0
"""What the columns of the identity are multiplied by, so that the bias costs few of their digits.

It is a power of two, so dividing by it again is exact.
"""

_TOLERANCE = {torch.float64: 1e-6, torch.float32: 1e-3}
_TOLERANCE_OF_HALF = 5e-2
"""Greatest distance between a module's answers and the map's, relative to their norm.

Rounding stays below; 8-bit activations lie above.
"""

_N_PROBES = 8
_SCALES = ("Dinov2LayerScale", "Dinov2WithRegistersLayerScale")


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
    """Tell whether a module is a linear layer that applies the weight that it shows.

    It is not of a derived class, nor wrapped, nor listened to.
    """
    if type(module) is not nn.Linear:
        return False
    return type(module.weight) in (nn.Parameter, Tensor) and is_unchanged(module)


def is_plain_scale(module: Any) -> bool:
    """Tell whether a module multiplies by its `lambda1`, as DINOv2's do, and nothing else."""
    if type(module).__name__ not in _SCALES:
        return False
    return type(module.lambda1) in (nn.Parameter, Tensor) and is_unchanged(module)


@torch.no_grad()
def linear_map(module: Any, like: Tensor) -> LinearMap | None:
    """Return what a module does to its input as a linear map.

    Parameters
    ----------
    module : nn.Module
        In evaluation mode.
    like : Tensor [row, input] or [image, token, input]
        Something that it is given in the model; its values do not matter.

    Returns
    -------
    LinearMap or None
        None where the module does anything but multiply and add.

    Examples
    --------
    >>> layers = nn.Sequential(nn.Linear(3, 4, bias=False), nn.Linear(4, 2))
    >>> applied = linear_map(layers, torch.zeros(1, 3))
    >>> torch.allclose(applied.weight, layers[1].weight @ layers[0].weight, atol=1e-6)
    True
    >>> linear_map(nn.GELU(), torch.zeros(1, 3)) is None
    True
    """
    if is_plain_linear(module):
        weight = module.weight.float()
        bias = weight.new_zeros(len(weight))
        if module.bias is not None:
            bias = module.bias.float()
        return LinearMap(weight, bias)

    # Each unit vector gives a column of the matrix; zero gives the bias.
    width = like.shape[-1]
    units = torch.eye(width, dtype=like.dtype, device=like.device)
    zero = torch.zeros_like(units[:1])
    answers = _answer(module, torch.cat([_ENLARGED * units, zero]), like)
    if answers is None:
        return None
    bias = answers[-1]
    weight = (answers[:-1] - bias).T / _ENLARGED

    # What multiplies and adds, and nothing else, does so with other values too.
    probes = _probes(like)
    expected = linear(probes.float(), weight, bias)
    if not _agree(_answer(module, probes, like), expected, like.dtype):
        return None
    return LinearMap(weight, bias)


@torch.no_grad()
def norm_map(module: Any, like: Tensor) -> NormMap | None:
    """Return what a module does to its input as a layer norm.

    Parameters are those of `linear_map`.

    Returns
    -------
    NormMap or None
        None where the module is no layer norm.

    Examples
    --------
    >>> norm_map(nn.Sequential(nn.LayerNorm(4, eps=0.5)), torch.zeros(1, 4)).eps
    0.5
    """
    is_plain = type(module) is nn.LayerNorm and module.elementwise_affine
    if is_plain and is_unchanged(module):
        weight = module.weight.float()
        bias = torch.zeros_like(weight)
        if module.bias is not None:
            bias = module.bias.float()
        return NormMap(weight, bias, module.eps)

    eps = _only_eps(module)
    width = like.shape[-1]
    # An odd number of values 1 and -1 has no mean of 0.
    if eps is None or width % 2:
        return None
    # Of mean 0 and variance 1, so that a layer norm does nothing to it but scale and shift.
    signs = torch.ones(1, width, dtype=like.dtype, device=like.device)
    signs[:, 1::2] = -1
    answers = _answer(module, torch.cat([signs, -signs]), like)
    if answers is None:
        return None
    spread = (1 + eps) ** 0.5
    weight = (answers[0] - answers[1]) / 2 * spread / signs[0].float()
    bias = (answers[0] + answers[1]) / 2

    probes = _probes(like)
    expected = layer_norm(probes.float(), (width,), weight, bias, eps)
    if not _agree(_answer(module, probes, like), expected, like.dtype):
        return None
    return NormMap(weight, bias, eps)


def _only_eps(module: Any) -> float | None:
    """Return the eps of the layer norms in a module, or None unless they have one in common."""
    if not isinstance(module, nn.Module):
        return None
    values = set()
    for part in module.modules():
        if isinstance(part, nn.LayerNorm):
            values.add(part.eps)
    return values.pop() if len(values) == 1 else None


def _probes(like: Tensor) -> Tensor:
    """Return values of several sizes [probe, input], the same at every call."""
    # A generator of its own, so that torch's random state stays as it is.
    generator = torch.Generator().manual_seed(0)
    values = torch.randn(_N_PROBES, like.shape[-1], generator=generator)
    sizes = torch.logspace(-1, 1, _N_PROBES)[:, None]
    return (values * sizes).to(like.device, like.dtype)


def _answer(module: Any, rows: Tensor, like: Tensor) -> Tensor | None:
    """Return what a module makes of rows [row, input]; None where it fails.

    Where the module takes tokens, as `like` has them, the rows are the tokens of one image.
    """
    values = rows[None] if like.ndim == 3 else rows
    try:
        answer = module(values)
    except (RuntimeError, TypeError, ValueError, IndexError):
        # It takes something else than the layers that this file is about.
        return None
    if not isinstance(answer, Tensor) or answer.ndim != like.ndim:
        return None
    answer = answer.flatten(0, -2)
    return answer.float() if len(answer) == len(rows) else None


def _agree(answer: Tensor | None, expected: Tensor, dtype: torch.dtype) -> bool:
    """Tell whether rows differ by no more than rounding; NaN differs."""
    if answer is None or answer.shape != expected.shape:
        return False
    tolerance = _TOLERANCE.get(dtype, _TOLERANCE_OF_HALF)
    distance = (answer - expected).norm(dim=-1)
    return bool((distance <= tolerance * expected.norm(dim=-1) + 1e-6).all())
