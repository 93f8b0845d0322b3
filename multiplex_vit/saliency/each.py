"""explain_each: many images explained by several settings, in passes that masks of different images share."""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from itertools import repeat
from typing import Any

import numpy as np
import torch
from torch import Tensor

from multiplex_vit.arguments import checked
from multiplex_vit.checks import vision_model
from multiplex_vit.errors import InputError
from multiplex_vit.models.fast.memory import bytes_that_fit, is_out_of_memory, release_memory
from multiplex_vit.models.picture import Picture
from multiplex_vit.models.vision_model import VisionModel
from multiplex_vit.network.token_graph import token_graph
from multiplex_vit.network.tokens import Tokens
from multiplex_vit.registry import Named
from multiplex_vit.saliency.designs import DESIGNS, Ground, design_of
from multiplex_vit.saliency.explanation import Explanation
from multiplex_vit.saliency.masks import Masks, learn, refuse_many_scores, since
from multiplex_vit.saliency.settings import Settings

_MOST_IMAGES = {"cpu": 16, "cuda": 64}
_READERS = {"cpu": 1, "cuda": 4}
"""Threads that make images ready: a CPU that computes has none to spare."""

_RANKED = ("centrality", "mixed")
"""Designs that rank nodes by statistics, which are computed for several images at once."""


@checked
def explain_each(
    model: VisionModel, images: Iterable[Any], settings: Iterable[Settings], *, label: Any = None, batch_size: int | str = "auto"
) -> Iterator[list[Explanation]]:
    """Explain images one after the other, in the time and memory of several at once: masks that keep equally many share a pass, whatever their image.

    The next images are read in a thread meanwhile. Memory does not grow with their number, unless results are kept.

    Parameters
    ----------
    model : VisionModel
    images : iterable
        Each as for `explain`.
    settings : iterable of Settings
    label : int, str, or a list of one an image, optional
        Class to explain; the predicted class where None.
    batch_size : int or "auto"
        Most masks a forward pass.

    Yields
    ------
    list of Explanation
        An image's, in the settings' order, as `explain_many` gives them.

    Raises
    ------
    InputError
        If an image, a label or a setting cannot be used.

    Examples
    --------
    >>> import multiplex_vit as mv
    >>> model, images = mv.load("demo-vit", device="cpu"), list(mv.samples().values())
    >>> [each.label_name for (each,) in mv.explain_each(model, images[:2], [mv.Settings()])] == [mv.explain(model, image).label_name for image in images[:2]]
    True
    """
    vision_model(model)
    chosen = resolved(settings)
    labels: Iterable[Any] = repeat(label)
    if isinstance(label, (list, tuple)):
        images = list(images)
        labels = labels_of(label, len(images))
    return _batch_by_batch(model, images, labels, chosen, batch_size)


def labels_of(label: Any, n_images: int) -> list[Any]:
    """Return a label for each image, from one for all or a list of one an image.

    Examples
    --------
    >>> labels_of("cat", 2), labels_of(["cat", None], 2)
    (['cat', 'cat'], ['cat', None])
    """
    if not isinstance(label, (list, tuple)):
        return [label] * n_images
    if len(label) != n_images:
        raise InputError(f"{len(label)} labels were given for {n_images} images; give one an image, or one for all")
    return list(label)


def resolved(settings: Iterable[Settings]) -> list[Settings]:
    """Return settings whose names are all registered; InputError if there are none."""
    chosen = [each.resolved() for each in settings]
    if not chosen:
        raise InputError("explain_many was given no settings; give at least one")
    return chosen


def picture_of(model: VisionModel, image: Any) -> Picture:
    """Return an image ready for the model; InputError if either is something else."""
    return vision_model(model).picture(image)


