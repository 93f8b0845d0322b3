"""Operations: what a model does to its tokens, told apart by kind, whatever library it is from.

A model is watched while it runs: `x + y`, `torch.add` and `x += y` are one kind of operation, and so
are the attention products of every library. So rules need to know no model, and change none.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

KIND_OF = {
    "layer_norm": "layer norm",
    "rms_norm": "layer norm",
    # Each multiplies its input by a share: y = x * share(x).
    "gelu": "activation",
    "silu": "activation",
    "relu": "activation",
    "relu6": "activation",
    "leaky_relu": "activation",
    "hardswish": "activation",
    "mish": "activation",
    "elu": "activation",
    "normalize": "activation",
    # Shares and lengths by which a model multiplies or divides in steps of its own.
    "sigmoid": "factor",
    "hardsigmoid": "factor",
    "tanh": "factor",
    "erf": "factor",
    "rsqrt": "factor",
    "norm": "factor",
    "linalg_norm": "factor",
    "linalg_vector_norm": "factor",
    "var": "factor",
    "std": "factor",
    "softmax": "softmax",
    "matmul": "matrix product",
    "bmm": "matrix product",
    "mul": "product",
    "multiply": "product",
    "div": "quotient",
    "divide": "quotient",
    "add": "sum",
    "linear": "linear layer",
    "scaled_dot_product_attention": "attention",
}
"""Kinds of operation by the name of the function or method."""


@dataclass(frozen=True, eq=False)
class Operation:
    """A call of a torch function while the model runs.

    Attributes
    ----------
    function : callable
    args : tuple
    kwargs : dict
    """

    function: Callable[..., Any]
    args: tuple[Any, ...]
    kwargs: dict[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The function's name."""
        return getattr(self.function, "__name__", "")

    @property
    def kind(self) -> str | None:
        """One of the values of `KIND_OF`, or None for operations that no rule is about.

        Examples
        --------
        >>> functions = torch.Tensor.add_, torch.nn.functional.gelu, torch.cat
        >>> [Operation(function, ()).kind for function in functions]
        ['sum', 'activation', None]
        """
        return KIND_OF.get(self.name.strip("_"))

    @property
    def is_followed(self) -> bool:
        """Whether the result depends on the tokens, and gradients are wanted."""
        inputs = (*self.args, *self.kwargs.values())
        return torch.is_grad_enabled() and any(map(varies, inputs))

    @property
    def is_in_place(self) -> bool:
        """Whether the result is written over the first input."""
        return self.name.endswith("_") and not self.name.startswith("_")

    def run(self) -> Any:
        """Return the result, with torch's own gradient."""
        return self.function(*self.args, **self.kwargs)

    def value(self) -> Tensor:
        """Return the result without a gradient."""
        with torch.no_grad():
            return self.run()

    def not_in_place(self) -> "Operation":
        """Return the operation that gives a new tensor in place of writing into an old one."""
        function = getattr(torch.Tensor, self.name.strip("_"))
        return Operation(function, self.args, self.kwargs)


def varies(value: Any) -> bool:
    """Tell whether something depends on the tokens, so that relevance can go through it."""
    return isinstance(value, Tensor) and value.requires_grad
