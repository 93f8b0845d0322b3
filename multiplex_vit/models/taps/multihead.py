"""torch's nn.MultiheadAttention: recomputed, as the weights that it returns are off the graph."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import linear

from multiplex_vit.models.port import Collector
from multiplex_vit.models.swaps import forwards
from multiplex_vit.models.taps.weights import attended, mixed


@contextmanager
def multihead(module: nn.Module, blocks: Sequence[nn.Module], collect: Collector) -> Iterator[None]:
    """Show the attention of the nn.MultiheadAttention of blocks; see `port.Tap`."""
    stand_ins: dict[nn.Module, Callable[..., Any]] = {}
    for block in blocks:
        for part in block.modules():
            if type(part) is nn.MultiheadAttention:
                stand_ins[part] = partial(_shown, part, collect)
    mha = torch.backends.mha
    is_fast = mha.get_fastpath_enabled()
    try:
        # On its fast path torch computes a whole block at once, and asks no part of it.
        mha.set_fastpath_enabled(False)
        with forwards(stand_ins):
            yield
    finally:
        mha.set_fastpath_enabled(is_fast)


def _shown(
    part: nn.MultiheadAttention,
    collect: Collector,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    key_padding_mask: Tensor | None = None,
    need_weights: bool = True,
    attn_mask: Tensor | None = None,
    **_: Any,
) -> tuple[Tensor, None]:
    """Return what nn.MultiheadAttention gives for self-attention, after showing its weights."""
    if not part.batch_first:
        query, key, value = (values.transpose(0, 1) for values in (query, key, value))
    weight, bias = part.in_proj_weight, part.in_proj_bias
    biases = [None] * 3 if bias is None else bias.chunk(3)
    projected = []
    for values, matrix, offset in zip((query, key, value), weight.chunk(3), biases, strict=True):
        heads = linear(values, matrix, offset).unflatten(-1, (part.num_heads, -1))
        projected.append(heads.transpose(1, 2))
    queries, keys, of_values = projected
    if attn_mask is not None and attn_mask.dtype == torch.bool:
        # Here True leaves a key out, and not False as elsewhere.
        attn_mask = ~attn_mask
    weights = attended(queries, keys, attn_mask)
    brought = mixed(collect, part, weights, of_values)
    output = part.out_proj(brought.transpose(1, 2).flatten(2))
    return output if part.batch_first else output.transpose(0, 1), None
