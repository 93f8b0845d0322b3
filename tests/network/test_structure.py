"""Components, bow-tie, cores, triads, rich club and Betti curves, against NetworkX and plain loops."""

import itertools

import networkx as nx
import numpy as np
import pytest
from plain_cores import core_numbers

import multiplex_vit as mv
from multiplex_vit.network import structure
from multiplex_vit.network.layer import Layer

close = pytest.approx
SEEDS = range(6)


def drawn(seed, n_nodes=12, density=0.15):
    """Return weights of a layer of some parts, with a few loops and ties."""
    rng = np.random.default_rng(seed)
    weights = rng.integers(1, 9, (n_nodes, n_nodes)) / 8
    return weights * (rng.random(weights.shape) < density)


def digraph(weights):
    graph = nx.from_numpy_array(weights, create_using=nx.DiGraph)
    graph.remove_edges_from(list(nx.selfloop_edges(graph)))
    return graph


# --- components and bow-tie -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", SEEDS)
def test_components_are_those_of_networkx_from_the_largest(seed):
    weights = drawn(seed)
    graph = digraph(weights)
    for mode, parts in (
        ("strong", nx.strongly_connected_components(graph)),
        ("weak", nx.weakly_connected_components(graph)),
    ):
        found = structure.components(weights, mode)
        expected = sorted(map(sorted, parts), key=lambda part: (-len(part), part[0]))
        assert [np.flatnonzero(found == i).tolist() for i in range(len(expected))] == expected


@pytest.mark.parametrize("seed", SEEDS)
def test_every_node_lies_where_reachability_puts_it(seed):
    weights = drawn(seed, 20, 0.07)
    graph = digraph(weights)
    core = set(np.flatnonzero(structure.components(weights) == 0).tolist())
    found = structure.bow_tie(weights)
    if len(core) < 2:
        assert set(found) == {"apart"}
        return
    reach = {node: nx.descendants(graph, node) | {node} for node in graph}
    leads_in = {node for node in graph if reach[node] & core} - core
    leads_out = set().union(*(reach[node] for node in core)) - core
    for node in graph:
        from_in = any(node in reach[other] for other in leads_in)
        to_out = bool(reach[node] & leads_out)
        expected = "tube" if from_in and to_out else "tendril" if from_in or to_out else "apart"
        for part, nodes in (("core", core), ("in", leads_in), ("out", leads_out)):
            expected = part if node in nodes else expected
        assert found[node] == expected


def test_a_bow_tie_by_hand():
    """0 -> (1 <-> 2) -> 3; 0 -> 4 -> 3 past the core; 0 -> 5; 6 -> 3; 7 alone."""
    weights = np.zeros((8, 8))
    for one, other in [(0, 1), (1, 2), (2, 1), (2, 3), (0, 4), (4, 3), (0, 5), (6, 3)]:
        weights[one, other] = 0.5
    parts = ["in", "core", "core", "out", "tube", "tendril", "tendril", "apart"]
    net = mv.Multiplex(weights[None], (2, 4))
    assert net.bow_tie().tolist() == [parts]
    shares = net.layer_table([f"bow_tie_share(part={part!r})" for part in structure.PARTS])
    counts = [parts.count(part) / 8 for part in structure.PARTS]
    assert shares.iloc[0, 4:].tolist() == counts
    assert net.reverse().bow_tie()[0, [0, 3]].tolist() == ["out", "in"]
    assert net.node_table({"part": net.bow_tie()})["part"].tolist() == parts


# --- cores ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", SEEDS)
def test_core_numbers_of_all_layers_are_those_of_plain_pruning(seed):
    layers = np.stack([drawn(seed + 10 * i, 9, 0.6) for i in range(3)])
    edges = (layers > 0) & ~np.eye(9, dtype=bool)
    both = edges + edges.swapaxes(1, 2).astype(int)
    expected = core_numbers(9, lambda left: both[:, :, left].sum(2).min(0))
    net = mv.Multiplex(layers, (3, 3))
    assert net.multilayer_table("multiplex_coreness").iloc[:, -1].tolist() == expected.tolist()
    assert (expected <= net.centrality("coreness").min(0)).all()
    assert expected.any()


def test_a_planted_core_is_found():
    weights = np.full((12, 12), 0.01)
    weights[:4, :4] = 1
    weights[4:, :4] = 0.1
    assert mv.CENTRALITIES["rich_core"](weights).tolist() == [1] * 4 + [0] * 8
    assert mv.LAYER_MEASURES["core_periphery"](Layer(weights)) > 0.95
    assert np.isnan(mv.LAYER_MEASURES["core_periphery"](Layer(np.ones((3, 3)))))


