"""Layers that are more than the weight that they show: adapters, hooks, quantised weights, parametrizations."""

import warnings
from copy import deepcopy

import numpy as np
import peft
import pytest
import torch
from peft.tuners.tuners_utils import BaseTunerLayer
from torch import nn
from torch.nn.utils import parametrizations, prune

import multiplex_vit as mv
from multiplex_vit.models.linear import linear_map, norm_map

EXPLAINERS = list(mv.EXPLAINERS)
ATTENTION = ["q_proj", "k_proj", "v_proj", "o_proj"]
ADAPTERS = {
    "lora on the output projections": peft.LoraConfig(
        target_modules=["o_proj"], init_lora_weights=False
    ),
    "lora everywhere": peft.LoraConfig(
        target_modules=[*ATTENTION, "fc1", "fc2"], init_lora_weights=False, lora_dropout=0.5
    ),
    "dora": peft.LoraConfig(target_modules=["o_proj"], use_dora=True, init_lora_weights=False),
    "lora and the head": peft.LoraConfig(
        target_modules=["q_proj", "o_proj"], modules_to_save=["classifier"], init_lora_weights=False
    ),
    "lora and the last norm": peft.LoraConfig(
        target_modules=["o_proj"], modules_to_save=["layernorm"], init_lora_weights=False
    ),
    "loha": peft.LoHaConfig(target_modules=["o_proj"], init_weights=False),
    "ia3": peft.IA3Config(
        target_modules=["o_proj"], feedforward_modules=[], init_ia3_weights=False
    ),
}


@pytest.fixture(scope="module")
def adapted():
    """Return a maker of a PEFT model and the same one merged, each as a VisionModel."""
    from conftest import tiny_model

    known = {}

    def make(name, kind="ViT"):
        if (name, kind) not in known:
            torch.manual_seed(1)
            # the kurtosis of three blocks is always the same, and masks of it a matter of the last bits: so five of them
            wrapped = peft.get_peft_model(
                tiny_model(kind, num_hidden_layers=5).model, deepcopy(ADAPTERS[name])
            )
            change_what_is_saved_too(wrapped)
            merged = deepcopy(wrapped.eval()).merge_and_unload()
            known[name, kind] = (
                mv.VisionModel(wrapped, name="tiny"),
                mv.VisionModel(merged, name="tiny"),
            )
        return known[name, kind]

    return make


def change_what_is_saved_too(model):
    """Let the copies that PEFT trains beside the adapters differ from the originals, as after training."""
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if "modules_to_save" in name:
                weight.add_(0.2 * torch.randn_like(weight))


@pytest.mark.parametrize("adapters", ADAPTERS)
@pytest.mark.parametrize("kind", ["ViT", "Dinov2"])
def test_direct_attribution_of_adapters_is_that_of_the_merged_model(
    adapted, pixels, adapters, kind
):
    found, wanted = (
        model.attend_directly(model.embed(pixels()), ["sum"]) for model in adapted(adapters, kind)
    )
    base = adapted(adapters, kind)[0].model
    for own, merged in zip(found, wanted, strict=True):
        assert torch.allclose(own, merged, atol=1e-5)
    assert wanted[2].abs().max() > 1e-3
    assert any(
        "lora" in name or "hada" in name or "ia3" in name for name, _ in base.named_parameters()
    ), "the adapters are in place"


@pytest.mark.slow
@pytest.mark.parametrize("explainer", [name for name in EXPLAINERS if name != "reversed_order"])
@pytest.mark.parametrize("adapters", ["lora everywhere", "lora and the head"])
def test_every_explainer_of_adapters_agrees_with_the_merged_model(
    adapted, pixels, adapters, explainer
):
    """Merged weights round otherwise, which published masks may depend on, and stable ones do not.

    The reversed order is that of published masks, so that it is left out.
    """
    explain = mv.EXPLAINERS[explainer].where_taken(budget=20, numerics="stable")
    found, wanted = (explain(model, pixels(), label=2) for model in adapted(adapters))
    assert np.allclose(found.clean, wanted.clean, atol=1e-5)
    spread = max(1, np.ptp(wanted.heatmap))  # heatmaps in standard deviations go beyond 1
    assert np.abs(found.heatmap - wanted.heatmap).max() < 1e-5 * spread


def test_adapters_that_are_switched_off_take_no_part(adapted, pixels):
    """Also in passes of another type, whose copy of the model is made anew."""
    model = mv.VisionModel(adapted("lora everywhere")[0].model, mask_dtype=torch.bfloat16)
    with_adapters = model.classify(pixels())
    for part in model.model.modules():
        if isinstance(part, BaseTunerLayer):
            part.enable_adapters(False)
    without = model.classify(pixels())
    for part in model.model.modules():
        if isinstance(part, BaseTunerLayer):
            part.enable_adapters(True)
    assert not torch.allclose(without, with_adapters, atol=0.02)
    assert torch.equal(model.classify(pixels()), with_adapters)


def layers_of(model):
    return model.model.vit.layers


def doubled(layer):
    layer.register_forward_hook(lambda _module, _args, output: 2 * output)


def pruned(layer):
    prune.l1_unstructured(layer, "weight", 0.5)


def normalised(layer):
    parametrizations.weight_norm(layer)
    with torch.no_grad():
        layer.parametrizations.weight.original0.mul_(3)


