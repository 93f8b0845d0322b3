"""Stable numerics: the same masks whatever the last bits of attention are."""

import math

import numpy as np
import published
import pytest
import torch
from attention_masks import masks_of

import multiplex_vit as mv
from multiplex_vit.network.tokens import Tokens
from multiplex_vit.saliency.numerics import hardly_varies, keep_published, keep_stable, rounded


def attention(seed=0, n_layers=6, n_nodes=49):
    """Return attention [operator, layer, source, target] some of whose nodes hardly vary over layers."""
    rng = torch.Generator().manual_seed(seed)
    scores = torch.randn(3, n_layers, n_nodes, n_nodes, generator=rng)
    scores[:, :, :, : n_nodes // 2] = 0
    return scores.softmax(-1)


@pytest.fixture(scope="module")
def recorded_attention():
    """Attention [operator, layer, source, target] of the recorded pictures, many of whose ranks are decided by rounding."""
    model = mv.load(published.DATA / "vit", device="cpu")
    found = []
    for pixels in np.load(published.DATA / "pixel_values.npz")["pixel_values"]:
        tokens = model.embed(torch.from_numpy(pixels[None]))
        found.append(model.attend(tokens, ("min", "max", "sum"))[0][0])
    return found


def shaken(weights, seed):
    """Return weights as another processor might compute them: the last bits of float32 differ."""
    rng = torch.Generator().manual_seed(seed)
    noise = 1e-6 * torch.randn(weights.shape, generator=rng)
    return weights * (1 + noise)


def masks(weights, **options):
    side = math.isqrt(weights.shape[-1])
    return masks_of(weights, mv.Settings(**options), Tokens((side, side))).kept


def test_last_bits_move_published_masks_and_hardly_any_stable_ones(recorded_attention):
    moved = {"published": 0, "stable": 0}
    for seed, weights in enumerate(recorded_attention):
        for numerics in moved:
            before = masks(weights, numerics=numerics, min_cut=0.1)
            after = masks(shaken(weights, seed), numerics=numerics, min_cut=0.1)
            moved[numerics] += int((before != after).any(1).sum())
    assert moved["stable"] <= 1
    assert moved["published"] > 5


@pytest.mark.parametrize("token_ratio", [0, 0.1, 0.5, 0.8, 1])
def test_every_stable_mask_keeps_as_many_tokens(token_ratio):
    kept = masks(attention(), numerics="stable", token_ratio=token_ratio).sum(1)
    threshold_place = max(1, math.ceil(49 * token_ratio))
    assert set(kept.tolist()) == {49 - threshold_place + 1}


def test_both_numerics_agree_where_nothing_nearly_ties():
    rng = torch.Generator().manual_seed(3)
    weights = torch.rand(3, 6, 49, 49, generator=rng)
    differing = masks(weights, numerics="stable") != masks(weights)
    # What is equal in five digits goes to the first node, so that single tokens may change places.
    assert differing.mean() < 0.002


def test_what_a_constant_node_gets():
    values = torch.tensor(
        [[1.0, 1.0, 1.0], [1.0, 1.00001, 2.0], [1.0, 1.0, 4.0]], dtype=torch.float64
    )
    assert hardly_varies(values).tolist() == [True, True, False]
    assert {
        name: mv.STATISTICS.trait(name, "constant")
        for name in ("skew", "kurtosis", "sum/std", "max")
    } == {
        "skew": 0.0,
        "kurtosis": -3.0,
        "sum/std": math.inf,
        "max": None,
    }


def test_a_statistic_and_a_centrality_of_ones_own_take_part():
    def second_largest(values):
        return values.sort(0).values[-2]

    def loops(weights):
        return np.diagonal(np.asarray(weights), axis1=-2, axis2=-1)

    own = {"statistics": (second_largest,), "centralities": (loops,)}
    assert masks(attention(), numerics="stable", **own).sum(1).tolist() == [25, 25, 25]


def test_rounding_and_keeping_at_the_edges():
    values = torch.tensor(
        [0.0, math.nan, math.inf, -math.inf, 99999.6, 1e-300], dtype=torch.float64
    )
    assert rounded(values)[[0, 2, 3, 4]].tolist() == [0.0, math.inf, -math.inf, 100000.0]
    assert math.isnan(rounded(values)[1])
    ties = torch.tensor([1.0, 1.0, 1.0, 0.0])
    assert keep_published(ties, 0.75).sum() == 3
    assert keep_stable(ties, 0.75).tolist() == [True, True, False, False]
    assert keep_stable(torch.full((4,), math.nan), 0.5).tolist() == [True, True, True, False]


def test_numerics_in_settings_saved_files_and_messages(demo_vit, tmp_path):
    cat = mv.samples()["cat"]
    explanation = mv.explain(demo_vit, cat, numerics="stable")
    explanation.save(tmp_path / "cat.npz")
    assert mv.Explanation.load(tmp_path / "cat.npz").settings.numerics == "stable"
    assert explanation.row()["numerics"] == "stable"
    assert mv.Settings().numerics == "published"
    assert mv.EXPLAINERS["communities"].settings.numerics == "stable"
    with pytest.raises(
        mv.InputError, match="numerics is 'exact'; give one of 'published', 'stable'"
    ):
        mv.Settings(numerics="exact")
