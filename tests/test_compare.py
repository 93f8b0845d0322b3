"""Comparing methods: the same figures in fewer passes, what goes on after a failure, what may be said."""

import io
from functools import partial
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from fake import FakeModel
from matplotlib.text import Text
from PIL import Image

import multiplex_vit as mv
from multiplex_vit import plot
from multiplex_vit.cli import main
from multiplex_vit.evaluation.many import evaluate_many
from multiplex_vit.study.compare import named_images
from multiplex_vit.study.runs import planned
from multiplex_vit.study.standing import entries, standing, told

PIXELS = np.full((1, 3, 2, 3), 0.25, dtype=np.float32)
RIGHT = FakeModel.worth.reshape(2, 3)
CAT = mv.samples()["cat"]


@pytest.mark.parametrize(("spelled", "options"), [("token", {}), ("patch/black", {}), ("patch/blur", {}), ("patch/random", {"seed": 3}), ("patch", {})])
@pytest.mark.parametrize("steps", [6, 11])
def test_many_heatmaps_get_the_figures_of_each(demo_vit, spelled, options, steps):
    heatmaps = [np.random.default_rng(i).random((8, 8)) for i in range(3)]
    name, _, baseline = spelled.partition("/")
    together = evaluate_many(demo_vit, CAT, [*heatmaps, -heatmaps[0]], protocols=[spelled], steps=steps, **options)[spelled]
    for heatmap, fid in zip([*heatmaps, -heatmaps[0]], together, strict=True):
        alone = mv.evaluate(demo_vit, CAT, heatmap, protocol=name, steps=steps, **({"baseline": baseline} if baseline else {}), **options)
        assert (fid.protocol, fid.label) == (alone.protocol, alone.label)
        for ours, theirs in ((fid.insertion, alone.insertion), (fid.deletion, alone.deletion)):
            assert ours.fraction.tolist() == theirs.fraction.tolist()
            assert ours.confidence == pytest.approx(theirs.confidence, abs=1e-6)


def test_a_published_protocol_has_its_own_points_whatever_the_steps(demo_vit):
    heatmap = np.random.default_rng(0).random((8, 8))
    found = evaluate_many(demo_vit, CAT, [heatmap], protocols=["mutex2025/mean"], steps=5)["mutex2025/mean"][0]
    alone = mv.evaluate(demo_vit, CAT, heatmap, protocol="mutex2025", baseline="mean")
    assert found.insertion.confidence == pytest.approx(alone.insertion.confidence, abs=1e-6)
    assert found.deletion.auc == pytest.approx(alone.deletion.auc, abs=1e-4)


def test_what_the_model_has_seen_it_is_not_shown_again():
    """Six patches: 7 sets inserted; deleting is inserting the rest, and the other heatmap is the first from its end."""
    model, rising = FakeModel(), np.arange(6.0).reshape(2, 3)
    evaluate_many(model, PIXELS, [rising, -rising, 2 * rising], protocols=["token"], label=0)
    assert model.sequences == 7 + 7 - 2
    evaluate_many(model, PIXELS, [rising, -rising], protocols=["patch/black", "patch"], label=0)
    assert model.sequences == 2 * (7 + 7 - 2)


def quick(model, images=None, **choices):
    return mv.compare(model, mv.samples() if images is None else images, **{"methods": ["mutex", "raw_attention", "random_order"], "steps": 4, **choices})


def without_seconds(table):
    return table.drop(columns="seconds").sort_values(["image", "method", "budget", "protocol"]).reset_index(drop=True)


def test_rows_are_what_explain_and_evaluate_say(demo_vit):
    found = quick(demo_vit, {"cat": CAT}, protocols=["token", "patch/zero"]).table()
    explanation = mv.explain(demo_vit, CAT)
    for protocol, options in {"token": {"protocol": "token"}, "patch/zero": {"baseline": "zero"}}.items():
        fid = mv.evaluate(demo_vit, CAT, explanation.heatmap, steps=4, **options)
        (row,) = found[(found["method"] == "mutex") & (found["protocol"] == protocol)].to_dict("records")
        assert [row[name] for name in ("insertion", "deletion", "difference")] == pytest.approx([fid.insertion.auc, fid.deletion.auc, fid.difference], abs=1e-6)
        assert (row["forward_passes"], row["backward_passes"]) == (explanation.forward_passes, 0)


