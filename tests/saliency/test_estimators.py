from functools import partial

import numpy as np
import pytest
from fake import FakeModel
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

import multiplex_vit as mv
from multiplex_vit.network.token_graph import token_graph

PIXELS = np.zeros((1, 3, 2, 3), dtype=np.float32)
PATH = np.diag([1.0, 1.0, 1.0, 1.0], 1) + np.diag([1.0, 1.0, 1.0, 1.0], -1)


class Planted(FakeModel):
    """An 8 x 8 grid; confidence is 0.1 plus what the kept nodes of a blob are worth."""

    def __init__(self, size=8, seed=0):
        rng = np.random.default_rng(seed)
        row, col = np.divmod(np.arange(size * size), size)
        blob = np.exp(-((row - 2.5) ** 2 + (col - 4.5) ** 2) / 8)
        self.worth = (0.6 * blob / blob.sum()).astype(np.float32)
        self.size, self.sequences = size, 0
        attention = rng.random((1, 1, 4, size * size, size * size)) * np.exp(
            -np.hypot(row[:, None] - row, col[:, None] - col)
        )
        import torch

        self.attention = torch.tensor(attention, dtype=torch.float32)

    def attend(self, tokens, operators, *, prefix=False):
        import torch

        powers = torch.cat([self.attention ** (i + 1) for i, _ in enumerate(operators)], 1)
        return powers, self.probabilities(tokens, np.ones((1, self.size**2), dtype=bool))


def masks(n_masks=30, n_nodes=5, seed=0):
    return np.random.default_rng(seed).random((n_masks, n_nodes)) < 0.5


def rank_correlation(heatmap, worth):
    return stats.spearmanr(np.ravel(heatmap), worth).statistic


# --- every estimator --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", mv.saliency.ESTIMATORS)
@pytest.mark.parametrize("n_masks", [0, 1, 2, 30])
def test_an_estimator_keeps_its_contract(name, n_masks):
    kept, confidence = masks(n_masks), np.linspace(0.1, 0.9, n_masks).astype(np.float32)
    before = kept.copy(), confidence.copy(), PATH.copy()
    with np.errstate(all="raise"):
        values = mv.saliency.ESTIMATORS[name](kept, confidence, PATH) if n_masks else None
    if n_masks:
        assert values.shape == (5,)
        assert np.isfinite(values).all()
        assert np.array_equal(values, mv.saliency.ESTIMATORS[name](kept, confidence, PATH))
        assert all(
            np.array_equal(a, b) for a, b in zip(before, (kept, confidence, PATH), strict=True)
        )


@pytest.mark.parametrize("name", mv.saliency.ESTIMATORS)
@given(seed=st.integers(0, 100))
def test_an_estimator_follows_a_renumbering_of_nodes(name, seed):
    kept, confidence = masks(seed=seed), np.random.default_rng(seed).random(30)
    order = np.random.default_rng(seed + 1).permutation(5)
    turned = mv.saliency.ESTIMATORS[name](kept[:, order], confidence, PATH[order][:, order])
    assert turned == pytest.approx(
        mv.saliency.ESTIMATORS[name](kept, confidence, PATH)[order], abs=1e-6
    )


@pytest.mark.parametrize("name", ["contrast", "graph", "shapley"])
def test_equal_confidences_say_nothing(name):
    assert mv.saliency.ESTIMATORS[name](masks(), np.full(30, 0.25), PATH) == pytest.approx(
        0, abs=1e-12
    )


@pytest.mark.parametrize("name", mv.saliency.ESTIMATORS)
@pytest.mark.parametrize("worth", [[0.4, 0.2, 0.1, 0.05, 0.0], [0, 0.1, 0.2, 0.3, 0.4]])
def test_all_masks_give_the_order_of_a_linear_model(name, worth):
    kept = (np.arange(32)[:, None] >> np.arange(5) & 1).astype(bool)
    values = mv.saliency.ESTIMATORS[name](kept, 0.1 + kept @ np.array(worth), PATH)
    assert np.argsort(values).tolist() == np.argsort(worth).tolist()


