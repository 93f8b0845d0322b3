"""Ranked masks: the nodes that come first in an order, of networks as tensors."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from multiplex_vit.errors import InputError
from multiplex_vit.network.centrality import CENTRALITIES, centrality
from multiplex_vit.network.filters import without_weak
from multiplex_vit.network.layer import Layer
from multiplex_vit.network.tokens import Tokens
from multiplex_vit.registry import Named, name_of
from multiplex_vit.saliency.masks import Masks
from multiplex_vit.saliency.numerics import (
    exact,
    keep_published,
    keep_stable,
    stable_statistic,
)
from multiplex_vit.saliency.ranking import Ranking
from multiplex_vit.saliency.statistics import STATISTICS

Networks = Mapping[Named, Tensor]
"""Weights [layer, source, target] by head operator."""

Statistics = dict[Any, Tensor]
"""Statistics [centrality x statistic, node] of one image's nodes, by what they were made by."""


def make_masks(
    networks: Networks,
    ranking: Ranking,
    token_ratio: float,
    tokens: Tokens,
    statistics: Statistics | None = None,
) -> Masks:
    """Return the masks of one image: of every order the nodes that come first.

    Parameters
    ----------
    networks : mapping of operator to Tensor [layer, source, target]
        Between patch tokens.
    ranking : Ranking
    token_ratio : float, 0 to 1
        Share of the nodes that a mask removes.
    tokens : Tokens
        The nodes, for centralities that ask where they lie.
    statistics : dict, optional
        Kept between calls for one image: another `token_ratio` needs no new ones.

    Returns
    -------
    Masks
        Operator slowest, then centrality, then statistic.

    Raises
    ------
    InputError
        If `starting_layer` is not a layer, or a measure gives another number of values than there
        are nodes.
    """
    statistics = {} if statistics is None else statistics
    add_statistics([networks], ranking, tokens, [statistics])
    stable = ranking.numerics == "stable"
    keep = keep_stable if stable else keep_published
    kept = []
    for key in _keys(ranking):
        kept.append(keep(statistics[key], token_ratio))
    designs = ("centrality",) * ranking.n_orders
    return Masks(torch.cat(kept).cpu().numpy(), ranking.labels, designs)


def add_statistics(
    networks: Sequence[Networks],
    ranking: Ranking,
    tokens: Tokens,
    statistics: Sequence[Statistics],
) -> None:
    """Add what `make_masks` needs to the statistics of several images, where it is not there yet.

    Parameters are as for `make_masks`, but one of each an image.
    """
    missing = []
    for of_image, of_nodes in zip(networks, statistics, strict=True):
        keys = _keys(ranking)
        for operator, key in zip(ranking.operators, keys, strict=True):
            weights = since(of_image[operator], ranking.starting_layer)
            if key not in of_nodes:
                missing.append((of_nodes, key, weights))
    if not missing:
        return
    stacks = [weights for _, _, weights in missing]
    # Masks are made on the CPU, where a stable sort breaks ties alike.
    values = _all_values(stacks, ranking, tokens).cpu()
    for (of_nodes, key, _), of_network in zip(missing, values, strict=True):
        of_nodes[key] = of_network


def since(weights: Any, starting_layer: int) -> Any:
    """Return the layers [layer, source, target] from the starting layer on.

    Raises
    ------
    InputError
        If there is no such layer.
    """
    if starting_layer >= len(weights):
        last = len(weights) - 1
        what = f"starting_layer is {starting_layer}"
        raise InputError(f"{what}; the model has layers 0 to {last}")
    return weights[starting_layer:]


