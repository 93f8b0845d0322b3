"""Unwrapping: the Vision Transformer inside what training and serving put around it."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from copy import copy, deepcopy
from functools import partial
from typing import Any

import torch
from torch import nn

from multiplex_vit.errors import InputError
from multiplex_vit.models.swaps import forwards
from multiplex_vit.models.tensors import refuse_meta

_ACCELERATED = "_original_forward"
"""Where accelerate keeps a model's forward function when it wraps that in autocast."""


_COMPILED = "_orig_mod"
"""Where torch.compile, and accelerate, keep the module that was compiled."""


def unwrapped(model: object) -> Any:
    """Return the module inside torch.compile, (Distributed)DataParallel and PEFT.

    It is the user's own, not a copy. Adapters that PEFT has put into the module stay in it, and
    take part.

    Raises
    ------
    InputError
        If it is no module, if its weights are not all here, or if an unknown wrapper is around it.
        The message names the call to make.

    Examples
    --------
    >>> import multiplex_vit as mv
    >>> module = mv.load("demo-vit", device="cpu").model
    >>> unwrapped(nn.DataParallel(module)) is module
    True
    """
    if not isinstance(model, nn.Module):
        raise InputError(_no_module(model))
    module: nn.Module = model
    # Wrappers may lie in each other.
    inner = _inside(module)
    while inner is not None:
        module = inner
        inner = _inside(module)
    _refuse_scattered_weights(module)
    return module


def _no_module(model: object) -> str:
    """Return what to give in place of what is no module."""
    kind = type(model).__name__
    if kind == "VisionModel":
        return "the model is a VisionModel already; use it as it is"
    if isinstance(getattr(model, "model", None), nn.Module):
        give = "VisionModel(model.model, processor)"
        return f"the model is {kind}, which holds one; give {give}"
    if isinstance(model, str):
        give = f"multiplex_vit.load({model!r})"
        return f"the model is the text {model!r}; give {give}"
    give = "a transformers image classifier, or use multiplex_vit.load"
    return f"the model is {kind}; give {give}"


def _inside(model: nn.Module) -> Any:
    """Return what a known wrapper holds, None where a module is no wrapper."""
    kinds = _kinds(model)
    if _COMPILED in model._modules:
        return model._modules[_COMPILED]
    if _COMPILED in model.__dict__:
        # accelerate compiles block by block, and keeps the module as a plain attribute.
        return model.__dict__[_COMPILED]
    if isinstance(model, (nn.DataParallel, nn.parallel.DistributedDataParallel)):
        return model.module
    if "PeftModel" in kinds:
        return _without_peft(model)
    # A tuner of PEFT without its PeftModel.
    return model.model if "BaseTuner" in kinds else None


def _without_peft(peft_model: Any) -> nn.Module:
    config = peft_model.active_peft_config
    if config.is_prompt_learning:
        raise InputError(
            f"PEFT's {config.peft_type.value} adds prompts to a model's input, not layers to the "
            "model; explain one with LoRA or the like"
        )
    # The adapters lie in its layers, and stay there.
    return peft_model.get_base_model()


def _refuse_scattered_weights(model: nn.Module) -> None:
    """Refuse a model whose weights lie in several processes, or are fetched when they are used."""
    weights, parts = list(model.parameters()), list(model.modules())
    kinds = {type(weight).__name__ for weight in weights}
    for part in parts:
        kinds |= _kinds(part)
    if "DTensor" in kinds or "FullyShardedDataParallel" in kinds:
        raise InputError(
            "the weights are split over processes (FSDP, DTensor); gather them into one module, "
            "and give that"
        )
    # Its hooks bring weights from the meta device when they are used.
    has_hooks = any("_hf_hook" in part.__dict__ for part in parts)
    if has_hooks and any(weight.is_meta for weight in weights):
        raise InputError(
            "accelerate keeps weights off the device; load the model onto one device (without "
            "device_map), and give that"
        )
    refuse_meta(model)


def _kinds(model: nn.Module) -> set[str]:
    """Return the names of a module's class and of those that it is derived from.

    Names, so that no library needs to be installed to tell its classes.
    """
    return {kind.__name__ for kind in type(model).__mro__}


@contextmanager
def as_itself(model: nn.Module) -> Iterator[None]:
    """Run a model without accelerate's autocast and without compiling.

    Attention is collected in Python, which compiled code would leave out or be compiled anew for.
    Both are put back at the end, also after an exception.
    """
    with ExitStack() as stack:
        forward = _forward_before_accelerate(model)
        if forward is not None:
            stack.enter_context(forwards({model: forward}))
        if any(map(_is_compiled, model.modules())):
            stack.enter_context(torch.compiler.set_stance("force_eager"))
        yield


def _forward_before_accelerate(model: nn.Module) -> Callable[..., Any] | None:
    """Return a model's forward as it was before accelerate wrapped it; None where it did not."""
    if _ACCELERATED not in model.__dict__:
        return None
    wrapped = model.__dict__[_ACCELERATED]
    # It may have been wrapped several times; the innermost is the class's own.
    inner = wrapped
    while inner is not None:
        if getattr(inner, "__func__", inner) is type(model).forward:
            return type(model).forward.__get__(model)
        inner = getattr(inner, "__wrapped__", None)
    return wrapped


def _is_compiled(module: nn.Module) -> bool:
    return module._compiled_call_impl is not None or _COMPILED in module._modules


def bare(model: nn.Module) -> nn.Module:
    """Return a model that accelerate does not wrap, and that shares all of a model's parts.

    It is the model itself where accelerate did not wrap it.
    """
    forward = _forward_before_accelerate(model)
    if forward is None:
        return model
    # A shallow copy, whose attributes can be taken away without changing the model.
    twin = copy(model)
    twin.__dict__.pop(_ACCELERATED)
    twin.__dict__.pop("forward", None)
    if getattr(forward, "__func__", forward) is not type(model).forward:
        twin.__dict__["forward"] = forward
    return twin


def duplicate(model: nn.Module) -> nn.Module:
    """Return a copy of a model that shares nothing with it.

    Raises
    ------
    InputError
        If a module's forward function was replaced by one that is bound to nothing: the copy
        would run the original's.
    """
    # deepcopy leaves functions as they are, with the modules that they are bound to.
    plain = bare(model)
    for name, module in plain.named_modules():
        forward = module.__dict__.get("forward")
        if forward is not None and not _is_copied_with(forward, module):
            part = f"its part {name}" if name else "the model"
            raise InputError(
                f"{part} has another forward function, which a copy would share; "
                f"subclass {type(module).__name__} instead"
            )
    try:
        return deepcopy(plain)
    except (RuntimeError, TypeError) as error:
        reason = " ".join(str(error).split())[:200]
        kind = type(model).__name__
        raise InputError(f"a part of the {kind} cannot be copied: {reason}") from error


def _is_copied_with(function: Any, module: nn.Module) -> bool:
    """Tell whether a copy of a function belongs to the copy of its module."""
    if isinstance(function, partial):
        return any(argument is module for argument in function.args)
    return getattr(function, "__self__", None) is module
