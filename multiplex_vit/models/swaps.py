"""Swaps: running parts of a model in other ways than their own, and putting them back."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from torch import Tensor, nn

_CALL = "_compiled_call_impl"
"""What torch runs in place of a module's forward and hooks, where a module has it.

`nn.Module.compile` sets it.
"""

StandIns = Mapping[nn.Module, Callable[..., Any]]
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
def attributes(part: Any, values: Mapping[str, Any]) -> Iterator[None]:
    """Give a part of a model other attributes for a while."""
    # In the instance, where Python looks first; the class's own stay as they are.
    before = {name: part.__dict__[name] for name in values if name in part.__dict__}
    try:
        part.__dict__.update(values)
        yield
    finally:
        for name in values:
            part.__dict__.pop(name, None)
        part.__dict__.update(before)


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


def first_of(given: Any) -> Any:
    """Return the tokens out of what a block gives, which may hand on more than tokens.

    Examples
    --------
    >>> first_of(("tokens", "attention")), first_of("tokens")
    ('tokens', 'tokens')
    """
    return given[0] if isinstance(given, tuple) else given


def with_first(given: Any, tokens: Tensor) -> Any:
    """Return what a block gives, with other tokens in it."""
    return (tokens, *given[1:]) if isinstance(given, tuple) else tokens


@contextmanager
def answering(blocks: list[nn.Module], given: Any) -> Iterator[None]:
    """Let blocks, whatever enters them, give this; what follows reads it as the last one's."""

    def answer(*_: object, **__: object) -> Any:
        return given

    with calls(dict.fromkeys(blocks, answer)):
        yield


@contextmanager
def entering(block: nn.Module, tokens: Tensor) -> Iterator[None]:
    """Let tokens [sequence, token, width] enter a block in place of what the model made.

    Hooks of the user's have run before, and those that are the user's own run on what is replaced.
    """

    def replace(_: nn.Module, args: tuple[Any, ...], options: dict[str, Any]) -> Any:
        if args:
            return (tokens, *args[1:]), options
        # A block may be given its tokens by name, which then comes first.
        name = next(iter(options))
        return args, {**options, name: tokens}

    hook = block.register_forward_pre_hook(replace, with_kwargs=True)
    try:
        yield
    finally:
        hook.remove()


@contextmanager
def leaving(block: nn.Module, tokens: Tensor) -> Iterator[None]:
    """Let tokens [sequence, token, width] leave a block in place of what it gives."""

    def replace(_: nn.Module, __: Any, given: Any) -> Any:
        return with_first(given, tokens)

    hook = block.register_forward_hook(replace)
    try:
        yield
    finally:
        hook.remove()


class _ReachedError(Exception):
    """Ends a pass at the first block."""


def tokens_entering(block: nn.Module, run: Callable[[], Any]) -> Tensor | None:
    """Return the tokens that enter a block when a pass is run, which ends there.

    Returns
    -------
    Tensor or None
        None if the pass does not reach the block.
    """
    tokens: list[Tensor] = []

    def catch(_: nn.Module, args: tuple[Any, ...], options: dict[str, Any]) -> None:
        tokens.append(args[0] if args else next(iter(options.values())))
        raise _ReachedError

    hook = block.register_forward_pre_hook(catch, with_kwargs=True)
    try:
        run()
    except _ReachedError:
        return tokens[0]
    finally:
        hook.remove()
    return None
