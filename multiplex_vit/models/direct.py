"""Direct logit attribution: what each patch token writes into the tokens that the classifier reads, as the classifier reads it.

In a transformer block the class token adds to itself, over heads and tokens j, A[class, j] V_j W_O: one term an edge into the class token.
Summed over blocks, and seen through the last layer norm (its standard deviation held fixed) and the classifier, the term of token j is
its direct share of a logit, for every class at once and without a gradient. What goes through the MLPs is not in it, nor is the half of
DINOv2's classifier that reads the mean of the patch tokens (Elhage et al., transformer-circuits.pub/2021/framework;
Gandelsman, Efros, Steinhardt, ICLR 2024, arXiv:2310.05916).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import linear
from transformers import PreTrainedModel

from multiplex_vit.errors import InputError


class Direct:
    """What the blocks of one pass write from patch tokens to the tokens that the classifier reads.

    Parameters
    ----------
    model : transformers.PreTrainedModel
    blocks : nn.ModuleList
        Its transformer blocks.
    readers : tuple of str
        Names of the linear layers that read the first tokens, in their order.
    n_prefix : int
        Tokens before the patch tokens.

    Raises
    ------
    InputError
        If the model has no such layers.
    """

    def __init__(self, model: PreTrainedModel, blocks: nn.ModuleList, readers: tuple[str, ...], n_prefix: int):
        self.heads = [getattr(model, name, None) for name in readers]
        self.norm = getattr(getattr(model, model.base_model_prefix), "layernorm", None)
        if not all(isinstance(head, nn.Linear) for head in self.heads) or not isinstance(self.norm, nn.LayerNorm):
            raise InputError(f"{type(model).__name__} has no linear classifier after a layer norm, which direct attribution reads; give direct_weight=0")
        self.scales = [getattr(getattr(block, "layer_scale1", None), "lambda1", 1.0) for block in blocks]
        self.n_prefix, self.count = n_prefix, 0
        self.written: Any = 0.0
        self.last: Tensor | None = None

    def add(self, module: Any, weights: Tensor, value: Tensor) -> None:
        """Add what a block's attention [image, head, query, key] brings of its values [image, head, key, dimension]."""
        read = weights[:, :, : len(self.heads), self.n_prefix :]
        brought = read[..., None] * value[:, :, None, self.n_prefix :].float()
        parts = linear(brought.permute(0, 2, 3, 1, 4).flatten(3), module.o_proj.weight.float())
        self.written = self.written + parts * self.scales[self.count]
        self.count += 1

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Keep what enters the last layer norm."""
        assert self.norm is not None
        hook = self.norm.register_forward_pre_hook(lambda _module, args: setattr(self, "last", args[0]))
        try:
            yield
        finally:
            hook.remove()

    def attribution(self) -> Tensor:
        """Return the direct share [image, node, class] of every patch token in every logit, less its mean over classes."""
        assert self.last is not None
        assert isinstance(self.norm, nn.LayerNorm)
        spread = (self.last[:, : len(self.heads)].float().var(-1, unbiased=False) + self.norm.eps).sqrt()
        parts = [_read(head, self.norm, self.written[:, i]) / spread[:, i, None, None] for i, head in enumerate(self.heads)]
        return torch.stack(parts).mean(0)


def _read(head: Any, norm: nn.LayerNorm, written: Tensor) -> Tensor:
    """Return what a linear classifier makes of values [image, node, width] through a layer norm, a standard deviation of 1 given."""
    weight = head.weight[:, : written.shape[-1]].float()
    seen = (weight - weight.mean(0)) * norm.weight.float()
    return linear(written, seen - seen.mean(-1, keepdim=True))
