"""Layers compared: pairs by hand and by independent computation, overlap of all, and which of them can be merged."""

import math
import warnings

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats
from scipy.linalg import expm
from scipy.spatial.distance import jensenshannon

from multiplex_vit.errors import InputError
from multiplex_vit.network.multilayer import (
    DENSITIES,
    LAYER_SIMILARITIES,
    edge_multiplicity,
    global_overlap,
    layer_pair_table,
    reducibility,
    similarity_matrix,
)

FIRST = np.array([[0.5, 0.25, 0.25, 0], [0, 0.5, 0, 0.5], [0.125, 0, 0.75, 0.125], [0, 0, 0, 0]])
SECOND = np.array([[0, 1, 0, 0], [0.5, 0, 0.5, 0], [0, 0, 0, 0], [0, 0, 0, 0.25]])
EMPTY = np.zeros((4, 4))
SAME = {"jensen_shannon": 0.0, "common_edges": 8}
DISJOINT = {
    "common_edges": 0,
    "edge_overlap": 0,
    "jaccard": 0,
    "weighted_jaccard": 0,
    "cosine": 0,
}
RANGES = {
    "common_edges": (0, math.inf),
    "jensen_shannon": (0, math.log(2)),
    "pearson": (-1, 1),
}
layers = st.integers(1, 5).flatmap(
    lambda n: arrays(
        np.float64,
        (2, n, n),
        elements=st.sampled_from([0, 0, 0.25, 1]) | st.floats(0, 1),
    )
)


def random_layers(seed, n_layers=2, n=15, density=0.4):
    rng = np.random.default_rng(seed)
    return rng.random((n_layers, n, n)) * (rng.random((n_layers, n, n)) < density)


def edges(weights):
    return {(i, j): weights[i, j] for i, j in np.argwhere(weights)}


def plain_jensen_shannon(a, b):
    return np.mean(
        [jensenshannon(p, q) ** 2 for p, q in zip(a, b, strict=True) if p.any() and q.any()]
    )


PLAIN = {
    "common_edges": lambda a, b: len(edges(a).keys() & edges(b)),
    "edge_overlap": lambda a, b: (
        2
        * sum(min(w, edges(b).get(e, 0)) for e, w in edges(a).items())
        / (sum(edges(a).values()) + sum(edges(b).values()))
    ),
    "jaccard": lambda a, b: len(edges(a).keys() & edges(b)) / len(edges(a).keys() | edges(b)),
    "weighted_jaccard": lambda a, b: (
        sum(min(w, edges(b).get(e, 0)) for e, w in edges(a).items())
        / sum(max(edges(a).get(e, 0), edges(b).get(e, 0)) for e in edges(a).keys() | edges(b))
    ),
    "cosine": lambda a, b: (a * b).sum() / math.sqrt((a**2).sum() * (b**2).sum()),
    "pearson": lambda a, b: np.corrcoef(a.ravel(), b.ravel())[0, 1],
    "in_strength_pearson": lambda a, b: stats.pearsonr(a.sum(0), b.sum(0)).statistic,
    "out_strength_pearson": lambda a, b: stats.pearsonr(a.sum(1), b.sum(1)).statistic,
    "in_strength_spearman": lambda a, b: stats.spearmanr(a.sum(0), b.sum(0)).statistic,
    "out_strength_spearman": lambda a, b: stats.spearmanr(a.sum(1), b.sum(1)).statistic,
    "jensen_shannon": plain_jensen_shannon,
}


def similarity(name, first, second):
    return LAYER_SIMILARITIES[name](first, second)


def test_strengths_that_are_equal_but_for_rounding_share_their_rank():
    weights = np.array([[0.1, 0.3, 0], [0.2, 0, 0], [0.3, 0.3, 0.5]])
    assert weights.sum(0)[0] != weights[::-1].sum(0)[0], "a sum depends on its order"
    other = np.diag([1.0, 2.0, 4.0])
    # In-strengths 0.6 0.6 0.5 have ranks 2.5 2.5 1, against 1 2 3: Pearson's r is -sqrt(3) / 2.
    for order in ([0, 1, 2], [2, 1, 0], [1, 2, 0]):
        found = similarity("in_strength_spearman", weights[order], other)
        assert found == pytest.approx(-math.sqrt(3) / 2)


# --- pairs ------------------------------------------------------------------------------------------------------------


