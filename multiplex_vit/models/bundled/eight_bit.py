"""Weights of a bundled model as 8-bit whole numbers, which take half the space of float16."""

from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor

from multiplex_vit.models.bundled import bundled

FILE = "model_8bit.safetensors"
"""Name of the file; another than that of floating point weights, so that neither is taken for the other."""

_SCALE = ".scale"
_LARGEST = 127


def eight_bit_file(folder: str | Path) -> Path | None:
    """Return the file of 8-bit weights of a bundled model's folder, or None for any other folder.

    Examples
    --------
    >>> eight_bit_file("my_checkpoint") is None
    True
    """
    if Path(folder) not in bundled().values():
        return None
    file = Path(folder) / FILE
    return file if file.is_file() else None


def read_eight_bit(file: Path) -> dict[str, Tensor]:
    """Return the weights of a file of 8-bit weights in float32, by name."""
    return dequantised(load_file(file))


def quantised(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return weights with every matrix as 8-bit whole numbers and a scale for each output channel.

    Parameters
    ----------
    weights : mapping of str to Tensor
        Floating point weights by name. A matrix is a weight `NAME.weight` of two or more axes, the
        first of which counts output channels.

    Returns
    -------
    dict of str to Tensor
        For a matrix W, `NAME.weight` (int8, the shape of W) and `NAME.weight.scale` (float32
        [channel]) with W[c] = scale[c] * whole[c], up to half a scale: scale[c] is the largest
        magnitude of W[c] divided by 127. Other weights are as they were given.

    Examples
    --------
    >>> whole = quantised({"head.weight": torch.tensor([[0.5, -1.0], [0.0, 2.0]])})
    >>> whole["head.weight"].tolist()
    [[64, -127], [0, 127]]
    """
    stored = {}
    for name, weight in weights.items():
        if not name.endswith(".weight") or weight.ndim < 2:
            stored[name] = weight
            continue
        rows = weight.float().flatten(start_dim=1)
        scale = rows.abs().amax(dim=1) / _LARGEST
        # A channel of zeros has the scale 0, and must not be divided by it.
        whole = (rows / scale.clamp(min=torch.finfo(torch.float32).tiny)[:, None]).round()
        stored[name] = whole.to(torch.int8).reshape(weight.shape)
        stored[name + _SCALE] = scale
    return stored


def dequantised(stored: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return float32 weights from what `quantised` returned.

    Parameters
    ----------
    stored : mapping of str to Tensor
        Whole numbers with their scales, and floating point weights without.

    Examples
    --------
    >>> weights = {"head.weight": torch.tensor([[0.5, -1.0]]), "head.bias": torch.tensor([0.25])}
    >>> dequantised(quantised(weights))["head.weight"]
    tensor([[ 0.5039, -1.0000]])
    """
    weights = {}
    for name, values in stored.items():
        if name.endswith(_SCALE):
            continue
        weights[name] = values.float()
        if name + _SCALE in stored:
            scale = stored[name + _SCALE]
            weights[name] *= scale.reshape(-1, *[1] * (values.ndim - 1))
    return weights
