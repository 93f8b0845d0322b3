"""Running a Hugging Face model in other ways than its own, and leaving it as it was found."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import torch
from torch import Tensor, nn
from transformers import AttentionInterface, AttentionMaskInterface, PreTrainedModel
from transformers.masking_utils import sdpa_mask

POOLED = "multiplex_vit_pooled"
"""Name of this package's attention function in transformers' attention interface."""

Pool = Callable[[Tensor], Tensor]
_collect: ContextVar[Callable[[Tensor], None] | None] = ContextVar("collect", default=None)


def _pooled_attention(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    scaling: float | None = None,
    **_: Any,
) -> tuple[Tensor, None]:
    """Compute one block's attention as transformers' eager function does, and hand it to the collector of `collected`."""
    scores = torch.matmul(query, key.transpose(2, 3)) * (query.shape[-1] ** -0.5 if scaling is None else scaling)
    weights = scores.softmax(-1, dtype=torch.float32)
    collect = _collect.get()
    if collect is not None:
        collect(weights)
    output = torch.matmul(weights.to(value.dtype), value)
    return output.transpose(1, 2).contiguous(), None


AttentionInterface.register(POOLED, _pooled_attention)
AttentionMaskInterface.register(POOLED, sdpa_mask)


@contextmanager
def collected(model: PreTrainedModel, operators: Sequence[Pool], n_prefix: int) -> Iterator[list[Tensor]]:
    """Collect attention between patch tokens, pooled over heads inside each block.

    Yields
    ------
    layers : list of Tensor [image, operator, source, target]
        One entry a block that has run, float32. No other attention of a block outlives the block.
    """
    layers: list[Tensor] = []

    def collect(weights: Tensor) -> None:
        layers.append(torch.stack([pool(weights)[:, n_prefix:, n_prefix:] for pool in operators], 1))

    token = _collect.set(collect)
    try:
        with attending(model, POOLED):
            yield layers
    finally:
        _collect.reset(token)


@contextmanager
def attending(model: PreTrainedModel, implementation: str) -> Iterator[None]:
    """Run the model in evaluation mode with another attention implementation; both are put back, whatever happens."""
    configs = {id(m.config): m.config for m in model.modules() if isinstance(m, PreTrainedModel)}.values()
    before = [(config, config._attn_implementation) for config in configs]
    training = [m for m in model.modules() if m.training]
    try:
        for config in configs:
            config._attn_implementation = implementation
        for module in training:
            module.training = False
        yield
    finally:
        for config, own in before:
            config._attn_implementation = own
        for module in training:
            module.training = True


@contextmanager
def fed(embeddings: nn.Module, tokens: Tensor) -> Iterator[None]:
    """Let the embeddings module return these tokens [sequence, token, width] instead of embedding an image."""
    own = embeddings.__dict__.get("forward")
    embeddings.forward = lambda *_, **__: tokens
    try:
        yield
    finally:
        del embeddings.forward
        if own is not None:
            embeddings.forward = own
