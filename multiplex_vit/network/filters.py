"""Filters: which edges of every layer stay, and what a cut does to a network."""

from collections.abc import Callable, Iterable, Sequence
from numbers import Integral
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import kendalltau

from multiplex_vit.accepts import accepts, stack
from multiplex_vit.checks import share, whole
from multiplex_vit.errors import InputError
from multiplex_vit.network.centrality import CENTRALITIES, centrality
from multiplex_vit.network.layer import Layer
from multiplex_vit.network.layer_measures import layer_table
from multiplex_vit.network.layer_measures.rounding import is_constant
from multiplex_vit.network.multilayer.correlation import ranks
from multiplex_vit.network.tokens import Tokens
from multiplex_vit.registry import Named, Registry, chosen, name_of

FILTERS: Registry[Callable[..., np.ndarray]] = Registry("filter")
"""A member takes weights [layer, source, target] and one number.

It returns new weights of the same shape and type, in which a removed edge is 0.
"""

_SOURCES, _TARGETS = 1, 2
"""Axes of weights [layer, source, target]."""

_SHAPE = ["edges", "density", "isolates", "giant_component"]


@FILTERS.register(scale="linear", transposed="min_cut")
@accepts(weights=stack)
def min_cut(weights: np.ndarray, min_cut: float) -> np.ndarray:
    """Keep the edges of at least `min_cut` times the greatest weight of their layer.

    Parameters
    ----------
    weights : ndarray [layer, source, target]
    min_cut : float, 0 to 1
        0 keeps every edge, 1 the greatest alone.

    Returns
    -------
    ndarray [layer, source, target]
        Of the same type, in whose arithmetic the threshold is taken. An edge at the threshold
        stays. The greatest edge of a layer always stays, but nodes may end as isolates.

    Raises
    ------
    InputError
        If `min_cut` is not within 0 and 1, or weights are no stack of square matrices.

    References
    ----------
    Marchetti, Traini, Ursino, Virgili, Neural Computing and Applications 37, 24385 (2025),
    doi:10.1007/s00521-025-11591-x.

    Examples
    --------
    >>> min_cut(np.array([[[0.5, 0.125], [0.25, 0.0]]]), 0.5).tolist()
    [[[0.5, 0.0], [0.25, 0.0]]]
    """
    return without_weak(weights, share("min_cut", min_cut))


def without_weak(weights: Any, min_cut: float) -> Any:
    """Return weights [..., source, target] of an array or a tensor without the weak edges.

    Edges below `min_cut` times the greatest weight of their layer become 0. The threshold is taken
    in the weights' own precision, as the published method takes it.

    Examples
    --------
    >>> without_weak(np.array([[0.5, 0.125], [0.25, 0.0]]), 0.5).tolist()
    [[0.5, 0.0], [0.25, 0.0]]
    """
    greatest_of = weights.amax if hasattr(weights, "amax") else weights.max
    threshold = min_cut * greatest_of((-2, -1))[..., None, None]
    kept = weights + 0
    # An edge at the threshold stays, so that the greatest always does; NaN goes.
    kept[~(weights >= threshold)] = 0
    return kept


@FILTERS.register(scale="linear")
@accepts(weights=stack)
def top_k(weights: np.ndarray, k: int) -> np.ndarray:
    """Keep the `k` strongest edges that each node sends.

    In a network of attention these are the tokens that it attends to most, in one of information
    those that take most from it.

    Parameters
    ----------
    weights : ndarray [layer, source, target]
    k : int
        From 1 up.

    Returns
    -------
    ndarray [layer, source, target]
        Edges as strong as a node's k-th stay all, so a node may keep more than k; one that has
        fewer keeps what it has. A self-loop is an edge like others. A node that attends to
        another only less than to itself and k - 1 others may end as an isolate.

    Raises
    ------
    InputError
        If `k` is no whole number of at least 1, or weights are no stack of square matrices.

    References
    ----------
    The directed k-nearest-neighbour graph: von Luxburg, Statistics and Computing 17, 395 (2007),
    doi:10.1007/s11222-007-9033-z, section 2.2.

    Examples
    --------
    >>> top_k(np.array([[[0.5, 0.25, 0.25], [0.1, 0.0, 0.2], [0.0, 0.0, 0.0]]]), 1).tolist()
    [[[0.5, 0.0, 0.0], [0.0, 0.0, 0.2], [0.0, 0.0, 0.0]]]
    """
    place = min(whole("k", k, at_least=1), weights.shape[2])
    # A partition finds the k-th greatest without sorting the rest.
    threshold = np.partition(weights, -place, axis=2)[:, :, [-place]]
    return np.where(weights < threshold, 0, weights)


