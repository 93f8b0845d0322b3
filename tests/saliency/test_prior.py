"""Priors: what is known of tokens before any is left out, in the estimate and beside other classes."""

import warnings

import numpy as np
import pytest
import torch
from fake import FakeModel

import multiplex_vit as mv

CAT = mv.samples()["cat"]
PIXELS = np.zeros((1, 3, 2, 3), dtype=np.float32)


def by_rows(kept, confidence, graph, smoothness, prior, prior_weight):
    """Return the estimate as least squares of rows: one a mask, one an edge, two a node."""
    n_masks, n_nodes = kept.shape
    count = kept.sum(1)
    weight = 1 / (count * (n_nodes - count))
    weight = weight / weight.sum() * n_masks
    centred = kept - (weight @ kept) / n_masks
    values = confidence - (weight @ confidence) / n_masks
    told = sum(weight[m] * centred[m] @ centred[m] for m in range(n_masks))
    told /= min(n_nodes, n_masks - 1)
    told_by_prior = centred @ prior
    covariance = np.cov(np.stack([told_by_prior, values]), aweights=weight, ddof=0)
    spread = np.sqrt(covariance.diagonal())
    correlation = covariance[0, 1] / spread.prod()
    trust = min(1, max(0, 2 * (correlation + 2 / np.sqrt(n_masks - 1))))
    expected = trust * spread[1] / spread[0] * prior
    rows = [np.sqrt(w) * row for w, row in zip(weight, centred, strict=True)]
    wanted = list(np.sqrt(weight) * (values - centred @ expected))
    for i in range(n_nodes):
        own = np.eye(n_nodes)[i]
        rows += [np.sqrt(0.01 * smoothness) * own, np.sqrt(trust * prior_weight * told) * own]
        wanted += [0, 0]
        for j in range(i):
            rows.append(np.sqrt(smoothness * graph[i, j]) * (own - np.eye(n_nodes)[j]))
            wanted.append(0)
    return expected + np.linalg.lstsq(np.array(rows), np.array(wanted), rcond=None)[0]


@pytest.mark.parametrize(("budget", "prior"), [(8, "relevance"), (70, "relevance"), (20, "direct")])
def test_the_heatmap_is_least_squares_from_the_prior(demo_vit, budget, prior):
    found = mv.explain(demo_vit, CAT, method="communities", budget=budget, prior=prior)
    known = found.prior.of_class(found.label).astype(float)
    settings = found.settings
    wanted = by_rows(
        found.masks.kept,
        found.confidence.astype(float),
        found.graph.astype(float),
        settings.smoothness,
        known,
        settings.prior_weight,
    )
    assert np.allclose(found.heatmap.ravel(), wanted, atol=1e-5 * np.abs(wanted).max())
    without = found.with_estimator("graph").estimate("contrast")
    assert not np.allclose(found.heatmap, without, atol=1e-3 * np.abs(wanted).max())


def test_relevance_is_that_of_the_first_half_of_blocks_and_takes_a_backward_pass(demo_vit):
    found = mv.explain(demo_vit, CAT, method="communities", budget=8)
    tokens = demo_vit.embed(demo_vit.picture(CAT).pixels)
    by_layer, _ = demo_vit.relevance(tokens, [found.label], "attn_lrp")
    relevance = by_layer[0, :3].sum(0)[1:].numpy()
    known = found.prior.of_class(found.label)
    assert np.allclose(known, relevance, atol=1e-5 * np.abs(relevance).max())
    assert (found.forward_passes, found.backward_passes) == (8, 1)
    communities = mv.EXPLAINERS["communities"]
    assert communities.passes(n_tokens=64) == (55, 1)
    assert communities.gradients
    for prior in ("direct", None):
        assert communities.at(prior=prior).passes(n_tokens=64) == (55, 0)
        assert not communities.at(prior=prior).gradients


@pytest.mark.parametrize("kind", ["ViT", "DeiT", "Dinov2WithRegisters"])
def test_attention_and_scores_are_those_of_a_pass_without_gradients(tiny, pixels, kind):
    model = tiny(kind)
    tokens = model.embed(torch.cat([torch.as_tensor(pixels()), 2 * torch.as_tensor(pixels())]))
    attention, scores, relevance = model.attend_relevance(
        tokens, ["sum", "max"], [2, None], "attn_lrp"
    )
    plain, clean = model.attend(tokens, ["sum", "max"])
    assert torch.equal(attention, plain)
    assert torch.equal(scores, clean)
    expected, _ = model.relevance(tokens, [2, None], "attn_lrp")
    assert torch.allclose(relevance, expected, atol=1e-5 * float(expected.abs().max()))
    assert not relevance.requires_grad


def test_another_class_is_made_of_masks_alone_and_says_so(demo_vit):
    found = mv.explain(demo_vit, CAT, method="communities", budget=20)
    alone = mv.explain(demo_vit, CAT, method="communities", budget=20, prior=None)
    with pytest.warns(UserWarning, match="the relevance of 'dog' was not computed"):
        dog = found.for_class("dog")
    assert np.array_equal(dog.heatmap, alone.for_class("dog").heatmap)
    with pytest.warns(UserWarning, match="made of masks alone; with_classes"):
        contrast = found.contrast(found.label, "dog")
    assert np.array_equal(contrast.heatmap, alone.contrast(found.label, "dog").heatmap)


