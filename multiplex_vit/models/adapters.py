"""Adapters: what must be known of an architecture, one row each."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from multiplex_vit.errors import InputError


@dataclass(frozen=True)
class Adapter:
    """What sets one Hugging Face image classifier apart from another.

    The rest is common to all of them: `model.base_model_prefix` names the transformer, its `embeddings` make the tokens
    (prefix tokens first, positions added), and its blocks ask transformers' attention interface for their attention.

    Attributes
    ----------
    prefix : callable
        Model configuration -> names of the tokens before the patch tokens, in order. A function of a module's, not a
        lambda, where the model is to be sent to another process.
    reads_prefix : bool
        Whether the classifier reads the prefix tokens alone, so that the last block need not go on with the others.
    readers : tuple of str
        Names of the linear layers that read the first tokens, in their order; logits are their mean.
    any_size : bool
        Whether position embeddings are interpolated to any image size; otherwise the configured size alone is accepted.
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
    return ("class", *(f"register{i}" for i in range(config.num_register_tokens)))


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
"""Architecture (class name in transformers) -> adapter; add a row for another one."""


def adapter_of(architecture: str) -> Adapter:
    """Return the adapter of an architecture.

    Raises
    ------
    InputError
        If there is none; the message lists the known ones.

    Examples
    --------
    >>> adapter_of("ViTForImageClassification").any_size
    False
    """
    if architecture not in ADAPTERS:
        raise InputError(
            f"{architecture} is not a supported image classifier; supported: {', '.join(ADAPTERS)}"
        )
    return ADAPTERS[architecture]