@FILTERS.register(scale="linear", transposed="disparity")
@accepts(weights=stack)
def disparity(weights: np.ndarray, alpha: float) -> np.ndarray:
    """Keep the edges of the disparity filter: those that stand out from chance.

    They carry significantly more of a node's strength than chance would give them.

    An edge of weight w has the share p = w / s of its source's out-strength s. Were s cut at
    random into as many pieces as the node has edges, k, a piece would be at least as large with
    probability (1 - p)^(k - 1). The edge stays where this is less than `alpha` for the
    out-strength and out-degree of its source, or the in-strength and in-degree of its target.

    Parameters
    ----------
    weights : ndarray [layer, source, target]
    alpha : float, 0 to 1
        The level of significance: 0 keeps nothing; the greater, the more stays.

    Returns
    -------
    ndarray [layer, source, target]
        The only edge of a node is never significant for that node, as in the paper: it stays if
        it is for the node at its other end. So an edge that is its source's only one and its
        target's only one goes, at any alpha. A self-loop is an edge like others, in degrees and
        strengths too, since a token divides its attention between itself and others. Nodes may
        end as isolates.

    Raises
    ------
    InputError
        If `alpha` is not within 0 and 1, or weights are no stack of square matrices.

    References
    ----------
    Serrano, Boguna, Vespignani, PNAS 106, 6483 (2009), doi:10.1073/pnas.0808904106.

    Examples
    --------
    >>> weights = np.zeros((1, 4, 4))
    >>> weights[0, 0] = [0.0, 0.8, 0.1, 0.1]
    >>> disparity(weights, 0.05)[0, 0].tolist()
    [0.0, 0.8, 0.0, 0.0]
    """
    level = share("alpha", alpha)
    # At a level of 0 nothing is significant: the logarithm is -infinity.
    with np.errstate(divide="ignore"):
        cut = np.log(level)
    for_source = _log_significance(weights, _TARGETS) < cut
    for_target = _log_significance(weights, _SOURCES) < cut
    return np.where(for_source | for_target, weights, 0)


@accepts(weights=stack)
def filtered(
    weights: np.ndarray,
    how: Named,
    value: float | None = None,
) -> tuple[np.ndarray, str, float | str]:
    """Return the weights that a filter keeps, its name, and its number ("yes" if it has none).

    Parameters
    ----------
    weights : ndarray [layer, source, target]
    how : str or callable
        A member of `FILTERS`, with or without its number, or a function in its place.
    value : float, optional
        The number, where `how` does not set it.

    Raises
    ------
    InputError
        If the filter is unknown, its number is missing, given twice or no number, or it returns
        weights of another shape.

    Examples
    --------
    >>> kept, name, number = filtered(np.array([[[0.5, 0.125], [0.25, 0.0]]]), "min_cut", 0.5)
    >>> kept.tolist(), name, number
    ([[[0.5, 0.0], [0.25, 0.0]]], 'min_cut', 0.5)
    """
    function: Callable[..., np.ndarray] = FILTERS.resolve(how)
    member = FILTERS.own_name(how)
    name = member or name_of(how)
    options = list(FILTERS.options(how).values())
    if value is not None and options:
        raise InputError(f"filter {name_of(how)} was given {value!r} too; give its number once")
    if member and value is None and not options:
        example = f"filter({name!r}, 2)"
        raise InputError(f"filter {name} was given no number; give one, as in {example}")
    kept = np.asarray(function(weights) if value is None else function(weights, value))
    if kept.shape != weights.shape:
        shapes = f"{list(kept.shape)}; expected {list(weights.shape)}"
        raise InputError(f"filter {name} returned weights of shape {shapes}")
    if value is not None:
        return kept, name, _number(value)
    return kept, name, _number(options[0]) if options else "yes"


def _number(value: Any) -> float | str:
    """Return a filter's number as plain Python has it, whole where it is."""
    if isinstance(value, str):
        return value
    if isinstance(value, Integral):
        return int(value)
    return float(value)


