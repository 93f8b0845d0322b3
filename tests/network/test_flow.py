"""Chains, rollout, maximum flow, routes, paths in time and communicability, against plain computations."""

import itertools

import networkx as nx
import numpy as np
import pytest

import multiplex_vit as mv
from multiplex_vit.network import flow
from multiplex_vit.network.flow import Chain
from multiplex_vit.network.layer import Layer
from multiplex_vit.network.tokens import Tokens

close = pytest.approx


def attention(seed, n_nodes=6, n_layers=3, kept=1.0):
    """Return attention whose rows sum to 1, or nearly so where some edges are left out."""
    rng = np.random.default_rng(seed)
    weights = rng.dirichlet(np.full(n_nodes, 0.7), (n_layers, n_nodes))
    return weights * (rng.random(weights.shape) < kept)


def network(seed=0, n_layers=3, **options):
    options = {"prefix": ("class",), **options}
    return mv.Multiplex(attention(seed, n_layers=n_layers), (1, 5), **options)


def rows(weights):
    return weights / weights.sum(-1, keepdims=True)


# --- chains -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("alpha", [0.5, 0.99, 0.99999])
def test_token_rank_is_the_stationary_vector_of_the_dense_chain(seed, alpha):
    chain = rows(attention(seed)[0])
    google = alpha * chain + (1 - alpha) / len(chain)
    values, vectors = np.linalg.eig(google.T)
    stationary = vectors[:, np.argmax(values.real)].real
    expected = stationary / stationary.sum()
    layer = Layer(chain, Tokens((1, 5), ("class",)))
    assert Chain(layer).token_rank(alpha) == close(expected, abs=1e-9)
    by_name = mv.CENTRALITIES[f"token_rank(alpha={alpha})"](layer)
    assert by_name == close(expected, abs=1e-9)
    assert nx.pagerank(nx.from_numpy_array(chain, create_using=nx.DiGraph), alpha, tol=1e-14)[
        0
    ] == close(expected[0], abs=1e-9)


def test_token_rank_of_a_model_keeps_prefix_tokens(demo_vit):
    image = mv.samples()["cat"]
    net = mv.multiplex(demo_vit, image, operator="mean", min_cut=0, prefix=True)
    ranks = net.centrality("token_rank")
    for layer, rank in zip(net, ranks, strict=True):
        weights = layer.weights.astype(float)
        google = 0.99 * rows(weights) + 0.01 / len(weights)
        assert rank @ google == close(rank, abs=1e-12)
        assert rank.sum() == close(1)


@pytest.mark.parametrize("seed", range(4))
def test_the_spectrum_is_that_of_the_dense_chain(seed):
    weights = attention(seed)[0]
    values = np.linalg.eigvals(rows(weights))
    second = np.sort(np.abs(values))[-2]
    chain = Chain(Layer(weights))
    assert chain.second_eigenvalue == close(second, rel=1e-9)
    assert chain.spectral_gap == close(1 - second, rel=1e-9)
    assert chain.relaxation_time == close(1 / (1 - second), rel=1e-9)
    rest = np.delete(values, np.abs(values - 1).argmin())
    assert chain.kemeny_constant == close((1 / (1 - rest)).sum().real, rel=1e-9)
    table = mv.Multiplex(weights[None], (1, 6)).layer_table(
        ["second_eigenvalue", "spectral_gap", "relaxation_time", "kemeny_constant"]
    )
    assert table.iloc[0, 4:].tolist() == [
        chain.second_eigenvalue,
        chain.spectral_gap,
        chain.relaxation_time,
        chain.kemeny_constant,
    ]


@pytest.mark.parametrize("seed", range(3))
def test_kemenys_constant_is_the_mean_time_to_a_random_node_from_anywhere(seed):
    chain = rows(attention(seed)[0])
    stationary = Chain(Layer(chain)).stationary
    assert stationary @ chain == close(stationary)
    for start in range(len(chain)):
        total = 0.0
        for end in range(len(chain)):
            others = np.delete(np.arange(len(chain)), end)
            system = np.eye(len(others)) - chain[np.ix_(others, others)]
            steps = np.linalg.solve(system, np.ones(len(others)))
            total += 0 if start == end else stationary[end] * steps[others.tolist().index(start)]
        assert Chain(Layer(chain)).kemeny_constant == close(total, rel=1e-9)


