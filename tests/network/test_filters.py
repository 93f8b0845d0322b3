from itertools import pairwise

import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.integrate import quad
from scipy.stats import beta as beta_distribution
from scipy.stats import kendalltau

from multiplex_vit.errors import InputError
from multiplex_vit.network.filters import (
    FILTERS,
    disparity,
    matched_density,
    min_cut,
    noise_corrected,
    pruning_curve,
    row_relative,
    spanning_tree_plus,
    top_k,
    without_loops,
)
from multiplex_vit.network.tokens import Tokens

TOY = np.array(
    [
        [[0.5, 0.25, 0.25], [0.1, 0.0, 0.2], [0.0, 0.0, 0.0]],
        [[0, 0.01, 0], [0, 0, 0.02], [0, 0, 0]],
    ]
)
NUMBERS = {
    "min_cut": [0.3],
    "top_k": [2],
    "row_relative": [0.3],
    "matched_density": [0.3],
    "without_loops": [],
    "disparity": [0.3],
    "noise_corrected": [0.3],
    "spanning_tree_plus": [1.5],
}
SUMS = ("disparity", "noise_corrected")
"""Filters that compare sums, which round otherwise in another order."""


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


def test_a_row_is_cut_relative_to_its_strongest_edge():
    assert row_relative(TOY, 0.5).tolist() == [
        [[0.5, 0.25, 0.25], [0.1, 0, 0.2], [0, 0, 0]],
        [[0, 0.01, 0], [0, 0, 0.02], [0, 0, 0]],
    ]
    assert np.count_nonzero(row_relative(TOY, 0.51)) == 4


def test_matched_layers_have_as_many_edges_each():
    weights = random_stack(3) * np.array([1, 1000])[:, None, None]
    kept = matched_density(weights, 0.2)
    assert np.count_nonzero(kept, axis=(1, 2)).tolist() == [16, 16]
    for layer, matrix in zip(kept, weights, strict=True):
        assert layer[layer > 0].min() > np.max(matrix[layer == 0])
    assert not matched_density(weights, 0.006).any(), "less than half an edge"
    assert np.array_equal(matched_density(weights, 1), weights)


def test_loops_go():
    assert without_loops(TOY).tolist() == [
        [[0, 0.25, 0.25], [0.1, 0, 0.2], [0, 0, 0]],
        [[0, 0.01, 0], [0, 0, 0.02], [0, 0, 0]],
    ]


def test_what_strengths_explain_is_noise():
    outer = np.outer([1.0, 2, 3], [4.0, 1, 1])[None]
    assert not noise_corrected(outer, 0).any(), "the lift of every edge is 1"
    outer[0, 2, 2] += 5
    assert edges_of(noise_corrected(outer, 1)) == {(1, 0), (2, 2)}, "what is freed elsewhere too"
    sink = np.zeros((1, 4, 4))
    sink[0, :, 0] = [0.3, 0.5, 0.6, 0.7]
    assert not noise_corrected(sink, 0).any()
    single = np.zeros((1, 3, 3))
    single[0, 0, 1] = 1
    assert not noise_corrected(single, 0).any()


def test_a_tree_holds_parts_together_that_strong_edges_do_not():
    weights = np.zeros((1, 5, 5))
    weights[0, 0, 1], weights[0, 1, 0], weights[0, 1, 2] = 0.9, 0.8, 0.7
    weights[0, 2, 0], weights[0, 3, 2], weights[0, 4, 4] = 0.6, 0.1, 1.0
    tree = {(0, 1), (1, 2), (3, 2)}
    assert edges_of(spanning_tree_plus(weights, 0.2)) == tree | {(4, 4)}, "and the strongest edge"
    assert edges_of(spanning_tree_plus(weights, 0.6)) == tree | {(4, 4), (1, 0)}
    assert edges_of(spanning_tree_plus(weights, 9)) == edges_of(weights)


def test_edges_of_all_trees_stay_where_weights_tie():
    triangle = np.zeros((1, 3, 3))
    triangle[0, 0, 1] = triangle[0, 1, 2] = triangle[0, 2, 0] = 0.5
    assert np.count_nonzero(spanning_tree_plus(triangle, 0.1)) == 3
    triangle[0, 2, 0] = 0.4
    assert edges_of(spanning_tree_plus(triangle, 0.1)) == {(0, 1), (1, 2)}


def edges_of(weights):
    return {(int(source), int(target)) for _, source, target in np.argwhere(weights)}


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


def noise_score(n, n_out, n_in, total):
    """Return score and standard deviation of an edge by the formulas of Coscia and Neffke, with SciPy's beta."""
    mean = n_out * n_in / total**2
    variance = n_out * n_in * (total - n_out) * (total - n_in) / (total**4 * (total - 1))
    alpha = mean**2 / variance * (1 - mean) - mean
    a_priori = beta_distribution(alpha, alpha * (1 - mean) / mean)
    assert (a_priori.mean(), a_priori.var()) == pytest.approx((mean, variance))
    share = (alpha + n) / (alpha + alpha * (1 - mean) / mean + total)

    def score(n):
        # The marginals hold the edge itself, and so they move with it.
        lift = n * (total + n - at) / ((n_out + n - at) * (n_in + n - at))
        return (lift - 1) / (lift + 1)

    at, step = n, 1e-5 * n
    slope = (score(n + step) - score(n - step)) / (2 * step)
    return score(n), slope * np.sqrt(total * share * (1 - share))


@pytest.mark.parametrize("seed", range(4))
def test_noise_is_corrected_by_the_formulas_of_the_paper(seed):
    weights, delta = random_stack(seed, n=8, layers=1), 0.4
    counts = weights[0] * np.count_nonzero(weights) / weights.sum()
    kept = noise_corrected(weights, delta)[0] > 0
    for source, target in np.argwhere(counts):
        marginals = counts[source].sum(), counts[:, target].sum(), counts.sum()
        score, deviation = noise_score(counts[source, target], *marginals)
        assert kept[source, target] == (score > delta * deviation)


