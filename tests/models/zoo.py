"""A small model of random weights of every family: two blocks, most of them on a grid of 3 x 5 patches."""

from dataclasses import dataclass, field
from functools import partial
from importlib import import_module

import numpy as np
import torch
from torch import nn

import multiplex_vit as mv

WIDTH, N_CLASSES = 32, 5
WIDE, SQUARE = (12, 20), (16, 16)
TEXT = {
    "hidden_size": WIDTH,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "vocab_size": 64,
    "max_position_embeddings": 16,
    "projection_dim": 24,
    "bos_token_id": 0,
    "eos_token_id": 1,
    "pad_token_id": 1,
}


@dataclass(frozen=True)
class Entry:
    """How to make a model: a function that makes the module, and the width of what a head takes, if it needs one."""

    make: object
    grid: tuple = (3, 5)
    n_prefix: int = 1
    head: int = 0
    reads: str = "prefix"
    options: dict = field(default_factory=dict)


def hugging_face(name, *, text=False, **changes):
    import transformers

    kind = getattr(transformers, name)
    sizes = {
        "hidden_size": WIDTH,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "intermediate_size": 64,
        "image_size": WIDE,
        "patch_size": 4,
        **changes,
    }
    sizes = {name: size for name, size in sizes.items() if size is not None}
    labels = {"num_labels": N_CLASSES} if "Classification" in name else {}
    if not text:
        return kind(kind.config_class(**sizes, **labels))
    both = {"vision_config": {**sizes, "projection_dim": 24}, "text_config": TEXT}
    return kind(kind.config_class(**both, projection_dim=24, **labels))


def timm(kind, module="vision_transformer", **changes):
    sizes = {"img_size": WIDE, "patch_size": 4, "embed_dim": WIDTH, "depth": 2, "num_heads": 2}
    make = getattr(import_module(f"timm.models.{module}"), kind)
    return make(**{**sizes, "num_classes": N_CLASSES, **changes})


def torchvision():
    from torchvision.models.vision_transformer import VisionTransformer

    return VisionTransformer(
        image_size=16,
        patch_size=4,
        num_layers=2,
        num_heads=2,
        hidden_dim=WIDTH,
        mlp_dim=64,
        num_classes=N_CLASSES,
    )


def open_clip(**changes):
    from open_clip.transformer import VisionTransformer

    sizes = {"image_size": WIDE, "patch_size": 4, "width": WIDTH, "layers": 2, "heads": 2}
    return VisionTransformer(**sizes, mlp_ratio=2.0, output_dim=24, **changes)


