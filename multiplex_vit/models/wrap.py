"""Wrapping a live module of any library, and proving on the spot that it is read rightly."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from torch import nn

from multiplex_vit.arguments import checked_but
from multiplex_vit.checks import distinct_names
from multiplex_vit.errors import InputError
from multiplex_vit.models.check import check_reading
from multiplex_vit.models.families.zero_shot import Classes, reads_text, zero_shot
from multiplex_vit.models.port import Head, Port, Trunk
from multiplex_vit.models.ports import Named, port_of
from multiplex_vit.models.score import AUTO
from multiplex_vit.models.transform import as_processor
from multiplex_vit.models.unwrap import unwrapped
from multiplex_vit.models.vision_model import VisionModel


@checked_but("module", "processor")
def wrap(
    module: nn.Module,
    processor: Any = None,
    *,
    classes: Classes | None = None,
    head: nn.Module | Head | None = None,
    trunk: Trunk | None = None,
    check: bool = True,
    name: str | None = None,
    score: str = AUTO,
    interpolate: bool = False,
) -> VisionModel:
    """Wrap a live Vision Transformer of transformers, timm, torchvision, open_clip or one's own.

    Parameters
    ----------
    module : nn.Module
        It is used as it is, and left as it was after every call.
    processor : callable, optional
        Turns images into pixel values: an image processor of transformers, a transform of
        torchvision or timm, or any function of a Pillow image that gives a Tensor
        [channel, row, col]. Default: None; then only pixel values can be explained.
    classes : sequence of str, or mapping of str to text or texts, optional
        Names of the classes. A model that reads text too, such as CLIP, needs them: each name is
        its prompt, unless a mapping gives one prompt or several. Default: None, the module's own
        names or numbers.
    head : nn.Module or Head, optional
        Of a backbone without a classifier: what scores its features, such as a linear layer,
        `PrototypeHead`, `NeighbourHead` or `TextHead` of `multiplex_vit.models`. Of a module of
        one's own, what its head reads. Default: None, the module's own.
    trunk : Trunk, optional
        Where the parts of a module of one's own are. Default: None, what is known of its class.
    check : bool
        Whether a few passes prove that the module is read rightly (see
        `multiplex_vit.models.check.check_reading`). Default: True.
    name : str, optional
        How results name the model. Default: the name in its configuration, or its class.
    score : str
        What logits mean; see `multiplex_vit.models.load.load`. Default: "auto".
    interpolate : bool
        Whether images of other sizes are taken, square or not, position embeddings interpolated to
        them by the module's own library. Default: False.

    Returns
    -------
    VisionModel

    Raises
    ------
    InputError
        If the module is of no known class and no trunk is given, it has no head and none is given,
        the classes are not as many as the logits, or the check fails.

    Examples
    --------
    >>> from transformers import ViTConfig, ViTForImageClassification
    >>> sizes = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2}
    >>> config = ViTConfig(image_size=16, patch_size=4, intermediate_size=32, **sizes)
    >>> wrap(ViTForImageClassification(config), classes=["cat", "dog"]).classes
    ('cat', 'dog')
    """
    inside = unwrapped(module)
    if reads_text(inside) and head is None:
        port, wanted = port_of_texts(inside, processor, classes, name, interpolate=interpolate)
        score = wanted if score == AUTO else score
    else:
        if reads_text(inside):
            inside = inside.visual if hasattr(inside, "visual") else inside.vision_model
        port = port_of(inside, name, head=head, trunk=trunk, interpolate=interpolate)
    if classes is not None:
        port = named(port, classes)
    model = VisionModel(port, as_processor(processor), score=score)
    refuse_other_number(model, classes)
    if check:
        check_reading(model)
    return model


def port_of_texts(
    module: nn.Module,
    processor: Any,
    classes: Classes | None,
    name: str | None = None,
    *,
    interpolate: bool = False,
) -> tuple[Port, str]:
    """Return the port of a model that reads text too, texts as its head, and its score.

    See `multiplex_vit.models.families.zero_shot.zero_shot`.
    """
    tower, head, score = zero_shot(module, processor, classes)
    name = name or type(module).__name__
    return port_of(tower, name, head=head, interpolate=interpolate), score


def named(port: Port, classes: Mapping[str, Any] | Sequence[str]) -> Port:
    """Return a port whose classes have names that the user gives."""
    names = distinct_names("classes", list(classes))
    return replace(port, classes=Named(names))


def refuse_other_number(model: VisionModel, classes: Classes | None) -> None:
    """Refuse names of classes that are not as many as the logits."""
    if classes is not None and len(classes) != model.n_classes:
        raise InputError(
            f"{len(classes)} classes are given, but {model.name} gives {model.n_classes} logits; "
            "give a name for each"
        )
