"""Scripts go on where they were stopped; margins that are fitted are kept."""

import json
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import multiplex_vit as mv

SAMPLES = [SimpleNamespace(number=number, sha256=f"{number:064x}") for number in range(4)]


@pytest.fixture
def script(monkeypatch):
    """Return what imports a file of analysis/."""
    monkeypatch.syspath_prepend(str(Path(mv.__file__).parents[1] / "analysis"))
    return import_module


def test_what_is_kept_is_not_computed_again(script, tmp_path):
    rows_of_images = script("kept_rows").rows_of_images
    file, computed = tmp_path / "a" / "rows.jsonl", []

    def compute(sample):
        computed.append(sample.number)
        return [{"value": sample.number**2}, {"value": -1}]

    first = rows_of_images(file, SAMPLES[:3], compute)
    # The script was stopped while it wrote the third image.
    file.write_text(file.read_text()[:-4])
    again = rows_of_images(file, SAMPLES, compute)
    assert computed == [0, 1, 2, 2, 3]
    assert again[:6] == first
    assert [row["value"] for row in again] == [0, -1, 1, -1, 4, -1, 9, -1]
    lines = [line for line in file.read_text().splitlines() if line.endswith("]}")]
    assert [json.loads(line)["sha256"] for line in lines] == [one.sha256 for one in SAMPLES]
    moved = SimpleNamespace(number=7, sha256=SAMPLES[2].sha256)
    assert rows_of_images(file, [moved], compute)[0] == {"number": 7, "value": 4}


def test_fitted_weights_have_the_margins_and_no_more(script):
    fitted = script("what_survives_nulls").fitted
    rng = np.random.default_rng(0)
    weights = rng.random((6, 6))
    source, target = np.indices(weights.shape)
    ring = np.abs(source - target)
    fit = fitted(weights, [source.ravel(), target.ravel(), ring.ravel()])
    assert fit.sum(0) == pytest.approx(weights.sum(0), rel=1e-6)
    assert fit.sum(1) == pytest.approx(weights.sum(1), rel=1e-6)
    for steps in range(6):
        assert fit[ring == steps].sum() == pytest.approx(weights[ring == steps].sum(), rel=1e-6)
    independent = fitted(weights, [source.ravel(), target.ravel()])
    expected = np.outer(weights.sum(1), weights.sum(0)) / weights.sum()
    assert independent == pytest.approx(expected)
