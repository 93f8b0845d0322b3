"""Masks: which patch tokens stay, for every operator, centrality and statistic."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from multiplex_vit.arguments import check_fields, checked
from multiplex_vit.checks import shown
from multiplex_vit.errors import InputError
from multiplex_vit.limits import MOST_ARRAY_BYTES
from multiplex_vit.network.centrality import CENTRALITIES, centrality
from multiplex_vit.network.layer import Layer
from multiplex_vit.network.tokens import Tokens
from multiplex_vit.registry import name_of
from multiplex_vit.saliency.numerics import exact, keep_published, keep_stable, stable_statistic
from multiplex_vit.saliency.settings import Named, Settings
from multiplex_vit.saliency.statistics import STATISTICS

LABELS = ("operator", "centrality", "statistic")


@dataclass(frozen=True, eq=False)
class Masks:
    """Binary token masks.

    Attributes
    ----------
    kept : ndarray bool [mask, node]
        Which patch tokens stay.
    labels : tuple of tuple of str
        Operator, centrality and statistic of each mask; empty where a mask was not made of these.
    designs : tuple of str, optional
        The design that made each mask; "centrality" unless given.
    flips : ndarray [mask], optional
        How many tokens each mask would keep or leave otherwise if it were made in float64; known to `precision_flips` alone.

    Examples
    --------
    >>> masks = Masks(np.array([[True, False], [True, False], [False, False]]), (("min", "in_strength", "max"), ("max", "in_strength", "max"), ("sum", "in_strength", "max")))
    >>> masks.table()[["operator", "kept", "repeats"]].values.tolist()
    [['min', 1, -1], ['max', 1, 0], ['sum', 0, -1]]
    >>> masks.summary()
    '3 masks, 2 distinct; 1 keeps nothing, 0 keep everything'
    """

    kept: np.ndarray
    labels: tuple[tuple[str, str, str], ...]
    designs: tuple[str, ...] = ()
    flips: np.ndarray | None = None

    def __post_init__(self) -> None:
        check_fields(self)
        object.__setattr__(self, "designs", self.designs or ("centrality",) * len(self.labels))

    def __add__(self, other: "Masks") -> "Masks":
        flips = None if self.flips is None or other.flips is None else np.concatenate([self.flips, other.flips])
        return Masks(np.concatenate([self.kept, other.kept]), self.labels + other.labels, self.designs + other.designs, flips)

    def __len__(self) -> int:
        return len(self.labels)

    def table(self) -> pd.DataFrame:
        """Return one row a mask: operator, centrality, statistic, direction, design, kept (tokens), share, repeats.

        `direction` is "in", "out" or "" by the centrality's name; `repeats` is the number of the first mask with the same tokens,
        or -1 for a mask that comes for the first time. Masks from `precision_flips` have the column `flips` too.
        """
        table = pd.DataFrame(list(self.labels), columns=list(LABELS))
        table["direction"] = [direction_of(name) for name in table["centrality"]]
        table["design"] = self.designs
        table["kept"] = self.kept.sum(1)
        table["share"] = self.kept.mean(1)
        first, inverse = self.distinct()
        table["repeats"] = np.where(first[inverse] == np.arange(len(self)), -1, first[inverse])
        return table if self.flips is None else table.assign(flips=self.flips)

    def distinct(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the place of each distinct mask's first occurrence, in order, and for every mask which of them it equals."""
        _, first, inverse = np.unique(np.packbits(self.kept, axis=1), axis=0, return_index=True, return_inverse=True)
        order = np.argsort(first)
        return first[order], np.argsort(order)[inverse.ravel()]

    @checked
    def select(self, chosen: np.ndarray) -> "Masks":
        """Return the masks chosen by a bool [mask]; InputError if it is something else."""
        if chosen.shape != (len(self),) or chosen.dtype != bool:
            raise InputError(f"chosen is {shown(chosen)}; give truth values [{len(self)}]")
        labels = tuple(label for label, take in zip(self.labels, chosen, strict=True) if take)
        designs = tuple(design for design, take in zip(self.designs, chosen, strict=True) if take)
        return Masks(self.kept[chosen], labels, designs, None if self.flips is None else self.flips[chosen])

    def summary(self) -> str:
        """Return one line: how many masks, distinct ones, and such as keep nothing or everything."""
        count = self.kept.sum(1)
        empty, full = int((count == 0).sum()), int((count == self.kept.shape[1]).sum())
        verbs = ["keeps" if n == 1 else "keep" for n in (empty, full)]
        return f"{len(self)} masks, {len(self.distinct()[0])} distinct; {empty} {verbs[0]} nothing, {full} {verbs[1]} everything"


