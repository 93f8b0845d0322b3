"""Every centrality: by hand, against an independent computation, and the contract that all of them keep."""

import math
import warnings
from functools import partial

import networkx as nx
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from plain_cores import in_core_numbers, rich_core

import multiplex_vit as mv
from multiplex_vit.network.centrality import centrality
from multiplex_vit.network.layer import Layer
from multiplex_vit.network.tokens import Tokens

NOT_EQUIVARIANT = {"attention_distance"}
"""They ask where a node lies, so relabelled nodes are other nodes."""

UNIQUE_IF_STRONGLY_CONNECTED = {"eigenvector", "hub", "authority"}


def random_layer(seed, n=30, density=0.3, loops=True, scale=1.0):
    """A strongly connected, directed, weighted layer: a random graph and a cycle through all of its nodes."""
    rng = np.random.default_rng(seed)
    weights = rng.random((n, n)) * (rng.random((n, n)) < density)
    weights[np.arange(n), np.roll(np.arange(n), 1)] = rng.random(n) + 0.1
    if not loops:
        np.fill_diagonal(weights, 0)
    return scale * weights


def graph_of(weights, loops=True):
    graph = nx.from_numpy_array(
        weights if loops else weights * ~np.eye(len(weights), dtype=bool),
        create_using=nx.DiGraph,
    )
    for *_, data in graph.edges(data=True):
        data["length"] = 1 / data["weight"]
        data["log"] = -math.log(data["weight"]) if data["weight"] < 1 else math.inf
    return graph


def leading(matrix):
    values, vectors = np.linalg.eig(matrix)
    vector = np.abs(vectors[:, values.real.argmax()].real)
    return vector / vector.max()


def by_node(values):
    return [values[node] for node in sorted(values)]


def plain_entropy(weights):
    result = []
    for row in weights:
        shares = [w / row.sum() for w in row if w > 0]
        result.append(-sum(p * math.log(p) for p in shares))
    return result


def plain_distance(weights):
    result = []
    for i, row in enumerate(weights):
        near = [w * math.dist(divmod(i, 6), divmod(j, 6)) for j, w in enumerate(row)]
        result.append(sum(near) / row.sum() if row.sum() else 0)
    return result


def dense_pagerank(weights):
    n, out = len(weights), weights.sum(1)
    steps = np.array([w / s if s else np.full(n, 1 / n) for w, s in zip(weights, out, strict=True)])
    return np.linalg.solve(np.eye(n) - 0.85 * steps.T, np.full(n, 0.15 / n))


def dense_token_rank(weights):
    linked = np.flatnonzero(weights.any(0) | weights.any(1))
    inside = weights[np.ix_(linked, linked)]
    n = len(linked)
    steps = np.array([w / w.sum() if w.any() else np.full(n, 1 / n) for w in inside])
    values, vectors = np.linalg.eig((0.99 * steps + 0.01 / n).T)
    stationary = vectors[:, values.real.argmax()].real
    ranks = np.zeros(len(weights))
    ranks[linked] = stationary / stationary.sum()
    return ranks


def plain_communicability(weights):
    steps = weights.T / weights.sum(1).max()
    total, walks = np.zeros(len(weights)), np.ones(len(weights))
    for length in range(1, 60):
        total += walks
        walks = steps @ walks / length
    return total


def plain_constraint(weights):
    both = weights + weights.T
    np.fill_diagonal(both, 0)
    p = both / both.sum(1, keepdims=True)
    n = len(p)
    return [
        sum(
            (p[i, j] + sum(p[i, q] * p[q, j] for q in range(n) if q not in (i, j))) ** 2
            for j in range(n)
            if j != i and p[i, j]
        )
        for i in range(n)
    ]


