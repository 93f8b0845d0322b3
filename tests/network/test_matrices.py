import numpy as np
import pytest

from multiplex_vit.network.layer import Layer
from multiplex_vit.network.layer_measures import LAYER_MEASURES
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


# --- what consecutive measures of a layer share ------------------------------------------------------------------------


def calls(monkeypatch, function):
    """Return a list that grows by one for every call of a function of `numpy.linalg`."""
    counted = []
    called = getattr(np.linalg, function)

    def count(*args, **options):
        counted.append(function)
        return called(*args, **options)

    monkeypatch.setattr(np.linalg, function, count)
    return counted


@pytest.mark.parametrize(
    ("function", "measures"),
    [
        ("eigvals", ["second_eigenvalue", "spectral_gap", "relaxation_time"]),
        ("svd", ["effective_rank", "singular_gap"]),
    ],
)
def test_measures_of_one_layer_share_what_takes_long_and_those_of_another_do_not(
    monkeypatch, function, measures
):
    weights = np.random.default_rng(0).random((2, 6, 6))
    counted = calls(monkeypatch, function)
    first = [LAYER_MEASURES[name](layer) for layer in [Layer(weights[0])] for name in measures]
    assert len(counted) == 1
    # Another layer of the same weights is another object, which is what tells layers apart.
    again = [LAYER_MEASURES[name](Layer(weights[0])) for name in measures]
    assert len(counted) == 1 + len(measures)
    assert again == first
    assert [LAYER_MEASURES[name](Layer(weights[1])) for name in measures] != first
