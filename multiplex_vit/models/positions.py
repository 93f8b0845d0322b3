"""Positions that a model keeps beside its tokens: relative biases, and rotations of queries and keys.

A model computes them for all tokens of an image. Where some tokens leave, what belongs to the
tokens that are left is gathered from it, so that each keeps its own place.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from multiplex_vit.models.swaps import attributes

Gather = Callable[[Tensor, Tensor, int], Tensor]
"""Takes what a model computed, places [sequence, token] and the number of prefix tokens."""


def biases_between(values: Tensor, places: Tensor, n_prefix: int) -> Tensor:
    """Return biases [sequence, head, query, key] of those [..., head, token, token] of all tokens.

    Examples
    --------
    >>> import torch
    >>> bias = torch.arange(9.0).reshape(1, 1, 3, 3)
    >>> biases_between(bias, torch.tensor([[0, 2]]), 1).tolist()
    [[[[0.0, 2.0], [6.0, 8.0]]]]
    """
    whole = values.reshape(values.shape[-3:])
    chosen = whole[:, places[:, :, None], places[:, None, :]]
    return chosen.transpose(0, 1)


def rotations_of(values: Tensor, places: Tensor, n_prefix: int) -> Tensor:
    """Return rotations [..., sequence, head, patch, number] of those [..., patch, number] of all.

    Values of two axes are the same in every head, which then is an axis of length 1. Prefix tokens
    are not turned, so they have no rotation.

    Examples
    --------
    >>> import torch
    >>> rotations_of(torch.tensor([[0.0], [1.0], [2.0]]), torch.tensor([[0, 1, 3]]), 1).tolist()
    [[[[0.0], [2.0]]]]
    """
    patches = places[:, n_prefix:] - n_prefix
    if values.ndim == 2:
        return values[patches][:, None]
    # Of a rotation for each head, the axis of sequences goes before the heads.
    chosen = values[..., patches, :]
    return chosen.movedim(-3, -4)


@dataclass(frozen=True)
class Gathered:
    """Parts of a model whose results are gathered at the places of the tokens that are left.

    Attributes
    ----------
    kind : str
        How the name of the parts' class ends.
    method : str
        The method that gives the biases or rotations.
    gather : callable
        `biases_between` or `rotations_of`.

    Examples
    --------
    >>> import torch
    >>> class Bias(nn.Module):
    ...     def forward(self):
    ...         return torch.arange(4.0).reshape(1, 1, 2, 2)
    >>> bias = Bias()
    >>> with Gathered("Bias", "forward", biases_between)(bias, torch.tensor([[1]]), 0):
    ...     bias().tolist()
    [[[[3.0]]]]
    """

    kind: str
    method: str
    gather: Gather

    @contextmanager
    def __call__(self, module: nn.Module, places: Tensor, n_prefix: int) -> Iterator[None]:
        """Gather while the context is open; see `multiplex_vit.models.port.Positions`."""
        with ExitStack() as stack:
            for part in module.modules():
                own: Any = getattr(part, self.method, None)
                if own is None or not type(part).__name__.endswith(self.kind):
                    continue
                stand_in = _gathering(own, self.gather, places, n_prefix)
                stack.enter_context(attributes(part, {self.method: stand_in}))
            yield


def _gathering(own: Callable, gather: Gather, places: Tensor, n_prefix: int) -> Callable:
    """Return a method that gathers what the model's own method gives for all tokens."""

    def gathered(*args: Any, **options: Any) -> Any:
        values = own(*args, **options)
        if isinstance(values, tuple):
            # Cosines and sines, one after the other.
            return tuple(gather(value, places, n_prefix) for value in values)
        return gather(values, places, n_prefix)

    return gathered
