"""Relevance of tokens: what each has a share of in a logit, in one backward pass by rules."""

import warnings
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from itertools import islice

import torch
from torch import Tensor

from multiplex_vit.errors import InputError
from multiplex_vit.models.attention import attention_of_pass, finite, pools_of
from multiplex_vit.models.backward.following import by_rules
from multiplex_vit.models.fast.batches import chunks_of_fixed_size, joined
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

    def forward(first: Tokens) -> tuple[Tensor]:
        return (logits_of_tokens(port, first),)

    shares, logits = _relevance_of_pass(port, tokens, labels, rules, forward)
    return shares, outputs.scores(logits)


def attend_relevance(
    port: Port,
    outputs: Logits,
    tokens: Tokens,
    operators: Iterable[str | Callable],
    labels: Sequence[int | None],
    rules: str | Callable,
) -> tuple[Tensor, Tensor, Tensor]:
    """Return pooled attention, class scores and the relevance of every token, of the same passes.

    It takes a forward and a backward pass an image. Parameters are those of `relevance` and of
    `VisionModel.attend`, and so are attention and scores.

    Returns
    -------
    attention, scores : Tensor
    relevance : Tensor [image, layer, token]
    """
    pools = pools_of(operators)

    def forward(first: Tokens) -> tuple[Tensor, Tensor]:
        return attention_of_pass(port, first, pools)

    passes = []
    of_images = iter(labels)
    for values, count in chunks_of_fixed_size(tokens.values, tokens.shape[1]):
        chunk = Tokens(values, tokens.grid)
        explained = list(islice(of_images, count))
        # Images that fill up a chunk are explained as whatever they are.
        explained += [None] * (len(values) - count)
        shares, attention, logits = _relevance_of_pass(port, chunk, explained, rules, forward)
        passes.append(((attention, logits, shares), count))
    attention, logits, shares = joined(passes)
    return finite(attention, pools), outputs.scores(logits), shares


def _relevance_of_pass(
    port: Port,
    tokens: Tokens,
    labels: Sequence[int | None],
    rules: str | Callable,
    forward: Callable[[Tokens], tuple[Tensor, ...]],
) -> list[Tensor]:
    """Return the relevance [image, layer, token] of a pass, and what the pass itself gave.

    The last thing that the pass gives are the logits.
    """
    module = port.module
    with followed(module), attending(module), by_rules(module, rules):
        # A copy, as tensors made without gradients can be in no graph.
        first = tokens.values.clone().requires_grad_()
        with outputs_of(port.blocks[:-1]) as given:
            results = forward(replace(tokens, values=first))
        inputs = [first, *map(first_of, given)]
        logits = results[-1]
        explained = _explained(logits.detach(), labels)
        # No image has a part in another one's logit, so the sum's gradient is that of each.
        total = logits[torch.arange(len(logits)), explained].sum()
        gradients = _gradients(total, inputs)
    shares = []
    for values, gradient in zip(inputs, gradients, strict=True):
        shares.append((values.detach() * gradient).sum(-1))
    return [torch.stack(shares, dim=1), *(result.detach() for result in results)]


def _gradients(total: Tensor, inputs: Sequence[Tensor]) -> tuple[Tensor, ...]:
    """Return gradients of a number; InputError where an operation has none."""
    with warnings.catch_warnings():
        # Of quantised layers torch says this, and returns gradients that are wrong.
        warnings.filterwarnings("error", message=".*autograd kernel was not registered")
        try:
            return torch.autograd.grad(total, inputs)
        except UserWarning as warning:
            operation = str(warning).split(": ")[0]
            raise InputError(f"{operation} has no gradient; explain by masks alone") from warning


def _explained(logits: Tensor, labels: Sequence[int | None]) -> list[int]:
    """Return the classes [image] that are explained."""
    predicted = logits.argmax(-1).tolist()
    classes = []
    for label, best in zip(labels, predicted, strict=True):
        classes.append(best if label is None else label)
    return classes
