"""Studies: what they compute, what they keep, and how they go on after anything."""

import errno
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import psutil
import pyarrow.parquet as pq
import pytest
from scipy import stats
from small import PHOTOS

import multiplex_vit as mv
from multiplex_vit.errors import InputError
from multiplex_vit.report import summarise
from multiplex_vit.study import manifest, rows, running, store
from multiplex_vit.study.layout import UnitId
from multiplex_vit.study.run import processes
from multiplex_vit.study.work import compute

FEW = mv.EXPLAINERS["mutex"].at(operators=("sum",), statistics=("max", "min"))
BOTH = mv.sweep(FEW, token_ratio=[0.3, 0.5])
FIRST, SECOND = map(str, BOTH)
DONE = {UnitId(group, chunk) for group in range(2) for chunk in range(3)}
"""The masks of both explainers are one group, and the random order is another."""


def small(out, **changes):
    options = {"explainers": BOTH, "steps": 4, "chunk": 1, "device": "cpu", **changes}
    return mv.Study(**{"images": PHOTOS, "out": out, "model": "demo-vit", **options})


def without_seconds(table):
    return table.drop(columns="seconds", errors="ignore")


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    return small(tmp_path_factory.mktemp("study") / "done").run()


@pytest.fixture
def folder(tmp_path):
    """Two good images and a bad one."""
    (tmp_path / "photos").mkdir()
    for name in ("cat", "horse"):
        (tmp_path / "photos" / f"{name}.jpg").write_bytes(mv.samples()[name].read_bytes())
    (tmp_path / "photos" / "damaged.jpg").write_text("no image")
    return tmp_path / "photos"


def test_every_row_is_what_explain_and_evaluate_give(done, demo_vit):
    table = done.scores()
    assert len(table) == 3 * (2 + 1)
    facts = ["number", "image", "label", "explained", "probability", "score"]
    values = ["quantity", "insertion", "deletion", "difference"]
    assert list(table.columns) == [*facts, "explainer", "token_ratio", "protocol", *values]
    for number, path in enumerate(PHOTOS):
        for ratio in (0.3, 0.5):
            ex = mv.explain(
                demo_vit, path, operators="sum", statistics=("max", "min"), token_ratio=ratio
            )
            fid = mv.evaluate(demo_vit, path, ex.heatmap, label=ex.label, steps=4)
            row = table[(table["number"] == number) & (table["token_ratio"] == ratio)].iloc[0]
            assert row["insertion"] == pytest.approx(fid.insertion.auc, abs=1e-5)
            assert row["deletion"] == pytest.approx(fid.deletion.auc, abs=1e-5)
            assert row["difference"] == pytest.approx(fid.difference, abs=1e-5)
            assert row["explained"] == ex.label_name
            assert row["protocol"] == "patch/black"
            assert fid.protocol == "patch/black, 4 steps"


def test_curves_have_the_areas_of_the_scores(done):
    scores = done.scores().set_index(["number", "explainer"])
    for (number, explainer, curve), points in done.curves().groupby(
        ["number", "explainer", "curve"]
    ):
        area = np.trapezoid(points["confidence"], points["fraction"])
        assert area == pytest.approx(scores.loc[(number, explainer), curve])


def test_a_random_order_is_measured_with_every_image(done):
    control = done.scores().query("explainer == 'random_order'")
    assert sorted(control["number"].unique()) == [0, 1, 2]
    assert control["token_ratio"].isna().all()


def test_a_random_order_is_each_images_own_whatever_study_it_is_in(tmp_path, done):
    heatmaps = done.heatmaps().query("explainer == 'random_order'").set_index("number")["heatmap"]
    assert not np.array_equal(heatmaps[0], heatmaps[1])
    alone = small(tmp_path / "alone", images=PHOTOS[1:2], explainers="random_order").run()
    assert np.array_equal(alone.heatmaps()["heatmap"][0], heatmaps[1])
    other = small(tmp_path / "other", images=PHOTOS[1:2], explainers="random_order", seed=1).run()
    assert not np.array_equal(other.heatmaps()["heatmap"][0], heatmaps[1])


