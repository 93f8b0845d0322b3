"""A model is left as it was found by every explainer, also after an error, and can be trained thereafter."""

import numpy as np
import pytest
import torch

import multiplex_vit as mv

EXPLAINERS = list(mv.EXPLAINERS)
KINDS = {
    "ViT": ("ViT", "ForImageClassification", {}),
    "DeiT": ("DeiT", "ForImageClassification", {}),
    "DeiT with teacher": ("DeiT", "ForImageClassificationWithTeacher", {}),
    "Dinov2": ("Dinov2", "ForImageClassification", {}),
    "Dinov2 with registers": (
        "Dinov2WithRegisters",
        "ForImageClassification",
        {"num_register_tokens": 2},
    ),
}


class HeardError(Exception):
    """Raised by a hook."""


def prepared(tiny, kind="ViT"):
    """Return a model as it may be in the midst of training: of its modules some train, some are frozen, some are listened to."""
    name, head, changes = KINDS[kind]
    model = tiny(name, head, hidden_dropout_prob=0.3, attention_probs_dropout_prob=0.3, **changes)
    module = model.model.train()
    module.gradient_checkpointing_enable()
    module.set_attn_implementation("eager")
    blocks = next(m for m in module.modules() if isinstance(m, torch.nn.ModuleList))
    blocks[0].eval()
    blocks[1].requires_grad_(False)
    for number, weight in enumerate(module.parameters()):
        weight.grad = torch.full_like(weight, number) if weight.requires_grad else None
    calls = []
    blocks[1].register_forward_hook(lambda *_: calls.append("block"))
    module.register_full_backward_hook(lambda *_: None)
    return model, calls


def state_of(module):
    """Return all of a module that an explanation could change."""
    return {
        "modes": [part.training for part in module.modules()],
        "weights": {
            name: (weight.detach().clone(), weight.requires_grad, weight._version)
            for name, weight in module.named_parameters()
        },
        "gradients": {
            name: None if weight.grad is None else weight.grad.clone()
            for name, weight in module.named_parameters()
        },
        "buffers": {name: buffer.clone() for name, buffer in module.named_buffers()},
        "hooks": [
            [list(hooks) for name, hooks in vars(part).items() if name.endswith("_hooks")]
            for part in module.modules()
        ],
        "own": [sorted(vars(part)) for part in module.modules()],
        "attention": module.config._attn_implementation,
        "checkpointing": [
            getattr(part, "gradient_checkpointing", None) for part in module.modules()
        ],
    }


def same(one, other):
    if isinstance(one, torch.Tensor):
        return torch.equal(one, other)
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(map(same, one, other))
    return one == other


def globally():
    return (
        torch.is_grad_enabled(),
        torch.is_inference_mode_enabled(),
        torch.get_rng_state().sum(),
        torch.get_default_dtype(),
    )


def unlike(before, after):
    return [name for name in before if not same(before[name], after[name])]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("explainer", EXPLAINERS)
def test_explainers_leave_a_model_as_it_was(tiny, pixels, kind, explainer):
    model, calls = prepared(tiny, kind)
    plain = tiny(*KINDS[kind][:2], **KINDS[kind][2])
    before, around = state_of(model.model), globally()
    found = mv.EXPLAINERS[explainer].where_taken(budget=8)(model, pixels(), label=1)
    assert unlike(before, state_of(model.model)) == []
    assert globally() == around
    assert calls, "the user's hooks are called"
    assert np.allclose(found.clean, plain.classify(pixels())[0], atol=1e-5), "dropout is off"


@pytest.mark.parametrize("explainer", EXPLAINERS)
def test_so_they_do_after_an_error(tiny, pixels, explainer):
    model, _ = prepared(tiny)
    left = 1 if explainer in ("mutex", "communities") else 0

    def fail(*_):
        nonlocal left
        left -= 1
        if left < 0:
            raise HeardError

    model.model.vit.layers[2].register_forward_hook(fail)
    before, around = state_of(model.model), globally()
    with pytest.raises(HeardError):
        mv.EXPLAINERS[explainer].where_taken(budget=8)(model, pixels(), label=1)
    assert unlike(before, state_of(model.model)) == []
    assert globally() == around


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("explainer", ["mutex", "generic_attention", "integrated_gradients"])
def test_a_model_can_be_trained_thereafter(tiny, pixels, kind, explainer):
    """What it keeps of a pass, such as position indices, can be in the graph of gradients."""
    name, head, changes = KINDS[kind]
    model = tiny(name, head, **changes)
    keep_positions(model.model)
    mv.EXPLAINERS[explainer].where_taken(budget=8)(model, pixels(), label=1)
    module = model.model.train()
    optimiser = torch.optim.SGD(module.parameters(), lr=0.01)
    logits = module(torch.from_numpy(pixels())).logits
    torch.nn.functional.cross_entropy(logits, torch.tensor([1])).backward()
    optimiser.step()
    assert all(
        weight.grad is not None
        for name, weight in module.named_parameters()
        if "mask_token" not in name
    )
    assert mv.EXPLAINERS[explainer].where_taken(budget=8)(
        model, pixels(), label=1
    ).heatmap.shape == (4, 4)


