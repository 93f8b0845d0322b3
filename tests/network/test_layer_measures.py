import itertools
import random
import warnings

import igraph
import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from plain_cores import core_periphery
from scipy.stats import entropy

from multiplex_vit.errors import InputError
from multiplex_vit.network.layer import Layer
from multiplex_vit.network.layer_measures import (
    LAYER_MEASURES,
    NULL_MODELS,
    layer_table,
)
from multiplex_vit.network.layer_measures.communities import infomap, leiden
from multiplex_vit.network.seeding import igraph_seed
from multiplex_vit.network.tokens import Tokens

# Two patches that look at each other, one that looks at them, and one alone but for its self-loop.
TOY = np.array([[0, 0.5, 0, 0], [0.25, 0, 0, 0], [0, 0.25, 0, 0], [0, 0, 0, 1]])
BY_HAND = {
    "nodes": 4,
    "edges": 4,
    "share_pruned": 0.5,
    "density": 4 / 16,
    "self_loops": 1,
    "isolates": 1,
    "weight_sum": 2,
    "weight_max": 1,
    "reciprocity": 2 / 3,
    "weighted_reciprocity": (0.25 + 0.25) / 1,
    "transitivity": 0,
    "strength_assortativity": 4
    / np.sqrt(6 * 4.75),  # given 2 1 1 4, received 3 1 3 4 quarters over the edges
    "weak_components": 2,
    "strong_components": 3,
    "giant_component": 3 / 4,
    "efficiency": (1 / 2 + 1 / 4 + 1 / 4 + 1 / 8) / 12,
    "in_degree_gini": 3 / 8,  # 1 2 0 1
    "out_degree_gini": 0,
    "in_strength_gini": 28 / 64,  # 1 3 0 4 quarters: (2 + 1 + 3 + 3 + 1 + 4) * 2 over 2 * 4 * 8
    "out_strength_gini": 20 / 64,  # 2 1 1 4 quarters: (1 + 1 + 2 + 0 + 3 + 3) * 2 over 2 * 4 * 8
    "bow_tie_share": 2 / 4,
    "triads": 0,
    "rich_club": 1,  # of the two that look at each other
    "core_periphery": np.sqrt(10) / 4,  # weights 2 1 1 0 0 0 quarters, the first two of the core
    "communities": 2,
    "modularity": 0.5,  # half of all strength in either part
    "infomap_communities": 2,
    "spectral_radius": 1,
    "second_eigenvalue": 1,  # two parts that a walker never leaves
    "spectral_gap": 0,
    "relaxation_time": np.nan,
    "kemeny_constant": np.nan,
    "sink_concentration": 2,  # 1 3 0 4 quarters: 4 over the median of 1 and 3
    "effective_rank": np.exp(entropy([np.sqrt(5), 1, 4])),  # quarters; rows 0 and 2 lie on one line
    "singular_gap": 1 - np.sqrt(5) / 4,
    "row_similarity": 1 / 6,
    "attention_distance": (0.5 + 0.25 + 0.25 * np.sqrt(2))
    / 2,  # 2 x 2 grid: nodes 1 and 2 lie across
    "moran": (-1 / 4) / (10 / 4),  # in-strength 1 3 / 0 4 quarters, less 2: -1 1 / -2 2
}


def random_weights(seed, n=14, kept=0.3, dtype=float):
    rng = np.random.default_rng(seed)
    weights = rng.random((n, n)) * (rng.random((n, n)) < kept)
    weights[-1, :-1] = weights[:-1, -1] = 0
    return weights.astype(dtype)


def directed(layer, loops=True):
    graph = nx.from_numpy_array(layer.weights.astype(float), create_using=nx.DiGraph)
    if not loops:
        graph.remove_edges_from(list(nx.selfloop_edges(graph)))
    return graph


def exact(value):
    return pytest.approx(value, rel=1e-9, abs=1e-12, nan_ok=True)