def test_images_have_their_hash_and_their_passes(done, demo_vit):
    facts = done.image_table().set_index("number")
    several = mv.explain_many(demo_vit, PHOTOS[0], [explainer.settings for explainer in BOTH])
    distinct = {row.tobytes() for ex in several for row in ex.masks.kept}
    one_for_the_control = 1
    assert facts.loc[0, "forward_passes"] == len(distinct) + 1 + one_for_the_control
    assert facts.loc[0, "naive_passes"] == 2 * 5 + one_for_the_control
    costs = done.costs().query("number == 0").set_index("explainer")
    assert costs.loc[FIRST, "forward_passes"] == several[0].forward_passes
    assert facts.loc[0, "sha256"] == mv.images(PHOTOS).sample(0).sha256
    assert (
        done.all_passes().run
        == (facts["forward_passes"] + facts["evaluation_passes"]).sum()
        < done.all_passes().naive
    )


def test_a_summary_pairs_explainers_with_the_random_order_and_with_the_first(done):
    summary = summarise(done).set_index("explainer")
    values = done.scores().pivot(index="number", columns="explainer", values="difference")
    assert summary.loc[SECOND, "change"] == pytest.approx((values[SECOND] - values[FIRST]).mean())
    more = (values[FIRST] - values["random_order"]).mean()
    assert summary.loc[FIRST, "more"] == pytest.approx(more)
    assert np.isnan(summary.loc[FIRST, "change"])
    heat = done.heatmaps().pivot(index="number", columns="explainer", values="heatmap")
    ranks = []
    for _, row in heat.iterrows():
        ranks.append(stats.spearmanr(row[FIRST].ravel(), row[SECOND].ravel()).statistic)
    mean = np.mean(ranks)
    assert summary.loc[SECOND, "agreement"] == pytest.approx(mean)
    low, high = summary.loc[SECOND, ["agreement_low", "agreement_high"]]
    assert min(ranks) <= low <= mean <= high <= max(ranks)
    assert summary.loc[FIRST, "agreement"] == 1


def test_open_gives_the_same_tables_and_settings(done):
    again = mv.Study.open(done.out)
    pd.testing.assert_frame_equal(again.scores(), done.scores())
    assert (again.plan, again.explainers, again.protocols) == (
        done.plan,
        done.explainers,
        done.protocols,
    )
    assert repr(again) == repr(done)
    assert again.run().store.done() == DONE


def test_every_table_is_one_parquet_data_set(done):
    assert pq.read_table(done.out / "scores").num_rows == 3 * len(done.scores())
    names = {path.name for path in done.out.iterdir() if not path.name.startswith(".")}
    of_units = {"scores", "curves", "heatmaps", "costs", "masks", "failures", "work"}
    assert names == {"manifest.json", "images", "views", *of_units}


def test_masks_that_were_kept_give_the_heatmaps_again(done):
    from multiplex_vit.study.groups import MASKS, Group
    from multiplex_vit.study.kept import kept_of

    heatmaps = done.heatmaps().set_index(["number", "explainer"])["heatmap"]
    for chunk in range(3):
        kept = kept_of(done.store, Group((), (), MASKS, SECOND), chunk, "demo-vit")
        assert list(kept) == [chunk]
        _, image = kept[chunk]
        np.testing.assert_array_equal(image.base.heatmap, heatmaps[chunk, SECOND])


def test_units_done_are_not_computed_again(tmp_path, monkeypatch, done):
    part = small(tmp_path / "b")
    write = store.Store.write

    def write_one(self, unit, tables):
        if unit.chunk or unit.group:
            raise KeyboardInterrupt
        write(self, unit, tables)

    monkeypatch.setattr(store.Store, "write", write_one)
    with pytest.raises(KeyboardInterrupt):
        part.run()
    monkeypatch.undo()
    assert part.store.done() == {UnitId(0, 0)}
    assert set(part.scores()["number"]) == {0}
    computed = []
    compute = processes.compute

    def noted(plan, unit, model):
        computed.append(unit.id)
        return compute(plan, unit, model)

    monkeypatch.setattr(processes, "compute", noted)
    part.run()
    assert set(computed) == DONE - {UnitId(0, 0)}
    pd.testing.assert_frame_equal(part.scores(), done.scores())


