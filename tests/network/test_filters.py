from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.integrate import quad
from scipy.stats import kendalltau

from multiplex_vit.errors import InputError
from multiplex_vit.network.filters import (
    FILTERS,
    disparity,
    min_cut,
    pruning_curve,
    top_k,
)
from multiplex_vit.network.tokens import Tokens

TOY = np.array(
    [
        [[0.5, 0.25, 0.25], [0.1, 0.0, 0.2], [0.0, 0.0, 0.0]],
        [[0, 0.01, 0], [0, 0, 0.02], [0, 0, 0]],
    ]
)
NUMBERS = {"min_cut": 0.3, "top_k": 2, "disparity": 0.3}


def random_stack(seed, n=9, layers=2, kept=0.6, dtype=float):
    rng = np.random.default_rng(seed)
    return (rng.random((layers, n, n)) ** 3 * (rng.random((layers, n, n)) < kept)).astype(dtype)


# --- by hand ----------------------------------------------------------------------------------------------------------


def test_a_cut_is_relative_to_each_layers_greatest_weight():
    assert np.array_equal(min_cut(TOY, 0), TOY)
    assert min_cut(TOY, 0.5).tolist() == [
        [[0.5, 0.25, 0.25], [0, 0, 0], [0, 0, 0]],
        [[0, 0.01, 0], [0, 0, 0.02], [0, 0, 0]],
    ]
    assert np.argwhere(min_cut(TOY, 1)).tolist() == [[0, 0, 0], [1, 1, 2]]


def test_a_threshold_is_taken_in_the_arithmetic_of_the_weights():
    threshold = np.float32(0.01) * np.float32(0.7)
    weights = np.array(
        [[[0.7, threshold], [np.nextafter(threshold, np.float32(0)), 0]]],
        dtype=np.float32,
    )
    assert np.count_nonzero(min_cut(weights, 0.01)) == 2
    assert float(np.float32(0.7)) * 0.01 > float(threshold), (
        "in float64 the edge at the threshold would have gone"
    )


def test_whole_numbers_are_cut_as_they_were():
    assert min_cut(np.array([[[0, 10], [1, 5]]]), 1).tolist() == [[[0, 10], [0, 0]]]


def test_every_node_keeps_its_strongest_edges_and_ties():
    assert top_k(TOY[:1], 1).tolist() == [[[0.5, 0, 0], [0, 0, 0.2], [0, 0, 0]]]
    assert top_k(TOY[:1], 2).tolist() == TOY[:1].tolist(), (
        "the second and the third of the first node are equal"
    )
    assert np.array_equal(top_k(TOY, 99), TOY)


def test_the_disparity_of_a_star():
    # Shares 0.8, 0.1, 0.1 of three edges: significance 0.2 ** 2 = 0.04 and 0.9 ** 2 = 0.81. Each target has one edge, which is no evidence.
    star = np.zeros((1, 4, 4))
    star[0, 0, 1:] = [8, 1, 1]
    for weights in (star, star.transpose(0, 2, 1)):
        kept = [
            np.count_nonzero(disparity(weights, alpha))
            for alpha in (0, 0.039, 0.041, 0.80, 0.82, 1)
        ]
        assert kept == [0, 0, 1, 1, 3, 3]


def test_an_edge_that_is_the_only_one_at_both_ends_is_never_significant():
    weights = np.zeros((1, 4, 4))
    weights[0, 0, 1] = 1
    weights[0, 2, 2:] = [0.5, 0.5]
    assert np.argwhere(disparity(weights, 1)[0]).tolist() == [[2, 2], [2, 3]]


def test_self_loops_count_in_degree_and_strength():
    weights = np.array([[[6.0, 3, 1], [0, 0, 0], [0, 0, 0]]])
    assert disparity(weights, 0.161).tolist() == [[[6, 0, 0], [0, 0, 0], [0, 0, 0]]], (
        "(1 - 0.6) ** 2 = 0.16"
    )
    assert not disparity(weights, 0.159).any()


def test_a_tiny_share_is_significant_at_most_at_one():
    weights = np.array([[[1, 1e-30], [0, 0]]])
    assert np.array_equal(disparity(weights, 1), weights)
    assert np.count_nonzero(disparity(weights, 0.999)) == 1