def test_nodes_that_are_always_or_never_kept():
    kept = masks(n_nodes=5)
    kept[:, 0], kept[:, 4] = True, False
    confidence = 0.1 + kept @ np.array([0, 0.4, 0.2, 0.1, 0])
    for name in ("contrast", "shapley"):
        values = mv.saliency.ESTIMATORS[name](kept, confidence, PATH)
        assert values[[0, 4]] == pytest.approx(0, abs=1e-9)
    assert mv.saliency.ESTIMATORS["coverage"](kept, confidence)[4] == 0
    values = mv.saliency.ESTIMATORS["graph"](kept, confidence, PATH)
    assert values[0] == pytest.approx(values[1] / 1.01), "its one neighbour speaks for it"
    assert mv.saliency.ESTIMATORS["graph"](kept, confidence, 0 * PATH)[[0, 4]] == pytest.approx(
        0, abs=1e-12
    )


# --- each against its definition ---------------------------------------------------------------------------------------


def test_coverage_is_the_published_sum_to_the_bit():
    kept, confidence = masks(54, 64), np.random.default_rng(1).random(54).astype(np.float32)
    expected = (
        kept.astype(np.float32).T @ confidence / np.maximum(1, kept.astype(np.float32).sum(0))
    )
    assert np.array_equal(mv.saliency.ESTIMATORS["coverage"](kept, confidence), expected)


def test_graph_minimises_what_it_says():
    kept, confidence = masks(), np.random.default_rng(2).random(30)
    values = mv.saliency.ESTIMATORS["graph"](kept, confidence, PATH, smoothness=2.0, shrinkage=0.5)

    count = kept.sum(1)
    weight = 1 / np.maximum(4, count * (5 - count))
    weight *= len(kept) / weight.sum()

    def loss(h):
        residual = confidence - kept @ h
        residual = residual - np.average(residual, weights=weight)
        rough = sum(PATH[i, j] * (h[i] - h[j]) ** 2 for i in range(5) for j in range(i))
        return residual @ (weight * residual) + 2.0 * (rough + 0.5 * h @ h)

    for step in 1e-4 * np.concatenate([np.eye(5), -np.eye(5)]):
        assert loss(values) < loss(values + step)


def test_shapley_is_the_mean_marginal_gain_over_all_orders():
    from itertools import permutations

    kept = (np.arange(16)[:, None] >> np.arange(4) & 1).astype(bool)
    worth = np.random.default_rng(3).random(16)
    gains = np.zeros(4)
    for order in permutations(range(4)):
        held = 0
        for node in order:
            gains[node] += (worth[held | 1 << node] - worth[held]) / 24
            held |= 1 << node
    values = mv.saliency.ESTIMATORS["shapley"](kept, worth)
    assert values - values.mean() == pytest.approx(gains - gains.mean()), (
        "equal but for the sum, which no mask of all or nothing ties down"
    )


# --- explanations ------------------------------------------------------------------------------------------------------


def test_another_estimator_takes_no_pass(fake):
    explanation = mv.explain(fake, PIXELS, estimator="graph")
    passes = fake.sequences
    for name in mv.saliency.ESTIMATORS:
        other = explanation.with_estimator(name)
        assert other.settings.estimator == name
        assert np.array_equal(other.heatmap, explanation.estimate(name))
        assert np.array_equal(
            other.for_class(1).heatmap, explanation.for_class(1).with_estimator(name).heatmap
        )
    assert fake.sequences == passes
    assert np.array_equal(explanation.estimate("coverage"), mv.explain(FakeModel(), PIXELS).heatmap)