INDEPENDENT = {
    "in_strength": lambda w: by_node(dict(graph_of(w).in_degree(weight="weight"))),
    "out_strength": lambda w: by_node(dict(graph_of(w).out_degree(weight="weight"))),
    "in_degree": lambda w: by_node(dict(graph_of(w).in_degree())),
    "out_degree": lambda w: by_node(dict(graph_of(w).out_degree())),
    "self_attention": lambda w: [w[i, i] for i in range(len(w))],
    "out_entropy": plain_entropy,
    "in_entropy": lambda w: plain_entropy(w.T),
    "attention_distance": plain_distance,
    "pagerank": dense_pagerank,
    "token_rank": dense_token_rank,
    "communicability": plain_communicability,
    "eigenvector": lambda w: leading(w.T),
    "hub": lambda w: leading(w @ w.T),
    "authority": lambda w: leading(w.T @ w),
    "katz": lambda w: by_node(
        nx.katz_centrality_numpy(
            graph_of(w),
            alpha=0.85 / w.sum(1).max(),
            beta=1.0,
            normalized=False,
            weight="weight",
        )
    ),
    "in_closeness": lambda w: by_node(nx.closeness_centrality(graph_of(w), distance="length")),
    "out_closeness": lambda w: by_node(
        nx.closeness_centrality(graph_of(w).reverse(), distance="length")
    ),
    "harmonic": lambda w: by_node(nx.harmonic_centrality(graph_of(w), distance="length")),
    "betweenness": lambda w: by_node(
        nx.betweenness_centrality(graph_of(w), weight="length", normalized=False)
    ),
    "coreness": lambda w: by_node(nx.core_number(graph_of(w, loops=False))),
    "in_coreness": in_core_numbers,
    "out_coreness": lambda w: in_core_numbers(w.T),
    "rich_core": rich_core,
    "clustering": lambda w: by_node(nx.clustering(graph_of(w, loops=False), weight="weight")),
    "constraint": plain_constraint,
}


def values_of(weights, measure, grid=None):
    return centrality([Layer(weights, Tokens(grid or (1, len(weights))))], measure)[0]


def test_every_centrality_has_an_independent_check():
    assert set(INDEPENDENT) == set(mv.CENTRALITIES)


@pytest.mark.parametrize("name", INDEPENDENT)
@pytest.mark.parametrize(("seed", "scale"), [(0, 1), (1, 1), (2, 7.0)])
def test_it_agrees_with_an_independent_computation(name, seed, scale):
    weights = random_layer(seed, scale=scale)
    assert values_of(weights, name, (5, 6)) == pytest.approx(
        INDEPENDENT[name](weights.copy()), rel=1e-9, abs=1e-12
    )


@pytest.mark.parametrize(
    "name",
    sorted(
        set(INDEPENDENT)
        - UNIQUE_IF_STRONGLY_CONNECTED
        - {"out_entropy", "in_entropy", "constraint"}
    ),
)
def test_it_agrees_where_the_layer_falls_apart(name):
    weights = random_layer(3, n=30, density=0.05)
    weights[:10, 10:] = weights[10:, :10] = 0
    weights[:, 4] = weights[4] = weights[20] = 0
    assert values_of(weights, name, (5, 6)) == pytest.approx(
        INDEPENDENT[name](weights.copy()), rel=1e-9, abs=1e-12
    )


def test_networkx_has_the_same_pagerank_constraint_and_authorities():
    weights = random_layer(5, loops=False)
    graph = graph_of(weights)
    assert values_of(weights, "pagerank") == pytest.approx(
        by_node(nx.pagerank(graph, tol=1e-15, max_iter=1000)), rel=1e-9
    )
    assert values_of(weights, "constraint") == pytest.approx(
        by_node(nx.constraint(graph, weight="weight")), rel=1e-9
    )
    hubs, authorities = nx.hits(graph, tol=1e-15, max_iter=10_000)
    for name, theirs in (("hub", by_node(hubs)), ("authority", by_node(authorities))):
        ours = values_of(weights, name)
        assert ours / ours.sum() == pytest.approx(theirs, rel=1e-9)
    ours = values_of(weights, "eigenvector")
    assert ours / np.linalg.norm(ours) == pytest.approx(
        by_node(nx.eigenvector_centrality_numpy(graph, weight="weight")), rel=1e-9
    )


