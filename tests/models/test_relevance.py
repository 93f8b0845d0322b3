"""Relevance by rules: the model's own answer, an explicit computation without gradients, and conservation."""

import numpy as np
import pytest
import torch
from explicit_relevance import Explicit

from multiplex_vit.models.backward.methods import RULES

CASES = {
    "ViT": ("ViT", {}),
    "DINOv2": ("Dinov2", {}),
    "DINOv2, gated": ("Dinov2", {"use_swiglu_ffn": True}),
    "DINOv2 with registers": ("Dinov2WithRegisters", {"num_register_tokens": 2}),
}
HOW = {
    "attn_lrp": {"fixed_attention": False},
    "cp_lrp": {"fixed_attention": True},
    "res_lrp": {"fixed_attention": False, "gamma": 1.0},
    "res_lrp(gamma=0.25)": {"fixed_attention": False, "gamma": 0.25},
}
KINDS = {
    **CASES,
    "DeiT": ("DeiT", {}),
    "DeiT with teacher": ("DeiT", {"head": "ForImageClassificationWithTeacher"}),
}
# Relative to the greatest relevance. In float64 the two ways differ by rounding (2e-16) times the greatest ratio of a summand to
# its sum, of which 1e7 would have to come together.
CLOSE = 1e-8


def without_biases(module):
    """Take the biases of all linear layers and norms away."""
    with torch.no_grad():
        for name, weight in module.named_parameters():
            if name.endswith(".bias") and "embeddings" not in name:
                weight.zero_()


@pytest.mark.parametrize("rules", HOW)
@pytest.mark.parametrize("case", CASES)
def test_relevance_is_that_of_explicit_shares(tiny, pixels, case, rules):
    kind, changes = CASES[case]
    model = tiny(kind, dtype=torch.float64, **changes)
    tokens = model.embed(pixels())
    relevance, scores = model.relevance(tokens, [3], rules)
    explicit = Explicit(model.model, **HOW[rules])
    logit, expected = explicit.relevance(tokens.values[0].numpy(), 3)
    assert np.abs(relevance[0].numpy() - expected).max() < CLOSE * np.abs(expected).max()
    assert torch.equal(scores, model.classify(pixels()))
    # What goes to no token is what biases and softmax absorbed, all of it.
    assert expected[0].sum() + explicit.absorbed == pytest.approx(logit, rel=1e-9)


def test_relevance_in_float32_is_that_of_explicit_shares(demo_vit):
    import multiplex_vit as mv

    tokens = demo_vit.embed(demo_vit.picture(mv.samples()["cat"]).pixels)
    label = demo_vit.classify(demo_vit.picture(mv.samples()["cat"]).pixels)[0].argmax().item()
    for rules, how in HOW.items():
        found = demo_vit.relevance(tokens, [label], rules)[0][0].numpy()
        _, expected = Explicit(demo_vit.model, **how).relevance(tokens.values[0].numpy(), label)
        assert np.abs(found - expected).max() < 1e-4 * np.abs(expected).max(), rules


@pytest.mark.parametrize("kind", KINDS)
def test_without_biases_all_of_the_logit_goes_to_the_tokens(tiny, pixels, kind):
    """CP-LRP conserves at every block; AttnLRP, but for what its softmax absorbs, is tested with the explicit shares."""
    name, changes = KINDS[kind]
    model = tiny(name, **changes)
    without_biases(model.model)
    tokens = model.embed(np.concatenate([pixels(), pixels(seed=1)]))
    with torch.no_grad():
        logits = model.model(
            pixel_values=torch.tensor(np.concatenate([pixels(), pixels(seed=1)]))
        ).logits
    relevance, _ = model.relevance(tokens, [2, None], "cp_lrp")
    explained = torch.stack([logits[0, 2], logits[1].max()])
    error = (relevance.sum(-1) - explained[:, None]).abs() / explained.abs()[:, None]
    assert error.max() < 1e-4


@pytest.mark.parametrize("rules", ["attn_lrp", "res_lrp"])
@pytest.mark.parametrize("case", CASES)
def test_what_the_softmax_absorbs_is_all_that_is_missing_without_biases(tiny, pixels, case, rules):
    kind, changes = CASES[case]
    model = tiny(kind, dtype=torch.float64, **changes)
    without_biases(model.model)
    tokens = model.embed(pixels())
    explicit = Explicit(model.model, **HOW[rules])
    logit, _ = explicit.relevance(tokens.values[0].numpy(), 1)
    relevance = model.relevance(tokens, [1], rules)[0]
    missing = logit - relevance[0, 0].sum().item()
    assert missing == pytest.approx(explicit.absorbed, abs=1e-4 * abs(logit))


@pytest.mark.parametrize("rules", HOW)
@pytest.mark.parametrize("kind", KINDS)
def test_the_answer_is_the_models_own_to_the_last_bit(tiny, pixels, kind, rules):
    name, changes = KINDS[kind]
    for dtype in (torch.float32, torch.bfloat16):
        model = tiny(name, dtype=dtype, **changes)
        tokens = model.embed(pixels())
        with torch.no_grad():
            logits = model.model(pixel_values=torch.tensor(pixels()).to(dtype)).logits
        relevance, scores = model.relevance(tokens, [0], rules)
        assert torch.equal(scores, model.score.of(logits))
        assert relevance.shape == (1, 3, tokens.shape[1])
        assert relevance.isfinite().all()


@pytest.mark.parametrize("rules", RULES)
def test_images_of_a_batch_do_not_mix(tiny, pixels, rules):
    model = tiny("ViT", dtype=torch.float64)
    both = np.concatenate([pixels(), pixels(seed=1)])
    together, scores = model.relevance(model.embed(both), [1, 4], rules)
    for place, label in enumerate([1, 4]):
        alone, score = model.relevance(model.embed(both[[place]]), [label], rules)
        assert torch.allclose(together[place], alone[0], rtol=0, atol=1e-10 * alone.abs().max())
        assert torch.allclose(scores[place], score[0])


def test_a_residual_rule_without_gamma_is_attnlrp(tiny, pixels):
    model = tiny("ViT", dtype=torch.float64)
    tokens = model.embed(pixels())
    without, _ = model.relevance(tokens, [1], "res_lrp(gamma=0)")
    plain, _ = model.relevance(tokens, [1], "attn_lrp")
    assert torch.allclose(without, plain, rtol=0, atol=1e-10 * plain.abs().max())


def test_balanced_gradients_of_attention_hold_attention_fixed(tiny, pixels):
    """Without biases, values carry all of the logit: gradient times attention of the last block is what attention brings."""
    model = tiny("ViT", dtype=torch.float64)
    tokens = model.embed(pixels())
    attention, plain, _ = model.attention_gradients(tokens, 1)
    again, balanced, _ = model.attention_gradients(tokens, 1, rules="cp_lrp")
    assert torch.equal(attention, again)
    # By torch's own gradients a layer norm's spread takes part, so that the two are not the same.
    assert not torch.allclose(plain, balanced)
    assert balanced.shape == plain.shape
    # Attention is held fixed, yet every block's own has a gradient.
    assert (balanced.abs().amax((1, 2, 3)) > 0).all()
