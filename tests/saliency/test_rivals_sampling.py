"""Rivals that sample masks of their own, against independent computations."""

from itertools import combinations
from math import factorial

import numpy as np
import pytest
import torch

import multiplex_vit as mv
from multiplex_vit.saliency.explainers.kernel_shap import kernel_masks
from multiplex_vit.saliency.explainers.similarity_walks import walked
from multiplex_vit.saliency.explainers.tis import centres

CAT = mv.samples()["cat"]
PIXELS = np.zeros((1, 3, 2, 3), dtype=np.float32)


def covered(explanation):
    """Return the mean confidence of the masks that keep each token, with the model's own word for each mask."""
    kept = explanation.masks.kept.astype(float)
    return kept.T @ explanation.confidence / np.maximum(1, kept.sum(0))


# --- KernelSHAP -------------------------------------------------------------------------------------------------------


def test_kernel_shap_is_exact_on_a_linear_model(fake):
    result = mv.EXPLAINERS["kernel_shap"].at(budget=40)(fake, PIXELS, 0)
    assert result.heatmap.ravel() == pytest.approx(fake.worth, abs=1e-6)
    assert result.for_class(1).heatmap.ravel() == pytest.approx(-fake.worth, abs=1e-6)


@pytest.mark.parametrize("budget", [2, 3, 5, 8])
def test_kernel_shap_shares_out_what_all_tokens_add_even_if_passes_are_few(fake, budget):
    heatmap = mv.EXPLAINERS["kernel_shap"].at(budget=budget)(fake, PIXELS, 0).heatmap
    assert heatmap.sum() == pytest.approx(fake.worth.sum(), abs=1e-6)


def test_kernel_shap_comes_near_shapley_values_of_a_game_with_a_pair(fake):
    """p = 0.1 + 0.5 (first two together) + 0.2 (third, if the fourth is away)."""

    def worth(kept):
        return 0.1 + 0.5 * (kept[..., 0] & kept[..., 1]) + 0.2 * (kept[..., 2] & ~kept[..., 3])

    def probabilities(tokens, kept, *, batch_size="auto"):
        own = torch.as_tensor(worth(np.asarray(kept)), dtype=torch.float32)
        return torch.stack([own, 1 - own], 1)

    exact = np.zeros(6)
    for node in range(6):
        for count in range(6):
            for others in combinations([n for n in range(6) if n != node], count):
                kept = np.isin(np.arange(6), others)
                weight = factorial(count) * factorial(5 - count) / factorial(6)
                exact[node] += weight * (worth(kept | (np.arange(6) == node)) - worth(kept))
    assert exact == pytest.approx([0.25, 0.25, 0.1, -0.1, 0, 0])
    fake.probabilities = probabilities
    result = mv.EXPLAINERS["kernel_shap"].at(budget=20_000)(fake, PIXELS, 0)
    assert result.heatmap.ravel() == pytest.approx(exact, abs=0.005)
    assert result.forward_passes == 64


def test_sizes_come_from_the_shapley_kernel_and_masks_in_pairs():
    kept = kernel_masks(5, 40_000, np.random.default_rng(0))
    assert np.array_equal(kept[::2], ~kept[1::2])
    weight = np.array([1 / 4, 1 / 6, 1 / 6, 1 / 4])
    assert np.bincount(kept.sum(1), minlength=6)[1:5] / 40_000 == pytest.approx(
        weight / weight.sum(), abs=0.01
    )
    assert kept.mean(0) == pytest.approx(np.full(5, 0.5))
    assert kernel_masks(5, 7, np.random.default_rng(0)).shape == (7, 5)
    assert kernel_masks(1, 7, np.random.default_rng(0)).shape == (0, 1)


# --- RISE on pixels ---------------------------------------------------------------------------------------------------


def test_rise_on_pixels_agrees_with_masks_made_by_hand(tiny, pixels):
    model = tiny("Dinov2")
    result = mv.EXPLAINERS["rise_pixels(budget=31, seed=5)"](model, pixels(16, 24), 1)
    rng, sides = np.random.default_rng(5), (16, 24)
    cells, shifts = rng.random((30, 7, 7)) < 0.5, rng.integers(0, [3, 4], (30, 2))
    total = np.zeros(sides)
    for mask, shift in zip(cells.astype(float), shifts, strict=True):
        for axis, (cell, side) in enumerate(zip((3, 4), sides, strict=True)):
            places = (np.arange(shift[axis], shift[axis] + side) + 0.5) / (8 * cell) * 7 - 0.5
            mask = np.apply_along_axis(
                lambda values, at=places: np.interp(at, np.arange(7), values), axis, mask
            )
        total += mask * float(model.classify((pixels(16, 24) * mask).astype(np.float32))[0, 1])
    assert result.heatmap == pytest.approx(total.reshape(4, 4, 6, 4).mean((1, 3)) / 15, abs=1e-5)


