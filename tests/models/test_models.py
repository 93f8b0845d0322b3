import json
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.stats import spearmanr
from small import PHOTOS

import multiplex_vit as mv
from multiplex_vit.models.operators import OPERATORS
from multiplex_vit.models.taps.interface import POOLED

KINDS = [
    ("ViT", "ForImageClassification", {}, 1),
    ("DeiT", "ForImageClassification", {}, 2),
    ("DeiT", "ForImageClassificationWithTeacher", {}, 2),
    ("Dinov2", "ForImageClassification", {}, 1),
    ("Dinov2WithRegisters", "ForImageClassification", {"num_register_tokens": 3}, 4),
]
IDS = [f"{kind}{head}" for kind, head, *_ in KINDS]


@pytest.mark.parametrize(("kind", "head", "changes", "n_prefix"), KINDS, ids=IDS)
def test_attention_is_that_of_transformers(tiny, pixels, kind, head, changes, n_prefix):
    model = tiny(kind, head, **changes)
    assert model.n_prefix == n_prefix
    own, clean = model.attend(model.embed(pixels()), list(OPERATORS))
    model.model.set_attn_implementation("eager")
    with torch.no_grad():
        output = model.model(torch.from_numpy(pixels()), output_attentions=True)
    theirs = torch.stack(output.attentions)[:, 0, :, n_prefix:, n_prefix:]
    for i, pooled in enumerate((theirs.amin(1), theirs.amax(1), theirs.sum(1), theirs.mean(1))):
        assert torch.equal(own[0, i], pooled)
    assert torch.allclose(clean, output.logits.softmax(-1), atol=1e-6)


@pytest.mark.parametrize(("kind", "head", "changes", "n_prefix"), KINDS, ids=IDS)
def test_keeping_everything_is_the_clean_pass(tiny, pixels, kind, head, changes, n_prefix):
    model = tiny(kind, head, **changes)
    probabilities = model.probabilities(model.embed(pixels()), np.ones((1, 16), dtype=bool))
    assert torch.allclose(probabilities, model.classify(pixels()), atol=1e-5)


@pytest.mark.parametrize(("kind", "head", "changes", "n_prefix"), KINDS, ids=IDS)
def test_dropped_tokens_really_leave(tiny, pixels, kind, head, changes, n_prefix):
    """Kept tokens through the blocks by hand: prefix and kept embeddings with their own positions, nothing else."""
    model = tiny(kind, head, **changes)
    kept = np.random.default_rng(1).random((1, 16)) < 0.5
    tokens = model.embed(pixels()).values
    sequence = torch.cat([tokens[:, :n_prefix], tokens[:, n_prefix:][:, kept[0]]], 1)
    base = getattr(model.model, model.model.base_model_prefix)
    with torch.no_grad():
        hidden = sequence
        for layer in base.encoder.layer if hasattr(base, "encoder") else base.layers:
            hidden = layer(hidden)
        hidden = base.layernorm(hidden)
        if kind.startswith("Dinov2"):
            logits = model.model.classifier(
                torch.cat([hidden[:, 0], hidden[:, n_prefix:].mean(1)], 1)
            )
        elif head.endswith("Teacher"):
            logits = (
                model.model.cls_classifier(hidden[:, 0])
                + model.model.distillation_classifier(hidden[:, 1])
            ) / 2
        else:
            logits = model.model.classifier(hidden[:, 0])
    assert torch.allclose(model.probabilities(tokens, kept), logits.softmax(-1), atol=1e-5)


@pytest.mark.parametrize(("kind", "head", "changes", "n_prefix"), KINDS, ids=IDS)
def test_a_mask_that_keeps_nothing_is_classified(tiny, pixels, kind, head, changes, n_prefix):
    model = tiny(kind, head, **changes)
    probabilities = model.probabilities(model.embed(pixels()), np.zeros((1, 16), dtype=bool))
    assert torch.isfinite(probabilities).all()
    assert probabilities.sum() == pytest.approx(1)