def test_a_pair_by_hand():
    row = layer_pair_table(np.array([FIRST, SECOND]), ("L00", "L01")).iloc[0]
    assert row[["layer_a", "layer_b", "name_a", "name_b"]].tolist() == [
        0,
        1,
        "L00",
        "L01",
    ]
    assert row["common_edges"] == 1, "0 to 1 alone"
    assert row["edge_overlap"] == pytest.approx(2 * 0.25 / (3 + 2.25))
    assert row["jaccard"] == pytest.approx(1 / 11)
    assert row["weighted_jaccard"] == pytest.approx(0.25 / (3 + 2.25 - 0.25))
    assert row["cosine"] == pytest.approx(0.25 / math.sqrt(1.46875 * 1.5625))
    entropy = 1.5 * math.log(2)
    mixed = -(0.25 * math.log(0.25) + 0.625 * math.log(0.625) + 0.125 * math.log(0.125))
    assert row["jensen_shannon"] == pytest.approx(((mixed - entropy / 2) + math.log(2)) / 2), (
        "rows 0 and 1 pay attention in both"
    )


@pytest.mark.parametrize("name", LAYER_SIMILARITIES)
@pytest.mark.parametrize("seed", range(3))
def test_a_similarity_agrees_with_an_independent_computation(name, seed):
    first, second = random_layers(seed)
    second[3] = first[:, 5] = 0
    assert similarity(name, first, second) == pytest.approx(PLAIN[name](first, second), rel=1e-9)


def test_every_similarity_has_an_independent_computation():
    assert set(PLAIN) == set(LAYER_SIMILARITIES)


@pytest.mark.parametrize("name", LAYER_SIMILARITIES)
def test_a_layer_with_itself(name):
    assert similarity(name, FIRST, FIRST) == pytest.approx(SAME.get(name, 1), abs=1e-12)


@pytest.mark.parametrize("name", DISJOINT)
def test_disjoint_layers(name):
    assert similarity(name, FIRST, np.array(FIRST == 0, dtype=float)) == DISJOINT[name]


def test_disjoint_rows_are_ln_2_apart():
    first, second = np.array([[1.0, 0], [0, 0]]), np.array([[0, 3.0], [1.0, 0]])
    assert similarity("jensen_shannon", first, second) == pytest.approx(math.log(2))


@pytest.mark.parametrize("name", sorted(set(LAYER_SIMILARITIES) - {"common_edges"}))
def test_two_empty_layers_have_no_similarity(name):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert math.isnan(similarity(name, EMPTY, EMPTY))


def test_an_empty_layer_beside_another():
    found = {name: similarity(name, FIRST, EMPTY) for name in LAYER_SIMILARITIES}
    assert [name for name, value in found.items() if not math.isnan(value)] == [
        "common_edges",
        "edge_overlap",
        "jaccard",
        "weighted_jaccard",
    ]
    assert not any(value for value in found.values() if not math.isnan(value))


@pytest.mark.parametrize("name", ["out_strength_pearson", "out_strength_spearman"])
def test_equal_strengths_have_no_correlation_though_rounding_tells_them_apart(name):
    rows = random_layers(0, density=1).astype(np.float32)
    softmax = rows / rows.sum(2, keepdims=True)
    assert np.ptp(softmax[0].sum(1, dtype=float)) > 0
    assert math.isnan(similarity(name, softmax[0], softmax[1]))


@pytest.mark.parametrize("name", LAYER_SIMILARITIES)
@given(weights=layers, seed=st.integers(0, 99))
@example(weights=np.full((2, 2, 2), 5e-324), seed=0)
@example(weights=np.ones((2, 1, 1)), seed=0)
def test_a_similarity_keeps_its_contract(name, weights, seed):
    before = weights.copy()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        value = similarity(name, *weights)
    low, high = RANGES.get(name, RANGES["pearson"] if "strength" in name else (0, 1))
    assert math.isnan(value) or low <= value <= high + 1e-12
    assert np.array_equal(weights, before), "the input is untouched"
    assert similarity(name, *weights[::-1]) == pytest.approx(value, abs=1e-12, nan_ok=True), (
        "it is symmetric"
    )
    order = np.random.default_rng(seed).permutation(weights.shape[1])
    mixed = weights[:, order][:, :, order]
    assert similarity(name, *mixed) == pytest.approx(value, abs=1e-6, nan_ok=True), (
        "names of nodes do not matter"
    )