def test_curves_have_the_areas_of_the_rows(demo_vit):
    found = quick(demo_vit, {"cat": CAT})
    for (method, protocol), part in found.curves.groupby(["method", "protocol"]):
        row = found.rows[(found.rows["method"] == method) & (found.rows["protocol"] == protocol)].iloc[0]
        for curve in ("insertion", "deletion"):
            points = part[part["curve"] == curve]
            assert np.trapezoid(points["confidence"], points["fraction"]) == pytest.approx(row[curve])


def test_a_budget_is_given_to_those_whose_passes_depend_on_it(demo_vit):
    found = quick(demo_vit, {"cat": CAT}, methods=["mutex", "communities", "rise_tokens", "reversed_order", "occlusion", "raw_attention"], budgets=[20, 55, 70])
    passes = found.rows.drop_duplicates(["method", "budget"]).set_index(["method", "budget"])["forward_passes"]
    budgets = {method: list(part.index.get_level_values(1)) for method, part in passes.groupby("method")}
    assert budgets["mutex"] == budgets["reversed_order"] == [20, 55], "54 published masks are not more for a greater budget"
    assert budgets["communities"] == budgets["rise_tokens"] == [20, 55, 70]
    assert len(budgets["occlusion"]) == len(budgets["raw_attention"]) == 1
    assert pd.isna(budgets["occlusion"][0])
    assert passes["rise_tokens"].tolist() == [20, 55, 70]
    assert passes["occlusion"].tolist() == [65]


def test_functions_take_part_under_their_names(demo_vit):
    asked = []

    def corner(model, image, label, *, budget=10, seed=0):
        asked.append((budget, seed, label))
        return SimpleNamespace(heatmap=np.arange(64.0).reshape(8, 8), forward_passes=budget)

    found = quick(demo_vit, [CAT], methods=[corner, partial(mv.EXPLAINERS["rise_tokens"], budget=9)], budgets=[5, 6], seed=3, label="dog")
    assert asked == [(5, 3, 5), (6, 3, 5)], "dog is class 5"
    rows = found.rows.drop_duplicates(["method", "budget"])
    assert rows["method"].tolist() == ["corner", "corner", "rise_tokens(budget=9)"]
    assert rows["forward_passes"].tolist() == [5, 6, 9]


def test_the_random_control_is_another_for_every_image_whatever_their_order(demo_vit):
    options = {"methods": ["random_order"], "protocols": "token", "gallery": 9}
    both = quick(demo_vit, {"a": CAT, "b": CAT}, **options)
    first, second = (shown.heatmaps["random_order", None] for shown in both.shown)
    assert not np.array_equal(first, second)
    alone = quick(demo_vit, {"b": CAT}, **options)
    assert np.array_equal(alone.shown[0].heatmaps["random_order", None], second)
    other = quick(demo_vit, {"b": CAT}, **options, **{"seed": 1})
    assert not np.array_equal(other.shown[0].heatmaps["random_order", None], second)


def test_a_bad_image_and_a_failing_method_are_told_and_the_others_go_on(demo_vit, tmp_path):
    (tmp_path / "bad.jpg").write_text("no image")

    def broken(model, image, label):
        raise RuntimeError("no\nluck")

    def narrow(model, image, label):
        return SimpleNamespace(heatmap=np.zeros((2, 2)), forward_passes=1)

    found = quick(demo_vit, [tmp_path / "bad.jpg", ("cat", CAT)], methods=["raw_attention", broken, narrow], protocols="token")
    assert [image for image, _ in found.failures] == [str(tmp_path / "bad.jpg"), "cat", "cat"]
    assert "is not an image" in found.failures[0][1]
    assert found.failures[1][1] == "broken: RuntimeError: no luck"
    assert found.failures[2][1].startswith("narrow: its heatmap has shape [2, 2]")
    assert found.rows[["image", "method"]].to_numpy().tolist() == [["cat", "raw_attention"]]
    assert "broken: RuntimeError" in found.markdown()
    with pytest.raises(mv.InputError, match=r"no image could be measured; the first, .*bad.jpg.* is not an image"):
        quick(demo_vit, [tmp_path / "bad.jpg"])


