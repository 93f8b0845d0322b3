"""Swaps: running parts of a model in other ways than their own, and putting them back."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager

from torch import Tensor, nn

_CALL = "_compiled_call_impl"
"""What torch runs in place of a module's forward and hooks, where a module has it.

`nn.Module.compile` sets it.
"""

StandIns = Mapping[nn.Module, Callable[..., Tensor]]
"""Functions by the module that they stand in for."""


def is_unchanged(module: nn.Module) -> bool:
    """Tell whether a module runs as its class says, and has no hooks."""
    if "forward" in module.__dict__:
        return False
    return not module._forward_hooks and not module._forward_pre_hooks


@contextmanager
def forwards(stand_ins: StandIns) -> Iterator[None]:
    """Give modules other forward functions; their hooks run as ever.

    The functions are taken away again, also after an exception.
    """
    with _swapped("forward", stand_ins):
        yield


@contextmanager
def calls(stand_ins: StandIns) -> Iterator[None]:
    """Let functions stand in for modules and for their hooks.

    It is for results that the hooks have changed already, and must not change again.
    """
    with _swapped(_CALL, stand_ins):
        yield


@contextmanager
def _swapped(attribute: str, stand_ins: StandIns) -> Iterator[None]:
    # In the instance, where torch looks first; the class's own functions stay as they are.
    before = {module: module.__dict__.get(attribute) for module in stand_ins}
    try:
        for module, function in stand_ins.items():
            module.__dict__[attribute] = function
        yield
    finally:
        for module, function_before in before.items():
            module.__dict__.pop(attribute, None)
            if function_before is not None:
                module.__dict__[attribute] = function_before


@contextmanager
def skipped(modules: Iterable[nn.Module]) -> Iterator[None]:
    """Let modules hand on what they are given first."""

    def hand_on(values: Tensor, *_: object, **__: object) -> Tensor:
        return values

    with calls(dict.fromkeys(modules, hand_on)):
        yield


@contextmanager
def fed(embeddings: nn.Module, tokens: Tensor) -> Iterator[None]:
    """Let an embeddings module return tokens [sequence, token, width] for whatever image."""

    def return_tokens(*_: object, **__: object) -> Tensor:
        return tokens

    with calls({embeddings: return_tokens}):
        yield