def measured(name, layer):
    return LAYER_MEASURES[name](layer)


# --- by hand ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", BY_HAND)
def test_a_measure_by_hand(name):
    assert measured(name, Layer(TOY, Tokens((2, 2)), edges_before=8)) == exact(BY_HAND[name])


def test_every_measure_has_a_toy():
    assert set(LAYER_MEASURES) - set(BY_HAND) == {"codelength"}, "which has one in its docstring"


@pytest.mark.parametrize(
    "name",
    [
        "reciprocity",
        "weighted_reciprocity",
        "transitivity",
        "strength_assortativity",
        "in_degree_gini",
        "modularity",
        "attention_distance",
        "moran",
    ],
)
def test_what_is_not_defined_without_edges_is_nan(name):
    assert np.isnan(measured(name, Layer(np.zeros((4, 4)), Tokens((2, 2)))))


def test_an_empty_layer():
    layer = Layer(np.zeros((4, 4)))
    assert [
        measured(name, layer)
        for name in (
            "edges",
            "isolates",
            "weak_components",
            "giant_component",
            "efficiency",
            "spectral_radius",
        )
    ] == [
        0,
        4,
        4,
        0.25,
        0,
        0,
    ]
    assert [
        measured(name, layer) for name in ("communities", "infomap_communities", "codelength")
    ] == [4, 4, 0]


def test_a_single_node():
    layer = Layer(np.array([[0.5]]))
    assert [
        measured(name, layer)
        for name in (
            "density",
            "isolates",
            "in_strength_gini",
            "spectral_radius",
            "attention_distance",
        )
    ] == [1, 1, 0, 0.5, 0]
    assert np.isnan(
        [
            measured(name, layer)
            for name in ("efficiency", "moran", "strength_assortativity", "reciprocity")
        ]
    ).all()


@pytest.mark.parametrize(
    ("tokens", "value"), [(Tokens((1, 4)), 2), (Tokens((1, 3), ("class",)), 1)]
)
def test_prefix_tokens_have_no_place(tokens, value):
    weights = np.zeros((4, 4))
    weights[0, 3], weights[1, 2] = 1, 0.5
    assert measured("attention_distance", Layer(weights, tokens)) == exact(
        (3 * 1 + 0.5) / 1.5 if value == 2 else 1
    )


def test_moran_knows_a_chessboard_from_a_slope_and_leaves_prefix_tokens_out():
    chess, slope = np.indices((4, 4)).sum(0) % 2, np.indices((4, 4))[0]

    def as_layer(values):
        return Layer(
            np.pad(
                np.diag(values.ravel().astype(float)),
                ((1, 0), (1, 0)),
                constant_values=0.125,
            ),
            Tokens((4, 4), ("class",)),
        )

    assert measured("moran", as_layer(chess)) == exact(-1)
    assert measured("moran", as_layer(slope)) == exact(
        (4 * (0.75 - 0.25 + 0.75) + 12 * 1.25) / 24 / 1.25
    )


def test_nothing_was_pruned_unless_told():
    assert (
        measured("share_pruned", Layer(TOY))
        == measured("share_pruned", Layer(TOY, edges_before=0))
        == 0
    )


# --- against an independent computation -------------------------------------------------------------------------------


def dense_efficiency(weights):
    n = len(weights)
    with np.errstate(divide="ignore"):
        lengths = np.where(np.eye(n, dtype=bool), 0, 1 / weights)
    for k in range(n):
        lengths = np.minimum(lengths, lengths[:, [k]] + lengths[[k]])
    return sum(1 / lengths[i, j] for i in range(n) for j in range(n) if i != j) / (n * (n - 1))


def dense_gini(values):
    return np.abs(np.subtract.outer(values, values)).mean() / (2 * values.mean())


