"""Gradients: what changes of attention, tokens or pixels do to a class.

No parameter of the model is given a gradient.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from multiplex_vit.errors import InputError
from multiplex_vit.models.attention import watched
from multiplex_vit.models.backward.following import by_rules
from multiplex_vit.models.fast.runner import Runner
from multiplex_vit.models.logits import Logits
from multiplex_vit.models.passes import logits_of_tokens
from multiplex_vit.models.port import Port, Tokens
from multiplex_vit.models.running import attending, outputs_of
from multiplex_vit.models.swaps import answering


def attention_gradients(
    port: Port,
    outputs: Logits,
    tokens: Tokens,
    label: int | None,
    *,
    rules: str | Callable | None = None,
) -> tuple[Tensor, Tensor, Tensor]:
    """Return the attention of every head, the gradient of a logit at it, and class scores.

    It takes a forward and a backward pass.

    Parameters
    ----------
    port : Port
    outputs : Logits
    tokens : Tokens
        Of one image, from `VisionModel.embed`.
    label : int, optional
        The class whose logit it is; None stands for the predicted one.
    rules : str or callable, optional
        A member of `backward.methods.RULES` that gradients follow. Default: none, torch's own.

    Returns
    -------
    attention, gradient : Tensor [layer, head, query, key]
    scores : Tensor [1, class]
    """
    module = port.module
    with followed(module), by_rules(module, rules), watched(port) as layers:
        # One pass gives the attention of all blocks, one backward pass all gradients.
        logits = _logits(port, tokens)
        label = _label_or_predicted(logits, label)
        logit = logits[0, label]
        gradients = torch.autograd.grad(logit, layers)
    attention = torch.cat([layer.detach() for layer in layers])
    scores = outputs.scores(logits.detach())
    return attention, torch.cat(gradients), scores


def block_gradients(
    port: Port, outputs: Logits, tokens: Tokens, label: int | None
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
    blocks = port.blocks
    gradients = []
    with followed(port.module), attending(port.module):
        with watched(port) as layers, outputs_of(blocks) as given:
            logits = _logits(port, tokens)
        label = _label_or_predicted(logits, label)
        blank = port.blank(tokens.grid)
        for layer, of_block in zip(layers, given, strict=True):
            # Without the blocks, what a block gives goes straight into the model's own head.
            with answering(blocks, of_block):
                logit = port.logits(blank)[0, label]
            (gradient,) = torch.autograd.grad(logit, layer)
            gradients.append(gradient)
    scores = outputs.scores(logits.detach())
    return torch.cat(gradients), scores


def token_gradients(
    port: Port,
    outputs: Logits,
    tokens: Tokens,
    label: int | None,
    *,
    rules: str | Callable | None = None,
) -> tuple[Tensor, Tensor, Tensor]:
    """Return the patch tokens behind the last block's first layer norm, and their gradient.

    The gradient is that of a logit. Parameters are those of `attention_gradients`.

    Returns
    -------
    tokens, gradient : Tensor [node, width]
    scores : Tensor [1, class]
    """
    model = port.module
    norm = _first_norm(port.blocks[-1])
    following = by_rules(model, rules)
    with followed(model), following, attending(model), outputs_of([norm]) as given:
        logits = _logits(port, tokens)
        label = _label_or_predicted(logits, label)
        logit = logits[0, label]
        gradient = torch.autograd.grad(logit, given)[0]
    n_prefix = port.n_prefix
    patch_tokens = given[0].detach()[0, n_prefix:]
    scores = outputs.scores(logits.detach())
    return patch_tokens, gradient[0, n_prefix:], scores


def pixel_gradients(runner: Runner, outputs: Logits, pixels: Tensor, label: int) -> Tensor:
    """Return the gradient of a class's score at pixel values, for each image by itself.

    Parameters
    ----------
    runner : Runner
        Says how many images share a pass.
    outputs : Logits
    pixels : Tensor [image, channel, row, col]
        Pre-processed pixel values.
    label : int

    Returns
    -------
    Tensor [image, channel, row, col]
    """
    port = runner.port
    n_token = port.n_token(pixels.shape[2:])
    n_images = runner.batch_size(port, n_token, "auto")
    gradients = []
    with followed(port.module), attending(port.module):
        for chunk in pixels.split(n_images):
            values = chunk.to(port.device, port.dtype, copy=True).requires_grad_()
            scores = outputs.scores(port.logits(values))
            # No image has a part in another one's score, so the sum's gradient is that of each.
            total = scores[:, label].sum()
            gradients.append(torch.autograd.grad(total, values)[0])
    return torch.cat(gradients)


@contextmanager
def followed(model: nn.Module) -> Iterator[None]:
    """Follow what is computed, for gradients, whatever the caller switched off."""
    if any(weight.is_inference() for weight in model.parameters()):
        raise InputError(
            "the model was made under torch.inference_mode, where nothing has gradients; "
            "make it outside, or under torch.no_grad"
        )
    with torch.inference_mode(False), torch.enable_grad():
        yield


def _logits(port: Port, tokens: Tokens) -> Tensor:
    """Return logits [1, class] of tokens, in the graph of gradients."""
    # A copy, as tensors made without gradients can be in no graph.
    values = tokens.values.clone().requires_grad_()
    return logits_of_tokens(port, Tokens(values, tokens.grid))


def _label_or_predicted(logits: Tensor, label: int | None) -> int:
    return int(logits[0].argmax()) if label is None else label


def _first_norm(block: nn.Module) -> nn.Module:
    for module in block.modules():
        # Libraries have norms of their own, such as RmsNorm.
        if "norm" in type(module).__name__.lower():
            return module
    raise InputError("the last block has no norm, whose tokens Grad-CAM looks at")
