import inspect

import numpy as np
import pytest
import torch
from captum.attr import IntegratedGradients

import multiplex_vit as mv

CAT = mv.samples()["cat"]
KINDS = ["ViT", "DeiT", "Dinov2"]
RIVALS = [name for name, explainer in mv.EXPLAINERS.items() if explainer.settings is None]


def eager(model, pixels):
    """Run transformers' own attention, with gradients: logits, attention of every block, hidden states."""
    model.model.set_attn_implementation("eager")
    out = model.model(
        pixel_values=torch.tensor(pixels), output_attentions=True, output_hidden_states=True
    )
    return out.logits, out.attentions, out.hidden_states


def rows_of(model, relevance):
    """Return the row of the class token, or the mean of those of class and distillation token."""
    return (
        relevance[: 2 if "distillation" in model.prefix else 1]
        .mean(0)[model.n_prefix :]
        .detach()
        .numpy()
    )


# --- the contract of every rival --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", RIVALS)
def test_a_rival_keeps_its_contract(demo_deit, name):
    rival = mv.EXPLAINERS[name]
    first, again = (rival.where_taken(budget=20, seed=1)(demo_deit, CAT, "dog") for _ in range(2))
    assert np.array_equal(first.heatmap, again.heatmap)
    assert (first.heatmap.shape, first.heatmap.dtype) == ((8, 8), np.float32)
    assert np.isfinite(first.heatmap).all()
    assert len(np.unique(first.heatmap)) > 5
    assert (first.label_name, first.model, first.view.dtype) == ("dog", "demo-deit", np.uint8)
    assert first.row()["forward_passes"] == first.forward_passes
    assert first._repr_png_().startswith(b"\x89PNG")
    assert rival(demo_deit, CAT).label == first.predicted
    assert list(inspect.signature(rival.function).parameters) == [
        "model",
        "picture",
        "label",
        *rival.defaults,
    ]
    with pytest.raises(ValueError, match="read-only"):
        first.heatmap[:] = 0


@pytest.mark.slow
@pytest.mark.parametrize("name", RIVALS)
@pytest.mark.parametrize("kind", ["ViT", "DeiT", "Dinov2", "Dinov2WithRegisters"])
def test_a_rival_works_for_every_kind_of_model(tiny, pixels, name, kind):
    assert mv.EXPLAINERS[name].where_taken(budget=10)(tiny(kind), pixels()).heatmap.shape == (4, 4)


@pytest.mark.parametrize("name", RIVALS)
def test_a_rival_works_on_a_grid_that_is_not_square_and_on_pixels_beyond_it(tiny, pixels, name):
    result = mv.EXPLAINERS[name].where_taken(budget=10)(tiny("Dinov2"), pixels(13, 22), 4)
    assert result.heatmap.shape == (3, 5)
    assert np.isfinite(result.heatmap).all()


@pytest.mark.parametrize(
    ("name", "passes"),
    [
        ("random_order", (1, 0)),
        ("centre_prior", (1, 0)),
        ("raw_attention", (1, 0)),
        ("rollout", (1, 0)),
        ("generic_attention", (1, 1)),
        ("grad_cam", (1, 1)),
        ("legrad", (1, 6)),
        ("attn_lrp", (1, 1)),
        ("libra_fullgrad", (1, 1)),
        ("beyond_intuition", (21, 21)),
        ("rise_tokens", (30, 0)),
        ("rise_pixels", (30, 0)),
        ("tis", (30, 0)),
        ("similarity_walks", (30, 0)),
        ("integrated_gradients", (30, 29)),
        ("occlusion", (65, 0)),
    ],
)
def test_passes_are_as_expected(demo_vit, name, passes):
    result = mv.EXPLAINERS[name].where_taken(budget=30)(demo_vit, CAT)
    assert (result.forward_passes, result.backward_passes) == passes