def test_a_walker_bounces_as_powers_of_the_matrix_say():
    net = network()
    walk = net.chain("L01").bounces(["class", "r0c2"], steps=4)
    begin = np.zeros(6)
    begin[[0, 3]] = 0.5
    for step in range(5):
        expected = np.linalg.matrix_power(rows(net.weights[1]), step).T @ begin
        assert walk[step] == close(expected, abs=1e-12)


def test_chains_that_have_no_single_answer():
    parts = Chain(Layer(np.kron(np.eye(2), np.full((2, 2), 0.5))))
    assert (parts.second_eigenvalue, parts.spectral_gap) == (1, 0)
    assert np.isnan([parts.relaxation_time, parts.kemeny_constant]).all()
    assert np.isnan(parts.stationary).all()
    swap = Chain(Layer(np.array([[0, 1.0], [1.0, 0]])))
    assert swap.second_eigenvalue == 1
    assert np.isnan(swap.relaxation_time)
    assert swap.kemeny_constant == close(0.5), "1 / (1 + 1)"
    empty = Chain(Layer(np.zeros((3, 3))))
    assert empty.second_eigenvalue == 0
    assert np.isnan(empty.kemeny_constant)
    assert empty.token_rank().tolist() == [0, 0, 0]


def test_transient_nodes_are_left_for_good():
    chain = Chain(Layer(np.array([[0.5, 0.5, 0], [0, 0.2, 0.8], [0, 0.4, 0.6]])))
    assert chain.stationary == close([0, 1 / 3, 2 / 3])
    assert chain.second_eigenvalue == close(0.5), "that of the node that is left"


def test_isolates_are_no_part_of_a_chain():
    weights = attention(1)[0]
    more = np.zeros((8, 8))
    inside = [0, 1, 3, 4, 6, 7]
    more[np.ix_(inside, inside)] = weights
    chain, other = Chain(Layer(weights)), Chain(Layer(more))
    assert other.token_rank()[inside] == close(chain.token_rank())
    assert other.stationary[[2, 5]].tolist() == [0, 0]
    assert other.kemeny_constant == close(chain.kemeny_constant)
    with pytest.raises(mv.InputError, match="r0c2 has no edge"):
        other.bounces("r0c2")


def test_a_token_that_attends_to_nothing_leads_anywhere():
    chain = Chain(Layer(np.array([[0, 1.0, 0], [0, 0, 0], [0.5, 0.5, 0]])))
    assert chain.transition[1].tolist() == close([1 / 3] * 3)


@pytest.mark.parametrize("seed", range(3))
def test_planted_sets_are_metastable(seed):
    rng = np.random.default_rng(seed)
    groups = rng.permutation(np.repeat(range(3), [4, 5, 6]))
    same = groups[:, None] == groups
    weights = rng.random((15, 15)) * np.where(same, 1, 0.01)
    found = Chain(Layer(weights)).metastable(3)
    for group in range(3):
        assert len(set(found.membership[groups == group])) == 1
    assert len(set(found.membership)) == 3
    assert found.membership[0] == 0, "numbered as they appear"
    assert found.shares.sum(1) == close(np.ones(15))
    assert (found.shares.argmax(1) == found.membership).all()
    assert (found.staying > 0.9).all()
    order = rng.permutation(15)
    moved = Chain(Layer(weights[np.ix_(order, order)])).metastable(3)
    together = moved.membership[:, None] == moved.membership
    expected = found.membership[order]
    assert (together == (expected[:, None] == expected)).all()


def test_what_metastable_sets_cannot_be():
    ring = np.roll(np.eye(5), 1, axis=1) + 0.1 * np.eye(5)
    with pytest.raises(mv.InputError, match="n_states is 2, but process 3 is as slow"):
        Chain(Layer(ring)).metastable(2)
    with pytest.raises(mv.InputError, match="n_states is 6; give a whole number of at most 5"):
        Chain(Layer(ring)).metastable(6)
    with pytest.raises(mv.InputError, match="the layer has no edge"):
        Chain(Layer(np.zeros((2, 2)))).metastable(1)


