"""A checkpoint's weights: read from safetensors by their own library, and never from a pickle."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from math import prod
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import load_file
from torch import Tensor, nn

from multiplex_vit.errors import InputError
from multiplex_vit.models.bundled.eight_bit import eight_bit_file, read_eight_bit
from multiplex_vit.models.checkpoint import Checkpoint, line_of, quiet
from multiplex_vit.reading import readable

_PART = "weights (safetensors)"
_FILE = "model.safetensors"
_INDEX = "model.safetensors.index.json"
_MOST_BYTES = 2**40
_DTYPES = ("F16", "BF16", "F32", "F64")
_UNUSED = (".pooler.", ".mask_token", ".position_ids", ".relative_position_index")
"""Parts of names of weights that classifiers are saved with and do not use."""

_SLACK = 1_000_000
"""How many more weights a configuration may want than twice those stored.

If it lacks a few, the message names them; what lacks many more is not built at all.
"""

Shapes = dict[str, tuple[int, ...]]
"""Shapes of weights by their name."""


@dataclass(frozen=True)
class _Stored:
    """What a checkpoint's weight files say that they hold."""

    files: list[Path]
    shapes: Shapes


def read_weights(
    checkpoint: Checkpoint, model_class: Any, config: Any, *, dtype: torch.dtype | str
) -> Any:
    """Return a model whose every weight comes from its checkpoint.

    Parameters
    ----------
    checkpoint : Checkpoint
    model_class : type
        Of transformers.
    config : transformers.PreTrainedConfig
        From `read_configuration`.
    dtype : torch.dtype or "auto"
        "auto" keeps the type of the stored weights.

    Returns
    -------
    transformers.PreTrainedModel
        In evaluation mode.

    Raises
    ------
    InputError
        If a file is missing, damaged or no safetensors; if a weight is missing, left over, of
        another shape than the configuration says, no floating point number, NaN or infinite; or
        if the configuration wants many more weights than are stored, which is found out before any
        memory is taken.
    """
    eight_bit = eight_bit_file(checkpoint.path)
    files: list[Path] = []
    if eight_bit is None:
        files = _checked_files(checkpoint, model_class, config)
    try:
        weights = _read_files(files) if eight_bit is None else read_eight_bit(eight_bit)
        with quiet():
            # Without a path there is nothing that transformers could look for in the folder.
            model, info = model_class.from_pretrained(
                None,
                config=config,
                state_dict=weights,
                output_loading_info=True,
                ignore_mismatched_sizes=True,
                dtype=dtype,
            )
    except Exception as error:
        # A damaged file makes safetensors, torch and transformers fail in any way.
        raise checkpoint.cannot_read(_PART, error) from error
    _check_complete(checkpoint, info)
    _check_finite(checkpoint, model)
    model.config.name_or_path = checkpoint.path
    return model


def _checked_files(checkpoint: Checkpoint, model_class: Any, config: Any) -> list[Path]:
    """Return the files of the weights, if what their headers say fits the configuration."""
    stored = _stored(checkpoint)
    n_blocks = getattr(config, "vision_config", config).num_hidden_layers
    _check_size(checkpoint, partial(model_class, config), n_blocks, stored.shapes)
    return stored.files


def read_module(
    checkpoint: Checkpoint,
    build: Callable[[], nn.Module],
    n_blocks: int,
    *,
    dtype: torch.dtype | str,
) -> nn.Module:
    """Return a module of another library than transformers, every weight from its checkpoint.

    Parameters
    ----------
    checkpoint : Checkpoint
    build : callable
        Makes the module, of any weights.
    n_blocks : int
        How many blocks it has.
    dtype : torch.dtype or "auto"

    Raises
    ------
    InputError
        As `read_weights`.
    """
    stored = _stored(checkpoint)
    _check_size(checkpoint, build, n_blocks, stored.shapes)
    module = build()
    try:
        weights = _read_files(stored.files)
    except Exception as error:
        # A damaged file makes safetensors fail in any way.
        raise checkpoint.cannot_read(_PART, error) from error
    wanted = module.state_dict()
    mismatched = []
    for name in wanted.keys() & weights.keys():
        if wanted[name].shape != weights[name].shape:
            mismatched.append((name, weights[name].shape, wanted[name].shape))
    _check_complete(
        checkpoint,
        {
            "mismatched_keys": mismatched,
            "missing_keys": wanted.keys() - weights.keys(),
            "unexpected_keys": weights.keys() - wanted.keys(),
        },
    )
    # In the type that they are stored in, unless another one is asked for.
    module.load_state_dict(weights, assign=True)
    if isinstance(dtype, torch.dtype):
        module.to(dtype)
    _check_finite(checkpoint, module)
    return module


def _read_files(files: list[Path]) -> dict[str, Tensor]:
    weights: dict[str, Tensor] = {}
    for file in files:
        weights.update(load_file(file))
    return weights


def n_stored(checkpoint: Checkpoint) -> int:
    """Return how many weights a checkpoint's files hold, by their headers alone."""
    return len(_stored(checkpoint).shapes)


