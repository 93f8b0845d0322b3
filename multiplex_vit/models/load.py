"""Loading a model: a bundled one, a local folder, or one of the Hugging Face hub."""

import os
from pathlib import Path
from typing import Any

import torch

from multiplex_vit.arguments import checked_but
from multiplex_vit.checks import shown
from multiplex_vit.errors import InputError
from multiplex_vit.models.checkpoint import Checkpoint, line_of
from multiplex_vit.models.configuration import read_configuration
from multiplex_vit.models.fast.rounding import TF32
from multiplex_vit.models.fast.switches import Fast
from multiplex_vit.models.processor import read_processor
from multiplex_vit.models.score import AUTO, checked_score
from multiplex_vit.models.vision_model import VisionModel
from multiplex_vit.models.weights import read_weights

DTYPES = {
    "float32": torch.float32,
    "float16": torch.float16,
    "bfloat16": torch.bfloat16,
}


@checked_but("name", "dtype", "mask_dtype", "score")
def load(
    name: str | Path,
    *,
    device: str | torch.device = "auto",
    dtype: str | torch.dtype = "auto",
    mask_dtype: str | torch.dtype | None = None,
    score: str = AUTO,
    fast: Fast | bool = True,
) -> VisionModel:
    """Load a Vision Transformer with its image processor.

    Parameters
    ----------
    name : str or path-like
        "demo-photo", "demo-vit" or "demo-deit" (bundled), a local checkpoint folder, or a hub id
        such as "google/vit-base-patch16-224".
    device : str or torch.device
        Default: "auto", a CUDA GPU where there is one.
    dtype : str or torch.dtype
        "float32", "float16" or "bfloat16". Default: "auto", which is float32 on the CPU and the
        checkpoint's own type elsewhere.
    mask_dtype : str or torch.dtype, optional
        Type in which masks and images are classified, or "tf32" (float32 rounded in a GPU's matrix
        products). Attention, and with it the masks, keeps `dtype`. `analysis/benchmark.py` shows
        how much faster it is, and how far heatmaps move. Default: None, as `dtype`.
    score : str
        What the logits mean: "softmax" (one class out of several), "sigmoid" (every class for
        itself) or "raw" (a predicted value). Default: "auto", which follows the checkpoint's
        `problem_type`; one logit gets a sigmoid.
    fast : Fast or bool
        Which shortcuts are taken when masks and images are classified; False takes none.
        Default: True, all of them.

    Returns
    -------
    VisionModel
        In evaluation mode. Weights are read from safetensors only, and no code of the checkpoint
        is run.

    Raises
    ------
    InputError
        If there is no such model, it is not a supported image classifier, its weights or image
        processor are missing or not as its configuration says, or the device, type or score is
        unknown.

    Examples
    --------
    >>> load("demo-vit", device="cpu").grid
    (8, 8)
    """
    _check_name(name)
    target = _device(device)
    # All options are checked before a checkpoint is fetched or read.
    checked_score(score)
    weights_dtype, mask_dtype = _dtype(dtype, target), _mask_dtype(mask_dtype)
    checkpoint = Checkpoint.of(name)
    model_class, config = read_configuration(checkpoint)
    model = read_weights(checkpoint, model_class, config, dtype=weights_dtype)
    processor = read_processor(checkpoint, config)
    return VisionModel(
        model.eval().to(target),
        processor,
        name=str(name),
        mask_dtype=mask_dtype,
        score=score,
        fast=fast,
    )


def _check_name(name: Any) -> None:
    """Refuse what is no name, such as a model that is loaded already."""
    if isinstance(name, (str, os.PathLike)):
        return
    if hasattr(name, "state_dict") or hasattr(name, "model"):
        raise InputError(
            f"load takes a name or a folder, not the {type(name).__name__} itself; "
            "give VisionModel(module, processor) for a module in memory"
        )
    raise InputError(
        f"the model's name is {name!r}; "
        "give the name of a bundled model, a checkpoint folder or a hub id"
    )


def _device(device: str | torch.device) -> torch.device:
    if device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        target = torch.device(device)
        if target.type == "meta":
            raise RuntimeError("it holds no values")
        # Some devices are known to torch, but are not there.
        torch.empty(1, device=target)
    except (RuntimeError, AssertionError, NotImplementedError, TypeError) as error:
        raise InputError(
            f"device {device!r} cannot be used here ({line_of(error)}); "
            "give 'auto', 'cpu' or 'cuda'"
        ) from error
    return target


def _dtype(dtype: str | torch.dtype, device: torch.device) -> torch.dtype | str:
    if isinstance(dtype, str) and dtype == "auto":
        return torch.float32 if device.type == "cpu" else "auto"
    floating = _floating_dtype(dtype)
    if floating is None:
        names = ", ".join(map(repr, DTYPES))
        raise InputError(f"unknown dtype {shown(dtype)}; give 'auto', {names}")
    return floating


def _mask_dtype(mask_dtype: str | torch.dtype | None) -> torch.dtype | str | None:
    if mask_dtype is None or (isinstance(mask_dtype, str) and mask_dtype == TF32):
        return mask_dtype
    floating = _floating_dtype(mask_dtype)
    if floating is None:
        names = ", ".join(map(repr, [TF32, *DTYPES]))
        raise InputError(f"unknown mask_dtype {shown(mask_dtype)}; give None, {names}")
    return floating


def _floating_dtype(dtype: Any) -> torch.dtype | None:
    """Return a type given by name or as it is; None if it is none of `DTYPES`."""
    if isinstance(dtype, str):
        return DTYPES.get(dtype.removeprefix("torch."))
    if isinstance(dtype, torch.dtype) and dtype in DTYPES.values():
        return dtype
    return None
