"""torchvision: its Vision Transformers are of one class."""

from typing import Any

from torch import nn

from multiplex_vit.models.families.family import Family, both_sides, called
from multiplex_vit.models.port import PREFIX, Head, Trunk
from multiplex_vit.models.taps.multihead import multihead


def _trunk(module: Any) -> Trunk:
    return Trunk(
        blocks="encoder.layers",
        prefix=("class",),
        patch=both_sides(module.patch_size),
        image_size=both_sides(module.image_size),
        tap=multihead,
        n_heads=module.encoder.layers[0].num_heads,
        stem=("conv_proj", "class_token", "encoder.pos_embedding"),
        output="self_attention.out_proj",
    )


def _head(module: Any) -> Head:
    return Head(reads=PREFIX, readers=("heads",), norm="encoder.ln")


def _is_bare(module: Any) -> bool:
    return isinstance(module.heads, nn.Identity)


FAMILIES: dict[str, Family] = {
    "VisionTransformer": Family(trunk=_trunk, head=_head, features=called, is_bare=_is_bare)
}
"""Families by the name of the class in torchvision."""