@pytest.mark.parametrize("name", RIVALS)
@pytest.mark.parametrize("budget", [2, 3, 40])
def test_passes_are_those_that_the_model_ran(tiny, pixels, name, budget):
    """Every sequence that goes through the first block's attention is counted, and budgets are kept by what has one."""
    model, ran = tiny("ViT"), []
    hook = model.model.vit.layers[0].attention.register_forward_hook(
        lambda _module, _args, output: ran.append(len(output[0]))
    )
    result = mv.EXPLAINERS[name].where_taken(budget=budget)(model, pixels())
    hook.remove()
    assert result.forward_passes == sum(ran)
    assert result.forward_passes <= budget or not mv.EXPLAINERS[name].takes("budget")


def test_integrated_gradients_takes_no_more_steps_than_it_needs(demo_vit):
    assert mv.EXPLAINERS["integrated_gradients(budget=550)"](demo_vit, CAT).forward_passes == 33


def test_bad_labels_and_budgets(demo_vit):
    for name in RIVALS:
        with pytest.raises(mv.InputError, match="label 10 is out of range"):
            mv.EXPLAINERS[name](demo_vit, CAT, 10)
    for name in ("rise_pixels", "integrated_gradients", "tis", "similarity_walks", "kernel_shap"):
        with pytest.raises(mv.InputError, match="budget is 1; give a whole number of at least 2"):
            mv.EXPLAINERS[name].where_taken(budget=1)(demo_vit, CAT)