HF, TIMM = partial(partial, hugging_face), partial(partial, timm)
BEIT = {"use_relative_position_bias": True, "use_mean_pooling": True, "image_size": SQUARE}
SHARED = {
    "use_shared_relative_position_bias": True,
    "use_mean_pooling": False,
    "image_size": SQUARE,
}
SIDE = {"image_size": 16}
DINO = {"image_size": SQUARE, "mlp_ratio": 2}
ZOO = {
    "transformers ViT": Entry(HF("ViTForImageClassification")),
    "transformers DeiT": Entry(HF("DeiTForImageClassification"), n_prefix=2),
    "transformers DeiT with teacher": Entry(
        HF("DeiTForImageClassificationWithTeacher"), n_prefix=2
    ),
    "transformers DINOv2": Entry(HF("Dinov2ForImageClassification", **DINO), (4, 4), reads="both"),
    "transformers DINOv2 with registers": Entry(
        HF("Dinov2WithRegistersForImageClassification", num_register_tokens=2, **DINO),
        (4, 4),
        n_prefix=3,
        reads="both",
    ),
    "transformers BEiT": Entry(HF("BeitForImageClassification", **BEIT), (4, 4), reads="patches"),
    "transformers BEiT with a shared bias": Entry(
        HF("BeitForImageClassification", **SHARED), (4, 4)
    ),
    "transformers Data2Vec": Entry(
        HF("Data2VecVisionForImageClassification", **BEIT), (4, 4), reads="patches"
    ),
    "transformers ViT-MSN": Entry(HF("ViTMSNForImageClassification")),
    "transformers I-JEPA": Entry(HF("IJepaForImageClassification"), n_prefix=0, reads="patches"),
    "transformers CLIP": Entry(
        HF("CLIPForImageClassification", text=True, **SIDE), (4, 4), reads="patches"
    ),
    "transformers MetaCLIP2": Entry(
        HF("MetaClip2ForImageClassification", text=True, **SIDE), (4, 4), reads="patches"
    ),
    "transformers SigLIP": Entry(
        HF("SiglipForImageClassification", text=True, **SIDE), (4, 4), n_prefix=0, reads="patches"
    ),
    "transformers SigLIP2": Entry(
        HF("Siglip2ForImageClassification", text=True, num_patches=16, image_size=None),
        (4, 4),
        n_prefix=0,
        reads="patches",
    ),
    "transformers ViTMAE with a probe": Entry(HF("ViTMAEModel"), head=WIDTH),
    "transformers DINOv2 with a probe": Entry(
        HF("Dinov2Model", **DINO), (4, 4), head=2 * WIDTH, reads="both"
    ),
    "transformers DINOv3 with a probe": Entry(
        HF("DINOv3ViTModel", num_register_tokens=2), n_prefix=3, head=WIDTH
    ),
    "transformers CLIP with a probe": Entry(HF("CLIPVisionModel", **SIDE), (4, 4), head=WIDTH),
    "transformers SigLIP with a probe": Entry(
        HF("SiglipVisionModel", **SIDE), (4, 4), n_prefix=0, head=WIDTH, reads="attention"
    ),
    "timm vit": Entry(TIMM("VisionTransformer")),
    "timm deit3": Entry(TIMM("VisionTransformer", no_embed_class=True, init_values=0.1)),
    "timm distilled": Entry(TIMM("VisionTransformerDistilled", "deit"), n_prefix=2),
    "timm registers": Entry(TIMM("VisionTransformer", reg_tokens=2), n_prefix=3),
    "timm GAP": Entry(
        TIMM("VisionTransformer", class_token=False, global_pool="avg"),
        n_prefix=0,
        reads="patches",
    ),
    "timm GAP with a class token": Entry(
        TIMM("VisionTransformer", global_pool="avg", fc_norm=False), reads="patches"
    ),
    "timm qk-norm": Entry(TIMM("VisionTransformer", qk_norm=True)),
    "timm clip": Entry(TIMM("VisionTransformer", pre_norm=True)),
    "timm siglip": Entry(
        TIMM("VisionTransformer", class_token=False, global_pool="map"),
        n_prefix=0,
        reads="attention",
    ),
    "timm dinov2 with a probe": Entry(
        TIMM("VisionTransformer", num_classes=0, init_values=0.1), head=WIDTH
    ),
    "timm dinov3": Entry(
        TIMM(
            "Eva",
            "eva",
            use_rot_pos_emb=True,
            use_abs_pos_emb=False,
            rope_type="dinov3",
            num_reg_tokens=2,
            global_pool="token",
        ),
        n_prefix=3,
    ),
    "timm eva02": Entry(
        TIMM("Eva", "eva", use_rot_pos_emb=True, swiglu_mlp=True, scale_mlp=True, qkv_fused=False),
        reads="patches",
    ),
    "timm mixed rotations": Entry(
        TIMM("Eva", "eva", use_rot_pos_emb=True, rope_type="mixed"), reads="patches"
    ),
    "timm beit": Entry(
        TIMM("Beit", "beit", use_abs_pos_emb=False, use_rel_pos_bias=True, init_values=0.1),
        reads="patches",
    ),
    "timm beit with a shared bias": Entry(
        TIMM("Beit", "beit", use_abs_pos_emb=False, use_shared_rel_pos_bias=True), reads="patches"
    ),
    "torchvision vit": Entry(torchvision, (4, 4)),
    "open_clip with a probe": Entry(open_clip, head=24),
    "open_clip of the patches' mean with a probe": Entry(
        partial(open_clip, pool_type="avg", final_ln_after_pool=True), head=24, reads="patches"
    ),
    "open_clip with attention of its own": Entry(
        partial(open_clip, qk_norm=True, ls_init_value=0.1), head=24
    ),
}
NAMES = list(ZOO)
KIN = {
    "transformers ViT with a probe": Entry(HF("ViTModel"), head=WIDTH),
    "transformers DeiT with a probe": Entry(HF("DeiTModel"), n_prefix=2, head=WIDTH),
    "transformers DINOv2 with registers and a probe": Entry(
        HF("Dinov2WithRegistersModel", num_register_tokens=2, **DINO),
        (4, 4),
        n_prefix=3,
        head=2 * WIDTH,
        reads="both",
    ),
    "transformers ViT-MSN with a probe": Entry(HF("ViTMSNModel"), head=WIDTH),
    "transformers I-JEPA with a probe": Entry(
        HF("IJepaModel"), n_prefix=0, head=WIDTH, reads="patches"
    ),
    "transformers MetaCLIP2 with a probe": Entry(
        HF("MetaClip2VisionModel", **SIDE), (4, 4), head=WIDTH
    ),
    "transformers SigLIP2 with a probe": Entry(
        HF("Siglip2VisionModel", num_patches=16, image_size=None),
        (4, 4),
        n_prefix=0,
        head=WIDTH,
        reads="attention",
    ),
}
"""Classes that are built of the same parts as one of the zoo: their rows are checked, and no more."""

MEMBERS = {**ZOO, **KIN}


def module_of(name, scale=0.3):
    """Return a module of random weights, in evaluation mode."""
    torch.manual_seed(0)
    return drawn(MEMBERS[name].make(), scale)


def drawn(module, scale=0.3):
    """Draw all weights of a module wider than they are at the start of training."""
    with torch.no_grad():
        for weight in module.parameters():
            weight.copy_(scale * torch.randn(weight.shape))
    return module.eval()


def model_of(name, **options):
    """Return the wrapped model of a name."""
    entry = MEMBERS[name]
    module = module_of(name)
    if entry.head:
        options["head"] = drawn(nn.Linear(entry.head, N_CLASSES))
    return mv.wrap(module, **{"name": name, "check": False, **options})


def image_for(model, seed=0):
    """Return pixel values of noise that fit a model."""
    shape = (1, model.port.trunk.n_channels, *model.input_size)
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)
