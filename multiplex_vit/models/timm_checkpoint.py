"""Checkpoints of timm: config.json names an architecture, and how images are prepared."""

from functools import partial
from importlib.util import find_spec
from typing import Any

import torch
from torch import nn

from multiplex_vit.errors import InputError
from multiplex_vit.limits import (
    MOST_BLOCKS,
    MOST_CHANNELS,
    MOST_CLASSES,
    MOST_SIDE,
    MOST_TOKENS,
    MOST_WIDTH,
)
from multiplex_vit.models.checkpoint import Checkpoint, quiet
from multiplex_vit.models.families import FAMILIES
from multiplex_vit.models.values import FLAG, check_values, count, is_count, number, one_of, pair
from multiplex_vit.models.weights import n_stored, read_module
from multiplex_vit.reading.facts import Fact

_PART = "configuration"
_MODULES = {"vision_transformer", "deit", "eva", "beit"}
"""Files of timm whose models are of the known classes."""

_POOLING = ("", "avg", "token", "map")
_ARGUMENTS = {
    "img_size": pair(1, MOST_SIDE),
    "patch_size": pair(1, MOST_SIDE),
    "in_chans": count(1, MOST_CHANNELS),
    "embed_dim": count(1, MOST_WIDTH),
    "depth": count(1, MOST_BLOCKS),
    "num_heads": count(1, MOST_WIDTH),
    "num_classes": count(0, MOST_CLASSES),
    "mlp_ratio": number(0.01, 64),
    "init_values": number(0, 1_000),
    "reg_tokens": count(0, MOST_TOKENS),
    "num_reg_tokens": count(0, MOST_TOKENS),
    "class_token": FLAG,
    "no_embed_class": FLAG,
    "qkv_bias": FLAG,
    "qk_norm": FLAG,
    "pre_norm": FLAG,
    "fc_norm": FLAG,
    "dynamic_img_size": FLAG,
    "global_pool": one_of(_POOLING),
}
"""What may stand under "model_args"; other keys are refused."""


def _three_numbers(low: float, high: float) -> Fact:
    def holds(value: Any) -> bool:
        numbers = value if isinstance(value, list) else []
        right = [isinstance(one, (int, float)) and low <= one <= high for one in numbers]
        return bool(right) and len(right) <= MOST_CHANNELS and all(right)

    return Fact(f"numbers from {low:g} to {high:g}, one a channel", holds)


def _is_shape(value: Any) -> bool:
    if not isinstance(value, list) or len(value) != 3:
        return False
    return all(is_count(length, 1, MOST_SIDE) for length in value)


_PREPARED = {
    "input_size": Fact(f"channels, rows and columns, each from 1 to {MOST_SIDE:,}", _is_shape),
    "mean": _three_numbers(-1e6, 1e6),
    "std": _three_numbers(1e-9, 1e6),
    "crop_pct": number(0.01, 1),
    "crop_mode": one_of(("center", "squash", "border")),
    "interpolation": one_of(("nearest", "bilinear", "bicubic", "lanczos")),
}
"""What may stand under "pretrained_cfg" of the keys that say how images are prepared."""


def is_of_timm(checkpoint: Checkpoint) -> bool:
    """Tell whether a checkpoint is one of timm: it names one architecture, and no list of them."""
    if checkpoint.find("config.json") is None:
        return False
    content = checkpoint.table("config.json", _PART)
    # Transformers' own files have a list under another key.
    is_list = "architectures" in content
    return isinstance(content.get("architecture"), str) and not is_list