def _stored(checkpoint: Checkpoint) -> _Stored:
    """Return what a checkpoint's files hold, by their headers alone."""
    file_of = {}
    if checkpoint.find(_INDEX) is not None:
        file_of = _files_of_weights(checkpoint)
    if checkpoint.find(_FILE) is None and not file_of:
        _refuse_pickle(checkpoint)
    if checkpoint.find(_FILE) is not None or not file_of:
        # A single file counts where both are there, as for transformers.
        path = checkpoint.fetch(_FILE, _PART)
        return _Stored([path], _header(checkpoint, path))
    files: list[Path] = []
    shapes: Shapes = {}
    for file in sorted(set(file_of.values())):
        path = checkpoint.fetch(file, _PART)
        header = _header(checkpoint, path)
        if set(header) != {name for name, place in file_of.items() if place == file}:
            reason = f"{file} holds other weights than {_INDEX} says"
            raise checkpoint.cannot_read(_PART, reason)
        files.append(path)
        shapes.update(header)
    return _Stored(files, shapes)


def _refuse_pickle(checkpoint: Checkpoint) -> None:
    """Say how to convert weights that are there as a pickle alone, which could run code."""
    for name in ("pytorch_model.bin", "pytorch_model.bin.index.json"):
        if checkpoint.find(name) is not None:
            raise checkpoint.cannot_read(
                _PART,
                f"they are the pickle {name}, which could run code; where you trust it, load it by "
                "its own library and save it again: model.save_pretrained(folder)",
            )


def _files_of_weights(checkpoint: Checkpoint) -> dict[str, str]:
    """Return the file of every weight by the index, in which only safetensors may be named."""
    path = checkpoint.path
    try:
        files = checkpoint.table(_INDEX, _PART).get("weight_map")
    except InputError as error:
        reason = line_of(error)
        raise InputError(f"{path}: {_INDEX} is damaged ({reason}); fetch it again") from error
    if not isinstance(files, dict) or not files:
        raise InputError(f"{path}: {_INDEX} is damaged; fetch it again")
    for file in files.values():
        if not _is_beside(file):
            raise InputError(
                f"{path}: its index names the weight file {file!r:.80}; "
                "only safetensors files beside the index are read"
            )
    return files


def _is_beside(file: Any) -> bool:
    """Tell whether a name in the index is that of a safetensors file in the same folder."""
    if not isinstance(file, str) or not file.endswith(".safetensors"):
        return False
    return Path(file).name == file


def _header(checkpoint: Checkpoint, path: Path) -> Shapes:
    """Return the shapes of a file's weights by name; none of them is read."""
    shapes: Shapes = {}
    try:
        readable(path, give="the weights as safetensors", most=_MOST_BYTES)
        with safe_open(path, framework="pt") as file:
            for name in file.keys():  # noqa: SIM118 - it is no mapping
                part = file.get_slice(name)
                dtype = part.get_dtype()
                if dtype not in _DTYPES:
                    raise InputError(f"{name} is {dtype}; expected floating point numbers")
                shapes[name] = tuple(part.get_shape())
    except Exception as error:
        # The library raises errors of its own for damaged files.
        raise checkpoint.cannot_read(_PART, error) from error
    if not shapes:
        raise checkpoint.cannot_read(_PART, f"{path.name} holds no weight")
    return shapes


def _check_size(
    checkpoint: Checkpoint, build: Callable[[], nn.Module], n_blocks: int, shapes: Shapes
) -> None:
    """Refuse a configuration that wants many more blocks or weights than are stored."""
    if n_blocks > len(shapes):
        raise checkpoint.cannot_read(
            _PART,
            f"its configuration wants {n_blocks:,} blocks, but {len(shapes):,} weights are "
            "stored; mend config.json",
        )
    try:
        # On this device weights have shapes, but take no memory.
        with torch.device("meta"), quiet():
            model = build()
    except Exception as error:
        raise checkpoint.cannot_read("configuration", error) from error
    wanted = sum(weight.numel() for weight in model.state_dict().values())
    stored = sum(prod(shape) for shape in shapes.values())
    if wanted > 2 * stored + _SLACK:
        raise checkpoint.cannot_read(
            _PART,
            f"its configuration wants {wanted:,} numbers, but {stored:,} are stored; "
            "mend config.json",
        )


def _check_complete(checkpoint: Checkpoint, info: dict[str, Any]) -> None:
    """Refuse weights that are not those of the model: none is drawn anew, none left out."""
    path = checkpoint.path
    if info["mismatched_keys"]:
        key, stored, wanted = sorted(info["mismatched_keys"])[0]
        raise InputError(
            f"{path}: weight {key} has shape {list(stored)}, "
            f"but its configuration wants {list(wanted)}; mend config.json"
        )
    if info["missing_keys"]:
        names = ", ".join(sorted(info["missing_keys"])[:3])
        give = "give a checkpoint fine-tuned for classification"
        raise InputError(f"{path} has no weights for {names}; {give}")
    left_over = [key for key in sorted(info["unexpected_keys"]) if not _is_unused(key)]
    if left_over:
        raise InputError(
            f"{path} holds {len(left_over)} weights that its configuration has no place for, "
            f"such as {left_over[0]:.80}; mend config.json"
        )
    if info.get("error_msgs"):
        raise checkpoint.cannot_read(_PART, info["error_msgs"][0])


def _is_unused(key: str) -> bool:
    return any(part in f".{key}" for part in _UNUSED)


def _check_finite(checkpoint: Checkpoint, model: nn.Module) -> None:
    for name, weight in model.named_parameters():
        if not bool(weight.isfinite().all()):
            # A number that is finite in float32 may be none in float16.
            dtype = str(weight.dtype).removeprefix("torch.")
            reason = f"weight {name} holds NaN or infinity in {dtype}"
            raise checkpoint.cannot_read(_PART, reason)
