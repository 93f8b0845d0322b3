"""Hugging Face transformers: one row for each class of image classifiers and of backbones."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from math import isqrt
from typing import Any

import torch
from torch import Tensor, nn

from multiplex_vit.models.families.family import Family, Features, both_sides, is_backbone
from multiplex_vit.models.port import (
    ATTENTION,
    BOTH,
    PATCHES,
    PREFIX,
    Call,
    Head,
    Positions,
    Tap,
    Trunk,
)
from multiplex_vit.models.positions import Gathered, biases_between, rotations_of
from multiplex_vit.models.swaps import attributes, forwards
from multiplex_vit.models.taps.fused import fused
from multiplex_vit.models.taps.interface import interface


def _logits(module: Any, pixels: Tensor) -> Tensor:
    return module(pixel_values=pixels).logits


@dataclass(frozen=True)
class Row:
    """What sets one class of image classifiers apart from another.

    The rest is common to all of them: the transformer is a part of the module, it has
    `num_hidden_layers` blocks in one list, and these ask transformers' attention interface for
    their attention.

    Attributes
    ----------
    prefix : callable
        Takes the configuration, gives the names of the tokens before the patch tokens.
    reads : str
        What the classifier reads; see `Head`. Default: "prefix".
    readers : tuple of str
        The classifiers. Default: ("classifier",).
    base : str
        The part that is the transformer. Default: "", that of the class's `base_model_prefix`, or
        a backbone itself.
    stem : tuple of str
        The parts of the transformer that make the tokens. Default: ("embeddings",).
    norm : str
        Its last layer norm. Default: "layernorm".
    output, scale : str
        See `Trunk`. Default: "attention.o_proj" and "".
    any_size : bool
        Whether images of any size are taken. Default: False.
    tap, positions : callable, optional
        See `Trunk`. Default: the attention interface, and no positions.
    call : callable
        Takes a classifier and pixel values, gives logits. Default: transformers' usual way.
    features : callable, optional
        Of a backbone, takes it and pixel values and gives the tokens behind the last norm, or
        features. Default: None, of a classifier.
    """

    prefix: Callable[[Any], tuple[str, ...]]
    reads: str = PREFIX
    readers: tuple[str, ...] = ("classifier",)
    base: str = ""
    stem: tuple[str, ...] = ("embeddings",)
    norm: str = "layernorm"
    output: str = "attention.o_proj"
    scale: str = ""
    any_size: bool = False
    tap: Tap = interface
    positions: Positions | None = None
    call: Call = _logits
    features: Features | None = None


def _none(config: Any) -> tuple[str, ...]:
    return ()


def _class(config: Any) -> tuple[str, ...]:
    return ("class",)


def _class_and_distillation(config: Any) -> tuple[str, ...]:
    return ("class", "distillation")


def _class_and_registers(config: Any) -> tuple[str, ...]:
    registers = [f"register{number}" for number in range(config.num_register_tokens)]
    return ("class", *registers)


def _tokens(module: Any, pixels: Tensor) -> Tensor:
    return module(pixel_values=pixels).last_hidden_state


def _normed_tokens(module: Any, pixels: Tensor) -> Tensor:
    """Return the last tokens of CLIP, whose last norm is else for the class token alone."""
    return module.post_layernorm(module(pixel_values=pixels).last_hidden_state)


def _pooled(module: Any, pixels: Tensor) -> Tensor:
    return module(pixel_values=pixels).pooler_output


def _unmasked_tokens(module: Any, pixels: Tensor) -> Tensor:
    """Return the last tokens of ViTMAE, which hides patches at random unless it is told not to."""
    n_patches = module.embeddings.patch_embeddings.num_patches
    # The least noise stays, so that a growing one leaves patches in their order.
    noise = torch.arange(n_patches, device=pixels.device).expand(len(pixels), -1)
    with attributes(module.config, {"mask_ratio": 0.0}):
        return module(pixel_values=pixels, noise=noise).last_hidden_state


def _in_patches(config: Any, pixels: Tensor) -> dict[str, Any]:
    """Return what SigLIP2 takes in place of pixel values: patches in a row, and their grid."""
    side = config.patch_size
    rows, cols = pixels.shape[2] // side, pixels.shape[3] // side
    patches = pixels.unflatten(3, (cols, side)).unflatten(2, (rows, side))
    # [image, channel, row, y, col, x] -> [image, row, col, y, x, channel]
    patches = patches.permute(0, 2, 4, 3, 5, 1).flatten(3).flatten(1, 2)
    shapes = torch.tensor([[rows, cols]], device=pixels.device).expand(len(pixels), -1)
    return {"pixel_values": patches, "pixel_attention_mask": None, "spatial_shapes": shapes}


def _logits_of_patches(module: Any, pixels: Tensor) -> Tensor:
    return module(**_in_patches(module.config.vision_config, pixels)).logits


def _pooled_of_patches(module: Any, pixels: Tensor) -> Tensor:
    return module(**_in_patches(module.config, pixels)).pooler_output


_BIASED = Gathered("RelativePositionBias", "forward", biases_between)
_ROTATED = Gathered("RopePositionEmbedding", "forward", rotations_of)
_BEIT = Row(_class, scale="lambda_1", any_size=True, positions=_BIASED)
_DATA2VEC = replace(_BEIT, output="attention.output.dense", tap=fused)
_DINO = Row(_class, BOTH, any_size=True, scale="layer_scale1")
_CLIP = Row(
    _class,
    PATCHES,
    base="vision_model",
    stem=("embeddings", "pre_layrnorm"),
    norm="",
    output="self_attn.out_proj",
)
_SIGLIP = Row(
    _none, PATCHES, base="vision_model", norm="post_layernorm", output="self_attn.out_proj"
)

ROWS: dict[str, Row] = {
    "ViTForImageClassification": Row(_class),
    "DeiTForImageClassification": Row(_class_and_distillation),
    "DeiTForImageClassificationWithTeacher": Row(
        _class_and_distillation, readers=("cls_classifier", "distillation_classifier")
    ),
    "Dinov2ForImageClassification": _DINO,
    "Dinov2WithRegistersForImageClassification": replace(_DINO, prefix=_class_and_registers),
    "BeitForImageClassification": _BEIT,
    "Data2VecVisionForImageClassification": _DATA2VEC,
    "ViTMSNForImageClassification": Row(_class),
    "IJepaForImageClassification": Row(_none, PATCHES),
    "CLIPForImageClassification": _CLIP,
    "MetaClip2ForImageClassification": _CLIP,
    "SiglipForImageClassification": _SIGLIP,
    "Siglip2ForImageClassification": replace(_SIGLIP, call=_logits_of_patches, any_size=True),
}
"""Rows of classifiers by the name of the class in transformers; add one for another class."""

_BARE_CLIP = replace(
    _CLIP, reads=PREFIX, base="", norm="post_layernorm", features=_normed_tokens, readers=()
)
_BARE_SIGLIP = replace(_SIGLIP, reads=ATTENTION, base="", features=_pooled, readers=())

BACKBONES: dict[str, Row] = {
    "ViTModel": Row(_class, features=_tokens),
    "DeiTModel": Row(_class_and_distillation, features=_tokens),
    "Dinov2Model": replace(_DINO, reads=PREFIX, features=_tokens),
    "Dinov2WithRegistersModel": replace(
        _DINO, prefix=_class_and_registers, reads=PREFIX, features=_tokens
    ),
    "DINOv3ViTModel": Row(
        _class_and_registers,
        norm="norm",
        scale="layer_scale1",
        any_size=True,
        positions=_ROTATED,
        features=_tokens,
    ),
    "ViTMSNModel": Row(_class, features=_tokens),
    "ViTMAEModel": Row(_class, features=_unmasked_tokens),
    "IJepaModel": Row(_none, PATCHES, features=_tokens),
    "CLIPVisionModel": _BARE_CLIP,
    "MetaClip2VisionModel": _BARE_CLIP,
    "SiglipVisionModel": _BARE_SIGLIP,
    "Siglip2VisionModel": replace(_BARE_SIGLIP, features=_pooled_of_patches, any_size=True),
}
"""Rows of backbones, which need a head: `wrap(backbone, head=...)`."""


def _trunk(row: Row, module: Any) -> Trunk:
    base = _base(row, module)
    config = _vision(module.config)
    return Trunk(
        blocks=_blocks(module, base, config),
        prefix=row.prefix(config),
        patch=both_sides(config.patch_size),
        image_size=_image_size(config),
        tap=row.tap,
        positions=row.positions,
        any_size=row.any_size,
        # Some configurations, such as BLIP's, do not say how many: they are of colour images.
        n_channels=getattr(config, "num_channels", 3),
        n_heads=config.num_attention_heads,
        stem=tuple(base + part for part in row.stem),
        output=row.output,
        scale=row.scale,
    )


def _base(row: Row, module: Any) -> str:
    """Return how the paths of the transformer's parts begin."""
    if row.features is not None:
        return ""
    return f"{row.base or module.base_model_prefix}."


