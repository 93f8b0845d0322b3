"""Shortest paths against exact fractions: many ties, weights over wide ranges, both lengths."""

import heapq
import math
from fractions import Fraction
from functools import partial

import numpy as np
import pytest

from multiplex_vit.errors import InputError
from multiplex_vit.network.centrality import CENTRALITIES
from multiplex_vit.network.layer import Layer
from multiplex_vit.network.layer_measures import LAYER_MEASURES

LENGTHS = ("inverse", "log")


def exact_edges(weights, length):
    """Return the exact length of every edge and, as a logarithm, whether its weight is 1.

    Logarithms compare as products do, and then by the number of edges of weight 1.
    """
    edges = {}
    for i, j in np.argwhere(weights).tolist():
        one = length == "log" and weights[i, j] == 1
        if i != j:
            edges[i, j] = (1 / Fraction(float(weights[i, j])), int(one))
    return edges


def exact_paths(weights, length, source):
    """Return distances, numbers of shortest paths and the nodes before each on them."""
    edges = exact_edges(weights, length)
    start = (Fraction(1 if length == "log" else 0), 0)
    reach, count, before = {source: start}, {source: 1}, {source: []}
    done, queue = [], [(start, source)]
    while queue:
        far, node = heapq.heappop(queue)
        if node in done or far != reach[node]:
            continue
        done.append(node)
        for (i, j), (step, one) in edges.items():
            if i != node:
                continue
            longer = (far[0] * step if length == "log" else far[0] + step, far[1] + one)
            if j not in reach or longer < reach[j]:
                reach[j], count[j], before[j] = longer, 0, []
                heapq.heappush(queue, (longer, j))
            if longer == reach[j]:
                count[j] += count[node]
                before[j].append(node)
    return reach, count, before, done


def exact_betweenness(weights, length):
    passed = [Fraction(0)] * len(weights)
    for source in range(len(weights)):
        _, count, before, done = exact_paths(weights, length, source)
        share = dict.fromkeys(done, Fraction(0))
        for node in reversed(done):
            for earlier in before[node]:
                share[earlier] += Fraction(count[earlier], count[node]) * (1 + share[node])
            if node != source:
                passed[node] += share[node]
    return [float(value) for value in passed]


def exact_distances(weights, length):
    """Return distances as doubles; an edge of weight 1 is 2^-52 long as a logarithm."""
    distances = np.full(weights.shape, np.inf)
    for source in range(len(weights)):
        for node, (far, ones) in exact_paths(weights, length, source)[0].items():
            if length == "inverse":
                distances[source, node] = float(far)
            else:
                distances[source, node] = log_of(far) + ones * 2.0**-52
    return distances


def log_of(far):
    """Return ln of a fraction of at least 1, also where it is 1 but for the last digits."""
    if far < 2:
        return math.log1p(float(far - 1))
    return math.log(far.numerator) - math.log(far.denominator)


KINDS = {
    "all the same": lambda rng, shape: np.ones(shape),
    "halves": lambda rng, shape: rng.choice([1.0, 0.5, 0.25], shape),
    "eighths": lambda rng, shape: rng.integers(1, 9, shape) / 8,
    "counts": lambda rng, shape: rng.integers(1, 7, shape) / 8.0,
    "no ties": lambda rng, shape: rng.random(shape),
    "powers": lambda rng, shape: 2.0 ** -rng.integers(0, 60, shape),
    "few far powers": lambda rng, shape: 2.0 ** -rng.choice([0, 1, 45, 46, 90], shape),
    "far eighths": lambda rng, shape: (
        rng.integers(1, 9, shape) / 2.0 ** rng.choice([3, 53, 123], shape)
    ),
    "wide": lambda rng, shape: 10.0 ** -(16 * rng.random(shape)),
    "wider": lambda rng, shape: 10.0 ** -(290 * rng.random(shape)),
    "near 1": lambda rng, shape: 1 - rng.choice([0, 2.0**-24, 0.5, 0.75], shape),
}


def layers_of(kind, length, seeds=range(8), n=9):
    for seed in seeds:
        rng = np.random.default_rng(seed)
        weights = KINDS[kind](rng, (n, n)) * (rng.random((n, n)) < (0.3, 0.6, 1)[seed % 3])
        yield (weights if length == "log" else weights * (1.0, 2.0**-30, 2.0**33)[seed % 3])