def test_the_table_has_a_row_a_pair():
    table = layer_pair_table(random_layers(0, 4), ("a", "b", "c", "d"), ("jaccard", first_weight))
    assert list(table.columns) == [
        "layer_a",
        "layer_b",
        "name_a",
        "name_b",
        "jaccard",
        "first_weight",
    ]
    assert (table["name_a"] + table["name_b"]).tolist() == [
        "ab",
        "ac",
        "ad",
        "bc",
        "bd",
        "cd",
    ]
    assert len(layer_pair_table(random_layers(0, 1), ("a",))) == 0
    assert layer_pair_table(FIRST[None], ("a",))["layer_a"].dtype == int


def first_weight(first, second):
    return first[0, 0] * second[0, 0]


def name_a(first, second):
    return 0.0


def test_the_matrix_has_the_pairs_of_the_table():
    weights = random_layers(1, 4)
    matrix = similarity_matrix(weights, "cosine")
    assert np.array_equal(matrix, matrix.T)
    assert np.diag(matrix) == pytest.approx(np.ones(4))
    assert (
        matrix[np.triu_indices(4, 1)].tolist()
        == layer_pair_table(weights, "abcd", "cosine")["cosine"].tolist()
    )


def test_bad_similarities():
    with pytest.raises(InputError, match="unknown layer similarity 'jacard' .*'jaccard'"):
        similarity_matrix(np.array([FIRST]), "jacard")
    with pytest.raises(InputError, match="the table has a column 'name_a' already"):
        layer_pair_table(np.array([FIRST, SECOND]), "ab", name_a)
    with pytest.raises(
        InputError,
        match="layer similarity minimum returned ndarray; expected one number",
    ):
        similarity_matrix(np.array([FIRST]), np.minimum)


# --- all layers at once -----------------------------------------------------------------------------------------------


def test_global_overlap():
    assert global_overlap(np.array([FIRST, FIRST, FIRST])) == pytest.approx(1)
    assert global_overlap(np.array([FIRST, SECOND])) == pytest.approx(2 * 0.25 / 5.25)
    assert global_overlap(np.array([FIRST, FIRST == 0])) == 0
    assert global_overlap(np.array([FIRST, FIRST, EMPTY])) == 0
    assert global_overlap(FIRST[None]) == 1
    assert math.isnan(global_overlap(np.array([EMPTY, EMPTY])))


def test_edge_multiplicity():
    multiplicity = edge_multiplicity(np.array([FIRST, SECOND, EMPTY]))
    assert multiplicity.tolist() == [
        [1, 2, 1, 0],
        [1, 1, 1, 1],
        [1, 0, 1, 1],
        [0, 0, 0, 1],
    ]
    assert multiplicity.dtype.kind == "i"


# --- reducibility -----------------------------------------------------------------------------------------------------


def plain_entropy(matrix):
    values = np.linalg.eigvals(matrix).real
    return -sum(v * math.log2(v) for v in values if v > 1e-14)


def plain_density(weights, density, tau=1.0):
    both = (weights + weights.T) / 2
    np.fill_diagonal(both, 0)
    laplacian = np.diag(both.sum(1)) - both
    if density == "laplacian":
        return laplacian / np.trace(laplacian)
    return expm(-tau * laplacian) / np.trace(expm(-tau * laplacian))


@pytest.mark.parametrize("density", DENSITIES)
def test_distances_and_quality_agree_with_plain_formulas(density):
    weights = random_layers(0, 4)
    result = reducibility(weights, "abcd", density=density, tau=0.3)
    rho = [plain_density(w, density, 0.3) for w in weights]
    for a in range(4):
        for b in range(4):
            divergence = (
                plain_entropy((rho[a] + rho[b]) / 2)
                - (plain_entropy(rho[a]) + plain_entropy(rho[b])) / 2
            )
            assert result.distances[a, b] ** 2 == pytest.approx(divergence, abs=1e-9)
    whole = plain_entropy(plain_density(weights.mean(0), density, 0.3))
    for merges in range(4):
        entropies = [
            plain_entropy(plain_density(weights[list(group)].mean(0), density, 0.3))
            for group in result.groups(merges)
        ]
        assert result.quality[merges] == pytest.approx(1 - np.mean(entropies) / whole, abs=1e-9)
    assert len(result.groups(0)) == 4
    assert result.groups(3) == ((0, 1, 2, 3),)


