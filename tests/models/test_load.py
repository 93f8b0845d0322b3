"""Loading folders of every family, of transformers and of timm, and what is refused with what to do."""

import json

import numpy as np
import pytest
import torch
from zoo import NAMES, ZOO, drawn, hugging_face, image_for, model_of, module_of

import multiplex_vit as mv

CAT = mv.samples()["cat"]
CLASSIFIERS = [n for n in NAMES if n.startswith("transformers") and not ZOO[n].head]
PROCESSORS = {"BEiT": "Beit", "Data2Vec": "Beit", "CLIP": "CLIP", "SigLIP": "Siglip"}


def save(folder, module, size):
    """Save a module of transformers with the image processor of its kind."""
    import transformers

    kinds = [
        kind for part, kind in PROCESSORS.items() if part.lower() in type(module).__name__.lower()
    ]
    kind = kinds[0] if kinds else "ViT"
    make = getattr(transformers, f"{kind}ImageProcessorPil")
    sizes = {"height": size[0], "width": size[1]}
    module.save_pretrained(folder)
    make(size=sizes, crop_size=sizes).save_pretrained(folder)


@pytest.mark.parametrize("name", [n for n in CLASSIFIERS if "SigLIP2" not in n])
def test_folders_of_transformers(name, tmp_path):
    model = model_of(name)
    save(tmp_path, model.model, model.input_size)
    loaded = mv.load(tmp_path, device="cpu")
    pixels = image_for(model)
    assert torch.allclose(loaded.classify(pixels), model.classify(pixels), atol=1e-6)
    assert loaded.grid == model.grid
    assert mv.explain(loaded, CAT, budget=8).heatmap.shape == model.grid


def test_a_processor_in_place_of_the_folders_own(tmp_path):
    """SigLIP2's own cuts images into patches by itself."""
    model = model_of("transformers SigLIP2")
    model.model.save_pretrained(tmp_path)
    with pytest.raises(mv.InputError, match="cannot read the image processor"):
        mv.load(tmp_path, device="cpu")
    loaded = mv.load(tmp_path, device="cpu", processor=lambda image: torch.ones(3, 16, 16))
    assert mv.explain(loaded, CAT, budget=8).heatmap.shape == (4, 4)


# --- timm


ARGUMENTS = {"img_size": (32, 48), "patch_size": 8, "depth": 2, "embed_dim": 33, "num_heads": 3}


def save_timm(folder, architecture="vit_tiny_patch16_224", **changes):
    import timm
    from timm.models import save_for_hf

    torch.manual_seed(0)
    arguments = {**ARGUMENTS, **changes}
    module = drawn(
        timm.create_model(architecture, pretrained=False, **{"num_classes": 4, **arguments})
    )
    save_for_hf(module, folder, safe_serialization=True, model_args=arguments)
    return module


def change(folder, **values):
    path = folder / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))


def test_folders_of_timm(tmp_path):
    module = save_timm(tmp_path)
    model = mv.load(tmp_path, device="cpu")
    pixels = torch.from_numpy(image_for(model))
    with torch.no_grad():
        assert torch.allclose(model.classify(pixels), module(pixels).softmax(-1), atol=1e-6)
    assert (model.grid, model.classes) == ((4, 6), ("0", "1", "2", "3"))
    assert mv.explain(model, CAT, budget=8).heatmap.shape == (4, 6)
    assert mv.load(tmp_path, device="cpu", dtype="bfloat16").dtype == torch.bfloat16
    named = mv.load(tmp_path, device="cpu", classes=["cat", "dog", "cow", "hen"])
    assert named.classes[1] == "dog"


@pytest.mark.parametrize("architecture", ["deit3_small_patch16_224", "eva02_tiny_patch14_336"])
def test_architectures_of_timm(tmp_path, architecture):
    save_timm(tmp_path, architecture, num_heads=3, embed_dim=36)
    model = mv.load(tmp_path, device="cpu")
    assert mv.explain(model, image_for(model), budget=8).heatmap.shape == (4, 6)


