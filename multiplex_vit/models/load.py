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
from multiplex_vit.models.families.zero_shot import Classes, reads_text
from multiplex_vit.models.fast.rounding import TF32
from multiplex_vit.models.fast.switches import Fast
from multiplex_vit.models.ports import port_of
from multiplex_vit.models.processor import read_processor
from multiplex_vit.models.score import AUTO, checked_score
from multiplex_vit.models.timm_checkpoint import is_of_timm, read_timm
from multiplex_vit.models.tokenizer import Reader, read_tokenizer
from multiplex_vit.models.transform import as_processor
from multiplex_vit.models.vision_model import VisionModel
from multiplex_vit.models.weights import read_weights
from multiplex_vit.models.wrap import named, port_of_texts, refuse_other_number

DTYPES = {
    "float32": torch.float32,
    "float16": torch.float16,
    "bfloat16": torch.bfloat16,
}


@checked_but("name", "dtype", "mask_dtype", "score", "processor")
def load(
    name: str | Path,
    *,
    device: str | torch.device = "auto",
    dtype: str | torch.dtype = "auto",
    mask_dtype: str | torch.dtype | None = None,
    score: str = AUTO,
    fast: Fast | bool = True,
    classes: Classes | None = None,
    processor: Any = None,
    interpolate: bool = False,
) -> VisionModel:
    """Load a Vision Transformer with its image processor.

    Parameters
    ----------
    name : str or path-like
        "demo-photo", "demo-vit" or "demo-deit" (bundled), a local checkpoint folder, or a hub id
        such as "google/vit-base-patch16-224" (transformers) or
        "timm/vit_base_patch16_224.augreg_in1k" (timm).
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
    classes : sequence of str, or mapping of str to text or texts, optional
        Names of the classes, which a model that reads text too, such as CLIP, needs; see
        `multiplex_vit.models.wrap.wrap`. Default: None, the checkpoint's own.
    processor : callable, optional
        Turns images into pixel values, in place of the checkpoint's image processor. Default:
        None, the checkpoint's own.
    interpolate : bool
        Whether images of other sizes are taken; see `multiplex_vit.models.wrap.wrap`.
        Default: False.

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
    prepare = as_processor(processor)
    checkpoint = Checkpoint.of(name)
    if is_of_timm(checkpoint):
        module, transform, names = read_timm(checkpoint, dtype=weights_dtype)
        prepare = prepare or as_processor(transform)
        classes = classes or names or None
    else:
        model_class, config = read_configuration(checkpoint)
        module = read_weights(checkpoint, model_class, config, dtype=weights_dtype)
        prepare = prepare or read_processor(checkpoint, config)
    module = module.eval().to(target)
    if reads_text(module):
        tokenizer = getattr(processor, "tokenizer", None)
        reader = Reader(prepare, tokenizer or read_tokenizer(checkpoint, type(module)))
        port, wanted = port_of_texts(module, reader, classes, str(name), interpolate=interpolate)
        score = wanted if score == AUTO else score
    else:
        port = port_of(module, str(name), interpolate=interpolate)
    if classes is not None:
        port = named(port, classes)
    model = VisionModel(
        port,
        prepare,
        mask_dtype=mask_dtype,
        score=score,
        fast=fast,
    )
    refuse_other_number(model, classes)
    return model


def _check_name(name: Any) -> None:
    """Refuse what is no name, such as a model that is loaded already."""
    if isinstance(name, (str, os.PathLike)):
        return
    if hasattr(name, "state_dict") or hasattr(name, "model"):
        raise InputError(
            f"load takes a name or a folder, not the {type(name).__name__} itself; "
            "give wrap(module, processor) for a module in memory"
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