def _vision(config: Any) -> Any:
    """Return the configuration of the part that sees, in models that read text too."""
    return getattr(config, "vision_config", config)


def _image_size(config: Any) -> tuple[int, int]:
    if hasattr(config, "image_size"):
        return both_sides(config.image_size)
    # SigLIP2 says how many patches there are, of a square image.
    side = isqrt(config.num_patches) * config.patch_size
    return side, side


def _blocks(module: Any, base: str, config: Any) -> str:
    """Return the path of the list of blocks.

    Classes and versions call it "layers", "layer" or "blocks", at several depths.
    """
    for path, part in module.named_modules():
        is_list = isinstance(part, nn.ModuleList) and len(part) == config.num_hidden_layers
        if is_list and path.startswith(base):
            return path
    raise LookupError(f"{type(module).__name__} holds no list of blocks")


def _head(row: Row, module: Any) -> Head:
    base = _base(row, module)
    if row.reads == PREFIX and getattr(module.config, "use_mean_pooling", False):
        # BEiT's mean of the patches is taken before the norm.
        norm = f"{base}pooler.layernorm"
        return Head(reads=PATCHES, readers=row.readers, norm=norm, norm_first=False)
    norm = base + row.norm if row.norm else ""
    return Head(reads=row.reads, readers=row.readers, norm=norm)