def test_masks_of_any_batch_size_agree(tiny, pixels):
    model = tiny("ViT")
    tokens, kept = model.embed(pixels()), np.random.default_rng(0).random((20, 16)) < 0.5
    alone = model.probabilities(tokens, kept, batch_size=1)
    for batch_size in (2, 7, "auto"):
        assert torch.allclose(
            model.probabilities(tokens, kept, batch_size=batch_size), alone, atol=1e-5
        )
    for bad in (0, -1, "many", True):
        with pytest.raises(mv.InputError, match="batch_size is"):
            model.probabilities(tokens, kept, batch_size=bad)


def test_a_grid_that_is_not_square(tiny, pixels):
    model = tiny("ViT", image_size=(16, 24), patch_size=(4, 8))
    assert model.grid == (4, 3)
    explanation = mv.explain(model, pixels(16, 24))
    assert explanation.heatmap.shape == (4, 3)
    assert mv.evaluate(
        model, pixels(16, 24), explanation.heatmap, steps=3
    ).insertion.fraction.tolist() == [0, 1 / 3, 2 / 3, 1]


def test_dinov2_takes_other_sizes_than_configured(tiny, pixels):
    model = tiny("Dinov2")
    assert mv.explain(model, pixels(24, 20)).heatmap.shape == (6, 5)
    with pytest.raises(mv.InputError, match="at least one patch"):
        mv.explain(model, pixels(3, 20))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
@pytest.mark.parametrize("kind", ["ViT", "DeiT", "Dinov2"])
def test_half_precision_weights(tiny, pixels, kind, dtype):
    model = tiny(kind, dtype=dtype)
    explanation = mv.explain(model, pixels(), label=0)
    full = mv.explain(tiny(kind), pixels(), label=0)
    assert explanation.probabilities.dtype == np.float32
    assert np.corrcoef(explanation.probabilities.ravel(), full.probabilities.ravel())[0, 1] > 0.98


@pytest.mark.slow
@pytest.mark.parametrize("mask_dtype", ["bfloat16", "float16", "tf32"])
def test_passes_of_another_type_leave_the_masks_as_they_are(demo_vit, mask_dtype):
    photos = PHOTOS
    model = mv.load("demo-vit", device="cpu", mask_dtype=mask_dtype)
    for rounded, full in zip(mv.explain(model, photos), mv.explain(demo_vit, photos), strict=True):
        assert (rounded.masks.kept == full.masks.kept).all()
        assert np.abs(rounded.probabilities - full.probabilities).max() < 0.03
        assert spearmanr(rounded.heatmap.ravel(), full.heatmap.ravel()).statistic > 0.98
        assert (mask_dtype == "tf32") == np.array_equal(rounded.probabilities, full.probabilities)
    assert not torch.backends.cuda.matmul.allow_tf32
    with pytest.raises(mv.InputError, match="unknown mask_dtype 'int8'"):
        mv.load("demo-vit", device="cpu", mask_dtype="int8")


@pytest.mark.parametrize("implementation", ["eager", "sdpa"])
@pytest.mark.parametrize("training", [True, False])
def test_the_model_is_left_as_it_was_found(tiny, pixels, implementation, training):
    model = tiny("ViT", hidden_dropout_prob=0.5)
    model.model.set_attn_implementation(implementation)
    model.model.train(training)
    before = {k: v.clone() for k, v in model.model.state_dict().items()}
    first = mv.explain(model, pixels())
    assert model.model.config._attn_implementation == implementation
    assert all(module.training == training for module in model.model.modules())
    assert "forward" not in model.model.vit.embeddings.__dict__
    assert all(torch.equal(v, before[k]) for k, v in model.model.state_dict().items())
    assert not any(
        module._forward_hooks or module._forward_pre_hooks for module in model.model.modules()
    )
    assert np.array_equal(first.probabilities, mv.explain(model, pixels()).probabilities), (
        "dropout is off"
    )


def test_the_model_is_left_as_it_was_found_after_an_exception(tiny, pixels):
    def failing(attention):
        raise RuntimeError("on purpose")

    model = tiny("ViT").model.train()
    wrapped = mv.VisionModel(model)
    with pytest.raises(RuntimeError, match="on purpose"):
        mv.explain(wrapped, pixels(), operators=(failing,))
    assert model.config._attn_implementation == "sdpa" != POOLED
    assert model.training
    assert "forward" not in model.vit.embeddings.__dict__