def dense_moran(values, tokens):
    patches = [i for i in range(len(tokens)) if tokens.places[i, 0] >= 0]
    mean = np.mean([values[i] for i in patches])
    pairs = [
        (i, j)
        for i in patches
        for j in patches
        if np.abs(tokens.places[i] - tokens.places[j]).sum() == 1
    ]
    covariance = sum((values[i] - mean) * (values[j] - mean) for i, j in pairs) / len(pairs)
    return covariance / np.mean([(values[i] - mean) ** 2 for i in patches])


def dense_distance(weights, tokens):
    total = far = 0.0
    for i in range(len(weights)):
        for j in range(len(weights)):
            if min(tokens.places[i]) >= 0 and min(tokens.places[j]) >= 0:
                total += weights[i, j]
                far += weights[i, j] * np.linalg.norm(tokens.places[i] - tokens.places[j])
    return far / total


def dense_reciprocity(weights):
    pairs = [(i, j) for i in range(len(weights)) for j in range(len(weights)) if i != j]
    return sum(min(weights[i, j], weights[j, i]) for i, j in pairs) / sum(
        weights[i, j] for i, j in pairs
    )


def symmetrised(layer):
    graph = nx.Graph()
    graph.add_nodes_from(range(len(layer.weights)))
    for i, j in np.argwhere(layer.weights):
        before = graph.get_edge_data(i, j, {"weight": 0})["weight"]
        graph.add_edge(i, j, weight=before + float(layer.weights[i, j]))
    return graph


def modularity_of_the_found_partition(layer):
    return nx.community.modularity(
        symmetrised(layer), [set(part) for part in leiden(layer)], weight="weight"
    )


def dense_chain(layer):
    """Return the second eigenvalue, the relaxation time and Kemeny's constant from all eigenvalues at once."""
    weights = layer.weights.astype(float)
    linked = np.flatnonzero(weights.any(0) | weights.any(1))
    weights = weights[np.ix_(linked, linked)]
    n = len(weights)
    chain = np.array([row / row.sum() if row.any() else np.full(n, 1 / n) for row in weights])
    graph = nx.from_numpy_array(chain, create_using=nx.DiGraph)
    if nx.number_attracting_components(graph) > 1:
        return 1, np.nan, np.nan
    values = np.linalg.eigvals(chain)
    rest = np.delete(values, np.abs(values - 1).argmin())
    second = np.abs(rest).max()
    return second, 1 / (1 - second) if second < 1 - 1e-12 else np.nan, (1 / (1 - rest)).sum().real


def dense_concentration(layer):
    received = layer.weights.astype(float).sum(0)
    return received.max() / np.median(received) if np.median(received) else np.nan


def dense_singular_values(layer):
    """Return singular values as the eigenvalues of the bipartite network of the layer."""
    weights = layer.weights.astype(float)
    nothing = np.zeros_like(weights)
    values = np.linalg.eigvalsh(np.block([[nothing, weights], [weights.T, nothing]]))
    return np.clip(values[::-1][: len(weights)], 0, None)


def dense_row_similarity(layer):
    rows = [row for row in layer.weights.astype(float) if row.any()]
    pairs = itertools.combinations(rows, 2)
    return np.mean([one @ two / np.linalg.norm(one) / np.linalg.norm(two) for one, two in pairs])


def dense_core_share(layer):
    largest = max(map(len, nx.strongly_connected_components(directed(layer))))
    return largest / len(layer.weights) if largest > 1 else 0


def dense_rich_club(layer):
    graph = directed(layer, loops=False)
    strength = dict(graph.degree(weight="weight"))
    linked = [node for node in strength if strength[node]]
    n_rich = max(2, int(np.ceil(0.1 * len(linked))))
    club = graph.subgraph(sorted(linked, key=strength.get)[-n_rich:])
    weights = sorted(weight for *_, weight in graph.edges(data="weight"))
    if not club.size():
        return np.nan
    return club.size(weight="weight") / sum(weights[-club.size() :])


