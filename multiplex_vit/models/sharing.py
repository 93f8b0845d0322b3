"""Sharing: what masks of an image have in common is computed once, and what the classifier does not read not at all.

Both are exact but for rounding. Blocks of another make than these are run as they are.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import embedding

from multiplex_vit.models.linear import is_plain_linear
from multiplex_vit.models.swaps import calls, forwards, unheard


@dataclass(frozen=True, eq=False)
class Parts:
    """The parts of a block that is x + attention(before(x)), then x + mlp(after(x)); in some models each is scaled before it is added."""

    before: nn.LayerNorm
    after: nn.LayerNorm
    attention: Any
    mlp: nn.Module

    @property
    def projections(self) -> tuple[nn.Linear, nn.Linear, nn.Linear]:
        """Queries, keys and values."""
        return self.attention.q_proj, self.attention.k_proj, self.attention.v_proj


FAMILIES = ("ViT", "DeiT", "Dinov2", "Dinov2WithRegisters")
"""Whose blocks, attention and MLPs these are, by the names of their classes in transformers."""


def parts_of(block: nn.Module) -> Parts | None:
    """Return a block's parts, or None where it, or anything in it, is of another make, is changed, or is listened to."""
    attention: Any = getattr(block, "attention", None)
    mlp = getattr(block, "mlp", None)
    kinds = [type(part).__name__ for part in (block, attention, mlp)]
    known = any(kinds[:2] == [f"{family}Layer", f"{family}Attention"] for family in FAMILIES) and kinds[2].endswith(("MLP", "SwiGLUFFN"))
    norms = [child for child in block.children() if isinstance(child, nn.LayerNorm)]
    if not known or mlp is None or len(norms) != 2 or not all(map(unheard, block.modules())):
        return None
    linears = [getattr(attention, f"{name}_proj", None) for name in "qkvo"]
    return Parts(norms[0], norms[1], attention, mlp) if all(map(is_plain_linear, linears)) else None


@contextmanager
def shared(embeddings: nn.Module, blocks: nn.ModuleList, tokens: Tensor, n_prefix: int | None) -> Iterator[Callable[[Tensor], AbstractContextManager[None]]]:
    """Let a model take sequences of some of these tokens [token, width].

    The first block's layer norm and projections, the same in every sequence, are taken from one computation for all tokens. In the last block,
    only what `n_prefix` tokens become is computed; None where the classifier reads all.

    Yields
    ------
    feed : callable
        A context in which the model reads tokens at places [sequence, token] instead of embedding an image.
    """
    first = parts_of(blocks[0]) if len(blocks) > 1 else None
    last = parts_of(blocks[-1]) if n_prefix is not None else None
    values = {embeddings: tokens}
    if first is not None:
        normed = first.before(tokens)
        values |= {linear: linear(normed) for linear in first.projections}

    def feed(places: Tensor) -> AbstractContextManager[None]:
        swaps = {module: lambda *_, value=value, **__: embedding(places, value) for module, value in values.items()}
        return calls({**swaps, **({first.before: lambda hidden: hidden} if first else {})})

    with forwards({blocks[-1]: partial(_prefix_of_block, last, n_prefix or 0)} if last else {}):
        yield feed


def _prefix_of_block(parts: Parts, n_prefix: int, hidden: Tensor, *_: Any, **__: Any) -> Tensor:
    """Return what a block makes of the prefix tokens of [sequence, token, width].

    A few queries need no keys and values of all tokens: q (W x + b) = (q W) x + q b, where the softmax is blind to q b; and
    sum a (W x + b) = W (sum a x) + b, as the weights a sum to 1.
    """
    attention, normed = parts.attention, parts.before(hidden)
    query, key, value = parts.projections
    heads = attention.num_attention_heads
    asked = (query(normed[:, :n_prefix]) * attention.scaling).unflatten(-1, (heads, -1))
    asked = torch.einsum("snhe,hed->snhd", asked, key.weight.unflatten(0, (heads, -1)))
    weights = (asked.flatten(1, 2) @ normed.transpose(1, 2)).softmax(-1, dtype=torch.float32).to(normed.dtype)
    seen = (weights @ normed).unflatten(1, (n_prefix, heads))
    mixed = torch.einsum("snhd,hed->snhe", seen, value.weight.unflatten(0, (heads, -1))).flatten(2)
    mixed = mixed if value.bias is None else mixed + value.bias
    hidden = attention.o_proj(mixed) + hidden[:, :n_prefix]
    return parts.mlp(parts.after(hidden)) + hidden
