"""Randomised copies of a model: what it learnt taken away part by part, from the head down."""

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import torch
from torch import Tensor, nn

from multiplex_vit.checks import vision_model
from multiplex_vit.errors import InputError
from multiplex_vit.models.unwrap import duplicate
from multiplex_vit.models.vision_model import VisionModel

_OF_ADAPTERS = ("base_layer", "modules_to_save")
"""Attributes of the layers into which PEFT has put adapters."""


def weights_by_part(model: VisionModel) -> dict[str, list[str]]:
    """Return the names of a model's weights by part, from the head down to the embeddings.

    The head is all that comes after the blocks: the last layer norm, and the classifiers. Then
    follow the blocks, from the last one to "block 0".

    Examples
    --------
    >>> import multiplex_vit as mv
    >>> list(weights_by_part(mv.load("demo-vit", device="cpu")))
    ['head', 'block 5', 'block 4', 'block 3', 'block 2', 'block 1', 'block 0', 'embeddings']
    """
    port = vision_model(model).port
    part_of = {}
    for number, block in enumerate(port.blocks):
        for weight in block.parameters():
            part_of[id(weight)] = f"block {number}"

    blocks = [f"block {number}" for number in reversed(range(port.n_layers))]
    names: dict[str, list[str]] = {part: [] for part in ("head", *blocks, "embeddings")}
    for name, weight in port.module.named_parameters():
        # A weight lies in the stem if its path is one of the stem's, or goes on from one.
        in_stem = any(f"{name}.".startswith(f"{path}.") for path in port.trunk.stem)
        other = "embeddings" if in_stem else "head"
        names[part_of.get(id(weight), other)].append(name)
    return names


def randomised(model: VisionModel, seed: int = 0) -> Iterator[tuple[str, VisionModel]]:
    """Yield copies of a model of which more and more is as it was before any training.

    The head is randomised first, the embeddings last. Weights are what the architecture's own
    constructor draws (of other libraries than transformers, what each layer draws; the rest changes
    places), or a layer's own where the architecture has no such layer (a head that the
    user put in its place). The model itself is left as it is, and so is torch's random state.

    Parameters
    ----------
    model : VisionModel
    seed : int
        Of the weights drawn. Default: 0.

    Yields
    ------
    part : str
        The part randomised last; all before it are too.
    copy : VisionModel
        Shares no weight with the model, nor with other copies.

    Raises
    ------
    InputError
        If the model has adapters, or a layer that cannot draw its weights.

    Examples
    --------
    >>> import multiplex_vit as mv
    >>> cat, model = mv.samples()["cat"], mv.load("demo-vit", device="cpu")
    >>> part, copy = next(randomised(model))
    >>> part, float(copy.classify(copy.picture(cat).pixels).max()) < 0.5
    ('head', True)
    """
    module: nn.Module = vision_model(model).model
    # Drawn once, so that a part has the same weights in all copies.
    fresh = _untrained(module, seed)
    for part, names in weights_by_part(model).items():
        # A copy of the copy before, so that the parts randomised add up.
        module = duplicate(module)
        weights = dict(module.named_parameters())
        with torch.no_grad():
            for name in names:
                weights[name].copy_(fresh[name])
        yield part, model.with_module(module, f"{model.name}, random down to {part}")


def _untrained(module: Any, seed: int) -> dict[str, Tensor]:
    """Return the weights by name of a new model of the same configuration.

    Layers that the new model lacks, or has in another size, draw weights for themselves.
    """
    generator = torch.random.default_generator
    state = generator.get_state()
    try:
        generator.manual_seed(seed)
        if not hasattr(module, "config"):
            return _redrawn(module)
        new = type(module)(deepcopy(module.config))
        drawn = dict(new.named_parameters())
        for name, weight in module.named_parameters():
            if name not in drawn or drawn[name].shape != weight.shape:
                drawn |= _of_layer(module, name.rpartition(".")[0])
        return drawn
    finally:
        generator.set_state(state)


def _redrawn(module: nn.Module) -> dict[str, Tensor]:
    """Return weights by name of a copy whose every layer drew its own anew.

    Weights that no layer draws, such as class tokens and positions, change their places.
    """
    copy = duplicate(module)
    for layer in copy.modules():
        own = [weight for weight in layer._parameters.values() if weight is not None]
        reset = getattr(layer, "reset_parameters", getattr(layer, "_reset_parameters", None))
        if own and reset is not None:
            reset()
            continue
        for weight in own:
            order = torch.randperm(weight.numel()).to(weight.device)
            weight.data = weight.data.flatten()[order].view_as(weight)
    return dict(copy.named_parameters())


def _of_layer(module: nn.Module, name: str) -> dict[str, Tensor]:
    """Return the weights by name of a layer as it was before any training."""
    for part in module.modules():
        if any(hasattr(part, attribute) for attribute in _OF_ADAPTERS):
            raise InputError(
                "the weights of adapters cannot be randomised with the model's; merge them first: "
                "give VisionModel(peft_model.merge_and_unload())"
            )
    layer = duplicate(module.get_submodule(name))
    reset = getattr(layer, "reset_parameters", None)
    if reset is None:
        raise InputError(
            f"the weights of {name or 'the model'} cannot be randomised: "
            f"{type(layer).__name__} has no reset_parameters; give it one"
        )
    reset()
    return {f"{name}.{weight_name}": weight for weight_name, weight in layer.named_parameters()}
