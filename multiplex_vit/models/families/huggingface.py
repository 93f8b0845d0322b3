"""Hugging Face transformers: one row for each class of image classifiers."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from torch import Tensor, nn

from multiplex_vit.models.families.family import Family, both_sides
from multiplex_vit.models.port import BOTH, PREFIX, Head, Positions, Trunk
from multiplex_vit.models.taps.interface import interface


@dataclass(frozen=True)
class Row:
    """What sets one class of image classifiers apart from another.

    The rest is common to all of them: the transformer is a part of the module, it has
    `num_hidden_layers` blocks in one list, and these ask transformers' attention interface for
    their attention.

    Attributes
    ----------
    prefix : callable
        Takes the configuration, gives the names of the tokens before the patch tokens.
    reads : str
        What the classifier reads; see `Head`. Default: "prefix".
    readers : tuple of str
        The classifiers. Default: ("classifier",).
    base : str
        The part that is the transformer. Default: "", that of the class's `base_model_prefix`.
    stem : tuple of str
        The parts of the transformer that make the tokens. Default: ("embeddings",).
    norm : str
        Its last layer norm. Default: "layernorm".
    output, scale : str
        See `Trunk`. Default: "attention.o_proj" and "".
    any_size : bool
        Whether images of any size are taken. Default: False.
    positions : callable, optional
        See `Trunk`.
    """

    prefix: Callable[[Any], tuple[str, ...]]
    reads: str = PREFIX
    readers: tuple[str, ...] = ("classifier",)
    base: str = ""
    stem: tuple[str, ...] = ("embeddings",)
    norm: str = "layernorm"
    output: str = "attention.o_proj"
    scale: str = ""
    any_size: bool = False
    positions: Positions | None = None


def _class(config: Any) -> tuple[str, ...]:
    return ("class",)


def _class_and_distillation(config: Any) -> tuple[str, ...]:
    return ("class", "distillation")


def _class_and_registers(config: Any) -> tuple[str, ...]:
    registers = [f"register{number}" for number in range(config.num_register_tokens)]
    return ("class", *registers)


ROWS: dict[str, Row] = {
    "ViTForImageClassification": Row(_class),
    "DeiTForImageClassification": Row(_class_and_distillation),
    "DeiTForImageClassificationWithTeacher": Row(
        _class_and_distillation, readers=("cls_classifier", "distillation_classifier")
    ),
    "Dinov2ForImageClassification": Row(_class, BOTH, any_size=True, scale="layer_scale1"),
    "Dinov2WithRegistersForImageClassification": Row(
        _class_and_registers, BOTH, any_size=True, scale="layer_scale1"
    ),
}
"""Rows by the name of the class in transformers; add one for another class."""


def _logits(module: Any, pixels: Tensor) -> Tensor:
    return module(pixel_values=pixels).logits


def _trunk(row: Row, module: Any) -> Trunk:
    base = row.base or module.base_model_prefix
    config = _vision(module.config)
    return Trunk(
        blocks=_blocks(module, base, config),
        prefix=row.prefix(config),
        patch=both_sides(config.patch_size),
        image_size=both_sides(config.image_size),
        tap=interface,
        positions=row.positions,
        any_size=row.any_size,
        n_channels=config.num_channels,
        n_heads=config.num_attention_heads,
        stem=tuple(f"{base}.{part}" for part in row.stem),
        output=row.output,
        scale=row.scale,
    )


def _vision(config: Any) -> Any:
    """Return the configuration of the part that sees, in models that read text too."""
    return getattr(config, "vision_config", config)


def _blocks(module: Any, base: str, config: Any) -> str:
    """Return the path of the list of blocks.

    Classes and versions call it "layers", "layer" or "blocks", at several depths.
    """
    for path, part in getattr(module, base).named_modules():
        if isinstance(part, nn.ModuleList) and len(part) == config.num_hidden_layers:
            return f"{base}.{path}"
    raise LookupError(f"{type(module).__name__} holds no list of blocks")


def _head(row: Row, module: Any) -> Head:
    base = row.base or module.base_model_prefix
    norm = f"{base}.{row.norm}" if row.norm else ""
    return Head(reads=row.reads, readers=row.readers, norm=norm)


def _classes(module: Any) -> dict[int, str]:
    return dict(module.config.id2label)


def _problem(module: Any) -> str | None:
    return getattr(module.config, "problem_type", None)


def _family(row: Row) -> Family:
    return Family(
        trunk=partial(_trunk, row),
        head=partial(_head, row),
        call=_logits,
        classes=_classes,
        problem=_problem,
    )


FAMILIES: dict[str, Family] = {name: _family(row) for name, row in ROWS.items()}
