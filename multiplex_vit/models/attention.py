"""Attention: read off a pass through transformers' attention interface, pooled over heads."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from multiplex_vit.errors import InputError
from multiplex_vit.models.backbone import Backbone
from multiplex_vit.models.fast.batches import chunks_of_fixed_size, joined
from multiplex_vit.models.heads import Head
from multiplex_vit.models.libraries import AttentionInterface, AttentionMaskInterface, sdpa_mask
from multiplex_vit.models.operators import OPERATORS
from multiplex_vit.models.running import attending, outputs_of
from multiplex_vit.models.swaps import fed
from multiplex_vit.registry import name_of

POOLED = "multiplex_vit_pooled"
"""Name of this package's attention function in transformers' attention interface."""

Pool = Callable[[Tensor], Tensor]
"""A head operator: Tensor [image, head, query, key] -> [image, query, key]."""

Collector = Callable[[Any, Tensor, Tensor], None]
"""What is shown each block's attention module, weights and values, when the block runs."""

_collector: ContextVar[Collector | None] = ContextVar("collector", default=None)


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
    if scaling is None:
        scaling = query.shape[-1] ** -0.5
    scores = torch.matmul(query, key.transpose(2, 3)) * scaling
    # Half precision is raised to float32, while float64 stays.
    dtype = torch.promote_types(scores.dtype, torch.float32)
    weights = scores.softmax(-1, dtype=dtype)
    collect = _collector.get()
    if collect is not None:
        collect(module, weights, value)
    output = torch.matmul(weights.to(value.dtype), value)
    return output.transpose(1, 2).contiguous(), None


AttentionInterface.register(POOLED, _collected_attention)
AttentionMaskInterface.register(POOLED, sdpa_mask)


@torch.no_grad()
def attend(
    backbone: Backbone,
    head: Head,
    tokens: Tensor,
    operators: Iterable[str | Callable],
    *,
    prefix: bool = False,
) -> tuple[Tensor, Tensor]:
    """Return pooled attention and class scores; see `VisionModel.attend`."""
    pools = pools_of(operators)
    passes = []
    for chunk, count in chunks_of_fixed_size(tokens, tokens.shape[1]):
        passes.append((attention_of_pass(backbone, chunk, pools, prefix=prefix), count))
    attention, logits = joined(passes)
    return finite(attention, pools), head.scores(logits)


@torch.no_grad()
def activations(
    backbone: Backbone, head: Head, tokens: Tensor, operators: Iterable[str | Callable]
) -> tuple[Tensor, Tensor, Tensor]:
    """Return what every block makes of the patch tokens, in one forward pass.

    Parameters
    ----------
    backbone : Backbone
    head : Head
    tokens : Tensor [1, token, width]
        From `VisionModel.embed`.
    operators : iterable of str or callable
        Head operators.

    Returns
    -------
    activations : Tensor [layer, node, width]
        Each block's output.
    attention : Tensor [operator, layer, query, key]
        float32, prefix tokens included.
    scores : Tensor [1, class]
        float32.
    """
    pools = pools_of(operators)
    with outputs_of(backbone.blocks) as outputs:
        results = attention_of_pass(backbone, tokens, pools, prefix=True)
    attention, logits = results
    patch_tokens = torch.cat(outputs)[:, backbone.n_prefix :]
    attention = finite(attention, pools)[0]
    return patch_tokens, attention, head.scores(logits)


def pools_of(operators: Iterable[str | Callable]) -> list[Pool]:
    """Return head operators as functions."""
    return [OPERATORS.resolve(operator) for operator in operators]


