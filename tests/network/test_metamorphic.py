"""Every measure of every registry under changes that it must not, or must, notice.

Nodes are renumbered, weights scaled, a node without edges added, edges turned round. What a member
says of itself where it is registered (see `BEHAVIOUR`) decides what is expected, so that a new member
is tested as it is added.
"""

import functools
import inspect
import warnings

import numpy as np
import pytest
import torch

import multiplex_vit as mv
from multiplex_vit.network.centrality import CENTRALITIES, centrality
from multiplex_vit.network.comparison import LAYER_DISTANCES
from multiplex_vit.network.coupling import COUPLINGS, supra_adjacency
from multiplex_vit.network.layer import Layer
from multiplex_vit.network.layer_measures import LAYER_MEASURES, NULL_MODELS
from multiplex_vit.network.multilayer import (
    DENSITIES,
    LAYER_SIMILARITIES,
    MULTILAYER_MEASURES,
    multilayer_table,
    reducibility,
)
from multiplex_vit.network.tokens import Tokens
from multiplex_vit.traits import BEHAVIOUR

GRID = (2, 4)
NODES = GRID[0] * GRID[1]
SCALES = (1e-8, 1e10, 3.7)
SEEDS = range(4)


def same(values):
    return pytest.approx(values, rel=1e-7, abs=1e-10, nan_ok=True)


@functools.cache
def networks(seed):
    """Return networks of three layers: of any weights, of weights that tie, of separate parts."""
    rng = np.random.default_rng(seed)
    shape = (3, NODES, NODES)
    anything = rng.random(shape) * (rng.random(shape) < 0.5)
    tied = rng.integers(1, 9, shape) / 8 * (rng.random(shape) < 0.4)
    part = rng.random((3, 4, 4)) * (rng.random((3, 4, 4)) < 0.7)
    apart = np.stack([np.kron(np.eye(2), layer) for layer in part])
    for weights in (anything, tied, apart):
        weights.flags.writeable = False
    return anything, tied, apart


def numberings(places, rng):
    """Yield orders of nodes: any, or those that reflect the grid where it matters where a node lies."""
    numbers = np.arange(NODES).reshape(GRID)
    if places:
        yield from (numbers[::-1].ravel(), numbers[:, ::-1].ravel())
    else:
        yield rng.permutation(NODES)


def with_isolate(weights):
    """Return weights with one more node, before the others."""
    sides = [(0, 0)] * (weights.ndim - 2) + [(1, 0), (1, 0)]
    return np.pad(weights, sides)


class Measure:
    """A member of a registry as a function of weights [layer, source, target]."""

    def __init__(self, registry, name):
        self.registry, self.name = registry, name
        self.by_node = registry in (CENTRALITIES, MULTILAYER_MEASURES)

    def trait(self, trait):
        return self.registry.trait(self.name, trait)

    def __call__(self, weights, omega=1.0):
        prefix = ("class",) * (weights.shape[1] - NODES)
        tokens = Tokens(GRID, prefix)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            return self._of(weights, tokens, omega)

    def _of(self, weights, tokens, omega):
        if self.registry in (LAYER_SIMILARITIES, LAYER_DISTANCES):
            return np.array([self.registry[self.name](weights[0], other) for other in weights[1:]])
        if self.registry is MULTILAYER_MEASURES:
            leaving = np.full(weights.shape[:2], float(omega))
            leaving[:, : len(tokens.prefix)] = 0
            supra = supra_adjacency(weights, "categorical", leaving)
            return multilayer_table(weights, tokens, supra, self.name)[self.name].to_numpy()
        layers = [Layer(layer, tokens, edges_before=NODES**2) for layer in weights]
        if self.registry is CENTRALITIES:
            return centrality(layers, self.name)
        return np.array([self.registry[self.name](layer) for layer in layers], dtype=float)


REGISTRIES = (
    CENTRALITIES,
    LAYER_MEASURES,
    MULTILAYER_MEASURES,
    LAYER_SIMILARITIES,
    LAYER_DISTANCES,
)
MEASURES = [Measure(registry, name) for registry in REGISTRIES for name in registry]


@functools.cache
def plain(measure, seed, kind):
    """Return what a measure is of a network as it is; every change is held against it."""
    return measure(networks(seed)[kind])


every = pytest.mark.parametrize("measure", MEASURES, ids=lambda m: f"{m.registry.kind}-{m.name}")


