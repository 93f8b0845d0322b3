"""The leading eigenvector: W^T x = lambda x holds, whatever the network looks like."""

import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

import multiplex_vit as mv
from multiplex_vit.network.coupling import supra_adjacency
from multiplex_vit.network.leading_eigenvector import leading_eigenvector


def assert_leading(weights, values):
    """Check the greatest eigenvalue (of a strong part: exact where the whole loses its digits) and the equation."""
    assert values.min() >= 0
    radius = max(np.abs(np.linalg.eigvals(np.asarray(weights))).max(), 0)
    if not values.any():
        assert np.allclose(np.linalg.matrix_power(np.asarray(weights), len(weights)), 0), (
            "no cycle, no walk longer than the nodes"
        )
        return
    assert values.max() == 1
    after = weights.T @ values
    found = (after @ values) / (values @ values)
    assert after == pytest.approx(found * values, rel=1e-8, abs=1e-9 * found)
    assert found == pytest.approx(radius, rel=1e-3), (
        "eigenvalues of the whole matrix may be off where it is defective"
    )


@given(n=st.integers(1, 8), share=st.floats(0, 1), seed=st.integers(0, 10**6))
def test_it_is_an_eigenvector_of_any_network(n, share, seed):
    rng = np.random.default_rng(seed)
    weights = rng.random((n, n)).round(1) * (rng.random((n, n)) < share)
    assert_leading(weights, leading_eigenvector(weights))


@pytest.mark.parametrize("density", [0.003, 0.01, 0.03, 0.3, 1.0])
@pytest.mark.parametrize("seed", range(6))
def test_it_is_an_eigenvector_of_large_networks(density, seed):
    rng = np.random.default_rng(seed)
    weights = rng.random((196, 196)) * (rng.random((196, 196)) < density)
    values = leading_eigenvector(weights)
    assert_leading(weights, values)
    assert np.array_equal(values, leading_eigenvector(weights)), "it is deterministic"
    assert leading_eigenvector(sparse.csr_array(weights)) == pytest.approx(
        values, rel=1e-9, abs=1e-12
    )


@pytest.mark.parametrize("coupling", ["none", "ordinal", "temporal", "categorical"])
@pytest.mark.parametrize("seed", range(8))
def test_it_is_an_eigenvector_under_every_coupling(coupling, seed):
    rng = np.random.default_rng(seed)
    weights = rng.random((3, 8, 8)) * (rng.random((3, 8, 8)) < rng.choice([0.03, 0.1, 0.5]))
    supra = supra_adjacency(weights, coupling, 1.0)
    assert_leading(supra.toarray(), leading_eigenvector(supra))


def test_by_hand():
    assert leading_eigenvector(np.diag([0.2, 0.4])).tolist() == [0, 1]
    assert leading_eigenvector(np.array([[0, 0], [0.7, 0]])).tolist() == [0, 0]
    assert leading_eigenvector(np.diag([1.0, 1.0])).tolist() == [1, 1], "equal parts add up"
    chain = np.array([[1.0, 1.0, 0], [0, 1.0, 1.0], [0, 0, 1.0]])
    assert leading_eigenvector(chain).tolist() == [0, 0, 1], (
        "of equal parts in a row the last, which alone has an eigenvector"
    )
    assert leading_eigenvector(np.full((3, 3), 1e-300)) == pytest.approx([1, 1, 1])


def test_two_nodes_have_a_hub_and_an_authority():
    net = mv.Multiplex([[[0, 0], [0.7, 0]]], (1, 2))
    assert net.centrality("hub").tolist() == [[0, 1]]
    assert net.centrality("authority").tolist() == [[1, 0]]
    assert net.centrality("eigenvector").tolist() == [[0, 0]]


def test_pruned_attention_of_a_picture_has_eigenvectors(demo_vit):
    net = mv.multiplex(demo_vit, mv.samples()["cat"], operator="min", min_cut=0.1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for weights, values in zip(net.weights, net.centrality("eigenvector"), strict=True):
            assert_leading(weights.astype(float), values)


# --- several parts with the same greatest eigenvalue ------------------------------------------------------------------


def steps_from_equal_values(weights, doublings=26):
    """Return (W^T + radius)^k 1 for k = 2^26, its greatest value being 1."""
    radius = np.abs(np.linalg.eigvals(weights)).max()
    power = weights.T / radius + np.eye(len(weights))
    for _ in range(doublings):
        power = power @ power
        power /= power.max()
    values = power.sum(1)
    return values / values.max()


def with_ties(seed):
    """Return a network of few edges of weight 1, where many parts are loops or cycles of the same eigenvalue."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(2, 10))
    loops = np.diag(rng.random(n) < 0.4).astype(float)
    return np.maximum(loops, rng.random((n, n)) < rng.choice([0.05, 0.12, 0.2]))


def has_a_cycle(weights):
    return bool(np.linalg.matrix_power(weights, len(weights)).any())


@pytest.mark.parametrize("seed", range(60))
def test_equal_parts_are_weighed_as_repeated_steps_from_equal_values_weigh_them(seed):
    weights = with_ties(seed)
    values = leading_eigenvector(weights)
    if has_a_cycle(weights):
        assert values == pytest.approx(steps_from_equal_values(weights), abs=1e-5)
    else:
        assert not values.any()


@pytest.mark.parametrize("seed", range(60))
def test_numbers_of_nodes_do_not_matter_where_parts_are_equal(seed):
    weights = with_ties(seed)
    order = np.random.default_rng(seed).permutation(len(weights))
    moved = leading_eigenvector(weights[order][:, order])
    assert moved == pytest.approx(leading_eigenvector(weights)[order], abs=1e-9)


@pytest.mark.parametrize("seed", range(6))
def test_copies_of_a_large_part_are_equal(seed):
    rng = np.random.default_rng(seed)
    part = rng.random((20, 20)) ** 8 * (rng.random((20, 20)) < 0.3)
    part[np.arange(20), np.roll(np.arange(20), 1)] += 0.1
    order = rng.permutation(20)
    weights = np.zeros((42, 42))
    weights[:20, :20], weights[20:40, 20:40] = part, part[order][:, order]
    weights[40, 20:23] = 1
    values = leading_eigenvector(weights)
    first, second = values[:20][order], values[20:40]
    assert first / first.max() == pytest.approx(second / second.max(), rel=1e-8)
    assert 0 < first.max() < second.max() == 1, (
        "a node that is 0 itself adds to the part that it attends to"
    )


def test_a_long_row_of_equal_parts_ends_in_its_last():
    weights = np.eye(400) + np.diag(np.full(399, 1e-3), 1)
    assert leading_eigenvector(weights).tolist() == [0.0] * 399 + [1.0]


def test_hubs_of_equal_parts_are_all_there():
    weights = np.zeros((5, 5))
    weights[0, 1] = weights[2, 3] = 0.5
    net = mv.Multiplex([weights], (1, 5))
    assert net.centrality("hub").tolist() == [[1, 0, 1, 0, 0]]
    assert net.centrality("authority").tolist() == [[0, 1, 0, 1, 0]]