def direction_of(centrality: str) -> str:
    """Return "in" or "out" for a centrality of that direction, else "".

    Examples
    --------
    >>> direction_of("in_strength"), direction_of("pagerank")
    ('in', '')
    """
    head = centrality.split("_")[0]
    return head if head in ("in", "out") else ""


def prune(weights: Tensor, min_cut: float) -> Tensor:
    """Return weights [..., source, target] with 0 where they lie below `min_cut` times their layer's greatest (equality stays)."""
    return weights.where(weights >= min_cut * weights.amax((-2, -1), keepdim=True), 0)


def make_masks(attention: Tensor, settings: Settings, tokens: Tokens | None = None, known: dict[Any, Tensor] | None = None) -> Masks:
    """Return the masks of one image.

    Parameters
    ----------
    attention : Tensor [operator, layer, source, target]
        Between patch tokens, pooled over heads by `settings.operators`.
    settings : Settings
    tokens : Tokens, optional
        The nodes, for centralities that ask where they lie; patches in one row unless given.
    known : dict, optional
        Statistics of nodes of the same attention, kept between calls: other settings for `token_ratio` need no new ones.

    Returns
    -------
    Masks
        Operator slowest, then centrality, then statistic.

    Raises
    ------
    InputError
        If `starting_layer` is not a layer, or a measure gives another number of values than there are nodes.
    """
    known = {} if known is None else known
    learn([list(attention)], settings, tokens or Tokens((1, attention.shape[-1])), [known])
    return masks_of(known, settings)


def are_known(known: dict[Any, Tensor], settings: Settings) -> bool:
    """Tell whether the statistics that `make_masks` needs are there, so that it needs no attention."""
    return all(key in known for key in _keys(settings))


def masks_of(known: dict[Any, Tensor], settings: Settings) -> Masks:
    """Return the masks of one image, of whose nodes the statistics are known; see `make_masks`."""
    keep = keep_stable if settings.numerics == "stable" else keep_published
    kept = torch.cat([keep(known[key], settings.token_ratio) for key in _keys(settings)])
    statistics = [(name_of(measure), name_of(statistic)) for measure in settings.centralities for statistic in settings.statistics]
    return Masks(kept.cpu().numpy(), tuple((name_of(operator), *names) for operator in settings.operators for names in statistics))


def learn(attention: Sequence[Sequence[Tensor]], settings: Settings, tokens: Tokens, known: Sequence[dict[Any, Tensor]]) -> None:
    """Put the statistics that `make_masks` needs into `known`, one dict an image, where they are not there yet.

    Parameters are as for `make_masks`, but of several images: attention [image][operator] of Tensor [layer, source, target].
    """
    stacks = [[since(stack[None], settings.starting_layer)[0] for stack in each] for each in attention]
    missing = [
        (facts, key, stack) for facts, each in zip(known, stacks, strict=True) for key, stack in zip(_keys(settings), each, strict=True) if key not in facts
    ]
    if missing:
        pruned = (_pruned(stack, settings) for *_, stack in missing)
        values = _all_values(pruned, settings, tokens)
        for (facts, key, _), each in zip(missing, values.cpu(), strict=True):
            facts[key] = each


def _pruned(stack: Tensor, settings: Settings) -> Tensor:
    """Return a stack [layer, source, target] without weak edges, in the settings' numerics."""
    if settings.numerics == "stable":
        stack = exact(stack)
    return prune(stack, settings.min_cut)


def _keys(settings: Settings) -> list[Any]:
    """Return for each operator what its statistics are known by."""
    shared = (settings.centralities, settings.statistics, settings.min_cut, settings.starting_layer, settings.numerics)
    return [(operator, *shared) for operator in settings.operators]


