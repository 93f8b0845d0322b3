"""The published method against 56 cases of 54 masks recorded from the authors' implementation.

On every processor a mask may differ from the recorded one only in tokens that rounding decides;
bit for bit they are the same where float32 is rounded as it was when they were recorded.
"""

import functools
import itertools
import json

import arithmetic
import numpy as np
import published
import pytest
import torch
from margins import ROUNDED, bounds, within

import multiplex_vit as mv

KINDS = ("vit", "deit")
N_CASES, N_MASKS_OF_A_CASE = 28, 54
N_MASKS = N_CASES * N_MASKS_OF_A_CASE
FEW = (0, 2, 5)
"""Places of cases of one image: as published, of a high cut, and from a later layer."""


@pytest.fixture(scope="module", params=KINDS)
def kind(request):
    return request.param


@pytest.fixture(scope="module")
def every_row():
    """Every case of both models in the arithmetic that this processor prefers, by model."""
    return {kind: list(published.compare(kind)) for kind in KINDS}


def check_rows(rows, n_cases=N_CASES):
    """Assert all that is true of the published method in every arithmetic."""
    assert len(rows) == n_cases
    assert sum(row["masks"] for row in rows) == n_cases * N_MASKS_OF_A_CASE
    assert all(row["label"] for row in rows)
    assert [(row["key"], row["beyond"]) for row in rows if row["beyond"]] == []
    assert max(row["confidence"] for row in rows) < 1e-5, "of the masks that are equal"
    same = [row["heatmap"] for row in rows if not row["differing"]]
    assert max(same, default=0) < 1e-5, "where all masks are equal"
    assert max(row["painted"] for row in rows if row["painted"] is not None) < 1e-5


def check_share(every_row):
    """Assert that few masks differ from the recorded ones, and those of three statistics alone."""
    differing = [label for rows in every_row.values() for row in rows for label in row["differing"]]
    assert len(differing) <= 0.05 * len(KINDS) * N_MASKS
    assert {statistic for _, _, statistic in differing} <= set(ROUNDED)


@pytest.mark.filterwarnings("ignore:.*see masks.table")
def test_some_cases_are_the_published_ones(kind):
    cases = published.cases(kind)
    check_rows(list(published.compare(kind, [cases[place] for place in FEW])), len(FEW))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*see masks.table")
def test_masks_confidences_heatmaps_and_curves_are_the_published_ones(kind, every_row):
    check_rows(every_row[kind])
    assert sum(row["painted"] is not None for row in every_row[kind]) == 4


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*see masks.table")
def test_few_masks_differ_and_of_three_statistics_alone(every_row):
    check_share(every_row)


@pytest.mark.slow
def test_every_mask_is_the_published_one_bit_for_bit(kind):
    if why := arithmetic.why_not_recorded(kind):
        pytest.skip(why)
    rows = arithmetic.run(published.__file__, "masks", kind, arithmetic="held to AVX2")
    assert sum(row["masks"] for row in rows) == N_MASKS
    assert [(row["key"], row["differing"]) for row in rows if row["differing"]] == []


@pytest.mark.slow
@pytest.mark.parametrize("name", arithmetic.ARITHMETICS)
def test_another_arithmetic_changes_only_what_rounding_decides(name):
    every = {k: arithmetic.run(published.__file__, "all", k, arithmetic=name) for k in KINDS}
    for rows in every.values():
        check_rows(rows)
    check_share(every)


@pytest.mark.slow
def test_models_in_float64_change_only_what_rounding_decides():
    run = functools.partial(arithmetic.run, published.__file__, "doubled", arithmetic="native")
    every = {kind: run(kind) for kind in KINDS}
    for rows in every.values():
        check_rows(rows)
    check_share(every)


@pytest.mark.slow
@pytest.mark.parametrize("name", arithmetic.ARITHMETICS)
def test_where_masks_differ_the_probe_says_so(kind, name):
    """A probe that says yes where masks differ would make the comparison bit for bit fail."""
    recorded = json.loads(arithmetic.RECORDED.read_text())[kind]
    is_recorded = arithmetic.run(arithmetic.__file__, kind, arithmetic=name) == recorded
    rows = arithmetic.run(published.__file__, "masks", kind, arithmetic=name)
    assert not (is_recorded and any(row["differing"] for row in rows))


