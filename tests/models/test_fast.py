"""Every shortcut of masked passes can be switched off, and changes nothing but the last bits."""

import dataclasses

import numpy as np
import pytest
import torch

import multiplex_vit as mv
from multiplex_vit.models.fast.sharing import parts_of
from multiplex_vit.models.fast.switches import Fast, fast_of

KINDS = ["ViT", "DeiT", "Dinov2", "Dinov2WithRegisters"]
SWITCHES = [field.name for field in dataclasses.fields(Fast)]


def probabilities(model, pixels):
    """Return what a model gives for masks of three sizes, and for two images."""
    kept = np.random.default_rng(0).permuted(
        np.tile(np.arange(16) < [[4], [9], [16]], (4, 1)), axis=1
    )
    images = np.concatenate([pixels(), pixels(seed=1)])
    return torch.cat([model.probabilities(model.embed(pixels()), kept), model.classify(images)])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("switch", SWITCHES)
def test_a_switch_changes_the_last_bits_alone(tiny, pixels, kind, switch):
    module = tiny(kind).model
    model = mv.VisionModel(module, fast=Fast(**{switch: False}))
    expected = probabilities(mv.VisionModel(module), pixels)
    assert torch.allclose(probabilities(model, pixels), expected, rtol=0, atol=2e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_attention_is_the_same_to_the_last_bit(tiny, pixels, kind):
    module = tiny(kind).model
    attention, clean = {}, {}
    for fast in (True, False):
        model = mv.VisionModel(module, fast=fast)
        attention[fast], clean[fast] = model.attend(model.embed(pixels()), ["min", "mean"])
    assert torch.equal(attention[True], attention[False])
    assert torch.equal(clean[True], clean[False])


def test_heatmaps_agree_with_all_switched_off():
    on, off = (mv.load("demo-vit", device="cpu", fast=fast) for fast in (True, False))
    expected, found = (mv.explain(model, mv.samples()["cat"]) for model in (on, off))
    assert np.array_equal(found.masks.kept, expected.masks.kept)
    np.testing.assert_allclose(found.probabilities, expected.probabilities, atol=1e-5)


def projections_run(module, pixels, fast):
    """Return how many tokens the first block's key projection computes for ten masks."""
    n_tokens = []
    linear = module.vit.layers[0].attention.k_proj
    forward = linear.forward

    class Counting(type(linear)):
        def forward(self, values):
            n_tokens.append(values.shape[:-1].numel())
            return forward(values)

    model = mv.VisionModel(module, fast=fast)
    tokens = model.embed(pixels())
    linear.__class__ = Counting
    model.probabilities(tokens, np.ones((10, 16), dtype=bool))
    return sum(n_tokens)


def test_without_sharing_every_mask_is_projected(tiny, pixels):
    assert parts_of(tiny("ViT").model.vit.layers[0]) is not None
    assert projections_run(tiny("ViT").model, pixels, Fast(sharing=False)) == 10 * 17


def test_without_batches_every_sequence_has_a_pass(tiny, pixels):
    n_sequences = []
    module = tiny("ViT").model
    module.vit.layernorm.register_forward_hook(
        lambda _, args, output: n_sequences.append(len(output))
    )
    for fast in (Fast(), Fast(batches=False)):
        model = mv.VisionModel(module, fast=fast)
        tokens = model.embed(pixels())
        n_sequences.clear()
        model.probabilities(tokens, np.ones((3, 16), dtype=bool), batch_size=3)
        assert n_sequences == ([3] if fast.batches else [1, 1, 1])


def test_without_onednn_no_layer_is_replaced(tiny, pixels):
    replaced = []
    module = tiny("ViT").model
    norm, linear = module.vit.layernorm, module.vit.layers[1].mlp.fc1
    norm.register_forward_hook(lambda *_: replaced.append("forward" in linear.__dict__))
    for fast in (Fast(), Fast(onednn=False)):
        model = mv.VisionModel(module, fast=fast)
        tokens = model.embed(pixels())
        replaced.clear()
        model.probabilities(tokens, np.ones((1, 16), dtype=bool))
        assert replaced == [fast.onednn]


def test_masks_are_classified_in_the_models_own_type_by_default(tiny, pixels):
    module = tiny("ViT").model
    expected = probabilities(mv.VisionModel(module), pixels)
    same = mv.VisionModel(module, mask_dtype=torch.float32)
    other = mv.VisionModel(module, mask_dtype=torch.bfloat16)
    assert torch.equal(probabilities(same, pixels), expected)
    assert not torch.allclose(probabilities(other, pixels), expected, rtol=0, atol=1e-4)


def test_switches_by_one_word():
    assert fast_of(True) == Fast()
    assert fast_of(False) == Fast(sharing=False, batches=False, onednn=False)
    assert fast_of(Fast(onednn=False)) == Fast(onednn=False)


@pytest.mark.parametrize("value", ["no", None, 1])
def test_what_is_no_switch(tiny, value):
    with pytest.raises(mv.InputError, match="fast is .*; give True, False or Fast"):
        mv.VisionModel(tiny("ViT").model, fast=value)


def test_a_randomised_copy_keeps_the_switches(tiny):
    from multiplex_vit.models.randomise import randomised

    model = mv.VisionModel(tiny("ViT").model, fast=Fast(sharing=False))
    _, copy = next(randomised(model))
    assert copy.fast == model.fast


@pytest.mark.parametrize("name", ["timm vit", "timm deit3", "timm distilled", "timm registers"])
def test_blocks_of_timm_share_too(name):
    """The first block's projections, and of the last block the prefix tokens alone."""
    from zoo import image_for, model_of

    model = model_of(name)
    assert all(parts_of(block) is not None for block in model.port.blocks)
    kept = np.random.default_rng(0).random((8, 15)) < 0.5
    slow = mv.VisionModel(model.port, fast=Fast(sharing=False))
    tokens = model.embed(image_for(model))
    expected = slow.probabilities(tokens, kept)
    assert torch.allclose(model.probabilities(tokens, kept), expected, rtol=0, atol=2e-6)


def test_blocks_of_timm_that_normalise_queries_run_as_they_are():
    from zoo import model_of

    assert parts_of(model_of("timm qk-norm").port.blocks[0]) is None
    assert parts_of(model_of("timm eva02").port.blocks[0]) is None
