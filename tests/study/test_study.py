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

import multiplex_vit as mv
from multiplex_vit.errors import InputError
from multiplex_vit.study import runners, store, study
from multiplex_vit.study.plan import Variant

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
    assert list(table.columns) == ["number", "image", "label", "explained", "probability", "setting", "token_ratio", "variant", "protocol", "measure", "value"]
    for number, path in enumerate(PHOTOS):
        for ratio in (0.3, 0.5):
            ex = mv.explain(demo_vit, path, operators="sum", statistics=("max", "min"), token_ratio=ratio)
            fid = mv.evaluate(demo_vit, path, ex.heatmap, label=ex.label, steps=4)
            rows = table[(table["number"] == number) & (table["token_ratio"] == ratio)].set_index("measure")
            assert rows.loc["insertion", "value"] == pytest.approx(fid.insertion.auc, abs=1e-5)
            assert rows.loc["deletion", "value"] == pytest.approx(fid.deletion.auc, abs=1e-5)
            assert set(rows["explained"]) == {ex.label_name}
            assert set(rows["protocol"]) == {fid.protocol}


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
    other = small(tmp_path / "other", images=mv.images(folder))
    (folder / "horse.jpg").unlink()
    assert "No such file" in " ".join(other.run().failures()["reason"])


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


def test_other_versions_are_noted(tmp_path, monkeypatch):
    found = small(tmp_path / "out", images=PHOTOS[:1]).run()
    monkeypatch.setattr(study, "versions", lambda: {**store.versions(), "torch": "9.9"})
    with pytest.warns(UserWarning, match=r"begun with other versions: torch .* is 9.9 now"):
        found.run()


def test_variants_are_measured_beside_the_full_explanation(tmp_path):
    found = small(tmp_path / "out", images=PHOTOS[:1], vary={}, variants=[Variant(), Variant("only", "statistic", "max")]).run()
    assert found.table()["variant"].unique().tolist() == ["full", "only statistic max", "random order"]
