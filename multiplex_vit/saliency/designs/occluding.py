"""Designs that remove a part of the tokens at a time."""

import numpy as np

from multiplex_vit.saliency.designs.groups import finest_communities
from multiplex_vit.saliency.designs.inputs import DESIGNS, DesignInput
from multiplex_vit.saliency.masks import Masks
from multiplex_vit.saliency.ranking import Ranking


def _one_a_token(ranking: Ranking, n_tokens: int) -> int:
    return n_tokens


@DESIGNS.register(needs="graph", most=_one_a_token)
def occlusion(inputs: DesignInput) -> Masks:
    """Return masks that each remove one community of the token graph.

    The communities are the finest that are at most as many as masks. Every token is removed once,
    whatever the seed and the token_ratio; a budget for more than a mask a token is not used up.
    """
    assert inputs.graph is not None
    groups = finest_communities(inputs.graph, inputs.n_masks)
    # Row by row: all tokens but those of one group.
    kept = groups[None] != np.arange(groups.max() + 1)[:, None]
    return Masks.of(kept, "occlusion")