INDEPENDENT = {
    "nodes": lambda layer: directed(layer).number_of_nodes(),
    "edges": lambda layer: directed(layer).number_of_edges(),
    "density": lambda layer: directed(layer).number_of_edges() / layer.weights.size,
    "self_loops": lambda layer: nx.number_of_selfloops(directed(layer)),
    "isolates": lambda layer: nx.number_of_isolates(directed(layer, loops=False)),
    "weight_sum": lambda layer: directed(layer).size(weight="weight"),
    "weight_max": lambda layer: max(w for *_, w in directed(layer).edges(data="weight")),
    "reciprocity": lambda layer: nx.overall_reciprocity(directed(layer, loops=False)),
    "weighted_reciprocity": lambda layer: dense_reciprocity(layer.weights.astype(float)),
    "transitivity": lambda layer: nx.transitivity(directed(layer, loops=False).to_undirected()),
    "strength_assortativity": lambda layer: nx.degree_pearson_correlation_coefficient(
        directed(layer), x="out", y="in", weight="weight"
    ),
    "weak_components": lambda layer: nx.number_weakly_connected_components(directed(layer)),
    "strong_components": lambda layer: nx.number_strongly_connected_components(directed(layer)),
    "giant_component": lambda layer: (
        max(map(len, nx.weakly_connected_components(directed(layer)))) / len(layer.weights)
    ),
    "efficiency": lambda layer: dense_efficiency(layer.weights.astype(float)),
    "in_degree_gini": lambda layer: dense_gini(
        np.array([d for _, d in directed(layer).in_degree()])
    ),
    "out_degree_gini": lambda layer: dense_gini(
        np.array([d for _, d in directed(layer).out_degree()])
    ),
    "in_strength_gini": lambda layer: dense_gini(
        np.array([d for _, d in directed(layer).in_degree(weight="weight")])
    ),
    "out_strength_gini": lambda layer: dense_gini(
        np.array([d for _, d in directed(layer).out_degree(weight="weight")])
    ),
    "bow_tie_share": dense_core_share,
    "triads": lambda layer: nx.triadic_census(directed(layer, loops=False))["300"],
    "rich_club": dense_rich_club,
    "core_periphery": lambda layer: core_periphery(layer.weights.astype(float)),
    "second_eigenvalue": lambda layer: dense_chain(layer)[0],
    "spectral_gap": lambda layer: 1 - dense_chain(layer)[0],
    "relaxation_time": lambda layer: dense_chain(layer)[1],
    "kemeny_constant": lambda layer: dense_chain(layer)[2],
    "sink_concentration": dense_concentration,
    "effective_rank": lambda layer: np.exp(entropy(dense_singular_values(layer))),
    "singular_gap": lambda layer: 1 - np.divide(*dense_singular_values(layer)[1::-1]),
    "row_similarity": dense_row_similarity,
    "modularity": modularity_of_the_found_partition,
    "spectral_radius": lambda layer: np.abs(np.linalg.eigvals(layer.weights.astype(float))).max(),
    "attention_distance": lambda layer: dense_distance(layer.weights.astype(float), layer.tokens),
    "moran": lambda layer: dense_moran(layer.weights.sum(0, dtype=float), layer.tokens),
}


@pytest.mark.parametrize("name", INDEPENDENT)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_a_measure_agrees_with_an_independent_computation(name, dtype):
    for seed in range(10):
        tokens = Tokens((3, 4), ("class", "distillation")) if seed % 2 else Tokens((2, 7))
        layer = Layer(random_weights(seed, kept=(0.1, 0.3, 0.9)[seed % 3], dtype=dtype), tokens)
        with np.errstate(divide="ignore"):
            assert measured(name, layer) == exact(INDEPENDENT[name](layer)), seed


def test_only_searches_for_communities_lack_an_independent_computation():
    assert set(LAYER_MEASURES) - set(INDEPENDENT) == {
        "share_pruned",
        "communities",
        "infomap_communities",
        "codelength",
    }


