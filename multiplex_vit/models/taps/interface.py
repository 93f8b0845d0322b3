"""Hugging Face's attention interface: blocks ask it for their attention, under a name."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from torch import Tensor, nn

from multiplex_vit.models.libraries import AttentionInterface, AttentionMaskInterface, sdpa_mask
from multiplex_vit.models.port import Collector
from multiplex_vit.models.running import implementing
from multiplex_vit.models.taps.weights import attended, mixed

POOLED = "multiplex_vit_pooled"
"""Name of this package's attention function in transformers' attention interface."""

_collector: ContextVar[Collector | None] = ContextVar("collector", default=None)


def _nobody(_module: nn.Module, _weights: Tensor, _value: Tensor) -> None:
    """Look at nothing, where a user chose this attention by its name."""


def _collected_attention(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    scaling: float | None = None,
    **_: Any,
) -> tuple[Tensor, None]:
    """Compute one block's attention as transformers' eager function does, and show it."""
    weights = attended(query, key, attention_mask, scaling)
    output = mixed(_collector.get() or _nobody, module, weights, value)
    return output.transpose(1, 2).contiguous(), None


AttentionInterface.register(POOLED, _collected_attention)
AttentionMaskInterface.register(POOLED, sdpa_mask)


@contextmanager
def interface(module: nn.Module, blocks: Sequence[nn.Module], collect: Collector) -> Iterator[None]:
    """Show the attention of a module of transformers; see `multiplex_vit.models.port.Tap`."""
    token = _collector.set(collect)
    try:
        with implementing(module, POOLED):
            yield
    finally:
        _collector.reset(token)