def test_without_a_graph_the_message_says_what_to_do(fake):
    explanation = mv.explain(fake, PIXELS)
    assert explanation.graph is None
    with pytest.raises(
        mv.InputError,
        match="needs the token graph, which was not kept; explain with estimator='graph'",
    ):
        explanation.estimate("graph")
    with pytest.raises(mv.InputError, match="unknown estimator 'grpah'"):
        explanation.with_estimator("grpah")
    with pytest.raises(mv.InputError, match=r"estimator <lambda> returned shape \[2\]"):
        explanation.estimate(lambda kept, confidence, graph: np.zeros(2))


def test_the_estimator_and_the_graph_are_saved(fake, tmp_path):
    explanation = mv.explain(fake, PIXELS, method="communities", budget=20)
    explanation.save(tmp_path / "a.npz")
    loaded = mv.Explanation.load(tmp_path / "a.npz")
    assert loaded.settings == explanation.settings
    assert np.array_equal(loaded.heatmap, explanation.heatmap)
    assert loaded.masks.table().equals(explanation.masks.table())


@pytest.mark.parametrize(
    ("design", "estimator", "at_least"),
    [
        ("random", "graph", 0.95),
        ("random", "shapley", 0.95),
        ("mixed", "graph", 0.95),
        ("orthogonal", "graph", 0.95),
        ("random", "coverage", 0.9),
        ("mixed", "contrast", 0.9),
    ],
)
def test_a_planted_heatmap_comes_back(design, estimator, at_least):
    """Averages hold what other nodes of a mask are worth too, so that they come back less exactly than least squares."""
    model = Planted()
    explanation = mv.explain(
        model,
        np.zeros((1, 3, 8, 8), dtype=np.float32),
        label=0,
        design=design,
        estimator=estimator,
        budget=550,
    )
    assert explanation.forward_passes == model.sequences == 550
    assert rank_correlation(explanation.heatmap, model.worth) > at_least


def test_the_smoothness_of_the_settings_reaches_the_graph_estimator(fake):
    explanation = mv.explain(fake, PIXELS, estimator="graph", smoothness=2.0)
    expected = mv.saliency.ESTIMATORS["graph"](
        explanation.masks.kept, explanation.confidence, explanation.graph, smoothness=2.0
    )
    assert explanation.heatmap.ravel() == pytest.approx(expected, rel=1e-6)
    assert explanation.estimate(
        partial(mv.saliency.ESTIMATORS["graph"], smoothness=2.0)
    ) == pytest.approx(explanation.heatmap)
    assert explanation.estimate(mv.saliency.ESTIMATORS["graph"]) != pytest.approx(
        explanation.heatmap, rel=1e-3
    )


# --- the token graph ---------------------------------------------------------------------------------------------------


def test_the_token_graph_by_hand():
    attention = np.zeros((2, 12, 12))
    attention[0, 0, 11], attention[1, 0, 11] = 0.5, 0.25
    graph = token_graph(attention, (1, 12), grid_weight=0)
    assert graph.sum() == pytest.approx(60)
    assert graph[0, 11] == graph[11, 0] == pytest.approx(30)
    half = token_graph(attention, (1, 12))
    assert half[0, 11] == pytest.approx(15)
    assert half[0, 1] == pytest.approx(0.5 * 60 / 22)


def test_the_token_graph_keeps_ten_links_a_token():
    attention = np.random.default_rng(0).random((3, 64, 64))
    graph = token_graph(attention, (8, 8), grid_weight=0)
    assert np.array_equal(graph, graph.T)
    assert not graph.diagonal().any()
    assert (graph > 0).sum(1).min() == 10
    strongest = np.argsort(-(attention.mean(0) + attention.mean(0).T - 9 * np.eye(64)), axis=1)[
        :, :10
    ]
    assert (np.take_along_axis(graph, strongest, 1) > 0).all()


@pytest.mark.parametrize("grid", [(1, 1), (1, 2), (2, 3)])
def test_small_grids_have_graphs_too(grid):
    n = grid[0] * grid[1]
    assert np.isfinite(token_graph(np.ones((2, n, n)), grid)).all()
