"""Every explainer on every kind of head: the model's own scores, heatmaps that say something, save and load."""

import warnings
from dataclasses import replace

import numpy as np
import pytest
import torch
from heads import ARCHITECTURES, KINDS, model_with, own_scores
from scipy.stats import spearmanr

import multiplex_vit as mv
from multiplex_vit.models.score import SCORES

EXPLAINERS = list(mv.EXPLAINERS)
MAY_BE_FLAT = {"grad_cam", "legrad", "generic_attention"}
"""Explainers that clip what is negative: with random weights nothing may be left."""

QUICK = ("one logit", "regression", "replaced head")
"""Kinds, one of each score, that are tried where slow tests are left out."""

pytestmark = pytest.mark.filterwarnings("ignore:.*masks.table", "ignore:.*its configuration names")


def explained(model, pixels, name, label=None):
    """Return a result with its passes limited, of a head that direct attribution says it cannot read, too."""
    explain = mv.EXPLAINERS[name].where_taken(budget=24)
    head = getattr(model.model, model.port.head.readers[0])
    if name == "communities" and not isinstance(head, torch.nn.Linear):
        with pytest.raises(mv.InputError, match="give prior=None"):
            explain.at(prior="direct")(model, pixels, label)
    return explain(model, pixels, label)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("kind", KINDS)
def test_every_pass_gives_the_models_own_scores(pixels, kind, architecture):
    model = model_with(kind, architecture)
    own = own_scores(model, kind, pixels())
    tokens, everything = model.embed(pixels()), np.ones((1, 16), dtype=bool)
    passes = {
        "classify": model.classify(pixels()),
        "attend": model.attend(tokens, ["mean"])[-1],
        "probabilities": model.probabilities(tokens, everything),
        "activations": model.activations(tokens)[-1],
        "attention_gradients": model.attention_gradients(tokens, 0)[-1],
        "block_gradients": model.block_gradients(tokens, 0)[-1],
        "token_gradients": model.token_gradients(tokens, 0)[-1],
    }
    if KINDS[kind].replaced != "layers":
        passes["attend_directly"] = model.attend_directly(tokens, ["mean"])[1]
    assert own.shape == (1, KINDS[kind].n_classes)
    for name, scores in passes.items():
        assert np.abs(scores.numpy() - own).max() < 1e-5, name
    assert model.score is SCORES[KINDS[kind].score]
    assert len(model.classes) == model.n_classes == KINDS[kind].n_classes
    assert model.probabilities(tokens, everything[:0]).shape == (0, KINDS[kind].n_classes)


@pytest.mark.parametrize(
    "architecture",
    [
        name if name == "ViT" else pytest.param(name, marks=pytest.mark.slow)
        for name in ARCHITECTURES
    ],
)
@pytest.mark.parametrize(
    "kind",
    [kind if kind in QUICK else pytest.param(kind, marks=pytest.mark.slow) for kind in KINDS],
)
@pytest.mark.parametrize("name", EXPLAINERS)
def test_every_explainer_explains_the_models_own_scores(pixels, tmp_path, name, kind, architecture):
    model = model_with(kind, architecture)
    own = own_scores(model, kind, pixels())[0]
    result = explained(model, pixels(), name)
    if result is None:
        return
    assert np.abs(result.clean - own).max() < 1e-5
    assert result.label == result.predicted == int(own.argmax())
    assert result.heatmap.shape == (4, 4)
    assert np.isfinite(result.heatmap).all()
    assert np.ptp(result.heatmap) > 0 or name in MAY_BE_FLAT
    row = result.row()
    assert row["score"] == SCORES[KINDS[kind].score].quantity
    assert row["probability"] == pytest.approx(own[result.label], abs=1e-5)
    result.save(tmp_path / "e.npz")
    loaded = type(result).load(tmp_path / "e.npz")
    assert loaded.score is result.score
    assert loaded.classes == result.classes == model.classes
    assert np.array_equal(loaded.clean, result.clean)
    assert np.array_equal(loaded.heatmap, result.heatmap)
    if result.masks is not None:
        assert np.array_equal(loaded.probabilities, result.probabilities)
        last = loaded.for_class(KINDS[kind].n_classes - 1)
        assert np.array_equal(last.heatmap, result.for_class(last.label).heatmap)