# --- rollout ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("residual", [0.0, 0.5, 0.9])
def test_rollout_is_the_sum_over_all_ways_through_the_layers(residual):
    net = network()
    expected = np.zeros((6, 6))
    mixing = (1 - residual) * rows(net.weights) + residual * np.eye(6)
    for way in itertools.product(range(6), repeat=4):
        share = 1.0
        for layer, (one, other) in zip((2, 1, 0), itertools.pairwise(way), strict=True):
            share *= mixing[layer, one, other]
        expected[way[0], way[-1]] += share
    assert net.rollout(residual) == close(expected, abs=1e-12)
    assert net.rollout(residual).sum(1) == close(np.ones(6))


def test_rollout_is_that_of_the_explainer(demo_vit):
    image = mv.samples()["cat"]
    net = mv.multiplex(demo_vit, image, operator="mean", min_cut=0, prefix=True)
    heat = mv.EXPLAINERS["rollout"](demo_vit, image).heatmap.ravel()
    of_class = net.rollout()[0, 1:]
    assert of_class / of_class.sum() == close(heat / heat.sum(), rel=1e-4)


def test_rollout_is_a_measure_of_nodes():
    net = network()
    table = net.multilayer_table(["rollout", "rollout(residual=0.0)"])
    assert table["rollout"].to_numpy() == close(net.rollout().sum(0))
    assert table["rollout(residual=0.0)"].to_numpy() == close(net.rollout(0).sum(0))


def test_a_layer_that_changes_nothing_contributes_nothing():
    weights = attention(0)
    weights[1] = np.eye(6)
    net = mv.Multiplex(weights, (2, 3))
    shares = net.layer_contributions()
    assert shares.shape == (3, 6)
    assert shares[1] == close(np.zeros(6), abs=1e-15)
    without = net[[0, 1]].rollout()
    assert shares[2] == close(np.abs(net.rollout() - without).sum(1) / 2)
    assert shares.max() <= 0.5


# --- maximum flow and minimum cut -------------------------------------------------------------------------------------


def layered_graph(weights, residual):
    """Return the graph of all tokens of all layers, as networkx has it."""
    mixing = (1 - residual) * rows(weights) + residual * np.eye(weights.shape[1])
    graph = nx.DiGraph()
    for layer, matrix in enumerate(mixing):
        for source, target in zip(*matrix.nonzero(), strict=True):
            capacity = matrix[source, target]
            graph.add_edge((layer + 1, int(source)), (layer, int(target)), capacity=capacity)
    return graph


@pytest.mark.parametrize("residual", [0.0, 0.5])
def test_attention_flow_is_that_of_networkx(residual):
    net = network()
    graph = layered_graph(net.weights, residual)
    found = net.attention_flow(residual=residual)
    for target in range(6):
        value, _ = nx.maximum_flow(graph, (3, 0), (0, target))
        assert found[target] == close(value, abs=1e-9)


@pytest.mark.parametrize("target", ["class", "r0c1", "r0c4"])
def test_the_minimum_cut_limits_the_flow(target):
    net = network(2)
    cut = net.minimum_cut(target)
    [flowing] = net.attention_flow(targets=target)
    assert cut["capacity"].sum() == close(flowing, abs=1e-9)
    graph = layered_graph(net.weights, 0.5)
    numbers = {name: number for number, name in enumerate(net.tokens.names)}
    for row in cut.itertuples():
        graph.remove_edge((row.block + 1, numbers[row.source]), (row.block, numbers[row.target]))
    assert not nx.has_path(graph, (3, 0), (0, numbers[target]))


def test_several_tokens_send_together():
    net = network()
    graph = layered_graph(net.weights, 0.5)
    graph.add_edge("all", (3, 1))
    graph.add_edge("all", (3, 4))
    found = net.attention_flow(["r0c0", "r0c3"], targets=[2])
    assert found == close([nx.maximum_flow_value(graph, "all", (0, 2))], abs=1e-9)


def test_nothing_flows_where_there_is_no_way():
    weights = np.zeros((2, 3, 3))
    weights[:, 0, 1] = 1
    weights[:, 1, 1] = weights[:, 2, 2] = 1
    net = mv.Multiplex(weights, (1, 3))
    assert net.attention_flow("r0c0").tolist() == [0.5, 1.0, 0.0]
    assert net.minimum_cut("r0c2", "r0c0").empty