def _classes(module: Any) -> dict[int, str]:
    return dict(module.config.id2label)


def _problem(module: Any) -> str | None:
    return getattr(module.config, "problem_type", None)


def _interpolating(function: Call, module: Any, pixels: Tensor) -> Tensor:
    """Return what a function gives while the module interpolates its position embeddings."""
    resized = partial(module.forward, interpolate_pos_encoding=True)
    with forwards({module: resized}):
        return function(module, pixels)


def classifier(row: Row) -> Family:
    """Return the family of a class of classifiers."""
    return Family(
        trunk=partial(_trunk, row),
        head=partial(_head, row),
        call=row.call,
        classes=_classes,
        problem=_problem,
        at_any_size=_interpolating,
    )


def backbone(row: Row) -> Family:
    """Return the family of a class of backbones."""
    return Family(
        trunk=partial(_trunk, row),
        head=partial(_head, row),
        features=row.features,
        reads_tokens=row.reads != ATTENTION,
        is_bare=is_backbone,
        at_any_size=_interpolating,
    )


CLASSIFIERS: dict[str, Family] = {name: classifier(row) for name, row in ROWS.items()}
FAMILIES: dict[str, Family] = {
    **CLASSIFIERS,
    **{name: backbone(row) for name, row in BACKBONES.items()},
}
