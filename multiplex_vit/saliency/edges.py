"""Kinds of edges: what the weight between two tokens of a block says.

torch is imported where it is used, so that reading the names of kinds stays quick.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from multiplex_vit.models.classifier import Classifier
from multiplex_vit.registry import Registry

if TYPE_CHECKING:
    from torch import Tensor

EDGES: Registry[Callable[..., Any]] = Registry(
    "kind of edges", data=2, traits={"of_class": bool, "by_head": bool}
)
"""A member takes a model and the tokens of one image, and by name the label (None for the predicted
class), head operators and whether prefix tokens are nodes. It returns weights [operator, layer,
source, target] of edges of attention, and class scores [1, class].

The trait `of_class` says that weights are of one class; `by_head` that heads can be told apart.
"""


@EDGES.register(by_head=True)
def attention(
    model: Classifier,
    tokens: Any,
    *,
    label: int | None = None,
    operators: Sequence[Callable[..., Any]] = (),
    prefix: bool = False,
) -> "tuple[Tensor, Tensor]":
    """Return the attention that tokens pay to each other; it is of no class."""
    weights, clean = model.attend(tokens, operators, prefix=prefix)
    return weights[0], clean


@EDGES.register(of_class=True, by_head=True)
def gradient(
    model: Classifier,
    tokens: Any,
    *,
    label: int | None = None,
    operators: Sequence[Callable[..., Any]] = (),
    prefix: bool = False,
    signed: bool = False,
) -> "tuple[Tensor, Tensor]":
    """Return attention times the gradient of a class's logit at it, a head, without what is below 0.

    `signed` keeps what speaks against the class. Chefer, Gur, Wolf, ICCV 2021,
    doi:10.1109/ICCV48922.2021.00045, equation 5, with the mean as operator. It takes one forward
    and one backward pass.
    """
    weights, change, clean = model.attention_gradients(tokens, label)
    weighed = weights * change
    if not signed:
        weighed = weighed.relu()
    import torch

    pooled = torch.stack([operator(weighed) for operator in operators])
    return _nodes(pooled, model, prefix), clean


@EDGES.register(of_class=True)
def relevance(
    model: Classifier,
    tokens: Any,
    *,
    label: int | None = None,
    operators: Sequence[Callable[..., Any]] = (),
    prefix: bool = False,
) -> "tuple[Tensor, Tensor]":
    """Return the relevance that passes between tokens by AttnLRP, in logits, of all heads together.

    Of a block, the sum over sources is the relevance of each token at its input, the sum over
    targets that at its output, less what biases and the softmax take up. Self-loops hold what
    passes by the residual connection. Achtibat et al., ICML 2024, arXiv:2402.05602. It takes one
    forward and one backward pass.
    """
    weights, clean = model.relevance_edges(tokens, label)
    return _nodes(weights[None], model, prefix), clean


def _nodes(weights: "Tensor", model: Classifier, prefix: bool) -> "Tensor":
    """Return weights [..., source, target] without prefix tokens, unless they are nodes."""
    first = 0 if prefix else model.n_prefix
    return weights[..., first:, first:]