class Counting:
    """Counts what `VisionModel` is asked for."""

    def __init__(self, monkeypatch):
        from multiplex_vit.models.vision_model import VisionModel

        self.calls = {}
        for name in (
            "attend",
            "attend_directly",
            "attend_relevance",
            "probabilities",
            "probabilities_of_images",
        ):
            method = getattr(VisionModel, name)
            monkeypatch.setattr(VisionModel, name, self._counted(name, method))

    def _counted(self, name, method):
        def run(*args, **options):
            self.calls[name] = self.calls.get(name, 0) + 1
            return method(*args, **options)

        return run


def test_an_explainer_more_runs_its_own_passes_alone(tmp_path, done, monkeypatch):
    shutil.copytree(done.out, tmp_path / "study")
    study = mv.Study.open(tmp_path / "study")
    before = study.passes().run
    more = study.extended(explainers=["rise_tokens(budget=9)"]).run()
    assert more.passes().run - before == 3 * 9
    known = more.scores().query("explainer != 'rise_tokens(budget=9)'").reset_index(drop=True)
    columns = ["number", "explainer", "insertion", "deletion", "difference"]
    pd.testing.assert_frame_equal(known[columns], done.scores()[columns])
    again = mv.Study.open(tmp_path / "study")
    assert again.explainers == more.explainers
    counting = Counting(monkeypatch)
    again.run()
    assert not counting.calls


@pytest.mark.slow
def test_a_protocol_more_explains_nothing_again(tmp_path, done, monkeypatch):
    shutil.copytree(done.out, tmp_path / "study")
    counting = Counting(monkeypatch)
    more = mv.Study.open(tmp_path / "study").extended(protocols="patch/blur").run()
    assert not counting.calls
    assert more.passes().run == done.passes().run
    assert set(more.scores()["protocol"]) == {"patch/black", "patch/blur"}
    whole = small(tmp_path / "whole", protocols=["patch/black", "patch/blur"]).run()
    pd.testing.assert_frame_equal(more.scores(), whole.scores(), rtol=1e-5)


def test_what_one_study_does_not_ask_for_it_does_not_show(tmp_path, done):
    shutil.copytree(done.out, tmp_path / "study")
    one = small(tmp_path / "study", explainers=BOTH[1])
    assert set(one.scores()["explainer"]) == {SECOND, "random_order"}
    assert one.run().store.done() == DONE


def test_bad_images_are_failures_and_the_others_go_on(tmp_path, folder):
    found = small(tmp_path / "out", images=folder, chunk=2).run()
    assert found.failures()[["number", "name"]].values.tolist() == [[1, "damaged.jpg"]]
    assert "is not an image of a known format" in found.failures()["reason"][0]
    assert set(found.scores()["image"]) == {"cat.jpg", "horse.jpg"}
    (folder / "cat.jpg").unlink()
    (folder / "rocket.jpg").write_bytes(mv.samples()["rocket"].read_bytes())
    other = small(tmp_path / "other", images=mv.images(folder))
    (folder / "horse.jpg").unlink()
    assert "no such file" in " ".join(other.run().failures()["reason"])


@pytest.mark.slow
def test_equal_heatmaps_are_measured_once(tmp_path):
    def passes(name, *explainers):
        return small(tmp_path / name, explainers=explainers, images=PHOTOS[:1]).run().image_table()

    one = passes("one", FEW)
    same = passes("same", FEW, FEW.at(seed=1))
    assert same["evaluation_passes"][0] == one["evaluation_passes"][0]
    assert same["forward_passes"][0] == one["forward_passes"][0]
    other = passes("other", FEW, FEW.at(estimator="contrast"))
    assert other["forward_passes"][0] == one["forward_passes"][0]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"seed": 2}, "another plan seed .0, now 2"),
        ({"target": "true"}, "another plan target .predicted, now true"),
        ({"model": "demo-deit"}, "another plan model .demo-vit, now demo-deit"),
        ({"steps": 8}, "another plan steps .4, now 8"),
        ({"images": PHOTOS[:2]}, "another images images .3, now 2"),
        ({"chunk": 2}, "another chunk .1, now 2"),
    ],
)
def test_another_study_is_refused_and_nothing_damaged(done, changes, message):
    before = done.scores()
    with pytest.raises(InputError, match=message) as told:
        small(done.out, **changes).run()
    assert "\n" not in str(told.value)
    pd.testing.assert_frame_equal(done.scores(), before)


