"""explain_many: an image explained by several settings, what they share computed once."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch

from multiplex_vit.errors import InputError
from multiplex_vit.models.picture import Picture
from multiplex_vit.models.vision_model import VisionModel
from multiplex_vit.network.token_graph import token_graph
from multiplex_vit.network.tokens import Tokens
from multiplex_vit.registry import Named
from multiplex_vit.saliency.designs import DESIGNS, Ground
from multiplex_vit.saliency.explanation import Explanation
from multiplex_vit.saliency.masks import Masks, since
from multiplex_vit.saliency.settings import Settings


@dataclass(frozen=True)
class Passes:
    """How many sequences a model classified for several explanations of one image.

    Attributes
    ----------
    run : int
        Together: the whole image, and each distinct mask once.
    naive : int
        By a script that runs the image and every mask anew for each explanation.
    """

    run: int
    naive: int


def explain_many(
    model: VisionModel, image: Any, settings: Iterable[Settings], *, label: int | str | None = None, batch_size: int | str = "auto"
) -> list[Explanation]:
    """Explain an image by several settings: one attention pass for them all, and each distinct mask of their union once.

    Parameters
    ----------
    model : VisionModel
    image : as for `explain`
    settings : iterable of Settings
    label : int or str, optional
        Index or name of the class to explain; the predicted class unless given.
    batch_size : int or "auto"
        Most masks a forward pass.

    Returns
    -------
    list of Explanation
        In the settings' order, each as `explain` gives it; `shared_passes` counts what they took together.

    Raises
    ------
    InputError
        If the image, the label or a setting cannot be used.

    Examples
    --------
    >>> import multiplex_vit as mv
    >>> model = mv.load("demo-vit", device="cpu")
    >>> both = mv.explain_many(model, mv.samples()["cat"], [mv.Settings(), mv.Settings(statistics=("max", "min"))])
    >>> [len(ex.masks) for ex in both], shared_passes(both).run == both[0].forward_passes
    ([54, 12], True)
    """
    chosen = [each.resolved() for each in settings]
    if not chosen:
        raise InputError("explain_many was given no settings; give at least one")
    picture = picture_of(model, image)
    tokens = model.embed(picture.pixels)
    grid = model.grid_of(picture.pixels.shape[2:])
    attention, clean = _attended(model, tokens, chosen)
    explained = model.label_of(label, int(clean[0].argmax()))
    graphs = _graphs(attention, chosen, grid)
    masks = _masks(attention, chosen, graphs, Tokens(grid))
    probabilities = _probabilities(model, tokens, masks, batch_size)
    facts: dict[str, Any] = {"clean": clean[0].cpu().numpy(), "grid": grid, "classes": model.classes, "model": model.name, "view": picture.view}
    return [
        Explanation(label=explained, masks=m, probabilities=p, settings=s, forward_passes=len(m.distinct()[0]) + 1, graph=graph, **facts)
        for m, p, s, graph in zip(masks, probabilities, chosen, graphs, strict=True)
    ]


def shared_passes(explanations: Sequence[Explanation]) -> Passes:
    """Return how many forward passes explanations of one image take together, and how many without sharing.

    Examples
    --------
    >>> import multiplex_vit as mv
    >>> ex = mv.explain(mv.load("demo-vit", device="cpu"), mv.samples()["cat"])
    >>> shared_passes([ex, ex.subset(statistic="max")]).naive
    62
    """
    distinct = {row.tobytes() for ex in explanations for row in ex.masks.kept}
    return Passes(len(distinct) + 1, sum(len(ex.masks) + 1 for ex in explanations))


def picture_of(model: VisionModel, image: Any) -> Picture:
    """Return an image ready for the model; InputError if either is something else."""
    if not hasattr(model, "picture"):
        raise InputError(f"model is {type(model).__name__}; give what multiplex_vit.load returns, or VisionModel(model)")
    return model.picture(image)


def _attended(model: VisionModel, tokens: Any, settings: Sequence[Settings]) -> tuple[dict[Named, Any], Any]:
    """Return attention [layer, source, target] by head operator, and the clean probabilities, of one pass."""
    wanted = [operator for each in settings for operator in each.operators]
    wanted += [each.graph_operator for each in settings if each.needs_graph]
    operators = list(dict.fromkeys(wanted))
    pooled, clean = model.attend(tokens, operators)
    return dict(zip(operators, pooled[0], strict=True)), clean


def _graphs(attention: dict[Named, Any], settings: Sequence[Settings], grid: tuple[int, int]) -> list[np.ndarray | None]:
    """Return the token graph of each of the settings that needs one, made once where it is the same."""
    known: dict[Any, np.ndarray] = {}
    graphs: list[np.ndarray | None] = []
    for each in settings:
        key = (each.graph_operator, each.starting_layer, each.grid_weight)
        if each.needs_graph and key not in known:
            later = since(attention[each.graph_operator][None], each.starting_layer)[0]
            known[key] = token_graph(later.cpu().numpy(), grid, grid_weight=each.grid_weight)
        graphs.append(known[key] if each.needs_graph else None)
    return graphs


def _masks(attention: dict[Named, Any], settings: Sequence[Settings], graphs: Sequence[np.ndarray | None], tokens: Tokens) -> list[Masks]:
    """Return the masks of each of the settings; settings that differ in how masks are weighed alone share them."""
    made: dict[Settings, Masks] = {}
    values: dict[Any, Any] = {}
    found = []
    for each, graph in zip(settings, graphs, strict=True):
        key = replace(each, estimator="coverage", smoothness=1.0)
        if key not in made:
            stack = torch.stack([attention[operator] for operator in each.operators])
            made[key] = DESIGNS.resolve(each.design)(Ground(stack, each, tokens, graph, values))
        found.append(made[key])
    return found


def _probabilities(model: VisionModel, tokens: Any, masks: Sequence[Masks], batch_size: int | str) -> list[np.ndarray]:
    """Return class probabilities [mask, class] of each of the masks, every distinct one run once."""
    union = masks[0] if len(masks) == 1 else Masks(np.concatenate([m.kept for m in masks]), sum((m.labels for m in masks), ()))
    first, inverse = union.distinct()
    probabilities = model.probabilities(tokens, union.kept[first], batch_size=batch_size).cpu().numpy()[inverse]
    return np.split(probabilities, np.cumsum([len(m) for m in masks])[:-1])
