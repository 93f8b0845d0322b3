"""Direct logit attribution: what each patch token writes into the tokens that are classified.

In a transformer block the class token adds to itself, over heads and tokens j, A[class, j] V_j W_O:
one term an edge into the class token. Summed over blocks, and seen through the last layer norm (its
standard deviation held fixed) and the classifier, the term of token j is its direct share of a
logit, for every class at once and without a gradient.

A softmax does not change when all logits rise by as much, so there a share is less its mean over
classes; a sigmoid or a predicted value has a logit of its own, and its share stays whole. What goes
through the MLPs is not in it, nor is the half of DINOv2's classifier that reads the mean of the
patch tokens (Elhage et al., transformer-circuits.pub/2021/framework; Gandelsman, Efros, Steinhardt,
ICLR 2024, arXiv:2310.05916).
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import linear

from multiplex_vit.errors import InputError
from multiplex_vit.models.attention import attention_of_pass, finite, pools_of
from multiplex_vit.models.backbone import Backbone
from multiplex_vit.models.fast.batches import chunks_of_fixed_size, joined
from multiplex_vit.models.heads import Head
from multiplex_vit.models.linear import is_plain_scale, linear_map, norm_map
from multiplex_vit.models.running import attending


@torch.no_grad()
def attend_directly(
    backbone: Backbone, head: Head, tokens: Tensor, operators: Iterable[str | Callable]
) -> tuple[Tensor, Tensor, Tensor]:
    """Return pooled attention, class scores and the direct attribution of every patch token.

    It takes one forward pass. Parameters, attention and scores are those of `VisionModel.attend`.

    Returns
    -------
    attention, scores : Tensor
    shares : Tensor [image, node, class]
        float32; what attention brings of a token to the tokens that the classifier reads, in
        logits. With a softmax it is less its mean over classes.

    Raises
    ------
    InputError
        If the classifier is not linear.
    """
    pools = pools_of(operators)
    passes = []
    for chunk, count in chunks_of_fixed_size(tokens, tokens.shape[1]):
        direct = Direct(backbone, exclusive=head.score.exclusive)
        with direct.watching():
            results = attention_of_pass(backbone, chunk, pools, watch=direct.add)
        with attending(backbone.module, "sdpa"):
            shares = direct.attribution()
        passes.append(((*results, shares), count))
    attention, logits, shares = joined(passes)
    return finite(attention, pools), head.scores(logits), shares


class Direct:
    """What the blocks of one pass write from patch tokens to the tokens that are classified.

    Parameters
    ----------
    backbone : Backbone
    exclusive : bool
        Whether the classes share one probability, as with a softmax. Default: True.

    Raises
    ------
    InputError
        If the model has no linear classifiers after a layer norm.
    """

    def __init__(self, backbone: Backbone, *, exclusive: bool = True):
        module = backbone.module
        self.exclusive = exclusive
        self.kind = type(module).__name__
        self.n_prefix = backbone.n_prefix
        self.norm: Any = getattr(backbone.transformer, "layernorm", None)
        self.heads: list[Any] = []
        for name in backbone.adapter.readers:
            self.heads.append(getattr(module, name, None))
        if self.norm is None or None in self.heads:
            raise self._unfit()
        self.scales = [getattr(block, "layer_scale1", None) for block in backbone.blocks]
        self.n_blocks = 0
        self.written: Any = 0.0
        self.inputs: dict[nn.Module, Tensor] = {}

    def add(self, module: Any, weights: Tensor, value: Tensor) -> None:
        """Add what a block's attention brings of its values.

        Parameters
        ----------
        module : nn.Module
            The block's attention.
        weights : Tensor [image, head, query, key]
        value : Tensor [image, head, key, dimension]
        """
        # One term an edge: attention times value, for each reader, patch token and head.
        # float32 also of a model in float64, as all maps are.
        n_readers, n_prefix = len(self.heads), self.n_prefix
        read = weights[:, :, :n_readers, n_prefix:].float()
        values = value[:, :, None, n_prefix:].float()
        brought = read[..., None] * values
        by_token = brought.permute(0, 2, 3, 1, 4).flatten(3)
        projection = self._projection(module, value)
        self.written = self.written + linear(by_token, projection)
        self.n_blocks += 1

    def _projection(self, module: Any, value: Tensor) -> Tensor:
        """Return the matrix by which a block adds what its heads bring to a token.

        It is [width, head x dimension], the scale of the block's output included.
        """
        like = value.transpose(1, 2).flatten(2)
        output = linear_map(module.o_proj, like)
        if output is None:
            raise self._not_linear("output projection")
        scale = self.scales[self.n_blocks]
        if scale is None:
            return output.weight
        if is_plain_scale(scale):
            return scale.lambda1.float()[:, None] * output.weight
        scaled = linear_map(scale, like.new_empty(1, 1, len(output.weight)))
        if scaled is None:
            raise self._not_linear("scale")
        return scaled.weight @ output.weight

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Keep what enters the last layer norm and the classifiers."""

        def keep(part: nn.Module, args: tuple[Any, ...]) -> None:
            self.inputs[part] = args[0]

        parts = (self.norm, *self.heads)
        hooks = [part.register_forward_pre_hook(keep) for part in parts]
        try:
            yield
        finally:
            for hook in hooks:
                hook.remove()

    def attribution(self) -> Tensor:
        """Return the direct share [image, node, class] of every patch token in every logit."""
        last = self.inputs[self.norm]
        norm = norm_map(self.norm, last)
        if norm is None:
            raise self._unfit()
        variance = last[:, : len(self.heads)].float().var(-1, unbiased=False)
        spread = (variance + norm.eps).sqrt()
        parts = []
        for reader, head in enumerate(self.heads):
            classifier = linear_map(head, self.inputs[head])
            if classifier is None:
                raise self._unfit()
            weight = classifier.weight
            if self.exclusive:
                weight = weight - weight.mean(0)
            share = _read(weight, norm.weight, self.written[:, reader])
            parts.append(share / spread[:, reader, None, None])
        return torch.stack(parts).mean(0)

    def _unfit(self) -> InputError:
        return InputError(
            f"{self.kind} has no linear classifier after a layer norm, which direct attribution "
            "reads; give direct_weight=0"
        )

    def _not_linear(self, part: str) -> InputError:
        return InputError(
            f"the {part} of block {self.n_blocks} is not linear, but direct attribution reads it; "
            "give direct_weight=0"
        )


def _read(head: Tensor, norm: Tensor, written: Tensor) -> Tensor:
    """Return what a linear classifier reads through a layer norm of standard deviation 1.

    Parameters
    ----------
    head : Tensor [class, width]
    norm : Tensor [width]
        The layer norm's weight.
    written : Tensor [image, node, width]

    Returns
    -------
    Tensor [image, node, class]
    """
    weight = head[:, : written.shape[-1]] * norm
    # A layer norm takes the mean away from what it is given.
    return linear(written, weight - weight.mean(-1, keepdim=True))