def test_a_model_with_other_weights_is_refused(done, demo_vit, monkeypatch):
    monkeypatch.setattr(running, "fingerprint", lambda model: "0" * 64)
    with pytest.raises(InputError, match="another model_sha256"):
        small(done.out).run()


@pytest.mark.slow
def test_a_model_of_ones_own_runs_here_and_nowhere_else(tmp_path, demo_vit, done):
    own = small(tmp_path / "own", model=demo_vit).run()
    pd.testing.assert_frame_equal(own.scores(), done.scores())
    with pytest.raises(InputError, match="runs in this process alone"):
        small(tmp_path / "more", model=demo_vit).run(workers=2)


@pytest.mark.slow
def test_a_folder_in_use_is_refused_and_a_dead_runs_lock_is_taken_over(tmp_path):
    held = "import sys, time\nfrom pathlib import Path\nfrom multiplex_vit.study.store import Store\nwith Store(Path(sys.argv[1])).locked():\n    print('held', flush=True)\n    time.sleep(60)"
    (tmp_path / "out").mkdir()
    other = subprocess.Popen(
        [sys.executable, "-c", held, str(tmp_path / "out")], stdout=subprocess.PIPE, text=True
    )
    assert other.stdout.readline() == "held\n"
    try:
        with pytest.raises(InputError, match=f"is in use by process {other.pid} on "):
            small(tmp_path / "out").run()
        assert not (tmp_path / "out" / "manifest.json").exists()
    finally:
        other.send_signal(signal.SIGKILL)
        other.wait()
        other.stdout.close()
    assert {
        unit.chunk for unit in small(tmp_path / "out", images=PHOTOS[:1]).run().store.done()
    } == {0}


def test_a_folder_of_other_files_is_refused(tmp_path):
    (tmp_path / "thesis.tex").write_text("mine")
    with pytest.raises(InputError, match=r"holds other files, such as thesis.tex"):
        small(tmp_path).run()
    (tmp_path / "manifest.json").write_text("{")
    with pytest.raises(InputError, match="is damaged"):
        small(tmp_path).run()
    with pytest.raises(InputError, match="holds no study"):
        mv.Study.open(tmp_path / "nowhere")


@pytest.mark.slow
def test_a_disk_that_fills_is_one_line_and_the_study_goes_on(tmp_path, done, monkeypatch):
    found = small(tmp_path / "out")
    write, count = store.write_table, []

    def full(path, table):
        count.append(path)
        if len(count) > 12:
            path.write_bytes(b"PAR1 torn")
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        write(path, table)

    monkeypatch.setattr(store, "write_table", full)
    with pytest.raises(
        InputError,
        match=r"cannot write .*chunk-000001.parquet: No space left on device; 1 units are kept, run again to go on",
    ) as told:
        found.run()
    assert "\n" not in str(told.value)
    monkeypatch.undo()
    assert set(found.scores()["number"]) == {0}
    assert not list((tmp_path / "out").glob("*/.*"))
    pd.testing.assert_frame_equal(found.run().scores(), done.scores())


@pytest.mark.slow
def test_what_a_killed_run_left_half_written_is_swept_and_not_read(tmp_path, done):
    found = small(tmp_path / "out").run()
    for group in (0, 1):
        (found.out / "work" / f"group-00{group}-chunk-000001.parquet").unlink()
    (found.out / "scores" / ".group-000-chunk-000001-x.parquet").write_bytes(b"PAR1")
    (found.out / "heatmaps" / "group-000-chunk-000001.parquet").write_bytes(b"torn")
    assert set(found.scores()["number"]) == {0, 2}
    assert set(found.heatmaps()["number"]) == {0, 2}
    pd.testing.assert_frame_equal(found.run().scores(), done.scores())
    assert not list(found.out.glob("*/.*"))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"explainers": "mutx"}, "unknown explainer 'mutx'"),
        ({"explainers": []}, "explainers is empty"),
        ({"explainers": ["mutex", "mutex"]}, "two explainers are called mutex"),
        ({"explainers": 3}, "explainers is 3; give a name, or a list of names"),
        ({"protocols": "patch/pink"}, "unknown baseline 'pink'"),
        ({"protocols": ()}, "at least one"),
        ({"save": ["pictures"]}, "cannot save 'pictures'"),
        ({"target": -1}, "target is -1"),
        ({"chunk": 0}, "chunk is 0"),
    ],
)
def test_bad_choices_are_told_before_anything_runs(tmp_path, changes, message):
    with pytest.raises(InputError, match=message):
        small(tmp_path / "out", **changes)
    assert not (tmp_path / "out").exists()