CHANGES = {"a hook that doubles": doubled, "pruning": pruned, "a parametrization": normalised}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize(
    "place", ["q_proj", "k_proj", "v_proj", "o_proj", "fc1", "fc2", "classifier"]
)
def test_changed_layers_do_in_shared_passes_what_they_do_in_the_model(tiny, pixels, change, place):
    """Keeping every token is the model's own pass, and direct attribution is that of the matrix that is applied."""
    model = tiny("ViT")
    model.model.requires_grad_(False)  # a pruned weight that requires gradients cannot be copied
    for part in {"classifier": [model.model]}.get(place) or [
        getattr(block, "mlp" if place.startswith("fc") else "attention")
        for block in layers_of(model)
    ]:
        CHANGES[change](getattr(part, place))
    plain = tiny("ViT")
    tokens = model.embed(pixels())
    own = model.model(torch.from_numpy(pixels())).logits.softmax(-1).detach()
    assert not torch.allclose(own, plain.classify(pixels()), atol=1e-4), "the change counts"
    assert torch.allclose(
        model.probabilities(tokens, np.ones((3, 16), dtype=bool))[0], own[0], atol=1e-5
    )
    assert torch.allclose(model.classify(pixels()), own, atol=1e-5)
    # the same model with every changed layer replaced by a plain one of the matrix that it applies
    fixed = deepcopy(model.model)
    for name, part in list(fixed.named_modules()):
        if name.split(".")[-1] == place:
            twin = nn.Linear(part.in_features, part.out_features)
            with torch.no_grad():
                zero = part(torch.zeros(1, 1, part.in_features))[0, 0]
                twin.weight.copy_((part(torch.eye(part.in_features)[None])[0] - zero).T)
                twin.bias.copy_(zero)
            fixed.set_submodule(name, twin)
    wanted = mv.VisionModel(fixed)
    found, merged = (each.attend_directly(tokens, ["sum"])[2] for each in (model, wanted))
    assert torch.allclose(found, merged, atol=1e-5)


def test_quantised_layers_are_not_linear_and_say_so(tiny, pixels):
    model = tiny("ViT")
    with warnings.catch_warnings(action="ignore"):  # torch moves this to another package
        quantised = torch.ao.quantization.quantize_dynamic(
            deepcopy(model.model), {nn.Linear}, dtype=torch.qint8
        )
    found = mv.VisionModel(quantised)
    assert torch.allclose(
        found.probabilities(found.embed(pixels()), np.ones((1, 16), dtype=bool)),
        found.classify(pixels()),
        atol=0.01,
    )
    with pytest.raises(
        mv.InputError,
        match="the output projection of block 0 is not linear, .*; give prior=None",
    ):
        mv.explain(found, pixels(), method="communities(prior='direct')", budget=10)
    with pytest.warns(UserWarning, match="has no relevance .* so its heatmaps have no prior"):
        without = mv.explain(found, pixels(), method="communities", budget=10)
    assert (without.settings.prior, without.prior, without.backward_passes) == (None, None, 0)
    assert mv.explain(found, pixels()).heatmap.shape == (4, 4)


def test_a_head_of_linear_layers_is_one_linear_layer(tiny, pixels):
    model, plain = tiny("ViT"), tiny("ViT")
    model.model.classifier = nn.Sequential(
        nn.Identity(), nn.Sequential(model.model.classifier), nn.Dropout()
    )
    found, wanted = (
        each.attend_directly(each.embed(pixels()), ["sum"])[2] for each in (model, plain)
    )
    assert torch.allclose(found, wanted, atol=1e-5)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
def test_a_linear_map_is_read_in_any_type(dtype):
    torch.manual_seed(0)
    layer = nn.Linear(6, 4).to(dtype)
    for like in (torch.zeros(1, 6, dtype=dtype), torch.zeros(1, 2, 6, dtype=dtype)):
        found = linear_map(nn.Sequential(layer), like)
        assert torch.allclose(found.weight, layer.weight.float(), rtol=0.01, atol=1e-4)
        assert torch.allclose(found.bias, layer.bias.float(), atol=1e-6)


class Shifted(nn.Module):
    """Linear in each token by itself, but not the same for all of them."""

    def forward(self, values):
        return values * torch.arange(values.shape[-2])[:, None]


@pytest.mark.parametrize(
    "module",
    [
        nn.ReLU(),
        nn.Softmax(-1),
        nn.LayerNorm(6),
        Shifted(),
        nn.Sequential(nn.Linear(6, 6), nn.GELU()),
        nn.Conv1d(6, 6, 1),
        nn.Flatten(0),
        nn.LSTM(6, 6),
    ],
    ids=lambda module: type(module).__name__,
)
def test_what_is_not_linear_is_found_out(module):
    assert linear_map(module, torch.zeros(1, 5, 6)) is None


def test_a_layer_norm_is_read_through_what_is_around_it():
    norm = nn.LayerNorm(6, eps=0.3)
    with torch.no_grad():
        norm.weight.copy_(torch.arange(6) - 2.0)
        norm.bias.copy_(torch.arange(6) / 5)
    found = norm_map(nn.Sequential(norm, nn.Linear(6, 6)), torch.zeros(1, 3, 6))
    assert found is None
    found = norm_map(nn.Sequential(norm), torch.zeros(1, 3, 6))
    assert torch.allclose(found.weight, norm.weight, atol=1e-5)
    assert torch.allclose(found.bias, norm.bias, atol=1e-5)
    assert norm_map(nn.Identity(), torch.zeros(1, 3, 6)) is None
