"""Studies on a Dask cluster, and studies that are killed."""

import os
import re
import subprocess
import sys
import threading
import time
from pathlib import Path

import pandas as pd
import pytest
from small import PHOTOS

import multiplex_vit as mv
from multiplex_vit.errors import InputError
from multiplex_vit.study.layout import UnitId

pytest.importorskip("distributed")
ROOT = Path(mv.__file__).parents[1]
FEW = mv.EXPLAINERS["mutex"].at(operators=("sum",), statistics=("max", "min"))


def small(out, **changes):
    explainers = [*mv.sweep(FEW, token_ratio=[0.3, 0.5]), "raw_attention"]
    options = {"explainers": explainers, "steps": 2, "chunk": 1, "device": "cpu", **changes}
    return mv.Study(**{"images": PHOTOS, "out": out, "model": "demo-vit", **options})


@pytest.mark.slow
def test_a_local_cluster_of_two_processes_gives_the_same_table(tmp_path):
    from distributed import Client, LocalCluster

    here = small(tmp_path / "here").run().scores()
    options = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": ":0"}
    with LocalCluster(**options) as cluster, Client(cluster) as client:
        there = small(tmp_path / "there").run(client=client).scores()
    pd.testing.assert_frame_equal(here, there, rtol=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("lost", ["worker", "scheduler"])
def test_a_lost_worker_costs_its_units_and_a_lost_scheduler_is_one_line(
    tmp_path, lost, monkeypatch
):
    monkeypatch.syspath_prepend(str(ROOT / "analysis"))
    from kill_study import Cluster

    cluster = Cluster(2)
    whole = {UnitId(group, chunk) for group in range(2) for chunk in range(8)}
    try:
        study = small(
            tmp_path / "out",
            images=[*PHOTOS, *copies(tmp_path, 5)],
            explainers=mv.sweep(min_cut=[0.01, 0.05, 0.1]),
        )
        threading.Thread(
            target=kill_once_begun,
            args=(study, cluster.workers[0] if lost == "worker" else cluster.scheduler),
            daemon=True,
        ).start()
        if lost == "worker":
            assert study.run(client=cluster.address).store.done() == whole
        else:
            with pytest.raises(
                InputError,
                match=f"the Dask scheduler at {cluster.address} is gone; what is done is kept, run again to go on",
            ):
                study.run(client=cluster.address)
            assert 1 <= len(study.store.done()) < len(whole)
            assert study.run().store.done() == whole
    finally:
        cluster.close()
    table = study.scores()
    assert not table.duplicated(["number", "explainer", "protocol"]).any()
    assert len(table) == 8 * (3 + 1)


def copies(folder, count):
    """Return files with pictures of their own."""
    from PIL import Image

    paths = [folder / f"{number}.png" for number in range(count)]
    for number, path in enumerate(paths):
        with Image.open(PHOTOS[0]) as picture:
            picture.crop((number, number, 200 + number, 200 + number)).save(path)
    return paths


def kill_once_begun(study, process):
    while not study.store.done():
        time.sleep(0.01)
    process.kill()


def test_no_scheduler_and_something_else_are_one_line(tmp_path, monkeypatch):
    monkeypatch.setattr("multiplex_vit.study.run.dask.PATIENCE", 1)
    for client, message in (
        ("tcp://127.0.0.1:9", "no Dask scheduler answers at tcp://127.0.0.1:9"),
        ({"kind": "local"}, "client is dict; give the address of a Dask scheduler"),
    ):
        with pytest.raises(InputError, match=message) as refused:
            small(tmp_path / "out").run(client=client)
        assert "\n" not in str(refused.value)


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="sends SIGKILL")
def test_a_study_that_is_killed_ends_with_the_undisturbed_table(tmp_path):
    copies(tmp_path, 6)
    options = [
        "--data",
        str(tmp_path),
        "--kills",
        "3",
        "--chunk",
        "1",
        "--steps",
        "2",
        "--runner",
        "local",
        "dask",
        "--seed",
        "3",
    ]
    ended = subprocess.run(
        [sys.executable, str(ROOT / "analysis" / "kill_study.py"), *options],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    for runner in ("local", "dask"):
        assert re.search(
            rf"^{runner}: .* scores 126, .* tables equal to the last bit$",
            ended.stdout,
            re.MULTILINE,
        ), ended.stdout
