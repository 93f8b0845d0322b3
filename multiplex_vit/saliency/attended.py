"""What the pass of whole images gives: attention, scores, and priors of their tokens."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from torch import Tensor

from multiplex_vit.models.classifier import Classifier
from multiplex_vit.models.fast.memory import is_out_of_memory
from multiplex_vit.models.port import Tokens
from multiplex_vit.registry import Named
from multiplex_vit.saliency.prior import DIRECT, RELEVANCE, Prior
from multiplex_vit.saliency.settings import Settings
from multiplex_vit.saliency.warned import warn

RULES = "attn_lrp"
"""The set of rules that relevance follows: a member of `models.backward.methods.RULES`."""

Pass = tuple[Tensor, Tensor, Any]
"""Attention [image, operator, layer, source, target], scores [image, class], and a prior's shares;
of relevance None where there is none."""


@dataclass(frozen=True, eq=False)
class Attended:
    """What the pass of whole images gives.

    Attributes
    ----------
    networks : list of dict of operator to Tensor [layer, source, target]
        Of each image.
    clean : ndarray [image, class]
        Scores.
    priors : list of dict of str to Prior
        Of each image, by the kinds that settings ask for and the model has.
    """

    networks: list[dict[Named, Tensor]]
    clean: np.ndarray
    priors: list[dict[str, Prior]]


def attended(
    model: Classifier,
    tokens: Tokens,
    settings: Sequence[Settings],
    labels: Sequence[int | None],
) -> Attended:
    """Return attention, scores and the priors that settings ask for, of one pass if that can be.

    Parameters
    ----------
    model : Classifier
    tokens : Tokens
    settings : sequence of Settings
    labels : sequence of int or None
        Of each image the class whose relevance is wanted; None stands for the predicted one.

    Warns
    -----
    UserWarning
        Where relevance is wanted of a model that has none, as it lets no gradients through or holds
        an operation that no rule fits.
    """
    operators = operators_of(settings)
    kinds = {chosen.prior for chosen in settings}
    priors: list[dict[str, Prior]] = [{} for _ in labels]
    results: Pass | None = None
    if RELEVANCE in kinds:
        results = _with_relevance(model, tokens, operators, labels)
        if results is not None:
            _add(priors, RELEVANCE, _of_relevance(model, results, labels))
    if DIRECT in kinds:
        # Attention and scores are the same to the last bit, whatever else a pass keeps.
        results = model.attend_directly(tokens, operators)
        _add(priors, DIRECT, _of_shares(model, results))
    if results is None:
        results = (*model.attend(tokens, operators), None)
    pooled, clean, _ = results
    networks = [dict(zip(operators, of_image, strict=True)) for of_image in pooled]
    return Attended(networks, clean.cpu().numpy(), priors)


def operators_of(settings: Sequence[Settings]) -> list[Named]:
    """Return the head operators that settings need, each once.

    Examples
    --------
    >>> operators_of([Settings(operators=("sum",)), Settings(design="occlusion")])
    ['sum', 'min', 'max', 'mean']
    """
    wanted: list[Named] = []
    for chosen in settings:
        wanted += chosen.operators
    for chosen in settings:
        if chosen.needs_graph:
            wanted.append(chosen.graph_operator)
    return list(dict.fromkeys(wanted))


def with_relevance(
    prior: Prior, model: Classifier, tokens: Tokens, labels: Iterable[int]
) -> tuple[Prior, int]:
    """Return a prior with the relevance of more classes, and how many it was not known of.

    Each of these takes a forward and a backward pass.
    """
    n_before = len(prior.labels)
    for label in labels:
        if label not in prior.labels:
            shares, _ = model.relevance(tokens, [label], RULES)
            prior = prior.with_class(label, _of_patches(model, shares[0]))
    return prior, len(prior.labels) - n_before


def _with_relevance(
    model: Classifier,
    tokens: Tokens,
    operators: Sequence[Named],
    labels: Sequence[int | None],
) -> Pass | None:
    """Return a pass with relevance [image, layer, token]; warn, and return None, without."""
    try:
        results = model.attend_relevance(tokens, operators, labels, RULES)
    except (RuntimeError, TypeError, ValueError) as error:
        if is_out_of_memory(error):
            raise
        _warn_of_none(model, " ".join(str(error).split()))
        return None
    if not results[2].isfinite().all():
        _warn_of_none(model, "it is NaN or infinite")
        return None
    return results


def _add(priors: list[dict[str, Prior]], kind: str, of_images: Iterable[Prior]) -> None:
    for of_image, prior in zip(priors, of_images, strict=True):
        of_image[kind] = prior


def _of_relevance(
    model: Classifier, results: Pass, labels: Sequence[int | None]
) -> Iterator[Prior]:
    """Yield the prior of each image, of one class."""
    _, clean, shares = results
    predicted = clean.argmax(-1).tolist()
    for label, best, of_image in zip(labels, predicted, shares, strict=True):
        known = best if label is None else label
        yield Prior(_of_patches(model, of_image)[:, None], (known,))


def _of_shares(model: Classifier, results: Pass) -> Iterator[Prior]:
    """Yield the prior of each image, of every class."""
    every_class = tuple(range(model.n_classes))
    for of_image in results[2].cpu().numpy():
        yield Prior(of_image, every_class)


def _of_patches(model: Classifier, shares: Tensor) -> np.ndarray:
    """Return the relevance [node] of patches, summed over the first half of layers.

    In deeper layers what a patch holds is no longer of its own place alone, as masks are.
    """
    first_half = shares[: max(1, len(shares) // 2)]
    patches = first_half.sum(0)[model.n_prefix :]
    values: np.ndarray = patches.float().cpu().numpy()
    return values


def _warn_of_none(model: Classifier, why: str) -> None:
    warn(f"{model.name} has no relevance ({why[:200]}), so its heatmaps have no prior")