def test_attention_of_all_heads_is_never_held(tiny, pixels, monkeypatch):
    """The largest thing that collecting keeps is one pooled matrix a block."""
    import multiplex_vit.models.attention as attention_room

    model, seen = tiny("ViT", num_attention_heads=8), []
    stacked = torch.stack
    monkeypatch.setattr(
        attention_room.torch,
        "stack",
        lambda tensors, dim=0: seen.append([t.shape for t in tensors]) or stacked(tensors, dim),
    )
    model.attend(model.embed(pixels()), ["sum"])
    assert all(
        shape in ([(1, 16, 16)], [(1, 1, 16, 16)] * 3)
        for shape in [list(map(tuple, s)) for s in seen]
    )


def test_wrong_numbers_of_tokens_are_told(tiny, pixels):
    model = tiny("ViT")
    trunk = replace(model.port.trunk, prefix=("class", "other"))
    model.port = replace(model.port, trunk=trunk)
    with pytest.raises(
        mv.InputError,
        match=r"makes 17 tokens, but its trunk says 2 prefix tokens \+ 4 x 4 patches = 18",
    ):
        model.embed(pixels())


@pytest.mark.parametrize(
    "shape", [(3, 16, 16), (2, 3, 16, 16), (1, 1, 16, 16), (1, 3, 16, 20), (1, 16, 16, 3)]
)
def test_pixel_values_of_a_wrong_shape(tiny, shape):
    with pytest.raises(
        mv.InputError, match=r"pixel values have shape .* wants float \[1, 3, 16, 16\]"
    ):
        mv.explain(tiny("ViT"), np.zeros(shape, dtype=np.float32))


def test_pixel_values_with_nan(tiny, pixels):
    with pytest.raises(mv.InputError, match="contain NaN"):
        mv.explain(tiny("ViT"), pixels() * np.nan)


def test_a_model_that_gives_nan(tiny, pixels):
    model = tiny("ViT")
    model.model.classifier.bias.data[:] = torch.inf
    with pytest.raises(mv.InputError, match="gives NaN or infinity in torch.float32"):
        mv.explain(model, pixels())


def test_an_image_needs_a_processor(tiny):
    with pytest.raises(
        mv.InputError, match="has no image processor; give pre-processed pixel values"
    ):
        mv.explain(tiny("ViT"), mv.samples()["cat"])


@pytest.mark.parametrize(
    ("label", "index"), [(0, 0), (3, 3), ("cat", 3), ("Cat", 3), ("3", 3), (np.int64(9), 9)]
)
def test_labels(demo_vit, label, index):
    assert demo_vit.label_of(label, 1) == index


@pytest.mark.parametrize(
    ("label", "message"),
    [
        (10, "classes 0 to 9"),
        (-1, "out of range"),
        ("lion", "is no class of demo-vit; classes: airplane"),
        (1.5, "out of range"),
        (True, "out of range"),
        ("²", "is no class"),
        ("--3", "is no class"),
        (float("nan"), "out of range"),
        ([3], "out of range"),
        (b"cat", "out of range"),
        ("9" * 400, "is no class"),
    ],
)
def test_bad_labels(demo_vit, label, message):
    with pytest.raises(mv.InputError, match=message):
        demo_vit.label_of(label, 1)


# --- loading ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["demo-vit", "demo-deit"])
def test_bundled_models(name):
    from multiplex_vit.models.bundled import bundled

    model = mv.load(name, device="cpu")
    assert (model.grid, model.input_size, model.dtype) == ((8, 8), (32, 32), torch.float32)
    assert model.n_layers >= 6
    assert model.model.config.num_attention_heads >= 3
    assert (bundled()[name] / "model.safetensors").stat().st_size <= 4_000_000
    facts = json.loads((bundled()[name] / "training.json").read_text())
    assert facts["test_accuracy"] >= 0.74
    assert f"{100 * facts['test_accuracy']:.2f} %" in (bundled()[name] / "README.md").read_text()
    if name == "demo-deit":
        assert type(model.model).__name__ == "DeiTForImageClassificationWithTeacher"


@pytest.mark.parametrize("name", ["demo-vit", "demo-deit"])
@pytest.mark.parametrize("animal", ["cat", "horse"])
def test_bundled_models_recognise_the_bundled_animals(name, animal):
    assert mv.explain(mv.load(name, device="cpu"), mv.samples()[animal]).label_name == animal


