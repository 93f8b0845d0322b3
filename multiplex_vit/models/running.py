"""Running a model in another way than its own, and leaving it as it was before."""

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from torch import nn

from multiplex_vit.errors import InputError
from multiplex_vit.models.libraries import PreTrainedModel
from multiplex_vit.models.swaps import attributes
from multiplex_vit.models.unwrap import as_itself


@contextmanager
def attending(model: nn.Module, implementation: str = "sdpa") -> Iterator[None]:
    """Run a model in evaluation mode, with another attention implementation, and without wrappers.

    What was changed is put back at the end, also after an exception.

    Parameters
    ----------
    model : nn.Module
    implementation : str
        A name in transformers' attention interface, for the parts that use it. Default: "sdpa".
    """
    with ExitStack() as stack:
        stack.enter_context(as_itself(model))
        stack.enter_context(_evaluating(model))
        stack.enter_context(implementing(model, implementation))
        for part in model.modules():
            if getattr(part, "grad_checkpointing", False):
                # timm runs blocks twice for it, also in evaluation mode.
                stack.enter_context(attributes(part, {"grad_checkpointing": False}))
        yield


@contextmanager
def _evaluating(model: nn.Module) -> Iterator[None]:
    # Module by module: some parts may be in evaluation mode while others train.
    training = [module for module in model.modules() if module.training]
    try:
        for module in training:
            module.training = False
        yield
    finally:
        for module in training:
            module.training = True


@contextmanager
def implementing(model: nn.Module, implementation: str) -> Iterator[None]:
    """Let the parts of a model that come from transformers use an attention implementation."""
    # Parts of a model may share a configuration, or have one of their own.
    configs = {}
    for module in model.modules():
        if isinstance(module, PreTrainedModel):
            configs[id(module.config)] = module.config
    before = [(config, config._attn_implementation) for config in configs.values()]
    try:
        for config in configs.values():
            config._attn_implementation = implementation
        yield
    finally:
        for config, implementation_before in before:
            config._attn_implementation = implementation_before


@contextmanager
def in_one_line(name: str, what: str, part: str) -> Iterator[None]:
    """Say in one line what a model cannot run, and which part of its port to mend."""
    try:
        yield
    except InputError:
        raise
    except (RuntimeError, ValueError, TypeError, AssertionError, AttributeError) as error:
        reason = " ".join(str(error).split())[:200]
        raise InputError(f"{name} cannot run {what} ({reason}); mend its {part}") from error


@contextmanager
def outputs_of(modules: Iterable[nn.Module]) -> Iterator[list[Any]]:
    """Collect what modules give, in the order in which they run.

    Yields
    ------
    outputs : list of Tensor [image, token, width], or of tuple of one
        One entry a module that has run; part of the graph of gradients where there is one.
    """
    outputs: list[Any] = []

    def collect(_module: nn.Module, _args: object, output: Any) -> None:
        outputs.append(output)

    hooks = [module.register_forward_hook(collect) for module in modules]
    try:
        yield outputs
    finally:
        for hook in hooks:
            hook.remove()


@contextmanager
def inputs_of(modules: Iterable[nn.Module]) -> Iterator[dict[nn.Module, Any]]:
    """Keep what modules are called with: the first argument of their last call.

    Yields
    ------
    inputs : dict of nn.Module to Tensor
        One entry a module that has run; part of the graph of gradients where there is one.
    """
    inputs: dict[nn.Module, Any] = {}

    def keep(module: nn.Module, args: tuple[Any, ...], options: dict[str, Any]) -> None:
        # A module may be given its input by name.
        for given in (*args, *options.values()):
            inputs[module] = given
            break

    hooks = [module.register_forward_pre_hook(keep, with_kwargs=True) for module in modules]
    try:
        yield inputs
    finally:
        for hook in hooks:
            hook.remove()
