"""Over a thousand hostile inputs: none may end in a traceback, a hang, a wrong result or a file left."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
INPUTS = {
    "images": 200,
    "arrays": 250,
    "options": 250,
    "paths": 100,
    "model_folders": 120,
    "saved_files": 200,
    "command_line": 120,
    "study_folders": 24,
    "writers": 5,
}
MAY_ALL_BE_ACCEPTED = {"writers", "study_folders"}
MOST_MEGABYTES = 4_000


def test_the_fuzzer_tries_more_than_a_thousand_inputs():
    assert sum(INPUTS.values()) >= 1_000


@pytest.mark.slow
@pytest.mark.parametrize("area", INPUTS)
def test_hostile_inputs_are_refused_in_one_line_or_give_what_they_should(area, tmp_path):
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "MPLBACKEND": "Agg"}
    command = [
        sys.executable,
        str(HERE / "run.py"),
        area,
        "0",
        str(INPUTS[area]),
        str(tmp_path),
    ]
    # A hang ends the process with a traceback of where it hung.
    run = subprocess.run(
        command,
        capture_output=True,
        text=True,
        errors="replace",
        env=environment,
        timeout=1_500,
        check=False,
    )
    assert run.returncode == 0, run.stderr[-3_000:]
    verdict = json.loads(run.stdout.splitlines()[-1])
    assert verdict["faults"] == []
    assert verdict["refused"] > 0 or area in MAY_ALL_BE_ACCEPTED
    assert verdict["accepted"] > 0
    assert verdict["megabytes"] < MOST_MEGABYTES
