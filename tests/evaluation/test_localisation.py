"""Localisation by hand: shares, hits, mosaics, and that one run of passes serves all classes of a mosaic."""

from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image
from small import PHOTOS

import multiplex_vit as mv
from multiplex_vit.evaluation.localisation import cells
from multiplex_vit.models.score import SCORES

PLAIN = np.array([[4.0, 0, 1, -1], [0, 0, 1, -1]])


def colour(value, size=32):
    return Image.new("RGB", (size, size), (value, value, value))


# --- shares and hits --------------------------------------------------------------------------------------------------


def test_shares_of_positive_attribution_by_hand():
    """Cells are the halves: 4 of 6 in the left one; above the median 0 nothing changes."""
    assert mv.evaluation.grid_pointing(np.stack([PLAIN, PLAIN]), (1, 2)) == pytest.approx(
        [4 / 6, 2 / 6]
    )
    assert mv.evaluation.grid_pointing(
        np.stack([PLAIN, PLAIN]), (1, 2), centred=True
    ) == pytest.approx([4 / 6, 2 / 6])


def test_an_offset_draws_the_published_share_to_chance_and_leaves_the_centred_one():
    near = mv.evaluation.grid_pointing(np.stack([PLAIN + 100] * 2), (1, 2))
    assert near == pytest.approx([404 / 804, 400 / 804])
    for heatmap in (PLAIN + 100, 3 * PLAIN - 7):
        assert mv.evaluation.grid_pointing(
            np.stack([heatmap] * 2), (1, 2), centred=True
        ) == pytest.approx([4 / 6, 2 / 6])


@pytest.mark.parametrize("centred", [False, True])
@pytest.mark.parametrize("shape", [(2, 2), (3, 3), (1, 3)])
def test_a_perfect_heatmap_has_all_and_a_flat_one_chance(shape, centred):
    cell = cells((8, 8), shape)
    n = cell.max() + 1
    perfect = np.stack([cell == i for i in range(n)]).astype(float)
    assert mv.evaluation.grid_pointing(perfect, shape, centred=centred) == pytest.approx(1)
    for level in (0, -1, 5):
        flat = mv.evaluation.grid_pointing(np.full((n, 8, 8), level), shape, centred=centred)
        assert flat == pytest.approx(np.bincount(cell.ravel()) / 64)
        assert flat.sum() == pytest.approx(1)


def test_one_heatmap_for_all_classes_has_a_share_of_one_in_all():
    heatmap = np.random.default_rng(0).random((8, 8))
    assert mv.evaluation.grid_pointing(np.stack([heatmap] * 9), (3, 3)).sum() == pytest.approx(1)


def test_cells_that_do_not_divide_are_as_even_as_possible():
    assert np.bincount(cells((8, 8), (3, 3)).ravel()).tolist() == [9, 6, 9, 6, 4, 6, 9, 6, 9]
    assert np.bincount(cells((14, 14), (3, 3))[:, 0] // 3).tolist() == [5, 4, 5]


def test_mass_in_patches_and_in_pixels():
    assert mv.evaluation.mask_mass(PLAIN, PLAIN == 4) == pytest.approx(4 / 6)
    pixels = np.zeros((4, 8), dtype=bool)
    pixels[:, :1] = True
    assert mv.evaluation.mask_mass(PLAIN, pixels) == pytest.approx(2 / 6), "half of the patch of 4"
    enlarged = PLAIN.clip(min=0).repeat(2, 0).repeat(2, 1)
    some = np.random.default_rng(0).random((4, 8)) < 0.3
    assert mv.evaluation.mask_mass(PLAIN, some) == pytest.approx(
        enlarged[some].sum() / enlarged.sum()
    )
    assert mv.evaluation.mask_mass(PLAIN + 9, PLAIN == 4, centred=True) == pytest.approx(4 / 6)
    assert mv.evaluation.mask_mass(-np.ones((2, 4)), PLAIN == 1) == 0.25


def test_the_pointing_game_looks_at_the_centre_of_the_best_patch():
    heatmap = np.array([[0.0, 2.0], [2.0, 1.0]])
    assert mv.evaluation.pointing_game(heatmap, np.array([[0, 1], [0, 0]]))
    assert not mv.evaluation.pointing_game(heatmap, np.array([[1, 0], [1, 1]])), (
        "of equal patches the first"
    )
    pixels = np.zeros((6, 6), dtype=bool)
    pixels[1, 4] = True
    assert mv.evaluation.pointing_game(heatmap, pixels)
    assert not mv.evaluation.pointing_game(heatmap, np.roll(pixels, 1, axis=0))
    assert type(mv.evaluation.pointing_game(heatmap, pixels)) is bool


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: mv.evaluation.grid_pointing(np.ones((3, 4, 4))),
            r"heatmaps have shape \[3, 4, 4\]; 4 are wanted",
        ),
        (
            lambda: mv.evaluation.grid_pointing(np.ones((4, 4, 4)), 4),
            "shape is 4; give rows and columns",
        ),
        (lambda: mv.evaluation.grid_pointing(np.ones((4, 4, 4)), (0, 4)), "rows of cells is 0"),
        (
            lambda: mv.evaluation.grid_pointing(np.ones((25, 4, 4)), (5, 5)),
            "5 cells a side do not fit on 4 patches",
        ),
        (lambda: mv.evaluation.grid_pointing(np.full((4, 4, 4), np.nan)), "holds NaN or infinity"),
        (
            lambda: mv.evaluation.mask_mass(PLAIN, np.zeros((2, 4), dtype=bool)),
            "with at least one True",
        ),
        (lambda: mv.evaluation.mask_mass(PLAIN, PLAIN), "True and False"),
        (
            lambda: mv.evaluation.mask_mass(PLAIN, np.ones((1, 4))),
            r"mask of shape \[1, 4\] is smaller than the heatmap \[2, 4\]",
        ),
        (
            lambda: mv.evaluation.pointing_game(np.ones(4), np.ones((2, 2))),
            r"heatmap of shape \[4\]; finite values \[row, col\]",
        ),
    ],
)
def test_bad_shares(call, message):
    with pytest.raises(mv.InputError, match=message):
        call()


