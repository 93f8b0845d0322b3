"""Explainers of one backward pass by rules: each against an independent computation, and a planted token that all must find."""

import numpy as np
import pytest
import torch
from scipy.special import erf

import multiplex_vit as mv

CAT = mv.samples()["cat"]
NEW = [
    "attn_lrp",
    "cp_lrp",
    "res_lrp",
    "layered_lrp",
    "libra_fullgrad",
    "hires_cam",
    "hires_cam(balanced=True)",
    "grad_cam(balanced=True)",
    "generic_attention(balanced=True)",
    "grad_sam",
    "beyond_intuition",
]


def attentions_with_gradients(model, pixels, label):
    """Return transformers' own attention and its gradients [layer, head, query, key]."""
    model.model.set_attn_implementation("eager")
    pixels = torch.tensor(np.asarray(pixels), dtype=model.dtype)
    out = model.model(pixel_values=pixels, output_attentions=True)
    gradients = torch.autograd.grad(out.logits[0, label], out.attentions)
    return (
        torch.cat([attention.detach() for attention in out.attentions]).double().numpy(),
        torch.cat(gradients).double().numpy(),
    )


@pytest.mark.parametrize(
    ("name", "rules", "layers"),
    [
        ("attn_lrp", "attn_lrp", slice(1)),
        ("cp_lrp", "cp_lrp", slice(1)),
        ("res_lrp(gamma=0.5)", "res_lrp(gamma=0.5)", slice(1)),
        ("libra_fullgrad", "cp_lrp", slice(None)),
        ("layered_lrp", "attn_lrp", slice(None)),
    ],
)
def test_heatmaps_are_relevance_of_patch_tokens(tiny, pixels, name, rules, layers):
    model = tiny("DeiT")
    relevance, scores = model.relevance(model.embed(pixels()), [2], rules)
    result = mv.EXPLAINERS[name](model, pixels(), 2)
    expected = relevance[0, layers].sum(0)[2:].reshape(4, 4)
    assert np.array_equal(result.heatmap, expected.numpy())
    assert np.array_equal(result.clean, scores[0].numpy())
    assert (result.forward_passes, result.backward_passes) == (1, 1)


def test_grad_sam_agrees_with_transformers_own_attention(tiny, pixels):
    model = tiny("ViT")
    heatmap = mv.EXPLAINERS["grad_sam"](model, pixels(), 2).heatmap
    attention, gradient = attentions_with_gradients(model, pixels(), 2)
    expected = (attention * gradient.clip(min=0)).mean((0, 1, 3))[1:]
    assert np.abs(expected).max() > 1e-5
    assert heatmap.ravel() == pytest.approx(expected, rel=1e-4, abs=1e-8)


def test_beyond_intuition_agrees_with_transformers_own_attention(tiny, pixels):
    model = tiny("ViT", num_hidden_layers=8)
    result = mv.EXPLAINERS["beyond_intuition"](model, pixels(), 2)
    attention, gradient = attentions_with_gradients(model, pixels(), 2)
    relevance = np.eye(17)
    for heads, slopes in zip(attention[2:], gradient[2:], strict=True):
        moved = np.abs(np.einsum("hqk,hqj->hkj", heads, slopes)).mean((1, 2))
        relevance = relevance + np.einsum("h,hqk->qk", moved / moved.sum(), heads) @ relevance
    steps = [
        attentions_with_gradients(model, share * pixels(), 2)[1][-1]
        for share in np.linspace(0, 1, 20)
    ]
    expected = np.mean(steps, axis=0).clip(min=0).mean(0) * relevance
    assert np.abs(expected[0, 1:]).max() > 1e-5
    assert result.heatmap.ravel() == pytest.approx(expected[0, 1:], rel=1e-3, abs=1e-7)
    assert (result.forward_passes, result.backward_passes) == (21, 21)


def test_hires_cam_sums_to_what_the_last_block_brings(tiny, pixels):
    """Behind a linear reading, token times gradient is what each token brings; here a step along the gradient shows it."""
    model = tiny("ViT", dtype=torch.float64)
    tokens = model.embed(pixels())
    patch_tokens, gradient, _ = model.token_gradients(tokens, 2)
    heatmap = mv.EXPLAINERS["hires_cam"](model, pixels(), 2).heatmap
    expected = np.einsum("nc,nc->n", patch_tokens.numpy(), gradient.numpy())
    assert heatmap.ravel() == pytest.approx(expected, rel=1e-5)


