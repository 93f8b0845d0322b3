"""The benchmark: its floor counts the right products, and it runs from the command line to its tables."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch

import multiplex_vit as mv

ANALYSIS = Path(mv.__file__).parents[1] / "analysis"


@pytest.fixture
def floor(monkeypatch):
    monkeypatch.syspath_prepend(str(ANALYSIS))
    import gemm_floor

    return gemm_floor


def test_the_floor_counts_every_product_of_a_pass(floor, tiny, pixels):
    """A block of width d and mlp e on n tokens: 4 n d d for attention's linear layers, 2 n n d for attention, 2 n d e; the head n_class d of one token."""
    model = tiny("ViT")
    config, n, sequences = model.model.config, 17, 3
    d, e = config.hidden_size, config.intermediate_size
    hidden = torch.randn(sequences, n, d)

    def blocks():
        with torch.inference_mode():
            for layer in model.model.vit.layers:
                layer(hidden)

    found = floor.recorded(blocks)
    assert found.flop == 2 * model.n_layers * sequences * (
        4 * n * d * d + 2 * n * n * d + 2 * n * d * e
    )


def test_the_floor_runs_the_products_that_it_counted(floor):
    left, right = torch.randn(2, 3, 4), torch.randn(2, 4, 5)
    products = floor.recorded(
        lambda: (torch.bmm(left, right), torch.bmm(left, right), left[0] @ right[0])
    )
    assert dict(products.found) == {("bmm", (2, 3, 4, 5)): 2, ("mm", (1, 3, 4, 5)): 1}
    for laid_out in (False, True):
        again = floor.recorded(
            floor.bare(products, torch.device("cpu"), torch.float32, laid_out=laid_out)
        )
        assert again.found == products.found


def test_models_of_random_weights_take_pictures_and_types_of_masks(floor):
    from benchmark_case import Case

    model = Case("vit-tiny", "cpu", 1, 1, 1).build(
        mask_dtype="bfloat16", num_hidden_layers=2, image_size=32
    )
    assert (model.dtype, model.mask_model.dtype) == (torch.float32, torch.bfloat16)
    assert model.picture(mv.samples()["cat"]).pixels.shape == (1, 3, 32, 32)


def test_the_rate_of_a_product_is_a_rate(floor):
    assert floor.gemm_rate(torch.device("cpu"), "float32", side=64, repeats=1) > 0


@pytest.mark.slow
def test_the_benchmark_runs_to_its_tables(tmp_path):
    options = [
        "--rows",
        "passes",
        "stream",
        "types",
        "--models",
        "demo-vit",
        "--repeats",
        "1",
        "--images",
        "2",
        "--many-images",
        "100",
    ]
    command = [
        sys.executable,
        str(ANALYSIS / "benchmark.py"),
        *options,
        "--out",
        str(tmp_path / "found"),
    ]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=900)
    assert ended.returncode == 0, ended.stderr
    found = json.loads((tmp_path / "found.json").read_text())
    rows = {row["row"]: row for row in found["rows"]}
    assert not any("failed" in row for row in found["rows"]), ended.stderr
    assert rows["passes"]["difference"] < 1e-4
    assert rows["passes"]["b/c"] > 0
    assert rows["types"]["mask_dtype"] == "bfloat16"
    assert rows["types"]["rank_correlation"] > 0.9
    assert rows["passes"]["package_above_mib"] >= 0
    assert rows["stream"]["first_half_mib"] > 0
    text = (tmp_path / "found.md").read_text()
    assert found["runs"][0]["command"] in text
    assert [line[3:] for line in text.splitlines() if line.startswith("## ")] == [
        "passes",
        "stream",
        "types",
    ]
