"""Swaps: running parts of a model in other ways than their own, and putting them back."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager

from torch import Tensor, nn

_CALL = "_compiled_call_impl"
"""What torch runs in place of a module's forward and hooks, where a module has it; `nn.Module.compile` sets it."""


def is_unchanged(module: nn.Module) -> bool:
    """Tell whether a module runs as its class says, and nobody listens to it."""
    return (
        "forward" not in module.__dict__
        and not module._forward_hooks
        and not module._forward_pre_hooks
    )


@contextmanager
def forwards(swaps: Mapping[nn.Module, Callable[..., Tensor]]) -> Iterator[None]:
    """Give modules other forward functions, and take them away again, whatever happens; their hooks run as ever."""
    with _swapped("forward", swaps):
        yield


@contextmanager
def calls(swaps: Mapping[nn.Module, Callable[..., Tensor]]) -> Iterator[None]:
    """Let functions stand in for modules and for their hooks, which would otherwise change a result that they have changed already."""
    with _swapped(_CALL, swaps):
        yield


@contextmanager
def _swapped(attribute: str, swaps: Mapping[nn.Module, Callable[..., Tensor]]) -> Iterator[None]:
    before = {module: module.__dict__.get(attribute) for module in swaps}
    try:
        for module, function in swaps.items():
            module.__dict__[attribute] = function
        yield
    finally:
        for module, own in before.items():
            module.__dict__.pop(attribute, None)
            if own is not None:
                module.__dict__[attribute] = own


@contextmanager
def skipped(modules: Iterable[nn.Module]) -> Iterator[None]:
    """Let modules hand on what they are given first."""
    with calls(dict.fromkeys(modules, _first)):
        yield


@contextmanager
def fed(embeddings: nn.Module, tokens: Tensor) -> Iterator[None]:
    """Let the embeddings module return these tokens [sequence, token, width] instead of embedding an image."""
    with calls({embeddings: lambda *_, **__: tokens}):
        yield


def _first(given: Tensor, *_: object, **__: object) -> Tensor:
    return given