@pytest.mark.parametrize("name", ["demo-vit", "demo-deit"])
def test_the_heatmap_of_a_rocket_lies_on_the_rocket(name):
    """The rocket stands in the lower half of one of eight columns; of all columns that one is hottest there, by far."""
    heatmap = mv.explain(mv.load(name, device="cpu"), mv.samples()["rocket"]).heatmap
    column = heatmap[4:].mean(0)
    assert column.argmax() == 3
    assert column[3] > np.delete(column, 3).max() + column.std()


def test_a_local_checkpoint_comes_back(tiny, pixels, tmp_path):
    from transformers import ViTImageProcessorPil

    model = tiny("ViT")
    model.model.save_pretrained(tmp_path)
    ViTImageProcessorPil(size={"height": 16, "width": 16}).save_pretrained(tmp_path)
    loaded = mv.load(tmp_path, device="cpu", dtype="bfloat16")
    assert loaded.dtype == torch.bfloat16
    again = mv.load(tmp_path, device="cpu")
    assert torch.allclose(again.classify(pixels()), model.classify(pixels()), atol=1e-6)
    assert mv.explain(again, mv.samples()["cat"]).heatmap.shape == (4, 4)


def test_a_processor_that_crops_shows_what_is_left(tmp_path, tiny):
    from transformers import BitImageProcessorPil, DeiTImageProcessorPil

    wide = np.zeros((100, 200, 3), dtype=np.uint8)
    wide[:, 50:150] = 255
    model = tiny("Dinov2", image_size=32)
    model.processor = BitImageProcessorPil(
        size={"shortest_edge": 32}, crop_size={"height": 16, "width": 16}
    )
    picture = model.picture(wide)
    assert (model.grid, picture.view.shape[:2]) == ((4, 4), (50, 50))
    assert picture.view.min() == 255
    other = tiny("DeiT")
    other.processor = DeiTImageProcessorPil(
        size={"height": 32, "width": 32}, crop_size={"height": 16, "width": 16}
    )
    assert other.picture(wide).view.shape[:2] == (50, 100)


def broken(folder, tiny, what):
    from transformers import ResNetConfig, ViTImageProcessorPil

    model = tiny("ViT").model
    model.save_pretrained(folder)
    ViTImageProcessorPil(size={"height": 16, "width": 16}).save_pretrained(folder)
    if what == "no processor":
        (folder / "preprocessor_config.json").unlink()
    elif what == "no weights":
        (folder / "model.safetensors").unlink()
    elif what == "pickled weights":
        (folder / "model.safetensors").unlink()
        torch.save(model.state_dict(), folder / "pytorch_model.bin")
    elif what == "damaged weights":
        (folder / "model.safetensors").write_bytes(
            (folder / "model.safetensors").read_bytes()[:500]
        )
    elif what == "no classifier":
        model.vit.save_pretrained(folder)
    elif what == "not a ViT":
        ResNetConfig(architectures=["ResNetForImageClassification"]).save_pretrained(folder)
    elif what == "headless":
        config = json.loads((folder / "config.json").read_text())
        model.vit.save_pretrained(folder)
        (folder / "config.json").write_text(json.dumps(config))
    elif what == "pickles behind an index":
        (folder / "model.safetensors").unlink()
        torch.save(model.state_dict(), folder / "weights.bin")
        (folder / "model.safetensors.index.json").write_text(
            json.dumps({"weight_map": dict.fromkeys(model.state_dict(), "weights.bin")})
        )
    elif what == "a wild index":
        (folder / "model.safetensors.index.json").write_text(
            json.dumps({"weight_map": dict.fromkeys(model.state_dict(), "../model.safetensors")})
        )
    elif what == "another number of classes":
        config = json.loads((folder / "config.json").read_text())
        names = {str(i): str(i) for i in range(7)}
        (folder / "config.json").write_text(
            json.dumps({**config, "id2label": names, "label2id": names})
        )
    elif what == "odd patches":
        config = json.loads((folder / "config.json").read_text())
        (folder / "config.json").write_text(json.dumps({**config, "patch_size": 0}))
    elif what == "null":
        (folder / "config.json").write_text("null")
    elif what == "damaged configuration":
        (folder / "config.json").write_text("{")