# --- against an independent computation -------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(4))
def test_disparity_is_the_integral_of_the_paper(seed):
    weights, alpha = random_stack(seed, n=7), 0.2
    kept = disparity(weights, alpha) > 0
    for layer, source, target in np.argwhere(weights):
        significances = []
        for edges in (weights[layer, source], weights[layer, :, target]):
            k, p = np.count_nonzero(edges), weights[layer, source, target] / edges.sum()
            significances.append(
                1 - (k - 1) * quad(lambda x, k=k: (1 - x) ** (k - 2), 0, p)[0] if k > 1 else 1
            )
        assert kept[layer, source, target] == (min(significances) < alpha)


@pytest.mark.parametrize("k", [1, 3, 8])
def test_the_edges_kept_are_those_with_fewer_than_k_stronger_ones(k):
    weights = np.round(random_stack(k), 1)
    kept = top_k(weights, k) > 0
    for layer, source, target in np.argwhere(weights):
        assert kept[layer, source, target] == (
            np.sum(weights[layer, source] > weights[layer, source, target]) < k
        )


# --- the contract of every filter -------------------------------------------------------------------------------------

STACKS = st.tuples(
    st.integers(1, 2), st.integers(1, 5), st.sampled_from([np.float32, np.float64])
).flatmap(
    lambda shape: arrays(
        shape[2],
        (shape[0], shape[1], shape[1]),
        elements=st.one_of(st.just(0.0), st.floats(0, 1, width=32)),
    )
)


@pytest.mark.parametrize("name", FILTERS)
@pytest.mark.filterwarnings("error")
@given(weights=STACKS, seed=st.integers(0, 99))
def test_a_filter_keeps_its_contract(name, weights, seed):
    before, number = weights.copy(), NUMBERS[name]
    kept = FILTERS[name](weights, number)
    assert np.array_equal(weights, before), "the input is untouched"
    assert (kept.shape, kept.dtype) == (weights.shape, weights.dtype)
    assert kept is not weights
    assert not np.shares_memory(kept, weights)
    assert np.array_equal(kept, np.where(kept > 0, weights, 0)), "an edge stays as it was or goes"
    assert np.array_equal(kept[:1], FILTERS[name](weights[:1], number)), (
        "layers are filtered one by one"
    )
    order = np.random.default_rng(seed).permutation(weights.shape[1])
    again = FILTERS[name](weights[:, order][:, :, order], number)
    if name != "disparity":  # whose sums round otherwise in another order
        assert np.array_equal(again, kept[:, order][:, :, order]), "names of nodes do not matter"


@pytest.mark.parametrize("name", FILTERS)
def test_an_empty_layer_stays_empty(name):
    assert not FILTERS[name](np.zeros((2, 3, 3)), NUMBERS[name]).any()


@pytest.mark.parametrize(
    ("name", "numbers"),
    [
        ("min_cut", [1, 0.5, 0.1, 0]),
        ("top_k", [1, 2, 5, 9]),
        ("disparity", [0, 0.05, 0.3, 1]),
    ],
)
def test_a_looser_filter_keeps_all_that_a_stricter_one_does(name, numbers):
    weights = random_stack(5)
    kept = [FILTERS[name](weights, number) > 0 for number in numbers]
    assert all((strict <= loose).all() for strict, loose in pairwise(kept))
    assert kept[0].sum() < kept[1].sum() < kept[2].sum()


@pytest.mark.parametrize(
    ("name", "number", "message"),
    [
        ("min_cut", 1.5, "min_cut is 1.5; give a number from 0 to 1"),
        ("min_cut", float("nan"), "min_cut is nan"),
        ("top_k", 0, "k is 0; give a whole number of at least 1"),
        ("top_k", 1.5, "k is 1.5"),
        ("disparity", -0.1, "alpha is -0.1; give a number from 0 to 1"),
    ],
)
def test_a_filter_refuses_bad_numbers(name, number, message):
    with pytest.raises(InputError, match=message):
        FILTERS[name](TOY, number)


@pytest.mark.parametrize("name", FILTERS)
@pytest.mark.parametrize("shape", [(3, 3), (2, 3, 4)])
def test_a_filter_refuses_what_is_no_stack_of_layers(name, shape):
    with pytest.raises(InputError, match="weights has shape"):
        FILTERS[name](np.zeros(shape), NUMBERS[name])


