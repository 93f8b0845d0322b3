"""Every family: attention, masks, networks, explanations and curves, against what the library itself computes."""

from contextlib import contextmanager

import numpy as np
import pytest
import torch
from torch import nn
from zoo import KIN, MEMBERS, N_CLASSES, NAMES, ZOO, image_for, model_of

import multiplex_vit as mv
from multiplex_vit.models.check import check_reading

EXPLAINERS = list(mv.EXPLAINERS)
DTYPES = [torch.float16, torch.bfloat16]


@pytest.fixture(scope="module", params=NAMES)
def model(request):
    return model_of(request.param)


def eager(model, pixels):
    """Return the attention [block, head, query, key] that the library computes by itself, step by step."""
    module, blocks = model.model, model.port.blocks
    if hasattr(blocks[0], "self_attn") or "transformers" in type(blocks[0]).__module__:
        return eager_of_transformers(model, pixels)
    layers = []

    def keep_dropped(_module, args):
        layers.append(args[0][0])

    def keep_weights(part, args, options):
        own = nn.MultiheadAttention.forward(
            part, *args, **{**options, "need_weights": True, "average_attn_weights": False}
        )
        layers.append(own[1][0])

    def keep_queries(_module, _args, queries):
        layers.append(queries[0])

    def keep_keys(_module, _args, keys):
        queries = layers.pop()
        layers.append((queries @ keys[0].mT / queries.shape[-1] ** 0.5).softmax(-1))

    hooks = []
    for block in blocks:
        for part in block.modules():
            if isinstance(part, nn.MultiheadAttention):
                hooks.append(part.register_forward_pre_hook(keep_weights, with_kwargs=True))
            if hasattr(part, "ln_q"):
                # open_clip's own attention has no way step by step that runs.
                hooks.append(part.ln_q.register_forward_hook(keep_queries))
                hooks.append(part.ln_k.register_forward_hook(keep_keys))
            elif hasattr(part, "fused_attn"):
                part.fused_attn = False
                hooks.append(part.attn_drop.register_forward_pre_hook(keep_dropped))
    with torch.no_grad():
        model.port.logits(torch.from_numpy(pixels))
    for hook in hooks:
        hook.remove()
    for part in module.modules():
        if hasattr(part, "fused_attn"):
            part.fused_attn = True
    return torch.stack(layers)


def eager_of_transformers(model, pixels):
    """Softmaxes of four axes are those of attention, and of nothing else."""
    from transformers import PreTrainedModel

    layers, softmax = [], nn.functional.softmax

    def keep(values, *args, **options):
        weights = softmax(values, *args, **options)
        layers.append(weights[0])
        return weights

    parts = [part for part in model.model.modules() if isinstance(part, PreTrainedModel)]
    with pytest.MonkeyPatch.context() as patch:
        for part in parts:
            patch.setattr(part.config, "_attn_implementation", "eager")
        for part in model.model.modules():
            if type(part).__name__ == "Data2VecVisionSdpaSelfAttention":
                from transformers.models.data2vec import modeling_data2vec_vision

                plain = modeling_data2vec_vision.Data2VecVisionSelfAttention
                patch.setattr(part, "__class__", plain)
        patch.setattr(nn.functional, "softmax", keep)
        with torch.no_grad():
            model.port.logits(torch.from_numpy(pixels))
    of_blocks = [weights for weights in layers if weights.ndim == 3]
    return torch.stack(of_blocks[: model.n_layers])


def test_every_row_has_a_member():
    """A row that is added has one in `zoo.py`: in `ZOO`, or in `KIN` where all its parts are known."""
    members = set()
    for entry in MEMBERS.values():
        kind = type(entry.make())
        members.add((kind.__module__.partition(".")[0], kind.__name__))
    rows = set()
    for library, families in mv.models.FAMILIES.items():
        rows |= {(library, name) for name in families}
    assert rows == members


@pytest.mark.parametrize("name", KIN)
def test_rows_of_kin_are_right(name):
    kin, entry = model_of(name), KIN[name]
    assert (kin.grid, kin.n_prefix, kin.reads) == (entry.grid, entry.n_prefix, entry.reads)
    check_reading(kin)


def test_what_a_row_says_of_its_family(model):
    entry = ZOO[model.name]
    assert (model.grid, model.n_prefix, model.reads) == (entry.grid, entry.n_prefix, entry.reads)
    assert (model.n_layers, model.n_heads, model.n_classes) == (2, 2, N_CLASSES)


def test_the_self_check_finds_nothing_wrong(model):
    check_reading(model)


def test_attention_is_that_of_the_library(model):
    pixels = image_for(model)
    operators = [lambda weights: weights[:, 0], lambda weights: weights[:, 1]]
    attention, _ = model.attend(model.embed(pixels), operators, prefix=True)
    theirs = eager(model, pixels)
    assert theirs.shape == (2, 2, *attention.shape[-2:])
    assert (attention[0].transpose(0, 1) - theirs).abs().max() < 1e-6