# --- triads and rich club ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", SEEDS)
def test_the_triad_census_is_that_of_networkx(seed):
    weights = drawn(seed, 10, 0.4)
    expected = nx.triadic_census(digraph(weights))
    assert structure.triad_census(Layer(weights)) == expected
    table = mv.Multiplex(weights[None], (2, 5)).triad_census()
    assert table[list(structure.TRIADS)].iloc[0].to_dict() == expected
    assert mv.LAYER_MEASURES["triads(kind='021C')"](Layer(weights)) == expected["021C"]
    assert set(structure.triad_census(Layer(np.ones((2, 2)))).values()) == {0}


@pytest.mark.parametrize("seed", SEEDS)
def test_the_rich_club_is_as_dense_as_networkx_says(seed):
    weights = drawn(seed, 12, 0.3)
    net = mv.Multiplex(weights[None], (3, 4))
    graph = digraph(weights).to_undirected()
    expected = nx.rich_club_coefficient(graph, normalized=False)
    table = net.rich_club()
    assert dict(zip(table["degree"], table["density"], strict=True)) == close(expected)
    between = weights * ~np.eye(12, dtype=bool)
    for row in table.itertuples():
        rich = [node for node in graph if graph.degree[node] > row.degree]
        inside = between[np.ix_(rich, rich)]
        strongest = np.sort(between, axis=None)[::-1][: np.count_nonzero(inside)]
        assert row.weighted == close(inside.sum() / strongest.sum())


def test_the_club_of_the_strongest_by_hand():
    """Strengths are 9, 7, 5 and 1; of two edges between the first two the strongest would weigh 4 + 4."""
    weights = np.array([[9.0, 4, 0, 0], [1, 0, 0, 0], [4, 1, 0, 0], [0, 1, 0, 0]])
    club = mv.LAYER_MEASURES["rich_club"]
    assert club(Layer(weights)) == (4 + 1) / (4 + 4)
    assert club(Layer(weights), fraction=0.75) == (4 + 1 + 4 + 1) / (4 + 4 + 1 + 1)
    assert np.isnan(club(Layer(np.eye(3))))


# --- Betti curves -----------------------------------------------------------------------------------------------------


def rank_of_boundary(simplices, faces):
    """Return the rank of the boundary of simplices, by their faces."""
    if not simplices or not faces:
        return 0
    matrix = np.zeros((len(faces), len(simplices)))
    for column, simplex in enumerate(simplices):
        for place in range(len(simplex)):
            matrix[faces.index(simplex[:place] + simplex[place + 1 :]), column] = (-1) ** place
    return np.linalg.matrix_rank(matrix)


@pytest.mark.parametrize("seed", SEEDS)
def test_betti_numbers_count_parts_and_holes(seed):
    weights = drawn(seed, 9, 0.4)
    strength = np.maximum(weights, weights.T)
    np.fill_diagonal(strength, 0)
    levels = [0, 0.25, 0.5, 0.8, 1]
    curve = mv.Multiplex(weights[None], (3, 3)).betti_curves(levels)
    for row in curve.itertuples():
        joined = (strength >= row.threshold * strength.max()) & (strength > 0)
        graph = nx.from_numpy_array(joined.astype(int))
        assert row.b0 == nx.number_connected_components(graph)
        assert row.b1 == len(nx.cycle_basis(graph))


@pytest.mark.parametrize("seed", SEEDS)
def test_triangles_fill_holes(seed):
    pytest.importorskip("gudhi")
    weights = drawn(seed, 9, 0.4)
    strength = np.maximum(weights, weights.T)
    np.fill_diagonal(strength, 0)
    curve = structure.betti_curve(weights, [0, 0.3, 0.6, 1], filled=True)
    for row in curve.itertuples():
        joined = (strength >= row.threshold * strength.max()) & (strength > 0)
        edges = [pair for pair in itertools.combinations(range(9), 2) if joined[pair]]
        triangles = [
            three
            for three in itertools.combinations(range(9), 3)
            if all(joined[pair] for pair in itertools.combinations(three, 2))
        ]
        cycles = len(edges) - rank_of_boundary(edges, [(node,) for node in range(9)])
        assert row.b1 == cycles - rank_of_boundary(triangles, edges)


def test_what_a_betti_curve_cannot_be_asked():
    with pytest.raises(mv.InputError, match="thresholds hold -0.5 to 2; give 0 to 1"):
        structure.betti_curve(np.eye(2), [-0.5, 2])
    empty = structure.betti_curve(np.zeros((3, 3)), 0)
    assert empty.iloc[0].tolist() == [0, 3, 0]
