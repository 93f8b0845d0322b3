"""Designs that keep the nodes which come first in an order."""

from typing import TYPE_CHECKING

import numpy as np

from multiplex_vit.saliency.designs.drawn import unions_of_communities
from multiplex_vit.saliency.designs.inputs import DESIGNS, DesignInput
from multiplex_vit.saliency.masks import Masks

if TYPE_CHECKING:
    from multiplex_vit.saliency.settings import Settings


def _n_orders(settings: "Settings", n_tokens: int) -> int:
    return settings.ranking.n_orders


@DESIGNS.register(ranks=True, most=_n_orders)
def centrality(inputs: DesignInput) -> Masks:
    """Return the published masks: a share of the nodes that are most central.

    There is one for every operator, centrality and statistic. A budget that is less leaves evenly
    spread ones of the distinct masks; one that is more is not used up.
    """
    masks = inputs.ranked
    first, _ = masks.distinct()
    return masks if len(first) <= inputs.n_masks else _spread(masks, inputs.n_masks)


@DESIGNS.register(needs="graph", ranks=True)
def mixed(inputs: DesignInput) -> Masks:
    """Return half `centrality` masks, and `community` masks for the rest of the budget.

    The former are evenly spread over the distinct ones.
    """
    central = _spread(inputs.ranked, inputs.n_masks // 2)
    return central + unions_of_communities(inputs, inputs.n_masks - len(central))


def _spread(masks: Masks, n_masks: int) -> Masks:
    """Return at most so many of the distinct masks, evenly spread over their order."""
    first, _ = masks.distinct()
    n_taken = min(n_masks, len(first))
    taken = np.unique(np.linspace(0, len(first) - 1, n_taken).round().astype(int))
    return masks.select(np.isin(np.arange(len(masks)), first[taken]))
