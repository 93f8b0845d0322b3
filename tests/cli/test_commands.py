"""Commands x outputs x obstacles: one line, exit code 2, nothing left, nothing read is written, whatever stands in the way."""

import errno
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from children import start
from finished import finish_study
from PIL import Image
from small import with_small_model

import multiplex_vit as mv
from multiplex_vit.cli import explain as explain_file
from multiplex_vit.cli import main
from multiplex_vit.study import running
from multiplex_vit.tabular import read_table

FAST = [
    "--statistics",
    "max",
    "--operators",
    "sum",
    "--steps",
    "2",
    "--device",
    "cpu",
    "--model",
    "demo-vit",
]
MODEL_FILES = ["config.json", "preprocessor_config.json", "model.safetensors"]


@dataclass(frozen=True)
class Case:
    """A command that writes: how it is called, the files that it writes, the folders that these lie in."""

    args: list[str]
    files: list[str]
    folders: list[str]


NETWORK_TABLES = [
    "tables/nodes.csv",
    "tables/layers.csv",
    "tables/layer_pairs.csv",
    "tables/multilayer.csv",
]
COMPARED = ["out/manifest.json", "out/report/report.md"]
CASES = {
    "explain": Case(
        ["explain", "cat.png", *FAST, "--out", "out"],
        [
            "out/cat_overlay.png",
            "out/cat_summary.png",
            "out/cat_summary.pdf",
            "out/cat.npz",
            "out/explanations.csv",
        ],
        ["out"],
    ),
    "evaluate": Case(["evaluate", "cat.png", *FAST, "--out", "out/e.csv"], ["out/e.csv"], ["out"]),
    "network": Case(
        [
            "network",
            "cat.png",
            "--min-cut",
            "0.5",
            "--device",
            "cpu",
            "--out",
            "out/n.graphml",
            "--tables",
            "tables",
        ],
        ["out/n.graphml", *NETWORK_TABLES],
        ["out", "tables"],
    ),
    "compare": Case(
        [
            "compare",
            "cat.png",
            "--explainers",
            "raw_attention",
            "--protocol",
            "token",
            "--steps",
            "2",
            "--device",
            "cpu",
            "--out",
            "out",
        ],
        COMPARED,
        ["out"],
    ),
    "study": Case(
        ["study", "pictures", "--steps", "2", "--device", "cpu", "--out", "out"],
        ["out/manifest.json"],
        ["out"],
    ),
    "ablate": Case(
        ["ablate", "study"],
        ["study/ablation.csv"],
        [],
    ),
    "report": Case(
        ["report", "study", "--out", "out"], ["out/report.md", "out/summary.csv"], ["out"]
    ),
}
FILES = [(command, file) for command, case in CASES.items() for file in case.files]
FOLDERS = [(command, folder) for command, case in CASES.items() for folder in case.folders]


def write_pictures(folder):
    values = np.random.default_rng(0).integers(0, 255, (2, 20, 24, 3), dtype=np.uint8)
    for name, picture in zip(("cat", "dog"), values, strict=True):
        Image.fromarray(picture).save(folder / f"{name}.png")


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """Return the folder of a finished study and its pictures."""
    folder = tmp_path_factory.mktemp("finished")
    (folder / "pictures").mkdir()
    write_pictures(folder / "pictures")
    finish_study(folder)
    return folder


@pytest.fixture
def here(tmp_path, monkeypatch, finished):
    """Change into a folder with images, a model and a study."""
    folder = tmp_path / "here"
    shutil.copytree(finished, folder)
    write_pictures(folder)
    bundled = Path(running.__file__).parents[1] / "models" / "bundled" / "demo-vit"
    (folder / "model").mkdir()
    for name in MODEL_FILES:
        shutil.copy(bundled / name, folder / "model")
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def unloaded(monkeypatch):
    """Let a command fail that loads a model."""

    def load(*_, **__):
        raise AssertionError("a model was loaded before what is written was checked")

    monkeypatch.setattr(mv, "load", load)
    monkeypatch.setattr(running, "load", load)


