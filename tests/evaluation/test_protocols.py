"""The published protocols by hand, their controls, and that none is compared with another."""

from functools import partial

import numpy as np
import pytest
from fake import PlantedModel
from scipy.ndimage import gaussian_filter, zoom

import multiplex_vit as mv
from multiplex_vit.evaluation.protocols import Subject, curve_names, pixel_ranks, published_baseline
from multiplex_vit.evaluation.protocols.rise import rise_blur
from multiplex_vit.report.statistics import interval

FOUR = np.array([[0.4, 0.3], [0.2, 0.1]])
ONES = np.ones((1, 1, 2, 2), dtype=np.float32)
RANDOM_PIXELS = np.random.default_rng(5).uniform(0.2, 1, (1, 3, 10, 10)).astype(np.float32)
PAIRS = [("patch", name) for name in mv.evaluation.BASELINES] + [
    ("mutex2025", name) for name in ("black", "blur", "random", "mean")
]
CASES = [*PAIRS, *((name, None) for name in mv.PROTOCOLS if name not in ("patch", "mutex2025"))]


def linear(total):
    return 0.3 + 0.5 * total


def bent(total):
    return 1 / (1 + np.exp(2 - 5 * total))


def test_every_protocol_is_among_the_cases():
    assert {protocol for protocol, _ in CASES} == set(mv.PROTOCOLS)


# --- by hand ----------------------------------------------------------------------------------------------------------


def test_rise_by_hand():
    """Four pixels, two a step. Deletion to zero: 1, .3, 0. The blur's 11 taps fold back, so that each is about 1/11 and four pixels of 1 become 4/121."""
    fid = mv.evaluate(PlantedModel(FOUR), ONES, FOUR, protocol="rise2018", label=0)
    tap = np.zeros(11)
    tap[5] = 1
    kernel = gaussian_filter(tap, 5)
    blurred = np.array([kernel[5] + kernel[4], kernel[5] + kernel[6]])[:, None] * np.array(
        [kernel[5] + kernel[4], kernel[5] + kernel[6]]
    )
    assert fid.deletion.confidence == pytest.approx([1, 0.3, 0], abs=1e-6)
    assert fid.insertion.confidence == pytest.approx(
        [(FOUR * blurred).sum(), 0.7 + (FOUR * blurred)[1].sum(), 1], abs=1e-6
    )
    assert fid.insertion.fraction.tolist() == [0, 0.5, 1]
    assert fid.deletion.auc == pytest.approx(0.4)


def test_tis_by_hand():
    """A row of four pixels has one step: from the blur to the image."""
    model, pixels = (
        PlantedModel(np.array([[1.0, 0, 0, 0]])),
        np.array([[[[1, 0, 0, 0]]]], dtype=np.float32),
    )
    fid = mv.evaluate(model, pixels, np.array([[4.0, 3, 2, 1]]), protocol="tis2023", label=0)
    left = gaussian_filter(pixels[0, 0], sigma=5, radius=5, mode="mirror")[0, 0]
    assert fid.insertion.confidence == pytest.approx([left, 1], abs=1e-6)
    assert fid.deletion.confidence == pytest.approx([1, left], abs=1e-6)


@pytest.mark.parametrize("protocol", ["tis2023", "rise2018"])
def test_there_are_as_many_steps_as_rows_of_pixels(protocol):
    model = PlantedModel(np.ones((3, 2)) / 6, patch=(2, 4))
    fid = mv.evaluate(
        model,
        np.ones((1, 3, 6, 8), dtype=np.float32),
        np.arange(6.0).reshape(3, 2),
        protocol=protocol,
        label=0,
    )
    for curve in (fid.insertion, fid.deletion):
        assert curve.fraction == pytest.approx(np.arange(7) / 6)


def test_chefer_by_hand():
    """Ten pixels, one black after the other, which counts against the class: the prediction stays while the sum is above .05."""
    worth = np.array([[0.3, 0.2, 0.1, 0.1, 0.1, 0.1, 0.1, 0, 0, 0]])
    model = PlantedModel(worth, rule=lambda total: 0.5 + 0.5 * (total - 0.05))
    fid = mv.evaluate(
        model,
        np.ones((1, 1, 1, 10), dtype=np.float32),
        -np.arange(10.0)[None],
        protocol="chefer2021",
        label=0,
    )
    assert fid.names == ("negative", "positive")
    assert fid.positive.fraction == pytest.approx(np.arange(1, 10) / 10)
    assert fid.positive.confidence.tolist() == [1, 0, 0, 0, 0, 0, 0, 0, 0], (
        "sums .4, 0, -.2, -.4, ..."
    )
    assert fid.negative.confidence.tolist() == [1, 1, 1, 1, 1, 1, 1, 0, 0], (
        "sums 1, 1, 1, .8, .6, .4, .2, 0, -.4"
    )
    assert fid.positive.auc == pytest.approx(0.05)
    assert fid.negative.auc == pytest.approx(0.65)
    assert fid.difference == pytest.approx(0.6)