def test_what_would_fail_for_every_image_is_told_at_once(tmp_path):
    for changes, message in (
        (
            {"explainers": mv.sweep(starting_layer=[0, 6])},
            r"mutex\(starting_layer=6\): starting_layer is 6",
        ),
        ({"target": "lion"}, "label 'lion' is no class"),
        ({"model": "no-such-model"}, "cannot load no-such-model"),
    ):
        with pytest.raises(InputError, match=message):
            small(tmp_path / "out", **changes).run()
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="holds no image"):
        small(tmp_path / "out", images=tmp_path / "empty").run()
    with pytest.raises(InputError, match="workers is 0"):
        small(tmp_path / "out").run(workers=0)
    assert not (tmp_path / "out").exists()


def test_the_true_class_is_explained_where_asked(tmp_path):
    labels = mv.images(PHOTOS[:2], labels={"cat.jpg": "dog", "horse.jpg": None})
    found = small(tmp_path / "out", images=labels, target="true").run()
    assert set(found.scores()["explained"]) == {"dog"}
    assert found.failures()["reason"].tolist() == [
        "the image has no label, and its true class was to be explained"
    ]
    assert found.image_table()["correct"].tolist() == [False]


def test_one_class_is_explained_for_all_images_where_asked(tmp_path, demo_vit):
    found = small(
        tmp_path / "out", images=PHOTOS[:2], target="dog", explainers=["rollout", FEW]
    ).run()
    assert set(found.scores()["explained"]) == {"dog"}
    expected = mv.explain(
        demo_vit, PHOTOS[0], label="dog", operators="sum", statistics=("max", "min")
    )
    heatmaps = found.heatmaps().set_index(["number", "explainer"])["heatmap"]
    np.testing.assert_allclose(heatmaps[0, str(FEW)], expected.heatmap, atol=1e-6)


def test_chosen_measures_of_networks_are_kept(tmp_path, demo_vit):
    chosen = {"network_measures": ["density", "rich_club(fraction=0.2)"], "explainers": "rollout"}
    found = small(tmp_path / "out", images=PHOTOS[:2], **chosen).run()
    layers = found.layers()
    assert layers["number"].tolist() == [0] * 6 + [1] * 6
    expected = mv.multiplex(demo_vit, PHOTOS[1]).layer_table(chosen["network_measures"])
    for name in chosen["network_measures"]:
        assert layers[name].iloc[6:].tolist() == expected[name].tolist()
    assert "modularity" not in layers
    again = mv.Study.open(tmp_path / "out")
    assert again.plan.network_measures == tuple(chosen["network_measures"])
    with pytest.raises(mv.InputError, match="holds a study with another plan save"):
        small(tmp_path / "out", images=PHOTOS[:2], explainers="rollout").run()
    with pytest.raises(mv.InputError, match="unknown layer measure 'dense'"):
        small(tmp_path / "other", network_measures="dense")
    with pytest.raises(mv.InputError, match="holds len, which is not registered"):
        small(tmp_path / "other", network_measures=len)


@pytest.mark.slow
def test_network_tables_are_kept_where_asked(tmp_path):
    found = small(tmp_path / "out", images=PHOTOS[:1], save=("layers", "multilayer")).run()
    layers = found.layers()
    assert len(layers) == 6
    assert {"number", "layer", "modularity", "weighted_reciprocity"} <= set(layers.columns)
    assert len(found.multilayer()) == 1


