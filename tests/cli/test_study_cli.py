"""The study commands as a user meets them."""

import os
import shutil
import signal
import subprocess
import sys
import time
from importlib.resources import files

import pandas as pd
import pytest
from children import start
from small import PHOTOS, with_small_model

import multiplex_vit as mv
from multiplex_vit.cli import main
from multiplex_vit.study.config import configured, read_config

FAST = ["--steps", "2", "--chunk", "1", "--device", "cpu"]
CONFIG = """
model = "demo-vit"
images = "{images}"
out = "out"
steps = 2
chunk = 1
protocols = ["token"]

explainers = ["mutex(operators=('sum',), statistics=('max', 'min'))"]

[sweep]
token_ratio = [0.3, 0.5]
"""


def run(capsys, *args):
    code = main(with_small_model(args))
    out, err = capsys.readouterr()
    return code, out, err


@pytest.fixture(scope="session")
def pictures(tmp_path_factory):
    """Return a folder of three small pictures."""
    folder = tmp_path_factory.mktemp("pictures")
    for photo in PHOTOS:
        shutil.copy(photo, folder)
    return str(folder)


@pytest.fixture
def config(tmp_path, pictures):
    def write(text):
        path = tmp_path / "study.toml"
        path.write_text(text.replace("{images}", pictures))
        return path

    return write


@pytest.mark.slow
def test_a_study_its_ablation_and_its_report(tmp_path, capsys, pictures):
    out = tmp_path / "s"
    sweep = ["--sweep", "min_cut=0.01,0.1", "--sweep", "operators=sum+max"]
    code, shown, _ = run(capsys, "study", pictures, "--out", out, *sweep, *FAST)
    assert code == 0
    assert "3 images, 3 explainers" in shown
    assert "mutex, min_cut=0.1" in shown
    assert "random_order" in shown
    code, shown, _ = run(capsys, "ablate", out, "--leave-out", "operator")
    assert code == 0
    assert "without operator max" in shown
    assert "\n0 forward passes were added" not in shown, "curves take passes"
    assert len(pd.read_csv(out / "ablation.csv")) == 2 * 4
    assert (
        mv.Study.open(out).passes().run == mv.Study.open(out).image_table()["forward_passes"].sum()
    )
    code, shown, _ = run(capsys, "report", out)
    assert code == 0
    text = (out / "report" / "report.md").read_text()
    assert "## Leaderboard, patch/black" in text
    assert "## Ablation of mutex, min_cut=0.1" in text
    assert "| without operator max |" in text
    for name in ("passes_patch-black", "more_patch-black", "gallery", "agreement"):
        assert f"({name}.png)" in text
        assert (out / "report" / f"{name}.png").stat().st_size > 1000


@pytest.mark.slow
def test_a_configuration_gives_the_same_study_as_the_options(tmp_path, capsys, config):
    code, _, _ = run(capsys, "study", "--config", config(CONFIG), "--limit", "2")
    assert code == 0
    found = mv.Study.open(tmp_path / "out")
    assert found.scores()["number"].nunique() == 2
    few = mv.EXPLAINERS["mutex"].at(operators="sum", statistics=("max", "min"))
    swept = mv.sweep(few, token_ratio=[0.3, 0.5])
    assert found.explainers == (*swept, mv.EXPLAINERS["random_order"])
    assert found.protocols == ("token",)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("step = 2", "unknown key 'step' (did you mean 'steps'?)"),
        ('limit = "many"', "limit is 'many'; give a whole number"),
        ("limit = true", "limit is True; give a whole number"),
        ("model = 5", "model is 5; give a text"),
        ("[setting]", "unknown key 'setting'"),
        (
            "[sweep]\nmin_cut = 0.1",
            "[sweep]: min_cut is 0.1; expected a list of the values to take",
        ),
        ("[sweep]\nmincut = [0.1]", "has no option 'mincut' (did you mean 'min_cut'?)"),
        ("[sweep]\nmin_cut = [3]", "min_cut is 3; give a number from 0 to 1"),
        ('[sweep]\nstatistics = [["mux"]]', "unknown statistic 'mux'"),
        ('explainers = ["mutx"]', "unknown explainer 'mutx' (did you mean 'mutex'?)"),
        ('preset = "mine"', "unknown preset 'mine'; known: published"),
        ("limit = ", "cannot read"),
    ],
)
def test_a_bad_configuration_is_one_line(tmp_path, capsys, config, line, message):
    code, out, err = run(
        capsys, "study", "--config", config(f'images = "{{images}}"\nout = "out"\n{line}\n')
    )
    assert (code, out) == (2, "")
    assert len(err.splitlines()) == 1
    assert message in err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], "a study needs images"),
        (["{empty}", "--out", "{out}"], "holds no image"),
        (["{samples}"], "a study needs out"),
        (
            ["{samples}", "--out", "{out}", "--labels", "{labels}"],
            "the labels do not match the images: 2 images without a label, such as 'horse.jpg'",
        ),
        (
            ["{samples}", "--out", "{out}", "--sweep", "min_cut"],
            "--sweep is 'min_cut'; give name=value,value",
        ),
        (["{samples}", "--out", "{out}", "--sweep", "cut=1"], "has no option 'cut'"),
        (
            ["{samples}", "--out", "{out}", "--sweep", "min_cut=0.1", "--sweep", "min_cut=0.2"],
            "--sweep gives min_cut twice",
        ),
        (["{samples}", "--out", "{out}", "--preset", "published"], "the index asks for image"),
        (["{samples}", "--out", "{out}", "--workers", "0"], "workers is 0"),
        (["{samples}", "--out", "{file}"], "cannot write into"),
    ],
)
def test_bad_options_are_one_line(tmp_path, capsys, options, message, pictures):
    (tmp_path / "empty").mkdir()
    (tmp_path / "labels.csv").write_text("file,label\ncat.jpg,cat\n")
    places = {"{empty}": "empty", "{out}": "out", "{labels}": "labels.csv", "{file}": "labels.csv"}
    given = [
        pictures if each == "{samples}" else tmp_path / places[each] if each in places else each
        for each in options
    ]
    code, _, err = run(capsys, "study", *given)
    assert code == 2
    assert len(err.splitlines()) == 1
    assert message in err
    assert not (tmp_path / "out").exists()


