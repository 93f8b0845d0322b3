"""A checkpoint's image processor: which class it may be, and every value checked."""

from typing import Any

import transformers

from multiplex_vit.limits import MOST_SIDE
from multiplex_vit.models.checkpoint import Checkpoint, quiet
from multiplex_vit.models.values import FLAG, check_values, is_count, is_number, number, one_of
from multiplex_vit.reading.facts import Fact

_WHAT = "image processor"
_FILE, _NESTED = "preprocessor_config.json", "processor_config.json"

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
}
"""Image processor of a model type, for files that do not name it."""

_EDGES = ({"height", "width"}, {"shortest_edge"}, {"shortest_edge", "longest_edge"})
_RESAMPLING = range(6)


def _is_size(value: Any) -> bool:
    if isinstance(value, dict):
        edges = {name: edge for name, edge in value.items() if edge is not None}
        return set(edges) in _EDGES and all(is_count(e, 1, MOST_SIDE) for e in edges.values())
    both = value if isinstance(value, list) and len(value) == 2 else [value]
    return all(is_count(edge, 1, MOST_SIDE) for edge in both)


def _channels(low: float, high: float, wanted: str) -> Fact:
    """Return the fact of a number, or of one a channel."""

    def holds(value: Any) -> bool:
        several = value if isinstance(value, list) else [value]
        return bool(several) and all(is_number(each, low, high) for each in several)

    return Fact(wanted, holds)


_SIZE = Fact(f"a size of 1 to {MOST_SIDE:,} pixels a side", _is_size)
_KNOWN = {
    "do_resize": FLAG,
    "do_center_crop": FLAG,
    "do_rescale": FLAG,
    "do_normalize": FLAG,
    "do_convert_rgb": FLAG,
    "default_to_square": FLAG,
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
"""Keys that are read nowhere, with the values of which that is right."""


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
    found = _found(checkpoint)
    for key, idle in _IDLE.items():
        if found.get(key) is not None and found[key] not in idle:
            given = f"{_FILE} has the key {key!r} of {found[key]!r:.60}"
            raise checkpoint.cannot_read(_WHAT, f"{given}, which is not supported")
    processor_class = _processor_class(checkpoint, found, config)
    values = {name: found[name] for name in _KNOWN if found.get(name) is not None}
    check_values(values, _KNOWN, lambda why: checkpoint.cannot_read(_WHAT, why))
    for name in ("image_mean", "image_std"):
        value = values.get(name)
        if isinstance(value, list) and len(value) != config.num_channels:
            channels = f"{len(value)} values for {config.num_channels} channels"
            raise checkpoint.cannot_read(_WHAT, f"{name} has {channels}")
    try:
        with quiet():
            return processor_class(**values)
    except Exception as error:
        raise checkpoint.cannot_read(_WHAT, error) from error


def _found(checkpoint: Checkpoint) -> dict[str, Any]:
    """Return the values, which newer files hold one level below."""
    if checkpoint.find(_NESTED) is not None:
        nested = checkpoint.table(_NESTED, _WHAT).get("image_processor")
        if isinstance(nested, dict):
            return nested
    return checkpoint.table(_FILE, _WHAT)


def _processor_class(checkpoint: Checkpoint, found: dict[str, Any], config: Any) -> Any:
    name = found.get("image_processor_type")
    if name is None and isinstance(found.get("feature_extractor_type"), str):
        name = found["feature_extractor_type"].replace("FeatureExtractor", "ImageProcessor")
    if name is None:
        name = _OF_MODEL.get(config.model_type)
    plain = str(name).removesuffix("Fast").removesuffix("Pil")
    if plain not in PROCESSORS:
        why = f"{name!r:.60} is not supported; supported: {', '.join(PROCESSORS)}"
        raise checkpoint.cannot_read(_WHAT, why)
    return getattr(transformers, f"{plain}Pil")
