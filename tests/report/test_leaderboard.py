"""Leaderboards: the order of explainers, and no more of it than may be said."""

import io
import re

import numpy as np
import pytest
from matplotlib.text import Text
from stand_in import Studied

import multiplex_vit as mv
from multiplex_vit import plot
from multiplex_vit.report import display_names, leaderboard, plot_passes, summarise
from multiplex_vit.report.leaderboard import readable
from multiplex_vit.report.markdown import markdown_table

EIGHT = np.array([0.1, 0.12, 0.09, 0.11, 0.1, 0.13, 0.08, 0.1])
NOISE = np.array([0.02, -0.02, 0.01, -0.01, 0.02, -0.02, 0.01, -0.01])


def test_a_leaderboard_by_hand():
    study = Studied(
        {
            "mutex": EIGHT,
            "communities": EIGHT + 0.2,
            "rise_tokens": EIGHT + 0.2 - NOISE,
            "random_order": EIGHT + 0.5,
            "raw_attention": EIGHT - 0.1,
        }
    )
    board = leaderboard(study)
    assert dict(zip(board["explainer"], board["rank"], strict=True)) == {
        "random_order": "1",
        "communities": "2-3",
        "rise_tokens": "2-3",
        "mutex": "4",
        "raw_attention": "5",
    }
    compared = [name for name in board if name.startswith("p_")]
    assert compared == ["p_mutex", "p_rise_tokens"], "a random order is no rival"
    row = board.set_index("explainer").loc["communities"]
    expected = [EIGHT.mean() + 0.2, 0.2, 0.0]
    assert row[["difference", "to_mutex", "to_rise_tokens"]].tolist() == pytest.approx(expected)
    all_on_one_side = 2 / 2**8
    assert row["p_mutex"] == pytest.approx(4 * all_on_one_side), "four comparisons"
    assert row["seconds"] == 4.5
    assert row[["insertion_low", "insertion", "insertion_high"]].is_monotonic_increasing


def test_budgets_of_one_explainer_are_told_apart():
    few, many = "rise_tokens(budget=9)", "rise_tokens(budget=550)"
    study = Studied({"mutex": EIGHT, few: EIGHT - 0.1, many: EIGHT + 0.1})
    board = leaderboard(study)
    assert board["explainer"].tolist() == [many, "mutex", few]
    assert board["name"].tolist() == ["rise_tokens, budget=550", "mutex", "rise_tokens, budget=9"]
    board = leaderboard(study, against=[few, "mutex"])
    compared = [name for name in board if name.startswith("p_")]
    assert compared == ["p_rise_tokens, budget=9", "p_mutex"]
    assert "minus mutex" in readable(board)
    assert "insertion" not in readable(board, brief=True)
    by_name = leaderboard(study, against="rise_tokens")
    assert "p_rise_tokens, budget=550" in by_name, "the best of that name"


def test_protocols_never_stand_in_one_table():
    study = Studied({"mutex": EIGHT, "rollout": EIGHT}, protocols=("token", "patch/black"))
    assert leaderboard(study)["images"].tolist() == [8, 8]
    with pytest.raises(mv.InputError, match="nothing was measured by 'patch/blur'; known: token"):
        leaderboard(study, "patch/blur")


def test_what_others_are_compared_with_must_be_there():
    study = Studied({"raw_attention": EIGHT})
    with pytest.raises(mv.InputError, match="nothing was measured of 'mutex'; known: raw_attent"):
        leaderboard(study, against="mutex")
    assert leaderboard(study)["rank"].tolist() == ["1"]


def test_hard_images_do_not_put_an_explainer_behind_that_was_measured_on_them_alone():
    hard = EIGHT - 0.5 * (np.arange(8) >= 4)
    best = [None] * 4 + list(hard[4:] + 0.1)
    study = Studied({"mutex": hard, "raw_attention": hard - 0.1, "rise_tokens": best})
    board = leaderboard(study)
    assert board["explainer"].tolist() == ["rise_tokens", "mutex", "raw_attention"]
    means = [hard.mean() + 0.1, hard.mean(), hard.mean() - 0.1]
    assert board["adjusted"].tolist() == pytest.approx(means)
    assert board["difference"].iloc[0] < board["difference"].iloc[1]
    assert board["images"].tolist() == [4, 8, 8]


def test_a_summary_of_one_explainer_and_without_a_control():
    summary = summarise(Studied({"mutex": EIGHT}))
    assert summary["value"].tolist() == pytest.approx([EIGHT.mean()])
    assert "more" not in summary
    assert summary["change"].isna().all()


def test_names_of_any_explainers_are_short_and_their_own():
    several = mv.ablations("mutex", leave_out=["operator", "statistic"], keep_only="direction")
    several += [*mv.sweep("rise_tokens", budget=[9, 550]), mv.EXPLAINERS["mutex(min_cut=0.5)"]]
    names = display_names(several)
    assert len(set(names.values())) == len(several)
    assert names["mutex(min_cut=0.5)"] == "mutex, min_cut=0.5"
    assert "mutex, without statistic max" in names.values()
    assert "mutex, only centrality in_strength" in names.values()
    assert max(map(len, names.values())) < 50


def test_the_packages_own_methods_are_in_colour():
    ax = plot.panel((7, 4.6))
    plot_passes(Studied({"mutex": EIGHT, "communities": EIGHT + 0.2, "rollout": EIGHT}), ax=ax)
    colours = {text.get_text(): text.get_color() for text in ax.texts}
    assert len({colours[name] for name in ("mutex", "communities", "rollout")}) == 3


def test_names_beside_points_do_not_overlap():
    many = {f"method{i}": EIGHT + 0.001 * i for i in range(14)}
    ax = plot.panel((7, 4.6))
    assert plot_passes(Studied({**many, "other": EIGHT - 0.1}), ax=ax, title="$x_{") is ax
    ax.figure.savefig(io.BytesIO())
    boxes = [Text.get_window_extent(text) for text in ax.texts]
    assert len(boxes) == 15
    for place, box in enumerate(boxes):
        assert not any(box.overlaps(other) for other in boxes[:place])
        inside = ax.figure.bbox
        assert inside.x0 <= box.x0
        assert box.x1 <= inside.x1


@pytest.mark.parametrize("name", ["a|b", "a\n<script>", "`a`"])
def test_markdown_tables_keep_their_columns(name):
    board = leaderboard(Studied({name: EIGHT, "mutex": EIGHT}))
    text = markdown_table(readable(board))
    lines = text.splitlines()
    assert len(lines) == 2 + len(board)
    assert len({len(re.findall(r"(?<!\\)\|", line)) for line in lines}) == 1
    assert "<script>" not in text
