"""Distances of layers, permutation tests and the network-based statistic, against NetworkX, SciPy and plain loops."""

import itertools
from collections import Counter

import networkx as nx
import numpy as np
import pandas as pd
import pytest
from scipy.stats import ttest_ind

import multiplex_vit as mv
from multiplex_vit.network import (
    LAYER_DISTANCES,
    compare,
    compare_measures,
    network_based_statistic,
    permutation_test,
)

close = pytest.approx


def drawn(seed, n_nodes=9, density=0.3):
    rng = np.random.default_rng(seed)
    return rng.random((n_nodes, n_nodes)) * (rng.random((n_nodes, n_nodes)) < density)


# --- distances of two layers ------------------------------------------------------------------------------------------


def networkx_spectra(first, second):
    spectra = []
    for weights in (first, second):
        graph = nx.from_numpy_array((weights + weights.T) / 2)
        spectra.append(np.sort(nx.normalized_laplacian_spectrum(graph)))
    return np.sqrt(np.mean((spectra[0] - spectra[1]) ** 2))


def plain_portrait(weights):
    """P(k, l) of the paper, by counting."""
    graph = nx.from_numpy_array(weights, create_using=nx.DiGraph)
    n_nodes = len(graph)
    portrait = Counter()
    lengths = [nx.single_source_shortest_path_length(graph, node) for node in graph]
    for length in range(max(max(of_node.values()) for of_node in lengths) + 1):
        for of_node in lengths:
            portrait[length, list(of_node.values()).count(length)] += 1
    total = sum(k * count for (_, k), count in portrait.items())
    pairs = Counter()
    for (length, k), count in portrait.items():
        pairs[length] += k * count
    return {key: count / n_nodes * pairs[key[0]] / total for key, count in portrait.items()}


def plain_divergence(first, second):
    one, other = plain_portrait(first), plain_portrait(second)
    bits = 0.0
    for key in {*one, *other}:
        p, q = one.get(key, 0), other.get(key, 0)
        for share in (p, q):
            bits += share / 2 * np.log2(2 * share / (p + q)) if share else 0
    return bits


def plain_deltacon(first, second):
    influences = []
    for weights in (first, second):
        joined = weights + weights.T
        np.fill_diagonal(joined, 0)
        joined = joined / joined.max()
        degrees = np.diag(joined.sum(1))
        step = 1 / (1 + degrees.max())
        system = np.eye(len(joined)) + step**2 * degrees - step * joined
        columns = [np.linalg.solve(system, unit) for unit in np.eye(len(joined))]
        influences.append(np.array(columns).T)
    roots = np.sqrt(influences[0]) - np.sqrt(influences[1])
    return np.linalg.norm(roots)


PLAIN = {
    "laplacian_distance": networkx_spectra,
    "portrait_divergence": plain_divergence,
    "deltacon_distance": plain_deltacon,
}


@pytest.mark.parametrize("name", LAYER_DISTANCES)
@pytest.mark.parametrize("seed", range(4))
def test_a_distance_is_that_of_a_plain_computation(name, seed):
    first, second = drawn(seed), drawn(seed + 10, density=0.2)
    found = LAYER_DISTANCES[name](first, second)
    assert found == close(PLAIN[name](first, second), abs=1e-9)
    assert found == close(LAYER_DISTANCES[name](second, first), abs=1e-12)
    assert LAYER_DISTANCES[name](first, first) == close(0, abs=1e-7)
    assert found > 0.01


def test_deltacon_counts_a_bridge_for_more_than_an_edge_of_a_clique():
    """Edge importance, of the paper's properties: two cliques that a bridge joins."""
    barbell = nx.to_numpy_array(nx.barbell_graph(5, 0))
    without_bridge, without_other = barbell.copy(), barbell.copy()
    without_bridge[[4, 5], [5, 4]] = 0
    without_other[[0, 1], [1, 0]] = 0
    distance = LAYER_DISTANCES["deltacon_distance"]
    assert distance(barbell, without_bridge) > 1.5 * distance(barbell, without_other)


def test_networks_are_compared_layer_by_layer(net):
    other = net.prune(0.5)
    table = compare(net, other, ["deltacon_distance", "jaccard", np.vdot])
    assert table["name"].tolist() == ["L00", "L01"]
    assert table["jaccard"].tolist() == [4 / 8, 3 / 4]
    assert table["vdot"].tolist() == [
        np.vdot(*pair) for pair in zip(net.weights, other.weights, strict=True)
    ]
    assert list(compare(net, other))[2:] == list(LAYER_DISTANCES)
    with pytest.raises(mv.InputError, match="give networks of as many layers"):
        compare(net, net[:1])
    with pytest.raises(mv.InputError, match="unknown layer distance 'jacard'"):
        compare(net, other, "jacard")