def test_chefer_follows_whether_the_class_given_is_on_top():
    model = PlantedModel(FOUR, rule=linear)
    other = mv.evaluate(model, ONES, FOUR, protocol="chefer2021", label=1)
    own = mv.evaluate(model, ONES, FOUR, protocol="chefer2021")
    assert own.label == 0
    assert (own.positive.confidence + other.positive.confidence).tolist() == [1] * 9


def test_chefer_has_no_insertion():
    fid = mv.evaluate(PlantedModel(FOUR), ONES, FOUR, protocol="chefer2021", label=0)
    with pytest.raises(
        mv.InputError, match="chefer2021/black has no insertion; it has negative and positive"
    ):
        _ = fid.insertion
    with pytest.raises(
        mv.InputError, match="patch/black has no positive; it has insertion and deletion"
    ):
        _ = mv.evaluate(PlantedModel(FOUR), ONES, FOUR, label=0).positive
    assert list(fid.row()) == ["protocol", "negative", "positive", "difference", "quantity"]
    assert set(fid.table()["curve"]) == {"negative", "positive"}
    assert "negative" in repr(fid)
    assert curve_names(mv.PROTOCOLS["chefer2021"]) == ("negative", "positive")
    assert fid.plot().get_legend() is not None


# --- order of pixels --------------------------------------------------------------------------------------------------


def test_pixels_are_ranked_by_the_bilinear_heatmap():
    heatmap = np.random.default_rng(0).random((3, 4))
    enlarged = zoom(heatmap, (4, 4), order=1, mode="nearest", grid_mode=True)
    rank = pixel_ranks(heatmap, (4, 4), (12, 16))
    values = enlarged.ravel()[np.argsort(rank, axis=None)]
    assert sorted(rank.ravel()) == list(range(192))
    assert (np.diff(values) <= 1e-8).all()


def test_pixels_at_a_ragged_border_have_a_rank():
    rank = pixel_ranks(np.arange(4.0).reshape(2, 2), (4, 4), (9, 11))
    assert sorted(rank.ravel()) == list(range(99))
    assert rank[8, 10] > rank[7, 7], "equal values beyond the outer centres, by index"


def test_equal_values_are_ranked_by_index():
    assert pixel_ranks(np.full((2, 2), 0.1), (3, 3), (6, 6)).ravel().tolist() == list(range(36))


def test_the_blur_of_rise_is_a_convolution_with_zeros_around():
    import torch

    tap = np.zeros((11, 11))
    tap[5, 5] = 1
    kernel = torch.from_numpy(gaussian_filter(tap, 5))[None, None]
    pixels = np.random.default_rng(0).standard_normal((3, 20, 24))
    expected = torch.nn.functional.conv2d(torch.from_numpy(pixels)[:, None], kernel, padding=5)[
        :, 0
    ]
    assert rise_blur(pixels, None, None, None) == pytest.approx(expected.numpy(), abs=1e-12)


# --- controls ---------------------------------------------------------------------------------------------------------


def random_orders(n):
    rng = np.random.default_rng(2)
    return [rng.permutation(100) for _ in range(n)]


def differences(protocol, baseline, rule, pixels=RANDOM_PIXELS, worth=None, orders=None):
    """Return insertion - deletion of orders (1,000 random ones unless given) of 100 patches of a pixel."""
    orders = random_orders(1000) if orders is None else orders
    worth = (
        np.random.default_rng(1).dirichlet(np.ones(100)).reshape(10, 10) if worth is None else worth
    )
    model = PlantedModel(worth, rule=rule)
    choices = {} if baseline is None else {"baseline": baseline}
    found = [
        mv.evaluate(
            model,
            pixels,
            order.reshape(10, 10),
            protocol=protocol,
            label=0,
            **choices,
        )
        for order in orders
    ]
    return np.array([fid.difference for fid in found])


@pytest.mark.parametrize(
    ("protocol", "baseline"), [case for case in CASES if case[0] not in ("mutex2025", "rise2018")]
)
def test_an_order_and_its_reversal_have_opposite_differences(protocol, baseline):
    """Insertion of an order is deletion of the reversed one, whatever the model: random orders have a mean of 0."""
    order = np.stack([np.random.default_rng(seed).permutation(100) for seed in range(5)])
    found = differences(protocol, baseline, bent, orders=order)
    reverse = differences(protocol, baseline, bent, orders=99 - order)
    assert np.abs(found).max() > 1e-3, "some orders do differ"
    assert found == pytest.approx(-reverse, abs=1e-7)


@pytest.mark.slow
@pytest.mark.parametrize("baseline", ["black", "blur", "random", "mean"])
def test_a_random_order_under_mutex2025_has_a_known_bias(baseline):
    """Deletion's 0 where the clean confidence belongs, and insertion's missing start, leave .495 (clean - empty) - .5 empty of 100, not 0."""
    model = PlantedModel(
        np.random.default_rng(1).dirichlet(np.ones(100)).reshape(10, 10), rule=linear
    )
    subject = Subject(model, RANDOM_PIXELS, 0)
    clean, empty = subject.confidence(
        np.stack([RANDOM_PIXELS[0], subject.baseline(published_baseline(baseline), 0)])
    )
    found = interval(differences("mutex2025", baseline, linear), level=0.99)
    assert found.low <= 0.495 * (clean - empty) - 0.5 * empty <= found.high


