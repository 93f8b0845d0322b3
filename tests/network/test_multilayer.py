"""Measures of a node in all layers together: by hand, against dense formulas, and the contract that all of them keep."""

import math
import random
import warnings
from functools import partial

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from multiplex_vit.errors import InputError
from multiplex_vit.network.coupling import COUPLINGS, supra_adjacency
from multiplex_vit.network.multilayer import (
    MULTILAYER_MEASURES,
    multilayer_table,
    versatility,
)
from multiplex_vit.network.multilayer.versatilities import (
    eigenvector_versatility,
    katz_versatility,
    pagerank_versatility,
)
from multiplex_vit.network.tokens import Tokens

VERSATILITIES = ("pagerank_versatility", "eigenvector_versatility", "katz_versatility")
UNDEFINED_FOR_ONE_LAYER = {"in_participation", "out_participation"}
FIRST = [[0.5, 0.25, 0.25, 0], [0, 0.5, 0, 0.5], [0.125, 0, 0.75, 0.125], [0, 0, 0, 0]]
SECOND = [[0, 1, 0, 0], [0.5, 0, 0.5, 0], [0, 0, 0, 0], [0, 0, 0, 0.25]]
TOY = np.array([FIRST, SECOND])

networks = array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=4).flatmap(
    lambda shape: arrays(
        np.float64,
        (shape[0], shape[1], shape[1]),
        elements=st.sampled_from([0, 0, 0, 0.25, 0.5, 1]) | st.floats(0, 1),
    )
)


def random_network(seed, n_layers=3, n_nodes=20, density=0.3):
    rng = np.random.default_rng(seed)
    weights = rng.random((n_layers, n_nodes, n_nodes)) * (
        rng.random((n_layers, n_nodes, n_nodes)) < density
    )
    weights[0, np.arange(n_nodes), np.roll(np.arange(n_nodes), 1)] += 0.1
    return weights


def table_of(weights, measures=None, coupling="ordinal", omega=1.0):
    return multilayer_table(
        weights,
        Tokens((1, weights.shape[1])),
        supra_adjacency(weights, coupling, omega),
        measures,
    )


def dense_pagerank(matrix, damping=0.85):
    size, sums = len(matrix), matrix.sum(1, keepdims=True)
    steps = np.where(sums > 0, matrix / np.where(sums > 0, sums, 1), 1 / size)
    return np.linalg.solve(np.eye(size) - damping * steps.T, np.full(size, (1 - damping) / size))


def dense_katz(matrix, attenuation=0.85):
    alpha = attenuation / matrix.sum(1).max()
    return np.linalg.inv(np.eye(len(matrix)) - alpha * matrix.T) @ np.ones(len(matrix))


def dense_eigenvector(matrix):
    values, vectors = np.linalg.eig(matrix.T)
    vector = np.abs(vectors[:, values.real.argmax()].real)
    return vector / vector.max()


# --- by hand ----------------------------------------------------------------------------------------------------------


def test_strengths_and_their_spread_by_hand():
    table = table_of(TOY)
    assert table["overlapping_in_strength"].tolist() == [1.125, 1.75, 1.5, 0.875]
    assert table["overlapping_out_strength"].tolist() == [2, 2, 1, 0.25]
    squares = [
        (0.625 / 1.125) ** 2 + (0.5 / 1.125) ** 2,
        (3 / 7) ** 2 + (4 / 7) ** 2,
        (2 / 3) ** 2 + (1 / 3) ** 2,
        (5 / 7) ** 2 + (2 / 7) ** 2,
    ]
    assert table["in_participation"].tolist() == pytest.approx(
        [2 * (1 - square) for square in squares]
    )
    assert table["out_participation"].tolist() == pytest.approx([1, 1, 0, 0])
    assert table["in_layer_entropy"][2] == pytest.approx(math.log(3) - 2 / 3 * math.log(2))
    assert table["out_layer_entropy"].tolist() == pytest.approx([math.log(2), math.log(2), 0, 0])
    assert table["activity"].tolist() == [1, 1, 1, 0.5], (
        "the last node has but a self-loop in the second layer"
    )


def test_the_table_has_a_row_a_node():
    table = table_of(TOY)
    assert list(table.columns) == [
        "node",
        "name",
        "token",
        "row",
        "col",
        *MULTILAYER_MEASURES,
    ]
    assert table["name"].tolist() == ["r0c0", "r0c1", "r0c2", "r0c3"]
    assert list(table_of(TOY, "activity").columns)[5:] == ["activity"]


