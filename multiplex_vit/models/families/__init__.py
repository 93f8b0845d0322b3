"""Families: what is known of the modules of each library, one small file a library.

A family is a row of facts about a class: where its blocks are, which tokens come before the
patches, what its head reads.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from multiplex_vit.models.families import huggingface, open_clip, timm, torchvision
from multiplex_vit.models.families.family import Family

FAMILIES: Mapping[str, Mapping[str, Family]] = MappingProxyType(
    {
        "transformers": huggingface.FAMILIES,
        "timm": timm.FAMILIES,
        "torchvision": torchvision.FAMILIES,
        "open_clip": open_clip.FAMILIES,
    }
)
"""Families by library and name of the class; a row in a library's file adds one."""


def family_of(module: Any) -> tuple[Family, bool] | None:
    """Return the family of a module, and whether the module is of its very class.

    A module of a class derived from a known one is of the same family. Classes are told by their
    names, so that no library needs to be installed.
    """
    for kind in type(module).__mro__:
        library = kind.__module__.partition(".")[0]
        family = FAMILIES.get(library, {}).get(kind.__name__)
        if family is not None:
            return family, kind is type(module)
    return None


_WINDOWED = ("swin", "hiera", "mvit", "pvt", "cvt", "maxvit", "focal", "davit", "coat", "nextvit")
"""How the names of classes begin whose tokens are tied to windows, or merged between blocks."""


def refusal_of(module: Any) -> str:
    """Return why a module of no known family cannot be read, and what would work.

    Examples
    --------
    >>> from torch import nn
    >>> refusal_of(nn.Linear(2, 2)).partition("; supported")[0]
    'Linear is not a supported image classifier; give wrap(module, trunk=Trunk(...)) for a ...'
    """
    kind = type(module).__name__
    if kind.lower().startswith(_WINDOWED):
        return (
            f"{kind} attends within windows or merges tokens between blocks, so no token can leave "
            "the sequence; give a plain Vision "
            "Transformer such as ViT, DeiT, DINOv2 or BEiT"
        )
    return (
        f"{kind} is not a supported image classifier; give wrap(module, trunk=Trunk(...)) for a "
        f"Vision Transformer of your own; supported: {supported()}"
    )


def supported() -> str:
    """Return the names of all known classes, in one line.

    Examples
    --------
    >>> supported().startswith("transformers: ViTForImageClassification, ")
    True
    """
    lines = [f"{library}: {', '.join(classes)}" for library, classes in FAMILIES.items()]
    return "; ".join(lines)