def balanced_last_block(model, pixels, label):
    """Return patch tokens behind the last block's first norm, and what the logit gains for each by numbers held fixed.

    Written out in NumPy: attention A is fixed, so that a patch token x_j reaches the class token as A_0j V W_o x_j alone, and from
    there the MLP and the norms as linear maps of fixed factors.
    """
    inner = model.model
    block = inner.vit.layers[-1]
    seen = {}
    hooks = [
        module.register_forward_hook(
            lambda _m, args, out, name=name: seen.update({name: (args[0], out)})
        )
        for name, module in {
            "norm": block.layernorm_before,
            "norm2": block.layernorm_after,
            "fc1": block.mlp.fc1,
            "fc2": block.mlp.fc2,
            "last": inner.vit.layernorm,
        }.items()
    ]
    inner.set_attn_implementation("eager")
    with torch.no_grad():
        out = inner(pixel_values=torch.tensor(pixels).to(model.dtype), output_attentions=True)
    for hook in hooks:
        hook.remove()
    w = {name: value.double().numpy() for name, value in inner.state_dict().items()}
    attention = out.attentions[-1][0].double().numpy()

    def fixed_norm(x, weight, eps):
        """Return the matrix of a layer norm whose deviation is fixed at what x has."""
        centre = np.eye(len(x)) - 1 / len(x)
        return weight[:, None] * centre / np.sqrt(x.var() + eps)

    values = {name: (a[0].double().numpy(), b[0].double().numpy()) for name, (a, b) in seen.items()}
    eps, path = inner.config.layer_norm_eps, "vit.layers.2"
    last = fixed_norm(values["last"][0][0], w["vit.layernorm.weight"], eps)
    gate_in = values["fc1"][1][0]
    share = 0.5 * (1 + erf(gate_in / 2**0.5))
    norm2 = fixed_norm(values["norm2"][0][0], w[f"{path}.layernorm_after.weight"], eps)
    mlp = w[f"{path}.mlp.fc2.weight"] @ (share[:, None] * w[f"{path}.mlp.fc1.weight"]) @ norm2
    reads = w["classifier.weight"][label] @ last @ (np.eye(len(norm2)) + mlp)
    n_heads = attention.shape[0]
    output = w[f"{path}.attention.o_proj.weight"].reshape(len(norm2), n_heads, -1)
    value = w[f"{path}.attention.v_proj.weight"].reshape(n_heads, -1, len(norm2))
    by_head = np.einsum("w,whd,hdv->hv", reads, output, value)
    gradient = np.einsum("hk,hv->kv", attention[:, 0], by_head)
    return values["norm"][1][1:], gradient[1:]


def test_balanced_cams_agree_with_fixed_factors_written_out(tiny, pixels):
    model = tiny("ViT")
    tokens, gradient = balanced_last_block(model, pixels(), 2)
    grad_cam = mv.EXPLAINERS["grad_cam(balanced=True)"](model, pixels(), 2).heatmap
    hires_cam = mv.EXPLAINERS["hires_cam(balanced=True)"](model, pixels(), 2).heatmap
    expected = (tokens * gradient).sum(-1)
    assert np.abs(expected).max() > 1e-3
    assert hires_cam.ravel() == pytest.approx(expected, rel=1e-3, abs=1e-5)
    assert grad_cam.ravel() == pytest.approx(
        (tokens @ gradient.mean(0)).clip(min=0), rel=1e-3, abs=1e-5
    )
    assert not np.allclose(hires_cam, mv.EXPLAINERS["hires_cam"](model, pixels(), 2).heatmap)


# --- a planted token --------------------------------------------------------------------------------------------------


def planted(tiny):
    """Return a model in which one feature of patches speaks for class 1, is read by attention and written to the class token.

    All heads attend to patches that have the feature; the rest of the model adds nothing.
    """
    model = tiny("ViT")
    module = model.model
    with torch.no_grad():
        for name, weight in module.named_parameters():
            if "layernorm" in name:
                weight.fill_(1.0 if name.endswith("weight") else 0.0)
            else:
                weight.zero_()
        # The mean colour of a patch becomes feature 0, less feature 1, so that a layer norm's mean takes nothing away.
        projection = module.vit.embeddings.patch_embeddings.projection.weight
        projection[0], projection[1] = 1.0, -1.0
        # Every token has something else too, or norms would make all patches equally bright.
        module.vit.embeddings.position_embeddings[..., 2] = 10.0
        module.vit.embeddings.position_embeddings[..., 3] = -10.0
        for block in module.vit.layers:
            attention = block.attention
            # Queries are the same for all, through the bias; keys have feature 0, of both heads.
            attention.q_proj.bias.fill_(0.5)
            attention.k_proj.weight[:, 0] = 2.0
            for diagonal in (attention.v_proj.weight, attention.o_proj.weight):
                diagonal.copy_(0.5 * torch.eye(len(diagonal)))
            # An MLP that hands feature 0 on, weakly.
            block.mlp.fc1.weight[0, 0] = block.mlp.fc2.weight[0, 0] = 0.1
        module.classifier.weight[1, 0], module.classifier.weight[1, 1] = 2.0, -2.0
        module.classifier.weight[2, 0] = -1.0
    return model


@pytest.mark.parametrize("name", NEW)
@pytest.mark.parametrize("place", [0, 6, 15])
def test_a_planted_patch_is_found(tiny, name, place):
    """Of noise about 0 and one bright patch, the bright one is what speaks for the class."""
    model = planted(tiny)
    pixels = 0.02 * np.random.default_rng(place).standard_normal((1, 3, 16, 16)).astype(np.float32)
    row, col = divmod(place, 4)
    pixels[:, :, 4 * row : 4 * row + 4, 4 * col : 4 * col + 4] += 0.2
    heatmap = mv.EXPLAINERS[name](model, pixels, 1).heatmap.ravel()
    assert heatmap.argmax() == place
    # Against the class, the same patch speaks most.
    if name in ("attn_lrp", "cp_lrp", "libra_fullgrad", "layered_lrp"):
        assert mv.EXPLAINERS[name](model, pixels, 2).heatmap.ravel().argmin() == place
