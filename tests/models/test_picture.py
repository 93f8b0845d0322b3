"""The picture under a heatmap is what the model saw, whatever its image processor does; and black is black."""

import numpy as np
import pytest
import transformers
from PIL import Image

import multiplex_vit as mv
from multiplex_vit.evaluation.baselines import BASELINES
from multiplex_vit.models.inputs import processed_size
from multiplex_vit.models.picture import VIEW_SIDE
from multiplex_vit.models.processing import levels_of, processing_of


def square(side):
    return {"height": side, "width": side}


PROCESSORS = {
    "a square": ("ViT", {"size": square(16)}),
    "not rescaled": ("ViT", {"size": square(16), "do_rescale": False}),
    "not normalised": ("ViT", {"size": square(16), "do_normalize": False}),
    "whole numbers": ("ViT", {"size": square(16), "do_rescale": False, "do_normalize": False}),
    "rescaled otherwise": ("ViT", {"size": square(16), "rescale_factor": 1 / 127.5}),
    "not resized": ("ViT", {"do_resize": False}),
    "padded at the right": (
        "ViT",
        {"size": square(16), "do_pad": True, "pad_size": {"height": 20, "width": 28}},
    ),
    "no multiple of the patch": ("ViT", {"size": {"height": 18, "width": 23}}),
    "resized larger": ("ViT", {"size": square(240)}),
    "the middle": ("Bit", {"size": {"shortest_edge": 20}, "crop_size": square(16)}),
    "the middle of a square": ("DeiT", {"size": square(20), "crop_size": square(16)}),
    "a crop that is padded": ("Bit", {"size": {"shortest_edge": 16}, "crop_size": square(32)}),
    "a crop that is padded below": (
        "Bit",
        {"size": {"shortest_edge": 16}, "crop_size": {"height": 31, "width": 16}},
    ),
    "a crop beyond the image": ("Bit", {"do_resize": False, "crop_size": square(64)}),
    "a crop as it is": ("Bit", {"do_resize": False, "crop_size": square(24)}),
    "not cropped": ("Bit", {"size": {"shortest_edge": 16}, "do_center_crop": False}),
    "not cropped nor resized": ("Bit", {"do_resize": False, "do_center_crop": False}),
    "shortest and longest edge": ("ViT", {"size": {"shortest_edge": 16, "longest_edge": 22}}),
    "CLIP": ("CLIP", {"size": {"shortest_edge": 16}, "crop_size": square(16)}),
    "SigLIP": ("Siglip", {"size": square(16)}),
    "Beit": ("Beit", {"size": square(16), "do_center_crop": True, "crop_size": square(12)}),
    "ConvNext": ("ConvNext", {"size": {"shortest_edge": 16}, "crop_pct": 0.8}),
}
IMAGES = {"wide": (40, 60), "high": (50, 30), "small": (10, 14), "large": (300, 200)}


def processor_of(name):
    kind, options = PROCESSORS[name]
    return getattr(transformers, f"{kind}ImageProcessorPil")(**options)


def brightness(view, grid):
    """Return how bright each cell of a picture [row, col, channel] is."""
    rows, cols = grid
    enlarged = Image.fromarray(view).convert("F").resize((cols * 8, rows * 8), Image.Resampling.BOX)
    return np.asarray(enlarged).reshape(rows, 8, cols, 8).mean((1, 3))


def seen(model, pixels):
    """Return how bright each patch is that the model is given, 0 to 255, by its own image of black and white."""
    rows, cols = model.grid_of(pixels.shape[2:])
    (high, wide), (black, white) = model.patch, levels_of(model.processor, "RGB")
    values = (pixels[0].numpy() - black[:, None, None]) / (white - black)[:, None, None]
    covered = values[:, : rows * high, : cols * wide].reshape(3, rows, high, cols, wide)
    return 255 * covered.mean((0, 2, 4))


@pytest.fixture
def model(tiny):
    return tiny("Dinov2")


