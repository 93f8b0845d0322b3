"""Relevance of tokens: what each has a share of in a logit, in one backward pass by rules."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import torch
from torch import Tensor

from multiplex_vit.models.backward.following import by_rules
from multiplex_vit.models.gradients import followed
from multiplex_vit.models.logits import Logits
from multiplex_vit.models.passes import logits_of_tokens
from multiplex_vit.models.port import Port, Tokens
from multiplex_vit.models.running import attending, outputs_of
from multiplex_vit.models.swaps import first_of


def relevance(
    port: Port,
    outputs: Logits,
    tokens: Tokens,
    labels: Sequence[int | None],
    rules: str | Callable,
) -> tuple[Tensor, Tensor]:
    """Return the relevance of every token at the input of every block, and class scores.

    Relevance is input times gradient, summed over the width. It takes a forward and a backward pass
    an image.

    Parameters
    ----------
    port : Port
    outputs : Logits
    tokens : Tokens
        From `VisionModel.embed`.
    labels : sequence of int or None
        Of each image the class whose logit is shared out; None stands for the predicted one.
    rules : str or callable
        A member of `RULES`.

    Returns
    -------
    relevance : Tensor [image, layer, token]
        In logits, prefix tokens included. The first layer is that of the embeddings.
    scores : Tensor [image, class]
    """
    module = port.module
    with followed(module), attending(module), by_rules(module, rules):
        # A copy, as tensors made without gradients can be in no graph.
        first = tokens.values.clone().requires_grad_()
        with outputs_of(port.blocks[:-1]) as given:
            logits = logits_of_tokens(port, replace(tokens, values=first))
        inputs = [first, *map(first_of, given)]
        explained = _explained(logits.detach(), labels)
        # No image has a part in another one's logit, so the sum's gradient is that of each.
        total = logits[torch.arange(len(logits)), explained].sum()
        gradients = torch.autograd.grad(total, inputs)
    shares = []
    for values, gradient in zip(inputs, gradients, strict=True):
        shares.append((values.detach() * gradient).sum(-1))
    return torch.stack(shares, dim=1), outputs.scores(logits.detach())


def _explained(logits: Tensor, labels: Sequence[int | None]) -> list[int]:
    """Return the classes [image] that are explained."""
    predicted = logits.argmax(-1).tolist()
    classes = []
    for label, best in zip(labels, predicted, strict=True):
        classes.append(best if label is None else label)
    return classes
