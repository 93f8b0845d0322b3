"""Which tokens of a mask rounding can decide, and which it cannot.

A node stays in a mask where its statistic is at least the cut, the value at place
ceil(nodes * token_ratio) of their ascending order. In float32 both are off by a little. Here the
statistics are computed in float64, with a bound on how far float32 can move each of them. A token
is decided where no statistics within their bounds move it over the cut; every correct float32
computation has it, whatever the processor.

Three things are rounded; u = 2^-24 is the unit roundoff of float32.

1. Attention. A weight is the softmax of a score, so its relative error is at most twice the error
   of the scores. A score is a sum of products over the width of the model. The error of a sum of n
   products is at most sqrt(n) u times their size but for a vanishing probability (Higham, Mary,
   SIAM J. Sci. Comput. 41, A2815 (2019), doi:10.1137/18M1226312), and each block adds its own. With
   L blocks of width n, and the range of scores R = ln(greatest weight / least weight):

       delta = 2 u L sqrt(n) R                         (2e-4 here; 1.6e-4 is the most seen)

2. Strengths. A strength c is a sum of weights, so it is off by delta c; where an edge lies within
   2 delta of the cut for edges, relative to that cut, by the edge's weight too.

3. The statistic. Differences from the mean of n layers are off by at most n u times the node's
   greatest strength. Powers (3 u), the means of them (n u), the power of the variance (2 n u + 3 u)
   and the quotient (u) then leave it off by at most (3 n + 7) u of itself; kurtosis, of which 3 is
   taken last, by as much of what it was before.

Errors of strengths reach a statistic f through its slopes: the sum over layers of |df/dc| times the
error of c. The slopes matter: a node with one strength above 0 has the same skew whatever that
strength is, its slope there is 0, and only the third kind of error is left.
"""

import math

import numpy as np
import torch

UNIT = 2.0**-24
DIRECTIONS = {"in_strength": -2, "out_strength": -1}


def _standardised(strengths):
    return (strengths - strengths.mean(0)) / strengths.std(0, correction=0)


ROUNDED = {
    "sum/std": lambda strengths: strengths.sum(0) / (strengths.std(0) + 1e-8),
    "skew": lambda strengths: (_standardised(strengths) ** 3).mean(0),
    "kurtosis": lambda strengths: (_standardised(strengths) ** 4).mean(0),
}
"""The statistics whose ties rounding breaks, of strengths [layer, node] in float64.

Kurtosis lacks its - 3 here, which changes no order. They are the same for any multiple of a node's strengths, so nodes with an edge in one layer alone
all have exactly one value.
"""


def relative_error(attention, width):
    """Return delta, the relative error of float32 attention [operator, layer, source, target]."""
    score_range = math.log(attention.max() / attention[attention > 0].min())
    return 2 * UNIT * attention.shape[1] * math.sqrt(width) * score_range


def decided(weights, delta, label, case):
    """Return which tokens every float32 computation keeps, and which every one leaves out.

    Parameters
    ----------
    weights : Tensor float64 [layer, source, target]
        Attention pooled over heads, before edges are cut.
    delta : float
        Its relative error in float32.
    label : operator, centrality and statistic
    case : mapping with min_cut and token_ratio

    Returns
    -------
    kept, left : ndarray bool [node]
        Where both are False, rounding may decide.
    """
    _, direction, statistic = label
    strengths, error = strengths_and_error(weights, delta, case["min_cut"], DIRECTIONS[direction])
    low, high = bounds(strengths, error, ROUNDED[statistic])
    return within(low, high, case["token_ratio"])


def strengths_and_error(weights, delta, min_cut, axis):
    """Return strengths [layer, node] in float64 and how far float32 may move them."""
    cut = min_cut * weights.amax((-2, -1), keepdim=True)
    near = (weights - cut).abs() <= 2 * delta * cut
    strengths = weights.where(weights >= cut, 0).sum(axis)
    return strengths, delta * strengths + weights.where(near, 0).sum(axis)


def bounds(strengths, error, function):
    """Return the least and greatest value [node] of a statistic in float32; NaN where it is NaN."""
    strengths = strengths.clone().requires_grad_()
    value = function(strengths)
    (slopes,) = torch.autograd.grad(value.nansum(), strengths)
    value, strengths = value.detach(), strengths.detach()
    n_layers = len(strengths)
    rounding = n_layers * UNIT * strengths.amax(0)
    allowed = (slopes.abs() * (error + rounding)).sum(0)
    allowed += (3 * n_layers + 7) * UNIT * value.abs()
    allowed = allowed.nan_to_num(nan=math.inf)
    # A node without any edge has no skew, in every arithmetic; one whose strengths are all equal
    # has none here, and any value where their last bits differ.
    empty = ((strengths == 0) & (error == 0)).all(0)
    anything = value.isnan() & ~empty
    low = (value - allowed).where(~anything, -math.inf)
    high = (value + allowed).where(~anything, math.inf)
    return low, high


def within(low, high, token_ratio):
    """Return which nodes stay, and which do not, for all values [node] from low to high.

    NaN comes last in the order and never stays.

    >>> low, high = torch.tensor([1.0, 2.0, 3.0, 5.0]), torch.tensor([1.5, 4.0, 3.5, 6.0])
    >>> [found.tolist() for found in within(low, high, 0.5)]
    [[False, False, False, True], [True, False, False, False]]
    """
    place = max(1, math.ceil(len(low) * token_ratio)) - 1
    least_cut, greatest_cut = low.sort().values[place], high.sort().values[place]
    kept = low > greatest_cut
    left = low.isnan() | (high < least_cut) | least_cut.isnan()
    return np.asarray(kept), np.asarray(left)
