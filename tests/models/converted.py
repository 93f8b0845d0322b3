"""The weights of a classifier of transformers' class ViT in the modules of timm and of DINOv2, which then compute the same."""

from functools import partial

import torch
from torch import nn


def as_timm(module):
    """Return timm's module of the same weights; it has queries, keys and values in one layer."""
    from timm.models.vision_transformer import VisionTransformer

    config, own = module.config, module.state_dict()
    converted = VisionTransformer(
        img_size=config.image_size,
        patch_size=config.patch_size,
        embed_dim=config.hidden_size,
        depth=config.num_hidden_layers,
        num_heads=config.num_attention_heads,
        num_classes=config.num_labels,
        mlp_ratio=config.intermediate_size / config.hidden_size,
        norm_layer=partial(nn.LayerNorm, eps=config.layer_norm_eps),
    )
    weights = {
        "cls_token": own["vit.embeddings.cls_token"],
        "pos_embed": own["vit.embeddings.position_embeddings"],
    }
    for kind in ("weight", "bias"):
        weights[f"patch_embed.proj.{kind}"] = own[
            f"vit.embeddings.patch_embeddings.projection.{kind}"
        ]
        weights[f"norm.{kind}"] = own[f"vit.layernorm.{kind}"]
        weights[f"head.{kind}"] = own[f"classifier.{kind}"]
        for block in range(config.num_hidden_layers):
            before, after = f"vit.layers.{block}", f"blocks.{block}"
            parts = [own[f"{before}.attention.{part}_proj.{kind}"] for part in "qkv"]
            weights[f"{after}.attn.qkv.{kind}"] = torch.cat(parts)
            weights[f"{after}.attn.proj.{kind}"] = own[f"{before}.attention.o_proj.{kind}"]
            weights[f"{after}.norm1.{kind}"] = own[f"{before}.layernorm_before.{kind}"]
            weights[f"{after}.norm2.{kind}"] = own[f"{before}.layernorm_after.{kind}"]
            for layer in ("fc1", "fc2"):
                weights[f"{after}.mlp.{layer}.{kind}"] = own[f"{before}.mlp.{layer}.{kind}"]
    converted.load_state_dict(weights)
    return converted.eval()


def as_dinov2(module):
    """Return DINOv2's module of the same weights; its scales are 1, and the patches' mean counts for nothing."""
    from transformers import Dinov2Config, Dinov2ForImageClassification

    config, own = module.config, module.state_dict()
    converted = Dinov2ForImageClassification(
        Dinov2Config(
            hidden_size=config.hidden_size,
            num_hidden_layers=config.num_hidden_layers,
            num_attention_heads=config.num_attention_heads,
            mlp_ratio=config.intermediate_size // config.hidden_size,
            image_size=config.image_size,
            patch_size=config.patch_size,
            layer_norm_eps=config.layer_norm_eps,
            id2label=config.id2label,
        )
    )
    names = {"layernorm_before": "norm1", "layernorm_after": "norm2", "vit.layers": "encoder.layer"}
    weights = {name: torch.ones_like(weight) for name, weight in converted.state_dict().items()}
    for name, weight in own.items():
        for before, after in names.items():
            name = name.replace(before, after)
        name = name if name.startswith("classifier") else f"dinov2.{name.removeprefix('vit.')}"
        if name == "classifier.weight":
            weight = torch.cat([weight, torch.zeros_like(weight)], 1)
        assert weights[name].shape == weight.shape, name
        weights[name] = weight
    converted.load_state_dict(weights)
    return converted.eval()