@pytest.mark.parametrize(
    ("what", "message"),
    [
        ("no processor", "cannot read the image processor"),
        ("no weights", r"cannot read the weights \(safetensors\)"),
        ("pickled weights", r"cannot read the weights \(safetensors\)"),
        ("damaged weights", "cannot read the weights"),
        (
            "no classifier",
            "ViTModel is a backbone without a classifier; load it by its own library",
        ),
        ("not a ViT", "ResNetForImageClassification is not a supported"),
        ("headless", "has no weights for classifier"),
        ("damaged configuration", "cannot read the configuration"),
        (
            "pickles behind an index",
            "its index names the weight file 'weights.bin'; only safetensors",
        ),
        ("a wild index", r"its index names the weight file '\.\./model\.safetensors'"),
        (
            "another number of classes",
            r"weight classifier\.(weight|bias) has shape \[5.*but its configuration wants \[7",
        ),
        ("odd patches", "cannot read the"),
        ("null", "cannot read the configuration"),
    ],
)
def test_checkpoints_that_cannot_be_used(tmp_path, tiny, what, message):
    broken(tmp_path, tiny, what)
    with pytest.raises(mv.InputError, match=message) as caught:
        mv.load(tmp_path, device="cpu")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "name", ["google/vit-base-patch16-224", "demo-vitt", "no such/thing/at all"]
)
def test_models_that_cannot_be_had(name):
    with pytest.raises(
        mv.InputError, match=r"bundled models: demo-deit, demo-photo, demo-vit"
    ) as caught:
        mv.load(name)
    assert "\n" not in str(caught.value)


def test_bad_devices_and_types():
    with pytest.raises(mv.InputError, match="device 'gpu' cannot be used here"):
        mv.load("demo-vit", device="gpu")
    with pytest.raises(mv.InputError, match="unknown dtype 'int8'"):
        mv.load("demo-vit", device="cpu", dtype="int8")


def test_other_architectures_are_refused():
    from transformers import ResNetConfig, ResNetForImageClassification

    with pytest.raises(mv.InputError, match="ResNetForImageClassification is not a supported"):
        mv.VisionModel(
            ResNetForImageClassification(
                ResNetConfig(embedding_size=8, hidden_sizes=[8, 8, 8, 8], depths=[1, 1, 1, 1])
            )
        )


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA GPU here")
def test_cuda_agrees_with_the_cpu(demo_vit):
    on_gpu = mv.explain(
        mv.load("demo-vit", device="cuda", dtype="float32"), mv.samples()["cat"], label=3
    )
    assert (
        np.abs(on_gpu.heatmap - mv.explain(demo_vit, mv.samples()["cat"], label=3).heatmap).max()
        < 0.05
    )


def test_a_class_named_by_a_number_wins_over_an_index():
    from multiplex_vit.checks import label_index

    assert label_index("1", ["7", "0", "1"], "the model") == 2
    assert label_index(1, ["7", "0", "1"], "the model") == 1


def test_a_subclass_is_what_it_extends(tiny, pixels):
    from transformers import ViTForImageClassification

    class Mine(ViTForImageClassification):
        pass

    model = mv.VisionModel(Mine(tiny("ViT").model.config).eval())
    assert mv.explain(model, pixels()).heatmap.shape == (4, 4)


def test_grey_models(tiny):
    from transformers import ViTImageProcessorPil

    model = tiny("ViT", num_channels=1)
    model.processor = ViTImageProcessorPil(
        size={"height": 16, "width": 16}, image_mean=[0.5], image_std=[0.5]
    )
    explanation = mv.explain(model, mv.samples()["horse"])
    assert explanation.view.shape[2] == 3
    assert (
        mv.evaluate(model, mv.samples()["horse"], explanation.heatmap, steps=2).label
        == explanation.label
    )


@pytest.mark.parametrize("given", ["demo-vit", None, 3])
def test_what_is_no_model(given):
    for call in (
        lambda: mv.explain(given, mv.samples()["cat"]),
        lambda: mv.multiplex(given, mv.samples()["cat"]),
        lambda: mv.evaluate(given, mv.samples()["cat"], np.zeros((8, 8))),
    ):
        with pytest.raises(mv.InputError, match="give what multiplex_vit.load returns"):
            call()


