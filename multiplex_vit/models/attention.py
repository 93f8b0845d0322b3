"""Running a Hugging Face model in other ways than its own, and leaving it as it was found."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from multiplex_vit.errors import InputError
from multiplex_vit.models.libraries import (
    AttentionInterface,
    AttentionMaskInterface,
    PreTrainedModel,
    sdpa_mask,
)
from multiplex_vit.models.unwrap import as_itself
from multiplex_vit.registry import name_of

POOLED = "multiplex_vit_pooled"
"""Name of this package's attention function in transformers' attention interface."""

Pool = Callable[[Tensor], Tensor]
_collect: ContextVar[Callable[[Any, Tensor, Tensor], None] | None] = ContextVar(
    "collect", default=None
)


def _pooled_attention(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    scaling: float | None = None,
    **_: Any,
) -> tuple[Tensor, None]:
    """Compute one block's attention as transformers' eager function does, and hand it to the collector of `collected` with the values that it brings."""
    scores = torch.matmul(query, key.transpose(2, 3)) * (
        query.shape[-1] ** -0.5 if scaling is None else scaling
    )
    weights = scores.softmax(
        -1, dtype=torch.promote_types(scores.dtype, torch.float32)
    )  # float64 stays
    collect = _collect.get()
    if collect is not None:
        collect(module, weights, value)
    output = torch.matmul(weights.to(value.dtype), value)
    return output.transpose(1, 2).contiguous(), None


AttentionInterface.register(POOLED, _pooled_attention)
AttentionMaskInterface.register(POOLED, sdpa_mask)


@dataclass
class Collected:
    """Attention pooled over heads, of the blocks that have run.

    Attributes
    ----------
    attention : Tensor [image, operator, layer, source, target]
        float32, or float64 of a model in float64; made when the first block runs. No other attention of a block outlives the block.
    count : int
        Blocks that have run.
    """

    attention: Tensor | None = None
    count: int = 0


@contextmanager
def collected(
    model: PreTrainedModel,
    operators: Sequence[Pool],
    n_dropped: int,
    n_layers: int,
    *,
    also: Callable[[Any, Tensor, Tensor], None] | None = None,
) -> Iterator[Collected]:
    """Collect attention between all tokens but the first `n_dropped`, pooled over heads inside each block; `also` is shown all of it, and the values."""
    found = Collected()

    def collect(module: Any, weights: Tensor, value: Tensor) -> None:
        if found.attention is None:
            n_node = weights.shape[-1] - n_dropped
            found.attention = weights.new_empty(
                (len(weights), len(operators), n_layers, n_node, n_node)
            )
        for i, pool in enumerate(operators if found.count < n_layers else ()):
            found.attention[:, i, found.count] = _checked(pool(weights), pool, weights)[
                :, n_dropped:, n_dropped:
            ]
        if also is not None and found.count < n_layers:
            also(module, weights, value)
        found.count += 1

    token = _collect.set(collect)
    try:
        with attending(model, POOLED):
            yield found
    finally:
        _collect.reset(token)


def _checked(pooled: Tensor, pool: Pool, weights: Tensor) -> Tensor:
    wanted = (len(weights), *weights.shape[2:])
    if not isinstance(pooled, Tensor) or pooled.shape != wanted:
        raise InputError(
            _unfit(
                pool,
                list(pooled.shape) if isinstance(pooled, Tensor) else type(pooled).__name__,
                list(wanted),
            )
        )
    return pooled


def finite(attention: Tensor, operators: Sequence[Pool]) -> Tensor:
    """Return pooled attention [image, operator, layer, source, target] after making sure that it is finite; one look for all blocks, as a GPU waits for it."""
    sound = attention.isfinite().flatten(2).all(-1).all(0)
    if not sound.all():
        bad = operators[sound.tolist().index(False)]
        raise InputError(_unfit(bad, "NaN or infinity", ["image", *attention.shape[3:]]))
    return attention


def _unfit(pool: Pool, found: Any, wanted: list[Any]) -> str:
    return f"head operator {name_of(pool)} returned {found} where a finite tensor {wanted} [image, query, key] was wanted"


@contextmanager
def watched(model: PreTrainedModel) -> Iterator[list[Tensor]]:
    """Collect the attention of every head, between all tokens, in the graph of gradients where there is one.

    Yields
    ------
    layers : list of Tensor [image, head, query, key]
        One entry a block that has run.
    """
    layers: list[Tensor] = []
    token = _collect.set(lambda _module, weights, _value: layers.append(weights))
    try:
        with attending(model, POOLED):
            yield layers
    finally:
        _collect.reset(token)


@contextmanager
def outputs_of(modules: Iterable[nn.Module]) -> Iterator[list[Tensor]]:
    """Collect what modules give [image, token, width], in the order in which they run, in the graph of gradients where there is one."""
    outputs: list[Tensor] = []
    hooks = [
        module.register_forward_hook(lambda _module, _args, output: outputs.append(output))
        for module in modules
    ]
    try:
        yield outputs
    finally:
        for hook in hooks:
            hook.remove()


def blocks_of(model: PreTrainedModel, n_layers: int) -> nn.ModuleList:
    """Return the transformer blocks, in order."""
    return next(m for m in model.modules() if isinstance(m, nn.ModuleList) and len(m) == n_layers)


@contextmanager
def attending(model: PreTrainedModel, implementation: str) -> Iterator[None]:
    """Run the model itself (see `as_itself`), in evaluation mode, with another attention implementation.

    All of it is put back, whatever happens.
    """
    with as_itself(model), _evaluating(model), _implementing(model, implementation):
        yield


@contextmanager
def _evaluating(model: PreTrainedModel) -> Iterator[None]:
    training = [module for module in model.modules() if module.training]
    try:
        for module in training:
            module.training = False
        yield
    finally:
        for module in training:
            module.training = True


@contextmanager
def _implementing(model: PreTrainedModel, implementation: str) -> Iterator[None]:
    configs = {
        id(m.config): m.config for m in model.modules() if isinstance(m, PreTrainedModel)
    }.values()
    before = [(config, config._attn_implementation) for config in configs]
    try:
        for config in configs:
            config._attn_implementation = implementation
        yield
    finally:
        for config, own in before:
            config._attn_implementation = own