def test_a_second_run_goes_on_where_the_first_was_stopped(demo_vit, tmp_path):
    seen = []

    def counted(model, image, label):
        seen.append(label)
        return mv.EXPLAINERS["raw_attention"](model, image, label)

    def stop(line):
        raise KeyboardInterrupt

    options = {"methods": [counted, "random_order"], "out": tmp_path}
    with pytest.raises(KeyboardInterrupt):
        quick(demo_vit, tell=stop, **options)
    assert len(seen) == 1
    assert set(pd.read_csv(tmp_path / "comparison.csv")["image"]) == {"cat"}
    with (tmp_path / "curves.csv").open("a") as file:
        file.write("horse,counted,,token,insertion,0.0,0.5\n")
    resumed = quick(demo_vit, **options)
    assert len(seen) == 3
    quick(demo_vit, **options)
    assert len(seen) == 3, "nothing is left to do"
    whole = quick(demo_vit, **{**options, "out": None})
    read = mv.Comparison.read(tmp_path)
    for found in (resumed, read):
        pd.testing.assert_frame_equal(without_seconds(found.rows), without_seconds(whole.rows), atol=1e-5, check_dtype=False)
        assert len(found.curves) == len(whole.curves), "what was half written does not count"
        assert [shown.image for shown in found.shown] == ["cat", "horse", "rocket"]
        for ours, theirs in zip(found.shown, whole.shown, strict=True):
            assert ours.heatmaps.keys() == theirs.heatmaps.keys()
            assert np.array_equal(ours.view, theirs.view)


def test_a_method_or_a_protocol_more_measures_that_alone(demo_vit, tmp_path):
    first = quick(demo_vit, {"cat": CAT}, methods=["raw_attention"], protocols="token", out=tmp_path)
    model = Counting(demo_vit)
    more = quick(model, {"cat": CAT}, methods=["raw_attention"], protocols=["token", "patch/black"], out=tmp_path)
    assert more.protocols == ["token", "patch/black"]
    assert model.masks == 0, "no set of tokens is classified again"
    assert len(more.rows) == 2
    assert more.rows.iloc[0].drop("seconds").tolist()[4:] == pytest.approx(first.rows.iloc[0].drop("seconds").tolist()[4:], abs=1e-5)


class Counting:
    """A model that counts sets of tokens."""

    def __init__(self, model):
        self.model, self.masks = model, 0

    def __getattr__(self, name):
        return getattr(self.model, name)

    def probabilities(self, tokens, kept, **options):
        self.masks += len(kept)
        return self.model.probabilities(tokens, kept, **options)


def test_reading_looks_at_the_rows_once_however_many_points_there_are(demo_vit, tmp_path, monkeypatch):
    from multiplex_vit.study import ledger

    quick(demo_vit, out=tmp_path / "out")
    looked, keys_of = [], ledger.keys_of
    monkeypatch.setattr(ledger, "keys_of", lambda table: looked.append(len(table)) or keys_of(table))
    found = mv.Comparison.read(tmp_path / "out")
    assert len(looked) == 2
    assert len(found.curves) > len(found.table())


def test_names_that_look_like_something_else_stay_names(demo_vit, tmp_path):
    images = {"NA": CAT, "007": CAT, "a,b\n": CAT}
    found = quick(demo_vit, images, methods=["raw_attention"], protocols="token", out=tmp_path)
    assert mv.Comparison.read(tmp_path).rows["image"].tolist() == found.rows["image"].tolist() == list(images)


@pytest.mark.parametrize(
    ("changed", "message"),
    [({"steps": 5}, "with steps 4, not 5"), ({"seed": 1}, "with seed 0, not 1"), ({"label": 1}, "with label None, not 1")],
)
def test_a_folder_of_another_comparison_is_refused(demo_vit, tmp_path, changed, message):
    options = {"methods": ["raw_attention"], "protocols": "token", "out": tmp_path}
    quick(demo_vit, {"cat": CAT}, **options)
    before = (tmp_path / "comparison.csv").read_bytes()
    with pytest.raises(mv.InputError, match=message):
        quick(demo_vit, **{**options, **changed})
    assert (tmp_path / "comparison.csv").read_bytes() == before
    (tmp_path / "comparison.json").write_text("{}")
    with pytest.raises(mv.InputError, match="no record of a comparison"):
        quick(demo_vit, **options)
    with pytest.raises(mv.InputError, match="no record of a comparison"):
        mv.Comparison.read(tmp_path / "none")


def test_a_damaged_folder_is_told(demo_vit, tmp_path):
    options = {"methods": ["raw_attention"], "protocols": "token", "out": tmp_path}
    quick(demo_vit, {"cat": CAT}, **options)
    (tmp_path / "comparison.csv").write_text("a,b\n1,2\n")
    with pytest.raises(mv.InputError, match="has no column image|damaged"):
        quick(demo_vit, **options)


