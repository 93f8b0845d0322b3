"""Tensors that a user gives: what cannot be computed with is refused before a pass is made."""

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from multiplex_vit.errors import InputError
from multiplex_vit.limits import MOST_TOKENS


def held(values: Tensor) -> Tensor:
    """Return a tensor that holds a number for every place.

    Raises
    ------
    InputError
        If it is on the meta device, sparse or quantized.

    Examples
    --------
    >>> held(torch.ones(2)).tolist()
    [1.0, 1.0]
    >>> held(torch.ones(2, device="meta"))
    Traceback (most recent call last):
    multiplex_vit.errors.InputError: a tensor on the meta device holds no values; give one ...
    """
    if values.is_meta:
        where = "give one on the CPU or a GPU"
        raise InputError(f"a tensor on the meta device holds no values; {where}")
    if values.layout != torch.strided or values.is_quantized:
        kind = "quantized" if values.is_quantized else "sparse"
        raise InputError(f"a {kind} tensor cannot be computed with here; give a dense one")
    return values


def refuse_meta(model: nn.Module) -> None:
    """Refuse a model whose weights, or some of them, hold no values."""
    for name, weight in model.named_parameters():
        if weight.is_meta:
            why = f"weight {name} is on the meta device, which holds no values"
            raise InputError(f"{why}; load the model onto the CPU or a GPU")


def masks_of(kept: Any, n_nodes: int) -> np.ndarray:
    """Return masks as bool [mask, node].

    Parameters
    ----------
    kept : Tensor or ndarray [mask, node]
        Truth values, or whole numbers 0 and 1.
    n_nodes : int

    Raises
    ------
    InputError
        If they are something else, or have another shape.

    Examples
    --------
    >>> masks_of([[1, 0]], 2).tolist()
    [[True, False]]
    >>> masks_of([[0.5, 0]], 2)
    Traceback (most recent call last):
    multiplex_vit.errors.InputError: masks are float64 [1, 2]; bool [mask, 2] is wanted
    """
    values = held(kept.detach()).cpu() if isinstance(kept, Tensor) else kept
    masks = np.asarray(values)
    fits = masks.ndim == 2 and masks.shape[1] == n_nodes
    if masks.dtype.kind in "iu" and np.isin(masks, (0, 1)).all():
        masks = masks.astype(bool)
    if not fits or masks.dtype.kind != "b":
        shape = f"{masks.dtype} {list(masks.shape)}"
        raise InputError(f"masks are {shape}; bool [mask, {n_nodes}] is wanted")
    return masks


def refuse_many_tokens(n_tokens: int) -> None:
    """Refuse an image of more tokens than attention between them can be kept."""
    if n_tokens > MOST_TOKENS:
        why = f"the image makes {n_tokens:,} patches; at most {MOST_TOKENS:,} are taken"
        raise InputError(f"{why}: shrink it")
