"""Studies: what they compute, what they keep, and how they go on after anything."""

import errno
import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from scipy import stats

import multiplex_vit as mv
from multiplex_vit.errors import InputError
from multiplex_vit.study import runners, store, study, work
from multiplex_vit.study.plan import Variant
from multiplex_vit.study.summary import summarise

FEW = mv.Settings(operators=("sum",), statistics=("max", "min"))
PHOTOS = list(mv.samples().values())


def small(out, **changes):
    options = {"settings": FEW, "vary": {"token_ratio": [0.3, 0.5]}, "steps": 4, "chunk": 1, "device": "cpu", **changes}
    return mv.Study(**{"images": PHOTOS, "out": out, **options})


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
    table = done.table()
    assert len(table) == 3 * (2 + 1) * 3
    assert list(table.columns) == [
        "number",
        "image",
        "label",
        "explained",
        "probability",
        "score",
        "setting",
        "token_ratio",
        "variant",
        "protocol",
        "measure",
        "value",
    ]
    for number, path in enumerate(PHOTOS):
        for ratio in (0.3, 0.5):
            ex = mv.explain(demo_vit, path, operators="sum", statistics=("max", "min"), token_ratio=ratio)
            fid = mv.evaluate(demo_vit, path, ex.heatmap, label=ex.label, steps=4)
            rows = table[(table["number"] == number) & (table["token_ratio"] == ratio)].set_index("measure")
            assert rows.loc["insertion", "value"] == pytest.approx(fid.insertion.auc, abs=1e-5)
            assert rows.loc["deletion", "value"] == pytest.approx(fid.deletion.auc, abs=1e-5)
            assert set(rows["explained"]) == {ex.label_name}
            assert set(rows["protocol"]) == {"patch/black"}, "as a comparison says it"
            assert fid.protocol == "patch/black, 4 steps"


def test_a_random_order_is_measured_with_every_image(done):
    control = done.table().query("setting == 'random order'")
    assert sorted(control["number"].unique()) == [0, 1, 2]
    assert control["token_ratio"].isna().all()


def test_images_have_their_hash_and_their_passes(done, demo_vit):
    facts = done.image_table().set_index("number")
    several = mv.explain_many(demo_vit, PHOTOS[0], [settings for _, settings in done.plan.settings])
    assert facts.loc[0, "forward_passes"] == len({row.tobytes() for ex in several for row in ex.masks.kept}) + 1
    assert facts.loc[0, "naive_passes"] == 2 * 5
    assert facts.loc[0, "sha256"] == mv.images(PHOTOS).sample(0).sha256
    assert done.all_passes().run == (facts["forward_passes"] + facts["evaluation_passes"]).sum() < done.all_passes().naive


def test_a_summary_pairs_settings_with_the_random_order_and_with_the_first(done):
    summary = summarise(done).set_index("setting")
    values = done.table().query("measure == 'difference'").pivot(index="number", columns="setting", values="value")
    first, second = "token_ratio=0.3", "token_ratio=0.5"
    assert summary.loc[second, "change"] == pytest.approx((values[second] - values[first]).mean())
    assert summary.loc[first, "more"] == pytest.approx((values[first] - values["random order"]).mean())
    assert np.isnan(summary.loc[first, "change"])
    heat = done.heatmaps().pivot(index="number", columns="setting", values="heatmap")
    ranks = [stats.spearmanr(row[first], row[second]).statistic for _, row in heat.iterrows()]
    assert summary.loc[second, "agreement"] == pytest.approx(np.mean(ranks))
    assert min(ranks) <= summary.loc[second, "agreement_low"] <= np.mean(ranks) <= summary.loc[second, "agreement_high"] <= max(ranks)
    assert summary.loc[first, "agreement"] == 1


def test_open_gives_the_same_tables_and_settings(done):
    again = mv.Study.open(done.out)
    pd.testing.assert_frame_equal(again.table(), done.table())
    assert again.plan == done.plan
    assert repr(again) == repr(done)
    assert again.run().store.done() == {0, 1, 2}


def test_every_table_is_one_parquet_data_set(done):
    assert pq.read_table(done.out / "rows").num_rows == len(done.table())
    assert {path.name for path in done.out.iterdir() if not path.name.startswith(".")} == {"manifest.json", "rows", "images", "failures", "heatmaps", "masks"}