def test_rise_on_pixels_finds_the_one_patch_that_counts(demo_vit, monkeypatch):
    """A model that looks at one patch alone, over more masks than are made at a time."""

    def classify(pixels, *, batch_size="auto"):
        own = pixels[:, :, 8:12, 20:24].mean((1, 2, 3)).clamp(0, 1)
        return torch.stack([own, *[(1 - own) / 9] * 9], 1)

    monkeypatch.setattr(demo_vit, "classify", classify)
    heatmap = mv.EXPLAINERS["rise_pixels(budget=1001)"](
        demo_vit, np.ones((1, 3, 32, 32), dtype=np.float32), 0
    ).heatmap
    assert np.unravel_index(heatmap.argmax(), heatmap.shape) == (2, 5)
    assert heatmap.max() > 1.3 * np.median(heatmap)


# --- Transformer Input Sampling ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["ViT", "DeiT", "Dinov2"])
def test_tis_with_a_cluster_a_channel_keeps_the_greater_half_of_each(tiny, pixels, kind):
    """Three blocks of width 16 have 48 channels; more clusters than channels there cannot be."""
    model = tiny(kind)
    result = mv.EXPLAINERS["tis"].at(budget=100)(model, pixels(), 3)
    outputs = []
    blocks = next(
        m for m in model.model.modules() if isinstance(m, torch.nn.ModuleList) and len(m) == 3
    )
    hooks = [
        block.register_forward_hook(
            lambda _module, _args, output: outputs.append(output.detach()[0])
        )
        for block in blocks
    ]
    model.classify(pixels())
    for hook in hooks:
        hook.remove()
    channels = torch.cat(outputs, 1).numpy()[model.n_prefix :].T
    expected = channels > np.sort(channels, axis=1)[:, [7]]
    assert {mask.tobytes() for mask in expected} == {mask.tobytes() for mask in result.masks.kept}
    assert len(result.masks) == 48
    assert result.heatmap.ravel() == pytest.approx(covered(result), abs=1e-6)


def test_centres_are_those_of_lloyds_rounds():
    """Points without clusters, which settle late."""
    points = np.random.default_rng(3).standard_normal((300, 4))
    expected, moved = points[np.random.default_rng(7).permutation(300)[:5]], []
    for _ in range(20):
        before, nearest = expected, ((points[:, None] - expected) ** 2).sum(2).argmin(1)
        expected = np.array([points[nearest == cluster].mean(0) for cluster in range(5)])
        moved.append(np.abs(expected - before).max())
    assert moved[10] > 1e-3
    assert centres(points, 5, 7) == pytest.approx(expected, abs=1e-9)


def test_a_cluster_that_runs_empty_keeps_its_centre():
    points = np.array([[0.0], [0.0], [0.0], [1.0]])
    assert sorted(centres(points, 4, 0).ravel()) == [0, 0, 0, 1]


def test_a_mask_that_keeps_every_token_takes_no_second_pass(fake):
    result = mv.EXPLAINERS["kernel_shap"].at(budget=10)(fake, PIXELS, 0)
    assert result.masks.kept[1].all()
    assert fake.sequences == result.forward_passes
    assert np.array_equal(result.probabilities[1], result.clean)


# --- similarity walks -------------------------------------------------------------------------------------------------


def test_a_walk_stays_where_edges_lead():
    weights = np.kron(np.eye(2), np.ones((3, 3)))
    for seed in range(20):
        kept = walked(weights, np.array([0, 1.0, 0, 0, 0, 0]), np.random.default_rng(seed))
        assert kept.tolist() == [True] * 3 + [False] * 3


def test_a_walk_goes_on_in_proportion_to_the_edges():
    weights = np.zeros((4, 4))
    weights[0] = [9, 3, 1, 0]
    rng, start = np.random.default_rng(0), np.array([1.0, 0, 0, 0])
    visits = np.mean([walked(weights, start, rng) for _ in range(4000)], axis=0)
    assert visits == pytest.approx([1, 0.75, 0.25, 0], abs=0.02)


def test_a_walk_that_is_stuck_goes_anywhere_else():
    kept = walked(np.zeros((6, 6)), np.zeros(6), np.random.default_rng(0))
    assert kept.sum() == 3


def test_similarity_walks_are_dealt_to_the_blocks_and_averaged_over_coverage(demo_vit):
    result = mv.EXPLAINERS["similarity_walks"].at(budget=25)(demo_vit, CAT)
    assert (result.masks.kept.sum(1) == 32).all()
    assert (len(result.masks), set(result.masks.designs)) == (24, {"similarity_walks"})
    assert result.heatmap.ravel() == pytest.approx(covered(result), abs=1e-6)
    other = mv.EXPLAINERS["similarity_walks(budget=25, seed=1)"](demo_vit, CAT)
    assert not np.array_equal(result.masks.kept, other.masks.kept)


@pytest.mark.parametrize("name", ["tis", "similarity_walks"])
def test_explanations_of_rivals_are_saved_and_read(demo_vit, tmp_path, name):
    result = mv.EXPLAINERS[name].at(budget=10)(demo_vit, CAT)
    result.save(tmp_path / "rival.npz")
    assert np.array_equal(mv.Explanation.load(tmp_path / "rival.npz").heatmap, result.heatmap)
