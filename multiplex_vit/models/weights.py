"""A checkpoint's weights: read from safetensors by their own library, and never from a pickle."""

from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import load_file
from torch import Tensor

from multiplex_vit.errors import InputError
from multiplex_vit.models.checkpoint import Checkpoint, line_of, quiet
from multiplex_vit.reading import readable

_WHAT = "weights (safetensors)"
_FILE, _INDEX = "model.safetensors", "model.safetensors.index.json"
_MOST_BYTES = 2**40
_DTYPES = ("F16", "BF16", "F32", "F64")
_UNUSED = (".pooler.", ".mask_token")
"""Parts of names of weights that classifiers are saved with and do not use."""

Dtype = torch.dtype | str

_SLACK = 1_000_000
"""How many more weights a configuration may want than twice those stored.

What lacks a few is told by name; what wants many more is not built.
"""


@dataclass(frozen=True)
class _Stored:
    """What a checkpoint's weight files say that they hold: shapes by name."""

    files: list[Path]
    shapes: dict[str, tuple[int, ...]]


def read_weights(checkpoint: Checkpoint, model_class: Any, config: Any, *, dtype: Dtype) -> Any:
    """Return a model whose every weight comes from its checkpoint.

    Parameters
    ----------
    checkpoint : Checkpoint
    model_class : type
        Of transformers.
    config : transformers.PreTrainedConfig
        From `read_configuration`.
    dtype : torch.dtype or "auto"

    Returns
    -------
    transformers.PreTrainedModel
        In evaluation mode.

    Raises
    ------
    InputError
        If a file is missing, damaged or no safetensors; if a weight is missing, left over, of
        another shape than the configuration wants, no floating point number, NaN or infinite; or
        if the configuration wants many more weights than are stored, which is told before any
        memory is taken.
    """
    stored = _stored(checkpoint)
    _check_size(checkpoint, model_class, config, stored)
    options = {"output_loading_info": True, "ignore_mismatched_sizes": True, "dtype": dtype}
    try:
        weights: dict[str, Tensor] = {}
        for file in stored.files:
            weights.update(load_file(file))
        with quiet():
            # Without a path there is nothing that transformers could look for in the folder.
            model, info = model_class.from_pretrained(
                None,
                config=config,
                state_dict=weights,
                **options,
            )
    except Exception as error:
        raise checkpoint.cannot_read(_WHAT, error) from error
    _check_complete(checkpoint, info)
    _check_finite(checkpoint, model)
    model.config.name_or_path = checkpoint.path
    return model


def _stored(checkpoint: Checkpoint) -> _Stored:
    """Return what a checkpoint's files hold, by their headers alone."""
    single, index = checkpoint.find(_FILE), checkpoint.find(_INDEX)
    parts = {} if index is None else _parts(checkpoint)
    if single is not None or not parts:
        place = checkpoint.fetch(_FILE, _WHAT)
        return _Stored([place], _header(checkpoint, place))
    files, shapes = [], {}
    for file in sorted(set(parts.values())):
        place = checkpoint.fetch(file, _WHAT)
        header = _header(checkpoint, place)
        if set(header) != {name for name, other in parts.items() if other == file}:
            raise checkpoint.cannot_read(_WHAT, f"{file} holds other weights than {_INDEX} says")
        files.append(place)
        shapes.update(header)
    return _Stored(files, shapes)


def _parts(checkpoint: Checkpoint) -> dict[str, str]:
    """Return the file of every weight by the index, in which only safetensors may be named."""
    path = checkpoint.path
    try:
        parts = checkpoint.table(_INDEX, _WHAT).get("weight_map")
    except InputError as error:
        what = f"{path}: {_INDEX} is damaged ({line_of(error)})"
        raise InputError(f"{what}; fetch it again") from error
    if not isinstance(parts, dict) or not parts:
        raise InputError(f"{path}: {_INDEX} is damaged; fetch it again")
    for file in parts.values():
        is_beside = isinstance(file, str) and Path(file).name == file
        if not is_beside or not file.endswith(".safetensors"):
            what = f"its index names the weight file {file!r:.80}"
            raise InputError(f"{path}: {what}; only safetensors files beside the index are read")
    return parts


def _header(checkpoint: Checkpoint, place: Path) -> dict[str, tuple[int, ...]]:
    """Return the shapes of a file's weights by name; none of them is read."""
    shapes = {}
    try:
        give = "the weights as safetensors"
        readable(place, give=give, most=_MOST_BYTES)
        with safe_open(place, framework="pt") as file:
            for name in file.keys():  # noqa: SIM118 - it is no mapping
                part = file.get_slice(name)
                if part.get_dtype() not in _DTYPES:
                    why = f"{name} is {part.get_dtype()}; floating point numbers are wanted"
                    raise InputError(why)
                shapes[name] = tuple(part.get_shape())
    except Exception as error:  # the library raises errors of its own for damaged files
        raise checkpoint.cannot_read(_WHAT, error) from error
    if not shapes:
        raise checkpoint.cannot_read(_WHAT, f"{place.name} holds no weight")
    return shapes


def _check_size(checkpoint: Checkpoint, model_class: Any, config: Any, stored: _Stored) -> None:
    """Refuse a configuration that wants many more blocks or weights than are stored."""
    if config.num_hidden_layers > len(stored.shapes):
        blocks = f"its configuration wants {config.num_hidden_layers:,} blocks"
        why = f"{blocks}, but {len(stored.shapes):,} weights are stored; mend config.json"
        raise checkpoint.cannot_read(_WHAT, why)
    try:
        with torch.device("meta"), quiet():
            model = model_class(config)
    except Exception as error:
        raise checkpoint.cannot_read("configuration", error) from error
    wanted = sum(weight.numel() for weight in model.state_dict().values())
    there = sum(prod(shape) for shape in stored.shapes.values())
    if wanted > 2 * there + _SLACK:
        why = f"its configuration wants {wanted:,} numbers, but {there:,} are stored"
        raise checkpoint.cannot_read(_WHAT, f"{why}; mend config.json")


def _check_complete(checkpoint: Checkpoint, info: dict[str, Any]) -> None:
    """Refuse weights that are not those of the model: none is drawn anew, none left out."""
    path = checkpoint.path
    if info["mismatched_keys"]:
        key, stored, wanted = sorted(info["mismatched_keys"])[0]
        shapes = f"has shape {list(stored)}, but its configuration wants {list(wanted)}"
        raise InputError(f"{path}: weight {key} {shapes}; mend config.json")
    if info["missing_keys"]:
        names = ", ".join(sorted(info["missing_keys"])[:3])
        give = "give a checkpoint fine-tuned for classification"
        raise InputError(f"{path} has no weights for {names}; {give}")
    beyond = []
    for key in sorted(info["unexpected_keys"]):
        if not any(part in f".{key}" for part in _UNUSED):
            beyond.append(key)
    if beyond:
        what = f"{len(beyond)} weights that its configuration has no place for"
        raise InputError(f"{path} holds {what}, such as {beyond[0]:.80}; mend config.json")
    if info.get("error_msgs"):
        raise checkpoint.cannot_read(_WHAT, info["error_msgs"][0])


def _check_finite(checkpoint: Checkpoint, model: Any) -> None:
    for name, weight in model.named_parameters():
        if not bool(weight.isfinite().all()):
            kind = str(weight.dtype).removeprefix("torch.")
            why = f"weight {name} holds NaN or infinity in {kind}"
            raise checkpoint.cannot_read(_WHAT, why)
