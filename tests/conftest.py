import os

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ.setdefault("MPLBACKEND", "Agg")
# The models of the tests are so small that threads cost more than they give, and most where the
# tests of several processes share the cores; read when torch and NumPy are imported.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import functools
import gc
import sys

import numpy as np
import pytest
from fake import FakeModel
from hypothesis import settings

import multiplex_vit as mv

# Before any test imports transformers, which imports torchvision where that is installed.
import multiplex_vit.models.libraries
from multiplex_vit.models.load import load
from multiplex_vit.study import running

settings.register_profile("whole", deadline=None, derandomize=True)
settings.register_profile("quick", parent=settings.get_profile("whole"), max_examples=8)


def pytest_xdist_auto_num_workers(config):
    """Return one process a core for the whole suite, and none but this one for tests that are named."""
    if config.args_source is config.ArgsSource.ARGS:
        return 0
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


def pytest_collection_finish():
    """Spare collections of garbage the many objects that last as long as the process."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 20, 20)


def pytest_configure(config):
    """Draw fewer examples of every property where slow tests are left out too."""
    leaves_slow_out = config.getoption("markexpr") == "not slow"
    settings.load_profile("quick" if leaves_slow_out else "whole")


TINY = {
    "hidden_size": 16,
    "num_hidden_layers": 3,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "num_labels": 5,
    "image_size": 16,
    "patch_size": 4,
}


@pytest.fixture
def net():
    """Two layers of four nodes on a 2 x 2 grid; every number of the tests is worked out by hand from these."""
    first = [[0.5, 0.25, 0.25, 0], [0, 0.5, 0, 0.5], [0.125, 0, 0.75, 0.125], [0, 0, 0, 0]]
    second = [[0, 1, 0, 0], [0.5, 0, 0.5, 0], [0, 0, 0, 0], [0, 0, 0, 0.01]]
    return mv.Multiplex(
        np.array([first, second], dtype=np.float32), (2, 2), provenance={"model": "by hand"}
    )


@pytest.fixture
def fake():
    return FakeModel()


@pytest.fixture(scope="session")
def demo_vit():
    return mv.load("demo-vit", device="cpu")


@pytest.fixture(scope="session")
def demo_deit():
    return mv.load("demo-deit", device="cpu")


def tiny_model(kind, head="ForImageClassification", dtype=None, **changes):
    """Return a VisionModel with random weights."""
    import torch
    import transformers

    torch.manual_seed(0)
    options = {**TINY, **changes}
    if kind.startswith("Dinov2"):
        options["mlp_ratio"] = 2
        options.pop("intermediate_size")
    config = getattr(transformers, f"{kind}Config")(**options)
    model = getattr(transformers, f"{kind}{head}")(config).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(0.3 * torch.randn(parameter.shape))
    return mv.VisionModel(model.to(dtype) if dtype else model, name=f"tiny {kind}")


@pytest.fixture
def tiny():
    """Return a maker of VisionModels with random weights: tiny("ViT", image_size=(16, 24))."""
    return tiny_model


@pytest.fixture
def pixels():
    """Return a maker of pixel values: pixels(16, 24)."""

    def make(rows=16, cols=16, seed=0):
        return np.random.default_rng(seed).standard_normal((1, 3, rows, cols)).astype(np.float32)

    return make


@functools.cache
def load_once(*args, **options):
    return load(*args, **options)


@pytest.fixture
def loaded_once(monkeypatch):
    """Let commands share their models: what they say is tested, and not how weights are read."""
    monkeypatch.setattr(mv, "load", load_once)
    monkeypatch.setattr(running, "load", load_once)


@pytest.fixture(autouse=True)
def no_figure_is_left():
    """Close the figures of a test, on whose axes the next one would draw."""
    yield
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close("all")
