"""Sinks: which tokens they are, the table of layers, and how alike tokens are."""

import itertools

import numpy as np
import pytest

import multiplex_vit as mv
from multiplex_vit.network import residual_cancellation, token_similarity

TOKENS = ("class", "distillation", "register1")


def network(**options):
    """Return two layers of three prefix tokens and four patches: the first with sinks planted, the second even."""
    weights = np.full((2, 7, 7), 0.1)
    weights[0, :, 0] = 1.0
    weights[0, :, 2] = 2.0
    weights[0, :, 5] = 3.0
    return mv.Multiplex(weights, (2, 2), prefix=TOKENS, **options)


def test_sinks_receive_more_than_a_multiple_of_the_median():
    found = network().sinks()
    assert np.argwhere(found).tolist() == [[0, 0], [0, 2], [0, 5]]
    assert np.argwhere(network().sinks(factor=15)).tolist() == [[0, 2], [0, 5]]
    assert np.array_equal(network().reverse().sinks(), found)


def test_the_table_by_hand():
    table = network().sink_table()
    assert table["name"].tolist() == ["L00", "L01"]
    assert table["block"].tolist() == [0, 1]
    assert table["received_max"].tolist() == pytest.approx([21, 0.7])
    assert table["received_median"].tolist() == pytest.approx([0.7, 0.7])
    assert table["concentration"].tolist() == pytest.approx([30, 1])
    counts = ["sinks", "sinks_class", "sinks_register", "sinks_patch"]
    assert table[counts].to_numpy().tolist() == [[3, 1, 1, 1], [0, 0, 0, 0]]
    assert table["share_sinks"].tolist() == pytest.approx([6 / 6.4, 0])
    assert table["effective_rank"].tolist() == pytest.approx([1, 1])


def test_the_table_agrees_with_the_measures():
    weights = np.random.default_rng(0).random((3, 6, 6))
    net = mv.Multiplex(weights, (2, 3))
    measures = net.layer_table(["sink_concentration", "effective_rank"])
    table = net.sink_table()
    assert table["concentration"].tolist() == measures["sink_concentration"].tolist()
    assert table["effective_rank"].tolist() == measures["effective_rank"].tolist()
    turned = net.reverse().sink_table()
    for column in table.columns.drop("effective_rank"):
        assert turned[column].tolist() == table[column].tolist()
    assert turned["effective_rank"].tolist() == pytest.approx(table["effective_rank"].tolist())


def test_values_of_sinks_tell_what_they_hand_on():
    norms = np.arange(14.0).reshape(2, 7)
    table = network().sink_table(value_norms=norms)
    assert table["sink_value_norm"][0] == pytest.approx((0 + 2 + 5) / 3)
    assert table["other_value_norm"].tolist() == pytest.approx([(1 + 3 + 4 + 6) / 4, 10])
    assert np.isnan(table["sink_value_norm"][1])


@pytest.mark.parametrize("scale", [1e-8, 1e10])
def test_the_unit_of_weights_does_not_matter(scale):
    weights = np.random.default_rng(1).random((2, 6, 6)) ** 4
    one, other = mv.Multiplex(weights, (2, 3)), mv.Multiplex(weights * scale, (2, 3))
    assert np.array_equal(one.sinks(factor=2), other.sinks(factor=2))
    kept = ["concentration", "sinks", "share_sinks", "effective_rank"]
    found, expected = (net.sink_table(factor=2)[kept].to_numpy(float) for net in (other, one))
    assert found == pytest.approx(expected)


def test_an_empty_layer_has_no_sinks():
    table = mv.Multiplex(np.zeros((1, 3, 3)), (1, 3)).sink_table()
    assert table["sinks"].tolist() == [0]
    assert table[["concentration", "share_sinks", "effective_rank"]].isna().all(axis=None)


def test_tokens_are_as_alike_as_their_cosines():
    states = np.random.default_rng(0).normal(size=(2, 5, 3))
    expected = []
    for block in states:
        pairs = itertools.combinations(block, 2)
        cosines = [one @ two / np.linalg.norm(one) / np.linalg.norm(two) for one, two in pairs]
        expected.append(np.mean(cosines))
    assert token_similarity(states) == pytest.approx(expected, abs=1e-12)


def test_updates_cancel_what_there_was():
    before = np.ones((3, 2, 2))
    update = np.stack([np.ones((2, 2)), np.zeros((2, 2)), np.full((2, 2), -0.5)])
    assert residual_cancellation(before, update).tolist() == [1, 1, 3]


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda: network().sinks(factor=0), "factor is 0; give a finite number above 0"),
        (
            lambda: network().sink_table(value_norms=np.zeros(7)),
            r"value_norms have shape \[7\]; give \[layer, node\] = \[2, 7\]",
        ),
        (lambda: token_similarity(np.zeros((2, 3))), r"states have shape \[2, 3\]"),
        (
            lambda: residual_cancellation(np.zeros((1, 2, 3)), np.zeros((1, 3, 2))),
            r"before and update have shapes \[1, 2, 3\] and \[1, 3, 2\]",
        ),
    ],
)
def test_what_is_refused(ask, message):
    with pytest.raises(mv.InputError, match=message):
        ask()
