"""Numerics: how the statistics that rank nodes are computed, and which nodes a rank keeps.

"published" is the arithmetic of the published method: float32 throughout, and every tie at the
threshold stays. Nodes whose centrality hardly varies over layers are then ranked by rounding
errors, so that some masks differ from processor to processor. "stable" gives the same masks on
all of them, up to one in some thousands.
"""

import math

import torch
from torch import Tensor

from multiplex_vit.registry import Named
from multiplex_vit.saliency.statistics import STATISTICS

CONSTANT_BELOW = 1e-4
"""A standard deviation over layers below this share of the mean is taken for rounding errors.

Attention computed by two processors in float32 differs by about 1e-6 of its value; statistics
divide such differences by the standard deviation, so that this bound leaves them two digits.
"""

SIGNIFICANT_DIGITS = 5
"""Digits of a statistic that take part in a rank; float32 attention agrees in about six."""


def exact(weights: Tensor) -> Tensor:
    """Return weights in float64 on the CPU, where every machine adds alike."""
    return weights.cpu().double()


def stable_statistic(statistic: Named, computed: Tensor, values: Tensor) -> Tensor:
    """Return a statistic as it is ranked: constant nodes set, and rounded.

    Parameters
    ----------
    statistic : str or callable
        The member of `STATISTICS`; its trait `constant` says what a node without variation gets.
        Default: what the statistic itself gave.
    computed : Tensor float64 [..., node]
        What the statistic gave.
    values : Tensor float64 [..., layer, node]
        The centrality that it was computed from.

    Returns
    -------
    Tensor float64 [..., node]

    Examples
    --------
    >>> values = torch.tensor([[1.0, 1.0], [1.0, 2.0], [1.0, 4.0]], dtype=torch.float64)
    >>> stable_statistic("skew", torch.tensor([math.nan, 0.381802]).double(), values).tolist()
    [0.0, 0.3818]
    """
    constant_value = STATISTICS.trait(statistic, "constant")
    # Of one layer there is no variation, and so nothing that rounding could have made.
    if constant_value is not None and values.shape[-2] > 1:
        computed = computed.where(~hardly_varies(values), constant_value)
    return rounded(computed)


def hardly_varies(values: Tensor) -> Tensor:
    """Return which nodes [..., node] have the same centrality in all layers but for rounding.

    Parameters
    ----------
    values : Tensor [..., layer, node]
    """
    spread, mean = values.std(-2), values.mean(-2)
    return spread <= CONSTANT_BELOW * mean.abs()


def rounded(values: Tensor) -> Tensor:
    """Return values with five significant digits; NaN and infinity stay.

    Examples
    --------
    >>> rounded(torch.tensor([123456.7, -0.00123456], dtype=torch.float64)).tolist()
    [123460.0, -0.0012346]
    """
    magnitude = values.abs()
    # Nothing else has a logarithm; it stays as it is.
    usable = magnitude.isfinite() & (magnitude > 0)
    exponent = magnitude.where(usable, 1.0).log10().floor()
    decimals = SIGNIFICANT_DIGITS - 1 - exponent
    ten = torch.tensor(10.0, dtype=values.dtype)
    scale = torch.pow(ten, decimals)
    return values.where(~usable, (values * scale).round() / scale)


def keep_published(values: Tensor, token_ratio: float) -> Tensor:
    """Return which nodes stay, as published.

    They are those whose value is at least the one at place ceil(nodes * token_ratio) of the
    ascending order. NaN sorts last and never stays; if the threshold is NaN nothing stays; every
    tie at the threshold stays. A `token_ratio` of 0 keeps every node that is not NaN.

    Parameters
    ----------
    values : Tensor [..., node]
    token_ratio : float, 0 to 1
        Share of nodes to remove.

    Returns
    -------
    Tensor bool [..., node]

    Examples
    --------
    >>> keep_published(torch.tensor([3.0, 1.0, 2.0, 2.0]), 0.5).tolist()
    [True, False, True, True]
    """
    place = _threshold_place(values.shape[-1], token_ratio)
    ascending = values.sort(-1).values
    return values >= ascending[..., place : place + 1]


def keep_stable(values: Tensor, token_ratio: float) -> Tensor:
    """Return the nodes of the greatest values, always as many; ties go to the first nodes.

    Exactly nodes - ceil(nodes * token_ratio) + 1 stay, as many as the published rule keeps where
    no values are equal. NaN ranks below every number.

    Parameters
    ----------
    values : Tensor [..., node]
    token_ratio : float, 0 to 1
        Share of nodes to remove.

    Returns
    -------
    Tensor bool [..., node]

    Examples
    --------
    >>> keep_stable(torch.tensor([3.0, 1.0, 2.0, 2.0]), 0.75).tolist()
    [True, False, True, False]
    >>> keep_stable(torch.tensor([math.nan, 1.0, 1.0, 1.0]), 0.75).tolist()
    [False, True, True, False]
    """
    n_nodes = values.shape[-1]
    n_kept = n_nodes - _threshold_place(n_nodes, token_ratio)
    ranked = values.where(~values.isnan(), -math.inf)
    # A stable sort leaves equal values in the order of their nodes.
    order = torch.sort(
        ranked,
        dim=-1,
        descending=True,
        stable=True,
    ).indices
    kept = torch.zeros_like(values, dtype=torch.bool)
    return kept.scatter(-1, order[..., :n_kept], True)


def _threshold_place(n_nodes: int, token_ratio: float) -> int:
    """Return the place, from 0, of the threshold in the ascending order of the values."""
    return max(1, math.ceil(n_nodes * token_ratio)) - 1