def test_masks_that_were_kept_give_the_heatmaps_again(done):
    from multiplex_vit.study.kept import explanations

    heatmaps = done.heatmaps().set_index(["number", "setting"])["heatmap"]
    for number, (_, explained) in explanations(done).items():
        for (name, _), ex in zip(done.plan.settings, explained.explanations, strict=True):
            np.testing.assert_array_equal(ex.heatmap.ravel(), heatmaps[number, name])


def test_units_done_are_not_computed_again(tmp_path, monkeypatch):
    whole = small(tmp_path / "a").run()
    part = small(tmp_path / "b")
    write = store.Store.write
    monkeypatch.setattr(store.Store, "write", lambda self, unit, tables: write(self, unit, tables) if unit < 1 else (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        part.run()
    monkeypatch.undo()
    assert part.store.done() == {0}
    assert set(part.table()["number"]) == {0}
    computed = []
    compute = runners.compute
    monkeypatch.setattr(runners, "compute", lambda plan, unit, model: computed.append(unit.number) or compute(plan, unit, model))
    part.run()
    assert computed == [1, 2]
    pd.testing.assert_frame_equal(part.table(), whole.table())


def test_bad_images_are_failures_and_the_others_go_on(tmp_path, folder):
    found = small(tmp_path / "out", images=folder, chunk=2).run()
    assert found.failures()[["number", "name"]].values.tolist() == [[1, "damaged.jpg"]]
    assert "is not an image of a known format" in found.failures()["reason"][0]
    assert set(found.table()["image"]) == {"cat.jpg", "horse.jpg"}
    (folder / "cat.jpg").unlink()
    (folder / "rocket.jpg").write_bytes(mv.samples()["rocket"].read_bytes())
    other = small(tmp_path / "other", images=mv.images(folder))
    (folder / "horse.jpg").unlink()
    assert "no such file" in " ".join(other.run().failures()["reason"])


def test_equal_heatmaps_are_measured_once(tmp_path):
    vary = {"estimator": ["coverage", "contrast"]}
    one = small(tmp_path / "one", vary={}, images=PHOTOS[:1]).run().image_table()
    same = small(
        tmp_path / "same", settings={"a": FEW, "b": mv.Settings(operators=("sum",), statistics=("max", "min"), seed=1)}, vary={}, images=PHOTOS[:1]
    ).run()
    assert same.image_table()["evaluation_passes"][0] == one["evaluation_passes"][0]
    assert same.image_table()["forward_passes"][0] == one["forward_passes"][0]
    other = small(tmp_path / "other", vary=vary, images=PHOTOS[:1]).run().image_table()
    assert other["forward_passes"][0] == one["forward_passes"][0]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"vary": {"token_ratio": [0.3, 0.7]}}, "another plan settings .*token_ratio=0.3; token_ratio=0.5, now token_ratio=0.3; token_ratio=0.7"),
        ({"settings": mv.Settings(operators=("sum",), statistics=("max", "min"), min_cut=0.5)}, "another plan settings token_ratio=0.3 min_cut .0.01, now 0.5"),
        ({"model": "demo-deit"}, "another plan model .demo-vit, now demo-deit"),
        ({"steps": 8}, "another plan steps .4, now 8"),
        ({"images": PHOTOS[:2]}, "another images images .3, now 2"),
        ({"chunk": 2}, "another chunk .1, now 2"),
    ],
)
def test_another_study_is_refused_and_nothing_damaged(done, changes, message):
    before = done.table()
    with pytest.raises(InputError, match=message) as told:
        small(done.out, **changes).run()
    assert "\n" not in str(told.value)
    pd.testing.assert_frame_equal(done.table(), before)


def test_a_model_with_other_weights_is_refused(done, demo_vit, monkeypatch):
    monkeypatch.setattr(study, "fingerprint", lambda model: "0" * 64)
    with pytest.raises(InputError, match="another model_sha256"):
        small(done.out).run()


def test_a_model_of_ones_own_runs_here_and_nowhere_else(tmp_path, demo_vit, done):
    own = small(tmp_path / "own", model=demo_vit).run()
    pd.testing.assert_frame_equal(own.table(), done.table())
    with pytest.raises(InputError, match="runs in this process alone"):
        small(tmp_path / "more", model=demo_vit).run(workers=2)


