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


def parts_of(model: VisionModel) -> dict[str, list[str]]:
    """Return the names of a model's weights by part, from the head down: "head", the blocks from the last to "block 0", "embeddings".

    The head is all that comes after the blocks: the last layer norm, and the classifiers.

    Examples
    --------
    >>> import multiplex_vit as mv
    >>> list(parts_of(mv.load("demo-vit", device="cpu")))
    ['head', 'block 5', 'block 4', 'block 3', 'block 2', 'block 1', 'block 0', 'embeddings']
    """
    network = vision_model(model).model
    embeddings = model.backbone.embeddings
    homes = {f"block {i}": block for i, block in enumerate(model.backbone.blocks)}
    owners = {
        id(weight): part
        for part, module in {**homes, "embeddings": embeddings}.items()
        for weight in module.parameters()
    }
    parts: dict[str, list[str]] = {
        "head": [],
        **{f"block {i}": [] for i in reversed(range(model.n_layers))},
        "embeddings": [],
    }
    for name, weight in network.named_parameters():
        parts[owners.get(id(weight), "head")].append(name)
    return parts


def randomised(model: VisionModel, seed: int = 0) -> Iterator[tuple[str, VisionModel]]:
    """Yield copies of a model of which more and more is as before any training, from the head down to the embeddings.

    Weights are what the architecture's own constructor draws, or a layer's own where the architecture has no such layer (a head of one's own).
    The model itself is left as it is, and so is torch's random state.

    Parameters
    ----------
    model : VisionModel
    seed : int
        Of the weights drawn.

    Yields
    ------
    part : str
        The part randomised last; all before it are too.
    copy : VisionModel
        Shares no weight with the model, nor with other copies.

    Examples
    --------
    >>> import multiplex_vit as mv
    >>> cat, model = mv.samples()["cat"], mv.load("demo-vit", device="cpu")
    >>> part, copy = next(randomised(model))
    >>> part, float(copy.classify(copy.picture(cat).pixels).max()) < 0.5
    ('head', True)
    """
    network = vision_model(model).model
    fresh = _untrained(network, seed)
    for part, names in parts_of(model).items():
        network = duplicate(network)
        weights = dict(network.named_parameters())
        with torch.no_grad():
            for name in names:
                weights[name].copy_(fresh[name])
        name = f"{model.name}, random down to {part}"
        copy = model.with_module(network, name)
        yield part, copy


def _untrained(network: Any, seed: int) -> dict[str, Tensor]:
    """Return the weights by name of a new model of the same configuration; of layers that it lacks, what they draw for themselves."""
    generator = torch.random.default_generator
    before = generator.get_state()
    try:
        generator.manual_seed(seed)
        drawn = dict(type(network)(deepcopy(network.config)).named_parameters())
        for name, weight in network.named_parameters():
            if name not in drawn or drawn[name].shape != weight.shape:
                drawn |= _of_layer(network, name.rpartition(".")[0])
        return drawn
    finally:
        generator.set_state(before)


def _of_layer(network: nn.Module, name: str) -> dict[str, Tensor]:
    """Return the weights by name of a layer as it was before any training."""
    if any(
        hasattr(part, "base_layer") or hasattr(part, "modules_to_save")
        for part in network.modules()
    ):
        raise InputError(
            "the weights of adapters cannot be randomised with the model's; merge them first: give VisionModel(peft_model.merge_and_unload())"
        )
    layer = duplicate(network.get_submodule(name))
    reset = getattr(layer, "reset_parameters", None)
    if reset is None:
        raise InputError(
            f"the weights of {name or 'the model'} cannot be randomised: {type(layer).__name__} has no reset_parameters; give it one"
        )
    reset()
    return {f"{name}.{own}": weight for own, weight in layer.named_parameters()}