# --- routes -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("threshold", [0.0, 0.05, 0.1, 0.3])
@pytest.mark.parametrize("residual", [0.0, 0.04, 0.5])
def test_a_route_is_what_a_walk_backwards_finds(threshold, residual):
    net = network(3)
    shares = (1 - residual) * rows(net.weights)
    expected = set()

    def feed(layer, token):
        if layer < 0:
            return
        for source, share in enumerate(shares[layer, token]):
            if share >= threshold:
                expected.add((layer, token, source))
                feed(layer - 1, source)
        if residual >= threshold:
            feed(layer - 1, token)

    feed(2, 0)
    found = net.route(threshold=threshold, residual=residual)
    assert {tuple(map(int, edge)) for edge in np.argwhere(found.weights)} == expected
    assert found.provenance["route"] == f"class {threshold:g}"
    assert found.edges_before == net.edges_before


def test_a_route_of_heads_shares_in_each_token():
    weights = attention(0, n_layers=4)
    net = mv.Multiplex(weights, (2, 3), blocks=(0, 0, 1, 1))
    found = net.route([0], threshold=0.1, residual=0.0)
    last = rows(weights[2:]) / 2
    kept = found.weights[2:, 0] > 0
    assert (kept == (last[:, 0] >= 0.1)).all()
    assert not found.weights[2:, 1:].any()


def test_a_higher_threshold_keeps_less():
    net = network()
    kept = [net.route(threshold=share).weights > 0 for share in (0.3, 0.1, 0.02, 0)]
    for strict, loose in itertools.pairwise(kept):
        assert (strict <= loose).all()
    assert kept[0].sum() < kept[-1].sum() == 2 * 36 + 6


# --- paths in time ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("waiting", [1.0, 0.3, 0.0])
@pytest.mark.parametrize("seed", range(3))
def test_the_strongest_path_is_the_strongest_of_all(waiting, seed):
    weights = attention(seed, kept=0.5)
    net = mv.Multiplex(weights, (1, 5), prefix=("class",))
    steps = np.maximum(weights, waiting * np.eye(6))
    best = np.zeros(6)
    for way in itertools.product(range(6), repeat=3):
        strength = steps[2, 0, way[0]] * steps[1, way[0], way[1]] * steps[0, way[1], way[2]]
        best[way[2]] = max(best[way[2]], strength)
    paths = net.paths_in_time(waiting=waiting)
    assert paths.strengths == close(best, rel=1e-12)
    for end in range(6):
        way = paths.tokens[end]
        if not best[end]:
            assert (way == -1).all()
            assert paths.hops[end] == -1
            continue
        assert (way[0], way[-1]) == (0, end)
        strength = steps[2, way[0], way[1]] * steps[1, way[1], way[2]] * steps[0, way[2], way[3]]
        assert strength == close(best[end], rel=1e-12)
        assert paths.hops[end] == (np.diff(way) != 0).sum()


def test_waiting_costs_nothing_unless_asked():
    paths = network().paths_in_time()
    assert (paths.strengths[0], paths.tokens[0].tolist()) == (1.0, [0, 0, 0, 0])


# --- communicability --------------------------------------------------------------------------------------------------


def test_dynamic_communicability_counts_walks():
    net = network(n_layers=2)
    per_edge = 0.85 / net.weights.sum(2).max()
    expected = np.zeros((6, 6))
    last, first = (per_edge * net.weights[1], per_edge * net.weights[0])
    for one in range(260):
        walks = np.linalg.matrix_power(last, one)
        for other in range(260):
            if one + other < 260:
                expected += walks @ np.linalg.matrix_power(first, other)
    assert net.dynamic_communicability() == close(expected, rel=1e-9)
    assert not flow.dynamic_communicability(np.zeros((2, 3, 3)))[0, 1]


