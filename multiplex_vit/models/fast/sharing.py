"""Sharing: what the masks of an image have in common is computed once for all of them.

The first block reads the same tokens in every mask, so its layer norm and its projections are
computed once for all tokens. The classifier reads the prefix tokens alone in some architectures,
so the last block computes nothing else. Both are exact but for rounding. Blocks of another make
than those below, and blocks that were changed or are listened to, run as they are.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import embedding, linear

from multiplex_vit.models.linear import is_plain_linear
from multiplex_vit.models.swaps import calls, entering, forwards, is_unchanged

FAMILIES = ("ViT", "DeiT", "Dinov2", "Dinov2WithRegisters")
"""Names of the transformers classes whose blocks, attention and MLPs are known."""

Feed = Callable[[Tensor], AbstractContextManager[None]]

_Weights = tuple[Tensor, Tensor | None]
"""The weight and the bias of queries, keys or values."""


@dataclass(frozen=True, eq=False)
class Parts:
    """The parts of a block: h = x + scale(attention(before(x))), then h + scale(mlp(after(h))).

    Attributes
    ----------
    before, after : nn.LayerNorm
    projections : tuple of nn.Linear
        The layers of queries, keys and values: three, or one for all of them.
    output : nn.Linear
        The layer behind attention.
    mlp : nn.Module
    n_heads : int
    scaling : float
        What products of queries and keys are multiplied by.
    scales : tuple of nn.Module
        What each term goes through before it is added.
    """

    before: nn.LayerNorm
    after: nn.LayerNorm
    projections: tuple[nn.Linear, ...]
    output: nn.Linear
    mlp: nn.Module
    n_heads: int
    scaling: float
    scales: tuple[nn.Module, nn.Module]

    def weights(self) -> list[_Weights]:
        """Return the weights and biases of queries, keys and values."""
        if len(self.projections) == 3:
            return [(layer.weight, layer.bias) for layer in self.projections]
        (layer,) = self.projections
        biases: Sequence[Tensor | None] = [None] * 3
        if layer.bias is not None:
            biases = layer.bias.chunk(3)
        return list(zip(layer.weight.chunk(3), biases, strict=True))


def parts_of(block: nn.Module) -> Parts | None:
    """Return a block's parts, or None where it is of another make or was changed."""
    parts = _of_transformers(block) or _of_timm(block)
    if parts is None or not all(map(is_unchanged, block.modules())):
        return None
    linears = (*parts.projections, parts.output)
    return parts if all(map(is_plain_linear, linears)) else None


def _of_transformers(block: Any) -> Parts | None:
    attention: Any = getattr(block, "attention", None)
    mlp = getattr(block, "mlp", None)
    norms = [child for child in block.children() if isinstance(child, nn.LayerNorm)]
    if mlp is None or len(norms) != 2 or not _is_of_a_family(block, attention, mlp):
        return None
    names = ("q_proj", "k_proj", "v_proj", "o_proj")
    if not all(hasattr(attention, name) for name in names):
        return None
    return Parts(
        before=norms[0],
        after=norms[1],
        projections=(attention.q_proj, attention.k_proj, attention.v_proj),
        output=attention.o_proj,
        mlp=mlp,
        n_heads=attention.num_attention_heads,
        scaling=attention.scaling,
        scales=(nn.Identity(), nn.Identity()),
    )


def _is_of_a_family(block: nn.Module, attention: Any, mlp: nn.Module) -> bool:
    """Tell whether a block and its parts are of the classes of one family."""
    family = type(block).__name__.removesuffix("Layer")
    if family not in FAMILIES:
        return False
    if type(block).__name__ != f"{family}Layer":
        return False
    if type(attention).__name__ != f"{family}Attention":
        return False
    return type(mlp).__name__.endswith(("MLP", "SwiGLUFFN"))


