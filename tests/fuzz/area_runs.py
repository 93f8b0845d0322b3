"""Hostile runs: command lines, study folders that somebody changed, and several writers at once."""

import contextlib
import io
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from functools import cache, partial
from pathlib import Path
from tempfile import mkdtemp

import numpy as np
import odd_values
import pandas as pd
import tiny
from harness import Attempt, pick

import multiplex_vit as mv
from multiplex_vit.errors import InputError

# --- command line -------------------------------------------------------------------------------

COMMANDS = {
    "explain": (
        "--min-cut",
        "--token-ratio",
        "--budget",
        "--label",
        "--steps",
        "--protocol",
        "--baseline",
        "--seed",
        "--method",
        "--statistics",
    ),
    "network": (
        "--operator",
        "--min-cut",
        "--layer",
        "--coupling",
        "--omega",
        "--measures",
        "--format",
        "--aggregate",
    ),
    "evaluate": ("--min-cut", "--budget", "--label", "--steps", "--protocol"),
    "compare": (
        "--explainers",
        "--budget",
        "--protocol",
        "--steps",
        "--against",
        "--label",
        "--seed",
    ),
    "study": (
        "--sweep",
        "--explainers",
        "--labels",
        "--index",
        "--limit",
        "--protocols",
        "--steps",
        "--target",
        "--save",
        "--chunk",
        "--workers",
        "--config",
        "--scheduler",
    ),
}
WORDS = (
    "0",
    "1",
    "-1",
    "2.5",
    "1e9",
    "1000000000",
    "nan",
    "",
    " ",
    "x",
    "mutex",
    "sum",
    "token",
    "a=b",
    "min_cut=1,2",
    "\udcff",
    "n" * 5_000,
    "/dev/zero",
    "/",
    ".",
    "...",
)


def command_line(rng, folder):
    """Return an attempt to run a command with options that are nearly anything."""
    model = tiny.write_model(folder / "model")
    image = folder / "picture.png"
    tiny.picture().save(image)
    command = pick(rng, COMMANDS)
    given = [command, str(image), "--model", str(model), "--device", "cpu"]
    if command in ("explain", "evaluate", "compare", "study"):
        given += ["--steps", "2"]
    if command == "compare":
        given += ["--explainers", "mutex", "random_order"]
    given += [
        "--out",
        str(
            folder
            / pick(
                rng,
                (
                    "out",
                    "out.csv",
                    "picture.png",
                    "model",
                    "model/config.json",
                    "picture.png/x",
                    "n" * 300,
                ),
            )
        ),
    ]
    for option in rng.permutation(COMMANDS[command])[: int(rng.integers(0, 3))]:
        given += [str(option), pick(rng, WORDS)]
    return Attempt(" ".join(given), partial(run_command, given), lambda result: None, folder)


def run_command(given):
    """Run a command in this process; exit code 2 with one line counts as a refusal."""
    from multiplex_vit.cli import main

    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            code = main(given)
        except SystemExit as stop:
            code = stop.code
    said = [line for line in err.getvalue().splitlines() if not line.startswith("note: ")]
    if code == 2:
        if len(said) != 1:
            raise AssertionError(f"exit code 2 with {len(said)} lines: {said[:5]}")
        raise InputError(said[0])
    assert code in (0, 1), f"exit code {code}"
    assert "Traceback" not in err.getvalue()


# --- study folders ------------------------------------------------------------------------------


@cache
def finished_study():
    """Return the folder of a finished study of three images, and its rows."""
    folder = Path(mkdtemp(prefix="fuzz-study-"))
    study = mv.Study(**study_of(folder)).run(progress=False)
    return folder, study.scores()


def study_of(folder):
    sides = (16, 20, 24)
    pictures = folder / "pictures"
    pictures.mkdir(exist_ok=True)
    for side in sides:
        path = pictures / f"{side}.png"
        if not path.exists():
            tiny.picture().resize((side, side)).save(path)
    return {
        "images": pictures,
        "out": folder / "out",
        "model": tiny.model(),
        "steps": 2,
        "chunk": 1,
        "protocols": ["token"],
    }


def study_folders(rng, folder):
    """Return an attempt to go on with a study in whose folder something was changed."""
    made, _ = finished_study()
    shutil.copytree(made, folder, dirs_exist_ok=True)
    files = sorted(path for path in (folder / "out").rglob("*") if path.is_file())
    path = pick(rng, files)
    way = pick(rng, ("spoil", "remove", "empty", "copy"))
    if way == "spoil":
        path.write_bytes(odd_values.spoiled(rng, path.read_bytes()))
    elif way == "remove":
        path.unlink()
    elif way == "empty":
        path.write_bytes(b"")
    else:
        alike = [other for other in files if other.suffix == path.suffix]
        path.write_bytes(pick(rng, alike).read_bytes())
    what = f"{way} {path.relative_to(folder)}"
    return Attempt(what, partial(resume, folder), same_rows)


def resume(folder):
    """Go on with the study; return its rows."""
    return mv.Study(**study_of(folder)).run(progress=False).scores()


def same_rows(table):
    """What a study gives after damage is what it gave before, to the last bit."""
    _, expected = finished_study()
    pd.testing.assert_frame_equal(table, expected)


# --- several writers ----------------------------------------------------------------------------


def writers(rng, folder):
    """Return an attempt to let processes write into one folder at once, and to stop some of them."""
    model = tiny.write_model(folder / "model")
    commands = []
    for number in range(3):
        image = folder / f"picture{number}.png"
        tiny.picture().rotate(90 * number).save(image)
        command = [
            sys.executable,
            "-m",
            "multiplex_vit",
            "explain",
            str(image),
            "--model",
            str(model),
        ]
        commands.append([*command, "--steps", "2", "--device", "cpu", "--out", str(folder / "out")])
    stop = pick(rng, (None, signal.SIGTERM, signal.SIGINT, signal.SIGKILL))
    after = float(rng.uniform(2, 12))
    what = f"three explain at once, the first stopped by {stop} after {after:.1f} s"
    # Three processes start at once, each of which loads torch.
    return Attempt(
        what, partial(write_at_once, commands, stop, after, folder), complete_rows, seconds=300
    )


def write_at_once(commands, stop, after, folder):
    """Run the commands at once; return exit codes, what was said, and the folder."""
    running = [
        subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        for command in commands
    ]
    if stop is not None:
        time.sleep(after)
        running[0].send_signal(stop)
    said = [process.communicate(timeout=300)[1] for process in running]
    codes = [process.returncode for process in running]
    if codes[1] == 2 and codes[2] == 2:
        raise InputError(said[1].strip())
    return codes, said, folder / "out", stop


def complete_rows(result):
    """Every command that ended well has its row and its files, and nothing temporary is left."""
    codes, said, out, stop = result
    rows = pd.read_csv(out / "explanations.csv")
    for number, code in enumerate(codes):
        if code == 0:
            assert (out / f"picture{number}.npz").exists()
            assert rows["image"].astype(str).str.contains(f"picture{number}").sum() == 1
    for line in said:
        assert "Traceback" not in line
    left = [name for name in os.listdir(out) if re.match(r"\.(writing|before)-", name)]
    if stop != signal.SIGKILL:
        assert left == []
    assert np.isfinite(rows["probability"]).all()
