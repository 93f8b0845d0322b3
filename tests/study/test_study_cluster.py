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

import multiplex_vit as mv
from multiplex_vit.errors import InputError
from multiplex_vit.study import cluster as cluster_room

pytest.importorskip("distributed")
ROOT = Path(mv.__file__).parents[1]
PHOTOS = list(mv.samples().values())
FEW = mv.Settings(operators=("sum",), statistics=("max", "min"))


def small(out, **changes):
    return mv.Study(**{"images": PHOTOS, "out": out, "settings": FEW, "vary": {"token_ratio": [0.3, 0.5]}, "steps": 2, "chunk": 1, "device": "cpu", **changes})


@pytest.mark.slow
def test_a_local_cluster_of_two_processes_gives_the_same_table(tmp_path):
    here = small(tmp_path / "here").run().table()
    there = small(tmp_path / "there").run(scheduler={"kind": "local", "workers": 2}).table()
    pd.testing.assert_frame_equal(here, there, rtol=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("lost", ["worker", "scheduler"])
def test_a_lost_worker_costs_its_units_and_a_lost_scheduler_is_one_line(tmp_path, lost, monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "analysis"))
    from kill_study import Cluster

    cluster = Cluster(2)
    try:
        study = small(tmp_path / "out", images=[*PHOTOS, *copies(tmp_path, 5)], vary={"min_cut": [0.01, 0.05, 0.1]}, settings=mv.Settings())
        threading.Thread(target=kill_once_begun, args=(study, cluster.workers[0] if lost == "worker" else cluster.scheduler), daemon=True).start()
        if lost == "worker":
            assert study.run(scheduler=cluster.address).store.done() == set(range(8))
        else:
            with pytest.raises(InputError, match=f"the Dask scheduler at {cluster.address} is gone; what is done is kept, run again to go on"):
                study.run(scheduler=cluster.address)
            assert 1 <= len(study.store.done()) < 8
            assert study.run().store.done() == set(range(8))
    finally:
        cluster.close()
    table = study.table()
    assert not table.duplicated(["number", "setting", "variant", "protocol", "measure"]).any()
    assert len(table) == 8 * (3 + 1) * 3


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


def test_no_scheduler_and_wrong_options_are_one_line(tmp_path, monkeypatch):
    monkeypatch.setattr(cluster_room, "PATIENCE", 1)
    for scheduler, message in (
        ("tcp://127.0.0.1:9", "no Dask scheduler answers at tcp://127.0.0.1:9"),
        ({"kind": "slurm", "corse": 1}, "the slurm cluster cannot be started: .*; mend its options"),
        ({"kind": "local", "foo": 1}, "the local cluster cannot be started: it takes no 'foo'; mend its options"),
        ({"kind": "abacus"}, "unknown kind of cluster 'abacus'"),
    ):
        with pytest.raises(InputError, match=message) as told:
            small(tmp_path / "out").run(scheduler=scheduler)
        assert "\n" not in str(told.value)


def test_a_slurm_job_is_asked_for_as_the_file_says():
    from dask_jobqueue import SLURMCluster

    with SLURMCluster(cores=4, memory="8GB", queue="gpu", walltime="01:00:00", job_extra_directives=["--gres=gpu:1"]) as cluster:
        script = cluster.job_script()
    assert "#SBATCH -p gpu" in script
    assert "#SBATCH --gres=gpu:1" in script


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="sends SIGKILL")
def test_a_study_that_is_killed_ends_with_the_undisturbed_table(tmp_path):
    copies(tmp_path, 6)
    options = ["--data", str(tmp_path), "--kills", "3", "--chunk", "1", "--steps", "2", "--runner", "local", "dask", "--seed", "3"]
    ended = subprocess.run([sys.executable, str(ROOT / "analysis" / "kill_study.py"), *options], capture_output=True, text=True, check=False, timeout=300)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    for runner in ("local", "dask"):
        assert re.search(rf"^{runner}: 3 kills .* 180 rows; the tables are equal$", ended.stdout, re.MULTILINE), ended.stdout