@pytest.mark.parametrize("name", [name for name in EXPLAINERS if name not in MAY_BE_FLAT])
@pytest.mark.parametrize("bias", [-50.0, 50.0])
def test_a_predicted_value_is_explained_the_same_wherever_its_zero_is(pixels, name, bias):
    model = model_with("regression")
    before = explained(model, pixels(), name).heatmap
    with torch.no_grad():
        model.model.classifier.bias += bias
    moved = explained(model, pixels(), name)
    assert moved.clean[0] == pytest.approx(
        own_scores(model, "regression", pixels())[0, 0], abs=1e-4
    )
    assert spearmanr(before.ravel(), moved.heatmap.ravel()).statistic > 0.99
    assert np.abs(before - moved.heatmap).max() < 0.02 * np.ptp(before)


def test_a_node_in_no_mask_is_never_above_those_that_raise_a_predicted_value(pixels):
    model = model_with("regression")
    with torch.no_grad():
        model.model.classifier.bias -= 5
    explanation = mv.explain(model, pixels(), token_ratio=0.9)
    kept = explanation.masks.kept
    kept[:, 3] = False
    assert explanation.confidence.max() < 0
    heatmap = explanation.with_estimator("coverage").heatmap.ravel()
    lowest = explanation.confidence.min()
    covered = kept.sum(0) > 0
    by_hand = (kept.T @ explanation.confidence)[covered] / kept.sum(0)[covered] - lowest
    assert np.allclose(heatmap[covered], by_hand, atol=1e-5)
    assert heatmap[3] == 0 == heatmap.min()


def test_one_logit_is_its_only_class(pixels):
    model = model_with("one logit")
    model.model.config.id2label = {0: "tumour"}
    explanation = mv.explain(model, pixels())
    assert (explanation.label, explanation.label_name, explanation.predicted) == (0, "tumour", 0)
    assert "tumour" in explanation.title
    assert "sigmoid p = " in explanation.title
    assert f"sigmoid p = {explanation.clean[0]:.3f}" in repr(explanation)
    assert mv.explain(model, pixels(), label="tumour").label == 0
    with pytest.raises(mv.InputError, match="label 1 is out of range"):
        mv.explain(model, pixels(), label=1)
    with pytest.raises(mv.InputError, match="minus itself is 0 everywhere; give two classes"):
        explanation.contrast(0, 0)


@pytest.mark.parametrize(
    ("kind", "saved"), [("two", "sigmoid"), ("multi-label", "softmax"), ("regression", "sigmoid")]
)
def test_a_saved_file_that_claims_another_score_is_refused(pixels, tmp_path, kind, saved):
    model = model_with(kind)
    if kind == "regression":
        with torch.no_grad():
            model.model.classifier.bias += 5
    result = mv.explain(model, pixels())
    replace(result, score=SCORES[saved]).save(tmp_path / "e.npz")
    if kind == "two":
        assert mv.Explanation.load(tmp_path / "e.npz").score is SCORES["sigmoid"], (
            "which it could be"
        )
        return
    with pytest.raises(mv.InputError, match="do not add up to 1|expected numbers from 0 to 1"):
        mv.Explanation.load(tmp_path / "e.npz")


def test_a_replaced_head_is_told_of_once(pixels):
    model = model_with("replaced head")
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        mv.explain(model, pixels())
        mv.EXPLAINERS["rollout"](model, pixels())
    said = [str(each.message) for each in told if "configuration names" in str(each.message)]
    assert said == [
        "tiny ViT gives 3 logits, but its configuration names 10 classes; they are called '0' to '2' (set config.id2label to name them)"
    ]
    model.model.config.id2label = {0: "a", 1: "b", 2: "c"}
    assert mv.VisionModel(model.model).classes == ("a", "b", "c")