# --- oracles ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("n_layers", [2, 5])
def test_the_same_layer_again_and_again(n_layers):
    table = table_of(np.stack([random_network(0, 1)[0]] * n_layers))
    for side in ("in", "out"):
        assert table[f"{side}_participation"].tolist() == pytest.approx([1] * 20)
        assert table[f"{side}_layer_entropy"].tolist() == pytest.approx([math.log(n_layers)] * 20)


def test_a_node_in_one_layer_alone_has_no_spread():
    weights = np.zeros((2, 4, 4))
    weights[0, 0, 1] = weights[1, 2, 3] = 1
    table = table_of(weights)
    assert (
        not table[
            [
                "in_participation",
                "out_participation",
                "in_layer_entropy",
                "out_layer_entropy",
            ]
        ]
        .to_numpy()
        .any()
    )
    assert table["activity"].tolist() == [0.5] * 4


def test_participation_in_one_layer_is_undefined():
    table = table_of(TOY[:1])
    assert table["in_participation"].isna().all()
    assert table["out_participation"].isna().all()
    assert not table["in_layer_entropy"].any()


def test_versatilities_of_a_network_without_edges():
    empty = supra_adjacency(np.zeros((2, 3, 3)), "none", 1.0)
    assert versatility(empty, 2, "pagerank_versatility") == pytest.approx(np.full((2, 3), 1 / 6))
    assert versatility(empty, 2, "katz_versatility").tolist() == [[1, 1, 1], [1, 1, 1]]
    assert not versatility(empty, 2, "eigenvector_versatility").any()


# --- against dense formulas -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("coupling", COUPLINGS)
@pytest.mark.parametrize(
    ("measure", "dense"),
    [("pagerank_versatility", dense_pagerank), ("katz_versatility", dense_katz)],
)
def test_walks_agree_with_a_linear_solve(seed, coupling, measure, dense):
    weights = random_network(seed, density=0.05)
    omega = np.random.default_rng(seed).random((3, 20)) * (np.arange(20) % 3 > 0)
    supra = supra_adjacency(weights, coupling, omega)
    values = versatility(supra, 3, measure)
    assert values.ravel() == pytest.approx(dense(supra.toarray()), rel=1e-9)
    assert table_of(weights, measure, coupling, omega)[measure].tolist() == pytest.approx(
        values.sum(0), rel=1e-12
    )


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("coupling", ["ordinal", "categorical"])
def test_eigenvectors_agree_with_numpy(seed, coupling):
    supra = supra_adjacency(random_network(seed), coupling, 0.3)
    assert versatility(supra, 3, "eigenvector_versatility").ravel() == pytest.approx(
        dense_eigenvector(supra.toarray()), rel=1e-9
    )


def test_damping_and_attenuation_can_be_chosen():
    supra = supra_adjacency(random_network(0), "ordinal", 0.5)
    half = partial(pagerank_versatility, damping=0.5)
    assert versatility(supra, 3, half).ravel() == pytest.approx(
        dense_pagerank(supra.toarray(), 0.5), rel=1e-9
    )
    assert katz_versatility(supra, 3, attenuation=0.99).ravel() == pytest.approx(
        dense_katz(supra.toarray(), 0.99), rel=1e-9
    )
    for measure, value in (
        (partial(pagerank_versatility, damping=1), "damping is 1"),
        (partial(katz_versatility, attenuation=0), "attenuation is 0"),
    ):
        with pytest.raises(InputError, match=f"{value}; give a number between 0 and 1"):
            versatility(supra, 3, measure)


def test_one_way_links_carry_weight_to_the_layer_where_they_end():
    weights = np.stack([random_network(0, 1)[0]] * 3)
    for edges, order in (("attention", [2, 1, 0]), ("information", [0, 1, 2])):
        supra = supra_adjacency(weights, "temporal", 1.0, edges=edges)
        values = versatility(supra, 3, "pagerank_versatility").sum(1)
        assert np.argsort(values).tolist() == order


@pytest.mark.parametrize("coupling", ["none", "temporal"])
@pytest.mark.parametrize(
    "weights",
    [np.stack([np.eye(20)] * 4), np.stack([random_network(1, 1)[0]] * 4)],
    ids=["loops", "the same"],
)
def test_eigenvectors_of_reducible_networks_are_finite(coupling, weights):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        values = eigenvector_versatility(supra_adjacency(weights, coupling, 1.0), 4)
    assert np.isfinite(values).all()
    assert values.min() >= 0
    assert values.max() == pytest.approx(1)