def test_assortativity_agrees_with_igraph_where_strengths_differ():
    layer = Layer(random_weights(3))
    theirs = layer.graph.assortativity(
        layer.weights.sum(1).tolist(), layer.weights.sum(0).tolist(), directed=True
    )
    assert measured("strength_assortativity", layer) == exact(theirs)


def test_rows_that_sum_to_one_but_for_rounding_have_no_assortativity():
    weights = np.random.default_rng(0).random((50, 50))
    weights = (weights / weights.sum(1, keepdims=True)).astype(np.float32)
    assert np.ptp(weights.sum(1, dtype=float)) > 0
    assert np.isnan(measured("strength_assortativity", Layer(weights)))
    assert measured("spectral_radius", Layer(weights)) == pytest.approx(1, abs=1e-6)


def test_the_spectral_radius_of_a_layer_without_cycles_is_exactly_zero():
    weights = np.triu(np.ones((30, 30)), 1)[np.ix_(*[np.random.default_rng(0).permutation(30)] * 2)]
    assert measured("spectral_radius", Layer(weights)) == 0


def planted(parts=3, size=6, between=0.01):
    blocks = np.kron(np.eye(parts), np.ones((size, size)))
    return blocks + between * (1 - blocks)


def test_planted_communities_are_found():
    layer = Layer(planted())
    assert measured("communities", layer) == measured("infomap_communities", layer) == 3
    assert {tuple(part) for part in leiden(layer)} == {tuple(range(i, i + 6)) for i in (0, 6, 12)}
    inside = 36 / (36 + 2 * 36 * 0.01)
    assert measured("modularity", layer) == exact(inside - 1 / 3)


def entropy_terms(values):
    values = np.asarray(values, dtype=float)
    return float(np.sum(values[values > 0] * np.log2(values[values > 0])))


def test_the_code_length_is_the_map_equation_of_the_partition_found():
    layer = Layer(planted() - np.eye(18))
    visits, flow = np.full(18, 1 / 18), layer.weights / layer.weights.sum()
    parts = [list(part) for part in infomap(layer)]
    leaving = [flow[part].sum() - flow[np.ix_(part, part)].sum() for part in parts]
    used = [out + visits[part].sum() for out, part in zip(leaving, parts, strict=True)]
    bits = (
        entropy_terms([sum(leaving)])
        - 2 * entropy_terms(leaving)
        - entropy_terms(visits)
        + entropy_terms(used)
    )
    assert measured("codelength", layer) == pytest.approx(bits, rel=1e-9)


def test_infomap_is_given_no_direction_that_it_would_not_see():
    weights = random_weights(0)
    for one, other in ((weights, weights.T), (weights, weights + weights.T)):
        assert measured("codelength", Layer(one)) == pytest.approx(
            measured("codelength", Layer(other))
        )
        assert infomap(Layer(one)).membership == infomap(Layer(other)).membership


@pytest.mark.parametrize("scale", [5e-324, 1e-200, 1e200])
def test_the_unit_of_attention_does_not_matter_to_communities(scale):
    blocks = Layer(np.kron(np.eye(3), np.ones((4, 4))) * scale)
    assert (
        measured("communities", blocks),
        measured("infomap_communities", blocks),
    ) == (3, 3)
    assert measured("modularity", blocks) == exact(2 / 3)


def test_a_search_runs_once_a_layer_and_leaves_randomness_as_it_was():
    layer = Layer(planted())
    assert leiden(layer) is leiden(layer)
    random.seed(5)
    expected = igraph.Graph.Erdos_Renyi(30, 0.5).get_edgelist()
    random.seed(5)
    with pytest.raises(ZeroDivisionError), igraph_seed(1):
        raise ZeroDivisionError
    measured("codelength", Layer(planted()))
    NULL_MODELS["degree"](layer, np.random.default_rng(0))
    assert igraph.Graph.Erdos_Renyi(30, 0.5).get_edgelist() == expected


