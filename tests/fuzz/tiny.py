"""A tiny model, and what it makes of a picture: made once a process."""

from functools import cache

import numpy as np
import torch
import transformers
from PIL import Image

import multiplex_vit as mv

# Before any class of transformers is asked for, which imports torchvision where that is installed.
import multiplex_vit.models.libraries

SIDE = 16
N_CLASSES = 5


@cache
def module():
    """Return a ViT with random weights: 3 blocks, 4 x 4 patches, 5 classes."""
    torch.manual_seed(0)
    config = transformers.ViTConfig(
        hidden_size=16,
        num_hidden_layers=3,
        num_attention_heads=2,
        intermediate_size=32,
        num_labels=N_CLASSES,
        image_size=SIDE,
        patch_size=4,
    )
    vit = transformers.ViTForImageClassification(config).eval()
    with torch.no_grad():
        for parameter in vit.parameters():
            parameter.copy_(0.3 * torch.randn(parameter.shape))
    return vit


def write_model(folder):
    """Write the model and an image processor as a checkpoint folder."""
    module().save_pretrained(folder)
    size = {"height": SIDE, "width": SIDE}
    transformers.ViTImageProcessor(size=size).save_pretrained(folder)
    return folder


@cache
def model():
    """Return the model as the package sees it, with an image processor."""
    processor = transformers.ViTImageProcessor(size={"height": SIDE, "width": SIDE})
    return mv.VisionModel(module(), processor=processor, name="tiny")


def picture():
    """Return a picture with some structure, the same one every time."""
    values = np.random.default_rng(0).integers(0, 255, (20, 24, 3))
    return Image.fromarray(values.astype(np.uint8))


@cache
def network():
    """Return the network of the picture."""
    return mv.multiplex(model(), picture())


@cache
def explanation():
    """Return the explanation of the picture."""
    return mv.explain(model(), picture())
