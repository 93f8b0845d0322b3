"""Pipeline: images and settings in, explanations out, in passes that all their masks share."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor

from multiplex_vit.errors import InputError
from multiplex_vit.models import port
from multiplex_vit.models.classifier import Classifier
from multiplex_vit.models.fast.memory import is_out_of_memory, release_memory
from multiplex_vit.models.picture import Picture
from multiplex_vit.network.token_graph import token_graph
from multiplex_vit.network.tokens import Tokens
from multiplex_vit.registry import Named
from multiplex_vit.saliency.attended import Attended, attended
from multiplex_vit.saliency.designs import DESIGNS, DesignInput
from multiplex_vit.saliency.explanation import Explanation
from multiplex_vit.saliency.given import GivenNetworks
from multiplex_vit.saliency.masks import Masks, distinct_rows, refuse_many_scores
from multiplex_vit.saliency.prior import Prior
from multiplex_vit.saliency.ranked import (
    Networks,
    Statistics,
    add_statistics,
    make_masks,
    since,
)
from multiplex_vit.saliency.settings import Settings


@dataclass(frozen=True, eq=False)
class Prepared:
    """What an image's explanations are made of, before any masked pass.

    Attributes
    ----------
    clean : ndarray float32 [class]
        Scores of the whole image.
    priors : dict of str to Prior
        By the kinds that settings ask for and the model has.
    masks : list of Masks
        One for each of the settings.
    graphs : list of ndarray [node, node] or None
        The token graph of each of the settings that needs one.
    """

    clean: np.ndarray
    priors: dict[str, Prior]
    masks: list[Masks]
    graphs: list[np.ndarray | None]


def explained(
    model: Classifier,
    pictures: Sequence[Picture],
    labels: Sequence[Any],
    settings: Sequence[Settings],
    batch_size: int | str,
    given: GivenNetworks | None = None,
) -> list[list[Explanation]]:
    """Return the explanations of pictures of one size, which share passes.

    Where memory is short, half of the pictures are explained at a time, and so on.

    Parameters
    ----------
    model : Classifier
    pictures : sequence of Picture
    labels : sequence of int, str or None
        Of each picture the class to explain, None for the predicted one.
    settings : sequence of Settings
    batch_size : int or "auto"
        Most masks a forward pass.
    given : GivenNetworks, optional
        Networks in place of the pictures' own attention. Default: none.

    Returns
    -------
    list of list of Explanation
        Of each picture one for each of the settings.

    Raises
    ------
    InputError
        If there is no such class or layer, or memory is short of one image.
    """
    try:
        return _explained(model, pictures, labels, settings, batch_size, given)
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        if len(pictures) == 1:
            what = "memory is short of the attention of one image"
            how = "take a smaller model, another device, or dtype='bfloat16'"
            raise InputError(f"{what}; {how}") from error
    release_memory()
    half = len(pictures) // 2
    explanations = []
    for part in (slice(half), slice(half, None)):
        explanations += explained(
            model,
            pictures[part],
            labels[part],
            settings,
            batch_size,
            given,
        )
    return explanations


def _explained(
    model: Classifier,
    pictures: Sequence[Picture],
    labels: Sequence[Any],
    settings: Sequence[Settings],
    batch_size: int | str,
    given: GivenNetworks | None,
) -> list[list[Explanation]]:
    """Return the explanations; what they need of memory is free again when this fails."""
    grid = model.grid_of(pictures[0].pixels.shape[2:])
    for chosen in settings:
        # Before the first pass: an hour's work would end in a file that cannot be written.
        most = chosen.most_passes(int(np.prod(grid)))
        refuse_many_scores(most, model.n_classes)
    pixels = [picture.pixels for picture in pictures]
    tokens = model.embed(torch.cat(pixels))
    known = [None if label is None else model.label_of(label, 0) for label in labels]
    # Attention is kept under no name here, so that its memory is free for the masked passes.
    prepared = _prepared(attended(model, tokens, settings, known), settings, grid, given)
    classes = []
    for label, image in zip(known, prepared, strict=True):
        classes.append(int(image.clean.argmax()) if label is None else label)
    masks = [image.masks for image in prepared]
    scores = _scores(model, tokens, masks, batch_size)
    if given is not None:
        settings = [given.shown_in(chosen) for chosen in settings]
    explanations = []
    for place, picture in enumerate(pictures):
        common = {
            "label": classes[place],
            "grid": grid,
            "view": picture.view,
        }
        if given is not None:
            common["network"] = given.record()
        of_image = _explanations(model, prepared[place], scores[place], settings, common)
        explanations.append(of_image)
    return explanations


def _explanations(
    model: Classifier,
    image: Prepared,
    scores: Sequence[np.ndarray],
    settings: Sequence[Settings],
    common: dict[str, Any],
) -> list[Explanation]:
    """Return an image's explanations, one for each of the settings."""
    common = common | {
        "classes": model.classes,
        "model": model.name,
        "score": model.score,
    }
    explanations = []
    for place, chosen in enumerate(settings):
        masks = image.masks[place]
        prior = image.priors.get(chosen.prior or "")
        if prior is None:
            # What a result says of itself is how it was made.
            chosen = chosen.at(prior=None)
        explanation = Explanation(
            clean=image.clean,
            masks=masks,
            probabilities=scores[place],
            settings=chosen,
            explainer=chosen.text,
            forward_passes=len(masks.distinct()[0]) + 1,
            backward_passes=chosen.backward_passes,
            graph=image.graphs[place],
            prior=prior,
            **common,
        )
        explanations.append(explanation)
    return explanations


