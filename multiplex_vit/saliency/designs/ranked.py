"""Designs that keep the nodes which come first in an order."""

import numpy as np

from multiplex_vit.saliency.designs.drawn import unions_of_communities
from multiplex_vit.saliency.designs.inputs import DESIGNS, DesignInput
from multiplex_vit.saliency.masks import Masks
from multiplex_vit.saliency.ranking import Ranking


def _n_orders(ranking: Ranking, n_tokens: int) -> int:
    return ranking.n_orders


@DESIGNS.register(ranks=True, most=_n_orders)
def centrality(inputs: DesignInput) -> Masks:
    """Return the published masks: a share of the nodes that are most central.

    There is one for every operator, centrality and statistic. A budget that is less leaves evenly
    spread ones of the distinct masks; one that is more is not used up.
    """
    masks = inputs.ranked
    first, _ = masks.distinct()
    # Masks that repeat take no pass, so that they do not count.
    if len(first) <= inputs.n_masks:
        return masks
    return _spread(masks, inputs.n_masks)


@DESIGNS.register(needs="graph", ranks=True)
def mixed(inputs: DesignInput) -> Masks:
    """Return half `centrality` masks, and `community` masks for the rest of the budget.

    The former are evenly spread over the distinct ones.
    """
    central = _spread(inputs.ranked, inputs.n_masks // 2)
    n_left = inputs.n_masks - len(central)
    return central + unions_of_communities(inputs, n_left)


def _spread(masks: Masks, n_masks: int) -> Masks:
    """Return at most so many of the distinct masks, evenly spread over their order."""
    first, _ = masks.distinct()
    n_taken = min(n_masks, len(first))
    places = np.linspace(0, len(first) - 1, n_taken)
    # Rounding may give a place twice.
    taken = np.unique(places.round().astype(int))
    is_taken = np.isin(np.arange(len(masks)), first[taken])
    return masks.select(is_taken)