# --- mosaics ----------------------------------------------------------------------------------------------------------


def test_a_mosaic_has_each_picture_in_its_cell(demo_vit):
    pixels = mv.evaluation.mosaic(demo_vit, [colour(v) for v in (0, 255, 51, 102)])
    assert pixels.shape == (1, 3, 32, 32)
    assert pixels[0, :, :16, :16] == pytest.approx(-1)
    assert pixels[0, :, :16, 16:] == pytest.approx(1)
    assert pixels[0, :, 16:, :16] == pytest.approx(-0.6)
    assert pixels[0, :, 16:, 16:] == pytest.approx(-0.2)


def test_a_picture_is_averaged_over_areas(demo_vit):
    cat = demo_vit.picture(mv.samples()["cat"]).pixels.numpy()
    pixels = mv.evaluation.mosaic(demo_vit, [mv.samples()["cat"]] * 4)
    averaged = cat[0].reshape(3, 16, 2, 16, 2).mean((2, 4))
    for part in (pixels[0, :, :16, :16], pixels[0, :, 16:, 16:]):
        assert part == pytest.approx(averaged, abs=1e-5)


def test_cells_of_nine_are_whole_patches(demo_vit):
    pixels = mv.evaluation.mosaic(demo_vit, [colour(v) for v in range(0, 225, 25)], shape=(3, 3))
    patches = pixels[0, 0].reshape(8, 4, 8, 4)
    assert np.ptp(patches, axis=(1, 3)).max() == 0, "no patch holds two pictures"
    expected = np.arange(0, 225, 25)[cells((8, 8), (3, 3))] / 127.5 - 1
    assert patches[:, 0, :, 0] == pytest.approx(expected, abs=1e-6)


def test_models_of_any_size_may_keep_pictures_whole(tiny, pixels):
    model, parts = tiny("Dinov2"), [pixels(seed=seed) for seed in range(4)]
    whole = mv.evaluation.mosaic(model, parts, full_size=True)
    assert np.array_equal(
        whole[0], np.block([[parts[0][0], parts[1][0]], [parts[2][0], parts[3][0]]])
    )
    assert mv.evaluation.mosaic(model, parts).shape == (1, 3, 16, 16)
    with pytest.raises(mv.InputError, match=r"pixel values have shape \[1, 3, 32, 32\]"):
        mv.evaluation.mosaic(tiny("ViT"), parts, full_size=True)


class Sure:
    """A model that says of a picture's colour which class it is, and how sure it is: brightness 10 a class, one more is unsure."""

    name, classes, patch, input_size = "sure", tuple("abcdef"), (1, 1), (4, 4)
    score = SCORES["softmax"]

    def picture(self, image):
        import torch

        pixels = (
            torch.as_tensor(image)
            if isinstance(image, np.ndarray)
            else torch.full((1, 1, 4, 4), float(image))
        )
        return SimpleNamespace(pixels=pixels)

    def classify(self, pixels):
        import torch

        label, unsure = divmod(int(pixels[0, 0, 0, 0]), 10)
        probabilities = torch.full((1, 6), 0.05 if not unsure else 0.1)
        probabilities[0, label] = 0.75 if not unsure else 0.5
        return probabilities