@every
def test_a_measure_says_how_it_behaves(measure):
    for trait, known in BEHAVIOUR.items():
        assert measure.trait(trait) in known, f"say {trait}=... where {measure.name} is registered"
    turned = measure.trait("transposed")
    if turned is not None:
        assert measure.registry.trait(turned, "transposed") == measure.name


@every
@pytest.mark.parametrize("seed", SEEDS)
def test_numbers_of_nodes_do_not_matter(measure, seed):
    rng = np.random.default_rng(seed)
    for kind, weights in enumerate(networks(seed)):
        values = plain(measure, seed, kind)
        for order in numberings(measure.trait("places"), rng):
            moved = measure(weights[:, order][:, :, order])
            assert moved == same(values[..., order] if measure.by_node else values)


@every
@pytest.mark.parametrize("scale", SCALES)
def test_the_unit_of_weights(measure, scale):
    behaviour = measure.trait("scale")
    changed = False
    for seed in SEEDS:
        for kind, weights in enumerate(networks(seed)):
            values, scaled = plain(measure, seed, kind), measure(weights * scale, omega=scale)
            changed = changed or scaled != same(values)
            if behaviour == "linear":
                assert scaled / scale == same(values)
            elif behaviour == "invariant":
                assert scaled == same(values)
    assert changed == (behaviour != "invariant")


@every
def test_one_more_node_without_edges(measure):
    behaviour = measure.trait("isolates")
    changed = False
    for seed in SEEDS:
        for kind, weights in enumerate(networks(seed)):
            values, more = plain(measure, seed, kind), measure(with_isolate(weights))
            more = more[..., 1:] if measure.by_node else more
            changed = changed or more != same(values)
            if behaviour == "kept":
                assert more == same(values)
            elif behaviour == "proportional":
                totals = values.sum(-1, keepdims=True), more.sum(-1, keepdims=True)
                assert more / totals[1] == same(values / totals[0])
    assert changed == (behaviour != "kept")


@every
def test_edges_turned_round(measure):
    turned = measure.trait("transposed")
    others = [name for name in measure.registry if name != measure.name]
    for name in [turned] if turned else [measure.name, *others]:
        other = Measure(measure.registry, name)
        # One network that tells the two apart is enough.
        alike = all(
            other(weights.transpose(0, 2, 1)) == same(plain(measure, seed, kind))
            for seed in SEEDS
            for kind, weights in enumerate(networks(seed))
        )
        assert alike == bool(turned), f"{name} of edges turned round; say transposed= or not"


# --- statistics over layers -------------------------------------------------------------------------------------------


def same_singles(values):
    return pytest.approx(np.asarray(values), rel=2e-4, abs=1e-5, nan_ok=True)


@pytest.mark.parametrize("name", mv.STATISTICS)
@pytest.mark.parametrize("seed", SEEDS)
def test_a_statistic_looks_at_one_node_at_a_time(name, seed):
    rng = np.random.default_rng(seed)
    values = torch.tensor(rng.random((6, 9)), dtype=torch.float32)
    found = mv.STATISTICS[name](values)
    nodes, layers = rng.permutation(9), rng.permutation(6)
    assert mv.STATISTICS[name](values[:, nodes]) == same_singles(found[nodes])
    assert mv.STATISTICS[name](values[layers]) == same_singles(found), "nor at the order of layers"
    more = torch.cat([values, torch.zeros(6, 1)], dim=1)
    assert mv.STATISTICS[name](more)[:9] == same_singles(found), "nor at how many nodes there are"


@pytest.mark.parametrize("name", mv.STATISTICS)
@pytest.mark.parametrize("scale", SCALES)
def test_the_unit_of_a_statistic(name, scale):
    kind = mv.STATISTICS.trait(name, "scale")
    assert kind in BEHAVIOUR["scale"]
    values = torch.tensor(np.random.default_rng(0).random((6, 9)), dtype=torch.float32)
    found, scaled = mv.STATISTICS[name](values), mv.STATISTICS[name](values * scale)
    if kind == "linear":
        assert scaled / scale == same_singles(found)
    elif kind == "invariant":
        assert scaled == same_singles(found)
    elif scale < 1:
        assert scaled != same_singles(found)


# --- what makes networks of networks ----------------------------------------------------------------------------------


def filtered(name, weights):
    """Apply a filter at a value of the type that it takes: a number of edges, or a share."""
    parameters = list(inspect.signature(mv.FILTERS[name]).parameters.values())
    kinds = [parameter.annotation for parameter in parameters[1:]]
    return mv.FILTERS[name](weights, *[2 if kind in (int, "int") else 0.3 for kind in kinds])