def attention_of_pass(
    backbone: Backbone,
    tokens: Tensor,
    pools: Sequence[Pool],
    *,
    prefix: bool = False,
    watch: Collector | None = None,
) -> tuple[Tensor, Tensor]:
    """Return the pooled attention and the logits of one pass.

    Parameters
    ----------
    backbone : Backbone
    tokens : Tensor [image, token, width]
    pools : sequence of callable
    prefix : bool
        Keep the prefix tokens. Default: False.
    watch : callable, optional
        Is shown each block's attention module, weights and values.

    Returns
    -------
    attention : Tensor [image, operator, layer, source, target]
        float32, or float64 of a model in float64.
    logits : Tensor [image, class]
    """
    n_dropped = 0 if prefix else backbone.n_prefix
    n_layers = backbone.n_layers
    pooled = _Pooled(pools, n_dropped, n_layers, watch)
    feeding = fed(backbone.embeddings, tokens)
    with _collecting(backbone, pooled.add), feeding:
        # The embeddings are replaced, so the model may be given anything in place of an image.
        logits = backbone.module(pixel_values=tokens).logits
    if pooled.attention is None or pooled.n_blocks != n_layers:
        raise InputError(
            f"{backbone.name} showed the attention of {pooled.n_blocks} blocks out of {n_layers}; "
            "it does not use transformers' attention interface"
        )
    return pooled.attention, logits


@contextmanager
def watched(backbone: Backbone) -> Iterator[list[Tensor]]:
    """Collect the attention of every head, between all tokens.

    Yields
    ------
    layers : list of Tensor [image, head, query, key]
        One entry a block that has run; part of the graph of gradients where there is one.
    """
    layers: list[Tensor] = []

    def collect(_module: Any, weights: Tensor, _value: Tensor) -> None:
        layers.append(weights)

    with _collecting(backbone, collect):
        yield layers


@contextmanager
def _collecting(backbone: Backbone, collect: Collector) -> Iterator[None]:
    token = _collector.set(collect)
    try:
        with attending(backbone.module, POOLED):
            yield
    finally:
        _collector.reset(token)


@dataclass
class _Pooled:
    """Attention pooled over heads, filled block by block.

    No other attention of a block outlives the block, as that of all heads would fill the memory.
    """

    pools: Sequence[Pool]
    n_dropped: int
    n_layers: int
    watch: Collector | None
    attention: Tensor | None = None
    n_blocks: int = 0

    def add(self, module: Any, weights: Tensor, value: Tensor) -> None:
        """Pool a block's attention [image, head, query, key]."""
        if self.attention is None:
            # Only the first block tells how many images and tokens there are.
            n_nodes = weights.shape[-1] - self.n_dropped
            shape = (len(weights), len(self.pools), self.n_layers, n_nodes, n_nodes)
            self.attention = weights.new_empty(shape)
        # A model that runs more attention than it has blocks is refused at the end.
        if self.n_blocks < self.n_layers:
            for place, pool in enumerate(self.pools):
                pooled = _checked(pool(weights), pool, weights)
                nodes = pooled[:, self.n_dropped :, self.n_dropped :]
                self.attention[:, place, self.n_blocks] = nodes
            if self.watch is not None:
                self.watch(module, weights, value)
        self.n_blocks += 1


def _checked(pooled: Tensor, pool: Pool, weights: Tensor) -> Tensor:
    expected = [len(weights), *weights.shape[2:]]
    if not isinstance(pooled, Tensor):
        raise InputError(_unfit(pool, type(pooled).__name__, expected))
    if list(pooled.shape) != expected:
        raise InputError(_unfit(pool, list(pooled.shape), expected))
    return pooled


def finite(attention: Tensor, pools: Sequence[Pool]) -> Tensor:
    """Return pooled attention [image, operator, layer, source, target] after checking its values.

    All blocks are checked at once, since a GPU waits for every check.

    Raises
    ------
    InputError
        If an operator gave NaN or infinity.
    """
    is_finite = attention.isfinite().flatten(2).all(-1).all(0)
    if not is_finite.all():
        pool = pools[is_finite.tolist().index(False)]
        raise InputError(_unfit(pool, "NaN or infinity", ["image", *attention.shape[3:]]))
    return attention


def _unfit(pool: Pool, result: Any, expected: list[Any]) -> str:
    return (
        f"head operator {name_of(pool)} returned {result}; "
        f"expected a finite tensor {expected} [image, query, key]"
    )