# --- before the masked passes


def _prepared(
    found: Attended,
    settings: Sequence[Settings],
    grid: tuple[int, int],
    given: GivenNetworks | None,
) -> list[Prepared]:
    """Return what explanations are made of before masked passes, of what whole images gave."""
    networks = found.networks
    if given is not None:
        # Of settings that share a starting layer, as one explainer's do.
        starting_layer = settings[0].starting_layer
        device = next(iter(networks[0].values())).device
        networks = [given.weights(starting_layer, device)] * len(networks)
        settings = [given.applied_to(chosen) for chosen in settings]
    nodes = Tokens(grid)
    statistics: list[Statistics] = [{} for _ in networks]
    for chosen in settings:
        if chosen.ranks:
            # Of all images at once, since small reductions cost as much as large ones.
            add_statistics(networks, chosen.ranking, nodes, statistics)
    prepared = []
    for place, of_image in enumerate(networks):
        graphs = _graphs(of_image, settings, grid)
        masks = _masks(of_image, settings, graphs, nodes, statistics[place])
        image = Prepared(found.clean[place], found.priors[place], masks, graphs)
        prepared.append(image)
    return prepared


def _graphs(
    networks: Networks, settings: Sequence[Settings], grid: tuple[int, int]
) -> list[np.ndarray | None]:
    """Return the token graph of each of the settings that needs one, each made once."""
    # Finding it takes longer than a masked pass, and most settings of a sweep share it.
    graph_of: dict[Any, np.ndarray] = {}
    graphs: list[np.ndarray | None] = []
    for chosen in settings:
        if not chosen.needs_graph:
            graphs.append(None)
            continue
        operator, starting_layer = chosen.graph_operator, chosen.starting_layer
        key = (operator, starting_layer, chosen.grid_weight)
        if key not in graph_of:
            weights = since(networks[operator], starting_layer)
            graph_of[key] = token_graph(
                weights.cpu().numpy(),
                grid,
                grid_weight=chosen.grid_weight,
            )
        graphs.append(graph_of[key])
    return graphs


def _masks(
    networks: Networks,
    settings: Sequence[Settings],
    graphs: Sequence[np.ndarray | None],
    nodes: Tokens,
    statistics: Statistics,
) -> list[Masks]:
    """Return the masks of each of the settings.

    Settings that differ in how masks are weighed alone share them.
    """
    masks_of: dict[Settings, Masks] = {}
    masks = []
    for chosen, graph in zip(settings, graphs, strict=True):
        key = chosen.at(
            estimator="coverage",
            smoothness=1.0,
            prior=None,
            prior_weight=1.0,
        )
        if key not in masks_of:
            inputs = DesignInput(
                nodes,
                chosen.n_masks,
                token_ratio=chosen.token_ratio,
                seed=chosen.seed,
                resolutions=chosen.resolutions,
                graph=graph,
                rank=partial(_ranked, networks, chosen, nodes, statistics),
                stack=partial(_stacked, networks, chosen.operators),
            )
            masks_of[key] = DESIGNS.resolve(chosen.design)(inputs)
        masks.append(masks_of[key])
    return masks


def _ranked(networks: Networks, chosen: Settings, nodes: Tokens, statistics: Statistics) -> Masks:
    return make_masks(
        networks,
        chosen.ranking,
        chosen.token_ratio,
        nodes,
        statistics,
    )


def _stacked(networks: Mapping[Named, Tensor], operators: Sequence[Named]) -> Tensor:
    return torch.stack([networks[operator] for operator in operators])


# --- the masked passes


def _scores(
    model: Classifier,
    tokens: port.Tokens,
    masks: Sequence[Sequence[Masks]],
    batch_size: int | str,
) -> list[list[np.ndarray]]:
    """Return scores [mask, class] of masks [image][settings], every distinct one run once."""
    kept, repeats = [], []
    for of_image in masks:
        # Settings of a sweep make many masks alike.
        stacks = [of_settings.kept for of_settings in of_image]
        union = np.concatenate(stacks)
        first, inverse = distinct_rows(union)
        kept.append(union[first])
        repeats.append(inverse)
    scores = []
    of_images = _run(model, tokens, kept, batch_size)
    for place, distinct in enumerate(of_images):
        counts = [len(of_settings) for of_settings in masks[place]]
        ends = np.cumsum(counts)
        scores.append(np.split(distinct[repeats[place]], ends[:-1]))
    return scores


def _run(
    model: Classifier, tokens: port.Tokens, kept: Sequence[np.ndarray], batch_size: int | str
) -> list[np.ndarray]:
    """Return scores [mask, class] of each image's masks; masks of several images share passes."""
    if len(kept) == 1:
        # Nothing to share with other images, and no copies to sort them apart.
        alone = model.probabilities(tokens, kept[0], batch_size=batch_size)
        return [alone.cpu().numpy()]
    scores = model.probabilities_of_images(
        tokens,
        kept,
        batch_size=batch_size,
    )
    return [of_image.cpu().numpy() for of_image in scores]