# --- the contract of every measure ------------------------------------------------------------------------------------

# Nodes 0 to 5: isolates, self-loops, single nodes and empty layers are all among these.
SIZES = st.integers(1, 6)
ANY = SIZES.flatmap(
    lambda n: arrays(
        np.float64,
        (n, n),
        elements=st.one_of(st.just(0.0), st.floats(0, 1), st.sampled_from([5e-324, 1e-30, 1.0])),
    )
)
PLAIN = SIZES.flatmap(
    lambda n: arrays(
        np.float32,
        (n, n),
        elements=st.one_of(st.just(0.0), st.integers(1, 1000).map(lambda i: i / 1000)),
        fill=st.nothing(),
    )
)
BY_PLACE_OR_BY_CHANCE = {
    "communities",
    "modularity",
    "infomap_communities",
    "codelength",
    "moran",
    "attention_distance",
}


@pytest.mark.parametrize("name", LAYER_MEASURES)
@given(weights=st.one_of(ANY, PLAIN))
def test_a_measure_keeps_its_contract(name, weights):
    before = weights.copy()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        values = [measured(name, Layer(weights)) for _ in range(2)]
    assert all(isinstance(value, (int, float)) and not np.isinf(value) for value in values)
    assert values[0] == values[1] or np.isnan(values).all(), "it is deterministic"
    assert np.array_equal(weights, before), "the input is untouched"


@pytest.mark.parametrize(
    "name", [name for name in LAYER_MEASURES if name not in BY_PLACE_OR_BY_CHANCE]
)
@given(weights=PLAIN, seed=st.integers(0, 99))
def test_names_of_nodes_do_not_matter(name, weights, seed):
    order = np.random.default_rng(seed).permutation(len(weights))
    assert measured(name, Layer(weights[np.ix_(order, order)])) == pytest.approx(
        measured(name, Layer(weights)), rel=1e-6, abs=1e-6, nan_ok=True
    )


SHARES = [
    "share_pruned",
    "density",
    "reciprocity",
    "weighted_reciprocity",
    "transitivity",
    "giant_component",
    "efficiency",
]
SHARES += ["in_degree_gini", "out_degree_gini", "in_strength_gini", "out_strength_gini"]


@pytest.mark.parametrize("name", SHARES)
@given(weights=ANY)
def test_shares_lie_between_0_and_1(name, weights):
    value = measured(name, Layer(weights))
    assert np.isnan(value) or -1e-12 <= value <= 1 + 1e-12


KEPT = {
    "weights": lambda weights: np.sort(weights, axis=None),
    "edges": lambda weights: weights > 0,
    "in_degrees": lambda weights: np.count_nonzero(weights, axis=0),
    "out_degrees": lambda weights: np.count_nonzero(weights, axis=1),
    "rows": lambda weights: np.sort(weights, axis=1),
    "loops": lambda weights: weights.diagonal(),
}
"""What a null model may keep of a layer."""


# --- null models ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NULL_MODELS)
@given(weights=st.one_of(ANY, PLAIN), seed=st.integers(0, 99))
def test_a_null_model_keeps_its_contract(name, weights, seed):
    before, layer = weights.copy(), Layer(weights, name="L07", edges_before=99)
    drawn, again = (NULL_MODELS[name](layer, np.random.default_rng(seed)) for _ in range(2))
    assert np.array_equal(weights, before), "the input is untouched"
    assert np.array_equal(drawn.weights, again.weights), "the generator is its only chance"
    assert (drawn.weights.dtype, drawn.tokens, drawn.name, drawn.edges_before) == (
        weights.dtype,
        layer.tokens,
        "L07",
        99,
    )
    keeps = NULL_MODELS.trait(name, "keeps")
    assert "weights" in keeps
    for what in keeps:
        assert np.array_equal(KEPT[what](drawn.weights), KEPT[what](weights)), f"keeps {what}"
    isolated = ~(weights.any(0) | weights.any(1))
    assert not drawn.weights[isolated].any()
    assert not drawn.weights[:, isolated].any()