@pytest.mark.parametrize(
    ("choices", "message"),
    [
        ({"methods": ["mutx"]}, r"unknown explainer 'mutx' \(did you mean 'mutex'\?\); known: mutex, communities, raw_attention"),
        ({"methods": []}, "methods is empty"),
        ({"protocols": "path/black"}, "unknown protocol 'path'"),
        ({"protocols": "patch/white"}, "unknown baseline 'white'"),
        ({"protocols": "token/black"}, "no baseline is put in their place"),
        ({"protocols": [3]}, "protocol is 3"),
        ({"budgets": [1]}, "budget is 1; give a whole number of at least 2"),
        ({"steps": 0}, "steps is 0"),
        ({"seed": -1}, "seed is -1"),
        ({"label": "lion"}, "label 'lion' is no class"),
        ({"gallery": -1}, "gallery is -1"),
        ({"nonsense": 1}, "unknown option 'nonsense'"),
        ({"methods": [lambda m, i, n: None, lambda m, i, n: 0]}, "two methods have one name"),
    ],
)
def test_bad_choices_are_refused_before_the_first_pass(choices, message):
    with pytest.raises(mv.InputError, match=message):
        mv.compare(mv.load("demo-vit", device="cpu"), {"missing": "missing.jpg"}, **choices)


def test_images_are_told_apart_by_name(demo_vit):
    with pytest.raises(mv.InputError, match="two images are called a"):
        quick(demo_vit, [("a", CAT), ("a", CAT)])
    with pytest.raises(mv.InputError, match="there is no image"):
        quick(demo_vit, [])
    assert list(named_images(CAT)) == [str(CAT)]
    with pytest.raises(mv.InputError, match="model is the text"):
        quick("demo-vit")


def test_a_pass_a_token_is_left_out_by_default_where_that_is_many(demo_vit):
    chosen = planned(demo_vit, {})
    assert set(chosen.methods) == set(mv.EXPLAINERS)
    large = SimpleNamespace(picture=None, input_size=(224, 224), grid_of=lambda size: (14, 14), label_of=lambda label, predicted: 0)
    assert "occlusion" not in planned(large, {}).methods
    assert "occlusion" in planned(large, {"methods": ["occlusion"]}).methods


# --- what may be said ---------------------------------------------------------------------------------------------------


def table_of(differences, protocol="token", budget=None):
    """Return rows of methods whose differences [method][image] are given."""
    rows = [
        {"image": str(i), "method": method.split(" ")[0], "budget": int(method.split(" ")[1]) if " " in method else budget, "protocol": protocol}
        | {"insertion": value + 0.25, "deletion": 0.25, "difference": value, "forward_passes": 55, "backward_passes": 0, "seconds": 1.0 + i}
        for method, values in differences.items()
        for i, value in enumerate(values)
        if value is not None
    ]
    return pd.DataFrame(rows).astype({"budget": "Int64"})


EIGHT = np.array([0.1, 0.12, 0.09, 0.11, 0.1, 0.13, 0.08, 0.1])


def test_a_standing_by_hand():
    noise = np.array([0.02, -0.02, 0.01, -0.01, 0.02, -0.02, 0.01, -0.01])
    found = standing(
        table_of({"mutex": EIGHT, "communities": EIGHT + 0.2, "rise_tokens": EIGHT + 0.2 - noise, "random_order": EIGHT + 0.5, "raw_attention": EIGHT - 0.1})
    )
    assert dict(zip(found["entry"], found["rank"], strict=True)) == {
        "random_order": "1",
        "communities": "2-3",
        "rise_tokens": "2-3",
        "mutex": "4",
        "raw_attention": "5",
    }
    assert found["best_rival"].unique().tolist() == ["rise_tokens"], "a control is no rival"
    own = found.set_index("entry").loc["communities"]
    assert own[["difference", "to_mutex", "to_rise_tokens"]].tolist() == pytest.approx([EIGHT.mean() + 0.2, 0.2, 0.0])
    assert own["p_mutex"] == pytest.approx(4 * 2 / 2**8), "all eight signed ranks on one side, four comparisons"
    assert own["seconds"] == 4.5
    assert own[["insertion_low", "insertion", "insertion_high"]].is_monotonic_increasing