# --- the pruning curve ------------------------------------------------------------------------------------------------


def test_the_curve_by_hand():
    curve = pruning_curve(
        TOY, [1, 0, 0.5], Tokens((1, 3)), names=("a", "b"), measures=["in_strength"]
    )
    assert list(curve.columns) == [
        "layer",
        "name",
        "min_cut",
        "edges",
        "density",
        "isolates",
        "giant_component",
        "tau_in_strength",
    ]
    assert curve[["layer", "name", "min_cut"]].to_numpy().tolist() == [
        [layer, name, cut] for layer, name in enumerate("ab") for cut in (1, 0, 0.5)
    ]
    assert curve["edges"].tolist() == [1, 5, 3, 1, 2, 2]
    assert curve["density"].tolist() == pytest.approx([1 / 9, 5 / 9, 3 / 9, 1 / 9, 2 / 9, 2 / 9])
    assert curve["isolates"].tolist() == [3, 0, 0, 1, 0, 0]
    assert curve["giant_component"].tolist() == pytest.approx([1 / 3, 1, 1, 2 / 3, 1, 1])
    # In-strength 0.6 0.25 0.45 against 0.5 0 0 (one tie: 2 of the pairs agree) and 0.5 0.25 0.25; 0 0.01 0.02 against 0 0 0.02.
    assert curve["tau_in_strength"].tolist() == pytest.approx(
        [2 / np.sqrt(6), 1, 2 / np.sqrt(6), 2 / np.sqrt(6), 1, 1]
    )


def test_tau_is_kendalls_for_any_measure():
    def squares(weights):
        return (weights**2).sum(0)

    weights = random_stack(1, n=12)
    curve = pruning_curve(
        weights,
        [0.05, 0.4],
        Tokens((3, 4)),
        measures=("pagerank", "out_strength", squares),
    )
    for row in curve.itertuples():
        pruned = min_cut(weights, row.min_cut)
        expected = kendalltau(weights[row.layer].sum(1), pruned[row.layer].sum(1)).statistic
        assert row.tau_out_strength == pytest.approx(expected, rel=1e-12)
        assert row.tau_squares == pytest.approx(
            kendalltau(squares(weights[row.layer]), squares(pruned[row.layer])).statistic,
            rel=1e-12,
        )
        assert -1 <= row.tau_pagerank <= 1
    assert curve["tau_out_strength"].between(0.5, 0.99).all()


def test_tau_is_nan_where_all_nodes_are_equal_but_for_rounding():
    weights = np.random.default_rng(0).random((1, 40, 40))
    weights = (weights / weights.sum(2, keepdims=True)).astype(np.float32)
    assert len(set(weights.sum(2)[0])) > 1
    curve = pruning_curve(weights, [0, 0.3], Tokens((5, 8)))
    assert curve["tau_out_strength"].isna().all()
    assert curve["tau_in_strength"][0] == 1
    assert 0.5 < curve["tau_in_strength"][1] < 1


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("weights", [np.zeros((1, 3, 3)), np.ones((1, 1, 1))])
def test_the_curve_of_layers_with_nothing_to_order(weights):
    curve = pruning_curve(weights, [0, 1], Tokens((1, weights.shape[1])))
    assert curve.filter(like="tau_").isna().all(axis=None)
    assert curve["edges"].tolist() == [weights.sum()] * 2


def test_a_curve_of_no_cuts_has_its_columns():
    assert list(pruning_curve(TOY, [], Tokens((1, 3)), measures="pagerank").columns)[-2:] == [
        "giant_component",
        "tau_pagerank",
    ]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"min_cuts": [0, 2]}, "min_cut is 2"),
        ({"measures": ["pagernk"]}, "unknown centrality 'pagernk'"),
        ({"measures": ["pagerank", "pagerank"]}, "give each once"),
        ({"weights": TOY[0]}, "weights has shape"),
        ({"names": ("a",)}, "1 names and 3 tokens were given for 2 layers of 3 nodes"),
        ({"tokens": Tokens((2, 2))}, "2 names and 4 tokens"),
    ],
)
def test_what_the_curve_refuses(options, message):
    with pytest.raises(InputError, match=message):
        pruning_curve(**{"weights": TOY, "min_cuts": [0], "tokens": Tokens((1, 3)), **options})