def keep_positions(module):
    """Let the embeddings make what they multiply by on their first pass, and keep it, as models do with positions."""
    embeddings = getattr(module, module.base_model_prefix).embeddings
    own = embeddings.forward

    def forward(*given, **options):
        made = own(*given, **options)
        if not hasattr(embeddings, "kept"):
            embeddings.kept = torch.ones(made.shape[1:])
        return made * embeddings.kept

    embeddings.forward = forward


def test_results_can_be_used_in_the_graph_of_gradients(tiny, pixels):
    model = tiny("ViT")
    weight = torch.ones(1, requires_grad=True)
    tokens = model.embed(pixels())
    found = [
        tokens.values,
        *model.attend_directly(tokens, ["sum"]),
        *model.attend_relevance(tokens, ["sum"], [1], "attn_lrp"),
        *model.activations(tokens),
        model.classify(pixels()),
    ]
    assert not any(each.is_inference() or each.requires_grad for each in found)
    sum((each * weight).sum() for each in found).backward()


@pytest.mark.parametrize("explainer", EXPLAINERS)
def test_a_users_inference_mode_changes_nothing(tiny, pixels, explainer):
    model = tiny("ViT")
    wanted = mv.EXPLAINERS[explainer].where_taken(budget=8)(model, pixels(), label=1)
    with torch.inference_mode():
        found = mv.EXPLAINERS[explainer].where_taken(budget=8)(model, pixels(), label=1)
    assert np.array_equal(found.heatmap, wanted.heatmap)


def test_a_model_made_in_inference_mode_has_no_gradients_and_says_so(tiny, pixels):
    with torch.inference_mode():
        model = tiny("ViT")
    rounded = mv.VisionModel(model.model, mask_dtype=torch.bfloat16)
    assert np.isfinite(mv.explain(rounded, pixels()).heatmap).all()
    for method in ("generic_attention", "grad_cam", "legrad", "integrated_gradients"):
        with pytest.raises(
            mv.InputError, match=r"made under torch\.inference_mode, where nothing has gradients"
        ):
            mv.EXPLAINERS[method](model, pixels())


def test_a_users_hook_that_changes_tokens_is_applied_once(tiny, pixels):
    """Not again where tokens are fed in place of an image, nor where blocks are skipped."""
    model = tiny("ViT")
    model.model.vit.embeddings.register_forward_hook(lambda _module, _args, output: output * 2)
    model.model.vit.layers[2].register_forward_hook(lambda _module, _args, output: output + 0.5)
    wanted = model.model(torch.from_numpy(pixels())).logits.softmax(-1).detach()
    tokens = model.embed(pixels())
    seen = {
        "probabilities": model.probabilities(tokens, np.ones((1, 16), dtype=bool)),
        "attend": model.attend(tokens, ["sum"])[1],
        "classify": model.classify(pixels()),
        "attention_gradients": model.attention_gradients(tokens, 1)[2],
        "block_gradients": model.block_gradients(tokens, 1)[1],
        "token_gradients": model.token_gradients(tokens, 1)[2],
    }
    for name, found in seen.items():
        assert torch.allclose(found, wanted, atol=1e-5), name
    last = model.block_gradients(tokens, 1)[0][-1]
    assert torch.allclose(last, model.attention_gradients(tokens, 1)[1][-1], atol=1e-5), (
        "the last block's output is read by the head as it is"
    )


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
@pytest.mark.parametrize("explainer", EXPLAINERS)
def test_explainers_in_half_precision(tiny, pixels, explainer, dtype):
    model = tiny("ViT", dtype=dtype)
    before = state_of(model.model)
    found = mv.EXPLAINERS[explainer].where_taken(budget=8)(model, pixels(), label=1)
    assert np.isfinite(found.heatmap).all()
    assert unlike(before, state_of(model.model)) == []