@pytest.mark.parametrize("density", DENSITIES)
def test_the_same_layers_are_merged(density):
    weights = np.stack([FIRST, FIRST, FIRST])
    result = reducibility(weights, "abc", density=density)
    assert not result.distances.any()
    assert not result.quality.any()
    assert result.best == 2
    assert result.groups() == ((0, 1, 2),)


def test_two_kinds_of_layers_are_merged_to_two():
    kinds = np.zeros((2, 8, 8))
    kinds[0, :4, :4] = kinds[1, 4:, 4:] = 1
    weights = kinds[[0, 1, 0, 1, 0]] * np.arange(1, 6)[:, None, None]
    result = reducibility(weights, "abcde")
    assert result.groups() == ((0, 2, 4), (1, 3))
    assert result.best == 3
    assert result.table()["groups"].tolist()[3] == "a+c+e, b+d"
    assert result.distances[0, 1] == pytest.approx(1), (
        "layers without a common node are at the greatest distance"
    )
    # All layers have entropy log2 3; the aggregate has weights 9 and 6 there, so log2 3 + h(0.6, 0.4).
    whole = math.log2(3) - 0.6 * math.log2(0.6) - 0.4 * math.log2(0.4)
    assert result.quality.tolist() == pytest.approx([1 - math.log2(3) / whole] * 4 + [0])


def test_self_loops_and_directions_do_not_matter():
    weights = random_layers(2, 3)
    turned = weights.copy()
    turned[0] = weights[0].T + np.eye(15)
    expected, found = reducibility(weights, "abc"), reducibility(turned, "abc")
    assert found.distances == pytest.approx(expected.distances)
    assert found.quality == pytest.approx(expected.quality)


def test_empty_layers_change_no_quality():
    weights = random_layers(3, 2)
    with_empty = np.stack([weights[0], np.eye(15), weights[1], np.zeros((15, 15))])
    result = reducibility(with_empty, "abcd")
    assert result.distances[1].tolist() == [1, 0, 1, 0]
    assert result.groups(1) == ((0,), (1, 3), (2,)), "empty layers are merged first"
    assert result.quality[:2].tolist() == pytest.approx(
        [reducibility(weights, "ab").quality[0]] * 2
    )
    assert reducibility(np.zeros((3, 4, 4)), "abc").groups() == ((0, 1, 2),)


def test_one_layer_has_nothing_to_merge():
    result = reducibility(FIRST[None], ("a",))
    assert (
        result.best,
        result.quality.tolist(),
        result.groups(),
        result.linkage.shape,
    ) == (0, [0], ((0,),), (0, 4))


def test_the_table_of_merges():
    result = reducibility(random_layers(4, 3), "abc")
    table = result.table()
    assert list(table.columns) == ["merges", "layers", "height", "quality", "groups"]
    assert table["layers"].tolist() == [3, 2, 1]
    assert table["height"].tolist()[1:] == result.linkage[:, 2].tolist()
    assert table["groups"].tolist()[::2] == ["a, b, c", "a+b+c"]


def test_bad_reducibility():
    weights = random_layers(0, 3)
    with pytest.raises(InputError, match="unknown density 'gibs'"):
        reducibility(weights, "abc", density="gibs")
    with pytest.raises(InputError, match="tau is 0; give a finite number above 0"):
        reducibility(weights, "abc", density="gibbs", tau=0)
    with pytest.raises(InputError, match="merges is 3; 3 layers have 0 to 2"):
        reducibility(weights, "abc").groups(3)
    with pytest.raises(InputError, match="merges is -1"):
        reducibility(weights, "abc").groups(-1)


@pytest.mark.parametrize("density", DENSITIES)
@given(weights=layers)
@example(weights=np.full((2, 2, 2), 5e-324))
def test_reducibility_keeps_its_contract(density, weights):
    before = weights.copy()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        result = reducibility(weights, "ab", density=density)
    assert np.array_equal(weights, before)
    assert result.distances.min() >= 0
    assert result.distances.max() <= 1
    assert np.isfinite(result.quality).all()
    assert result.quality[-1] == 0
    assert result.quality.max() <= 1
    assert 0 <= result.best <= 1
