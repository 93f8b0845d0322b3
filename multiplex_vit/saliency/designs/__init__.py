"""Mask designs: which tokens to keep in each of the passes that there are.

Importing this registers all of them; it does not import torch.
"""

from multiplex_vit.registry import import_members
from multiplex_vit.saliency.designs.inputs import DESIGNS, DesignInput

import_members(__name__)

__all__ = ["DESIGNS", "DesignInput"]
