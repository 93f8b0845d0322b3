"""Attention weights out of queries and keys, as eager implementations compute them."""

import torch
from torch import Tensor, nn

from multiplex_vit.models.port import Collector


def attended(
    query: Tensor, key: Tensor, mask: Tensor | None = None, scale: float | None = None
) -> Tensor:
    """Return the attention that queries pay to keys.

    Parameters
    ----------
    query, key : Tensor [..., token, number]
    mask : Tensor, optional
        Is added to the scores; of truth values, False leaves a key out. Default: None.
    scale : float, optional
        Default: None, 1 / sqrt(numbers).

    Returns
    -------
    Tensor [..., query, key]
        Half precision is raised to float32, while float64 stays.

    Examples
    --------
    >>> attended(torch.zeros(1, 1, 1, 4), torch.zeros(1, 1, 2, 4)).tolist()
    [[[[0.5, 0.5]]]]
    """
    if scale is None:
        scale = query.shape[-1] ** -0.5
    scores = torch.matmul(query, key.transpose(-2, -1)) * scale
    if mask is not None and mask.dtype == torch.bool:
        scores = scores.masked_fill(~mask, -torch.inf)
    elif mask is not None:
        scores = scores + mask
    dtype = torch.promote_types(scores.dtype, torch.float32)
    return scores.softmax(-1, dtype=dtype)


def attended_by_torch(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    *,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> tuple[Tensor, Tensor]:
    """Return attention weights, and the values that they mix, of scaled_dot_product_attention.

    Parameters are those of `torch.nn.functional.scaled_dot_product_attention`. Nothing drops out,
    as in evaluation mode.

    Returns
    -------
    weights : Tensor [..., query, key]
        See `attended`.
    value : Tensor [..., key, number]
        As many heads as there are of queries.

    Examples
    --------
    >>> weights, _ = attended_by_torch(*torch.zeros(3, 1, 1, 2, 4), is_causal=True)
    >>> weights.tolist()
    [[[[1.0, 0.0], [0.5, 0.5]]]]
    """
    if enable_gqa:
        repeats = query.shape[-3] // key.shape[-3]
        key = key.repeat_interleave(repeats, dim=-3)
        value = value.repeat_interleave(repeats, dim=-3)
    if is_causal:
        shape = query.shape[-2], key.shape[-2]
        attn_mask = torch.ones(shape, dtype=torch.bool, device=query.device).tril()
    return attended(query, key, attn_mask, scale), value


def mixed(collect: Collector, module: nn.Module, weights: Tensor, value: Tensor) -> Tensor:
    """Return what a block's attention brings, after showing its weights to a collector.

    Parameters
    ----------
    collect : callable
        May give other weights, which then are used.
    module : nn.Module
        The block's attention.
    weights : Tensor [image, head, query, key]
    value : Tensor [image, head, key, number]

    Returns
    -------
    Tensor [image, head, query, number]
    """
    changed = collect(module, weights, value)
    if changed is not None:
        weights = changed
    return torch.matmul(weights.to(value.dtype), value)