@pytest.mark.parametrize(("name", "reverse"), [("in_closeness", False), ("out_closeness", True)])
def test_lengths_may_be_logarithms(name, reverse):
    weights = random_layer(0) * 0.9
    weights[weights >= 1] = 0.99
    graph = graph_of(weights)
    measure = partial(mv.CENTRALITIES[name], length="log")
    theirs = nx.closeness_centrality(graph.reverse() if reverse else graph, distance="log")
    assert values_of(weights, measure) == pytest.approx(by_node(theirs), rel=1e-9)
    betweenness = partial(mv.CENTRALITIES["betweenness"], length="log")
    assert values_of(weights, betweenness) == pytest.approx(
        by_node(nx.betweenness_centrality(graph, weight="log", normalized=False)),
        rel=1e-9,
    )


def test_a_partial_is_named_by_what_it_fixes(net):
    measure = partial(mv.CENTRALITIES["harmonic"], length="log")
    table = net.node_table(["harmonic", measure])
    assert list(table.columns[-2:]) == ["harmonic", "harmonic(length='log')"]
    assert not np.allclose(table["harmonic"], table["harmonic(length='log')"])


def test_lengths_that_do_not_fit():
    with pytest.raises(
        mv.InputError,
        match="length 'log' needs weights of at most 1, this layer has 2; pool heads by mean",
    ):
        Layer(np.array([[0, 2.0], [0, 0]])).distances("log")
    with pytest.raises(mv.InputError, match="unknown length 'linear'; known: inverse, log"):
        Layer(np.ones((2, 2))).distances("linear")
    assert Layer(np.array([[0, 1.0], [1e-320, 0]])).distances("log")[0, 1] == 2.0**-52, (
        "a weight of 1 is as near as can be"
    )
    assert np.isfinite(Layer(np.array([[0, 1.0], [1e-320, 0]])).distances()).all()


def test_by_hand(net):
    """First layer: 0 -> 0 .5, 1 .25, 2 .25; 1 -> 1 .5, 3 .5; 2 -> 0 .125, 2 .75, 3 .125. Second: 0 -> 1 1, 1 -> 0 .5, 2 .5, 3 -> 3 .01."""
    table = net.node_table()
    assert table["in_degree"].tolist() == [2, 2, 2, 2, 1, 1, 1, 1]
    assert table["out_degree"].tolist() == [3, 2, 3, 0, 1, 2, 0, 1]
    assert table["self_attention"].tolist() == pytest.approx([0.5, 0.5, 0.75, 0, 0, 0, 0, 0.01])
    assert table["out_entropy"].tolist()[:2] == pytest.approx([1.5 * math.log(2), math.log(2)])
    assert table["attention_distance"].tolist()[:4] == pytest.approx([0.5, 0.5, 0.125 + 0.125, 0])
    assert table["betweenness"].tolist()[4:] == [0, 1, 0, 0], "0 -> 1 -> 2 passes 1"
    assert table["harmonic"].tolist()[4:] == pytest.approx([0.5, 1, 0.5 + 1 / 3, 0])
    assert table["in_closeness"].tolist()[4:] == pytest.approx(
        [1 / 3 * 0.5, 1 / 3 * 1, 2 / 3 * 2 / 5, 0]
    )
    assert table["coreness"].tolist()[4:] == [2, 2, 1, 0]
    assert table["constraint"].tolist()[4:] == pytest.approx([1, 0.75**2 + 0.25**2, 1, 0])
    assert table["katz"].tolist()[7] == pytest.approx(1 / (1 - 0.85 * 0.01), rel=1e-6)
    assert table["clustering"].tolist()[4:] == [0, 0, 0, 0]


def test_attention_to_a_prefix_token_has_no_distance():
    weights = np.array([[[0.5, 0.25, 0.25], [0.5, 0.25, 0.25], [1, 0, 0]]])
    table = mv.Multiplex(weights, (1, 2), prefix=("class",)).node_table("attention_distance")
    assert table["attention_distance"].tolist() == [0, 0.5, 0]


# --- the contract of every centrality ---------------------------------------------------------------------------------

SMALL = arrays(
    np.float64,
    (2, 5, 5),
    elements=st.one_of(st.just(0.0), st.floats(2**-10, 1, width=16)),
)


