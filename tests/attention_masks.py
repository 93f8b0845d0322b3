"""Masks of attention that is given as one tensor [operator, layer, source, target]."""

from multiplex_vit.network.tokens import Tokens
from multiplex_vit.saliency.ranked import make_masks


def masks_of(attention, settings, tokens=None, statistics=None):
    networks = dict(zip(settings.operators, attention, strict=True))
    nodes = tokens or Tokens((1, attention.shape[-1]))
    return make_masks(networks, settings.ranking, settings.token_ratio, nodes, statistics)