@pytest.mark.slow
def test_worker_processes_give_the_same_table_and_a_killed_workers_units_run_again(tmp_path, done):
    script = f"""
import multiplex_vit as mv, os, signal, threading, time, psutil
if __name__ == "__main__":
    both = mv.sweep(mv.EXPLAINERS["mutex"].at(operators=("sum",), statistics=("max", "min")), token_ratio=[0.3, 0.5])
    found = mv.Study({str(tmp_path / "out")!r}, {[str(p) for p in PHOTOS]}, explainers=both, steps=4, chunk=1, model="demo-vit", device="cpu")
    def kill():
        while not found.store.done():
            time.sleep(0.01)
        for child in psutil.Process().children(recursive=True)[-1:]:
            child.send_signal(signal.SIGKILL)
        print("killed")
    threading.Thread(target=kill, daemon=True).start()
    found.run(workers=2)
"""
    path = tmp_path / "run.py"
    path.write_text(script)
    finished = subprocess.run(
        [sys.executable, str(path)], capture_output=True, text=True, timeout=120, check=False
    )
    assert finished.returncode == 0, finished.stderr
    pd.testing.assert_frame_equal(
        mv.Study.open(tmp_path / "out").scores(), done.scores(), rtol=1e-4
    )


@pytest.mark.slow
def test_workers_end_with_the_process_that_started_them(tmp_path):
    script = f"import multiplex_vit as mv\nif __name__ == '__main__':\n    mv.Study(images={[str(p) for p in PHOTOS]}, out={str(tmp_path / 'out')!r}, chunk=1, model='demo-vit', explainers=mv.sweep(min_cut=[0.01, 0.1, 0.2])).run(workers=1 + 1)"
    (tmp_path / "run.py").write_text(script)
    driver = subprocess.Popen([sys.executable, str(tmp_path / "run.py")])
    deadline = time.monotonic() + 60
    while (
        not (tmp_path / "out" / "manifest.json").exists()
        or len(children := psutil.Process(driver.pid).children(recursive=True)) < 2
    ):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    time.sleep(1)
    driver.kill()
    driver.wait()
    _gone, alive = psutil.wait_procs(children, timeout=30)
    assert not alive


def test_the_manifest_says_what_was_run(done):
    found = json.loads((done.out / "manifest.json").read_text())
    assert found["versions"]["torch"]
    assert len(found["study"]["model_sha256"]) == 64
    assert found["groups"][0]["explainers"] == [FIRST, SECOND]
    assert found["groups"][1]["explainers"] == ["random_order"]
    assert found["study"]["plan"]["seed"] == 0


@pytest.mark.slow
def test_images_that_lie_elsewhere_are_the_same_study(tmp_path, folder, monkeypatch):
    monkeypatch.chdir(tmp_path)
    first = small("out", images=mv.images("photos"))
    first.run()
    assert mv.Study.open("out").run().store.done() == DONE
    assert small("out", images=folder).run().store.done() == DONE
    (tmp_path / "photos").rename(tmp_path / "moved")
    assert mv.Study.open("out", images="moved").run().store.done() == DONE


@pytest.mark.slow
def test_images_whose_content_changed_are_refused(tmp_path):
    from PIL import Image

    def paint(value):
        for number in range(2):
            Image.new("RGB", (32, 32), (value, number, 0)).save(
                tmp_path / "photos" / f"{number}.bmp"
            )

    (tmp_path / "photos").mkdir()
    paint(10)
    found = small(tmp_path / "out", images=tmp_path / "photos").run()
    before = found.scores()
    paint(200)
    with pytest.raises(InputError, match=r"0.bmp is not the image that .* explained"):
        small(tmp_path / "out", images=tmp_path / "photos").run()
    pd.testing.assert_frame_equal(found.scores(), before)


def test_what_fails_for_every_image_stops_the_run_and_is_not_done(tmp_path, monkeypatch, done):
    found = small(tmp_path / "out", chunk=3)

    def short(*args, **options):
        raise RuntimeError("CUDA error: device lost")

    monkeypatch.setattr(rows, "evaluate_many", short)
    with pytest.raises(
        InputError, match=r"every image of chunk 0 failed \(RuntimeError: CUDA error: device lost\)"
    ):
        found.run()
    monkeypatch.undo()
    assert found.store.done() == set()
    pd.testing.assert_frame_equal(found.run().scores(), done.scores())


