"""Designs that remove a part of the tokens at a time."""

import numpy as np

from multiplex_vit.saliency.designs.drawn import unions_of_communities
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


@DESIGNS.register(needs="graph")
def multiscale(inputs: DesignInput) -> Masks:
    """Return masks that each remove one community, then masks of unions of communities.

    The former are those of `occlusion`. What a budget has left when every token is removed alone
    goes to masks of `community`, which keep about a share 1 - token_ratio of the tokens: unions of
    communities at the resolutions, in turn. They show what tokens do for each other.
    """
    alone = occlusion(inputs)
    n_left = inputs.n_masks - len(inputs.tokens)
    if n_left < 1:
        return alone
    return alone + unions_of_communities(inputs, n_left)