def betweenness(weights, length):
    return CENTRALITIES["betweenness"](Layer(weights), length=length)


@pytest.mark.parametrize("length", LENGTHS)
@pytest.mark.parametrize("kind", KINDS)
def test_betweenness_is_that_of_exact_fractions(kind, length):
    for weights in layers_of(kind, length):
        exact = exact_betweenness(weights, length)
        assert betweenness(weights, length) == pytest.approx(exact, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("length", LENGTHS)
@pytest.mark.parametrize("kind", KINDS)
def test_distances_are_those_of_exact_fractions(kind, length):
    for weights in layers_of(kind, length, range(3)):
        exact = exact_distances(weights, length)
        assert Layer(weights).distances(length) == pytest.approx(exact, rel=1e-9)
        between = np.where(np.eye(len(weights), dtype=bool), np.inf, exact)
        harmonic = CENTRALITIES["harmonic"](Layer(weights), length=length)
        assert harmonic == pytest.approx((1 / between).sum(0), rel=1e-9)
        reached = np.isfinite(between)
        for name, own, side in (
            ("in_closeness", between, 0),
            ("out_closeness", between.T, 1),
        ):
            count = reached.sum(side)
            total = np.where(np.isfinite(own), own, 0).sum(0)
            wanted = count**2 / (len(weights) - 1) / np.where(count > 0, total, 1)
            found = CENTRALITIES[name](Layer(weights), length=length)
            assert found == pytest.approx(wanted, rel=1e-9)
        if length == "inverse":
            mean = (1 / between).sum() / (len(weights) * (len(weights) - 1))
            assert LAYER_MEASURES["efficiency"](Layer(weights)) == pytest.approx(mean, rel=1e-9)


def test_paths_of_one_edge_pass_nobody():
    assert betweenness(np.ones((16, 16)), "log").tolist() == [0] * 16


@pytest.mark.parametrize("scale", [1e-8, 1e10, 3.7, 1e-300, 1e300])
@pytest.mark.parametrize("seed", range(6))
def test_the_unit_of_weights_breaks_no_tie(scale, seed):
    rng = np.random.default_rng(seed)
    weights = rng.integers(1, 13, (16, 16)) * (rng.random((16, 16)) < 0.5) / 8
    expected = exact_betweenness(weights, "inverse")
    assert betweenness(weights, "inverse") == pytest.approx(expected, rel=1e-9)
    scaled = betweenness(weights * scale, "inverse")
    assert scaled == pytest.approx(expected, rel=1e-9), "though scaling rounds"


@pytest.mark.parametrize("length", LENGTHS)
def test_ties_of_decimal_fractions_are_ties(length):
    # Two steps of 1/3 and 1/6 are as long as one of 1/2 on paper, and those of weights 0.3 and 0.7
    # as long as one of 0.21; in doubles they need not be.
    one, other, both = (3.0, 6.0, 2.0) if length == "inverse" else (0.3, 0.7, 0.21)
    weights = np.zeros((3, 3))
    weights[0, 1], weights[1, 2], weights[0, 2] = one, other, both
    assert betweenness(weights, length).tolist() == [0, 0.5, 0]


def test_many_paths_are_counted_a_chunk_at_a_time(monkeypatch):
    weights = np.random.default_rng(0).integers(0, 3, (20, 20)) / 2
    whole = betweenness(weights, "inverse")
    monkeypatch.setattr("multiplex_vit.network.shortest.AT_ONCE", 300)
    assert betweenness(weights, "inverse") == pytest.approx(whole, rel=1e-12)


def test_a_long_chain_is_walked_to_its_end():
    weights = np.diag(10.0 ** -(np.arange(79) % 40), 1)
    assert betweenness(weights, "inverse").tolist() == [i * (79 - i) for i in range(80)]


def test_lengths_are_looked_up_by_name():
    with pytest.raises(InputError, match="unknown length 'hops'; known: inverse, log"):
        betweenness(np.ones((3, 3)), "hops")
    by_name = CENTRALITIES["betweenness(length='log')"]
    layer = Layer(np.random.default_rng(0).random((6, 6)))
    assert np.array_equal(by_name(layer), partial(CENTRALITIES["betweenness"], length="log")(layer))