@pytest.mark.slow
def test_one_strange_image_is_a_failure_and_may_be_tried_again(tmp_path, monkeypatch, done):
    measure, strange = rows.evaluate_many, [True]

    def once(*args, **options):
        if strange:
            strange.clear()
            raise ZeroDivisionError("odd")
        return measure(*args, **options)

    monkeypatch.setattr(rows, "evaluate_many", once)
    found = small(tmp_path / "out", chunk=3).run()
    assert found.failures()["reason"].tolist() == ["ZeroDivisionError: odd"]
    again = found.run(retry_failed=True)
    assert again.failures().empty
    pd.testing.assert_frame_equal(again.scores(), done.scores())


def test_a_data_set_that_raises_anything_is_a_failure(tmp_path):
    from PIL import Image

    class Rows:
        column_names = ("image",)

        def __len__(self):
            return 2

        def __getitem__(self, place):
            if place:
                raise ValueError("bad decode")
            return {"image": Image.new("RGB", (32, 32), (9, 9, 9))}

    found = small(tmp_path / "out", images=Rows()).run()
    assert found.failures()[["name", "reason"]].values.tolist() == [
        ["000001", "cannot be read (ValueError: bad decode)"]
    ]
    assert set(found.scores()["number"]) == {0}


@pytest.mark.slow
def test_tables_that_are_gone_or_damaged_are_computed_again(tmp_path, done):
    found = small(tmp_path / "out").run()
    (found.out / "scores" / "group-000-chunk-000001.parquet").unlink()
    (found.out / "work" / "unit-x.parquet").write_text("no unit")
    assert {unit for unit in DONE if unit.chunk != 1} | {UnitId(1, 1)} == found.store.done()
    torn = found.out / "scores" / "group-000-chunk-000002.parquet"
    torn.write_bytes(torn.read_bytes()[:100])
    with pytest.raises(InputError, match="group-000-chunk-000002.parquet is damaged"):
        found.scores()
    (found.out / "work" / "unit-x.parquet").unlink()
    pd.testing.assert_frame_equal(found.run().scores(), done.scores())


@pytest.mark.parametrize(
    "change", [lambda m: {"format": m["format"]}, lambda m: {**m, "study": {}}]
)
def test_a_manifest_that_lacks_something_is_damaged(tmp_path, done, change):
    path = small(tmp_path / "out", images=PHOTOS[:1]).run().out / "manifest.json"
    path.write_text(json.dumps(change(json.loads(path.read_text()))))
    with pytest.raises(InputError, match="is damaged or of another version"):
        mv.Study.open(tmp_path / "out")


def test_a_manifest_of_another_version_is_told(tmp_path):
    path = small(tmp_path / "out", images=PHOTOS[:1]).run().out / "manifest.json"
    changed = json.loads(path.read_text().replace('"target"', '"goal"'))
    changed.pop("checksum")
    manifest.write_record(path.parent, changed)
    with pytest.raises(InputError, match="manifest of .* is damaged or of another version .*goal"):
        mv.Study.open(tmp_path / "out")


def test_a_study_of_which_nothing_is_done_gives_way(tmp_path, monkeypatch):
    monkeypatch.setattr(rows, "evaluate_many", lambda *args, **options: 1 / 0)
    with pytest.raises(InputError, match="every image"):
        small(tmp_path / "out", chunk=3).run()
    monkeypatch.undo()
    assert small(tmp_path / "out", steps=2, images=PHOTOS[:1]).run().plan.steps == 2


def test_explainers_with_options_come_back_and_own_functions_can_be_read(tmp_path):
    longer = FEW.at(centralities=("in_strength", "betweenness(length='log')"))
    found = small(tmp_path / "out", images=PHOTOS[:1], explainers=longer).run()
    again = mv.Study.open(tmp_path / "out")
    pd.testing.assert_frame_equal(again.scores(), found.scores())
    assert again.run().units_done() == found.units_done()

    def mine(model, picture, label=None):
        return np.arange(64.0).reshape(8, 8)

    own = small(tmp_path / "own", images=PHOTOS[:1], explainers=[mine]).run()
    opened = mv.Study.open(tmp_path / "own")
    pd.testing.assert_frame_equal(opened.scores(), own.scores())
    with pytest.raises(InputError, match="explainer 'mine' is not registered here"):
        opened.run()


