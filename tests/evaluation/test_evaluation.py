import numpy as np
import pytest
from fake import FakeModel
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import multiplex_vit as mv
from multiplex_vit.evaluation.protocols import ranks, steps_of

PIXELS = np.full((1, 3, 2, 3), 0.25, dtype=np.float32)
RIGHT = FakeModel.worth.reshape(2, 3)


def areas(confidences):
    return np.trapezoid(confidences, np.linspace(0, 1, len(confidences)))


@pytest.mark.parametrize("protocol", ["patch", "token"])
def test_curves_of_a_known_model_are_known(protocol):
    fid = mv.evaluate(FakeModel(), PIXELS, RIGHT, protocol=protocol)
    inserted = 0.1 + np.append(0, FakeModel.worth.cumsum())
    assert fid.insertion.fraction.tolist() == pytest.approx(
        [0, 1 / 6, 2 / 6, 3 / 6, 4 / 6, 5 / 6, 1]
    )
    assert fid.insertion.confidence == pytest.approx(inserted)
    assert fid.deletion.confidence == pytest.approx(0.95 - inserted)
    assert fid.insertion.auc == pytest.approx(areas(inserted))
    assert fid.difference == pytest.approx(areas(inserted) - areas(0.95 - inserted))


@pytest.mark.parametrize("protocol", ["patch", "token"])
def test_both_ends_are_the_clean_image_and_nothing(demo_vit, protocol):
    cat, heatmap = mv.samples()["cat"], np.random.default_rng(0).random((8, 8))
    fid = mv.evaluate(demo_vit, cat, heatmap, protocol=protocol)
    clean = float(demo_vit.classify(demo_vit.picture(cat).pixels)[0, fid.label])
    assert len(fid.insertion.fraction) == 65
    assert fid.insertion.confidence[-1] == pytest.approx(clean, abs=1e-5)
    assert fid.deletion.confidence[0] == pytest.approx(clean, abs=1e-5)
    assert fid.insertion.confidence[0] == pytest.approx(fid.deletion.confidence[-1], abs=1e-5)


def test_the_best_order_beats_the_worst():
    best, worst = (mv.evaluate(FakeModel(), PIXELS, sign * RIGHT) for sign in (1, -1))
    assert best.minus(worst) == pytest.approx(best.difference - worst.difference)
    assert best.minus(worst) > 0.4
    assert (
        repr(best)
        == "<Faithfulness patch/black: insertion 0.6958, deletion 0.2542, difference 0.4417>"
    )


def test_two_protocols_do_not_compare():
    patch, token = (mv.evaluate(FakeModel(), PIXELS, RIGHT, protocol=p) for p in ("patch", "token"))
    with pytest.raises(mv.InputError, match="patch/black and token do not compare"):
        patch.minus(token)
    noise = [
        mv.evaluate(FakeModel(), PIXELS, RIGHT, baseline="random", seed=seed) for seed in (1, 2)
    ]
    with pytest.raises(mv.InputError, match="patch/random 1 and patch/random 2 do not compare"):
        noise[0].minus(noise[1])
    with pytest.raises(mv.InputError, match="classes 0 and 1 do not compare"):
        patch.minus(mv.evaluate(FakeModel(), PIXELS, RIGHT, label=1))
    with pytest.raises(mv.InputError, match="do not belong together"):
        mv.Faithfulness(patch.insertion, token.deletion, 0)


@pytest.mark.parametrize("name", mv.evaluation.BASELINES)
def test_a_baseline_keeps_its_contract(name):
    pixels = np.random.default_rng(0).random((3, 9, 11)).astype(np.float32)
    before = pixels.copy()
    mean, std = (
        np.array([0.1, 0.2, 0.3], dtype=np.float32),
        np.array([0.5, 0.25, 0.2], dtype=np.float32),
    )
    first, second = (
        mv.evaluation.BASELINES[name](pixels, mean, std, np.random.default_rng(5)) for _ in range(2)
    )
    assert first.shape == pixels.shape
    assert first.dtype == np.float32
    assert np.isfinite(first).all()
    assert np.array_equal(first, second)
    assert np.array_equal(pixels, before)
    if name == "black":
        assert first * std[:, None, None] + mean[:, None, None] == pytest.approx(0, abs=1e-7)
    if name == "mean":
        assert first[:, 0, 0] == pytest.approx(pixels.mean((1, 2)), rel=1e-6)


def test_blur_is_the_published_kernel():
    taps = np.exp(-0.5 * (np.arange(-7, 8) / 7) ** 2)
    pixels = np.zeros((1, 31, 31), dtype=np.float32)
    pixels[0, 15, 15] = 1
    expected = np.outer(taps, taps) / taps.sum() ** 2
    assert mv.evaluation.BASELINES["blur"](pixels, None, None, None)[
        0, 8:23, 8:23
    ] == pytest.approx(expected, abs=1e-7)


@pytest.mark.parametrize("baseline", ["black", "blur", "random", "mean"])
def test_mutex2025_has_the_published_points(baseline):
    fid = mv.evaluate(FakeModel(), PIXELS, RIGHT, protocol="mutex2025", baseline=baseline)
    assert fid.insertion.fraction.tolist() == [1, 5, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100]
    assert fid.deletion.fraction.tolist() == [0, *fid.insertion.fraction]
    assert fid.deletion.confidence[0] == 0, (
        "the published point, where the clean confidence belongs"
    )
    assert fid.protocol == f"mutex2025/{baseline}{' 0' if baseline == 'random' else ''}"


