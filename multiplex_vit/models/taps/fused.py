"""torch's scaled_dot_product_attention: where blocks call it, its weights are computed and shown."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

from torch import nn
from torch.nn.functional import scaled_dot_product_attention
from torch.overrides import TorchFunctionMode

from multiplex_vit.models.port import Collector
from multiplex_vit.models.swaps import attributes
from multiplex_vit.models.taps.weights import attended_by_torch, mixed


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
        weights, value = attended_by_torch(*args, **options)
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
