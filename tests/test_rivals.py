import inspect

import numpy as np
import pytest
import torch

import multiplex_vit as mv

CAT = mv.samples()["cat"]
KINDS = ["ViT", "DeiT", "Dinov2"]


def eager(model, pixels):
    """Run transformers' own attention, with gradients: logits, attention of every block, hidden states."""
    model.model.set_attn_implementation("eager")
    out = model.model(pixel_values=torch.tensor(pixels), output_attentions=True, output_hidden_states=True)
    return out.logits, out.attentions, out.hidden_states


def rows_of(model, relevance):
    """Return the row of the class token, or the mean of those of class and distillation token."""
    return relevance[: 2 if "distillation" in model.prefix else 1].mean(0)[model.n_prefix :].detach().numpy()


# --- the contract of every rival --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", mv.RIVALS)
def test_a_rival_keeps_its_contract(demo_deit, name):
    rival = mv.RIVALS[name]
    first, again = (rival(demo_deit, CAT, "dog", budget=20, seed=1) for _ in range(2))
    assert np.array_equal(first.heatmap, again.heatmap)
    assert (first.heatmap.shape, first.heatmap.dtype) == ((8, 8), np.float32)
    assert np.isfinite(first.heatmap).all()
    assert len(np.unique(first.heatmap)) > 5
    assert (first.label_name, first.model, first.view.dtype) == ("dog", "demo-deit", np.uint8)
    assert first.row()["forward_passes"] == first.forward_passes
    assert first._repr_png_().startswith(b"\x89PNG")
    assert rival(demo_deit, CAT).label == first.predicted
    assert list(inspect.signature(rival).parameters) == ["model", "image", "label", "budget", "seed"]
    with pytest.raises(ValueError, match="read-only"):
        first.heatmap[:] = 0


@pytest.mark.parametrize("name", mv.RIVALS)
def test_a_rival_leaves_the_model_as_it_was(tiny, pixels, name):
    model = tiny("ViT")
    model.model.train()
    before = model.model.config._attn_implementation, {n: p.clone() for n, p in model.model.named_parameters()}
    mv.RIVALS[name](model, pixels(), 3)
    assert (model.model.config._attn_implementation, model.model.training) == (before[0], True)
    assert all(p.grad is None and torch.equal(p, before[1][n]) for n, p in model.model.named_parameters())


@pytest.mark.parametrize("name", mv.RIVALS)
@pytest.mark.parametrize("kind", ["ViT", "DeiT", "Dinov2", "Dinov2WithRegisters"])
def test_a_rival_works_for_every_kind_of_model(tiny, pixels, name, kind):
    assert mv.RIVALS[name](tiny(kind), pixels(), budget=10).heatmap.shape == (4, 4)


@pytest.mark.parametrize(
    ("name", "passes"),
    [
        ("random_order", 1),
        ("centre_prior", 1),
        ("raw_attention", 1),
        ("rollout", 1),
        ("generic_attention", 1),
        ("grad_cam", 1),
        ("rise_tokens", 30),
        ("occlusion", 65),
    ],
)
def test_passes_are_counted(demo_vit, name, passes):
    result = mv.RIVALS[name](demo_vit, CAT, budget=30)
    assert result.forward_passes == passes
    assert getattr(result, "backward_passes", 0) == (name in ("generic_attention", "grad_cam"))


def test_bad_labels(demo_vit):
    for name in mv.RIVALS:
        with pytest.raises(mv.InputError, match="label 10 is out of range"):
            mv.RIVALS[name](demo_vit, CAT, 10)


