import numpy as np
import pytest

from multiplex_vit.network.matrices import linked_nodes, relative

TINY = 5e-324


@pytest.mark.parametrize("greatest", [TINY, 1e-30, 1.0, 1e308])
@pytest.mark.parametrize("shape", [(3, 3), (2, 3, 3), (4,)])
def test_the_greatest_of_relative_weights_is_1_whatever_their_unit(greatest, shape):
    weights = np.zeros(shape)
    weights.flat[1] = greatest
    assert relative(weights).max() == 1
    assert relative(weights).shape == shape
    assert np.count_nonzero(relative(weights)) == 1


def test_weights_that_are_all_0_and_none_at_all_stay_so():
    assert not relative(np.zeros((2, 2))).any()
    assert relative([]).tolist() == []


def test_weights_of_any_type_become_floats_and_are_left_as_they_were():
    weights = np.array([[0, 2], [4, 0]], dtype=np.float16)
    assert relative(weights).dtype == float
    assert relative(weights).tolist() == [[0, 0.5], [1, 0]]
    assert weights.max() == 4


def test_linked_nodes_send_or_receive():
    weights = np.zeros((5, 5))
    # Node 3 to node 1, and a self-loop of node 4.
    weights[3, 1] = weights[4, 4] = TINY
    assert linked_nodes(weights).tolist() == [1, 3, 4]
    assert linked_nodes(weights > 0).tolist() == [1, 3, 4]