def _of_timm(block: Any) -> Parts | None:
    """Return the parts of timm's plain block, whose queries and keys are not normalised."""
    if type(block).__module__ != "timm.models.vision_transformer":
        return None
    attention: Any = getattr(block, "attn", None)
    if type(block).__name__ != "Block" or type(attention).__name__ != "Attention":
        return None
    between = (attention.q_norm, attention.k_norm, attention.norm, block.drop_path1)
    is_plain = all(type(part) is nn.Identity for part in between) and attention.gate is None
    norms = block.norm1, block.norm2
    if not is_plain or not all(isinstance(norm, nn.LayerNorm) for norm in norms):
        return None
    return Parts(
        before=block.norm1,
        after=block.norm2,
        projections=(attention.qkv,),
        output=attention.proj,
        mlp=block.mlp,
        n_heads=attention.num_heads,
        scaling=attention.scale,
        scales=(block.ls1, block.ls2),
    )


@contextmanager
def shared(
    blocks: Sequence[nn.Module],
    tokens: Tensor,
    n_read: int | None,
    *,
    on: bool = True,
) -> Iterator[Feed]:
    """Let a model read sequences of some of an image's tokens.

    Parameters
    ----------
    blocks : sequence of nn.Module
    tokens : Tensor [token, width]
        All tokens that sequences consist of.
    n_read : int, optional
        How many of the first tokens the classifier reads; None where it reads all of them.
    on : bool
        False computes everything for every sequence anew. Default: True.

    Yields
    ------
    feed : callable
        Takes places [sequence, token] among the tokens, gives a context in which the model reads
        the tokens at these places in place of an image.
    """
    first = parts_of(blocks[0]) if on and len(blocks) > 1 else None
    shortened: dict[nn.Module, Callable[..., Tensor]] = {}
    if on and n_read:
        last = parts_of(blocks[-1])
        if last is not None:
            shortened[blocks[-1]] = partial(_prefix_of_block, last, n_read)

    # What these modules give for every token; a sequence gathers its rows.
    computed: dict[nn.Module, Tensor] = {}
    if first is not None:
        normed = first.before(tokens)
        for layer in first.projections:
            computed[layer] = layer(normed)

    @contextmanager
    def feed(places: Tensor) -> Iterator[None]:
        stand_ins: dict[nn.Module, Callable[..., Tensor]] = {}
        for module, values in computed.items():
            stand_ins[module] = partial(_gathered, places, values)
        if first is not None:
            stand_ins[first.before] = _unnormed
        with entering(blocks[0], embedding(places, tokens)), calls(stand_ins):
            yield

    with forwards(shortened):
        yield feed


def _gathered(places: Tensor, values: Tensor, *_: Any, **__: Any) -> Tensor:
    """Return the rows [sequence, token, width] of values [token, width] at places."""
    return embedding(places, values)


def _unnormed(hidden: Tensor) -> Tensor:
    """Skip the layer norm, as the projections behind it are computed already."""
    return hidden


def _prefix_of_block(parts: Parts, n_prefix: int, hidden: Tensor, *_: Any, **__: Any) -> Tensor:
    """Return what a block makes of the prefix tokens of [sequence, token, width].

    A few queries need no keys and values of all tokens: q (W x + b) = (q W) x + q b, where the
    softmax is blind to q b; and sum a (W x + b) = W (sum a x) + b, as the weights a sum to 1.
    """
    heads = parts.n_heads
    (query, query_bias), (key, _key_bias), (value, value_bias) = parts.weights()
    normed = parts.before(hidden)

    # (q W) x for every head: what the keys would have given, but for a constant.
    queries = linear(normed[:, :n_prefix], query, query_bias) * parts.scaling
    queries = queries.unflatten(-1, (heads, -1))
    key_weight = key.unflatten(0, (heads, -1))
    queries = torch.einsum("snhe,hed->snhd", queries, key_weight)
    scores = queries.flatten(1, 2) @ normed.transpose(1, 2)
    weights = scores.softmax(-1, dtype=torch.float32)
    weights = weights.to(normed.dtype)

    # W (sum a x) + b for every head.
    mixed = weights @ normed
    mixed = mixed.unflatten(1, (n_prefix, heads))
    value_weight = value.unflatten(0, (heads, -1))
    mixed = torch.einsum("snhd,hed->snhe", mixed, value_weight)
    mixed = mixed.flatten(2)
    if value_bias is not None:
        mixed = mixed + value_bias

    # From here on as any block, for the prefix tokens alone.
    first, second = parts.scales
    hidden = first(parts.output(mixed)) + hidden[:, :n_prefix]
    return second(parts.mlp(parts.after(hidden))) + hidden
