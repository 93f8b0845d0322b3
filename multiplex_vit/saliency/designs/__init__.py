"""Mask designs: which tokens to keep in each of the passes that there are.

Importing this registers all of them; it does not import torch.
"""

from multiplex_vit.saliency.designs import drawn as _drawn
from multiplex_vit.saliency.designs import occluding as _occluding
from multiplex_vit.saliency.designs import ranked as _ranked
from multiplex_vit.saliency.designs.inputs import DESIGNS, DesignInput

_registered = (_drawn, _occluding, _ranked)
__all__ = ["DESIGNS", "DesignInput"]
