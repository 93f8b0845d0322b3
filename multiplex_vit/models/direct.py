"""Direct logit attribution: what each patch token writes into the tokens that are classified.

In a transformer block the class token adds to itself, over heads and tokens j, A[class, j] V_j W_O:
one term an edge into the class token. Summed over blocks, and seen through the last layer norm (its
standard deviation held fixed) and the classifier, the term of token j is its direct share of a
logit, for every class at once and without a gradient. Where the classifier reads the mean of the
patch tokens, that mean takes the place of the class token.

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
from multiplex_vit.models.fast.batches import chunks_of_fixed_size, joined
from multiplex_vit.models.heads import TextHead
from multiplex_vit.models.linear import NormMap, is_plain_scale, linear_map, norm_map
from multiplex_vit.models.logits import Logits
from multiplex_vit.models.port import ATTENTION, PATCHES, Port, Tokens, part_at
from multiplex_vit.models.running import attending, inputs_of


@torch.no_grad()
def attend_directly(
    port: Port, outputs: Logits, tokens: Tokens, operators: Iterable[str | Callable]
) -> tuple[Tensor, Tensor, Tensor]:
    """Return pooled attention, class scores and the direct attribution of every patch token.

    It takes one forward pass, and a second one where the classifier reads the mean of patch tokens
    that went through a layer norm each. Parameters, attention and scores are those of
    `VisionModel.attend`.

    Returns
    -------
    attention, scores : Tensor
    shares : Tensor [image, node, class]
        float32; what attention brings of a token to the tokens that the classifier reads, in
        logits. With a softmax it is less its mean over classes.

    Raises
    ------
    InputError
        If the classifier is not linear, or reads tokens by attention of its own.
    """
    pools = pools_of(operators)
    passes = []
    for values, count in chunks_of_fixed_size(tokens.values, tokens.shape[1]):
        chunk = Tokens(values, tokens.grid)
        direct = Direct(port, exclusive=outputs.score.exclusive)
        with direct.watching():
            results = attention_of_pass(port, chunk, pools, watch=direct.add)
        if direct.needs_spread:
            # Now that it is known how far each token's numbers spread at the end.
            direct.start_again()
            attention_of_pass(port, chunk, pools, watch=direct.add)
        with attending(port.module):
            shares = direct.attribution()
        passes.append(((*results, shares), count))
    attention, logits, shares = joined(passes)
    return finite(attention, pools), outputs.scores(logits), shares


class Direct:
    """What the blocks of one pass write from patch tokens to the tokens that are classified.

    Parameters
    ----------
    port : Port
    exclusive : bool
        Whether the classes share one probability, as with a softmax. Default: True.

    Raises
    ------
    InputError
        If the model has no linear classifiers.
    """

    def __init__(self, port: Port, *, exclusive: bool = True):
        self.port = port
        self.exclusive = exclusive
        self.kind = type(port.module).__name__
        self.reads = port.head.reads
        if self.reads == ATTENTION or not port.head.readers or not port.trunk.output:
            raise self._unfit()
        self.norm: Any = port.part(port.head.norm) if port.head.norm else None
        self.heads: list[Any] = port.readers
        self.needs_spread = self.reads == PATCHES and port.head.norm_first and bool(self.norm)
        self.blocks = port.blocks
        self.spread: Tensor | None = None
        self.n_blocks = 0
        self.written: Any = 0.0
        self.inputs: dict[nn.Module, Tensor] = {}

    def start_again(self) -> None:
        """Forget what was written, and weigh what comes by how far the tokens spread."""
        last = self.inputs[self.norm][:, self.port.n_prefix :]
        self.spread = _spread(last, self._norm_map().eps)
        self.n_blocks = 0
        self.written = 0.0

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
        read = self._read_rows(weights[..., self.port.n_prefix :].float())
        values = value[:, :, None, self.port.n_prefix :].float()
        brought = read[..., None] * values
        by_token = brought.permute(0, 2, 3, 1, 4).flatten(3)
        projection = self._projection(value)
        self.written = self.written + linear(by_token, projection)
        self.n_blocks += 1

    def _read_rows(self, weights: Tensor) -> Tensor:
        """Return the attention [image, head, reader, node] of what the classifier reads."""
        if self.reads != PATCHES:
            return weights[:, :, : len(self.heads)]
        rows = weights[:, :, self.port.n_prefix :]
        if self.spread is not None:
            rows = rows / self.spread[:, None, :, None]
        return rows.mean(2, keepdim=True)

    def _projection(self, value: Tensor) -> Tensor:
        """Return the matrix by which a block adds what its heads bring to a token.

        It is [width, head x dimension], the scale of the block's output included.
        """
        block = self.blocks[self.n_blocks]
        trunk = self.port.trunk
        like = value.transpose(1, 2).flatten(2)
        output = linear_map(part_at(block, trunk.output), like)
        if output is None:
            raise self._not_linear("output projection")
        scale = part_at(block, trunk.scale) if trunk.scale else None
        if scale is None or isinstance(scale, nn.Identity):
            return output.weight
        if is_plain_scale(scale):
            scale = scale.lambda1
        if not isinstance(scale, nn.Module):
            factors = torch.as_tensor(scale, device=value.device).float()
            return factors.reshape(-1, 1) * output.weight
        scaled = linear_map(scale, like.new_empty(1, 1, len(output.weight)))
        if scaled is None:
            raise self._not_linear("scale")
        return scaled.weight @ output.weight

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Keep what enters the last layer norm and the classifiers."""
        parts = [*self.heads, *([] if self.norm is None else [self.norm])]
        with inputs_of(parts) as self.inputs:
            yield

    def attribution(self) -> Tensor:
        """Return the direct share [image, node, class] of every patch token in every logit."""
        parts = []
        for reader, head in enumerate(self.heads):
            weight, length = self._classifier(head)
            if self.exclusive:
                weight = weight - weight.mean(0)
            if self.port.head.projection:
                weight = weight @ self.port.part(self.port.head.projection).float().T
            written = self.written[:, min(reader, self.written.shape[1] - 1)]
            share = self._read_through_norm(weight, written, reader)
            parts.append(share / length[:, None, None])
        return torch.stack(parts).mean(0)

    def _classifier(self, head: nn.Module) -> tuple[Tensor, Tensor]:
        """Return a classifier's weight [class, width], and what it divides by [image]."""
        features = self.inputs[head]
        if isinstance(head, TextHead):
            fixed = head.at_length(features)
            if fixed is not None:
                return fixed
        classifier = linear_map(head, features)
        if classifier is None:
            raise self._unfit()
        return classifier.weight, classifier.weight.new_ones(len(features))

    def _read_through_norm(self, weight: Tensor, written: Tensor, reader: int) -> Tensor:
        """Return what a classifier [class, width] reads of what was written [image, node, width].

        The standard deviation by which the last layer norm divides is that of the pass.
        """
        if self.norm is None:
            return linear(written, weight[:, : written.shape[-1]])
        norm = self._norm_map()
        share = _read(weight, norm.weight, written)
        if self.needs_spread:
            return share
        last = self.inputs[self.norm]
        # One vector an image where the mean was taken before the norm.
        read = last if last.ndim == 2 else last[:, reader]
        return share / _spread(read, norm.eps)[:, None, None]

    def _norm_map(self) -> NormMap:
        norm = norm_map(self.norm, self.inputs[self.norm])
        if norm is None:
            raise self._unfit()
        return norm

    def _unfit(self) -> InputError:
        return InputError(
            f"{self.kind} has no linear classifier after a layer norm, which direct attribution "
            "reads; give prior=None"
        )

    def _not_linear(self, part: str) -> InputError:
        return InputError(
            f"the {part} of block {self.n_blocks} is not linear, but direct attribution reads it; "
            "give prior=None"
        )


def _spread(values: Tensor, eps: float) -> Tensor:
    """Return the standard deviation by which a layer norm divides values [..., width]."""
    return (values.float().var(-1, unbiased=False) + eps).sqrt()


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