@contextmanager
def unseen(kept):
    """Let nobody attend to the tokens that are not kept, in torch's own attention."""
    own = nn.functional.scaled_dot_product_attention

    def attend(query, key, value, attn_mask=None, *args, **options):
        if key.shape[-2] == len(kept) == query.shape[-2]:
            hidden = torch.zeros(len(kept)).masked_fill(~kept, -torch.inf)
            attn_mask = hidden if attn_mask is None else attn_mask + hidden
            attn_mask = attn_mask.expand(*query.shape[:-1], len(kept))
        return own(query, key, value, attn_mask, *args, **options)

    fast = torch.backends.mha.get_fastpath_enabled()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(nn.functional, "scaled_dot_product_attention", attend)
        torch.backends.mha.set_fastpath_enabled(False)
        try:
            yield
        finally:
            torch.backends.mha.set_fastpath_enabled(fast)


def test_a_mask_is_the_pass_in_which_the_others_are_unseen(model):
    """Compared where tokens leave the last block, as heads that take a mean would count the others."""
    plain = mv.VisionModel(model.port, fast=False)
    pixels, left = image_for(model), []
    nodes = np.random.default_rng(3).random((1, int(np.prod(model.grid)))) < 0.5
    prefix = np.ones(model.n_prefix, dtype=bool)
    kept = torch.from_numpy(np.concatenate([prefix, nodes[0]]))
    hook = model.port.blocks[-1].register_forward_hook(
        lambda _module, _args, given: left.append(given[0] if isinstance(given, tuple) else given)
    )
    plain.probabilities(plain.embed(pixels), nodes)
    with unseen(kept), torch.no_grad():
        model.port.logits(torch.from_numpy(pixels))
    hook.remove()
    alone, together = left[-2], left[-1][:, kept]
    assert alone.shape == together.shape
    size = together.abs().max()
    assert (alone - together).abs().max() < 1e-5 * max(1, size)


def test_shortcuts_change_the_last_bits_alone(model):
    pixels = image_for(model)
    kept = np.random.default_rng(0).random((6, int(np.prod(model.grid)))) < 0.5
    kept[0], kept[1] = True, False
    slow = mv.VisionModel(model.port, fast=False)
    tokens = model.embed(pixels)
    expected = slow.probabilities(tokens, kept)
    assert torch.allclose(model.probabilities(tokens, kept), expected, rtol=0, atol=1e-5)
    assert torch.allclose(expected[:1], model.classify(pixels), rtol=0, atol=1e-5)
    assert expected.isfinite().all(), "also the score of nothing"


def test_every_explainer_explains_every_family(model):
    pixels = image_for(model)
    clean = model.classify(pixels)[0]
    for explainer in EXPLAINERS:
        if explainer == "communities" and model.reads == "attention":
            refuses_direct_attribution(model, pixels)
        found = mv.EXPLAINERS[explainer].where_taken(budget=8)(model, pixels, label=1)
        assert found.heatmap.shape == model.grid, explainer
        assert np.isfinite(found.heatmap).all(), explainer
        assert np.allclose(found.clean, clean, atol=1e-5), explainer


def refuses_direct_attribution(model, pixels):
    with pytest.raises(mv.InputError, match="has no linear classifier .* give prior=None"):
        mv.explain(model, pixels, method="communities(prior='direct')", budget=8)


def test_networks_and_curves_of_every_family(model):
    pixels = image_for(model)
    net = mv.multiplex(model, pixels, min_cut=0, heads=True, prefix=True)
    assert net.weights.shape == (4, net.n_nodes, net.n_nodes)
    assert np.allclose(net.weights.sum(-1), 1, atol=1e-5)
    ranks = np.arange(np.prod(model.grid), dtype=float).reshape(model.grid)
    for protocol in ("token", "patch/black"):
        curves = mv.evaluate(model, pixels, ranks, protocol=protocol, label=1, steps=3)
        assert np.isfinite([curves.insertion.auc, curves.deletion.auc]).all()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", NAMES)
def test_half_precision(name, dtype):
    model = model_of(name)
    pixels = image_for(model)
    expected = model.classify(pixels)
    half = mv.VisionModel(model.port.with_module(model.model.to(dtype)))
    found = mv.explain(half, pixels, label=1, budget=8)
    assert half.dtype == dtype
    assert np.isfinite(found.heatmap).all()
    assert torch.allclose(half.classify(pixels), expected, atol=0.1)


@pytest.mark.parametrize(
    "name", ["timm beit", "timm dinov2 with a probe", "torchvision vit", "open_clip with a probe"]
)
def test_every_part_can_be_randomised(name):
    """Everything of a part differs, and nothing of the others."""
    from multiplex_vit.models.randomise import randomised, weights_by_part

    model = model_of(name)
    parts = weights_by_part(model)
    assert list(parts) == ["head", "block 1", "block 0", "embeddings"]
    assert all(parts.values())
    before = dict(model.model.named_parameters())
    for part, copy in randomised(model):
        now = dict(copy.model.named_parameters())
        done = list(parts)[: list(parts).index(part) + 1]
        for other, names in parts.items():
            same = [torch.equal(before[weight], now[weight]) for weight in names]
            assert not any(same) if other in done else all(same), (part, other)
        assert copy.classify(image_for(model)).isfinite().all()
