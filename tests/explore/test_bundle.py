"""The bundle of scripts is the one that was built from the sources that stand beside it."""

import json
import os
import re
import subprocess
from hashlib import sha256
from pathlib import Path

import pytest

import multiplex_vit

STATIC = Path(multiplex_vit.__file__).parent / "explore" / "static"
BUILT = json.loads((STATIC / "built.json").read_text())
SOURCES = sorted(path for path in (STATIC / "src").iterdir())
REBUILD = "run npm ci && npm run build in multiplex_vit/explore/static"


def digest(path):
    return sha256(path.read_bytes()).hexdigest()


def test_the_bundle_is_the_recorded_one():
    assert digest(STATIC / "explorer.js") == BUILT["bundle"], REBUILD


def test_the_bundle_was_built_from_these_sources():
    found = {f"src/{path.name}": digest(path) for path in SOURCES}
    assert found == BUILT["sources"], REBUILD


def test_each_library_has_its_version_and_licence():
    locked = json.loads((STATIC / "package-lock.json").read_text())["packages"]
    notices = (STATIC / "LICENCES.txt").read_text()
    for name, version in BUILT["libraries"].items():
        assert locked[f"node_modules/{name}"]["version"] == version
        assert f"{name} {version} (MIT)" in notices
    assert "sigma" in BUILT["libraries"]


def test_the_bundle_ends_no_element_of_a_page():
    script = (STATIC / "explorer.js").read_text()
    assert not re.search("</script|<!--", script, re.IGNORECASE)
    assert "</style" not in (STATIC / "explorer.css").read_text()


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_sources_set_texts_as_text(path):
    """Names would become markup by way of these."""
    ways = r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function"
    assert not re.search(ways, path.read_text())
    assert len(path.read_text().splitlines()) <= 400


@pytest.mark.slow
def test_the_bundle_is_built_again_bit_for_bit(tmp_path):
    if not (STATIC / "node_modules").exists() and not os.environ.get("CI"):
        pytest.skip("needs npm ci in multiplex_vit/explore/static")
    subprocess.run(["node", "build.mjs", tmp_path], cwd=STATIC, check=True, timeout=120)
    for name in ("explorer.js", "built.json", "LICENCES.txt"):
        assert (tmp_path / name).read_bytes() == (STATIC / name).read_bytes(), name


@pytest.mark.slow
def test_the_sources_have_no_lint():
    if not (STATIC / "node_modules").exists() and not os.environ.get("CI"):
        pytest.skip("needs npm ci in multiplex_vit/explore/static")
    subprocess.run(["npm", "run", "lint"], cwd=STATIC, check=True, timeout=120)
