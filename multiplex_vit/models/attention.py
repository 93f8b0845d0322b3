"""Attention: read off a pass where the blocks compute it, and pooled over heads."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from multiplex_vit.errors import InputError
from multiplex_vit.models.fast.batches import chunks_of_fixed_size, joined
from multiplex_vit.models.logits import Logits
from multiplex_vit.models.operators import OPERATORS
from multiplex_vit.models.passes import logits_of_tokens
from multiplex_vit.models.port import Collector, Port, Tokens
from multiplex_vit.models.running import attending, outputs_of
from multiplex_vit.models.swaps import first_of
from multiplex_vit.models.taps.anywhere import anywhere
from multiplex_vit.registry import name_of

Pool = Callable[[Tensor], Tensor]
"""A head operator: Tensor [image, head, query, key] -> [image, query, key]."""


@torch.no_grad()
def attend(
    port: Port,
    outputs: Logits,
    tokens: Tokens,
    operators: Iterable[str | Callable],
    *,
    prefix: bool = False,
) -> tuple[Tensor, Tensor]:
    """Return pooled attention and class scores; see `VisionModel.attend`."""
    pools = pools_of(operators)
    passes = []
    for values, count in chunks_of_fixed_size(tokens.values, tokens.shape[1]):
        chunk = Tokens(values, tokens.grid)
        passes.append((attention_of_pass(port, chunk, pools, prefix=prefix), count))
    attention, logits = joined(passes)
    return finite(attention, pools), outputs.scores(logits)


@torch.no_grad()
def activations(
    port: Port, outputs: Logits, tokens: Tokens, operators: Iterable[str | Callable]
) -> tuple[Tensor, Tensor, Tensor]:
    """Return what every block makes of the patch tokens, in one forward pass.

    Parameters
    ----------
    port : Port
    outputs : Logits
    tokens : Tokens
        Of one image, from `VisionModel.embed`.
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
    with outputs_of(port.blocks) as given:
        results = attention_of_pass(port, tokens, pools, prefix=True)
    attention, logits = results
    hidden = torch.cat([first_of(of_block) for of_block in given])
    attention = finite(attention, pools)[0]
    return hidden[:, port.n_prefix :], attention, outputs.scores(logits)


def pools_of(operators: Iterable[str | Callable]) -> list[Pool]:
    """Return head operators as functions."""
    return [OPERATORS.resolve(operator) for operator in operators]


def attention_of_pass(
    port: Port,
    tokens: Tokens,
    pools: Sequence[Pool],
    *,
    prefix: bool = False,
    watch: Collector | None = None,
) -> tuple[Tensor, Tensor]:
    """Return the pooled attention and the logits of one pass.

    Parameters
    ----------
    port : Port
    tokens : Tokens
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
    n_dropped = 0 if prefix else port.n_prefix
    n_layers = port.n_layers
    pooled = _Pooled(pools, n_dropped, n_layers, watch)
    with collecting(port, pooled.add):
        logits = logits_of_tokens(port, tokens)
    if pooled.attention is None or pooled.n_blocks != n_layers:
        raise InputError(
            f"{port.name} showed the attention of {pooled.n_blocks} blocks out of {n_layers}; "
            "it computes attention where it is not looked for: give wrap(..., trunk=Trunk(tap=...))"
        )
    return pooled.attention, logits


@contextmanager
def watched(port: Port) -> Iterator[list[Tensor]]:
    """Collect the attention of every head, between all tokens.

    Yields
    ------
    layers : list of Tensor [image, head, query, key]
        One entry a block that has run; part of the graph of gradients where there is one.
    """
    layers: list[Tensor] = []

    def collect(_module: Any, weights: Tensor, _value: Tensor) -> None:
        layers.append(weights)

    with collecting(port, collect):
        yield layers


@contextmanager
def collecting(port: Port, collect: Collector) -> Iterator[None]:
    """Show a collector the attention of every block that runs."""
    tap = port.trunk.tap or anywhere
    with attending(port.module), tap(port.module, port.blocks, collect):
        yield


@torch.no_grad()
def counted_heads(port: Port) -> int:
    """Return how many heads a block has, by a pass of an empty image."""
    counts: list[int] = []

    def count(_module: Any, weights: Tensor, _value: Tensor) -> None:
        counts.append(weights.shape[1])

    with collecting(port, count):
        port.logits(port.blank(port.grid_of(port.trunk.image_size)))
    if not counts:
        raise InputError(f"{port.name} shows no attention; mend its trunk's tap")
    return max(counts)


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
        # Where gradients are followed, what is pooled is no part of their graph.
        weights, value = weights.detach(), value.detach()
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