def tree(folder):
    """Return everything below a folder: the content of files, where links lead, None for folders."""
    found = {}
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        found[name] = (
            os.readlink(path)
            if path.is_symlink()
            else path.read_bytes()
            if path.is_file()
            else None
        )
    return found


def refused(args, folder, capsys):
    """Run a command that must be refused, and leave everything as it was; return its line."""
    before = tree(folder)
    code = main(with_small_model(args))
    said = [line for line in capsys.readouterr().err.splitlines() if not line.startswith("note: ")]
    assert code == 2, said
    assert len(said) == 1, said
    assert "please report it" not in said[0]
    assert tree(folder) == before
    return said[0]


@pytest.mark.slow
@pytest.mark.parametrize(("command", "file"), FILES)
def test_a_folder_stands_where_a_file_is_wanted(command, file, here, unloaded, capsys):
    (here / file).mkdir(parents=True)
    line = refused(CASES[command].args, here, capsys)
    assert f"cannot write {file}: it is a folder" in line or f"{Path(file).parent} holds" in line


@pytest.mark.parametrize(("command", "folder"), FOLDERS)
@pytest.mark.parametrize("way", ["a file", "below a file"])
def test_a_file_stands_where_a_folder_is_wanted(command, folder, way, here, unloaded, capsys):
    args = CASES[command].args
    if way == "a file":
        (here / folder).parent.mkdir(exist_ok=True)
        (here / folder).write_text("mine")
    else:
        if "--out" not in args:
            pytest.skip("the folder is given by the study")
        (here / "file").write_text("mine")
        args = [
            arg.replace(folder, f"file/{folder}") if arg.split("/")[0] == folder else arg
            for arg in args
        ]
    assert "cannot write into" in refused(args, here, capsys)


@pytest.mark.parametrize("command", CASES)
@pytest.mark.parametrize("number", [errno.EROFS, errno.ENOSPC, errno.EACCES])
def test_a_disk_that_takes_nothing(command, number, here, unloaded, capsys, monkeypatch):
    def fail(*_, **__):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(tempfile, "mkdtemp", fail)
    assert os.strerror(number) in refused(CASES[command].args, here, capsys)


@pytest.mark.parametrize("command", CASES)
def test_a_folder_that_may_not_be_written(command, here, unloaded, capsys, monkeypatch):
    """Who runs the tests as root may write everywhere, so that the question is answered here."""
    monkeypatch.setattr(os, "access", lambda *_, **__: False)
    assert "write-protected" in refused(CASES[command].args, here, capsys)


OWN = [
    ("explain", {"out": "model"}),
    ("explain", {"out": "model/."}),
    # The overlay of the first image would replace the second image.
    ("explain", {"cat.png": "cat.png pictures/cat_overlay.png", "out": "pictures"}),
    ("evaluate", {"out/e.csv": "cat.png"}),
    ("evaluate", {"out/e.csv": "./pictures/../cat.png"}),
    ("evaluate", {"out/e.csv": "hard.csv"}),
    ("evaluate", {"out/e.csv": "soft.csv"}),
    ("evaluate", {"out/e.csv": "model/config.json"}),
    ("evaluate", {"out/e.csv": "way/config.json"}),
    ("network", {"out/n.graphml": "hard.csv"}),
    ("network", {"out/n.graphml": "model/model.safetensors --format graphml"}),
    ("network", {"tables": "model"}),
    ("compare", {"out": "model"}),
    ("compare", {"cat.png": "pictures", "out": "pictures"}),
    ("study", {"out": "pictures"}),
    ("study", {"out": "way"}),
    ("report", {"out": "study"}),
    ("report", {"out": "study/scores"}),
    ("report", {"out": "study/heatmaps"}),
]