def test_classes_and_preparation_by_timms_own_configuration(tmp_path):
    save_timm(tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    prepared = {
        **config["pretrained_cfg"],
        "mean": [0.5, 0.25, 0.5],
        "std": [0.5, 0.25, 0.5],
        "label_names": ["n1", "n2", "n3", "n4"],
        "label_descriptions": {"n1": "a cat", "n2": "a dog"},
    }
    change(tmp_path, pretrained_cfg=prepared)
    model = mv.load(tmp_path, device="cpu")
    assert model.classes == ("a cat", "a dog", "n3", "n4")
    mean, std = model.normalisation
    assert np.allclose([mean, std], [0.5, 0.25, 0.5], atol=2e-3)


REFUSED = {
    "a window": (
        {"architecture": "swin_tiny_patch4_window7_224"},
        "is no plain Vision Transformer",
    ),
    "another library": (
        {"architecture": "resnet18"},
        "is no plain Vision Transformer; tokens must",
    ),
    "no name": ({"architecture": "no_such_model"}, "is no plain Vision Transformer"),
    "an unknown argument": (
        {"model_args": {"block_fn": "x"}},
        "has the key 'block_fn', which is no",
    ),
    "a large one": (
        {"model_args": {**ARGUMENTS, "depth": 900}},
        "depth is 900; expected a whole number",
    ),
    "other sizes": ({"model_args": {**ARGUMENTS, "patch_size": 16}}, "has shape .* mend config"),
    "no table": ({"model_args": [1]}, "model_args holds no table"),
    "a mean of text": ({"pretrained_cfg": {"mean": ["a"]}}, "mean is .* expected numbers"),
    "other classes": ({"num_classes": 7}, "weight head.* has shape"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_folders_of_timm_that_cannot_be_used(tmp_path, what):
    save_timm(tmp_path)
    changes, message = REFUSED[what]
    change(tmp_path, **changes)
    with pytest.raises(mv.InputError, match=message) as caught:
        mv.load(tmp_path, device="cpu")
    assert "\n" not in str(caught.value)


def test_backbones_are_refused(tmp_path):
    hugging_face("ViTModel").save_pretrained(tmp_path / "transformers")
    with pytest.raises(mv.InputError, match="ViTModel is a backbone without a classifier; load it"):
        mv.load(tmp_path / "transformers", device="cpu")
    save_timm(tmp_path / "timm", num_classes=0)
    with pytest.raises(mv.InputError, match="is a backbone without a classifier; make it by timm"):
        mv.load(tmp_path / "timm", device="cpu")


def test_pickled_weights_say_how_to_convert_them(tmp_path):
    module = module_of("transformers ViT")
    module.save_pretrained(tmp_path)
    (tmp_path / "model.safetensors").unlink()
    torch.save(module.state_dict(), tmp_path / "pytorch_model.bin")
    with pytest.raises(
        mv.InputError, match=r"could run code; .* save it again: model\.save_pretrain"
    ):
        mv.load(tmp_path, device="cpu")


# --- texts


def test_a_folder_of_clip_reads_its_classes_by_its_own_tokenizer(tmp_path):
    from transformers import CLIPTokenizer

    module = drawn(hugging_face("CLIPModel", text=True, image_size=16), 0.2)
    save(tmp_path, module, (16, 16))
    letters = [chr(number) for number in range(ord("a"), ord("z") + 1)]
    pieces = [*letters, *(f"{letter}</w>" for letter in letters)]
    vocabulary = ["<|startoftext|>", "<|endoftext|>", *pieces]
    (tmp_path / "vocab.json").write_text(json.dumps({p: n for n, p in enumerate(vocabulary)}))
    (tmp_path / "merges.txt").write_text("#version: 0.2\n")
    classes = ["a cat", "a dog"]
    model = mv.load(tmp_path, device="cpu", classes=classes)
    tokenizer = CLIPTokenizer.from_pretrained(tmp_path)
    tokens = tokenizer(classes, padding=True, truncation=True, max_length=16, return_tensors="pt")
    assert tokens["input_ids"].shape[1] > 4
    pixels = torch.from_numpy(image_for(model))
    with torch.no_grad():
        logits = module(pixel_values=pixels, **tokens).logits_per_image
    assert torch.allclose(model.classify(pixels), logits.softmax(-1), atol=1e-5)
    assert mv.explain(model, CAT, label="a dog", budget=8).heatmap.shape == (4, 4)
    with pytest.raises(mv.InputError, match="compares images with texts; give classes="):
        mv.load(tmp_path, device="cpu")
