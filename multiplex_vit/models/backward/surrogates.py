"""Surrogates: a value stays as it is, and its gradient becomes that of another formula.

A rule of relevance shares out what an operation gives among its inputs. As a gradient, that is the
derivative of a formula of which some factors are held fixed: x * gate(x), say, taken for x times a
number. So a rule is such a formula, and torch differentiates it.
"""

from typing import Any

import torch
from torch import Tensor


def with_gradient_of(value: Tensor, surrogate: Tensor) -> Tensor:
    """Return a value, to the last bit, with the gradient of another tensor of its shape.

    Examples
    --------
    >>> x = torch.tensor(2.0, requires_grad=True)
    >>> y = with_gradient_of(x**3, 5 * x)
    >>> y.item(), torch.autograd.grad(y, x)[0].item()
    (8.0, 5.0)
    """
    result: Tensor = _Surrogate.apply(value.detach(), surrogate)
    return result


class _Surrogate(torch.autograd.Function):
    """Hands the gradient on to the surrogate alone."""

    @staticmethod
    def forward(_ctx: Any, value: Tensor, _surrogate: Tensor) -> Tensor:
        return value.view_as(value)

    @staticmethod
    def backward(_ctx: Any, *gradients: Tensor) -> tuple[None, Tensor]:
        return None, gradients[0]