def test_another_processor_is_a_reason_to_skip(kind, monkeypatch):
    found = json.loads(arithmetic.RECORDED.read_text())[kind]
    monkeypatch.setattr(arithmetic, "run", lambda *_, **__: found)
    assert arithmetic.why_not_recorded(kind) == ""
    found["strengths"] = "other bits"
    assert "rounds strengths in float32 otherwise" in arithmetic.why_not_recorded(kind)


# --- the recorded figures, and the tolerance --------------------------------------------------------


def test_recorded_heatmaps_come_of_recorded_masks_and_confidences(kind):
    expected = published.recorded(kind)
    for case in published.cases(kind):
        key = case["key"]
        kept, confidence = published.recorded_masks(kind, key), expected[f"{key}_conf"]
        heatmap = mv.saliency.ESTIMATORS["coverage"](kept, confidence, None).reshape(14, 14)
        assert np.abs(heatmap - expected[f"{key}_heatmap"]).max() < 1e-6, key


@pytest.mark.parametrize(
    ("places", "share"),
    [(FEW, 0.75), pytest.param(range(N_CASES), 0.85, marks=pytest.mark.slow)],
)
def test_the_recording_has_every_token_that_rounding_does_not_decide(kind, places, share):
    """Few tokens may be left to rounding, or the tolerance would allow anything."""
    n_decided, n_tokens = 0, 0
    labels = list(itertools.product(*(getattr(mv.Settings(), name) for name in published.NAMES)))
    cases = published.cases(kind)
    for case in [cases[place] for place in places]:
        masks = published.recorded_masks(kind, case["key"])
        for mask, label in zip(masks, labels, strict=True):
            if label[2] not in ROUNDED:
                continue
            kept, left = published.decided_tokens(kind, case, label)
            assert mask[kept].all(), (case["key"], label)
            assert not mask[left].any(), (case["key"], label)
            n_decided += (kept | left).sum()
            n_tokens += len(mask)
    assert n_decided > share * n_tokens


@pytest.mark.parametrize("changed", [{"min_cut": 0.02}, {"token_ratio": 0.52}])
def test_other_settings_are_beyond_the_tolerance(kind, changed):
    """The tolerance is so narrow that another cut, by little, is told from rounding."""
    case = published.cases(kind)[0]
    attention = published.attention_of(published.load(kind), case["image"])
    masks = published.masks_of(attention, published.settings_of({**case, **changed}))
    found = published.differences(kind, case, masks)
    assert {statistic for *_, statistic in found["beyond"]} >= set(ROUNDED)


def test_bounds_by_hand():
    """One strength alone gives one skew whatever it is; one that varies moves by its slope."""
    strengths = torch.tensor([[4.0, 1.0, 0.0, 1.0], [0.0, 2.0, 0.0, 1.0], [0.0, 3.0, 0.0, 1.0]])
    strengths = strengths.double()
    low, high = bounds(strengths, 1e-4 * strengths, ROUNDED["sum/std"])
    assert (high - low)[0] == pytest.approx(0, abs=1e-5)
    # The ratio of 1, 2, 3 is 6 with slopes 1 + 3, 1 and 1 - 3, which 1e-4 of the strengths moves.
    assert (high - low)[1] == pytest.approx(2 * 1e-4 * (4 * 1 + 1 * 2 + 2 * 3), rel=0.01)
    low, high = bounds(strengths, 1e-4 * strengths, ROUNDED["skew"])
    assert low[2].isnan()
    assert high[2].isnan()
    assert (low[3], high[3]) == (-torch.inf, torch.inf)


def test_nan_never_stays_and_comes_last():
    nan = torch.nan
    low, high = torch.tensor([1.0, nan, 3.0, nan]), torch.tensor([2.0, nan, 4.0, nan])
    kept, left = within(low, high, 0.25)
    assert (kept.tolist(), left.tolist()) == (
        [False, False, True, False],
        [False, True, False, True],
    )
    assert within(low, high, 0.75)[1].all(), "the cut itself is NaN"