def test_null_models_draw_anew_each_time():
    layer, rng = Layer(random_weights(0)), np.random.default_rng(0)
    for name in NULL_MODELS:
        drawn = [NULL_MODELS[name](layer, rng).weights for _ in range(3)]
        assert not any(
            np.array_equal(one, other)
            for one, other in zip(drawn, [*drawn[1:], layer.weights], strict=True)
        )


def test_rewiring_reaches_every_layer_of_the_same_degrees_equally_often():
    # Out-degrees 1 1 0 0, in-degrees 0 0 1 1: there are two such layers, and the weights come in either order.
    layer, rng = (
        Layer(np.array([[0, 0, 1.0, 0], [0, 0, 0, 2.0], [0, 0, 0, 0], [0, 0, 0, 0]])),
        np.random.default_rng(0),
    )
    drawn = [NULL_MODELS["degree_and_weights"](layer, rng).weights for _ in range(400)]
    crossed = np.array([weights[0, 3] > 0 for weights in drawn])
    swapped = np.array([weights[0].max() == 2 for weights in drawn])
    for share in (crossed.mean(), swapped.mean(), (crossed & swapped).mean() * 2):
        assert 0.4 < share < 0.6


# --- the table --------------------------------------------------------------------------------------------------------


def heaviest_loop(layer):
    return np.diag(layer.weights).max()


def test_the_table_has_a_row_a_layer_and_a_column_a_measure():
    layers = [Layer(TOY, name="first"), Layer(np.zeros((4, 4)), name="second")]
    table = layer_table(layers)
    assert list(table.columns) == ["layer", "name", *LAYER_MEASURES]
    assert (
        table["layer"].tolist(),
        table["name"].tolist(),
        table["edges"].tolist(),
    ) == ([0, 1], ["first", "second"], [4, 0])
    assert list(layer_table(layers, "edges").columns) == ["layer", "name", "edges"]
    assert layer_table(layers, [heaviest_loop, "nodes"]).to_dict("list") == {
        "layer": [0, 1],
        "name": ["first", "second"],
        "heaviest_loop": [1, 0],
        "nodes": [4, 4],
    }
    assert list(layer_table([], "edges", null_model="weights").columns) == [
        "layer",
        "name",
        "moved",
        "edges",
        "edges_z",
        "edges_p",
        "edges_q",
    ]
    assert list(layer_table([], "edges", null_model="degree").columns) == [
        "layer",
        "name",
        "moved",
        "rewired",
        "edges",
        "edges_z",
        "edges_p",
        "edges_q",
    ]


def test_z_is_the_distance_from_the_null_model_in_standard_deviations():
    layers = [Layer(random_weights(0)), Layer(random_weights(1))]
    table = layer_table(
        layers,
        ["weighted_reciprocity", "edges"],
        null_model="weights",
        samples=7,
        seed=3,
    )
    scored = [
        f"{name}{score}"
        for name in ("weighted_reciprocity", "edges")
        for score in ("", "_z", "_p", "_q")
    ]
    assert list(table.columns) == ["layer", "name", "moved", *scored]
    for index, layer in enumerate(layers):
        rng = np.random.default_rng([3, index])
        drawn = [
            measured("weighted_reciprocity", NULL_MODELS["weights"](layer, rng)) for _ in range(7)
        ]
        assert table["weighted_reciprocity_z"][index] == exact(
            (table["weighted_reciprocity"][index] - np.mean(drawn)) / np.std(drawn, ddof=1)
        )
    assert table["edges_z"].isna().all(), "shuffling weights keeps every edge"