def test_a_folder_in_use_is_refused_and_a_dead_runs_lock_is_taken_over(tmp_path):
    held = "import sys, time\nfrom pathlib import Path\nfrom multiplex_vit.study.store import Store\nwith Store(Path(sys.argv[1])).locked():\n    print('held', flush=True)\n    time.sleep(60)"
    (tmp_path / "out").mkdir()
    other = subprocess.Popen([sys.executable, "-c", held, str(tmp_path / "out")], stdout=subprocess.PIPE, text=True)
    assert other.stdout.readline() == "held\n"
    try:
        with pytest.raises(InputError, match=f"is in use by process {other.pid} on "):
            small(tmp_path / "out").run()
        assert not (tmp_path / "out" / "manifest.json").exists()
    finally:
        other.send_signal(signal.SIGKILL)
        other.wait()
        other.stdout.close()
    assert small(tmp_path / "out", images=PHOTOS[:1]).run().store.done() == {0}


def test_a_folder_of_other_files_is_refused(tmp_path):
    (tmp_path / "thesis.tex").write_text("mine")
    with pytest.raises(InputError, match=r"holds other files, such as thesis.tex"):
        small(tmp_path).run()
    (tmp_path / "manifest.json").write_text("{")
    with pytest.raises(InputError, match="is damaged"):
        small(tmp_path).run()
    with pytest.raises(InputError, match="holds no study"):
        mv.Study.open(tmp_path / "nowhere")


def test_a_disk_that_fills_is_one_line_and_the_study_goes_on(tmp_path, done, monkeypatch):
    found = small(tmp_path / "out")
    write, count = store._write, []

    def full(path, table):
        count.append(path)
        if len(count) > 7:
            path.write_bytes(b"PAR1 torn")
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        write(path, table)

    monkeypatch.setattr(store, "_write", full)
    with pytest.raises(InputError, match=r"cannot write .*unit-000001.parquet: No space left on device; 1 units are kept, run again to go on") as told:
        found.run()
    assert "\n" not in str(told.value)
    monkeypatch.undo()
    assert set(found.table()["number"]) == {0}
    assert not list((tmp_path / "out").glob("*/.*"))
    pd.testing.assert_frame_equal(found.run().table(), done.table())


def test_what_a_killed_run_left_half_written_is_swept_and_not_read(tmp_path, done):
    found = small(tmp_path / "out").run()
    (found.out / "images" / "unit-000001.parquet").unlink()
    (found.out / "rows" / ".unit-000001-x.parquet").write_bytes(b"PAR1")
    (found.out / "heatmaps" / "unit-000001.parquet").write_bytes(b"torn")
    assert set(found.table()["number"]) == {0, 2}
    assert set(found.heatmaps()["number"]) == {0, 2}
    pd.testing.assert_frame_equal(found.run().table(), done.table())
    assert not list(found.out.glob("*/.*"))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"vary": {"min_cuts": [1]}}, "unknown setting 'min_cuts' in vary; known: min_cut"),
        ({"vary": {"min_cut": []}}, "without values"),
        ({"vary": {"min_cut": [0.1, 0.1]}}, "same settings twice"),
        ({"protocols": "patch/pink"}, "unknown baseline 'pink'"),
        ({"protocols": ()}, "at least one"),
        ({"save": ["pictures"]}, "cannot save 'pictures'"),
        ({"explained": "best"}, "give 'predicted' or 'true'"),
        ({"chunk": 0}, "chunk is 0"),
        ({"settings": {"a": FEW}, "vary": {"min_cut": [0.1]}}, "give one of them"),
        ({"settings": {"random order": FEW}, "vary": {}}, "a setting is named 'random order', as the control is"),
    ],
)
def test_bad_choices_are_told_before_anything_runs(tmp_path, changes, message):
    with pytest.raises(InputError, match=message):
        small(tmp_path / "out", **changes)
    assert not (tmp_path / "out").exists()