@pytest.mark.parametrize("name", mv.CENTRALITIES)
@given(weights=SMALL, seed=st.integers(0, 99))
def test_a_centrality_keeps_its_contract(name, weights, seed):
    before = weights.copy()
    layers = [Layer(w, Tokens((1, 5))) for w in weights]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        values = centrality(layers, name)
    assert values.shape == (2, 5)
    assert np.isfinite(values).all()
    assert (values >= 0).all()
    assert np.array_equal(weights, before), "the input is untouched"
    assert np.array_equal(values, centrality([Layer(w) for w in weights], name)), (
        "it is deterministic"
    )
    if name not in NOT_EQUIVARIANT | UNIQUE_IF_STRONGLY_CONNECTED:
        order = np.random.default_rng(seed).permutation(5)
        moved = centrality([Layer(w[order][:, order]) for w in weights], name)
        assert moved == pytest.approx(values[:, order], rel=1e-9, abs=1e-9), (
            "names of nodes do not matter"
        )


@pytest.mark.parametrize("name", sorted(UNIQUE_IF_STRONGLY_CONNECTED))
def test_names_of_nodes_do_not_matter_where_the_values_are_unique(name):
    weights, order = random_layer(7), np.random.default_rng(0).permutation(30)
    assert values_of(weights[order][:, order], name) == pytest.approx(
        values_of(weights, name)[order], rel=1e-9
    )


@pytest.mark.parametrize("name", mv.CENTRALITIES)
@pytest.mark.parametrize(
    "weights",
    [
        np.zeros((1, 1)),
        np.ones((1, 1)),
        np.zeros((4, 4)),
        np.diag([1.0, 0, 0.5, 0]),
        np.full((3, 3), 1e-300),
    ],
)
def test_degenerate_layers_have_finite_values(name, weights):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert np.isfinite(values_of(weights, name)).all()


@pytest.mark.parametrize("name", mv.CENTRALITIES)
def test_every_centrality_makes_masks(name, fake):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        explanation = mv.explain(
            fake,
            torch.zeros(1, 1, 2, 3),
            centralities=name,
            statistics=("max", "sum"),
            operators=("sum",),
        )
    assert [label[1] for label in explanation.masks.labels] == [name, name]
    layers = mv.Multiplex(fake.attention[0, 0].numpy(), (2, 3)).prune(0.01)
    values = layers.node_table(name)[name].to_numpy(dtype=np.float32).reshape(4, 6)
    wanted = np.sort(values.max(0))[2]
    assert explanation.masks.kept[0].tolist() == (values.max(0) >= wanted).tolist()


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (
            lambda weights: weights,
            r"returned shape \[4, 4\]; expected \[4\], one value a node",
        ),
        (
            lambda weights: weights[0, :2],
            r"returned shape \[2\]; expected \[4\]",
        ),
        (lambda weights: "many", "returned str; expected 4 numbers, one a node"),
        (lambda weights: None, "expected"),
    ],
)
def test_a_centrality_that_is_none(net, function, message):
    with pytest.raises(mv.InputError, match=message):
        net.node_table(function)


@pytest.fixture
def of_stacks():
    """Register centralities that take all layers at once, and return something else."""
    wrong = {"sums": lambda stack: stack.sum(), "holes": lambda stack: stack.sum(-2) * float("nan")}
    for name, function in wrong.items():
        mv.CENTRALITIES.register(name, takes="stack")(function)
    yield
    for name in wrong:
        mv.CENTRALITIES.remove(name)


def test_a_centrality_of_all_layers_that_is_none(net, fake, of_stacks):
    with pytest.raises(mv.InputError, match="centrality sums returned shape"):
        net.node_table("sums")
    with pytest.raises(mv.InputError, match="centrality sums returned shape"):
        mv.explain(fake, torch.zeros(1, 1, 2, 3), centralities="sums")


def test_a_node_without_a_value_is_shown_but_has_no_place_in_an_order(net, fake, of_stacks):
    assert net.node_table("holes")["holes"].isna().all()
    message = "centrality holes returned NaN for 24 of 24 values; return a number for every node"
    with pytest.raises(mv.InputError, match=message):
        mv.explain(fake, torch.zeros(1, 1, 2, 3), centralities="holes")
