"""Rules of relevance: how each kind of operation shares out what it gives among its inputs.

Relevance is input times gradient. Where an operation is linear, as a linear layer is, torch's own
gradient shares its output out in proportion: the rule LRP-0, with what falls to the bias left out.
The rules here are for the other operations. Each takes an `Operation` and returns its result, to
the last bit, with another gradient.
"""

from typing import Any

import torch
from torch import Tensor

from multiplex_vit.models.backward.operations import Operation, varies
from multiplex_vit.models.backward.surrogates import with_gradient_of

_LEAST = 1e-9
"""Sums nearer to 0 than this are shared out as if they were this."""


def fixed_spread(operation: Operation) -> Tensor:
    """Take a layer norm for linear: its standard deviation is held fixed, its mean is not.

    Ali et al., ICML 2022, arXiv:2202.07304.
    """
    values, dims, weight, eps, is_centred = _norm_arguments(operation)
    if is_centred:
        values = values - values.mean(dims, keepdim=True)
    spread = (values.square().mean(dims, keepdim=True) + eps).sqrt()
    normed = values / spread.detach()
    if weight is not None:
        normed = normed * weight
    return with_gradient_of(operation.value(), normed)


def fixed_share(operation: Operation) -> Tensor:
    """Take an activation for linear: the share of its input that it lets through is held fixed.

    It is the identity rule of Achtibat et al., ICML 2024, arXiv:2402.05602: all relevance of the
    output goes to the input.
    """
    values = operation.args[0]
    result = operation.value()
    # At 0 there is nothing to share out.
    share = torch.where(values == 0, 0, result / values)
    return with_gradient_of(result, values * share.detach())


def fixed_factor(operation: Operation) -> Tensor:
    """Take what a model multiplies or divides by for a number that does not depend on the tokens."""
    return operation.value()


def fixed_divisor(operation: Operation) -> Tensor:
    """Give all relevance of a quotient to what is divided."""
    divided, divisor = operation.args[:2]
    if not varies(divisor):
        return operation.run()
    return with_gradient_of(operation.value(), divided / divisor.detach())


def halves(operation: Operation) -> Tensor:
    """Give each factor of a product half of the relevance, where both depend on the tokens.

    It is the uniform rule, of products number by number (gated MLPs) and of matrices (attention).
    Achtibat et al., ICML 2024, arXiv:2402.05602.
    """
    result = operation.run()
    first, second = operation.args[:2]
    if not (varies(first) and varies(second)):
        return result
    return with_gradient_of(result, result / 2)


def fixed_weights(operation: Operation) -> Tensor:
    """Take attention weights for numbers that do not depend on the tokens.

    They stay in reach: the gradient at the weights themselves can still be asked for.
    """
    return operation.value().requires_grad_()


def by_sign(operation: Operation, gamma: float) -> Tensor:
    """Give the summand of a residual addition that has the sum's sign more of the relevance.

    Of y = a + b, a has the share w(a) a / (w(a) a + w(b) b), where w is 1 + gamma for what has the
    sign of y, number by number, and else 1.
    """
    first, second = operation.args[:2]
    if not _are_tokens(first, second):
        return operation.run()
    result = operation.value()
    with torch.no_grad():
        of_first = 1 + gamma * (first * result > 0)
        of_second = 1 + gamma * (second * result > 0)
        whole = of_first * first + of_second * second
        scale = result / torch.where(whole.abs() < _LEAST, _LEAST, whole)
    shared = scale * (of_first * first + of_second * second)
    return with_gradient_of(result, shared)


def _are_tokens(first: Any, second: Any) -> bool:
    """Tell whether two things are stacks of tokens [image, token, width], as residual sums add.

    Rotary positions add too, but [image, head, token, dimension].
    """
    if not (varies(first) and varies(second)):
        return False
    return first.ndim == 3 and first.shape == second.shape


def _norm_arguments(operation: Operation) -> tuple[Tensor, tuple[int, ...], Any, float, bool]:
    """Return values, dimensions, weight, eps of a layer norm, and whether the mean is taken off."""
    is_centred = "layer" in operation.name
    names = ["input", "normalized_shape", "weight", *(["bias"] if is_centred else []), "eps"]
    given = dict(zip(names, operation.args, strict=False)) | operation.kwargs
    values = given["input"]
    dims = tuple(range(-len(given["normalized_shape"]), 0))
    eps = given.get("eps", 1e-5)
    if eps is None:
        eps = torch.finfo(values.dtype).eps
    return values, dims, given.get("weight"), eps, is_centred
