"""Adapters: what must be known of an architecture, one row each."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from multiplex_vit.errors import InputError


@dataclass(frozen=True)
class Adapter:
    """What sets one Hugging Face image classifier apart from another.

    The rest is common to all of them: `model.base_model_prefix` names the transformer, its
    `embeddings` make the tokens (prefix tokens first, positions added), and its blocks ask
    transformers' attention interface for their attention.

    Attributes
    ----------
    prefix : callable
        Takes the model's configuration, gives the names of the tokens before the patch tokens, in
        order. A function of a module, not a lambda, if the model is to be sent to another process.
    reads_prefix : bool
        Whether the classifier reads the prefix tokens alone. Then the last block need not go on
        with the others. Default: False.
    any_size : bool
        Whether position embeddings are interpolated to any image size. If not, images must have
        the configured size. Default: False.
    readers : tuple of str
        Names of the linear layers that read the first tokens, in their order; the logits are their
        mean. Default: ("classifier",).
    """

    prefix: Callable[[Any], tuple[str, ...]]
    reads_prefix: bool = False
    any_size: bool = False
    readers: tuple[str, ...] = ("classifier",)


def _class(config: Any) -> tuple[str, ...]:
    return ("class",)


def _class_and_distillation(config: Any) -> tuple[str, ...]:
    return ("class", "distillation")


def _class_and_registers(config: Any) -> tuple[str, ...]:
    registers = [f"register{number}" for number in range(config.num_register_tokens)]
    return ("class", *registers)


# DINOv2's classifiers read the mean of the patch tokens too, so `reads_prefix` stays False.
ADAPTERS: dict[str, Adapter] = {
    "ViTForImageClassification": Adapter(prefix=_class, reads_prefix=True),
    "DeiTForImageClassification": Adapter(prefix=_class_and_distillation, reads_prefix=True),
    "DeiTForImageClassificationWithTeacher": Adapter(
        prefix=_class_and_distillation,
        reads_prefix=True,
        readers=("cls_classifier", "distillation_classifier"),
    ),
    "Dinov2ForImageClassification": Adapter(prefix=_class, any_size=True),
    "Dinov2WithRegistersForImageClassification": Adapter(
        prefix=_class_and_registers, any_size=True
    ),
}
"""Adapters by architecture (class name in transformers); add a row for another one."""


def adapter_of(architecture: str) -> Adapter:
    """Return the adapter of an architecture.

    Raises
    ------
    InputError
        If there is none; the message lists the supported architectures.

    Examples
    --------
    >>> adapter_of("ViTForImageClassification").any_size
    False
    """
    if architecture not in ADAPTERS:
        supported = ", ".join(ADAPTERS)
        raise InputError(
            f"{architecture} is not a supported image classifier; supported: {supported}"
        )
    return ADAPTERS[architecture]


def adapter_for(model: object) -> Adapter:
    """Return the adapter of a model's class, or of the class that it is derived from.

    Raises
    ------
    InputError
        If there is none.
    """
    names = [kind.__name__ for kind in type(model).__mro__]
    for name in names:
        if name in ADAPTERS:
            return ADAPTERS[name]
    return adapter_of(names[0])
