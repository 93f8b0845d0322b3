"""Tensors that a user gives: checked before a pass is computed, and brought to the device."""

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from multiplex_vit.errors import InputError
from multiplex_vit.limits import MOST_TOKENS


def computable(values: Tensor) -> Tensor:
    """Return a tensor after checking that it can be computed with.

    Raises
    ------
    InputError
        If it is on the meta device, sparse or quantized.

    Examples
    --------
    >>> computable(torch.ones(2)).tolist()
    [1.0, 1.0]
    >>> computable(torch.ones(2, device="meta"))
    Traceback (most recent call last):
    multiplex_vit.errors.InputError: a tensor on the meta device holds no values; give one ...
    """
    if values.is_meta:
        raise InputError(
            "a tensor on the meta device holds no values; give one on the CPU or a GPU"
        )
    if values.layout != torch.strided or values.is_quantized:
        kind = "quantized" if values.is_quantized else "sparse"
        raise InputError(f"a {kind} tensor cannot be computed with here; give a dense one")
    return values


def to_device(values: Tensor, device: torch.device, dtype: torch.dtype | None = None) -> Tensor:
    """Return values on a device.

    Parameters
    ----------
    values : Tensor
    device : torch.device
        On the way to a GPU values pass through pinned memory, so that nothing waits for them.
    dtype : torch.dtype, optional
        Default: None, that of the values.
    """
    computable(values)
    if device.type == "cuda" and values.device.type == "cpu":
        # Only a copy from pinned memory runs beside the computation.
        values = values.pin_memory()
    return values.to(device, dtype, non_blocking=True)


def refuse_shape(name: str, values: Tensor | np.ndarray, *axes: int | str) -> None:
    """Refuse values of other axes: a number is how long one is, a text what it is of.

    Raises
    ------
    InputError

    Examples
    --------
    >>> refuse_shape("pixels", np.zeros((3, 4, 4)), "image", 3, "row", "col")
    Traceback (most recent call last):
    multiplex_vit.errors.InputError: pixels have shape [3, 4, 4]; give [image, 3, row, col]
    """
    shape = tuple(values.shape)
    fits = len(shape) == len(axes)
    for length, axis in zip(shape, axes, strict=False):
        if isinstance(axis, int):
            fits = fits and axis == length
    if not fits:
        raise InputError(f"{name} have shape {list(shape)}; give [{', '.join(map(str, axes))}]")


def refuse_meta(model: nn.Module) -> None:
    """Refuse a model whose weights, or some of them, hold no values."""
    for name, weight in model.named_parameters():
        if weight.is_meta:
            raise InputError(
                f"weight {name} is on the meta device, which holds no values; "
                "load the model onto the CPU or a GPU"
            )


def as_masks(values: Any, n_nodes: int) -> np.ndarray:
    """Return masks as bool [mask, node].

    Parameters
    ----------
    values : Tensor or ndarray [mask, node]
        Truth values, or whole numbers 0 and 1.
    n_nodes : int

    Raises
    ------
    InputError
        If they are something else, or have another shape.

    Examples
    --------
    >>> as_masks([[1, 0]], 2).tolist()
    [[True, False]]
    >>> as_masks([[0.5, 0]], 2)
    Traceback (most recent call last):
    multiplex_vit.errors.InputError: masks are float64 [1, 2]; expected bool [mask, 2]
    """
    if isinstance(values, Tensor):
        values = computable(values.detach()).cpu()
    masks = np.asarray(values)
    # Python's lists and other libraries' arrays may hold 0 and 1.
    if masks.dtype.kind in "iu" and np.isin(masks, (0, 1)).all():
        masks = masks.astype(bool)
    fits = masks.ndim == 2 and masks.shape[1] == n_nodes
    if not fits or masks.dtype.kind != "b":
        shape = f"{masks.dtype} {list(masks.shape)}"
        raise InputError(f"masks are {shape}; expected bool [mask, {n_nodes}]")
    return masks


def refuse_many_tokens(n_tokens: int) -> None:
    """Refuse an image of more tokens than attention between them can be kept."""
    if n_tokens > MOST_TOKENS:
        raise InputError(
            f"the image makes {n_tokens:,} patches; at most {MOST_TOKENS:,} are taken: shrink it"
        )
