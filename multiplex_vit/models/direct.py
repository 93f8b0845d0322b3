"""Direct logit attribution: what each patch token writes into the tokens that the classifier reads, as the classifier reads it.

In a transformer block the class token adds to itself, over heads and tokens j, A[class, j] V_j W_O: one term an edge into the class token.
Summed over blocks, and seen through the last layer norm (its standard deviation held fixed) and the classifier, the term of token j is
its direct share of a logit, for every class at once and without a gradient. A softmax does not change when all logits rise by as much, so
there a share is less its mean over classes; a sigmoid or a predicted value has a logit of its own, and its share stays whole. What goes through the MLPs is not in it, nor is the half of
DINOv2's classifier that reads the mean of the patch tokens (Elhage et al., transformer-circuits.pub/2021/framework;
Gandelsman, Efros, Steinhardt, ICLR 2024, arXiv:2310.05916).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import linear

from multiplex_vit.errors import InputError
from multiplex_vit.models.libraries import PreTrainedModel
from multiplex_vit.models.linear import is_plain_scale, linear_map, norm_map


class Direct:
    """What the blocks of one pass write from patch tokens to the tokens that the classifier reads.

    Parameters
    ----------
    model : transformers.PreTrainedModel
    blocks : nn.ModuleList
        Its transformer blocks.
    readers : tuple of str
        Names of the layers that read the first tokens, in their order.
    n_prefix : int
        Tokens before the patch tokens.
    exclusive : bool
        Whether the classes share one probability, as with a softmax.

    Raises
    ------
    InputError
        If the model has no such layers.
    """

    def __init__(
        self,
        model: PreTrainedModel,
        blocks: nn.ModuleList,
        readers: tuple[str, ...],
        n_prefix: int,
        *,
        exclusive: bool = True,
    ):
        self.exclusive = exclusive
        self.name = type(model).__name__
        self.heads: list[Any] = [getattr(model, name, None) for name in readers]
        self.norm: Any = getattr(getattr(model, model.base_model_prefix), "layernorm", None)
        if None in (*self.heads, self.norm):
            raise InputError(_unfit(self.name))
        self.scales = [getattr(block, "layer_scale1", None) for block in blocks]
        self.n_prefix, self.count = n_prefix, 0
        self.written: Any = 0.0
        self.given: dict[nn.Module, Tensor] = {}

    def add(self, module: Any, weights: Tensor, value: Tensor) -> None:
        """Add what a block's attention [image, head, query, key] brings of its values [image, head, key, dimension]."""
        read = weights[:, :, : len(self.heads), self.n_prefix :]
        brought = read[..., None] * value[:, :, None, self.n_prefix :].float()
        parts = linear(brought.permute(0, 2, 3, 1, 4).flatten(3), self._projection(module, value))
        self.written = self.written + parts
        self.count += 1

    def _projection(self, module: Any, value: Tensor) -> Tensor:
        """Return the matrix [width, head x dimension] by which a block adds what its heads bring to a token."""
        like = value.transpose(1, 2).flatten(2)
        output = linear_map(module.o_proj, like)
        if output is None:
            raise InputError(
                f"the output projection of block {self.count} is not linear, but direct attribution reads it; give direct_weight=0"
            )
        scale = self.scales[self.count]
        if scale is None:
            return output.weight
        if is_plain_scale(scale):
            return scale.lambda1.float()[:, None] * output.weight
        scaled = linear_map(scale, like.new_empty(1, 1, len(output.weight)))
        if scaled is None:
            raise InputError(
                f"the scale of block {self.count} is not linear, but direct attribution reads it; give direct_weight=0"
            )
        return scaled.weight @ output.weight

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Keep what enters the last layer norm and the classifiers."""
        parts = (self.norm, *self.heads)
        hooks = [
            part.register_forward_pre_hook(lambda part, args: self.given.update({part: args[0]}))
            for part in parts
        ]
        try:
            yield
        finally:
            for hook in hooks:
                hook.remove()

    def attribution(self) -> Tensor:
        """Return the direct share [image, node, class] of every patch token in every logit."""
        last = self.given[self.norm]
        norm = norm_map(self.norm, last)
        heads = [linear_map(head, self.given[head]) for head in self.heads]
        if norm is None:
            raise InputError(_unfit(self.name))
        spread = (last[:, : len(heads)].float().var(-1, unbiased=False) + norm.eps).sqrt()
        parts = []
        for reader, head in enumerate(heads):
            if head is None:
                raise InputError(_unfit(self.name))
            weight = head.weight - head.weight.mean(0) if self.exclusive else head.weight
            read = _read(weight, norm.weight, self.written[:, reader])
            parts.append(read / spread[:, reader, None, None])
        return torch.stack(parts).mean(0)


def _unfit(name: str) -> str:
    return f"{name} has no linear classifier after a layer norm, which direct attribution reads; give direct_weight=0"


def _read(head: Tensor, norm: Tensor, written: Tensor) -> Tensor:
    """Return what a linear classifier [class, width] makes of values [image, node, width] through a layer norm's weight [width],
    a standard deviation of 1 given."""
    seen = head[:, : written.shape[-1]] * norm
    return linear(written, seen - seen.mean(-1, keepdim=True))
