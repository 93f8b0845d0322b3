"""Couplings, inter-layer links and the supra-adjacency."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from multiplex_vit.errors import InputError
from multiplex_vit.network.coupling import COUPLINGS, links, supra_adjacency

WEIGHTS = np.array([[[0, 0.5], [0.25, 1]], [[0, 0], [0.125, 0]], [[0, 0], [0, 0]]])
SOME = np.array([[0.5, 0], [1, 2], [3, 0.25]])


def chain(blocks):
    return np.eye(len(blocks), k=1, dtype=bool)


def plain_supra(weights, coupling, omega):
    n_layers, n_nodes = weights.shape[:2]
    joined = COUPLINGS[coupling](np.arange(n_layers)).T
    matrix = np.zeros((n_layers * n_nodes, n_layers * n_nodes))
    for a in range(n_layers):
        for i in range(n_nodes):
            for b in range(n_layers):
                for j in range(n_nodes):
                    link = (
                        np.broadcast_to(omega, (n_layers, n_nodes))[a, i]
                        if joined[a, b] and i == j
                        else 0
                    )
                    matrix[a * n_nodes + i, b * n_nodes + j] = weights[a, i, j] if a == b else link
    return matrix


def test_each_coupling_by_hand():
    assert COUPLINGS["none"](np.arange(2)).tolist() == [[False, False], [False, False]]
    assert np.argwhere(COUPLINGS["ordinal"](np.arange(3))).tolist() == [
        [0, 1],
        [1, 0],
        [1, 2],
        [2, 1],
    ]
    assert np.argwhere(COUPLINGS["temporal"](np.arange(3))).tolist() == [[0, 1], [1, 2]]
    assert np.argwhere(COUPLINGS["categorical"](np.arange(3))).tolist() == [
        [0, 1],
        [0, 2],
        [1, 0],
        [1, 2],
        [2, 0],
        [2, 1],
    ]


@pytest.mark.parametrize("coupling", COUPLINGS)
@pytest.mark.parametrize("omega", [0.3, np.float32(2), SOME])
def test_the_supra_adjacency_has_the_documented_order(coupling, omega):
    matrix = supra_adjacency(WEIGHTS, coupling, omega)
    assert np.array_equal(matrix.toarray(), plain_supra(WEIGHTS, coupling, omega))
    assert matrix.dtype == float
    assert matrix.has_sorted_indices
    assert (matrix.data > 0).all(), "no zero is stored"


@given(
    weights=arrays(np.float32, (3, 4, 4), elements=st.floats(0, 1, width=32)),
    omega=st.floats(1e-6, 10),
)
def test_the_supra_adjacency_loses_nothing(weights, omega):
    matrix = supra_adjacency(weights, "categorical", omega)
    assert matrix.sum() == pytest.approx(weights.sum(dtype=float) + omega * 4 * 6)
    assert matrix.nnz == np.count_nonzero(weights) + 4 * 6


@pytest.mark.parametrize("coupling", COUPLINGS)
@pytest.mark.parametrize("omega", [1.5, SOME])
def test_links_are_the_supra_adjacency_without_the_layers(coupling, omega):
    source, target, weight = links(range(3), 2, coupling, omega)
    matrix = supra_adjacency(np.zeros((3, 2, 2)), coupling, omega).tocoo()
    assert [*zip(source, target, weight, strict=True)] == [
        *zip(*matrix.coords, matrix.data, strict=True)
    ]
    assert [*zip(source, target, strict=True)] == sorted(zip(source, target, strict=True))


def test_omega_weighs_the_links_that_leave():
    source, target, weight = links(range(3), 2, "ordinal", SOME)
    found = {(int(s), int(t)): w for s, t, w in zip(source, target, weight, strict=True)}
    assert found == {
        (0, 2): 0.5,
        (2, 0): 1,
        (2, 4): 1,
        (3, 1): 2,
        (3, 5): 2,
        (4, 2): 3,
        (5, 3): 0.25,
    }


def test_a_node_with_omega_0_has_no_links():
    assert all(len(part) == 0 for part in links(range(2), 2, "categorical", np.zeros((2, 2))))
    assert supra_adjacency(WEIGHTS[:2], "categorical", np.zeros((2, 2))).nnz == 4


def test_omega_may_be_a_list_or_a_row_a_layer():
    assert (
        supra_adjacency(WEIGHTS, "temporal", SOME.tolist())
        != supra_adjacency(WEIGHTS, "temporal", SOME)
    ).nnz == 0


@pytest.mark.parametrize(
    "omega",
    [
        0,
        -1,
        float("nan"),
        float("inf"),
        "much",
        None,
        True,
        [1.0],
        [[1.0], [1.0, 2.0]],
        np.ones((2, 3)),
        np.ones(2),
    ],
)
def test_bad_omegas(omega):
    with pytest.raises(InputError, match=r"omega is .*; give a finite number above 0.*\[3, 2\]"):
        supra_adjacency(WEIGHTS, "ordinal", omega)


@pytest.mark.parametrize("bad", [-1, np.nan, np.inf])
def test_bad_values_in_omega(bad):
    omega = SOME.copy()
    omega[1, 1] = bad
    with pytest.raises(
        InputError,
        match="omega is an array with NaN, infinity or a negative value; give finite values of at least 0",
    ):
        links(range(3), 2, "ordinal", omega)


def test_a_coupling_of_ones_own():
    assert (
        supra_adjacency(WEIGHTS, chain, 1.0) != supra_adjacency(WEIGHTS, "temporal", 1.0)
    ).nnz == 0


@pytest.mark.parametrize(
    "bad",
    [
        lambda blocks: np.ones((len(blocks), len(blocks)), dtype=bool),
        lambda blocks: np.eye(len(blocks), k=1),
        lambda n: np.zeros((1, 1), dtype=bool),
        lambda n: [],
        lambda n: None,
    ],
)
def test_bad_couplings(bad):
    with pytest.raises(InputError, match="without a diagonal"):
        links(range(3), 2, bad, 1.0)


def test_unknown_coupling():
    with pytest.raises(
        InputError,
        match="unknown coupling 'ordnal' .*known: none, ordinal, temporal, categorical",
    ):
        links(range(3), 2, "ordnal", 1.0)


@pytest.mark.parametrize("coupling", COUPLINGS)
def test_one_layer_has_no_links(coupling):
    assert len(links(range(1), 5, coupling, 1.0)[0]) == 0
