"""Statistics over layers: a node's centrality in every layer -> one value a node (xi in the paper).

Each takes a float32 tensor [layer, node] and returns [node]. They stay on torch float32 because the
published masks depend on its order of summation where values nearly tie; they use tensor methods
alone, so that reading their names does not import torch.

Traits:

- `apart=True`: a node gets the same value, to the last bit, whatever nodes stand beside it, so that
  many images can be taken at once.
- `constant=value`: what a node gets that is the same in all layers, with `numerics="stable"`.
"""

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from multiplex_vit.registry import Registry
from multiplex_vit.traits import OF_MEASURES

if TYPE_CHECKING:
    from torch import Tensor

_FAR = 20
"""Moments of values above 2^20, or below 2^-20, are taken in another unit.

They do not depend on it.
"""

STATISTICS: Registry[Callable[["Tensor"], "Tensor"]] = Registry(
    "statistic",
    traits={"scale": OF_MEASURES["scale"], "constant": float, "apart": bool},
)


@STATISTICS.register(scale="invariant")
def coherence(values: "Tensor") -> "Tensor":
    """Return the entropy of a node's centrality over layers, in nats.

    With p = c / sum(c) it is -sum p ln p, and 0 where the sum is 0.

    Examples
    --------
    >>> import torch
    >>> values = torch.tensor([[1.0, 2.0, 0.0], [1.0, 0.0, 0.0]])
    >>> [round(value, 4) for value in coherence(values).tolist()]
    [0.6931, 0.0, 0.0]
    """
    total = values.sum(0)
    share = (values / total.where(total != 0, 1)).where(total != 0, 0)
    # ln 1 stands for ln 0, which counts nothing; adding 0 turns -0.0 into 0.0.
    logarithm = share.where(share > 0, 1).log()
    return -(share * logarithm).sum(0) + 0.0


@STATISTICS.register("max", scale="linear")
def maximum(values: "Tensor") -> "Tensor":
    """Return the greatest value over layers.

    Examples
    --------
    >>> import torch
    >>> maximum(torch.tensor([[1.0, 2.0], [3.0, 0.0]])).tolist()
    [3.0, 2.0]
    """
    return values.amax(0)


@STATISTICS.register("min", scale="linear")
def minimum(values: "Tensor") -> "Tensor":
    """Return the least value over layers.

    Examples
    --------
    >>> import torch
    >>> minimum(torch.tensor([[1.0, 2.0], [3.0, 0.0]])).tolist()
    [1.0, 0.0]
    """
    return values.amin(0)


@STATISTICS.register("sum", scale="linear")
def total(values: "Tensor") -> "Tensor":
    """Return the sum over layers.

    Examples
    --------
    >>> import torch
    >>> total(torch.tensor([[1.0, 2.0], [3.0, 0.0]])).tolist()
    [4.0, 2.0]
    """
    return values.sum(0)


@STATISTICS.register(scale="linear")
def std(values: "Tensor") -> "Tensor":
    """Return the sample standard deviation over layers (n - 1); NaN for one layer.

    Examples
    --------
    >>> import torch
    >>> std(torch.tensor([[1.0, 2.0], [3.0, 2.0], [5.0, 2.0]])).tolist()
    [2.0, 0.0]
    """
    if len(values) == 1:
        # torch would warn, and give the same.
        return values[0] * float("nan")
    return values.std(0)


@STATISTICS.register("sum/std", constant=math.inf, scale="none")
def sum_over_std(values: "Tensor") -> "Tensor":
    """Return sum / (std + 1e-8) over layers; NaN for one layer.

    Examples
    --------
    >>> import torch
    >>> sum_over_std(torch.tensor([[1.0], [3.0], [5.0]])).tolist()
    [4.5]
    """
    # The published constant, which decides the order where a node does not vary.
    return total(values) / (std(values) + 1e-8)


@STATISTICS.register(scale="linear")
def median(values: "Tensor") -> "Tensor":
    """Return the median over layers; of an even number the lower middle value.

    Examples
    --------
    >>> import torch
    >>> median(torch.tensor([[1.0], [3.0], [5.0], [9.0]])).tolist()
    [3.0]
    """
    return values.median(0).values


@STATISTICS.register(apart=True, constant=0.0, scale="invariant")
def skew(values: "Tensor") -> "Tensor":
    """Return the biased Fisher-Pearson skewness over layers.

    It is NaN where a node's values are all equal.

    Examples
    --------
    >>> import torch
    >>> values = torch.tensor([[0.0, 1.0], [0.0, 1.0], [0.0, 1.0], [4.0, 1.0]])
    >>> [round(value, 4) for value in skew(values).tolist()]
    [1.1547, nan]
    """
    return _moment(values, "skew")


@STATISTICS.register(apart=True, constant=-3.0, scale="invariant")
def kurtosis(values: "Tensor") -> "Tensor":
    """Return the biased excess (Fisher) kurtosis over layers.

    It is NaN where a node's values are all equal.

    Examples
    --------
    >>> import torch
    >>> kurtosis(torch.tensor([[0.0, 1.0], [0.0, 1.0], [4.0, 1.0], [4.0, 1.0]])).tolist()
    [-2.0, nan]
    """
    return _moment(values, "kurtosis")


def _moment(values: "Tensor", name: str) -> "Tensor":
    """Return a moment as the published method computes it.

    That is scipy.stats on the float32 array [node, layer], along its last axis.
    """
    import warnings

    from scipy import stats

    function: Any = getattr(stats, name)
    by_node = _in_range(values.cpu().numpy().T)
    with warnings.catch_warnings():
        # SciPy warns of values that hardly vary; `numerics` says what becomes of them.
        warnings.simplefilter("ignore", RuntimeWarning)
        moment = function(by_node, axis=-1)
    return values.new_tensor(moment)


def _in_range(values: np.ndarray) -> np.ndarray:
    """Return rows of which no fourth power overflows or vanishes."""
    greatest = np.abs(values).max(-1, keepdims=True, initial=0)
    exponent = np.frexp(greatest)[1]
    far = np.abs(exponent) > _FAR
    if not far.any():
        return values
    # Powers of two change no digit.
    return np.ldexp(values, -exponent * far)