def test_what_would_fail_for_every_image_is_told_at_once(tmp_path):
    for changes, message in (
        ({"vary": {"starting_layer": [0, 6]}}, "starting_layer=6: starting_layer is 6"),
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
    found = small(tmp_path / "out", images=labels, explained="true").run()
    assert set(found.table()["explained"]) == {"dog"}
    assert found.failures()["reason"].tolist() == ["the image has no label, and its true class was to be explained"]
    assert found.image_table()["correct"].tolist() == [False]


def test_network_tables_are_kept_where_asked(tmp_path):
    found = small(tmp_path / "out", images=PHOTOS[:1], save=("layers", "multilayer")).run()
    layers = found.store.read("layers")
    assert len(layers) == 6
    assert {"number", "layer", "modularity", "weighted_reciprocity"} <= set(layers.columns)
    assert len(found.store.read("multilayer")) == 1


@pytest.mark.slow
def test_worker_processes_give_the_same_table_and_a_killed_workers_units_run_again(tmp_path, done):
    script = f"""
import multiplex_vit as mv, os, signal, threading, time, psutil
if __name__ == "__main__":
    FEW = mv.Settings(operators=("sum",), statistics=("max", "min"))
    found = mv.Study(images={[str(p) for p in PHOTOS]}, out={str(tmp_path / "out")!r}, settings=FEW, vary={{"token_ratio": [0.3, 0.5]}}, steps=4, chunk=1, device="cpu")
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
    finished = subprocess.run([sys.executable, str(path)], capture_output=True, text=True, timeout=120, check=False)
    assert finished.returncode == 0, finished.stderr
    pd.testing.assert_frame_equal(mv.Study.open(tmp_path / "out").table(), done.table(), rtol=1e-4)


@pytest.mark.slow
def test_workers_end_with_the_process_that_started_them(tmp_path):
    script = f"import multiplex_vit as mv\nif __name__ == '__main__':\n    mv.Study(images={[str(p) for p in PHOTOS]}, out={str(tmp_path / 'out')!r}, chunk=1, vary={{'min_cut': [0.01, 0.1, 0.2]}}).run(workers=1 + 1)"
    (tmp_path / "run.py").write_text(script)
    driver = subprocess.Popen([sys.executable, str(tmp_path / "run.py")])
    psutil = pytest.importorskip("psutil")
    deadline = time.monotonic() + 60
    while not (tmp_path / "out" / "manifest.json").exists() or len(children := psutil.Process(driver.pid).children(recursive=True)) < 2:
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
    assert found["study"]["plan"]["settings"]["token_ratio=0.3"]["statistics"] == ["max", "min"]
    assert found["study"]["plan"]["seed"] == 0


def test_images_that_lie_elsewhere_are_the_same_study(tmp_path, folder, monkeypatch):
    monkeypatch.chdir(tmp_path)
    first = small("out", images=mv.images("photos"))
    first.run()
    assert mv.Study.open("out").run().store.done() == {0, 1, 2}
    assert small("out", images=folder).run().store.done() == {0, 1, 2}
    (tmp_path / "photos").rename(tmp_path / "moved")
    assert mv.Study.open("out", images="moved").run().store.done() == {0, 1, 2}


def test_images_whose_content_changed_are_refused(tmp_path):
    from PIL import Image

    def paint(value):
        for number in range(2):
            Image.new("RGB", (32, 32), (value, number, 0)).save(tmp_path / "photos" / f"{number}.bmp")

    (tmp_path / "photos").mkdir()
    paint(10)
    found = small(tmp_path / "out", images=tmp_path / "photos").run()
    before = found.table()
    paint(200)
    with pytest.raises(InputError, match=r"0.bmp is not the image that .* explained"):
        small(tmp_path / "out", images=tmp_path / "photos").run()
    pd.testing.assert_frame_equal(found.table(), before)


def test_what_fails_for_every_image_stops_the_run_and_is_not_done(tmp_path, monkeypatch, done):
    found = small(tmp_path / "out", chunk=3)

    def short(*args, **options):
        raise RuntimeError("CUDA error: device lost")

    monkeypatch.setattr(work, "evaluate_many", short)
    with pytest.raises(InputError, match=r"every image of unit 0 failed \(RuntimeError: CUDA error: device lost\)"):
        found.run()
    monkeypatch.undo()
    assert found.store.done() == set()
    pd.testing.assert_frame_equal(found.run().table(), done.table())


def test_one_strange_image_is_a_failure_and_may_be_tried_again(tmp_path, monkeypatch, done):
    measure, strange = work.evaluate_many, [True]

    def once(*args, **options):
        if strange:
            strange.clear()
            raise ZeroDivisionError("odd")
        return measure(*args, **options)

    monkeypatch.setattr(work, "evaluate_many", once)
    found = small(tmp_path / "out", chunk=3).run()
    assert found.failures()["reason"].tolist() == ["ZeroDivisionError: odd"]
    assert set(found.run().table()["number"]) == {1, 2}
    again = found.run(retry_failed=True)
    assert again.failures().empty
    pd.testing.assert_frame_equal(again.table(), done.table())


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
    assert found.failures()[["name", "reason"]].values.tolist() == [["000001", "cannot be read (ValueError: bad decode)"]]
    assert set(found.table()["number"]) == {0}


def test_tables_that_are_gone_or_damaged_are_computed_again(tmp_path, done):
    found = small(tmp_path / "out").run()
    (found.out / "rows" / "unit-000001.parquet").unlink()
    (found.out / "images" / "unit-x.parquet").write_text("no unit")
    assert found.store.done() == {0, 2}
    torn = found.out / "rows" / "unit-000002.parquet"
    torn.write_bytes(torn.read_bytes()[:100])
    with pytest.raises(InputError, match="unit-000002.parquet is damaged"):
        found.table()
    (found.out / "images" / "unit-x.parquet").unlink()
    pd.testing.assert_frame_equal(found.run().table(), done.table())


@pytest.mark.parametrize("change", [lambda m: {"format": m["format"]}, lambda m: {**m, "study": {}}])
def test_a_manifest_that_lacks_something_is_damaged(tmp_path, done, change):
    path = small(tmp_path / "out", images=PHOTOS[:1]).run().out / "manifest.json"
    path.write_text(json.dumps(change(json.loads(path.read_text()))))
    with pytest.raises(InputError, match="is damaged or of another version"):
        mv.Study.open(tmp_path / "out")


def test_a_manifest_of_settings_of_another_version_is_told(tmp_path):
    path = small(tmp_path / "out", images=PHOTOS[:1]).run().out / "manifest.json"
    changed = json.loads(path.read_text().replace('"min_cut"', '"least_cut"'))
    changed.pop("checksum")
    store.write_manifest(path.parent, changed)
    with pytest.raises(InputError, match="manifest of .* is damaged or of another version .*least_cut"):
        mv.Study.open(tmp_path / "out")


def test_a_study_of_which_nothing_is_done_gives_way(tmp_path, monkeypatch):
    monkeypatch.setattr(work, "evaluate_many", lambda *args, **options: 1 / 0)
    with pytest.raises(InputError, match="every image"):
        small(tmp_path / "out", chunk=3).run()
    monkeypatch.undo()
    assert small(tmp_path / "out", steps=2, images=PHOTOS[:1]).run().plan.steps == 2


def test_settings_with_options_come_back_and_own_functions_can_be_read(tmp_path):
    from functools import partial

    longer = partial(mv.CENTRALITIES["betweenness"], length="log")
    settings = mv.Settings(operators=("mean",), centralities=("in_strength", longer), statistics=("max",))
    found = small(tmp_path / "out", images=PHOTOS[:1], settings=settings).run()
    again = mv.Study.open(tmp_path / "out")
    pd.testing.assert_frame_equal(again.table(), found.table())
    assert again.run().store.done() == {0}
    assert mv.ablate(again, leave_out="centrality").table["variant"].nunique() == 4

    def mine(weights):
        return weights.sum(0)

    own = small(tmp_path / "own", images=PHOTOS[:1], settings=mv.Settings(operators=("sum",), centralities=(mine,), statistics=("max",))).run()
    opened = mv.Study.open(tmp_path / "own")
    pd.testing.assert_frame_equal(opened.table(), own.table())
    with pytest.raises(InputError, match="unknown centrality 'mine'"):
        opened.run()


def test_a_folder_of_other_files_stays_as_it_is(folder):
    before = sorted(path.name for path in folder.iterdir())
    with pytest.raises(InputError, match="holds other files"):
        small(folder).run()
    assert sorted(path.name for path in folder.iterdir()) == before


@pytest.mark.slow
def test_a_script_without_a_guard_is_told_so(tmp_path):
    script = (
        f"import multiplex_vit as mv\nmv.Study(images={[str(p) for p in PHOTOS]}, out={str(tmp_path / 'out')!r}, chunk=1, steps=2, device='cpu').run(workers=2)"
    )
    (tmp_path / "run.py").write_text(script)
    ended = subprocess.run([sys.executable, str(tmp_path / "run.py")], capture_output=True, text=True, timeout=120, check=False)
    assert ended.returncode == 1
    assert ended.stderr.count("multiplex_vit.errors.InputError:") == 1
    assert 'put the call of run under if __name__ == "__main__":' in ended.stderr.splitlines()[-1]


def test_other_versions_are_noted(tmp_path, monkeypatch):
    found = small(tmp_path / "out", images=PHOTOS[:1]).run()
    monkeypatch.setattr(study, "versions", lambda: {**store.versions(), "torch": "9.9"})
    with pytest.warns(UserWarning, match=r"begun with other versions: torch .* is 9.9 now"):
        found.run()


def test_variants_are_measured_beside_the_full_explanation(tmp_path):
    found = small(tmp_path / "out", images=PHOTOS[:1], vary={}, variants=[Variant(), Variant("only", "statistic", "max")]).run()
    assert found.table()["variant"].unique().tolist() == ["full", "only statistic max", "random order"]
