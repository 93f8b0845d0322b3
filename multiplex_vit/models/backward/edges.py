"""Relevance on edges: through which token, in each block, a logit's relevance goes from a token.

Relevance goes back from a block's output tokens to its input tokens. What passes by attention goes
along an edge, half of it by the target's value. The other half goes to the attention weight, and
through the softmax on to the source's query and the target's key. The query's share stays at the
source, and so does what passes by the residual connection.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor, nn

from multiplex_vit.errors import InputError
from multiplex_vit.models.attention import watched
from multiplex_vit.models.backward.following import by_rules
from multiplex_vit.models.backward.methods import Rules, attn_lrp
from multiplex_vit.models.backward.operations import Operation, varies
from multiplex_vit.models.backward.rules import halves
from multiplex_vit.models.gradients import followed
from multiplex_vit.models.logits import Logits
from multiplex_vit.models.passes import logits_of_tokens
from multiplex_vit.models.port import Port, Tokens
from multiplex_vit.models.running import outputs_of
from multiplex_vit.models.swaps import first_of


@dataclass(frozen=True)
class Product:
    """A matrix product of two things that depend on the tokens, [..., row, column]."""

    first: Tensor
    second: Tensor
    result: Tensor


Pair = tuple[Product, Product]
"""Of queries and keys, and of attention and values."""


@dataclass
class Products:
    """The matrix products of every block: of queries and keys, then of attention and values."""

    of_block: dict[int, list[Product]] = field(default_factory=dict)
    block: int | None = None

    def rules(self) -> Rules:
        """Return the rules of AttnLRP, by which products are noted too."""
        return {**attn_lrp(), "matrix product": self._noted}

    def _noted(self, operation: Operation) -> Tensor:
        result = halves(operation)
        first, second = operation.args[:2]
        # Heads may multiply too, after the last block.
        if self.block is not None and varies(first) and varies(second):
            self.of_block[self.block].append(Product(first, second, result))
        return result

    @contextmanager
    def watching(self, blocks: Sequence[nn.Module]) -> Iterator[None]:
        """Know which block runs."""
        numbers = {block: number for number, block in enumerate(blocks)}

        def enter(block: nn.Module, _: object) -> None:
            self.block = numbers[block]
            self.of_block[self.block] = []

        def leave(_: nn.Module, __: object, ___: object) -> None:
            self.block = None

        hooks = []
        try:
            for block in blocks:
                hooks.append(block.register_forward_pre_hook(enter))
                hooks.append(block.register_forward_hook(leave))
            yield
        finally:
            for hook in hooks:
                hook.remove()


def relevance_edges(
    port: Port, outputs: Logits, tokens: Tokens, label: int | None
) -> tuple[Tensor, Tensor]:
    """Return the relevance that passes from token to token in every block, and class scores.

    Parameters
    ----------
    port : Port
    outputs : Logits
    tokens : Tokens
        Of one image, from `VisionModel.embed`.
    label : int, optional
        The class whose logit is shared out; None stands for the predicted one.

    Returns
    -------
    edges : Tensor [layer, source, target]
        In logits, of either sign, prefix tokens included: what goes from a token at a block's
        output (source) to a token at its input (target). The sum over sources is the relevance of
        the target at the block's input, as `relevance` gives it. The sum over targets is that of
        the source at the block's output, less what biases and the softmax take up.
    scores : Tensor [1, class]

    Raises
    ------
    InputError
        If blocks attend otherwise than each token to all.
    """
    products = Products()
    module, blocks = port.module, port.blocks
    rules = by_rules(module, products.rules)
    with followed(module), rules, watched(port), products.watching(blocks):
        # A copy, as tensors made without gradients can be in no graph.
        first = tokens.values.clone().requires_grad_()
        with outputs_of(blocks[:-1]) as given:
            logits = logits_of_tokens(port, replace(tokens, values=first))
        inputs = [first, *map(first_of, given)]
        predicted = int(logits[0].argmax())
        logit = logits[0, predicted if label is None else label]
        edges = _of_blocks(logit, inputs, products)
    return torch.stack(edges), outputs.scores(logits.detach())


def _of_blocks(logit: Tensor, inputs: list[Tensor], products: Products) -> list[Tensor]:
    """Return the relevance [source, target] that passes through each block."""
    pairs = []
    wanted = list(inputs)
    for place, values in enumerate(inputs):
        scores, mixed = _checked(products.of_block[place], values)
        pairs.append((scores, mixed))
        wanted += [scores.result, mixed.result]
    # One backward pass for all of them.
    gradients = torch.autograd.grad(logit, wanted, retain_graph=True)
    n_blocks = len(inputs)
    edges = []
    for place, pair in enumerate(pairs):
        passed = _passed(inputs[place], pair, gradients[n_blocks + 2 * place :])
        relevance = inputs[place].detach() * gradients[place]
        # All else that a token has came from itself: as a query, and past attention.
        rest = relevance[0].sum(-1) - passed.sum(0)
        edges.append(passed + torch.diag(rest))
    return edges


def _passed(values: Tensor, pair: Pair, gradients: Sequence[Tensor]) -> Tensor:
    """Return what passes along edges [source, target] by values and by keys."""
    scores, mixed = pair
    of_scores, of_mixed = gradients[:2]
    value = _of_tokens(mixed.second, values)
    key = _of_tokens(scores.second, values)
    by_value = mixed.first * (of_mixed @ value.mT)
    by_key = of_scores * (scores.first @ key)
    # Products share by halves.
    both = (by_value + by_key).detach() / 2
    return both.flatten(0, -3).sum(0)


def _of_tokens(part: Tensor, values: Tensor) -> Tensor:
    """Return what tokens bring to a tensor that is linear in them, but for a constant."""
    # The derivative along the tokens, as the gradient of the gradient: both are linear.
    along = torch.zeros_like(part, requires_grad=True)
    (gradient,) = torch.autograd.grad(part, values, along, create_graph=True)
    total = (gradient * values.detach()).sum()
    (brought,) = torch.autograd.grad(total, along, retain_graph=True)
    return brought


def _checked(products: list[Product], tokens: Tensor) -> Pair:
    """Return the two products of attention among all tokens."""
    n_tokens = tokens.shape[1]
    shapes = [list(product.result.shape[-2:]) for product in products]
    if len(shapes) == 2 and shapes[0] == [n_tokens] * 2 and shapes[1][0] == n_tokens:
        return products[0], products[1]
    found = f"a block multiplies {shapes}, and has {n_tokens} tokens"
    raise InputError(f"{found}; give a model whose tokens attend to all others")
