"""Wherever torch computes attention in a block: for modules of which nothing more is known."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from torch import nn

from multiplex_vit.models.port import Collector
from multiplex_vit.models.taps.fused import fused
from multiplex_vit.models.taps.multihead import multihead


@contextmanager
def anywhere(module: nn.Module, blocks: Sequence[nn.Module], collect: Collector) -> Iterator[None]:
    """Show attention of nn.MultiheadAttention and of scaled_dot_product_attention."""
    with multihead(module, blocks, collect), fused(module, blocks, collect):
        yield