@pytest.mark.parametrize(("command", "changes"), OWN)
def test_what_is_read_is_not_written(command, changes, here, unloaded, capsys):
    os.link("cat.png", "hard.csv")
    os.symlink("cat.png", "soft.csv")
    os.symlink("model", "way")
    shutil.copy("cat.png", "pictures/cat_overlay.png")
    args = []
    for arg in CASES[command].args:
        args += changes.get(arg, arg).split(" ")
    if command != "report":
        args += ["--model", "model"]
    assert "which is read" in refused(args, here, capsys)


def test_a_configuration_is_not_written(here, unloaded, capsys):
    (here / "out").mkdir()
    (here / "out" / "manifest.json").write_text('images = "../pictures"\nout = "."\n')
    assert "which is read" in refused(["study", "--config", "out/manifest.json"], here, capsys)


@pytest.mark.parametrize(
    "out", ["tables/nodes.csv", "tables/../tables/layers.csv", "way/nodes.csv"]
)
def test_two_outputs_that_are_one_file(out, here, unloaded, capsys):
    (here / "tables").mkdir()
    os.symlink("tables", "way")
    args = ["network", "cat.png", "--format", "graphml", "--out", out, "--tables", "tables"]
    assert "are one file" in refused(args, here, capsys)


def test_a_file_that_a_format_adds_is_no_input(here, capsys):
    shutil.copy("cat.png", "n_layout.txt")
    args = ["network", "n_layout.txt", "--min-cut", "0.5", "--device", "cpu", "--out", "n.muxviz"]
    assert "cannot write n_layout.txt: it is n_layout.txt, which is read" in refused(
        args, here, capsys
    )


@pytest.mark.slow
@pytest.mark.parametrize("command", CASES)
def test_a_disk_that_is_full_at_the_end(command, here, capsys, monkeypatch):
    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(shutil, "move", full)
    monkeypatch.setattr(Path, "replace", full)
    assert "No space left on device" in refused(CASES[command].args, here, capsys)


def test_a_table_of_something_else_is_found_before_a_model_is_loaded(here, unloaded, capsys):
    (here / "out").mkdir()
    for content in ("a,b\n1,2\n", "image,probability\ncat.png,high\n", ""):
        (here / "out" / "explanations.csv").write_text(content)
        assert "no table of explanations" in refused(CASES["explain"].args, here, capsys)


@pytest.mark.parametrize("command", ["explain", "compare"])
def test_a_folder_that_another_process_writes_into(command, here, capsys, monkeypatch):
    monkeypatch.setattr(explain_file, "SHORT", 0.0)
    (here / "out").mkdir()
    holds = "import sys, time\nfrom multiplex_vit.files import locked\nwith locked('out'):\n    print('held', flush=True)\n    sys.stdin.read()"
    process = start([sys.executable, "-c", holds], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert process.stdout.readline() == "held\n"
        assert f"out is in use by process {process.pid}" in refused(
            CASES[command].args, here, capsys
        )
    finally:
        process.communicate()


WRITES_MEANWHILE = """
import sys, time
from pathlib import Path
from multiplex_vit.files import locked
with locked("out"):
    print("held", flush=True)
    time.sleep(2.5)
    Path("out/explanations.csv").write_text("image\\nother.png\\n")
"""


@pytest.mark.slow
def test_rows_that_another_process_writes_meanwhile_are_kept(here, capsys):
    (here / "out").mkdir()
    process = start([sys.executable, "-c", WRITES_MEANWHILE], stdout=subprocess.PIPE)
    assert process.stdout.readline() == "held\n"
    assert main(with_small_model(CASES["explain"].args)) == 0
    assert process.wait(timeout=20) == 0
    process.stdout.close()
    assert names_of_rows(here / "out" / "explanations.csv") == ["cat", "other"]


@pytest.fixture
def as_from_a_terminal():
    """Let SIGTERM end the process as it does where nobody changed that."""
    before = signal.signal(signal.SIGTERM, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGTERM, before)


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="sends signals")
@pytest.mark.parametrize("command", CASES)
@pytest.mark.parametrize(
    "moment", ["a scratch folder is made", "files get their names", "the model is loaded"]
)
def test_a_signal_in_the_middle_leaves_all_or_nothing(
    command, moment, here, capsys, monkeypatch, as_from_a_terminal
):
    owner, name = {
        "a scratch folder is made": (tempfile, "mkdtemp"),
        "files get their names": (shutil, "move")
        if command in ("explain", "network", "report")
        else (Path, "replace"),
        "the model is loaded": (
            mv if command in ("explain", "evaluate", "network", "compare") else running,
            "load",
        ),
    }[moment]
    if (command, moment) == ("report", "the model is loaded"):
        pytest.skip("a report loads no model")
    real = getattr(owner, name)

    def signalled(*args, **kwargs):
        signal.raise_signal(signal.SIGTERM)
        return real(*args, **kwargs)

    monkeypatch.setattr(owner, name, signalled)
    before = tree(here)
    assert main(with_small_model(CASES[command].args)) == 128 + signal.SIGTERM
    said = capsys.readouterr().err
    assert "stopped" in said
    assert "Traceback" not in said
    after = tree(here)
    new = set(after) - set(before)
    assert not [path for path in after if Path(path).name.startswith(".")]
    assert {path: after[path] for path in before} == before
    # A folder that this run made and did not fill is gone too.
    assert new == set() or {path for path in new if after[path] is not None}
    if command in ("explain", "network"):
        assert new == set() or set(CASES[command].files) <= new


