"""Of a network the strongest edges of every node stay, and every node keeps as many as fit."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from multiplex_vit import InputError
from multiplex_vit.explore import edges_that_fit, greatest, strongest
from multiplex_vit.explore.thinning import EDGE_BYTES, MOST_EDGES, bytes_of_number

WEIGHTS = arrays(float, (2, 5, 5), elements=st.floats(0, 9, width=16))


def test_edges_by_hand():
    weights = np.array([[[5, 3, 1], [2, 5, 4], [0, 0, 5]]])
    edges = strongest(weights, 2)
    assert edges.nodes.tolist() == [[[1, 2], [2, 0], [0, 1]]]
    assert edges.shares.tolist() == [[[0.75, 0.25], [1, 0.5], [0, 0]]]
    assert greatest(weights).tolist() == [4]


@given(WEIGHTS, st.integers(1, 9))
def test_no_edge_left_out_is_stronger_than_one_kept(weights, k):
    edges = strongest(weights, k)
    kept = min(k, 5)
    assert edges.nodes.shape == (2, 5, kept)
    top = greatest(weights)
    for layer in range(2):
        for source in range(5):
            others = np.delete(weights[layer, source], source)
            expected = np.sort(others)[::-1][:kept]
            found = edges.shares[layer, source] * (top[layer] or 1)
            assert np.allclose(found[: len(expected)], expected, rtol=1e-12)
            for node, share in zip(
                edges.nodes[layer, source], edges.shares[layer, source], strict=True
            ):
                assert share == 0 or np.isclose(share * top[layer], weights[layer, source, node])


def test_a_layer_without_edges_has_none():
    edges = strongest(np.eye(3)[None], 2)
    assert not edges.shares.any()
    assert greatest(np.eye(3)[None]).tolist() == [0]


@pytest.mark.parametrize("shapes", [[(12, 196)], [(12, 196)] * 13, [(24, 576)] * 4])
def test_edges_fill_their_room_and_no_more(shapes):
    k = edges_that_fit(shapes)

    def size(each):
        return sum(2 * n * m * each * (bytes_of_number(m) + 1) for n, m in shapes)

    assert 1 <= k <= MOST_EDGES
    assert size(k) <= EDGE_BYTES
    assert k == MOST_EDGES or size(k + 1) > EDGE_BYTES


def test_a_network_too_large_for_a_page_is_refused():
    with pytest.raises(InputError, match="200 layers of 10,000 nodes do not fit into a page"):
        edges_that_fit([(200, 10_000)])
