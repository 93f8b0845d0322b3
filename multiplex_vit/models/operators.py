"""Head operators: attention of all heads of one block -> one weight an edge (phi in the paper).

Each takes a tensor [image, head, query, key] and returns [image, query, key]. They use tensor
methods alone, so that reading their names does not import torch.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from multiplex_vit.registry import Registry

if TYPE_CHECKING:
    from torch import Tensor

OPERATORS: Registry[Callable[["Tensor"], "Tensor"]] = Registry("head operator", traits={})


@OPERATORS.register("min")
def minimum(attention: "Tensor") -> "Tensor":
    """Return the least attention over heads.

    Examples
    --------
    >>> import torch
    >>> minimum(torch.tensor([[[[0.25, 0.75]], [[0.5, 0.5]]]])).tolist()
    [[[0.25, 0.5]]]
    """
    return attention.amin(1)


@OPERATORS.register("max")
def maximum(attention: "Tensor") -> "Tensor":
    """Return the greatest attention over heads.

    Examples
    --------
    >>> import torch
    >>> maximum(torch.tensor([[[[0.25, 0.75]], [[0.5, 0.5]]]])).tolist()
    [[[0.5, 0.75]]]
    """
    return attention.amax(1)


@OPERATORS.register("sum")
def total(attention: "Tensor") -> "Tensor":
    """Return the sum of attention over heads.

    Examples
    --------
    >>> import torch
    >>> total(torch.tensor([[[[0.25, 0.75]], [[0.5, 0.5]]]])).tolist()
    [[[0.75, 1.25]]]
    """
    return attention.sum(1)


@OPERATORS.register("mean")
def mean(attention: "Tensor") -> "Tensor":
    """Return the mean attention over heads.

    It is not part of the published method. Rows still sum to 1 before pruning.

    Examples
    --------
    >>> import torch
    >>> mean(torch.tensor([[[[0.25, 0.75]], [[0.5, 0.5]]]])).tolist()
    [[[0.375, 0.625]]]
    """
    return attention.mean(1)


def single_head(head: int) -> Callable[["Tensor"], "Tensor"]:
    """Return the operator that takes one head's attention alone.

    Examples
    --------
    >>> import torch
    >>> single_head(1)(torch.tensor([[[[0.25, 0.75]], [[0.5, 0.5]]]])).tolist()
    [[[0.5, 0.5]]]
    """
    return lambda attention: attention[:, head]