def test_mosaics_take_the_first_sure_images_of_distinct_classes():
    images = [
        (0, 0),
        (11, 1),
        (10, 1),
        (0, 0),
        (20, 3),
        (20, 2),
        (30, 3),
        (10, 1),
        (20, 2),
        (40, 4),
        (50, 5),
    ]
    read = []
    drawn = mv.evaluation.draw_mosaics(
        Sure(), (read.append(pair) or pair for pair in images), count=2, least=0.7
    )
    assert [m.images for m in drawn] == [(0, 2, 5, 6), (3, 7, 8, 9)]
    assert [m.labels for m in drawn] == [(0, 1, 2, 3), (0, 1, 2, 4)]
    assert drawn[0].pixels[0, 0].tolist() == [
        [0, 0, 10, 10],
        [0, 0, 10, 10],
        [20, 20, 30, 30],
        [20, 20, 30, 30],
    ]
    assert len(read) == len(images), "one more than was needed"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"count": 3}, "the images make 0 of 3 mosaics; give more images"),
        ({"shape": (3, 3)}, "9 cells need as many classes; sure has 6"),
        ({"count": 0}, "count is 0"),
        ({"least": 2}, "least is 2"),
    ],
)
def test_bad_mosaics(options, message):
    with pytest.raises(mv.InputError, match=message):
        mv.evaluation.draw_mosaics(Sure(), [(0, 0), (10, 1), (0, 0)], **options)


def test_a_picture_a_cell():
    with pytest.raises(mv.InputError, match="3 images for 2 x 2 cells; give 4"):
        mv.evaluation.mosaic(Sure(), [0, 1, 2])


# --- the game ---------------------------------------------------------------------------------------------------------

SAMPLES = PHOTOS


def drawn(model, labels=(3, 7, 0, 1)):
    return mv.evaluation.Mosaic(
        mv.evaluation.mosaic(model, [*SAMPLES, SAMPLES[0]]), labels, (0, 1, 2, 0)
    )


@pytest.mark.parametrize("method", ["mutex", "communities"])
def test_one_run_of_passes_serves_all_classes(demo_vit, method):
    table = mv.evaluation.grid_pointing_game(demo_vit, [drawn(demo_vit)], method)
    once = mv.explain(demo_vit, drawn(demo_vit).pixels, method=method)
    # A prior takes a forward and a backward pass for each class beyond the first.
    more = 3 * once.backward_passes
    assert table["forward_passes"].tolist() == [once.forward_passes + more] * 4
    assert table["backward_passes"].tolist() == [once.backward_passes + more] * 4
    for cell, row in table.iterrows():
        single = mv.explain(demo_vit, drawn(demo_vit).pixels, method=method, label=row["label"])
        heatmap = np.stack([single.heatmap] * 4)
        assert row["share"] == pytest.approx(mv.evaluation.grid_pointing(heatmap)[cell], abs=1e-6)
        assert row["share_centred"] == pytest.approx(
            mv.evaluation.grid_pointing(heatmap, centred=True)[cell], abs=1e-4
        )
        assert row["probability"] == pytest.approx(single.clean[row["label"]], abs=1e-6)


def test_other_methods_run_once_a_class(demo_vit):
    table = mv.evaluation.grid_pointing_game(demo_vit, [drawn(demo_vit)], "grad_cam")
    assert table["forward_passes"].tolist() == [4] * 4
    assert table["backward_passes"].tolist() == [4] * 4


def test_random_orders_differ_between_mosaics_and_come_again(demo_vit):
    first, second = (
        mv.evaluation.grid_pointing_game(demo_vit, [drawn(demo_vit)] * 2, "random_order")
        for _ in range(2)
    )
    assert first.equals(second)
    assert first["share"][:4].tolist() != first["share"][4:].tolist()
    assert first.groupby("mosaic")["share"].sum().tolist() == pytest.approx([1, 1])


def test_the_table_is_tidy_and_a_method_may_be_ones_own(demo_vit):
    def right(model, image, label):
        return (cells((8, 8), (2, 2)) == [3, 7, 0, 1].index(label)) + 0.0

    table = mv.evaluation.grid_pointing_game(demo_vit, [drawn(demo_vit)], right)
    assert list(table.columns) == [
        *(
            "method",
            "shape",
            "mosaic",
            "cell",
            "image",
            "label",
            "label_name",
            "probability",
            "score",
        ),
        *("share", "share_centred", "chance", "forward_passes", "backward_passes"),
    ]
    assert table["method"].unique().tolist() == ["right"]
    assert table["shape"].unique().tolist() == ["2x2"]
    assert table["label_name"].tolist() == ["cat", "horse", "airplane", "automobile"]
    assert table["share"].tolist() == table["share_centred"].tolist() == [1] * 4
    few = mv.evaluation.grid_pointing_game(
        demo_vit, [drawn(demo_vit)], partial(mv.explain, budget=9)
    )
    assert few["forward_passes"].tolist() == [9] * 4


def test_an_unknown_method_lists_the_known(demo_vit):
    with pytest.raises(
        mv.InputError,
        match=r"unknown explainer 'mutx' .*; known: mutex, communities, .*random_order",
    ):
        mv.evaluation.grid_pointing_game(demo_vit, [drawn(demo_vit)], "mutx")
