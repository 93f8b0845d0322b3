"""Designs that remove a part of the tokens at a time."""

from typing import TYPE_CHECKING

import numpy as np

from multiplex_vit.saliency.designs.groups import finest_communities
from multiplex_vit.saliency.designs.inputs import DESIGNS, DesignInput
from multiplex_vit.saliency.masks import Masks

if TYPE_CHECKING:
    from multiplex_vit.saliency.settings import Settings


def _one_a_token(settings: "Settings", n_tokens: int) -> int:
    return n_tokens


@DESIGNS.register(needs="graph", most=_one_a_token)
def occlusion(inputs: DesignInput) -> Masks:
    """Return masks that each remove one community of the token graph.

    The communities are the finest that are at most as many as masks. Every token is removed once,
    whatever the seed and the token_ratio; a budget for more than a mask a token is not used up.
    """
    assert inputs.graph is not None
    groups = finest_communities(inputs.graph, inputs.n_masks)
    kept = groups[None] != np.arange(groups.max() + 1)[:, None]
    return Masks.of(kept, "occlusion")