# --- groups -----------------------------------------------------------------------------------------------------------


def test_p_values_are_those_of_all_permutations():
    """With many draws, the share is that of all 70 ways to deal, and of all 16 signs."""
    rng = np.random.default_rng(0)
    first, second = rng.random((4, 3)) + np.array([0, 0.3, 1]), rng.random((4, 3))
    values = np.concatenate([first, second])
    for paired in (False, True):
        found, p = permutation_test(first, second, paired=paired, permutations=4000)
        assert found == close(first.mean(0) - second.mean(0))
        ways = []
        if paired:
            for signs in itertools.product([1, -1], repeat=4):
                ways.append((np.array(signs)[:, None] * (first - second)).mean(0))
        else:
            for chosen in itertools.combinations(range(8), 4):
                rest = np.setdiff1d(range(8), chosen)
                ways.append(values[list(chosen)].mean(0) - values[rest].mean(0))
        expected = (np.abs(ways) >= np.abs(found) - 1e-12).mean(0)
        assert p == close(expected, abs=0.03)


def test_tables_of_measures_are_compared():
    rng = np.random.default_rng(0)

    def table(shift):
        rows = []
        for number in range(12):
            for layer, measure in itertools.product(range(2), ("a", "b")):
                value = rng.normal() + shift * (layer == 1 and measure == "b")
                rows.append((number, layer, measure, value))
        return pd.DataFrame(rows, columns=["number", "layer", "measure", "value"])

    first, second = table(3), table(0)
    found = compare_measures(first, second)
    assert found[["layer", "measure"]].to_numpy().tolist() == [
        [0, "a"],
        [0, "b"],
        [1, "a"],
        [1, "b"],
    ]
    assert (found["p"] < 0.01).tolist() == [False, False, False, True]
    assert (found["q"] >= found["p"]).all()
    assert found["first"].iloc[3] == close(
        first.query("layer == 1 and measure == 'b'")["value"].mean()
    )
    first.loc[first["measure"] == "a", "value"] = np.nan
    gone = compare_measures(first, second, paired=True)
    assert gone["q"].isna().tolist() == [True, False, True, False]
    with pytest.raises(mv.InputError, match="different layers or measures"):
        compare_measures(first, second.query("layer == 0"))
    with pytest.raises(mv.InputError, match="first has no column number, layer, measure, value"):
        compare_measures(pd.DataFrame({"x": [1]}), second)


# --- edge by edge -----------------------------------------------------------------------------------------------------


def plain_components(beyond):
    """Return the edges of every connected part, the largest first."""
    graph = nx.from_numpy_array(beyond.astype(int), create_using=nx.DiGraph)
    parts = [graph.subgraph(nodes) for nodes in nx.weakly_connected_components(graph)]
    edges = [set(part.edges) for part in parts if part.size()]
    return sorted(edges, key=len, reverse=True)


def test_the_network_based_statistic_is_that_of_scipy_and_networkx():
    rng = np.random.default_rng(3)
    first, second = rng.random((6, 7, 7)), rng.random((5, 7, 7))
    first[:, [0, 1, 2, 5], [1, 2, 3, 6]] += 1.5
    found = network_based_statistic(first, second, threshold=2, permutations=50, seed=4)
    t = ttest_ind(first, second).statistic
    assert found.t == close(t)
    expected = plain_components(np.abs(t) >= 2)
    sizes = [len(edges) for edges in expected]
    assert found.table["edges"].tolist() == sizes
    for number, size in enumerate(sizes):
        inside = set(zip(*np.where(found.component == number), strict=True))
        assert len(inside) == size
        assert inside in [set(edges) for edges in expected]
    values = np.concatenate([first, second])
    draws = np.random.default_rng(4)
    largest = []
    for _ in range(50):
        is_first = draws.permutation(np.arange(11) < 6)
        dealt = ttest_ind(values[is_first], values[~is_first]).statistic
        largest.append(max(map(len, plain_components(np.abs(dealt) >= 2)), default=0))
    by_hand = [(1 + sum(one >= size for one in largest)) / 51 for size in sizes]
    assert found.table["p"].tolist() == close(by_hand)


def test_edges_that_do_not_vary():
    first, second = np.zeros((3, 2, 2)), np.zeros((3, 2, 2))
    first[:, 0, 1] = 1
    found = network_based_statistic(first, second, permutations=9)
    assert found.t.tolist() == [[0, np.inf], [0, 0]]
    assert found.table[["edges", "nodes"]].to_numpy().tolist() == [[1, 2]]
    nothing = network_based_statistic(second, second, permutations=9)
    assert nothing.table.empty
    assert list(nothing.table) == ["component", "edges", "nodes", "p"]
    with pytest.raises(mv.InputError, match="two images or more of each"):
        network_based_statistic(first[:1], second)