def test_communicability_is_the_exponential_of_the_matrix():
    weights = np.random.default_rng(0).random((5, 5))
    symmetric = (weights + weights.T) / 2
    np.fill_diagonal(symmetric, 0)
    unit = symmetric.sum(1).max()
    links = (symmetric > 0).astype(float)
    values, vectors = np.linalg.eigh(links / 4)
    found = mv.CENTRALITIES["communicability"](links)
    assert found == close((vectors * np.exp(values)) @ vectors.T.sum(1), rel=1e-9)
    series, term = np.zeros(5), np.ones(5)
    for length in range(1, 40):
        series += term
        term = (symmetric / unit).T @ term / length
    assert mv.CENTRALITIES["communicability"](symmetric) == close(series, rel=1e-12)


# --- all of them ------------------------------------------------------------------------------------------------------

ASKED = {
    "rollout": lambda net: net.rollout(),
    "layer_contributions": lambda net: net.layer_contributions(),
    "attention_flow": lambda net: net.attention_flow("r0c1"),
    "minimum_cut": lambda net: net.minimum_cut(2, "r0c1")["capacity"].to_numpy(),
    "paths_in_time": lambda net: net.paths_in_time("r0c1").strengths,
    "dynamic_communicability": lambda net: net.dynamic_communicability(),
}


@pytest.mark.parametrize("name", ASKED)
def test_edges_of_information_give_the_same_answer(name):
    net = network()
    assert ASKED[name](net.reverse()) == close(ASKED[name](net))
    turned = net.reverse().route(threshold=0.1).reverse()
    assert np.array_equal(turned.weights, net.route(threshold=0.1).weights)
    assert np.array_equal(
        net.reverse().with_residual().reverse().weights, net.with_residual().weights
    )


@pytest.mark.parametrize("name", ASKED)
def test_numbers_of_nodes_and_the_order_of_layers_do_not_matter(name):
    weights = attention(4)
    order = np.array([0, 3, 2, 1, 4, 5])
    net = mv.Multiplex(weights, (1, 6))
    moved = mv.Multiplex(weights[:, order][:, :, order], (1, 6))
    backwards = mv.Multiplex(weights[::-1], (1, 6), blocks=(2, 1, 0))
    assert ASKED[name](backwards) == close(ASKED[name](net))
    if name in ("attention_flow", "paths_in_time"):
        found = (moved.attention_flow("r0c3"), moved.paths_in_time("r0c3").strengths)
        found = found[name == "paths_in_time"]
        assert found == close(ASKED[name](net)[order])
    elif name in ("rollout", "dynamic_communicability"):
        assert ASKED[name](moved) == close(ASKED[name](net)[np.ix_(order, order)])


@pytest.mark.parametrize("name", [name for name in ASKED if name != "paths_in_time"])
@pytest.mark.parametrize("scale", [1e-8, 1e10])
def test_the_unit_of_weights_does_not_matter(name, scale):
    weights = attention(5)
    found = ASKED[name](mv.Multiplex(weights * scale, (1, 6)))
    assert found == close(ASKED[name](mv.Multiplex(weights, (1, 6))), rel=1e-7)


@pytest.mark.parametrize("name", [name for name in ASKED if name != "paths_in_time"])
def test_heads_of_a_block_count_as_their_mean(name):
    weights = attention(6, n_layers=4)
    heads = mv.Multiplex(weights, (1, 6), blocks=(0, 0, 1, 1))
    pooled = mv.Multiplex(weights.reshape(2, 2, 6, 6).mean(1), (1, 6))
    assert ASKED[name](heads) == close(ASKED[name](pooled))


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda net: net.route(), "the network has no class token; give tokens, or make it with"),
        (lambda net: net.attention_flow("r9c9"), "there is no node 'r9c9'"),
        (lambda net: net.rollout(2), "residual is 2; give a number from 0 to 1"),
        (lambda net: net.route(0, threshold=-1), "threshold is -1"),
        (lambda net: net.paths_in_time(0, waiting=2), "waiting is 2"),
        (lambda net: net.chain("L09"), "there is no layer 'L09'"),
        (lambda net: net.chain(0).bounces(0, steps=-1), "steps is -1"),
        (lambda net: net.chain(0).token_rank(1), "alpha is 1; give a number between 0 and 1"),
        (lambda net: net.dynamic_communicability(attenuation=1), "attenuation is 1"),
    ],
)
def test_what_is_refused(ask, message):
    with pytest.raises(mv.InputError, match=message):
        ask(mv.Multiplex(attention(0), (1, 6)))
