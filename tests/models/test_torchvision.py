"""A torchvision that was built for another torch is named in one line, wherever it is met first."""

import ast
import os
import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import multiplex_vit
from multiplex_vit.errors import InputError
from multiplex_vit.models.libraries import torchvision_errors

MODELS = Path(multiplex_vit.__file__).parent / "models"
FAULTS = {
    "an operator": 'raise RuntimeError("operator torchvision::nms does not exist")',
    "a half import": "raise AttributeError(\"partially initialized module 'torchvision' has no attribute 'extension'\")",
    "a library": 'raise OSError("libtorch_cuda.so: cannot open shared object file")',
    "a symbol": 'raise ImportError("undefined symbol: _ZN3c104cuda9SetDeviceEi")',
}
LINE = r"torchvision 0\.1\.0 does not go with torch .*; install the torchvision that belongs to it, or uninstall torchvision, which is not needed"


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """Return a maker of a torchvision that fails so on being imported."""

    def make(fault):
        package, facts = tmp_path / "torchvision", tmp_path / "torchvision-0.1.0.dist-info"
        package.mkdir()
        facts.mkdir()
        (package / "__init__.py").write_text(fault)
        (facts / "METADATA").write_text(
            "Metadata-Version: 2.1\nName: torchvision\nVersion: 0.1.0\n"
        )
        return {
            **os.environ,
            "PYTHONPATH": os.pathsep.join([str(tmp_path), str(MODELS.parents[1])]),
        }

    return make


def import_as_transformers_does():
    try:
        import_module("torchvision")
    except Exception as error:
        raise ModuleNotFoundError("Could not import module 'AutoImageProcessor'.") from error


@pytest.mark.parametrize("fault", FAULTS)
def test_whatever_fails_in_torchvision_is_told(installed, tmp_path, monkeypatch, fault):
    """Raised again as transformers does it, which hides what it was."""
    installed(FAULTS[fault])
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "torchvision", raising=False)
    with pytest.raises(InputError, match=LINE) as caught, torchvision_errors():
        import_as_transformers_does()
    assert FAULTS[fault].split("(", 1)[1].strip("\")'")[:20] in str(caught.value)


@pytest.mark.slow
def test_the_command_line_says_so_in_one_line(installed, tmp_path):
    command = [sys.executable, "-m", "multiplex_vit", "explain", "--out", str(tmp_path / "out")]
    found = subprocess.run(
        command, capture_output=True, text=True, env=installed(FAULTS["an operator"])
    )
    assert found.returncode == 2
    assert re.fullmatch(f"multiplex-vit: {LINE}", found.stderr.strip())
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["load", "VisionModel"])
def test_so_does_whatever_name_is_used_first(installed, name):
    script = f"import multiplex_vit as mv\ntry:\n    mv.{name}\nexcept mv.InputError as error:\n    print(error)"
    found = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        env=installed(FAULTS["an operator"]),
    )
    assert re.fullmatch(LINE, found.stdout.strip())


def test_transformers_is_imported_in_one_place_alone():
    """`import transformers` by itself imports nothing of its own."""
    for path in MODELS.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if (
                isinstance(node, ast.ImportFrom)
                and (node.module or "").split(".")[0] == "transformers"
                and path.name != "libraries.py"
            ):
                assert node.module == "transformers.utils", path


def test_other_errors_are_what_they_are():
    with pytest.raises(RuntimeError, match="something else"), torchvision_errors():
        raise RuntimeError("something else")
    with pytest.raises(InputError, match="^given$"), torchvision_errors():
        raise InputError("given")