def test_budgets_of_one_method_are_told_apart():
    table = table_of({"mutex": EIGHT, "rise_tokens 55": EIGHT - 0.1, "rise_tokens 550": EIGHT + 0.1})
    assert standing(table)["entry"].tolist() == ["rise_tokens 550", "mutex", "rise_tokens 55"]
    assert standing(table)["best_rival"].iloc[0] == "rise_tokens 550"
    found = standing(table, against=["rise_tokens", "mutex"])
    assert [name for name in found if name.startswith("p_")] == ["p_rise_tokens 55", "p_mutex", "p_rise_tokens 550"]
    assert "minus rise_tokens 55" in told(found)
    assert "insertion" not in told(found, brief=True)


def test_protocols_never_stand_in_one_table(demo_vit):
    with pytest.raises(mv.InputError, match="rows of token and patch/black came"):
        standing(pd.concat([table_of({"mutex": EIGHT}), table_of({"mutex": EIGHT}, "patch/black")]))
    assert list(quick(demo_vit, {"cat": CAT}).summary()) == ["token", "patch/black"]


def test_what_others_are_compared_with_must_be_there():
    with pytest.raises(mv.InputError, match="nothing was measured of 'communities'; here are raw_attention"):
        standing(table_of({"raw_attention": EIGHT}), against="communities")
    alone = standing(table_of({"raw_attention": EIGHT}))
    assert alone["rank"].tolist() == ["1"]
    assert not alone["p_raw_attention"].notna().any()


def test_hard_images_do_not_put_a_method_behind_that_was_measured_on_them_alone():
    """The last four images are hard: everything loses 0.5 there; the method measured on them alone is the best on each."""
    hard = EIGHT - 0.5 * (np.arange(8) >= 4)
    best = [None] * 4 + list(hard[4:] + 0.1)
    found = standing(table_of({"mutex": hard, "raw_attention": hard - 0.1, "rise_tokens": best}))
    assert found["entry"].tolist() == ["rise_tokens", "mutex", "raw_attention"]
    assert found["adjusted"].tolist() == pytest.approx([hard.mean() + 0.1, hard.mean(), hard.mean() - 0.1])
    assert found["difference"].iloc[0] < found["difference"].iloc[1]
    assert found["images"].tolist() == [4, 8, 8]


# --- pictures -----------------------------------------------------------------------------------------------------------


def test_names_beside_points_do_not_overlap():
    rows = standing(table_of({f"method{i}": EIGHT + 0.001 * i for i in range(14)} | {"other": EIGHT - 0.1}))
    ax = plot.panel((7, 4.6))
    assert plot.passes(rows, ax=ax, title="$x_{") is ax
    ax.figure.savefig(io.BytesIO())
    boxes = [Text.get_window_extent(text) for text in ax.texts]
    assert len(boxes) == 15
    assert not any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i])
    inside = ax.figure.bbox
    assert all(inside.x0 <= box.x0 and box.x1 <= inside.x1 for box in boxes)


def test_bands_are_normal_intervals_of_the_mean():
    points = {"entry": "a", "protocol": "token", "curve": "insertion"}
    table = pd.DataFrame(
        [{**points, "image": i, "fraction": f, "confidence": c} for i, values in enumerate(([0.1, 0.5], [0.3, 0.7])) for f, c in enumerate(values)]
    )
    (ax,) = plot.curve_bands(table).axes
    assert ax.lines[0].get_ydata().tolist() == pytest.approx([0.2, 0.6])
    edges = ax.collections[0].get_paths()[0].vertices[:, 1]
    assert edges.max() == pytest.approx(0.6 + 1.96 * 0.1)
    assert edges.min() == pytest.approx(0.2 - 1.96 * 0.1)
    with pytest.raises(mv.InputError, match="token and patch/black do not compare"):
        plot.curve_bands(pd.concat([table, table.assign(protocol="patch/black")]))


def test_a_gallery_has_a_row_an_image_and_a_column_a_method():
    view, heatmap = np.zeros((8, 12, 3), dtype=np.uint8), np.arange(6.0).reshape(2, 3) - 3
    figure = plot.gallery([view, view], [[heatmap, None], [heatmap, heatmap]], methods=["$a_", "b"], images=["x", "y"])
    assert len(figure.axes) == 6
    assert [ax.get_title() for ax in figure.axes[:3]] == ["image", "$a_", "b"]
    assert not figure.axes[2].axison
    figure.savefig(io.BytesIO())
    with pytest.raises(mv.InputError, match="1 images, 2 methods"):
        plot.gallery([view], [[heatmap]], methods=["a", "b"])