def test_the_published_preset_is_the_published_protocol(tmp_path):
    numbers = (files("multiplex_vit.study.sources") / "imagenet_5000.txt").read_text().split()
    assert len(set(numbers)) == 5000
    for number in numbers:
        (tmp_path / f"ILSVRC2012_val_{int(number) + 1:08d}.JPEG").touch()
    found = configured(
        {"preset": "published", "images": str(tmp_path), "out": str(tmp_path / "out")}
    ).study
    assert found.plan.model == "google/vit-base-patch16-224"
    assert found.explainers == (mv.EXPLAINERS["mutex"], mv.EXPLAINERS["random_order"])
    assert found.protocols[0] == "mutex2025/black"
    assert len(found.images) == 5000
    assert found.images.name(0) == "ILSVRC2012_val_00017740.JPEG"


def test_paths_of_a_configuration_are_relative_to_it(tmp_path):
    (tmp_path / "study.toml").write_text('images = "photos"\nout = "out"\nindex = "published"\n')
    assert read_config(tmp_path / "study.toml") == {
        "images": str(tmp_path / "photos"),
        "out": str(tmp_path / "out"),
        "index": "published",
    }


def test_bad_images_are_told_and_counted(tmp_path, capsys):
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "bad.jpg").write_text("no image")
    code, out, _ = run(capsys, "study", tmp_path / "photos", "--out", tmp_path / "s", *FAST)
    assert code == 2
    assert "bad.jpg: the image is not an image of a known format" in out
    (tmp_path / "photos" / "cat.jpg").write_bytes(mv.samples()["cat"].read_bytes())
    code, out, _ = run(capsys, "study", tmp_path / "photos", "--out", tmp_path / "t", *FAST)
    assert code == 1
    assert "1 images, 2 explainers" in out


def test_ablate_and_report_tell_what_is_no_study(tmp_path, capsys):
    for command in ("ablate", "report"):
        code, _, err = run(capsys, command, tmp_path)
        assert code == 2
        assert "holds no study" in err
        assert len(err.splitlines()) == 1


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="sends SIGINT")
def test_ctrl_c_leaves_a_study_that_goes_on(tmp_path, pictures):
    command = [
        sys.executable,
        "-m",
        "multiplex_vit",
        "study",
        pictures,
        "--out",
        str(tmp_path / "s"),
        "--model",
        "demo-vit",
        "--chunk",
        "1",
        "--workers",
        "2",
        "--sweep",
        "min_cut=0.01,0.02,0.1",
    ]
    started = start(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True)
    deadline = time.monotonic() + 90
    while not list(tmp_path.glob("s/images/chunk-*.parquet")):
        assert time.monotonic() < deadline
        assert started.poll() is None, started.communicate()
        time.sleep(0.02)
    os.killpg(started.pid, signal.SIGINT)
    _, err = started.communicate(timeout=60)
    assert started.returncode == 130, err
    assert "Traceback" not in err
    assert "units are kept, run the same command to go on" in err
    assert subprocess.run(
        command, capture_output=True, text=True, timeout=120, check=True
    ).stdout.startswith("3 images, 4 explainers")