@pytest.mark.parametrize("image", IMAGES)
@pytest.mark.parametrize("name", PROCESSORS)
def test_a_marker_lies_in_the_view_where_it_lies_in_the_pixels(model, name, image):
    """Patch by patch, over markers all over the image."""
    model.processor = processor_of(name)
    height, width = IMAGES[image]
    for row, col in [(0.1, 0.1), (0.5, 0.5), (0.9, 0.3), (0.4, 0.9)]:
        rgb = np.full((height, width, 3), 40, dtype=np.uint8)
        top, left = int(row * height * 0.8), int(col * width * 0.8)
        rgb[top : top + max(2, height // 5), left : left + max(2, width // 5)] = 255
        picture = model.picture(rgb)
        grid = model.grid_of(picture.pixels.shape[2:])
        assert max(picture.view.shape[:2]) <= VIEW_SIDE
        found, wanted = brightness(picture.view, grid), seen(model, picture.pixels)
        assert np.abs(found - wanted).mean() < 8
        if np.ptp(wanted) > 30:
            assert np.corrcoef(found.ravel(), wanted.ravel())[0, 1] > 0.9


@pytest.mark.parametrize("name", PROCESSORS)
def test_black_and_white_are_what_the_processor_makes_of_them(model, name):
    """And so are the baselines, and pictures of pixel values that are given as such."""
    model.processor = processor_of(name)
    mean, std = model.normalisation
    for level in (0, 255):
        pixels = model.picture(np.full((40, 60, 3), level, dtype=np.uint8)).pixels.numpy()
        middle = pixels[0, :, pixels.shape[2] // 2, min(6, pixels.shape[3] // 2)]
        assert np.allclose((level / 255 - mean) / std, middle, rtol=1e-4, atol=1e-4)
        if level == 0:
            black = BASELINES["black"](pixels[0], mean, std, np.random.default_rng(0))
            assert np.allclose(black[:, 0, 0], middle, rtol=1e-4, atol=1e-4)
        else:
            view = model.picture(pixels).view
            assert view.max() == 255


@pytest.mark.parametrize(
    "name", ["not rescaled", "a crop that is padded", "whole numbers", "no multiple of the patch"]
)
def test_all_of_it_is_explained_and_measured(model, name):
    model.processor = processor_of(name)
    explanation = mv.explain(model, mv.samples()["cat"], starting_layer=1)
    found = mv.evaluate(model, mv.samples()["cat"], explanation.heatmap, steps=3)
    assert np.isfinite(found.insertion.auc)


def test_pixels_that_no_patch_covers_are_not_in_the_view(model, pixels):
    assert model.picture(pixels(19, 22)).view.shape == (16, 20, 3)
    model.processor = processor_of("not resized")
    rgb = np.zeros((19, 22, 3), dtype=np.uint8)
    rgb[16:] = rgb[:, 20:] = 255
    view = model.picture(rgb).view
    assert view.shape == (16, 20, 3)
    assert view.max() == 0


def test_what_a_crop_adds_is_black(model):
    model.processor = processor_of("a crop beyond the image")
    view = model.picture(np.full((40, 20, 3), 255, dtype=np.uint8)).view
    assert view.shape == (64, 64, 3)
    assert view[12:52, 22:42].min() == 255
    assert view.sum() == 255 * 3 * 40 * 20


def test_what_is_added_after_normalising_is_the_mean_colour(model):
    model.processor = processor_of("padded at the right")
    view = model.picture(np.full((40, 60, 3), 255, dtype=np.uint8)).view
    assert view[-5:, -20:].min() == view[-5:, -20:].max() == 128


def test_the_size_is_what_is_made_of_an_image():
    assert processed_size(processor_of("the middle")) == (16, 16)
    assert processed_size(processor_of("a square")) == (16, 16)
    for name in ("not resized", "not cropped", "not cropped nor resized"):
        assert processed_size(processor_of(name)) is None


class Mirrored(transformers.ViTImageProcessorPil):
    """A processor of one's own."""

    def __call__(self, images, **options):
        found = super().__call__(images, **options)
        found["pixel_values"] = (
            found["pixel_values"][..., ::-1].copy()
            if not hasattr(found["pixel_values"], "flip")
            else found["pixel_values"].flip(-1)
        )
        return found


def test_a_processor_that_does_something_else_shows_its_pixels(model):
    model.processor = Mirrored(size=square(16))
    rgb = np.zeros((40, 60, 3), dtype=np.uint8)
    rgb[:, :30] = 255
    view = model.picture(rgb).view
    assert view.shape == (16, 16, 3)
    assert view[:, 10:].min() > 200
    assert view[:, :6].max() < 50


def test_a_processor_that_is_changed_is_asked_anew():
    processor = processor_of("a square")
    before = processing_of(processor, (40, 60), "RGB")
    assert processing_of(processor, (40, 60), "RGB") is before
    processor.do_rescale = False
    assert processing_of(processor, (40, 60), "RGB").white.max() > 200