@pytest.mark.parametrize("seed", range(4))
def test_the_tree_is_that_of_networkx(seed):
    weights = random_stack(seed, n=12, layers=1, kept=0.3)
    both = np.maximum(weights[0], weights[0].T)
    tree = nx.maximum_spanning_tree(nx.from_numpy_array(both))
    expected = set()
    for one, other in tree.edges:
        forward = weights[0, one, other] > weights[0, other, one]
        expected.add((one, other) if forward else (other, one))
    strongest = np.unravel_index(weights[0].argmax(), both.shape)
    expected = {pair for pair in expected if pair[0] != pair[1]} | {tuple(map(int, strongest))}
    assert edges_of(spanning_tree_plus(weights, 1 / 12)) == expected


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
    kept = FILTERS[name](weights, *number)
    assert np.array_equal(weights, before), "the input is untouched"
    assert (kept.shape, kept.dtype) == (weights.shape, weights.dtype)
    assert kept is not weights
    assert not np.shares_memory(kept, weights)
    assert np.array_equal(kept, np.where(kept > 0, weights, 0)), "an edge stays as it was or goes"
    assert np.array_equal(kept[:1], FILTERS[name](weights[:1], *number)), (
        "layers are filtered one by one"
    )
    order = np.random.default_rng(seed).permutation(weights.shape[1])
    again = FILTERS[name](weights[:, order][:, :, order], *number)
    if name not in SUMS:
        assert np.array_equal(again, kept[:, order][:, :, order]), "names of nodes do not matter"


@pytest.mark.parametrize("name", FILTERS)
def test_an_empty_layer_stays_empty(name):
    assert not FILTERS[name](np.zeros((2, 3, 3)), *NUMBERS[name]).any()


@pytest.mark.parametrize(
    ("name", "numbers"),
    [
        ("min_cut", [1, 0.5, 0.1, 0]),
        ("top_k", [1, 2, 5, 9]),
        ("disparity", [0, 0.05, 0.3, 1]),
        ("row_relative", [1, 0.5, 0.1, 0]),
        ("matched_density", [0.01, 0.2, 0.4, 1]),
        ("noise_corrected", [3, 0.5, 0.2, 0]),
        ("spanning_tree_plus", [0.1, 2, 4, 9]),
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
        ("row_relative", 2, "share is 2; give a number from 0 to 1"),
        ("matched_density", 1.1, "density is 1.1; give a number from 0 to 1"),
        ("noise_corrected", -1, "delta is -1; give a finite number of at least 0"),
        ("spanning_tree_plus", 0, "degree is 0; give a finite number above 0"),
    ],
)
def test_a_filter_refuses_bad_numbers(name, number, message):
    with pytest.raises(InputError, match=message):
        FILTERS[name](TOY, number)


@pytest.mark.parametrize("name", FILTERS)
@pytest.mark.parametrize("shape", [(3, 3), (2, 3, 4)])
def test_a_filter_refuses_what_is_no_stack_of_layers(name, shape):
    with pytest.raises(InputError, match="weights has shape"):
        FILTERS[name](np.zeros(shape), *NUMBERS[name])


# --- the pruning curve ------------------------------------------------------------------------------------------------


def test_the_curve_by_hand():
    curve = pruning_curve(
        TOY, [1, 0, 0.5], Tokens((1, 3)), names=("a", "b"), measures=["in_strength"]
    )
    assert list(curve.columns) == [
        "layer",
        "name",
        "filter",
        "value",
        "edges",
        "density",
        "isolates",
        "giant_component",
        "tau_in_strength",
    ]
    assert curve[["layer", "name", "value"]].to_numpy().tolist() == [
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
        pruned = min_cut(weights, row.value)
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


@pytest.mark.parametrize("name", [name for name in FILTERS if NUMBERS[name]])
def test_the_curve_of_every_filter(name):
    weights = random_stack(2, n=9)
    values = sorted({*NUMBERS[name], 1})
    curve = pruning_curve(weights, values, Tokens((3, 3)), filter=name, measures="in_strength")
    assert set(curve["filter"]) == {name}
    for row in curve.itertuples():
        kept = FILTERS[name](weights, row.value)[row.layer]
        assert row.edges == np.count_nonzero(kept)
        tau = kendalltau(weights[row.layer].sum(0), kept.sum(0)).statistic
        assert row.tau_in_strength == pytest.approx(tau, nan_ok=True)


def test_a_curve_of_no_cuts_has_its_columns():
    assert list(pruning_curve(TOY, [], Tokens((1, 3)), measures="pagerank").columns)[-2:] == [
        "giant_component",
        "tau_pagerank",
    ]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"values": [0, 2]}, "min_cut is 2"),
        ({"filter": "without_loops"}, "without_loops was given 0; it takes no number"),
        ({"filter": "top_k"}, "k is 0"),
        ({"filter": "topk"}, "unknown filter 'topk'"),
        ({"measures": ["pagernk"]}, "unknown centrality 'pagernk'"),
        ({"measures": ["pagerank", "pagerank"]}, "give each once"),
        ({"weights": TOY[0]}, "weights has shape"),
        ({"names": ("a",)}, "1 names and 3 tokens were given for 2 layers of 3 nodes"),
        ({"tokens": Tokens((2, 2))}, "2 names and 4 tokens"),
    ],
)
def test_what_the_curve_refuses(options, message):
    with pytest.raises(InputError, match=message):
        pruning_curve(**{"weights": TOY, "values": [0], "tokens": Tokens((1, 3)), **options})
