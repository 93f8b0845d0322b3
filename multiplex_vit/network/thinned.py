"""Thinned: networks as the interactive page takes them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

import numpy as np

from multiplex_vit import explore
from multiplex_vit.checks import shown
from multiplex_vit.errors import InputError
from multiplex_vit.network.layer import Layer
from multiplex_vit.network.layer_measures.communities import leiden
from multiplex_vit.network.sinks import sinks
from multiplex_vit.network.tables import Measures, node_values

LARGE = 2_000_000
"""Weights above which a network has the quick measures alone, unless others are asked for."""

_OF_HEADS = ("in_strength", "out_strength")
"""Measures of single heads, unless others are asked for: there are hundreds of layers of heads."""

_QUICK = (*_OF_HEADS, "in_degree", "out_degree", "self_attention", "pagerank")
"""Measures of large networks, unless others are asked for: paths would take minutes."""


@dataclass(frozen=True, eq=False)
class _Part:
    """Some layers of a network, shown together."""

    name: str
    layers: list[Layer]
    edges: str
    is_head: bool

    @property
    def is_large(self) -> bool:
        """Whether measures of paths, and communities, would take minutes."""
        n_layers, n_nodes = self.shape
        return n_layers * n_nodes**2 > LARGE

    @property
    def shape(self) -> tuple[int, int]:
        """Layers and nodes."""
        return len(self.layers), len(self.layers[0].weights)


def thinned(given: Any, measures: Measures = None) -> tuple[explore.ThinNetwork, ...]:
    """Return networks with each node's strongest edges alone, as `Explorer` takes them.

    A network of heads becomes one network for each head.

    Parameters
    ----------
    given : Multiplex, sequence of Multiplex, or mapping of str to Multiplex
        A mapping names the networks; others are named by their head operator.
    measures : as for `Multiplex.node_table`
        Values by which nodes can be coloured and sized. Default: all members of `CENTRALITIES`;
        of single heads the strengths; of networks of over `LARGE` weights, which have no
        communities either, the quick ones.

    Raises
    ------
    InputError
        If there is no network, networks have different nodes, or a measure is unknown.
    """
    parts = []
    for name, network in _named(given).items():
        parts += _parts(name, network)
    k = explore.edges_that_fit([part.shape for part in parts])
    return tuple(_thin(part, measures, k) for part in parts)


def title_of(network: Any) -> str:
    """Return a heading for the page of a network: what the model saw, where that is known.

    Examples
    --------
    >>> from multiplex_vit import Multiplex
    >>> title_of(Multiplex([[[0]]], (1, 1), provenance={"model": "m", "predicted": "cat"}))
    'How m sees “cat”'
    """
    facts = network.provenance
    if "model" not in facts:
        return f"A multiplex network of {network.n_layers} layers"
    model = short_name(str(facts["model"]))
    if "predicted" not in facts:
        return f"How {model} sees an image"
    return f"How {model} sees “{facts['predicted']}”"


def short_name(model: str) -> str:
    """Return the name of a model without the folder or the owner.

    Examples
    --------
    >>> short_name("google/vit-base-patch16-224")
    'vit-base-patch16-224'
    """
    return PurePath(model).name or model


def _named(given: Any) -> dict[str, Any]:
    if isinstance(given, Mapping):
        named = dict(given)
    else:
        # A network is a sequence too, of its layers.
        is_one = hasattr(given, "layer_names") or not isinstance(given, Sequence)
        networks = [given] if is_one else list(given)
        named = {}
        for network in networks:
            named.setdefault(_name_of(network), network)
        if len(named) < len(networks):
            raise InputError("two networks have one head operator; give them names: {name: net}")
    for network in named.values():
        if not hasattr(network, "layer_names"):
            raise InputError(f"network is {shown(network)}; give a Multiplex, or several")
    if not named:
        raise InputError("no network was given; give a Multiplex, or several")
    return named


def _name_of(network: Any) -> str:
    provenance = getattr(network, "provenance", {})
    if "operator" in provenance:
        return f"{provenance['operator']} over heads"
    return "head" if _has_heads(network) else "network"


def _has_heads(network: Any) -> bool:
    """Return whether layers are heads, as many in each block."""
    heads = getattr(network, "heads", ())
    blocks = getattr(network, "blocks", ())
    is_complete = len(set(heads)) * len(set(blocks)) == len(heads)
    return len(set(heads)) > 1 and min(heads) >= 0 and is_complete


def _parts(name: str, network: Any) -> list[_Part]:
    layers = list(network)
    if not _has_heads(network):
        return [_Part(name, layers, network.edges, is_head=False)]
    parts = []
    for head in sorted(set(network.heads)):
        of_head = [layer for layer in layers if layer.head == head]
        parts.append(_Part(f"{name} {head}", of_head, network.edges, is_head=True))
    return parts


def _thin(part: _Part, measures: Measures, k: int) -> explore.ThinNetwork:
    weights = np.stack([layer.weights for layer in part.layers])
    if measures is None:
        measures = _measures_of(part)
    loops = np.count_nonzero(np.diagonal(weights, axis1=1, axis2=2), axis=1)
    partitions = {"sinks": explore.Partition(_sinks(weights, part.edges), ("other", "sink"))}
    if not part.is_head and not part.is_large:
        partitions["communities"] = explore.Partition(_communities(part.layers))
    return explore.ThinNetwork(
        name=part.name,
        grid=part.layers[0].tokens.grid,
        prefix=part.layers[0].tokens.prefix,
        layer_names=_layer_names(part),
        edges=part.edges,
        n_edges=np.count_nonzero(weights, axis=(1, 2)) - loops,
        greatest=explore.greatest(weights),
        sent=explore.strongest(weights, k),
        received=explore.strongest(weights.swapaxes(1, 2), k),
        measures=_numeric(node_values(part.layers, measures)),
        partitions=partitions,
    )


def _measures_of(part: _Part) -> Measures:
    if part.is_head:
        return _OF_HEADS
    return _QUICK if part.is_large else None


def _layer_names(part: _Part) -> tuple[str, ...]:
    if part.is_head:
        # The head stands in the name of the network already.
        return tuple(f"L{layer.block:02d}" for layer in part.layers)
    return tuple(layer.name for layer in part.layers)


def _numeric(values: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    numeric = {}
    for name, array in values.items():
        if array.dtype.kind not in "biuf":
            raise InputError(f"measure {name!r} holds texts; the page colours nodes by numbers")
        numeric[name] = array.astype(float)
    return numeric


def _sinks(weights: np.ndarray, edges: str) -> np.ndarray:
    """Return 1 [layer, node] for a sink of attention, whichever way the edges run."""
    of_attention = weights if edges == "attention" else weights.swapaxes(1, 2)
    return sinks(of_attention).astype(int)


def _communities(layers: Sequence[Layer]) -> np.ndarray:
    """Return communities [layer, node], numbered alike from layer to layer where they overlap."""
    numbered = [np.array(leiden(layers[0]).membership)]
    for layer in layers[1:]:
        found = np.array(leiden(layer).membership)
        numbered.append(_matched(found, numbered[-1]))
    return np.stack(numbered)


def _matched(found: np.ndarray, before: np.ndarray) -> np.ndarray:
    """Return a partition with the numbers of the one before, by greatest overlap.

    Examples
    --------
    >>> _matched(np.array([0, 0, 1, 2]), np.array([1, 1, 0, 0])).tolist()
    [1, 1, 0, 2]
    """
    size = 1 + max(found.max(), before.max())
    overlap = np.zeros((size, size), dtype=int)
    np.add.at(overlap, (found, before), 1)
    numbers: dict[int, int] = {}
    # The pair with the greatest overlap is matched first; ties go by number.
    for place in np.argsort(-overlap, axis=None, kind="stable"):
        community, number = divmod(int(place), size)
        is_free = community not in numbers and number not in numbers.values()
        if is_free and overlap[community, number]:
            numbers[community] = number
    unused = (number for number in range(2 * size) if number not in numbers.values())
    for community in range(found.max() + 1):
        if community not in numbers:
            numbers[community] = next(unused)
    return np.array([numbers[community] for community in found.tolist()])