def test_eigenvectors_leave_the_common_random_numbers_alone():
    supra = supra_adjacency(random_network(0), "ordinal", 1.0)
    random.seed(3)
    expected = random.random()
    random.seed(3)
    eigenvector_versatility(supra, 3)
    assert random.random() == expected


# --- the contract of every measure ------------------------------------------------------------------------------------


def values_of(weights, name, coupling="ordinal"):
    return table_of(weights, name, coupling)[name].to_numpy()


@pytest.mark.parametrize("name", MULTILAYER_MEASURES)
@given(weights=networks, coupling=st.sampled_from(list(COUPLINGS)), seed=st.integers(0, 99))
@example(weights=np.zeros((1, 1, 1)), coupling="none", seed=0)
@example(weights=np.zeros((2, 3, 3)), coupling="temporal", seed=0)
@example(weights=np.full((2, 3, 3), 5e-324), coupling="none", seed=0)
@example(weights=np.stack([np.eye(3), np.zeros((3, 3))]), coupling="ordinal", seed=0)
def test_a_measure_keeps_its_contract(name, weights, coupling, seed):
    before = weights.copy()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        values = values_of(weights, name, coupling)
    assert values.shape == weights.shape[1:2]
    if len(weights) == 1 and name in UNDEFINED_FOR_ONE_LAYER:
        assert np.isnan(values).all()
    else:
        assert np.isfinite(values).all()
        assert (values >= 0).all()
    assert np.array_equal(weights, before), "the input is untouched"
    assert np.array_equal(values, values_of(weights, name, coupling), equal_nan=True), (
        "it is deterministic"
    )
    if name != "eigenvector_versatility":
        order = np.random.default_rng(seed).permutation(weights.shape[1])
        again = values_of(weights[:, order][:, :, order], name, coupling)
        assert again == pytest.approx(values[order], rel=1e-6, nan_ok=True), (
            "names of nodes do not matter"
        )


@pytest.mark.parametrize("seed", range(3))
def test_names_of_nodes_do_not_matter_to_eigenvectors_that_are_unique(seed):
    weights, order = random_network(seed), np.random.default_rng(seed).permutation(20)
    values = values_of(weights, "eigenvector_versatility")
    assert values_of(weights[:, order][:, :, order], "eigenvector_versatility") == pytest.approx(
        values[order], rel=1e-9
    )


@pytest.mark.parametrize("name", MULTILAYER_MEASURES)
@pytest.mark.parametrize("precision", [np.float16, np.float32])
def test_any_precision_is_read_as_double(name, precision):
    weights = random_network(2).astype(precision)
    assert values_of(weights, name) == pytest.approx(
        values_of(weights.astype(float), name), rel=1e-9
    )


# --- measures of one's own, and bad input -----------------------------------------------------------------------------


def loops(weights):
    return np.einsum("lii->i", weights)


def out_of_layers(supra, n_layers):
    return np.asarray(supra.sum(1)).reshape(n_layers, -1)


def test_any_function_is_a_measure():
    assert table_of(TOY, ["activity", loops])["loops"].tolist() == [
        0.5,
        0.5,
        0.75,
        0.25,
    ]
    values = versatility(supra_adjacency(TOY, "none", 1.0), 2, out_of_layers)
    assert values.tolist() == TOY.sum(2).tolist()


def test_bad_measures():
    with pytest.raises(InputError, match="unknown multilayer measure 'actvity' .*'activity'"):
        table_of(TOY, "actvity")
    with pytest.raises(InputError, match="the table has a column 'row' already"):
        table_of(TOY, row)
    with pytest.raises(InputError, match="the table has a column 'activity' already"):
        table_of(TOY, ["activity", "activity"])
    with pytest.raises(
        InputError,
        match=r"measure sum returned shape \[\]; expected \[4\], one value a node",
    ):
        table_of(TOY, np.sum)
    with pytest.raises(
        InputError,
        match="activity has no values by layer; give one of: pagerank_versatility, eigenvector_versatility, katz_versatility",
    ):
        versatility(supra_adjacency(TOY, "none", 1.0), 2, "activity")
    with pytest.raises(
        InputError,
        match=r"returned shape \[8\]; expected \[2, 4\], one value a layer and node",
    ):
        versatility(supra_adjacency(TOY, "none", 1.0), 2, flat)


def row(weights):
    return weights[0, 0]


def flat(supra, n_layers):
    return supra.sum(1)
