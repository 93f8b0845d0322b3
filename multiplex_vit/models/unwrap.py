"""Unwrapping: the Vision Transformer inside what training and serving put around it."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from copy import copy, deepcopy
from functools import partial
from typing import Any

import torch
from torch import nn

from multiplex_vit.errors import InputError
from multiplex_vit.models.adapters import ADAPTERS
from multiplex_vit.models.swaps import forwards
from multiplex_vit.models.tensors import refuse_meta

_ACCELERATED = "_original_forward"
"""Where accelerate keeps a model's forward function when it wraps that in autocast."""


def unwrapped(model: Any) -> Any:
    """Return the module inside torch.compile, (Distributed)DataParallel and PEFT; it is the user's own, not a copy.

    Adapters that PEFT has put into the module stay in it, and take part.

    Raises
    ------
    InputError
        If it is no module, if its weights are not all here, or if an unknown wrapper is around it; the message
        names the call to make.

    Examples
    --------
    >>> import multiplex_vit as mv
    >>> module = mv.load("demo-vit", device="cpu").model
    >>> unwrapped(nn.DataParallel(module)) is module
    True
    """
    if not isinstance(model, nn.Module):
        raise InputError(_no_module(model))
    inside = _inside(model)
    while inside is not None:
        model, inside = inside, _inside(inside)
    _refuse_unknown_wrapper(model)
    _refuse_scattered_weights(model)
    return model


def _no_module(model: Any) -> str:
    kind = type(model).__name__
    if kind == "VisionModel":
        return "the model is a VisionModel already; use it as it is"
    if isinstance(getattr(model, "model", None), nn.Module):
        return f"the model is {kind}, which holds one; give VisionModel(model.model, processor)"
    if isinstance(model, str):
        return (
            f"the model is the text {model!r}; give multiplex_vit.load({model!r}) for a checkpoint"
        )
    return f"the model is {kind}; give a transformers image classifier, or use multiplex_vit.load"


def _inside(model: nn.Module) -> nn.Module | None:
    """Return what a known wrapper holds, None where a module is no wrapper."""
    kinds = _kinds(model)
    held: Any = None
    if "_orig_mod" in model._modules:
        held = model._modules["_orig_mod"]
    elif "_orig_mod" in model.__dict__:  # accelerate's way of compiling block by block
        held = model.__dict__["_orig_mod"]
    elif isinstance(model, (nn.DataParallel, nn.parallel.DistributedDataParallel)):
        held = model.module
    elif "PeftModel" in kinds:
        held = _without_peft(model)
    elif "BaseTuner" in kinds:
        held = model.model
    return held


def _without_peft(model: Any) -> nn.Module:
    if model.active_peft_config.is_prompt_learning:
        kind = model.active_peft_config.peft_type.value
        raise InputError(
            f"PEFT's {kind} adds prompts to a model's input, not layers to the model; explain one with LoRA or the like"
        )
    return model.get_base_model()


def _refuse_unknown_wrapper(model: nn.Module) -> None:
    """Name the part to give where a classifier lies in a module that is none."""
    if _kinds(model) & set(ADAPTERS):
        return
    for name, part in model.named_modules():
        if _kinds(part) & set(ADAPTERS):
            kind = type(model).__name__
            raise InputError(
                f"{kind} is not unwrapped; give VisionModel(model.{name}, processor), the {type(part).__name__} in it"
            )


def _refuse_scattered_weights(model: nn.Module) -> None:
    kinds = {type(weight).__name__ for weight in model.parameters()}
    if "DTensor" in kinds or any(
        "FullyShardedDataParallel" in _kinds(part) for part in model.modules()
    ):
        raise InputError(
            "the weights are split over processes (FSDP, DTensor); gather them into one module, and give that"
        )
    if any("_hf_hook" in part.__dict__ for part in model.modules()) and any(
        weight.is_meta for weight in model.parameters()
    ):
        raise InputError(
            "accelerate keeps weights off the device; load the model onto one device (without device_map), and give that"
        )
    refuse_meta(model)


def _kinds(model: nn.Module) -> set[str]:
    return {kind.__name__ for kind in type(model).__mro__}


@contextmanager
def as_itself(model: nn.Module) -> Iterator[None]:
    """Run a model without accelerate's autocast and without compiling; both are put back, whatever happens.

    Attention is collected in Python, which compiled code would leave out or be compiled anew for.
    """
    with ExitStack() as stack:
        own = _own_forward(model)
        if own is not None:
            stack.enter_context(forwards({model: own}))
        if any(map(_is_compiled, model.modules())):
            stack.enter_context(torch.compiler.set_stance("force_eager"))
        yield


def _own_forward(model: nn.Module) -> Callable[..., Any] | None:
    """Return a model's forward as it was before accelerate wrapped it, once or more often; None where it did not."""
    if _ACCELERATED not in model.__dict__:
        return None
    found = model.__dict__[_ACCELERATED]
    inner = found
    while inner is not None:
        if getattr(inner, "__func__", inner) is type(model).forward:
            return type(model).forward.__get__(model)
        inner = getattr(inner, "__wrapped__", None)
    return found


def _is_compiled(module: nn.Module) -> bool:
    return module._compiled_call_impl is not None or "_orig_mod" in module._modules


def bare(model: nn.Module) -> nn.Module:
    """Return a model that shares all of a model's parts, but is not wrapped by accelerate; the model itself where it is not."""
    own = _own_forward(model)
    if own is None:
        return model
    twin = copy(model)
    twin.__dict__.pop(_ACCELERATED)
    twin.__dict__.pop("forward", None)
    if getattr(own, "__func__", own) is not type(model).forward:
        twin.__dict__["forward"] = own
    return twin


def duplicate(model: nn.Module) -> nn.Module:
    """Return a copy of a model that shares nothing with it.

    Raises
    ------
    InputError
        If a module's forward function was replaced by one that is bound to nothing: the copy would run the
        original's.
    """
    plain = bare(model)
    for name, module in plain.named_modules():
        own = module.__dict__.get("forward")
        if own is not None and not _moves_along(own, module):
            where = f"its part {name}" if name else "the model"
            raise InputError(
                f"{where} has another forward function, which a copy would share; subclass {type(module).__name__} instead"
            )
    try:
        return deepcopy(plain)
    except (RuntimeError, TypeError) as error:
        raise InputError(
            f"a part of the {type(model).__name__} cannot be copied: {' '.join(str(error).split())[:200]}"
        ) from error


def _moves_along(function: Any, module: nn.Module) -> bool:
    """Tell whether a copy of a function belongs to the copy of its module."""
    if isinstance(function, partial):
        return any(given is module for given in function.args)
    return getattr(function, "__self__", None) is module
