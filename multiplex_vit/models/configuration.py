"""A checkpoint's config.json: every value is checked before anything is built of it."""

from dataclasses import fields
from functools import partial
from typing import Any

import transformers

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
from multiplex_vit.models.families import supported
from multiplex_vit.models.families.huggingface import BACKBONES, CLASSIFIERS
from multiplex_vit.models.families.zero_shot import READERS_OF_TEXT
from multiplex_vit.models.libraries import ACT2FN
from multiplex_vit.models.values import FLAG, check_values, count, number, one_of, pair

_PART = "configuration"
_CODE = "it names code of its own, which is not run"
_REFUSED = {
    # Keys that would run code, or read other files.
    "auto_map": _CODE,
    "custom_pipelines": _CODE,
    "custom_pipeline": _CODE,
    "transformers_weights": "it names a weight file of its own; only model.safetensors is read",
    # Keys that make another model than the weights are of.
    "quantization_config": "its weights are quantized, which attention cannot be read from",
    "compression_config": "its weights are compressed, which attention cannot be read from",
    "per_layer_config": "its blocks differ from each other",
    "fusion_config": "its blocks are fused",
    "pruned_heads": "some of its attention heads are pruned",
    "adapters": "it wants adapters",
}
"""Why each of these keys is refused."""

_DTYPES = ("float16", "bfloat16", "float32", "float64")
_PROBLEMS = ("regression", "single_label_classification", "multi_label_classification")
_WIDTH, _SHARE = count(1, MOST_WIDTH), number(0, 1)
_FACTS = {
    # Sizes.
    "hidden_size": _WIDTH,
    "intermediate_size": _WIDTH,
    "num_attention_heads": _WIDTH,
    "pooler_output_size": _WIDTH,
    "num_hidden_layers": count(1, MOST_BLOCKS),
    "num_channels": count(1, MOST_CHANNELS),
    "num_register_tokens": count(0, MOST_TOKENS),
    "mlp_ratio": count(1, 64),
    "encoder_stride": count(1, MOST_SIDE),
    "image_size": pair(1, MOST_SIDE),
    "patch_size": pair(1, MOST_SIDE),
    # Numbers that take part in training, or in the layer norms.
    "hidden_dropout_prob": _SHARE,
    "attention_probs_dropout_prob": _SHARE,
    "drop_path_rate": _SHARE,
    "layer_norm_eps": _SHARE,
    "initializer_range": number(0, 1_000),
    "layerscale_value": number(-1_000, 1_000),
    # What the model is made of, and what it was trained for.
    "layer_scale_init_value": number(0, 1_000),
    "attention_dropout": _SHARE,
    "logit_scale_init_value": number(-1_000, 1_000),
    # Positions, and what the head reads.
    "use_absolute_position_embeddings": FLAG,
    "use_relative_position_bias": FLAG,
    "use_shared_relative_position_bias": FLAG,
    "use_mean_pooling": FLAG,
    "vision_use_head": FLAG,
    "num_patches": count(1, MOST_TOKENS),
    # Of models that read text too.
    "projection_dim": _WIDTH,
    "projection_size": _WIDTH,
    "vocab_size": count(1, MOST_WIDTH * 64),
    "max_position_embeddings": count(1, MOST_TOKENS),
    "bos_token_id": count(0, MOST_WIDTH * 64),
    "eos_token_id": count(0, MOST_WIDTH * 64),
    "pad_token_id": count(0, MOST_WIDTH * 64),
    "qkv_bias": FLAG,
    "use_swiglu_ffn": FLAG,
    "use_mask_token": FLAG,
    "hidden_act": one_of(ACT2FN),
    "pooler_act": one_of(ACT2FN),
    "dtype": one_of(_DTYPES),
    "problem_type": one_of(_PROBLEMS),
}
"""What may stand under the keys that say what the model is; other keys are not used."""

_TOWERS = ("vision_config", "text_config")
"""Keys below which models that read text too keep what stands under the keys above."""


def read_configuration(checkpoint: Checkpoint) -> tuple[type, Any]:
    """Return the class of a checkpoint's model, and its configuration.

    Parameters
    ----------
    checkpoint : Checkpoint

    Returns
    -------
    model_class : type
        A class of transformers that has an adapter.
    config : transformers.PreTrainedConfig
        Made of the known keys alone.

    Raises
    ------
    InputError
        If the architecture has no adapter, the configuration would run code or read other files,
        or a value has another type or is out of range.

    Examples
    --------
    >>> model_class, config = read_configuration(Checkpoint.of("demo-vit"))
    >>> model_class.__name__, config.hidden_size
    ('ViTForImageClassification', 192)
    """
    content = checkpoint.table("config.json", _PART)
    model_class = _model_class(checkpoint, content)
    _refuse_keys(checkpoint, content)
    values = {**_checked_values(checkpoint, content), **_classes(checkpoint, content)}
    for tower in _TOWERS:
        if isinstance(content.get(tower), dict):
            _refuse_keys(checkpoint, content[tower])
            values[tower] = _checked_values(checkpoint, content[tower])
    config = _built(checkpoint, model_class, values)
    _check_shape(checkpoint, config)
    return model_class, config


def _checked_values(checkpoint: Checkpoint, content: dict[str, Any]) -> dict[str, Any]:
    values = _values(content)
    check_values(values, _FACTS, partial(checkpoint.cannot_read, _PART))
    return values