@pytest.mark.parametrize("null_model", ["weights", "degree", "degree_and_weights"])
def test_z_is_nan_where_the_null_model_keeps_the_measure(null_model):
    table = layer_table(
        [Layer(random_weights(0, dtype=np.float32))], null_model=null_model, seed=1
    ).iloc[0]
    kept = {
        "nodes",
        "edges",
        "share_pruned",
        "density",
        "self_loops",
        "weight_sum",
        "weight_max",
        "in_degree_gini",
        "out_degree_gini",
        "isolates",
    }
    if null_model == "weights":
        kept |= {
            "reciprocity",
            "transitivity",
            "weak_components",
            "strong_components",
            "giant_component",
        }
    assert kept == {name for name in kept if np.isnan(table[f"{name}_z"])}
    assert {table[f"{name}_p"] for name in kept} == {1.0}
    assert np.isfinite(
        [
            table[f"{name}_z"]
            for name in (
                "weighted_reciprocity",
                "efficiency",
                "in_strength_gini",
                "spectral_radius",
                "moran",
            )
        ]
    ).all()


def test_a_layer_of_communities_stands_out_from_its_rewired_self():
    weights = np.where(
        np.random.default_rng(0).random((18, 18)) < np.where(planted() == 1, 0.8, 0.05),
        1.0,
        0,
    )
    np.fill_diagonal(weights, 0)
    table = layer_table([Layer(weights)], ["modularity", "transitivity"], null_model="degree")
    assert table["modularity_z"][0] > 5
    assert table["transitivity_z"][0] > 5


def test_z_is_nan_where_samples_differ_by_rounding_alone():
    def rounding(layer):
        return 1e-17 * layer.weights[0, 0]

    layer = Layer(np.random.default_rng(0).random((4, 4)))
    assert np.isnan(layer_table([layer], rounding, null_model="weights")["rounding_z"][0])


def test_the_seed_decides_the_table():
    layers = [Layer(random_weights(0))]
    one, same, other = (
        layer_table(layers, ["moran"], null_model="degree", samples=5, seed=seed)
        for seed in (0, 0, 1)
    )
    assert one.equals(same)
    assert not one.equals(other)


def test_a_null_model_of_ones_own():
    def transposed(layer, rng):
        return Layer(layer.weights.T * rng.random())

    table = layer_table([Layer(random_weights(0))], ["weight_sum", "edges"], null_model=transposed)
    assert table["weight_sum_z"][0] > 0
    assert np.isnan(table["edges_z"][0])


def edges(layer):
    return 0


def edges_z(layer):
    return 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"measures": "edgs"}, "unknown layer measure 'edgs'.*did you mean 'edges'"),
        ({"measures": ["edges", edges]}, "has a column 'edges' already"),
        (
            {"measures": [edges_z, "edges"], "null_model": "weights"},
            "has a column 'edges_z' already",
        ),
        ({"measures": lambda layer: layer.weights}, "expected one number"),
        ({"measures": lambda layer: None}, "returned NoneType.*expected one number"),
        ({"measures": lambda layer: "1"}, "expected one number"),
        ({"measures": lambda layer: 1j}, "expected one number"),
        ({"measures": lambda layer: [[1], 2]}, "expected one number"),
        (
            {"null_model": "degrees"},
            "unknown null model 'degrees'.*known: weights, degree, degree_and_weights",
        ),
        (
            {"null_model": lambda layer, rng: layer.weights},
            "returned ndarray; expected a Layer of 4 nodes",
        ),
        (
            {"null_model": lambda layer, rng: Layer(np.zeros((2, 2)))},
            "expected a Layer of 4 nodes",
        ),
        (
            {"null_model": "weights", "samples": 1},
            "samples is 1; give a whole number of at least 2",
        ),
        ({"null_model": "weights", "seed": -1}, "seed is -1"),
    ],
)
def test_what_the_table_refuses(options, message):
    with pytest.raises(InputError, match=message):
        layer_table([Layer(TOY)], **{"measures": "edges", **options})