def test_mutex2025_areas_by_hand():
    """Six patches of one pixel: int(fraction * 6) of them have changed at the twelve points; zeros stand in, which this model does not tell from pixels."""
    model = FakeModel()
    model.classify = lambda pixels, batch_size="auto": model.probabilities(
        None, (np.asarray(pixels)[:, 0] != 0).reshape(len(pixels), 6)
    )
    fid = mv.evaluate(model, PIXELS, RIGHT, protocol="mutex2025")
    inserted = 0.1 + np.append(0, FakeModel.worth.cumsum())[[0, 0, 0, 1, 1, 2, 3, 3, 4, 4, 5, 6]]
    percent = [1, 5, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100]
    assert fid.insertion.confidence == pytest.approx(inserted)
    assert fid.insertion.auc == pytest.approx(np.trapezoid(inserted, percent))
    assert fid.deletion.auc == pytest.approx(np.trapezoid([0, *(0.95 - inserted)], [0, *percent]))


def test_mutex2025_changes_whole_numbers_of_pixels(tiny, pixels):
    """Half of the pixels are half of the patches, so the point at 50 % is that of the patch protocol, with zeros."""
    model, heatmap = tiny("ViT"), np.random.default_rng(0).random((4, 4))
    published = mv.evaluate(model, pixels(), heatmap, protocol="mutex2025", label=0)
    clean = mv.evaluate(model, pixels(), heatmap, baseline="zero", steps=2, label=0)
    assert published.insertion.confidence[6] == pytest.approx(
        clean.insertion.confidence[1], abs=1e-6
    )
    assert published.deletion.confidence[7] == pytest.approx(clean.deletion.confidence[1], abs=1e-6)


def test_patches_at_a_ragged_border_go_with_their_neighbours(tiny, pixels):
    model = tiny("Dinov2")
    fid = mv.evaluate(model, pixels(18, 16), np.arange(16.0).reshape(4, 4), label=0)
    clean = float(model.classify(pixels(18, 16))[0, 0])
    assert fid.insertion.confidence[-1] == pytest.approx(clean, abs=1e-6)


@given(heatmap=arrays(np.float32, (3, 4), elements=st.integers(0, 4)))
def test_ranks_are_a_stable_order(heatmap):
    rank = ranks(heatmap)
    order = np.argsort(rank)
    values = heatmap.ravel()[order]
    assert sorted(rank) == list(range(12))
    assert all(
        a > b or (a == b and i < j)
        for a, b, i, j in zip(values, values[1:], order, order[1:], strict=False)
    )


@given(n_nodes=st.integers(1, 2000), steps=st.none() | st.integers(1, 300))
def test_steps_have_both_ends_and_rise(n_nodes, steps):
    counts = steps_of(n_nodes, steps)
    assert (counts[0], counts[-1]) == (0, n_nodes)
    assert (np.diff(counts) > 0).all()
    assert len(counts) == min(n_nodes, steps or 100) + 1


@pytest.mark.parametrize(
    ("heatmap", "choices", "message"),
    [
        (np.zeros((3, 2)), {}, r"heatmap of shape \[3, 2\]; finite values \[2, 3\] are wanted"),
        (np.zeros(6), {}, r"heatmap of shape \[6\]"),
        (np.full((2, 3), np.nan), {}, "holds NaN or infinity"),
        (
            RIGHT,
            {"protocol": "rise"},
            "unknown protocol 'rise'; known: chefer2021, mutex2025, patch",
        ),
        (RIGHT, {"baseline": "white"}, "unknown baseline 'white'"),
        (RIGHT, {"protocol": "mutex2025", "baseline": "zero"}, "mutex2025 has no baseline 'zero'"),
        (RIGHT, {"protocol": "mutex2025", "steps": 5}, "12 published points"),
        (RIGHT, {"steps": 0}, "steps is 0"),
        (RIGHT, {"steps": "x"}, "steps is 'x'"),
        (RIGHT, {"steps": np.inf}, "steps is inf"),
        (RIGHT, {"seed": -1}, "seed is -1"),
        (RIGHT, {"baseline": lambda *_: np.zeros(3)}, r"baseline <lambda> returned shape \[3\]"),
        (RIGHT, {"baseline": lambda p, *_: p * np.nan}, "finite values"),
        (RIGHT, {"step": 5}, "unknown option 'step'"),
        (RIGHT, {"label": 7}, "label 7 is out of range"),
    ],
)
def test_bad_evaluations(heatmap, choices, message):
    with pytest.raises(mv.InputError, match=message):
        mv.evaluate(FakeModel(), PIXELS, heatmap, **choices)


def test_tables_are_tidy():
    fid = mv.evaluate(FakeModel(), PIXELS, RIGHT, steps=2)
    table = fid.table()
    assert list(table.columns) == ["protocol", "curve", "fraction", "confidence", "quantity"]
    assert len(table) == 6
    areas = {
        "insertion": fid.insertion.auc,
        "deletion": fid.deletion.auc,
        "difference": fid.difference,
    }
    assert fid.row() == {
        "protocol": "patch/black, 2 steps",
        **areas,
        "quantity": "probability (softmax)",
    }


def test_a_protocol_of_ones_own():
    def nothing(subject, heatmap, options):
        curve = mv.evaluation.Curve(np.array([0, 1]), np.array([0, 1]), "nothing")
        return curve, curve

    assert mv.evaluate(FakeModel(), PIXELS, RIGHT, protocol=nothing).protocol == "nothing"


def test_steps_may_be_a_whole_float():
    assert len(mv.evaluate(FakeModel(), PIXELS, RIGHT, steps=2.0).insertion.fraction) == 3
