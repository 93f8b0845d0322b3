"""Gradients: what changes of attention, tokens or pixels do to a class.

No parameter of the model is given a gradient.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from multiplex_vit.errors import InputError
from multiplex_vit.models.attention import watched
from multiplex_vit.models.backbone import Backbone
from multiplex_vit.models.fast.runner import Runner
from multiplex_vit.models.heads import Head
from multiplex_vit.models.running import attending, outputs_of
from multiplex_vit.models.swaps import fed, skipped


def attention_gradients(
    backbone: Backbone, head: Head, tokens: Tensor, label: int | None
) -> tuple[Tensor, Tensor, Tensor]:
    """Return the attention of every head, the gradient of a logit at it, and class scores.

    It takes a forward and a backward pass.

    Parameters
    ----------
    backbone : Backbone
    head : Head
    tokens : Tensor [1, token, width]
        From `VisionModel.embed`.
    label : int, optional
        The class whose logit it is; None stands for the predicted one.

    Returns
    -------
    attention, gradient : Tensor [layer, head, query, key]
    scores : Tensor [1, class]
    """
    with _followed(backbone.module), watched(backbone) as layers:
        # One pass gives the attention of all blocks, one backward pass all gradients.
        logits = _logits(backbone, tokens)
        label = _label_or_predicted(logits, label)
        logit = logits[0, label]
        gradients = torch.autograd.grad(logit, layers)
    attention = torch.cat([layer.detach() for layer in layers])
    scores = head.scores(logits.detach())
    return attention, torch.cat(gradients), scores


def block_gradients(
    backbone: Backbone, head: Head, tokens: Tensor, label: int | None
) -> tuple[Tensor, Tensor]:
    """Return how each block's attention changes the logit read from that block's output.

    The logit is what the model's own head gives for the block's output. It takes a forward pass,
    and a backward pass through each block. Parameters are those of `attention_gradients`; the
    predicted class is that of the whole model.

    Returns
    -------
    gradient : Tensor [layer, head, query, key]
    scores : Tensor [1, class]
    """
    blocks = backbone.blocks
    gradients = []
    with _followed(backbone.module), attending(backbone.module, "sdpa"):
        with watched(backbone) as layers, outputs_of(blocks) as outputs:
            logits = _logits(backbone, tokens)
        label = _label_or_predicted(logits, label)
        # Without the blocks, what a block gives goes straight into the model's own head.
        with skipped(blocks):
            for layer, output in zip(layers, outputs, strict=True):
                logit = _logits(backbone, output)[0, label]
                (gradient,) = torch.autograd.grad(logit, layer)
                gradients.append(gradient)
    scores = head.scores(logits.detach())
    return torch.cat(gradients), scores


def token_gradients(
    backbone: Backbone, head: Head, tokens: Tensor, label: int | None
) -> tuple[Tensor, Tensor, Tensor]:
    """Return the patch tokens behind the last block's first layer norm, and their gradient.

    The gradient is that of a logit. Parameters are those of `attention_gradients`.

    Returns
    -------
    tokens, gradient : Tensor [node, width]
    scores : Tensor [1, class]
    """
    model = backbone.module
    norm = _first_norm(backbone.blocks[-1])
    with _followed(model), outputs_of([norm]) as outputs, attending(model, "sdpa"):
        logits = _logits(backbone, tokens)
        label = _label_or_predicted(logits, label)
        logit = logits[0, label]
        gradient = torch.autograd.grad(logit, outputs)[0]
    n_prefix = backbone.n_prefix
    patch_tokens = outputs[0].detach()[0, n_prefix:]
    scores = head.scores(logits.detach())
    return patch_tokens, gradient[0, n_prefix:], scores


def pixel_gradients(runner: Runner, head: Head, pixels: Tensor, label: int) -> Tensor:
    """Return the gradient of a class's score at pixel values, for each image by itself.

    Parameters
    ----------
    runner : Runner
        Says how many images share a pass.
    head : Head
    pixels : Tensor [image, channel, row, col]
        Pre-processed pixel values.
    label : int

    Returns
    -------
    Tensor [image, channel, row, col]
    """
    backbone = runner.backbone
    model = backbone.module
    n_token = backbone.n_token(pixels.shape[2:])
    n_images = runner.batch_size(backbone, n_token, "auto")
    gradients = []
    with _followed(model), attending(model, "sdpa"):
        for chunk in pixels.split(n_images):
            values = chunk.to(backbone.device, backbone.dtype, copy=True).requires_grad_()
            scores = head.scores(model(pixel_values=values).logits)
            # No image has a part in another one's score, so the sum's gradient is that of each.
            total = scores[:, label].sum()
            gradients.append(torch.autograd.grad(total, values)[0])
    return torch.cat(gradients)


@contextmanager
def _followed(model: nn.Module) -> Iterator[None]:
    """Follow what is computed, for gradients, whatever the caller switched off."""
    if any(weight.is_inference() for weight in model.parameters()):
        raise InputError(
            "the model was made under torch.inference_mode, where nothing has gradients; "
            "make it outside, or under torch.no_grad"
        )
    with torch.inference_mode(False), torch.enable_grad():
        yield


def _logits(backbone: Backbone, tokens: Tensor) -> Tensor:
    """Return logits [1, class] of tokens, in the graph of gradients."""
    # Copies, as tensors made without gradients can be in no graph.
    with fed(backbone.embeddings, tokens.clone().requires_grad_()):
        return backbone.module(pixel_values=tokens.clone()).logits


def _label_or_predicted(logits: Tensor, label: int | None) -> int:
    return int(logits[0].argmax()) if label is None else label


def _first_norm(block: nn.Module) -> nn.LayerNorm:
    for module in block.modules():
        if isinstance(module, nn.LayerNorm):
            return module
    raise LookupError("the last block has no layer norm")