# --- each against an independent computation --------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_raw_attention_and_rollout_agree_with_transformers_own_attention(tiny, pixels, kind):
    model = tiny(kind)
    raw, rolled = (mv.RIVALS[name](model, pixels()).heatmap for name in ("raw_attention", "rollout"))
    _, attentions, _ = eager(model, pixels())
    assert raw.ravel() == pytest.approx(rows_of(model, attentions[-1][0].mean(0)), abs=1e-5)
    product = np.eye(attentions[0].shape[-1])
    for attention in attentions:
        product = (attention[0].detach().double().numpy().mean(0) + np.eye(len(product))) / 2 @ product
    assert rolled.ravel() == pytest.approx(rows_of(model, torch.tensor(product)), abs=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_generic_attention_agrees_with_transformers_own_attention(tiny, pixels, kind):
    model = tiny(kind)
    heatmap = mv.RIVALS["generic_attention"](model, pixels(), 2).heatmap
    logits, attentions, _ = eager(model, pixels())
    for attention in attentions:
        attention.retain_grad()
    logits[0, 2].backward()
    relevance = torch.eye(attentions[0].shape[-1])
    for attention in attentions:
        weighed = (attention.grad * attention)[0].clamp(min=0).mean(0)
        relevance = relevance + weighed @ relevance
    expected = rows_of(model, relevance)
    assert np.abs(expected).max() > 1e-3
    assert heatmap.ravel() == pytest.approx(expected, abs=1e-5, rel=1e-4)


@pytest.mark.parametrize("kind", KINDS)
def test_grad_cam_agrees_with_finite_differences(tiny, pixels, kind):
    """Gradients are taken by central differences in float64, from the hidden states on."""
    model = tiny(kind, dtype=torch.float64)
    heatmap = mv.RIVALS["grad_cam"](model, pixels(), 2).heatmap
    blocks = next(m for m in model.model.modules() if isinstance(m, torch.nn.ModuleList) and len(m) == 3)
    norm = blocks[-1].norm1 if kind == "Dinov2" else blocks[-1].layernorm_before
    shift, held = torch.zeros(0), []

    def move(_module, _args, output):
        held[:] = [output.detach()[0, model.n_prefix :]]
        return output + shift if len(shift) else output

    hook = norm.register_forward_hook(move)
    width, gradient = 16, []

    def logit():
        with torch.no_grad():
            return model.model(pixel_values=torch.tensor(pixels(), dtype=torch.float64)).logits[0, 2]

    for channel in range(width):
        shift = torch.zeros(1, model.n_prefix + 16, width, dtype=torch.float64)
        shift[:, model.n_prefix :, channel] = 1e-5
        up, shift = logit(), -shift
        gradient.append((up - logit()) / 2e-5 / 16)
    shift = torch.zeros(0)
    logit()
    hook.remove()
    expected = (held[0] @ torch.stack(gradient)).clamp(min=0).numpy()
    assert expected.max() > 1e-3
    assert heatmap.ravel() == pytest.approx(expected, abs=1e-5, rel=1e-4)


def test_rise_on_tokens_and_occlusion_are_what_they_say(demo_vit):
    rise = mv.RIVALS["rise_tokens"](demo_vit, CAT, budget=40, seed=2)
    kept = rise.masks.kept.astype(float)
    assert rise.heatmap.ravel() == pytest.approx(kept.T @ rise.confidence / kept.sum(0), abs=1e-6)
    assert (kept.sum(1) == 32).all()
    occluded = mv.RIVALS["occlusion"](demo_vit, CAT)
    assert np.array_equal(occluded.masks.kept, ~np.eye(64, dtype=bool))
    assert np.array_equal(np.argsort(occluded.heatmap.ravel()), np.argsort(-occluded.confidence, kind="stable"))


def test_reversed_order_is_the_published_heatmap_with_its_sign_turned(demo_vit):
    published = mv.explain(demo_vit, CAT)
    turned = mv.RIVALS["reversed_order"](demo_vit, CAT)
    assert np.array_equal(turned.heatmap, -published.heatmap)
    assert turned.forward_passes == published.forward_passes


def test_centre_prior_by_hand(tiny, pixels):
    heatmap = mv.RIVALS["centre_prior"](tiny("Dinov2"), pixels(12, 12)).heatmap
    assert heatmap == pytest.approx(-np.hypot(*np.meshgrid([-1 / 3, 0, 1 / 3], [-1 / 3, 0, 1 / 3])))