def explained(
    model: VisionModel, pictures: Sequence[Picture], labels: Sequence[Any], settings: Sequence[Settings], batch_size: int | str
) -> list[list[Explanation]]:
    """Return the explanations of pictures of one size, which share passes; where memory is short, of half of them at a time, and so on."""
    try:
        return _explained(model, pictures, labels, settings, batch_size)
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        if len(pictures) == 1:
            raise InputError("memory is short of the attention of one image; take a smaller model, another device, or dtype='bfloat16'") from error
    release_memory()
    half = len(pictures) // 2
    parts = ((pictures[:half], labels[:half]), (pictures[half:], labels[half:]))
    return [each for some, own in parts for each in explained(model, some, own, settings, batch_size)]


def _explained(
    model: VisionModel, pictures: Sequence[Picture], labels: Sequence[Any], settings: Sequence[Settings], batch_size: int | str
) -> list[list[Explanation]]:
    """Return the explanations of pictures of one size; what they need of memory is free again when this fails."""
    grid = model.grid_of(pictures[0].pixels.shape[2:])
    for each in settings:
        refuse_many_scores(each.most_passes(int(np.prod(grid))), model.n_classes)
    tokens = model.embed(torch.cat([picture.pixels for picture in pictures]))
    attention, clean, direct = _attended(model, tokens, settings)
    predicted = clean.argmax(1)
    found = [model.label_of(label, int(own)) for label, own in zip(labels, predicted, strict=True)]
    known = _statistics(attention, settings, Tokens(grid))
    graphs = [_graphs(each, settings, grid) for each in attention]
    masks = [_masks(each, settings, own, Tokens(grid), facts) for each, own, facts in zip(attention, graphs, known, strict=True)]
    del attention
    probabilities = _probabilities(model, tokens, masks, batch_size)
    facts: dict[str, Any] = {"grid": grid, "classes": model.classes, "model": model.name, "score": model.score}
    return [
        [
            Explanation(
                label=label,
                masks=m,
                probabilities=p,
                settings=s,
                forward_passes=len(m.distinct()[0]) + 1,
                graph=graph,
                direct=shares if s.direct_weight else None,
                clean=c,
                view=picture.view,
                **facts,
            )
            for m, p, s, graph in zip(own_masks, own_probabilities, settings, own_graphs, strict=True)
        ]
        for picture, label, c, shares, own_masks, own_probabilities, own_graphs in zip(
            pictures, found, clean, direct, masks, probabilities, graphs, strict=True
        )
    ]


def _batch_by_batch(
    model: VisionModel, images: Iterable[Any], labels: Iterable[Any], settings: list[Settings], batch_size: int | str
) -> Iterator[list[Explanation]]:
    batch: list[Picture] = []
    own: list[Any] = []
    for picture, label in zip(_read_ahead(model, images), labels, strict=False):
        if batch and (picture.pixels.shape != batch[0].pixels.shape or len(batch) == _together(model, picture, settings)):
            yield from explained(model, batch, own, settings, batch_size)
            batch, own = [], []
        batch.append(picture)
        own.append(label)
    if batch:
        yield from explained(model, batch, own, settings, batch_size)


def _read_ahead(model: VisionModel, images: Iterable[Any]) -> Iterator[Picture]:
    """Yield images ready for the model, while a thread makes ready the next ones."""
    pool = ThreadPoolExecutor(_READERS.get(_kind(model), 1), thread_name_prefix="pictures")
    waiting: deque[Future[Picture]] = deque()
    try:
        for image in images:
            waiting.append(pool.submit(picture_of, model, image))
            if len(waiting) > _MOST_IMAGES.get(_kind(model), 16):
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)