def _model_class(checkpoint: Checkpoint, content: dict[str, Any]) -> type:
    names = content.get("architectures")
    if not isinstance(names, list):
        names = [names]
    if not names or not isinstance(names[0], str):
        reason = "config.json names no architecture"
        raise checkpoint.cannot_read(_PART, reason)
    name = names[0]
    # Before anything of transformers is looked up by a name out of a file.
    if name in BACKBONES:
        raise InputError(
            f"{name} is a backbone without a classifier; load it by its own library and give "
            "wrap(backbone, head=...), such as a linear probe"
        )
    if name not in CLASSIFIERS and name not in READERS_OF_TEXT:
        raise InputError(f"{name} is not a supported image classifier; supported: {supported()}")
    model_class: Any = getattr(transformers, name)
    model_type = content.get("model_type")
    if model_type not in (None, model_class.config_class.model_type):
        reason = f"config.json names the architecture {name}, but the model type {model_type!r:.60}"
        raise checkpoint.cannot_read(_PART, reason)
    return model_class


def _refuse_keys(checkpoint: Checkpoint, content: dict[str, Any]) -> None:
    for key, reason in _REFUSED.items():
        if content.get(key):
            line = f"config.json has the key {key!r}: {reason}"
            raise checkpoint.cannot_read(_PART, line)
    if checkpoint.find("adapter_config.json") is not None:
        # A folder that PEFT saved, whose weights are those of the adapter alone.
        reason = "it holds an adapter; merge it into its model (merge_and_unload) and save that"
        raise checkpoint.cannot_read("weights (safetensors)", reason)


def _values(content: dict[str, Any]) -> dict[str, Any]:
    """Return the values of known keys; null stands for a key that is not there."""
    values = {}
    for name in _FACTS:
        if content.get(name) is not None:
            values[name] = content[name]
    # Older files call it torch_dtype.
    if "dtype" not in values and content.get("torch_dtype") is not None:
        values["dtype"] = content["torch_dtype"]
    return values


def _classes(checkpoint: Checkpoint, content: dict[str, Any]) -> dict[str, Any]:
    """Return the classes by number, or how many there are."""
    names, n_labels = content.get("id2label"), content.get("num_labels")
    given = {} if n_labels is None else {"num_labels": n_labels}
    facts = {"num_labels": count(1, MOST_CLASSES)}
    check_values(given, facts, partial(checkpoint.cannot_read, _PART))
    if names is None:
        return given
    reason = _unfit_names(names, n_labels)
    if reason:
        raise checkpoint.cannot_read(_PART, reason)
    return {"id2label": {int(number): str(name) for number, name in names.items()}}


def _unfit_names(names: Any, n_labels: int | None) -> str:
    """Return why a table cannot name the classes, or "" where it can."""
    if not isinstance(names, dict) or not 1 <= len(names) <= MOST_CLASSES:
        return f"id2label names no class, or more than {MOST_CLASSES:,}"
    count = len(names)
    # In JSON all keys are text.
    if set(names) != set(map(str, range(count))):
        numbers = f"0 to {count - 1}"
        return f"id2label has {count} classes, but their numbers are not {numbers}"
    for name in names.values():
        if not isinstance(name, (str, int, float)):
            return "id2label names a class by something else than text"
    if n_labels not in (None, count):
        return f"num_labels is {n_labels}, but id2label names {count} classes"
    return ""


def _built(checkpoint: Checkpoint, model_class: type, values: dict[str, Any]) -> Any:
    """Return the configuration of the values that the model's own class takes."""
    config_class: Any = model_class.config_class  # type: ignore[attr-defined]
    names = {field.name for field in fields(config_class)} | {"num_labels", *_TOWERS}
    taken = {name: value for name, value in values.items() if name in names}
    try:
        with quiet():
            return config_class(**taken)
    except Exception as error:
        # Configurations check themselves, and raise whatever they like.
        raise checkpoint.cannot_read(_PART, error) from error


def _check_shape(checkpoint: Checkpoint, config: Any) -> None:
    """Refuse sizes that do not fit each other."""
    reason = _unfit_sizes(config)
    if reason:
        raise checkpoint.cannot_read(_PART, reason)


def _unfit_sizes(config: Any) -> str:
    """Return why sizes do not fit each other, or "" where they do."""
    config = getattr(config, "vision_config", config)
    width, n_heads = config.hidden_size, config.num_attention_heads
    if width % n_heads:
        heads = f"num_attention_heads is {n_heads}"
        return f"{heads}, which does not divide hidden_size, {width}"
    if not hasattr(config, "image_size"):
        # It takes a number of patches, which was checked, on any grid.
        return ""
    image_sides = _both_sides(config.image_size)
    patch_sides = _both_sides(config.patch_size)
    n_patches = 1
    for image, patch in zip(image_sides, patch_sides, strict=True):
        if patch > image:
            sides = f"a patch of {patch} pixels a side"
            return f"{sides} does not fit into an image of {image}"
        n_patches *= image // patch
    # Attention between all of them is kept, which grows with their square.
    if n_patches > MOST_TOKENS:
        patches = f"it takes {n_patches:,} patches an image"
        return f"{patches}; at most {MOST_TOKENS:,} are taken"
    return ""


def _both_sides(size: Any) -> tuple[int, int]:
    """Return rows and columns of a size that is one number, or two."""
    return (size, size) if isinstance(size, int) else (size[0], size[1])
