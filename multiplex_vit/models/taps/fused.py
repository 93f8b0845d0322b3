"""torch's scaled_dot_product_attention: where blocks call it, its weights are computed and shown."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention
from torch.overrides import TorchFunctionMode

from multiplex_vit.models.port import Collector
from multiplex_vit.models.swaps import attributes
from multiplex_vit.models.taps.weights import attended, mixed


class _Watch(TorchFunctionMode):
    """Computes attention eagerly, and shows it, while a block runs.

    Heads may attend to tokens too, so attention outside of blocks is left alone.
    """

    def __init__(self, collect: Collector):
        super().__init__()
        self.collect = collect
        self.block: nn.Module | None = None

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        options = kwargs or {}
        if func is not scaled_dot_product_attention or self.block is None:
            return func(*args, **options)
        return self._shown(*args, **options)

    def _shown(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        attn_mask: Tensor | None = None,
        dropout_p: float = 0.0,
        is_causal: bool = False,
        *,
        scale: float | None = None,
        enable_gqa: bool = False,
    ) -> Tensor:
        """Return what scaled_dot_product_attention gives; its parameters are torch's."""
        if enable_gqa:
            repeats = query.shape[1] // key.shape[1]
            key = key.repeat_interleave(repeats, dim=1)
            value = value.repeat_interleave(repeats, dim=1)
        if is_causal:
            n_tokens = query.shape[-2]
            whole = torch.ones(n_tokens, n_tokens, dtype=torch.bool, device=query.device)
            attn_mask = whole.tril()
        weights = attended(query, key, attn_mask, scale)
        assert self.block is not None
        return mixed(self.collect, self.block, weights, value)


@contextmanager
def fused(module: nn.Module, blocks: Sequence[nn.Module], collect: Collector) -> Iterator[None]:
    """Show attention that blocks compute by torch's function; see `port.Tap`.

    timm's modules can compute it by themselves too; they are asked not to.
    """
    watch = _Watch(collect)

    def enter(block: nn.Module, _: Any) -> None:
        watch.block = block

    def leave(_: nn.Module, __: Any, ___: Any) -> None:
        watch.block = None

    with ExitStack() as stack:
        for block in blocks:
            stack.callback(block.register_forward_pre_hook(enter).remove)
            stack.callback(block.register_forward_hook(leave).remove)
            for part in block.modules():
                if getattr(part, "fused_attn", True) is False:
                    stack.enter_context(attributes(part, {"fused_attn": True}))
        stack.enter_context(watch)
        yield