def _together(model: VisionModel, picture: Picture, settings: Sequence[Settings]) -> int:
    """Return how many images share passes: as many as pay, while their attention and scores are not much."""
    rows, cols = model.grid_of(picture.pixels.shape[2:])
    n_nodes = rows * cols
    attention = len(_operators(settings)) * model.n_layers * n_nodes**2
    # With 21,841 classes, the scores of masks and the direct attribution are more than attention is.
    rows_of_scores = sum(each.n_masks for each in settings)
    if any(each.direct_weight for each in settings):
        rows_of_scores += n_nodes
    n_bytes = 4 * (attention + rows_of_scores * model.n_classes)
    return max(1, min(_MOST_IMAGES.get(_kind(model), 16), bytes_that_fit(model.device) // n_bytes))


def _kind(model: VisionModel) -> str:
    """Return the kind of a model's device; of something else than a model, which is refused where its images are read, none."""
    return getattr(getattr(model, "device", None), "type", "")


def _operators(settings: Sequence[Settings]) -> list[Named]:
    """Return the head operators that settings need, each once."""
    wanted = [operator for each in settings for operator in each.operators]
    return list(dict.fromkeys([*wanted, *(each.graph_operator for each in settings if each.needs_graph)]))


def _attended(model: VisionModel, tokens: Tensor, settings: Sequence[Settings]) -> tuple[list[dict[Named, Tensor]], np.ndarray, Sequence[Any]]:
    """Return each image's attention [layer, source, target] by head operator, clean probabilities [image, class] and, where settings count it,
    each image's direct attribution [node, class], of one pass."""
    operators = _operators(settings)
    if any(each.direct_weight for each in settings):
        pooled, clean, shares = model.attend_directly(tokens, operators)
        direct: Sequence[Any] = list(shares.cpu().numpy())
    else:
        pooled, clean = model.attend(tokens, operators)
        direct = [None] * len(tokens)
    return [dict(zip(operators, each, strict=True)) for each in pooled], clean.cpu().numpy(), direct


def _statistics(attention: Sequence[dict[Named, Tensor]], settings: Sequence[Settings], tokens: Tokens) -> list[dict[Any, Any]]:
    """Return what is known of each image's nodes, computed for all images at once."""
    known: list[dict[Any, Any]] = [{} for _ in attention]
    for each in settings:
        if DESIGNS.own_name(each.design) in _RANKED:
            learn([[own[operator] for operator in each.operators] for own in attention], each, tokens, known)
    return known


def _graphs(attention: dict[Named, Tensor], settings: Sequence[Settings], grid: tuple[int, int]) -> list[np.ndarray | None]:
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


def _masks(
    attention: dict[Named, Tensor], settings: Sequence[Settings], graphs: Sequence[np.ndarray | None], tokens: Tokens, known: dict[Any, Any]
) -> list[Masks]:
    """Return the masks of each of the settings; settings that differ in how masks are weighed alone share them."""
    made: dict[Settings, Masks] = {}
    found = []
    for each, graph in zip(settings, graphs, strict=True):
        key = replace(each, estimator="coverage", smoothness=1.0, direct_weight=0.0)
        if key not in made:
            stack = partial(_stacked, attention, each.operators)
            made[key] = design_of(each.design)(Ground(stack, each, tokens, graph, known))
        found.append(made[key])
    return found


def _stacked(attention: dict[Named, Tensor], operators: Sequence[Named]) -> Tensor:
    return torch.stack([attention[operator] for operator in operators])


def _probabilities(model: VisionModel, tokens: Tensor, masks: Sequence[Sequence[Masks]], batch_size: int | str) -> list[list[np.ndarray]]:
    """Return scores [mask, class] of each of each image's masks, every distinct one run once."""
    unions = [np.concatenate([m.kept for m in own]) for own in masks]
    distinct = [Masks(kept, (("", "", ""),) * len(kept)).distinct() for kept in unions]
    kept = [union[first] for union, (first, _) in zip(unions, distinct, strict=True)]
    if len(kept) == 1:
        found = [model.probabilities(tokens, kept[0], batch_size=batch_size).cpu().numpy()]
    else:
        together = torch.cat(model.probabilities_of_images(tokens, kept, batch_size=batch_size)).cpu().numpy()
        found = np.split(together, np.cumsum([len(each) for each in kept])[:-1])
    return [np.split(each[inverse], np.cumsum([len(m) for m in own])[:-1]) for each, (_, inverse), own in zip(found, distinct, masks, strict=True)]
