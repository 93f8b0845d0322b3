"""Family: what a library's file says of one of its modules."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from torch import Tensor, nn

from multiplex_vit.errors import InputError
from multiplex_vit.models.port import Head, Port, Trunk


def no_classes(module: Any) -> dict[int, str]:
    """Return no names, of modules that name no classes."""
    return {}


def no_problem(module: Any) -> None:
    """Return None, of modules that do not say what they were trained for."""


def has_classifier(module: Any) -> bool:
    """Return False, of modules that are not bare."""
    return False


def is_backbone(module: Any) -> bool:
    """Return True, of modules that never have a classifier."""
    return True


def called(module: nn.Module, pixels: Tensor) -> Tensor:
    """Return what a module gives that takes pixel values and gives logits."""
    return module(pixels)


Features = Callable[[Any, Tensor], Tensor]
"""Takes a backbone and pixel values; gives its last tokens [image, token, width], or features."""


Resized = Callable[[Callable[[Any, Tensor], Tensor], Any, Tensor], Tensor]
"""Takes a function of a module and pixel values, and both; gives what the function gives, with the
module's position embeddings interpolated to the size of the image."""


@dataclass(frozen=True)
class Family:
    """How modules of one class are read. A function each, so that sizes are the module's own.

    Attributes
    ----------
    trunk : callable
        Takes the module, gives its `Trunk`.
    head : callable
        Takes the module, gives its `Head`.
    call : callable
        Takes the module and pixel values, gives logits. Default: the module is called.
    classes : callable
        Takes the module, gives the names of classes by number. Default: there are none.
    problem : callable
        Takes the module, gives what it was trained for. Default: unknown.
    features : callable, optional
        Takes the module and pixel values, gives the tokens that a head reads, behind the last
        norm, or features that are read already. Default: None, of modules that have a classifier.
    reads_tokens : bool
        Whether `features` gives tokens, so that the head says what it reads. Default: False.
    is_bare : callable
        Takes the module, tells whether it has no classifier. Default: never.
    at_any_size : callable, optional
        Runs `call` or `features` with positions interpolated to the size of the image; see
        `Resized`. Default: None, of modules that cannot.
    """

    trunk: Callable[[Any], Trunk]
    head: Callable[[Any], Head]
    call: Callable[[nn.Module, Tensor], Tensor] = called
    classes: Callable[[Any], dict[int, str]] = no_classes
    problem: Callable[[Any], str | None] = no_problem
    features: Features | None = None
    reads_tokens: bool = False
    is_bare: Callable[[Any], bool] = has_classifier
    at_any_size: Resized | None = None

    @property
    def needs_head(self) -> bool:
        """Whether no module of the class has a classifier, so that a head must be given."""
        return self.is_bare is is_backbone

    def interpolated(self, name: str) -> "Family":
        """Return the family of the same modules, which take images of any size.

        Raises
        ------
        InputError
            If they cannot.
        """
        if self.at_any_size is None:
            raise InputError(
                f"the position embeddings of {name} cannot be interpolated; give images of its own "
                "size, and leave interpolate out"
            )
        changed = replace(
            self,
            trunk=partial(_of_any_size, self.trunk),
            call=partial(self.at_any_size, self.call),
        )
        if self.features is None:
            return changed
        return replace(changed, features=partial(self.at_any_size, self.features))

    def port(self, module: Any, name: str, *, is_known: bool) -> Port:
        """Return the port of a module of this family."""
        return Port(
            module=module,
            name=name,
            trunk=self.trunk(module),
            head=self.head(module),
            call=self.call,
            classes=self.classes,
            problem=self.problem,
            is_known=is_known,
        )


def _of_any_size(trunk: Callable[[Any], Trunk], module: Any) -> Trunk:
    return replace(trunk(module), any_size=True)


def both_sides(size: Any) -> tuple[int, int]:
    """Return rows and columns of a size that is one number, or two.

    Examples
    --------
    >>> both_sides(16), both_sides([16, 32])
    ((16, 16), (16, 32))
    """
    if isinstance(size, (list, tuple)):
        return int(size[0]), int(size[1])
    return int(size), int(size)
