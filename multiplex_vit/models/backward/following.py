"""Following a model's operations by rules of relevance, inside a `with`, and no longer."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from multiplex_vit.models.backward.methods import RULES, Rules
from multiplex_vit.models.backward.operations import Operation
from multiplex_vit.models.backward.surrogates import with_gradient_of
from multiplex_vit.models.taps.weights import attended_by_torch


@contextmanager
def by_rules(module: nn.Module, rules: str | Callable[..., Rules] | None) -> Iterator[None]:
    """Let gradients of what a module computes inside follow rules; what it gives stays the same.

    The module's weights ask for no gradient meanwhile, which tells apart what depends on the tokens
    from what does not; afterwards they do as before. What happens inside a wrapped linear layer
    (`with_adapters`) keeps torch's own gradient, so that adapters explain as merged weights do.

    Parameters
    ----------
    module : nn.Module
        In evaluation mode.
    rules : str, callable or None
        A member of `RULES`; None leaves torch's own gradients.
    """
    if rules is None:
        yield
        return
    following = _Following(RULES.resolve(rules)())
    with _fixed_weights(module), _left_alone(with_adapters(module), following), following:
        yield


def with_adapters(module: nn.Module) -> list[nn.Module]:
    """Return the linear layers that are made of others, as those with LoRA adapters are.

    Each adds up several linear layers. The sum is linear too, and no residual addition.
    """
    layers = []
    for part in module.modules():
        says_it_is_linear = isinstance(getattr(part, "in_features", None), int)
        if says_it_is_linear and any(True for _ in part.children()):
            layers.append(part)
    return layers


@contextmanager
def _fixed_weights(module: nn.Module) -> Iterator[None]:
    weights = [weight for weight in module.parameters() if weight.requires_grad]
    try:
        for weight in weights:
            weight.requires_grad_(False)
        yield
    finally:
        for weight in weights:
            weight.requires_grad_(True)


@contextmanager
def _left_alone(layers: list[nn.Module], following: "_Following") -> Iterator[None]:
    """Let no rule be followed inside of these layers."""

    def enter(layer: nn.Module, args: Any) -> None:
        following.depth += 1

    def leave(layer: nn.Module, args: Any, output: Any) -> None:
        following.depth -= 1

    hooks = []
    try:
        for layer in layers:
            hooks.append(layer.register_forward_pre_hook(enter))
            hooks.append(layer.register_forward_hook(leave))
        yield
    finally:
        for hook in hooks:
            hook.remove()


class _Following(TorchFunctionMode):
    """Hands operations to their rules while it is entered; torch leaves it while a rule runs.

    Attributes
    ----------
    rules : dict
    depth : int
        In how many layers, one in the other, no rule is followed now.
    """

    def __init__(self, rules: Rules):
        super().__init__()
        self.rules = rules
        self.depth = 0

    def __torch_function__(
        self,
        function: Callable[..., Any],
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        operation = Operation(function, args, kwargs or {})
        kind = operation.kind
        if self.depth or kind is None or not operation.is_followed:
            return operation.run()
        if kind == "attention":
            return self._in_parts(operation)
        rule = self.rules.get(kind)
        if rule is None:
            return operation.run()
        if not operation.is_in_place:
            return rule(operation)
        # A rule needs the inputs as they were, so the result is written over them at the end.
        return args[0].copy_(rule(operation.not_in_place()))

    def _in_parts(self, operation: Operation) -> Tensor:
        """Return fused attention, with the gradient of its products and softmax, by their rules."""
        with self:
            weights, value = attended_by_torch(*operation.args, **operation.kwargs)
            parts = torch.matmul(weights.to(value.dtype), value)
        return with_gradient_of(operation.value(), parts)