@accepts(weights=stack)
def pruning_curve(
    weights: np.ndarray,
    min_cuts: Iterable[float],
    tokens: Tokens,
    *,
    names: Sequence[str] = (),
    measures: Named | Iterable[Named] = ("in_strength", "out_strength", "pagerank"),
) -> pd.DataFrame:
    """Return what is left of every layer at every `min_cut`.

    The table also says how far the nodes keep their order.

    Parameters
    ----------
    weights : ndarray [layer, source, target]
    min_cuts : iterable of float, 0 to 1
    tokens : Tokens
    names : sequence of str, optional
        Names of the layers. Default: "0", "1", ...
    measures : str, callable or iterable of them
        Members of `CENTRALITIES`, or functions of one layer's weights.

    Returns
    -------
    pandas.DataFrame
        One row a layer and cut: layer, name, min_cut, edges, density, isolates, giant_component,
        and `tau_<measure>`: Kendall's tau-b of the centrality [node] before and after the cut, -1
        to 1, 1 where no two nodes change places. It is NaN where either is the same for all nodes
        up to rounding, as out-strength is in attention before pruning: each row sums to 1.

    Raises
    ------
    InputError
        If a cut is not within 0 and 1, a measure is unknown or given twice, or tokens or names do
        not fit the weights.

    References
    ----------
    Kendall, Biometrika 33, 239 (1945), doi:10.1093/biomet/33.3.239.

    Examples
    --------
    >>> weights = np.array([[[0.5, 0.25], [0.125, 0.0]]])
    >>> curve = pruning_curve(weights, [0, 0.5], Tokens((1, 2)), measures="in_strength")
    >>> curve[["layer", "min_cut", "edges", "giant_component", "tau_in_strength"]]
       layer  min_cut  edges  giant_component  tau_in_strength
    0      0      0.0      3              1.0              1.0
    1      0      0.5      2              1.0              1.0
    """
    members = chosen(CENTRALITIES, measures)
    member_names = [name_of(member) for member in members]
    if len(set(member_names)) < len(members):
        raise InputError(f"measures are {member_names}; give each once")
    layers = _layers(weights, tokens, names)
    before = {name_of(member): centrality(layers, member) for member in members}
    parts = []
    for cut in min_cuts:
        pruned = _pruned(layers, share("min_cut", cut))
        parts.append(_rows(cut, layers, pruned, members, before))
    # An empty list of cuts gives an empty table with the same columns.
    columns = ["layer", "name", "min_cut", *_SHAPE]
    columns += [f"tau_{name}" for name in member_names]
    table = pd.concat(parts) if parts else pd.DataFrame(columns=columns)
    return table[columns].sort_values("layer", kind="stable", ignore_index=True)


def _layers(weights: np.ndarray, tokens: Tokens, names: Sequence[str]) -> list[Layer]:
    n_layers, n_nodes = weights.shape[:2]
    names = names or [str(number) for number in range(n_layers)]
    if len(names) != n_layers or len(tokens) != n_nodes:
        given = f"{len(names)} names and {len(tokens)} tokens"
        network = f"{n_layers} layers of {n_nodes} nodes"
        raise InputError(f"{given} were given for {network}; give one each")
    layers = []
    for matrix, name in zip(weights, names, strict=True):
        layers.append(Layer(matrix, tokens, name))
    return layers


def _log_significance(weights: np.ndarray, ends: int) -> np.ndarray:
    """Return (k - 1) ln(1 - p) of every edge, and 0 where there is none.

    k and p belong to the node whose edges lie along the axis `ends`. It is a logarithm, since
    1 - p is 1 for p below 1e-16.
    """
    degree = np.count_nonzero(weights, axis=ends, keepdims=True)
    strength = weights.sum(ends, dtype=float, keepdims=True)
    part = np.divide(weights, strength, out=np.zeros(weights.shape), where=strength > 0)
    with np.errstate(divide="ignore"):
        logarithm = np.log1p(-part)
    nothing = np.zeros(weights.shape)
    return np.multiply(degree - 1, logarithm, out=nothing, where=degree > 1)


def _pruned(layers: list[Layer], cut: float) -> list[Layer]:
    pruned = []
    for layer in layers:
        # Filters take a stack, here of one layer.
        weights = min_cut(layer.weights[None], cut)[0]
        pruned.append(Layer(weights, layer.tokens, layer.name))
    return pruned


def _rows(
    cut: float,
    layers: list[Layer],
    pruned: list[Layer],
    members: list[Named],
    before: dict[str, np.ndarray],
) -> pd.DataFrame:
    """Return the rows of one cut."""
    table: Any = layer_table(pruned, _SHAPE).assign(min_cut=cut)
    for member in members:
        name = name_of(member)
        after = centrality(pruned, member)
        taus = []
        for place, layer in enumerate(layers):
            taus.append(_tau(before[name][place], after[place], layer.weights))
        table[f"tau_{name}"] = taus
    return table


def _tau(one: np.ndarray, other: np.ndarray, weights: np.ndarray) -> float:
    # The order of values that are equal but for rounding is noise.
    if is_constant(one, weights) or is_constant(other, weights):
        return np.nan
    return float(kendalltau(ranks(one), ranks(other)).statistic)