def test_further_classes_take_a_backward_pass_each(demo_vit):
    found = mv.explain(demo_vit, CAT, method="communities", budget=20)
    more = found.with_classes(demo_vit, CAT, ["dog", "cat", "deer"])
    assert more.prior.labels == (found.label, 5, 4)
    assert more.forward_passes - found.forward_passes == 2
    assert more.backward_passes == 3
    assert np.array_equal(more.heatmap, found.heatmap)
    with warnings.catch_warnings(action="error"):
        dog, contrast = more.for_class("dog"), more.contrast("dog", "deer")
    asked = mv.explain(demo_vit, CAT, method="communities", budget=20, label="dog")
    assert np.allclose(dog.heatmap, asked.heatmap, atol=1e-5 * np.ptp(asked.heatmap))
    values = more.prior.of_class(5) - more.prior.of_class(4)
    wanted = by_rows(
        more.masks.kept,
        contrast.confidence.astype(float),
        more.graph.astype(float),
        0.03,
        values.astype(float),
        more.settings.prior_weight,
    )
    assert np.allclose(contrast.heatmap.ravel(), wanted, atol=1e-5 * np.abs(wanted).max())


def test_priors_of_every_class_need_no_more(demo_vit):
    found = mv.explain(demo_vit, CAT, method="communities", budget=8, prior="direct")
    assert found.with_classes(demo_vit, CAT, ["dog"]) is found
    with warnings.catch_warnings(action="error"):
        assert found.for_class("dog").heatmap.shape == (8, 8)
    mutex = mv.explain(demo_vit, CAT)
    assert mutex.with_classes(demo_vit, CAT, ["dog"]) is mutex


def test_further_classes_of_another_image_are_refused(tiny, pixels):
    model = tiny("Dinov2")
    found = mv.explain(model, pixels(), method="communities", budget=4)
    with pytest.raises(mv.InputError, match="the image has no grid of 4 x 4 patches"):
        found.with_classes(model, pixels(64, 64), [1])
    with pytest.raises(mv.InputError, match="99"):
        found.with_classes(model, pixels(), [99])


def test_priors_are_saved(demo_vit, tmp_path):
    for prior in ("relevance", "direct"):
        found = mv.explain(demo_vit, CAT, method="communities", budget=8, prior=prior)
        found.save(tmp_path / "cat.npz")
        again = mv.Explanation.load(tmp_path / "cat.npz")
        assert np.array_equal(again.prior.values, found.prior.values)
        assert again.prior.labels == found.prior.labels
        assert again.backward_passes == found.backward_passes
        assert np.array_equal(again.heatmap, found.heatmap)


def test_a_model_without_gradients_has_no_prior_and_says_so():
    class Fixed(FakeModel):
        def attend_relevance(self, *_):
            raise RuntimeError("element 0 of tensors does not require grad")

    with pytest.warns(
        UserWarning, match="fake has no relevance .element 0.* have no prior"
    ) as told:
        found = mv.explain(Fixed(), PIXELS, method="communities")
    assert told[0].filename == __file__
    assert (found.settings.prior, found.prior, found.backward_passes) == (None, None, 0)
    alone = mv.explain(FakeModel(), PIXELS, method="communities", prior=None)
    assert np.array_equal(found.heatmap, alone.heatmap)


def test_relevance_that_is_no_number_is_left_out():
    class Broken(FakeModel):
        def _relevance(self, label):
            return super()._relevance(label) * float("nan")

    with pytest.warns(UserWarning, match="it is NaN or infinite"):
        assert mv.explain(Broken(), PIXELS, method="communities").prior is None


def test_a_prior_that_masks_contradict_changes_nothing():
    class Contrary(FakeModel):
        def _relevance(self, label):
            return -super()._relevance(label)

    found = mv.explain(Contrary(), PIXELS, method="communities")
    assert found.prior is not None
    alone = mv.explain(Contrary(), PIXELS, method="communities", prior=None)
    assert np.array_equal(found.heatmap, alone.heatmap)


def test_a_right_prior_of_few_masks_gives_the_right_heatmap():
    found = mv.explain(FakeModel(), PIXELS, method="communities", budget=3)
    heat = found.heatmap.ravel()
    assert np.allclose(heat / heat.sum(), FakeModel.worth / FakeModel.worth.sum(), atol=1e-5)


@pytest.mark.parametrize(
    ("choices", "message"),
    [
        ({"prior": "direct"}, "estimator coverage takes no prior; give prior=None, or"),
        ({"method": "communities", "estimator": "shapley"}, "estimator shapley takes no prior"),
        ({"prior": "gradient"}, "prior is 'gradient'"),
        ({"prior_weight": 0}, "prior_weight is 0"),
    ],
)
def test_what_cannot_be_a_prior(choices, message):
    with pytest.raises(mv.InputError, match=message):
        mv.explain(FakeModel(), PIXELS, **choices)


def test_a_prior_of_another_grid_is_refused():
    kept = ~np.eye(4, dtype=bool)
    with pytest.raises(
        mv.InputError, match=r"the prior has shape \[3\]; give a value for each of 4"
    ):
        mv.saliency.ESTIMATORS["graph"](kept, np.arange(4.0), np.eye(4), prior=np.ones(3))


def test_the_whole_budget_is_used(demo_vit):
    for budget in (65, 80):
        found = mv.explain(demo_vit, CAT, method="communities", budget=budget)
        assert found.forward_passes == budget
        removed = (~found.masks.kept).sum(1)
        assert removed[:64].tolist() == [1] * 64
        assert all(16 < count < 48 for count in removed[64:])
