"""A checkpoint's image processor: which class it may be, and every value checked."""

from functools import partial
from typing import Any

import transformers

from multiplex_vit.limits import MOST_SIDE
from multiplex_vit.models.checkpoint import Checkpoint, quiet
from multiplex_vit.models.values import FLAG, check_values, is_count, is_number, number, one_of
from multiplex_vit.reading.facts import Fact

_PART = "image processor"
_FILE = "preprocessor_config.json"
_NESTED_FILE = "processor_config.json"
"""Newer files, which hold the values of `_FILE` one level below."""

PROCESSORS = (
    "ViTImageProcessor",
    "DeiTImageProcessor",
    "BitImageProcessor",
    "BeitImageProcessor",
    "CLIPImageProcessor",
    "SiglipImageProcessor",
)
"""Image processors that resize, crop at the centre, rescale and normalise, and do nothing else."""

_OF_MODEL = {
    "vit": "ViTImageProcessor",
    "deit": "DeiTImageProcessor",
    "dinov2": "BitImageProcessor",
    "dinov2_with_registers": "BitImageProcessor",
    "beit": "BeitImageProcessor",
    "data2vec-vision": "BeitImageProcessor",
    "vit_msn": "ViTImageProcessor",
    "ijepa": "ViTImageProcessor",
    "clip": "CLIPImageProcessor",
    "metaclip_2": "CLIPImageProcessor",
    "siglip": "SiglipImageProcessor",
}
"""Image processor of a model type, for files that do not name it."""

_EDGES = ({"height", "width"}, {"shortest_edge"}, {"shortest_edge", "longest_edge"})
_RESAMPLING = range(6)


def _is_size(value: Any) -> bool:
    sides = [value]
    if isinstance(value, list) and len(value) == 2:
        sides = value
    elif isinstance(value, dict):
        edges = {name: edge for name, edge in value.items() if edge is not None}
        if set(edges) not in _EDGES:
            return False
        sides = list(edges.values())
    return all(is_count(side, 1, MOST_SIDE) for side in sides)


def _channels(low: float, high: float, expected: str) -> Fact:
    """Return the fact of a number, or of one a channel."""

    def holds(value: Any) -> bool:
        numbers = value if isinstance(value, list) else [value]
        return bool(numbers) and all(is_number(number, low, high) for number in numbers)

    return Fact(expected, holds)


_SIZE = Fact(f"a size of 1 to {MOST_SIDE:,} pixels a side", _is_size)
_FACTS = {
    # Which steps are taken.
    "do_resize": FLAG,
    "do_center_crop": FLAG,
    "do_rescale": FLAG,
    "do_normalize": FLAG,
    "do_convert_rgb": FLAG,
    "default_to_square": FLAG,
    # What the steps take.
    "size": _SIZE,
    "crop_size": _SIZE,
    "resample": one_of(_RESAMPLING),
    "rescale_factor": number(1e-9, 1e9),
    "image_mean": _channels(-1e6, 1e6, "a finite number, or one a channel"),
    "image_std": _channels(1e-9, 1e6, "a number above 0, or one a channel"),
}
_IDLE: dict[str, tuple[Any, ...]] = {
    "do_pad": (False,),
    "do_reduce_labels": (False, True),
    "data_format": ("channels_first",),
    "auto_map": ({},),
}
"""Keys that are not read, with the values for which that is right."""


def read_processor(checkpoint: Checkpoint, config: Any) -> Any:
    """Return the image processor of a checkpoint.

    Parameters
    ----------
    checkpoint : Checkpoint
    config : transformers.PreTrainedConfig
        Of its model.

    Returns
    -------
    transformers image processor
        Of one of the classes `PROCESSORS`, working with Pillow and NumPy.

    Raises
    ------
    InputError
        If the file is missing, names another class or code of its own, or a value has another
        type, is out of range, or does not fit the model's channels.

    Examples
    --------
    >>> from multiplex_vit.models.configuration import read_configuration
    >>> checkpoint = Checkpoint.of("demo-vit")
    >>> _, config = read_configuration(checkpoint)
    >>> read_processor(checkpoint, config).image_mean
    (0.5, 0.5, 0.5)
    """
    content = _content(checkpoint)
    _refuse_keys(checkpoint, content)
    processor_class = _processor_class(checkpoint, content, config)
    values = _values(checkpoint, content, config)
    try:
        with quiet():
            return processor_class(**values)
    except Exception as error:
        # Processors check their values too, and raise whatever they like.
        raise checkpoint.cannot_read(_PART, error) from error


def _content(checkpoint: Checkpoint) -> dict[str, Any]:
    if checkpoint.find(_NESTED_FILE) is not None:
        nested = checkpoint.table(_NESTED_FILE, _PART).get("image_processor")
        if isinstance(nested, dict):
            return nested
    return checkpoint.table(_FILE, _PART)


def _refuse_keys(checkpoint: Checkpoint, content: dict[str, Any]) -> None:
    for key, idle in _IDLE.items():
        value = content.get(key)
        if value is not None and value not in idle:
            given = f"the key {key!r} of {value!r:.60}"
            reason = f"{_FILE} has {given}, which is not supported"
            raise checkpoint.cannot_read(_PART, reason)


def _processor_class(checkpoint: Checkpoint, content: dict[str, Any], config: Any) -> Any:
    name = content.get("image_processor_type")
    # Older files call image processors feature extractors.
    former = content.get("feature_extractor_type")
    if name is None and isinstance(former, str):
        name = former.replace("FeatureExtractor", "ImageProcessor")
    if name is None:
        name = _OF_MODEL.get(config.model_type)
    # All variants of a processor do the same; the one with Pillow needs no torchvision.
    plain = str(name).removesuffix("Fast").removesuffix("Pil")
    if plain not in PROCESSORS:
        supported = ", ".join(PROCESSORS)
        reason = f"{name!r:.60} is not supported; supported: {supported}"
        raise checkpoint.cannot_read(_PART, reason)
    return getattr(transformers, f"{plain}Pil")


def _values(checkpoint: Checkpoint, content: dict[str, Any], config: Any) -> dict[str, Any]:
    """Return the values of known keys; null stands for a key that is not there."""
    values = {}
    for name in _FACTS:
        if content.get(name) is not None:
            values[name] = content[name]
    check_values(values, _FACTS, partial(checkpoint.cannot_read, _PART))
    n_channels = getattr(config, "vision_config", config).num_channels
    for name in ("image_mean", "image_std"):
        value = values.get(name)
        if isinstance(value, list) and len(value) != n_channels:
            channels = f"{len(value)} values for {n_channels} channels"
            raise checkpoint.cannot_read(_PART, f"{name} has {channels}")
    return values
