"""timm: its Vision Transformers are of three classes and their kin."""

from functools import partial
from typing import Any

from torch import Tensor, nn

from multiplex_vit.models.families.family import Family, Resized, both_sides
from multiplex_vit.models.port import ATTENTION, BOTH, PATCHES, PREFIX, Call, Head, Positions, Trunk
from multiplex_vit.models.positions import Gathered, biases_between, rotations_of
from multiplex_vit.models.swaps import attributes
from multiplex_vit.models.taps.fused import fused

_STEM = (
    "patch_embed",
    "cls_token",
    "dist_token",
    "reg_token",
    "pos_embed",
    "norm_pre",
    "rope",
    "rel_pos_bias",
)
"""Parts and weights that make the tokens and their positions, where a module has them."""


def _rotated(module: Any) -> Positions | None:
    """Return how rotations follow the tokens, None of a module without."""
    if getattr(module, "rope", None) is None:
        return None
    return Gathered(type(module.rope).__name__, "get_embed", rotations_of)


def _biased(module: Any) -> Positions | None:
    """Return how relative biases follow the tokens, None of a module without."""
    if module.rel_pos_bias is not None:
        return Gathered("RelativePositionBias", "forward", biases_between)
    if module.blocks[0].attn.relative_position_bias_table is not None:
        return Gathered("Attention", "_get_rel_pos_bias", biases_between)
    return None


def _added(module: Any) -> None:
    """Return None, of modules that add their positions to the tokens."""


def _prefix(module: Any) -> tuple[str, ...]:
    names = []
    if getattr(module, "cls_token", None) is not None:
        names.append("class")
    if getattr(module, "dist_token", None) is not None:
        names.append("distillation")
    n_registers = module.num_prefix_tokens - len(names)
    return (*names, *(f"register{number}" for number in range(n_registers)))


def _trunk(positions: Any, module: Any) -> Trunk:
    embedding = module.patch_embed
    attention = module.blocks[0].attn
    return Trunk(
        blocks="blocks",
        prefix=_prefix(module),
        patch=both_sides(embedding.patch_size),
        image_size=both_sides(embedding.img_size or module.default_cfg["input_size"][1:]),
        tap=fused,
        positions=positions(module),
        any_size=bool(getattr(module, "dynamic_img_size", False)),
        n_channels=embedding.proj.in_channels,
        n_heads=attention.num_heads,
        stem=_STEM,
        output=_output(attention),
        scale=_scale(module.blocks[0]),
    )


def _features(module: Any, pixels: Tensor) -> Tensor:
    """Return what timm's own pooling makes of the tokens."""
    return module.forward_head(module.forward_features(pixels), pre_logits=True)


def _is_bare(module: Any) -> bool:
    return isinstance(module.head, nn.Identity)


def _resized(function: Call, module: Any, pixels: Tensor) -> Tensor:
    """Return what a function gives while the module takes images of any size, as timm has it."""
    from timm.layers import Format

    # What timm sets where a module is made with dynamic_img_size=True.
    of_patches = {"strict_img_size": False, "flatten": False, "output_fmt": Format.NHWC}
    sized = attributes(module, {"dynamic_img_size": True})
    with sized, attributes(module.patch_embed, of_patches):
        return function(module, pixels)


def _family(positions: Any, at_any_size: Resized | None = None) -> Family:
    return Family(
        trunk=partial(_trunk, positions),
        head=_head,
        features=_features,
        is_bare=_is_bare,
        at_any_size=at_any_size,
    )


def _output(attention: Any) -> str:
    """Return the layer behind attention, "" where there is more between the two."""
    norm = getattr(attention, "norm", None)
    is_gated = getattr(attention, "gate", None) is not None
    if is_gated or not isinstance(norm, (nn.Identity, type(None))):
        return ""
    return "attn.proj"


def _scale(block: Any) -> str:
    for name in ("ls1", "gamma_1"):
        if getattr(block, name, None) is not None:
            return name
    return ""


def _head(module: Any) -> Head:
    reads = _reads(module)
    if reads == BOTH:
        # Prefix tokens and patches are pooled together, of which no layer's reading is known.
        return Head(reads=BOTH)
    readers = ("head", "head_dist") if hasattr(module, "head_dist") else ("head",)
    norm, norm_first = "", True
    for name in ("norm", "fc_norm"):
        if not isinstance(getattr(module, name, nn.Identity()), nn.Identity):
            norm, norm_first = name, name == "norm"
    return Head(reads=reads, readers=readers, norm=norm, norm_first=norm_first)


def _reads(module: Any) -> str:
    if module.global_pool == "token" or hasattr(module, "head_dist"):
        return PREFIX
    if getattr(module, "attn_pool", None) is not None:
        return ATTENTION
    if module.global_pool == "avg" and not getattr(module, "pool_include_prefix", False):
        return PATCHES
    return BOTH


FAMILIES: dict[str, Family] = {
    "VisionTransformer": _family(_added, _resized),
    "VisionTransformerDistilled": _family(_added, _resized),
    "Eva": _family(_rotated),
    "Beit": _family(_biased),
}
"""Families by the name of the class in timm."""
