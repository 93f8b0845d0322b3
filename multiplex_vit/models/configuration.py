"""A checkpoint's config.json: every value is checked before anything is built of it."""

from dataclasses import fields
from typing import Any

import transformers

from multiplex_vit.limits import (
    MOST_BLOCKS,
    MOST_CHANNELS,
    MOST_CLASSES,
    MOST_SIDE,
    MOST_TOKENS,
    MOST_WIDTH,
)
from multiplex_vit.models.adapters import adapter_of
from multiplex_vit.models.checkpoint import Checkpoint, quiet
from multiplex_vit.models.libraries import ACT2FN
from multiplex_vit.models.values import FLAG, check_values, count, number, one_of, pair

_WHAT = "configuration"
_CODE = "it names code of its own, which is not run"
_REFUSED = {
    "auto_map": _CODE,
    "custom_pipelines": _CODE,
    "custom_pipeline": _CODE,
    "transformers_weights": "it names a weight file of its own; only model.safetensors is read",
    "quantization_config": "its weights are quantized, which attention cannot be read from",
    "compression_config": "its weights are compressed, which attention cannot be read from",
    "per_layer_config": "its blocks differ from each other",
    "fusion_config": "its blocks are fused",
    "pruned_heads": "some of its attention heads are pruned",
    "adapters": "it wants adapters",
}
"""Keys that would run code, read other files, or make another model than the weights are of."""

_DTYPES = ("float16", "bfloat16", "float32", "float64")
_PROBLEMS = ("regression", "single_label_classification", "multi_label_classification")
_WIDTH, _SHARE = count(1, MOST_WIDTH), number(0, 1)
_KNOWN = {
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
    "hidden_dropout_prob": _SHARE,
    "attention_probs_dropout_prob": _SHARE,
    "drop_path_rate": _SHARE,
    "layer_norm_eps": _SHARE,
    "initializer_range": number(0, 1_000),
    "layerscale_value": number(-1_000, 1_000),
    "qkv_bias": FLAG,
    "use_swiglu_ffn": FLAG,
    "use_mask_token": FLAG,
    "hidden_act": one_of(ACT2FN),
    "pooler_act": one_of(ACT2FN),
    "dtype": one_of(_DTYPES),
    "problem_type": one_of(_PROBLEMS),
}
"""What may stand under the keys that say what the model is; other keys are not used."""


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
    found = checkpoint.table("config.json", _WHAT)
    model_class = _model_class(checkpoint, found)
    for key, why in _REFUSED.items():
        if found.get(key):
            raise checkpoint.cannot_read(_WHAT, f"config.json has the key {key!r}: {why}")
    if checkpoint.find("adapter_config.json") is not None:
        why = "it holds an adapter; merge it into its model (merge_and_unload) and save that"
        raise checkpoint.cannot_read("weights (safetensors)", why)
    values = {**_values(found), **_classes(checkpoint, found)}
    check_values(values, _KNOWN, lambda why: checkpoint.cannot_read(_WHAT, why))
    config_class: Any = model_class.config_class  # type: ignore[attr-defined]
    own = {field.name for field in fields(config_class)} | {"num_labels"}
    try:
        with quiet():
            config = config_class(**{name: values[name] for name in values if name in own})
    except Exception as error:
        raise checkpoint.cannot_read(_WHAT, error) from error
    _check_shape(checkpoint, config)
    return model_class, config


def _model_class(checkpoint: Checkpoint, found: dict[str, Any]) -> type:
    architectures = found.get("architectures")
    names = architectures if isinstance(architectures, list) else [architectures]
    if not names or not isinstance(names[0], str):
        raise checkpoint.cannot_read(_WHAT, "config.json names no architecture")
    adapter_of(names[0])
    model_class: Any = getattr(transformers, names[0])
    kind = found.get("model_type")
    if kind not in (None, model_class.config_class.model_type):
        why = f"config.json names the architecture {names[0]}, but the model type {kind!r:.60}"
        raise checkpoint.cannot_read(_WHAT, why)
    return model_class


def _values(found: dict[str, Any]) -> dict[str, Any]:
    """Return the values of known keys; null stands for a key that is not there."""
    values = {name: found[name] for name in _KNOWN if found.get(name) is not None}
    if "dtype" not in values and found.get("torch_dtype") is not None:
        values["dtype"] = found["torch_dtype"]
    return values


def _classes(checkpoint: Checkpoint, found: dict[str, Any]) -> dict[str, Any]:
    """Return the classes by number, or how many there are, after making sure that all are there."""
    names, n_labels = found.get("id2label"), found.get("num_labels")
    wanted = {"num_labels": count(1, MOST_CLASSES)}
    given = {} if n_labels is None else {"num_labels": n_labels}
    check_values(given, wanted, lambda why: checkpoint.cannot_read(_WHAT, why))
    if names is None:
        return given
    if not isinstance(names, dict) or not 1 <= len(names) <= MOST_CLASSES:
        why = f"id2label names no class, or more than {MOST_CLASSES:,}"
        raise checkpoint.cannot_read(_WHAT, why)
    if set(names) != {str(i) for i in range(len(names))}:
        why = f"id2label has {len(names)} classes, but their numbers are not 0 to {len(names) - 1}"
        raise checkpoint.cannot_read(_WHAT, why)
    if not all(isinstance(name, (str, int, float)) for name in names.values()):
        raise checkpoint.cannot_read(_WHAT, "id2label names a class by something else than text")
    if n_labels not in (None, len(names)):
        why = f"num_labels is {n_labels}, but id2label names {len(names)} classes"
        raise checkpoint.cannot_read(_WHAT, why)
    return {"id2label": {int(i): str(name) for i, name in names.items()}}


def _check_shape(checkpoint: Checkpoint, config: Any) -> None:
    """Refuse sizes that do not fit each other."""
    if config.hidden_size % config.num_attention_heads:
        heads = f"num_attention_heads is {config.num_attention_heads}"
        why = f"{heads}, which does not divide hidden_size, {config.hidden_size}"
        raise checkpoint.cannot_read(_WHAT, why)
    n_tokens = 1
    for image, patch in zip(_both(config.image_size), _both(config.patch_size), strict=True):
        if patch > image:
            why = f"a patch of {patch} pixels a side does not fit into an image of {image}"
            raise checkpoint.cannot_read(_WHAT, why)
        n_tokens *= image // patch
    if n_tokens > MOST_TOKENS:
        why = f"it takes {n_tokens:,} patches an image; at most {MOST_TOKENS:,} are taken"
        raise checkpoint.cannot_read(_WHAT, why)


def _both(size: Any) -> tuple[int, int]:
    return (size, size) if isinstance(size, int) else (size[0], size[1])