def layer_values(weights: Tensor, measure: Named, layers: Sequence[Layer] = ()) -> Tensor:
    """Return a centrality [layer, node] of weights [layer, source, target], on their device.

    `layers` are the same weights for measures that do not take a stack.

    Raises
    ------
    InputError
        If the measure does not return one number a node, none of them NaN.
    """
    name = f"centrality {name_of(measure)}"
    if CENTRALITIES.trait(measure, "takes") == "stack":
        values = CENTRALITIES.resolve(measure)(weights)
        if not isinstance(values, Tensor):
            kind = type(values).__name__
            raise InputError(f"{name} returned {kind} of a Tensor; return a Tensor [layer, node]")
        _of_shape(values, weights.shape[:2], name)
    else:
        values = weights.new_tensor(centrality(layers, measure))
    # A node without a value has no place in an order of nodes; tables and files may show it.
    unknown = int(values.isnan().sum())
    if unknown:
        count = f"{unknown} of {values.numel()} values"
        raise InputError(f"{name} returned NaN for {count}; return a number for every node")
    return values


def node_values(values: Tensor, statistic: Named) -> Tensor:
    """Return a statistic [node] of a centrality [layer, node]."""
    name = f"statistic {name_of(statistic)}"
    function = STATISTICS.resolve(statistic)
    try:
        result = torch.as_tensor(
            function(values),
            dtype=values.dtype,
            device=values.device,
        )
    except (TypeError, RuntimeError, ValueError) as error:
        why = " ".join(str(error).split())
        shape = list(values.shape)
        raise InputError(f"{name} failed on values [layer, node] {shape}: {why}") from error
    return _of_shape(result, values.shape[1:], name)


def _keys(ranking: Ranking) -> list[Any]:
    """Return for each operator what its statistics are known by."""
    shared = (
        ranking.centralities,
        ranking.statistics,
        ranking.min_cut,
        ranking.starting_layer,
        ranking.numerics,
    )
    return [(operator, *shared) for operator in ranking.operators]


def _all_values(stacks: Iterable[Tensor], ranking: Ranking, tokens: Tokens) -> Tensor:
    """Return every statistic of every centrality of stacks of weights [layer, source, target].

    Returns
    -------
    Tensor [stack, centrality x statistic, node]
    """
    stable = ranking.numerics == "stable"
    values = []
    for stack in stacks:
        exact_stack = exact(stack) if stable else stack
        weights = without_weak(exact_stack, ranking.min_cut)
        layers = _layers(weights, ranking.centralities, tokens)
        for measure in ranking.centralities:
            values.append(layer_values(weights, measure, layers))
    columns = []
    for statistic in ranking.statistics:
        columns.append(_of_all(values, statistic, stable))
    statistics = torch.stack(columns, 1)
    n_orders = len(ranking.centralities) * len(ranking.statistics)
    return statistics.view(-1, n_orders, statistics.shape[-1])


def _of_all(values: Sequence[Tensor], statistic: Named, stable: bool) -> Tensor:
    """Return a statistic [centrality, node] of centralities [layer, node]."""
    if STATISTICS.trait(statistic, "apart"):
        # All at once only where this changes not even the last bit.
        side_by_side = torch.cat(list(values), 1)
        computed = node_values(side_by_side, statistic)
        computed = computed.view(len(values), -1)
    else:
        # The order of torch's sums depends on how many nodes stand side by side.
        separate = [node_values(of_one, statistic) for of_one in values]
        computed = torch.stack(separate)
    if not stable:
        return computed
    return stable_statistic(statistic, computed, torch.stack(list(values)))


def _layers(weights: Tensor, measures: Sequence[Named], tokens: Tokens) -> list[Layer]:
    """Return layers for the measures that need them, so that each graph is built once.

    There are none if no measure needs any.
    """
    takes = {CENTRALITIES.trait(measure, "takes") for measure in measures}
    if takes == {"stack"}:
        return []
    return [Layer(layer, tokens) for layer in weights.cpu().numpy()]


def _of_shape(values: Tensor, shape: torch.Size, name: str) -> Tensor:
    if values.shape != shape:
        given, wanted = list(values.shape), list(shape)
        raise InputError(
            f"{name} returned shape {given} where {wanted} was wanted: one value a node"
        )
    return values
