"""Tensors, masks and images that a user gives: refused in one line before a pass is made."""

import numpy as np
import pytest
import torch
import transformers
from hostile import refused
from PIL import Image
from transformers import BitImageProcessorPil

import multiplex_vit as mv
from multiplex_vit.limits import MOST_TOKENS
from multiplex_vit.saliency.agreement import rank_correlation

CAT = mv.samples()["cat"]


def meta(*shape, dtype=torch.float32):
    return torch.zeros(shape, device="meta", dtype=dtype)


@pytest.fixture(scope="module")
def tokens(demo_vit):
    return demo_vit.embed(demo_vit.picture(CAT).pixels)


ALL = np.ones((1, 64), dtype=bool)
ON_META = {
    "explain": lambda model, tokens: mv.explain(model, meta(1, 3, 32, 32)),
    "explain several": lambda model, tokens: mv.explain(model, [CAT, meta(1, 3, 32, 32)]),
    "multiplex": lambda model, tokens: mv.multiplex(model, meta(1, 3, 32, 32)),
    "picture": lambda model, tokens: model.picture(meta(1, 3, 32, 32)),
    "bytes": lambda model, tokens: model.picture(meta(32, 32, 3, dtype=torch.uint8)),
    "embed": lambda model, tokens: model.embed(meta(1, 3, 32, 32)),
    "classify": lambda model, tokens: model.classify(meta(1, 3, 32, 32)),
    "attend": lambda model, tokens: model.attend(meta(*tokens.shape), ["mean"]),
    "attend directly": lambda model, tokens: model.attend_directly(meta(*tokens.shape), ["mean"]),
    "attend relevance": lambda model, tokens: model.attend_relevance(
        meta(*tokens.shape), ["mean"], [None], "attn_lrp"
    ),
    "tokens of masks": lambda model, tokens: model.probabilities(meta(*tokens.shape), ALL),
    "masks": lambda model, tokens: model.probabilities(tokens, meta(1, 64, dtype=torch.bool)),
    "heatmap": lambda model, tokens: mv.evaluate(model, CAT, meta(8, 8)),
    "weights": lambda model, tokens: mv.Multiplex(meta(1, 4, 4), (2, 2)),
    "one heatmap": lambda model, tokens: rank_correlation(meta(8, 8), np.ones((8, 8))),
}


@pytest.mark.parametrize("name", ON_META)
def test_tensors_that_hold_no_values(demo_vit, tokens, name):
    with refused():
        ON_META[name](demo_vit, tokens)


def test_a_study_goes_on_after_an_image_without_values(demo_vit):
    images = {"none": meta(1, 3, 32, 32), "cat": CAT}
    options = {"explainers": ["raw_attention"], "protocols": "token", "steps": 4}
    found = mv.Study(None, images, model=demo_vit, **options).run()
    assert set(found.scores()["image"]) == {"cat"}
    assert found.failures()["name"].tolist() == ["none"]
    assert found.failures()["reason"][0].startswith("image is Tensor; give an array")


def test_a_model_that_holds_no_weights(demo_vit):
    with torch.device("meta"):
        model = transformers.ViTForImageClassification(demo_vit.model.config)
    with refused("weight vit.* is on the meta device"):
        mv.VisionModel(model)


def test_tensors_of_other_kinds(demo_vit):
    pixels = torch.zeros(1, 3, 32, 32)
    for other in (pixels.to_sparse(), pixels.to(torch.complex64), pixels.int(), pixels.bool()):
        with refused():
            demo_vit.picture(other)
    for dtype in (torch.float16, torch.bfloat16, torch.float64, torch.float8_e4m3fn):
        assert demo_vit.picture(pixels.to(dtype)).pixels.dtype == torch.float32


BAD_MASKS = {
    "shares": np.full((1, 64), 0.5),
    "floats": np.ones((1, 64)),
    "NaN": np.full((1, 64), np.nan),
    "text": np.full((1, 64), "a"),
    "numbers": np.full((1, 64), 2),
    "complex": np.ones((1, 64), dtype=complex),
    "short": np.ones((1, 63), dtype=bool),
    "long": np.ones((1, 65), dtype=bool),
    "one axis": np.ones(64, dtype=bool),
    "three axes": np.ones((1, 1, 64), dtype=bool),
    "a tensor of floats": torch.ones(1, 64),
}


@pytest.mark.parametrize("kind", BAD_MASKS)
def test_masks_that_are_none(demo_vit, tokens, kind):
    with refused(r"masks are .*; expected bool \[mask, 64\]"):
        demo_vit.probabilities(tokens, BAD_MASKS[kind])


def test_masks_of_truth_values_and_of_0_and_1_are_the_same(demo_vit, tokens):
    kept = np.random.default_rng(0).random((3, 64)) < 0.5
    wanted = demo_vit.probabilities(tokens, kept)
    for same in (kept.astype(int), torch.from_numpy(kept), torch.from_numpy(kept).byte()):
        assert torch.equal(demo_vit.probabilities(tokens, same), wanted)


HEATMAPS = [np.full((8, 8), "a"), np.ones((8, 8), dtype=complex), [[1, 2], [3]], None, {}, "a"]


@pytest.mark.parametrize("heatmap", HEATMAPS, ids=lambda each: type(each).__name__)
def test_heatmaps_that_are_no_numbers(demo_vit, heatmap):
    with refused("give an array of real numbers"):
        mv.evaluate(demo_vit, CAT, heatmap)
    with refused("give an array of real numbers"):
        rank_correlation(heatmap, np.ones((8, 8)))


def test_long_and_narrow_images_are_not_enlarged_beyond_memory(demo_vit):
    sizes = {"size": {"shortest_edge": 32}, "crop_size": {"height": 32, "width": 32}}
    model = mv.VisionModel(demo_vit.model, BitImageProcessorPil(**sizes))
    assert model.picture(Image.new("RGB", (4, 400))).pixels.shape == (1, 3, 32, 32)
    with refused("once its shorter side is 32"):
        model.picture(Image.new("RGB", (4, 4_000_000)))


def test_images_of_too_many_patches(tiny):
    model = tiny("Dinov2", patch_size=1)
    side = int(MOST_TOKENS**0.5) + 1
    with refused(f"makes {side**2:,} patches; at most {MOST_TOKENS:,}"):
        model.picture(torch.zeros(1, 3, side, side))