def test_a_comparison_is_written_whole(demo_vit, tmp_path):
    found = quick(demo_vit, methods=["mutex", "rise_tokens", "random_order"], budgets=[5, 9])
    written = found.write(tmp_path / "out")
    figures = {f"{kind}_{protocol}.png" for kind in ("passes", "curves") for protocol in ("token", "patch-black")} | {"gallery.png"}
    tables = {"comparison.csv", "curves.csv", "summary.md", "summary_token.csv", "summary_patch-black.csv"}
    assert {path.name for path in written} == {path.name for path in (tmp_path / "out").iterdir()} == figures | tables
    assert all(min(Image.open(tmp_path / "out" / name).size) > 300 for name in figures)
    text = (tmp_path / "out" / "summary.md").read_text()
    assert text.count("\n## demo-vit, ") == 2
    assert repr(found) == "<Comparison of 5 methods on 3 images by demo-vit: token, patch/black, 4 steps>"
    assert found._repr_html_().count("<table") == 2
    assert len(found.plot_gallery(methods=["rise_tokens"]).axes) == 3 * 3
    with pytest.raises(mv.InputError, match="no curve is of nonsense"):
        found.plot_curves(methods=["nonsense"])
    with pytest.raises(mv.InputError, match="nothing was measured by 'patch/blur'"):
        found.plot("patch/blur")
    (tmp_path / "file").write_text("mine")
    with pytest.raises(mv.InputError, match="cannot write into"):
        found.write(tmp_path / "file")


# --- the command line ---------------------------------------------------------------------------------------------------


def run(capsys, *args):
    code = main([str(a) for a in args])
    out, err = capsys.readouterr()
    return code, out, err


@pytest.mark.slow
def test_compare_at_the_command_line(tmp_path, capsys):
    (tmp_path / "photos").mkdir()
    for name in ("cat", "horse"):
        (tmp_path / "photos" / f"{name}.JPG").write_bytes(mv.samples()[name].read_bytes())
    (tmp_path / "photos" / "notes.txt").write_text("no image")
    (tmp_path / "bad.jpg").write_text("no image")
    given = ["compare", tmp_path / "photos", "--methods", "mutex,rise_tokens", "random_order", "--budget", "5,9", "--steps", "4", "--out", tmp_path / "out"]
    code, out, err = run(capsys, *given, "--protocol", "token,patch/zero", "--against", "random_order")
    assert (code, err) == (0, "")
    assert "minus random_order" in out
    assert "patch/zero: insertion minus deletion AUC" in out
    table = mv.Comparison.read(tmp_path / "out").table()
    assert set(entries(table)) == {"mutex 5", "mutex 9", "rise_tokens 5", "rise_tokens 9", "random_order"}
    assert set(table["protocol"]) == {"token", "patch/zero"}
    assert table["image"].nunique() == 2
    code, out, err = run(capsys, "compare", tmp_path / "bad.jpg", *given[1:], "--protocol", "token")
    assert code == 1
    assert len(err.splitlines()) == 1
    assert "bad.jpg is not an image" in err
    assert len(mv.Comparison.read(tmp_path / "out").table()) == len(table), "the rest was there already"


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["missing.jpg"], "no image could be measured; the first, missing.jpg: no such image"),
        (["--methods", "nonsense"], "unknown explainer 'nonsense'"),
        (["--budget", "many"], "budget is 'many'"),
        (["--budget", "55,1"], "budget is 1"),
        (["--protocol", "patch/white"], "unknown baseline 'white'"),
        (["--protocol", "pach"], "unknown protocol 'pach'"),
        (["--protocol", ","], "protocols is empty"),
        (["--steps", "0"], "steps is 0"),
        (["--batch-size", "0"], "batch_size is 0"),
        (["--batch-size", "-3"], "batch_size is '-3'"),
        (["--label", "lion"], "label 'lion' is no class"),
        (["--model", "no-such-model"], "cannot load no-such-model"),
        (["--methods", "mutex", "--against", "communities"], "--against communities is none of the methods measured: mutex"),
        (["."], "holds no image"),
    ],
    ids=" ".join,
)
def test_bad_input_is_one_line_and_exit_code_2(args, message, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    code, _, err = run(capsys, "compare", *args)
    assert code == 2
    assert message in err
    assert len(err.splitlines()) == 1
    assert not list(tmp_path.iterdir()), "nothing is half written"


def test_a_file_in_place_of_the_folder_is_refused(tmp_path, capsys):
    (tmp_path / "file").write_text("mine")
    code, _, err = run(capsys, "compare", "--out", tmp_path / "file")
    assert code == 2
    assert "it is a file; give a folder" in err
    assert (tmp_path / "file").read_text() == "mine"