def _all_values(weights: Iterable[Tensor], settings: Settings, tokens: Tokens) -> Tensor:
    """Return every statistic of every centrality [stack, centrality x statistic, node] of stacks of weights [layer, source, target]."""
    values = []
    for stack in weights:
        layers = _layers(stack, settings.centralities, tokens)
        values += [layer_values(stack, measure, layers) for measure in settings.centralities]
    stable = settings.numerics == "stable"
    statistics = torch.stack([_of_each(values, statistic, stable) for statistic in settings.statistics], 1)
    return statistics.view(-1, len(settings.centralities) * len(settings.statistics), statistics.shape[-1])


def _of_each(values: Sequence[Tensor], statistic: Named, stable: bool) -> Tensor:
    """Return a statistic [centrality, node] of centralities [layer, node]."""
    if STATISTICS.trait(statistic, "apart"):
        # All at once only where this changes not even the last bit.
        computed = node_values(torch.cat(list(values), 1), statistic).view(len(values), -1)
    else:
        computed = torch.stack([node_values(each, statistic) for each in values])
    if not stable:
        return computed
    return stable_statistic(statistic, computed, torch.stack(list(values)))


def since(attention: Tensor, starting_layer: int) -> Tensor:
    """Return the layers [operator, layer, source, target] from the starting layer on; InputError if there is no such layer."""
    if starting_layer >= attention.shape[1]:
        raise InputError(f"starting_layer is {starting_layer}; the model has layers 0 to {attention.shape[1] - 1}")
    return attention[:, starting_layer:]


def layer_values(weights: Tensor, measure: Named, layers: Sequence[Layer] = ()) -> Tensor:
    """Return a centrality [layer, node] of weights [layer, source, target], on the weights' device.

    `layers` are the same weights for measures that do not take a stack.
    """
    if CENTRALITIES.trait(measure, "takes") != "stack":
        return weights.new_tensor(centrality(layers, measure))
    return _shaped(CENTRALITIES.resolve(measure)(weights), weights.shape[:2], f"centrality {name_of(measure)}", "one value a node")


def _layers(weights: Tensor, measures: Sequence[Named], tokens: Tokens) -> list[Layer]:
    """Return layers for the measures that need them, shared so that each graph is built once; none if no measure does."""
    if all(CENTRALITIES.trait(measure, "takes") == "stack" for measure in measures):
        return []
    return [Layer(layer, tokens) for layer in weights.cpu().numpy()]


def node_values(values: Tensor, statistic: Named) -> Tensor:
    """Return a statistic [node] of a centrality [layer, node]."""
    try:
        result = torch.as_tensor(STATISTICS.resolve(statistic)(values), dtype=values.dtype, device=values.device)
    except (TypeError, RuntimeError, ValueError) as error:
        raise InputError(f"statistic {name_of(statistic)} failed on values [layer, node] {list(values.shape)}: {' '.join(str(error).split())}") from error
    return _shaped(result, values.shape[1:], f"statistic {name_of(statistic)}", "one value a node")


def _shaped(values: Tensor, shape: torch.Size, name: str, wanted: str) -> Tensor:
    if values.shape != shape:
        raise InputError(f"{name} returned shape {list(values.shape)} where {list(shape)} was wanted: {wanted}")
    return values


def refuse_many_scores(n_masks: int, n_classes: int) -> None:
    """Refuse more scores of masks than a saved file may hold, before anything is computed.

    Raises
    ------
    InputError

    Examples
    --------
    >>> refuse_many_scores(1_000_000, 21_841)
    Traceback (most recent call last):
    multiplex_vit.errors.InputError: 1,000,000 masks of 21,841 classes take 81.4 GiB of scores; give a budget of at most 24,580
    """
    row_bytes = 4 * n_classes
    if n_masks * row_bytes > MOST_ARRAY_BYTES:
        size = n_masks * row_bytes / 2**30
        what = f"{n_masks:,} masks of {n_classes:,} classes take {size:.1f} GiB of scores"
        raise InputError(f"{what}; give a budget of at most {MOST_ARRAY_BYTES // row_bytes:,}")