COMMAND = [sys.executable, "-m", "multiplex_vit"]


def names_of_rows(table):
    return sorted(Path(name).stem for name in read_table(table)["image"])


@pytest.mark.slow
def test_two_writers_lose_no_rows(here):
    commands = [
        [*COMMAND, "explain", image, *FAST, "--out", "out"]
        for image in ("cat.png", "dog.png", "pictures/cat.png")
    ]
    running = [
        start(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE) for command in commands
    ]
    said = [process.communicate(timeout=300)[1] for process in running]
    assert [process.returncode for process in running] == [0, 0, 0], said
    assert names_of_rows(here / "out" / "explanations.csv") == ["cat", "cat", "dog"]
    assert not list((here / "out").glob(".*"))


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="sends signals")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGKILL])
def test_what_is_done_before_a_signal_is_whole(number, here):
    """Images that were explained have all their files and their row, the others none."""
    images = [f"{i}.png" for i in range(40)]
    for name in images:
        shutil.copy("cat.png", name)
    process = start(
        [*COMMAND, "explain", *images, *FAST, "--out", "out"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    process.stdout.readline()
    time.sleep(0.7)
    process.send_signal(number)
    _, err = process.communicate(timeout=60)
    assert process.returncode == (-number if number == signal.SIGKILL else 128 + number)
    assert err == "" if number == signal.SIGKILL else "stopped" in err
    if number == signal.SIGKILL:
        # What a killed process leaves half written goes as the next one begins, or a moment after that.
        for path in (here / "out").glob(".*"):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    saved = sorted(path.stem for path in (here / "out").glob("*.npz"))
    rows = names_of_rows(here / "out" / "explanations.csv")
    assert 1 <= len(rows) < 40
    assert saved == rows or (number == signal.SIGKILL and set(rows) <= set(saved))
    assert {path.name.split("_")[0].removesuffix(".npz") for path in (here / "out").iterdir()} - {
        "explanations.csv"
    } == set(saved)
    assert not list((here / "out").glob(".*"))


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="has nohup")
def test_a_command_under_nohup_goes_on_after_a_hangup(here):
    process = subprocess.Popen(
        ["nohup", *COMMAND, "explain", "cat.png", *FAST, "--out", "out"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    time.sleep(1)
    process.send_signal(signal.SIGHUP)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    assert "1 explained" in out
