"""Loading a model: a bundled one, a local folder, or one of the Hugging Face hub."""

import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import torch
import transformers
from huggingface_hub.constants import ENDPOINT
from transformers import AutoConfig, AutoImageProcessor
from transformers.utils import cached_file, logging

from multiplex_vit.errors import InputError
from multiplex_vit.models.adapters import adapter_of
from multiplex_vit.models.bundled import bundled
from multiplex_vit.models.rounding import TF32
from multiplex_vit.models.vision_model import VisionModel

DTYPES = {"float32": torch.float32, "float16": torch.float16, "bfloat16": torch.bfloat16}


def load(name: str | Path, *, device: str | torch.device = "auto", dtype: str | torch.dtype = "auto", passes: str | torch.dtype | None = None) -> VisionModel:
    """Load a Vision Transformer with its image processor.

    Parameters
    ----------
    name : str or path-like
        "demo-vit" or "demo-deit" (bundled), a local checkpoint folder, or a hub id such as "google/vit-base-patch16-224".
    device : str or torch.device
        "auto" takes a CUDA GPU where there is one.
    dtype : str or torch.dtype
        "float32", "float16" or "bfloat16"; "auto" is float32 on the CPU and the checkpoint's own type elsewhere.
    passes : str or torch.dtype, optional
        Another type for the passes that classify masks and images, or "tf32" (float32 rounded in a GPU's matrix products). Attention, and with it the
        masks, keeps `dtype`. `analysis/benchmark.py` shows what it gives and how far heatmaps move.

    Returns
    -------
    VisionModel
        In evaluation mode. Weights are read from safetensors only, and no code of the checkpoint is run.

    Raises
    ------
    InputError
        If there is no such model, it is not a supported image classifier, its weights or image processor are missing, or
        the device or type is unknown.

    Examples
    --------
    >>> load("demo-vit", device="cpu").grid
    (8, 8)
    """
    place = _device(device)
    other = passes if passes in (None, TF32) else _dtype("" if passes == "auto" else passes, place)
    path = str(bundled().get(str(name), name))
    config = _read(AutoConfig, path, "configuration")
    architectures = getattr(config, "architectures", None) or [type(config).__name__]
    architecture = str(architectures if isinstance(architectures, str) else architectures[0])
    adapter_of(architecture)
    _refuse_pickles(path)
    model = _weights(getattr(transformers, architecture), path, _dtype(dtype, place))
    processor = _read(AutoImageProcessor, path, "image processor", backend="pil")
    return VisionModel(model.eval().to(place), processor, name=str(name), passes=other)


def _weights(model_class: Any, path: str, dtype: torch.dtype | str) -> Any:
    """Return a model whose every weight comes from its checkpoint."""
    options = {"dtype": dtype, "use_safetensors": True, "ignore_mismatched_sizes": True, "trust_remote_code": False}
    try:
        with _quiet():
            model, info = model_class.from_pretrained(path, output_loading_info=True, local_files_only=_local_only(path), **options)
    except Exception as error:
        raise InputError(_why(path, "weights (safetensors)", error)) from error
    if info["mismatched_keys"]:
        key, stored, configured = next(iter(info["mismatched_keys"]))
        raise InputError(f"{path}: weight {key} has shape {list(stored)}, but its configuration wants {list(configured)}; mend config.json")
    if info["missing_keys"]:
        names = ", ".join(sorted(info["missing_keys"])[:3])
        raise InputError(f"{path} has no weights for {names}; give a checkpoint fine-tuned for classification")
    return model


def _read(auto: Any, path: str, what: str, **options: Any) -> Any:
    try:
        with _quiet():
            return auto.from_pretrained(path, trust_remote_code=False, local_files_only=_local_only(path), **options)
    except Exception as error:
        raise InputError(_why(path, what, error)) from error


def _refuse_pickles(path: str) -> None:
    """Refuse a checkpoint whose index of weight files names anything but safetensors beside it."""
    try:
        index = cached_file(path, "model.safetensors.index.json", local_files_only=_local_only(path))
    except OSError:
        return
    try:
        files = set(json.loads(Path(index).read_text(encoding="utf-8"))["weight_map"].values())
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(f"{path}: model.safetensors.index.json is damaged; fetch it again") from error
    bad = [str(file) for file in files if not str(file).endswith(".safetensors") or Path(str(file)).name != str(file)]
    if bad:
        raise InputError(f"{path}: its index names the weight file {bad[0]!r}; only safetensors files beside the index are read")


def _local_only(path: str) -> bool:
    """Tell whether to ask the disk alone: for a folder, and where the hub has no address (which spares half a minute of retries)."""
    if Path(path).is_dir():
        return True
    if any(name in os.environ for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy")):
        return False
    try:
        socket.getaddrinfo(urlsplit(ENDPOINT).hostname, 443)
    except OSError:
        return True
    return False


def _why(path: str, what: str, error: Exception) -> str:
    """Return one line that says why a part of a checkpoint could not be read."""
    if Path(path).is_dir():
        return f"cannot read the {what} of {path}: {_line(error)}"
    known = ", ".join(bundled())
    return f"cannot load {path}: it is no local folder, and its {what} cannot be fetched from the hub ({_line(error)}); bundled models: {known}"


def _line(error: Exception) -> str:
    """Return the first line of an error's message, at most 200 characters."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200].rstrip(". ")


def _device(device: str | torch.device) -> torch.device:
    if device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        place = torch.device(device)
        if place.type == "meta":
            raise RuntimeError("it holds no values")
        torch.empty(1, device=place)
    except (RuntimeError, AssertionError, NotImplementedError, TypeError) as error:
        raise InputError(f"device {device!r} cannot be used here ({_line(error)}); give 'auto', 'cpu' or 'cuda'") from error
    return place


def _dtype(dtype: str | torch.dtype, device: torch.device) -> torch.dtype | str:
    if dtype == "auto":
        return torch.float32 if device.type == "cpu" else "auto"
    if isinstance(dtype, str) and dtype.removeprefix("torch.") in DTYPES:
        return DTYPES[dtype.removeprefix("torch.")]
    if isinstance(dtype, torch.dtype) and dtype in DTYPES.values():
        return dtype
    raise InputError(f"unknown dtype {dtype!r}; give 'auto', {', '.join(map(repr, DTYPES))}")


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep transformers' progress bars and warnings about unused weights off the screen."""
    verbosity, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(verbosity)
        if bars:
            logging.enable_progress_bar()