# --- each against an independent computation --------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_raw_attention_and_rollout_agree_with_transformers_own_attention(tiny, pixels, kind):
    model = tiny(kind)
    raw, rolled = (
        mv.EXPLAINERS[name](model, pixels()).heatmap for name in ("raw_attention", "rollout")
    )
    _, attentions, _ = eager(model, pixels())
    assert raw.ravel() == pytest.approx(rows_of(model, attentions[-1][0].mean(0)), abs=1e-5)
    product = np.eye(attentions[0].shape[-1])
    for attention in attentions:
        product = (
            (attention[0].detach().double().numpy().mean(0) + np.eye(len(product))) / 2 @ product
        )
    assert rolled.ravel() == pytest.approx(rows_of(model, torch.tensor(product)), abs=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_generic_attention_agrees_with_transformers_own_attention(tiny, pixels, kind):
    model = tiny(kind)
    heatmap = mv.EXPLAINERS["generic_attention"](model, pixels(), 2).heatmap
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


def head_of(model, tokens):
    """Return the logits of tokens [1, token, width] by the model's last norm and head, written out for each kind."""
    inner = model.model
    normed = getattr(inner, inner.base_model_prefix).layernorm(tokens)
    if hasattr(inner, "distillation_classifier"):
        return (
            inner.cls_classifier(normed[:, 0]) + inner.distillation_classifier(normed[:, 1])
        ) / 2
    own = (
        torch.cat([normed[:, 0], normed[:, 1:].mean(1)], 1)
        if inner.base_model_prefix == "dinov2"
        else normed[:, 0]
    )
    return inner.classifier(own)


@pytest.mark.parametrize("kind", [*KINDS, "DeiT with teacher"])
def test_legrad_agrees_with_the_head_written_out(tiny, pixels, kind):
    model = (
        tiny("DeiT", "ForImageClassificationWithTeacher")
        if kind == "DeiT with teacher"
        else tiny(kind)
    )
    result = mv.EXPLAINERS["legrad"](model, pixels(), 2)
    blocks = next(
        m for m in model.model.modules() if isinstance(m, torch.nn.ModuleList) and len(m) == 3
    )
    outputs = []
    hooks = [
        block.register_forward_hook(lambda _module, _args, output: outputs.append(output))
        for block in blocks
    ]
    logits, attentions, _ = eager(model, pixels())
    for hook in hooks:
        hook.remove()
    assert torch.allclose(head_of(model, outputs[-1]), logits, atol=1e-5)
    expected = np.zeros(16)
    for output, attention in zip(outputs, attentions, strict=True):
        gradient = torch.autograd.grad(head_of(model, output)[0, 2], attention, retain_graph=True)[
            0
        ][0]
        expected += gradient.numpy().clip(min=0).mean(axis=(0, 1))[model.n_prefix :]
    assert expected.max() > 1e-3
    assert result.heatmap.ravel() == pytest.approx(expected, abs=1e-5, rel=1e-4)
    assert result.clean == pytest.approx(logits.softmax(-1)[0].detach().numpy(), abs=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_integrated_gradients_agrees_with_captum(tiny, pixels, kind):
    model = tiny(kind)
    heatmap = mv.EXPLAINERS["integrated_gradients"](model, pixels(), 2).heatmap
    attributed = IntegratedGradients(
        lambda values: model.model(pixel_values=values).logits.softmax(-1)
    ).attribute(
        torch.tensor(pixels()),
        -torch.ones(1, 3, 16, 16),
        target=2,
        n_steps=32,
        method="riemann_middle",
    )
    expected = attributed[0].detach().numpy().reshape(3, 4, 4, 4, 4).sum((0, 2, 4))
    assert np.abs(expected).max() > 1e-3
    assert heatmap == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("name", ["cat", "horse"])
def test_integrated_gradients_sums_to_what_the_image_adds_to_black(demo_deit, name):
    result = mv.EXPLAINERS["integrated_gradients"](demo_deit, mv.samples()[name], 3)
    mean, std = demo_deit.normalisation
    black = np.broadcast_to((-mean / std)[None, :, None, None], (1, 3, 32, 32)).copy()
    added = result.clean[3] - float(demo_deit.classify(black)[0, 3])
    assert result.heatmap.sum() == pytest.approx(added, abs=1e-2)


@pytest.mark.parametrize("kind", KINDS)
def test_grad_cam_agrees_with_finite_differences(tiny, pixels, kind):
    """Gradients are taken by central differences in float64, from the hidden states on."""
    model = tiny(kind, dtype=torch.float64)
    heatmap = mv.EXPLAINERS["grad_cam"](model, pixels(), 2).heatmap
    blocks = next(
        m for m in model.model.modules() if isinstance(m, torch.nn.ModuleList) and len(m) == 3
    )
    norm = blocks[-1].norm1 if kind == "Dinov2" else blocks[-1].layernorm_before
    shift, held = torch.zeros(0), []

    def move(_module, _args, output):
        held[:] = [output.detach()[0, model.n_prefix :]]
        return output + shift if len(shift) else output

    hook = norm.register_forward_hook(move)
    width, gradient = 16, []

    def logit():
        with torch.no_grad():
            return model.model(pixel_values=torch.tensor(pixels(), dtype=torch.float64)).logits[
                0, 2
            ]

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
    rise = mv.explain(demo_vit, CAT, method="rise_tokens", budget=40, seed=2)
    kept = rise.masks.kept.astype(float)
    assert rise.heatmap.ravel() == pytest.approx(kept.T @ rise.confidence / kept.sum(0), abs=1e-6)
    assert (kept.sum(1) == 32).all()
    occluded = mv.EXPLAINERS["occlusion"](demo_vit, CAT)
    assert np.array_equal(occluded.masks.kept, ~np.eye(64, dtype=bool))
    assert np.array_equal(
        np.argsort(occluded.heatmap.ravel()), np.argsort(-occluded.confidence, kind="stable")
    )


def test_reversed_order_is_the_published_heatmap_with_its_sign_turned(demo_vit):
    published = mv.explain(demo_vit, CAT)
    turned = mv.EXPLAINERS["reversed_order"](demo_vit, CAT)
    assert np.array_equal(turned.heatmap, -published.heatmap)
    assert turned.forward_passes == published.forward_passes


def test_centre_prior_by_hand(tiny, pixels):
    heatmap = mv.EXPLAINERS["centre_prior"](tiny("Dinov2"), pixels(12, 12)).heatmap
    assert heatmap == pytest.approx(-np.hypot(*np.meshgrid([-1 / 3, 0, 1 / 3], [-1 / 3, 0, 1 / 3])))
