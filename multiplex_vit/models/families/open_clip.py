"""open_clip: its visual towers give features, which a head then scores."""

from typing import Any

from torch import Tensor

from multiplex_vit.models.families.family import Family, both_sides, is_backbone
from multiplex_vit.models.port import ATTENTION, PATCHES, PREFIX, Head, Trunk
from multiplex_vit.models.taps.anywhere import anywhere


def _trunk(module: Any) -> Trunk:
    block = module.transformer.resblocks[0]
    return Trunk(
        blocks="transformer.resblocks",
        prefix=("class",),
        patch=both_sides(module.patch_size),
        image_size=both_sides(module.image_size),
        tap=anywhere,
        n_channels=module.conv1.in_channels,
        n_heads=block.attn.num_heads,
        stem=("conv1", "class_embedding", "positional_embedding", "ln_pre"),
        output="attn.out_proj",
        scale="ls_1",
    )


def _head(module: Any) -> Head:
    if module.attn_pool is not None:
        return Head(reads=ATTENTION)
    return Head(
        reads=PREFIX if module.pool_type == "tok" else PATCHES,
        norm="ln_post",
        norm_first=not module.final_ln_after_pool,
        # The tower projects features by a plain weight, which is no layer.
        projection="" if module.proj is None else "proj",
    )


def _features(module: Any, pixels: Tensor) -> Tensor:
    given = module(pixels)
    # A tower may hand on its tokens beside the features.
    return given[0] if isinstance(given, tuple) else given


FAMILIES: dict[str, Family] = {
    "VisionTransformer": Family(trunk=_trunk, head=_head, features=_features, is_bare=is_backbone)
}
"""Families by the name of the class in open_clip."""
