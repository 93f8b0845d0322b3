"""The bundled photo classifier: its 8-bit weights, what its card says, and the pictures it is shown with."""

import json
import shutil

import numpy as np
import pytest
import torch
from PIL import Image

import multiplex_vit as mv
from multiplex_vit.models.bundled import DEFAULT, bundled
from multiplex_vit.models.bundled.eight_bit import FILE, dequantised, eight_bit_file, quantised

FOLDER = bundled()["demo-photo"]
CLASS_OF = {"cat": "cat", "deer": "deer", "dogs": "dog", "grey_cat": "cat", "deer_and_dog": "dog"}


@pytest.fixture(scope="module")
def demo_photo():
    return mv.load("demo-photo", device="cpu")


def test_what_the_model_is(demo_photo):
    assert DEFAULT == "demo-photo"
    assert (demo_photo.grid, demo_photo.input_size) == ((16, 16), (224, 224))
    assert (demo_photo.dtype, demo_photo.n_layers) == (torch.float32, 12)
    assert (FOLDER / FILE).stat().st_size <= 24_000_000


def test_the_card_says_what_was_measured():
    card = (FOLDER / "README.md").read_text(encoding="utf-8")
    measured = json.loads((FOLDER / "measured.json").read_text())
    assert measured["command"] in card
    for part in ("cifar10", "photos"):
        facts = measured[part]
        for rights in (facts["right_as_given"], facts["right_as_stored"]):
            assert f"{rights:,} of {facts['images']:,}" in card
        assert facts["right_as_given"] - facts["right_as_stored"] <= facts["images"] / 100
    assert measured["cifar10"]["images"] >= 1000


def test_the_notices_are_carried():
    notice = (FOLDER / "NOTICE.md").read_text(encoding="utf-8")
    assert "Copyright (c) Meta Platforms, Inc. and affiliates." in notice
    assert "License: MIT" in notice
    assert "Version 2.0, January 2004" in (FOLDER / "LICENSE-APACHE-2.0.txt").read_text()


@pytest.mark.parametrize(("name", "label"), CLASS_OF.items())
def test_it_recognises_the_bundled_photos(demo_photo, name, label):
    picture = demo_photo.picture(mv.samples()[name])
    probabilities = demo_photo.classify(picture.pixels)[0]
    names = demo_photo.model.config.id2label
    assert names[int(probabilities.argmax())] == label
    assert probabilities.max() > 0.5


@pytest.mark.slow
def test_the_heatmap_of_two_dogs_lies_on_the_dogs(demo_photo):
    """Their heads fill columns 1 to 9, the upper one rows 0 to 7 and the lower one rows 8 to 14; the wall is right of them."""
    heatmap = mv.explain(demo_photo, mv.samples()["dogs"]).heatmap
    wall = heatmap[:8, 10:].mean()
    assert heatmap[1:7, 2:6].mean() > wall + heatmap.std()
    assert heatmap[9:14, 6:10].mean() > wall + heatmap.std()


def test_every_bundled_picture_is_small_and_has_a_licence():
    sources = (next(iter(mv.samples().values())).parent / "README.md").read_text(encoding="utf-8")
    for path in mv.samples().values():
        assert path.stat().st_size <= 150_000
        assert f"| `{path.name}` |" in sources
        assert Image.open(path).mode == "RGB"


def test_eight_bits_are_off_by_half_a_step_at_most():
    rng = np.random.default_rng(0)
    matrix = torch.tensor(
        rng.normal(size=(5, 3, 2, 2)) * 10.0 ** np.arange(-2, 3)[:, None, None, None]
    )
    weights = {"a.weight": matrix.float(), "a.bias": torch.ones(5), "norm.weight": torch.ones(3)}
    stored = quantised(weights)
    assert stored["a.weight"].dtype == torch.int8
    assert stored["norm.weight"].dtype == torch.float32, "a vector is no matrix"
    back = dequantised(stored)
    assert set(back) == set(weights)
    step = stored["a.weight.scale"].reshape(-1, 1, 1, 1)
    # Half a step, and the rounding of the product in float32.
    assert ((back["a.weight"] - weights["a.weight"]).abs() <= step * (0.5 + 1e-4)).all()


def test_a_channel_of_zeros_stays_zero():
    weights = {"a.weight": torch.tensor([[0.0, 0.0], [1.0, -2.0]])}
    assert dequantised(quantised(weights))["a.weight"].tolist()[0] == [0.0, 0.0]


def test_eight_bit_weights_elsewhere_are_not_read(tmp_path):
    shutil.copytree(FOLDER, tmp_path / "copy")
    assert eight_bit_file(tmp_path / "copy") is None
    with pytest.raises(mv.InputError, match="cannot read the weights"):
        mv.load(tmp_path / "copy", device="cpu")