def test_the_bias_of_mutex2025_is_exact_where_all_patches_are_worth_the_same():
    """Clean .8 and empty .3: .495 * .5 - .5 * .3 = .0975 for any order."""
    found = differences(
        "mutex2025",
        "black",
        linear,
        np.ones((1, 3, 10, 10), dtype=np.float32),
        np.full((10, 10), 0.01),
        orders=random_orders(3),
    )
    assert found == pytest.approx(0.0975, abs=1e-5)


def test_a_random_order_under_rise2018_has_what_the_blur_leaves():
    """Insertion starts at a blur, deletion ends at zeros: of a linear model half the difference of these two confidences, not 0."""
    model = PlantedModel(
        np.random.default_rng(1).dirichlet(np.ones(100)).reshape(10, 10), rule=linear
    )
    blurred, nothing = (
        float(model.classify(pixels[None])[0, 0])
        for pixels in (rise_blur(RANDOM_PIXELS[0], None, None, None), 0 * RANDOM_PIXELS[0])
    )
    found = interval(differences("rise2018", None, linear), level=0.99)
    assert found.low <= (blurred - nothing) / 2 <= found.high
    assert found.low > 0


@pytest.mark.parametrize("protocol", ["tis2023", "rise2018", "chefer2021"])
def test_the_right_order_beats_the_reversed_one(protocol):
    model = PlantedModel(
        np.random.default_rng(1).dirichlet(np.ones(100)).reshape(10, 10),
        rule=lambda total: 2 * total,
    )
    right, wrong = (
        mv.evaluate(
            model,
            RANDOM_PIXELS,
            sign * model.worth * RANDOM_PIXELS[0].mean(0),
            protocol=protocol,
            label=0,
        )
        for sign in (1, -1)
    )
    assert right.minus(wrong) > 0
    assert right.difference > 0


# --- never compared ---------------------------------------------------------------------------------------------------


def measured(protocol, baseline):
    return mv.evaluate(
        PlantedModel(FOUR),
        ONES,
        FOUR,
        protocol=protocol,
        label=0,
        **({} if baseline is None else {"baseline": baseline}),
    )


def test_no_protocol_compares_with_another():
    blur = mv.evaluation.BASELINES["blur"]
    cases = [
        *CASES,
        ("patch", partial(blur, sigma=5, radius=5)),
        ("patch", partial(blur, sigma=5, radius=7)),
    ]
    found = [measured(*case) for case in cases]
    assert len({fid.protocol for fid in found}) == len(cases)
    for i, one in enumerate(found):
        for other in found[i + 1 :]:
            with pytest.raises(
                mv.InputError, match="do not compare; evaluate both by one protocol"
            ):
                one.minus(other)
        assert one.minus(measured(*cases[i])) == 0


def test_protocols_name_their_blur():
    assert measured("tis2023", None).protocol == "tis2023/blur(sigma=5, radius=5)"
    assert (
        measured("rise2018", None).protocol
        == "rise2018/insertion from a blur 11 x 11 sigma 5, deletion to zero"
    )
    assert (
        measured("patch", partial(mv.evaluation.BASELINES["blur"], sigma=2, radius=4)).protocol
        == "patch/blur(sigma=2, radius=4)"
    )
    assert measured("patch", mv.evaluation.BASELINES["random"]).protocol == "patch/random 0"


@pytest.mark.parametrize("protocol", ["tis2023", "rise2018", "chefer2021"])
@pytest.mark.parametrize("choice", [{"baseline": "black"}, {"steps": 4}])
def test_what_is_published_cannot_be_chosen(protocol, choice):
    with pytest.raises(
        mv.InputError,
        match=f"{protocol} has its .*published .*; leave {next(iter(choice))} out, or use protocol='patch'",
    ):
        mv.evaluate(PlantedModel(FOUR), ONES, FOUR, protocol=protocol, **choice)


# --- models -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("protocol", ["tis2023", "rise2018"])
def test_curves_of_a_model_have_their_ends(demo_vit, protocol):
    cat = demo_vit.picture(mv.samples()["cat"])
    fid = mv.evaluate(demo_vit, cat, np.random.default_rng(0).random((8, 8)), protocol=protocol)
    clean = float(demo_vit.classify(cat.pixels)[0, fid.label])
    assert len(fid.insertion.fraction) == 33
    assert fid.insertion.confidence[-1] == pytest.approx(clean, abs=1e-5)
    assert fid.deletion.confidence[0] == pytest.approx(clean, abs=1e-5)


def test_few_images_are_in_memory_at_once():
    worth = np.full((100, 1), 0.01)
    model, largest = PlantedModel(worth), []
    classify = model.classify
    model.classify = lambda pixels, batch_size="auto": (
        largest.append(len(pixels)),
        classify(pixels),
    )[1]
    mv.evaluate(
        model, np.ones((1, 1, 100, 1), dtype=np.float32), worth, protocol="rise2018", label=0
    )
    assert sum(largest) == 202
    assert max(largest) <= 32