def test_pixel_values_in_any_memory_layout(tiny, pixels):
    model = tiny("ViT")
    own = model.picture(pixels()).pixels
    for given in (
        pixels()[..., ::-1][..., ::-1],
        pixels().astype(">f4"),
        pixels().astype(np.longdouble),
        torch.from_numpy(pixels()).requires_grad_(),
    ):
        assert torch.equal(model.picture(given).pixels, own)


@pytest.mark.parametrize(
    "bad", [lambda a: a.sum(1)[:, 0], lambda a: a.sum(1).numpy(), lambda a: a.sum(1) * torch.nan]
)
def test_operators_that_return_something_else(tiny, pixels, bad):
    with pytest.raises(mv.InputError, match="head operator <lambda> returned"):
        mv.explain(tiny("ViT"), pixels(), operators=(bad,))


def onednn_runs(model, pixels):
    """Return logits of the default layers, and of a first and a second run on oneDNN."""
    from multiplex_vit.models.fast.onednn import fast_linear

    values = torch.from_numpy(pixels())
    with torch.inference_mode():
        expected = model(values).logits
        with fast_linear(model):
            found = [model(values).logits for _ in range(3)]
            linear = model.vit.layers[0].mlp.fc1.forward
    return expected, found, linear


def test_linear_layers_on_onednn_agree_and_are_put_back(tiny, pixels):
    model = tiny("ViT").model
    expected, found, linear = onednn_runs(model, pixels)
    for each in found:
        assert torch.allclose(each, expected, atol=1e-5)
    assert (linear.then, linear.weight.is_mkldnn) == ("gelu", True)
    assert not any("forward" in module.__dict__ for module in model.modules())
    with torch.no_grad():
        model.vit.layers[0].mlp.fc1.weight.data.mul_(2)
    other, again, _ = onednn_runs(model, pixels)
    assert not torch.allclose(other, expected, atol=1e-3)
    assert torch.allclose(again[-1], other, atol=1e-5)


def test_large_weights_stay_as_they_are_and_a_gelu_that_is_listened_to_is_run(
    tiny, pixels, monkeypatch
):
    from multiplex_vit.models.fast import onednn

    monkeypatch.setattr(onednn, "MOST_BYTES", 0)
    model, heard = tiny("ViT").model, []
    model.vit.layers[0].mlp.activation_fn.register_forward_hook(
        lambda _, args, output: heard.append(bool((args[0] < -1).any()))
    )
    expected, found, linear = onednn_runs(model, pixels)
    assert torch.allclose(found[-1], expected, atol=1e-5)
    assert heard == [True] * 4
    assert (linear.then, linear.weight.is_mkldnn) == ("none", False)


def test_linear_layers_run_by_default_under_autocast(tiny, pixels):
    model = tiny("ViT")
    with torch.autocast("cpu", torch.bfloat16):
        found = model.probabilities(model.embed(pixels()), np.ones((2, 16), dtype=bool))
    assert found.isfinite().all()


def test_passes_of_another_type_follow_the_weights(tiny, pixels):
    model = mv.VisionModel(tiny("ViT").model, mask_dtype=torch.bfloat16)
    before, copy = model.classify(pixels()), model.mask_model
    assert model.mask_model is copy
    with torch.no_grad():
        model.model.classifier.weight.mul_(-3)
    assert not torch.allclose(model.classify(pixels()), before, atol=1e-2)


def test_tf32_is_put_back():
    from multiplex_vit.models.fast.rounding import tf32

    matmul = torch.backends.cuda.matmul
    with tf32(True):
        assert matmul.allow_tf32
    assert not matmul.allow_tf32


@pytest.mark.slow
def test_tf32_is_put_back_where_only_the_newer_name_was_used():
    code = """
import torch
from multiplex_vit.models.fast.rounding import tf32
matmul = torch.backends.cuda.matmul
matmul.fp32_precision = "ieee"
with tf32(True):
    assert matmul.fp32_precision == "tf32"
assert matmul.fp32_precision == "ieee"
with tf32(False):
    assert matmul.fp32_precision == "ieee"
"""
    subprocess.run(
        [sys.executable, "-c", code], check=True
    )  # the two names do not go together, so in a process of its own