def read_timm(
    checkpoint: Checkpoint, *, dtype: torch.dtype | str
) -> tuple[nn.Module, Any, tuple[str, ...]]:
    """Return a checkpoint's module, what prepares images, and the names of its classes.

    Raises
    ------
    InputError
        If timm is not installed, the architecture is no Vision Transformer of a known class, a
        value has another type or is out of range, or weights are missing or left over.
    """
    if find_spec("timm") is None:
        problem = "is a checkpoint of timm, which is not installed"
        remedy = "pip install 'multiplex-vit[timm]'"
        raise InputError(f"{checkpoint.path} {problem}: {remedy}")
    content = checkpoint.table("config.json", _PART)
    arguments = _arguments(checkpoint, content)
    prepared = content.get("pretrained_cfg") or {}
    if not isinstance(prepared, dict):
        raise checkpoint.cannot_read(_PART, "pretrained_cfg holds no table")
    # A module has more weights than blocks; many of these take long to make.
    most = n_stored(checkpoint)
    facts = {"depth": count(1, min(most, MOST_BLOCKS))}
    check_values(arguments, facts, partial(checkpoint.cannot_read, _PART))
    architecture = content["architecture"]
    build = partial(_built, checkpoint, architecture, arguments)
    # Without memory for weights, as it may not be wanted at all.
    with torch.device("meta"):
        empty = build()
    known = FAMILIES["timm"]
    if type(empty).__name__ not in known:
        raise _unknown(checkpoint, architecture)
    module = read_module(checkpoint, build, len(empty.blocks), dtype=dtype)
    if isinstance(getattr(module, "head", None), nn.Identity):
        problem = "is a backbone without a classifier"
        remedy = "make it by timm and give wrap(backbone, head=...)"
        example = "such as a linear probe"
        raise InputError(f"{checkpoint.path} {problem}; {remedy}, {example}")
    transform = _transform(checkpoint, prepared, module)
    names = _names(prepared, module)
    return module, transform, names


def _arguments(checkpoint: Checkpoint, content: dict[str, Any]) -> dict[str, Any]:
    """Return what the architecture is made with, every value checked."""
    arguments = content.get("model_args") or {}
    if not isinstance(arguments, dict):
        raise checkpoint.cannot_read(_PART, "model_args holds no table")
    for name in arguments:
        if name not in _ARGUMENTS:
            key = f"the key {name!r:.60}, which is not supported"
            reason = f"model_args has {key}"
            raise checkpoint.cannot_read(_PART, reason)
    # A null stands for timm's own default.
    given = {}
    for name, value in arguments.items():
        if value is not None:
            given[name] = value
    # What the file itself says goes before its arguments.
    for name in ("num_classes", "global_pool"):
        if content.get(name) is not None:
            given[name] = content[name]
    check_values(given, _ARGUMENTS, partial(checkpoint.cannot_read, _PART))
    return given


def _built(checkpoint: Checkpoint, architecture: str, arguments: dict[str, Any]) -> Any:
    import timm
    from timm.models import is_model_in_modules

    is_known = timm.is_model(architecture)
    if not is_known or not is_model_in_modules(architecture, _MODULES):
        raise _unknown(checkpoint, architecture)
    try:
        with quiet():
            return timm.create_model(
                architecture,
                pretrained=False,
                **arguments,
            )
    except Exception as error:
        # Sizes that do not fit each other make timm fail in any way.
        raise checkpoint.cannot_read(_PART, error) from error


def _unknown(checkpoint: Checkpoint, architecture: str) -> InputError:
    classes = ", ".join(FAMILIES["timm"])
    problem = f"timm's {architecture!r:.60} is no plain Vision Transformer"
    needed = "tokens must be able to leave the sequence"
    example = f"as in timm's classes {classes}"
    return InputError(f"{checkpoint.path}: {problem}; {needed}, {example}")


def _transform(checkpoint: Checkpoint, prepared: dict[str, Any], module: Any) -> Any:
    """Return timm's own transform of images, of checked values."""
    from timm.data import create_transform, resolve_data_config

    given = {}
    for name in _PREPARED:
        if prepared.get(name) is not None:
            given[name] = prepared[name]
    refusal = partial(checkpoint.cannot_read, "image processor")
    check_values(given, _PREPARED, refusal)
    patches = module.patch_embed
    usual = given.get("input_size", [3, 224, 224])
    # The size that the module was made for counts for more than that of the pretraining.
    rows, cols = patches.img_size or usual[1:]
    given["input_size"] = (patches.proj.in_channels, rows, cols)
    options = resolve_data_config({}, pretrained_cfg=given)
    return create_transform(**options, is_training=False)


def _names(prepared: dict[str, Any], module: Any) -> tuple[str, ...]:
    """Return the names of the classes, none where they are not as many as the logits."""
    names = prepared.get("label_names")
    if not isinstance(names, list) or len(names) != module.num_classes:
        return ()
    described = prepared.get("label_descriptions")
    if not isinstance(described, dict):
        described = {}
    texts = [str(described.get(name, name)) for name in names]
    if len(set(texts)) < len(texts):
        # Names that are alike would be one class.
        return tuple(map(str, names))
    return tuple(texts)