def test_an_explainer_that_fails_is_told_and_the_others_go_on(tmp_path):
    def broken(model, picture, label=None):
        raise RuntimeError("no\nluck")

    def narrow(model, picture, label=None):
        return np.zeros((2, 2))

    found = small(tmp_path / "out", images=PHOTOS[:2], explainers=[broken, narrow, "rollout"]).run()
    failures = found.failures().query("number == 0").set_index("explainer")["reason"]
    assert failures["broken"] == "RuntimeError: no luck"
    assert failures["narrow"].startswith("a heatmap of shape [2, 2], or with NaN")
    assert set(found.scores()["explainer"]) == {"rollout", "random_order"}


def test_a_folder_of_other_files_stays_as_it_is(folder):
    before = sorted(path.name for path in folder.iterdir())
    with pytest.raises(InputError, match="holds other files"):
        small(folder).run()
    assert sorted(path.name for path in folder.iterdir()) == before


@pytest.mark.slow
def test_a_script_without_a_guard_is_told_so(tmp_path):
    script = f"import multiplex_vit as mv\nmv.Study(images={[str(p) for p in PHOTOS]}, out={str(tmp_path / 'out')!r}, chunk=1, steps=2, model='demo-vit', device='cpu').run(workers=2)"
    (tmp_path / "run.py").write_text(script)
    ended = subprocess.run(
        [sys.executable, str(tmp_path / "run.py")],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ended.returncode == 1
    assert ended.stderr.count("multiplex_vit.errors.InputError:") == 1
    assert 'put the call of run under if __name__ == "__main__":' in ended.stderr.splitlines()[-1]


def test_other_versions_are_noted(tmp_path, monkeypatch):
    found = small(tmp_path / "out", images=PHOTOS[:1]).run()
    monkeypatch.setattr(running, "versions", lambda: {**manifest.versions(), "torch": "9.9"})
    with pytest.warns(UserWarning, match=r"begun with other versions: torch .* is 9.9 now"):
        found.run()


@pytest.mark.slow
def test_more_units_take_no_more_looks_at_the_whole_folder(tmp_path, monkeypatch):
    listed = []
    real = os.listdir

    def noted(path):
        if Path(path).name == "work":
            listed.append(path)
        return real(path)

    monkeypatch.setattr(store.os, "listdir", noted)
    counts = []
    for n_images in (1, 3):
        listed.clear()
        small(tmp_path / f"{n_images}", images=PHOTOS[:n_images], explainers="rollout").run()
        counts.append(len(listed))
    assert counts[0] == counts[1]


def test_measures_of_a_network_are_computed_once_an_image(tmp_path, monkeypatch):
    options = {"images": PHOTOS[:1], "save": ("masks", "layers")}
    found = small(tmp_path / "out", explainers=FEW, **options).run()
    before, computed = found.passes().run, []
    monkeypatch.setattr(rows, "multiplex", lambda *args, **options: computed.append(args))
    more = found.extended(explainers=FEW.at(min_cut=0.2)).run()
    assert more.passes().run > before
    assert not computed
    assert len(more.layers()) == 6


@pytest.mark.slow
def test_a_group_begins_where_the_facts_of_its_images_are_known(tmp_path):
    given = []

    def all_at_once_and_backwards(plan, units):
        model = mv.load("demo-vit", device="cpu")
        units = list(units)
        given.append([unit.id for unit in units])
        for unit in reversed(units):
            if unit.id.group > 0:
                labels = [unit.kept[sample.number].label for sample in unit.samples]
                assert None not in labels
            yield unit.id, compute(plan, unit, model)

    study = small(tmp_path / "out").run(runner=all_at_once_and_backwards)
    assert len(study.store.groups()) > 1
    assert [len(units) for units in given] == [len(PHOTOS)] * len(given)
    plain = small(tmp_path / "plain").run()
    pd.testing.assert_frame_equal(
        without_seconds(study.image_table()),
        without_seconds(plain.image_table()),
        check_exact=True,
    )


def test_a_runner_that_keeps_units_back_is_told(tmp_path):
    with pytest.raises(InputError, match="the runner did not give back every unit"):
        small(tmp_path / "out").run(runner=lambda plan, units: iter(list(units)[:0]))
