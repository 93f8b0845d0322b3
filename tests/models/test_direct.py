"""Direct logit attribution: against loops by hand for every architecture, completeness, and what it does to heatmaps."""

import numpy as np
import pytest
import torch
from small import PHOTOS

import multiplex_vit as mv

KINDS = [
    ("ViT", "ForImageClassification", {}, ("classifier",)),
    ("DeiT", "ForImageClassification", {}, ("classifier",)),
    (
        "DeiT",
        "ForImageClassificationWithTeacher",
        {},
        ("cls_classifier", "distillation_classifier"),
    ),
    ("Dinov2", "ForImageClassification", {}, ("classifier",)),
    ("Dinov2WithRegisters", "ForImageClassification", {"num_register_tokens": 3}, ("classifier",)),
]
IDS = [f"{kind}{head}" for kind, head, *_ in KINDS]
CAT = mv.samples()["cat"]


def by_hand(model, tokens, readers, *, nodes_only=True):
    """Loop over blocks, heads, tokens and classes; None as nodes are prefix tokens and biases, the rest of what attention adds."""
    base = getattr(model.model, model.model.base_model_prefix)
    blocks = base.encoder.layer if hasattr(base, "encoder") else base.layers
    hidden, seen = tokens, {(r, j): 0 for r in range(len(readers)) for j in range(tokens.shape[1])}
    for block in blocks:
        normed = getattr(block, "norm1", None) or block.layernorm_before
        values, own = normed(hidden), block.attention
        query, key, value = own.q_proj(values)[0], own.k_proj(values)[0], own.v_proj(values)[0]
        width = query.shape[1] // model.n_heads
        scale = block.layer_scale1.lambda1 if hasattr(block, "layer_scale1") else 1.0
        for h in range(model.n_heads):
            part = slice(h * width, (h + 1) * width)
            paid = (query[:, part] @ key[:, part].T / width**0.5).softmax(-1)
            for r, j in seen:
                seen[r, j] = seen[r, j] + scale * (
                    own.o_proj.weight[:, part] @ (paid[r, j] * value[j, part])
                )
        hidden = block(hidden)
    found = np.zeros((tokens.shape[1], len(model.classes)))
    norm = base.layernorm
    for (r, j), written in seen.items():
        spread = (hidden[0, r].var(unbiased=False) + norm.eps).sqrt()
        head = getattr(model.model, readers[r]).weight[:, : len(written)]
        logits = head @ (norm.weight * (written - written.mean()) / spread) / len(readers)
        found[j] += (logits - logits.mean()).numpy()
    return found[model.n_prefix :] if nodes_only else found


@pytest.mark.parametrize(("kind", "head", "changes", "readers"), KINDS, ids=IDS)
@torch.no_grad()
def test_the_attribution_is_that_of_loops_by_hand(tiny, pixels, kind, head, changes, readers):
    model = tiny(kind, head, **changes)
    tokens = model.embed(pixels()).values
    attention, probabilities, direct = model.attend_directly(tokens, ["sum", "max"])
    plain, clean = model.attend(tokens, ["sum", "max"])
    assert torch.equal(attention, plain)
    assert torch.equal(probabilities, clean)
    assert direct.shape == (1, 16, len(model.classes))
    assert np.allclose(direct[0].numpy(), by_hand(model, tokens, readers), atol=1e-6)
    assert direct.abs().max() > 1e-4


@torch.no_grad()
def test_without_mlps_the_shares_of_all_tokens_and_the_start_make_the_logits(tiny, pixels):
    model = tiny("ViT", "ForImageClassification")
    for name, weight in model.model.named_parameters():
        if "fc2" in name or name.endswith(("o_proj.bias", "vit.layernorm.bias", "classifier.bias")):
            weight.zero_()
    tokens = model.embed(pixels()).values
    shares = by_hand(model, tokens, ("classifier",), nodes_only=False)
    start = tokens[0, 0]
    for_norm = {}
    hook = model.model.vit.layernorm.register_forward_pre_hook(
        lambda _m, args: for_norm.update(last=args[0][0, 0])
    )
    logits = model.model(torch.from_numpy(pixels())).logits[0]
    hook.remove()
    spread = (for_norm["last"].var(unbiased=False) + model.model.vit.layernorm.eps).sqrt()
    begun = model.model.classifier.weight @ (
        model.model.vit.layernorm.weight * (start - start.mean()) / spread
    )
    direct = model.attend_directly(tokens, ["sum"])[2][0].numpy()
    rest = shares[: model.n_prefix].sum(0) + (begun - begun.mean()).numpy()
    assert np.allclose(direct.sum(0) + rest, (logits - logits.mean()).numpy(), atol=1e-5)


def test_several_images_at_once_have_the_shares_of_each_alone(demo_vit):
    tokens = torch.cat([demo_vit.embed(demo_vit.picture(image).pixels).values for image in PHOTOS])
    together = demo_vit.attend_directly(tokens, ["mean"])[2]
    alone = torch.cat([demo_vit.attend_directly(each[None], ["mean"])[2] for each in tokens])
    assert torch.allclose(together, alone, atol=1e-5)


def test_a_classifier_that_is_not_linear_is_refused(tiny, pixels):
    model = tiny("ViT", "ForImageClassification")
    model.model.classifier = torch.nn.Sequential(model.model.classifier, torch.nn.GELU())
    with pytest.raises(
        mv.InputError,
        match="no linear classifier after a layer norm, which direct attribution reads; give prior=None",
    ):
        mv.explain(model, pixels(), estimator="graph", prior="direct")


def test_a_model_in_float64_has_the_same_shares(tiny, pixels):
    single = tiny("ViT")
    expected = single.attend_directly(single.embed(pixels()), ["sum"])[-1]
    double = tiny("ViT", dtype=torch.float64)
    attention, _, shares = double.attend_directly(double.embed(pixels()), ["sum"])
    assert (attention.dtype, shares.dtype) == (torch.float64, torch.float32)
    np.testing.assert_allclose(shares.numpy(), expected.numpy(), atol=1e-5)