MAKERS = [("filter", name, lambda w, name=name: filtered(name, w)) for name in mv.FILTERS]
MAKERS += [("aggregation", name, mv.network.AGGREGATIONS[name]) for name in mv.network.AGGREGATIONS]
REGISTRY_OF = {"filter": mv.FILTERS, "aggregation": mv.network.AGGREGATIONS}


@pytest.mark.parametrize(
    ("kind", "name", "make"), MAKERS, ids=lambda v: v if isinstance(v, str) else ""
)
@pytest.mark.parametrize("seed", SEEDS)
def test_filters_and_aggregations(kind, name, make, seed):
    registry, order = REGISTRY_OF[kind], np.random.default_rng(seed).permutation(NODES)
    scaling = registry.trait(name, "scale")
    assert scaling in ("linear", "invariant")
    isolates = registry.trait(name, "isolates") if kind == "filter" else "kept"
    assert isolates in ("kept", "counted")
    alike = []
    for weights in networks(seed):
        made = make(weights)
        assert make(weights[:, order][:, :, order]) == same(made[..., order, :][..., order])
        alike.append(make(with_isolate(weights)) == same(with_isolate(made)))
        for scale in SCALES:
            unit = scale if scaling == "linear" else 1
            assert make(weights * scale) / unit == same(made)
        if kind == "aggregation":
            assert make(weights[::-1]) == same(made), "the order of layers does not matter"
        if kind == "aggregation" or registry.trait(name, "transposed") == name:
            assert make(weights.swapaxes(1, 2)) == same(made.swapaxes(-1, -2))
    assert all(alike) == (isolates == "kept")


@pytest.mark.parametrize("name", NULL_MODELS)
@pytest.mark.parametrize("scale", SCALES)
def test_a_null_model_draws_the_same_whatever_the_unit_and_however_many_isolates(name, scale):
    for weights in networks(0):
        for layer in weights:
            drawn, scaled, more = (
                NULL_MODELS[name](Layer(w), np.random.default_rng(1)).weights
                for w in (layer, layer * scale, np.pad(layer, [(0, 1), (0, 1)]))
            )
            assert scaled / scale == same(drawn)
            assert more[:-1, :-1] == same(drawn)


@pytest.mark.parametrize("name", NULL_MODELS)
def test_a_null_model_treats_all_numberings_alike(name):
    rng = np.random.default_rng(0)
    weights = (
        np.array(
            [
                [0, 1, 2, 0, 0],
                [0, 3, 1, 1, 0],
                [0, 0, 0, 4, 1],
                [2, 0, 0, 0, 1],
                [1, 1, 0, 0, 0],
            ]
        )
        / 4
    )
    order = rng.permutation(5)
    if NULL_MODELS.trait(name, "places"):
        order = np.arange(5)[::-1]
    means = []
    for layer in (Layer(weights), Layer(weights[order][:, order])):
        means.append(np.mean([NULL_MODELS[name](layer, rng).weights for _ in range(3000)], axis=0))
    assert means[1] == pytest.approx(means[0][order][:, order], abs=0.06), "on average"


@pytest.mark.parametrize("coupling", COUPLINGS)
def test_a_coupling_joins_nodes_with_themselves(coupling):
    order = np.random.default_rng(0).permutation(NODES)
    for weights in networks(0):
        whole = supra_adjacency(weights, coupling, 0.5).toarray().reshape(3, NODES, 3, NODES)
        moved = supra_adjacency(weights[:, order][:, :, order], coupling, 0.5).toarray()
        assert moved.reshape(3, NODES, 3, NODES) == same(whole[:, order][:, :, :, order])
        scaled = supra_adjacency(weights * 3.7, coupling, 0.5 * 3.7).toarray()
        assert scaled.reshape(3, NODES, 3, NODES) / 3.7 == same(whole)


@pytest.mark.parametrize("density", DENSITIES)
def test_reducibility_does_not_know_numbers_of_nodes(density):
    order = np.random.default_rng(0).permutation(NODES)
    for weights in networks(0):
        found = reducibility(weights, "abc", density=density)
        moved = reducibility(weights[:, order][:, :, order], "abc", density=density)
        assert moved.distances == pytest.approx(found.distances, abs=1e-6)
        assert moved.quality == same(found.quality)
        if density == "laplacian":
            assert reducibility(weights * 1e10, "abc").quality == same(found.quality)
            assert reducibility(with_isolate(weights), "abc").quality == same(found.quality)
