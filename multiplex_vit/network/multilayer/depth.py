"""Measures of a node through all layers in their order."""

import numpy as np

from multiplex_vit.accepts import accepts, stack
from multiplex_vit.network.flow.residual import rollout as rollout_of
from multiplex_vit.network.multilayer.registry import MULTILAYER_MEASURES


@MULTILAYER_MEASURES.register(scale="invariant", isolates="kept")
@accepts(weights=stack)
def rollout(weights: np.ndarray, *, residual: float = 0.5) -> np.ndarray:
    """Return how much of all output tokens comes from each input token, by attention rollout.

    Column sums of R = M_L ... M_1, with M = (1 - residual) P + residual I; see `flow.rollout`.
    Weights are those of attention edges, the first layer first.

    Parameters
    ----------
    weights : ndarray [layer, source, target]
    residual : float, 0 to 1

    Returns
    -------
    ndarray [node]
        Sums to the number of nodes; 1 for a token that makes up itself alone, as isolates do.

    References
    ----------
    Abnar, Zuidema, ACL 2020, doi:10.18653/v1/2020.acl-main.385.

    Examples
    --------
    >>> rollout(np.array([[[0.0, 1.0], [0.0, 1.0]]])).tolist()
    [0.5, 1.5]
    """
    return rollout_of(weights, residual).sum(0)
