"""A trained model in the modules of other libraries: the same heatmaps."""

import numpy as np
import pytest
from converted import as_dinov2, as_timm

import multiplex_vit as mv

CAT = mv.samples()["cat"]


def heatmaps(model, budget):
    """Masks must not depend on the last bits, which differ between libraries."""
    found = mv.explain(model, CAT, label="cat", numerics="stable", budget=budget)
    return found.masks.kept, found.heatmap


@pytest.mark.parametrize("convert", [as_timm, as_dinov2])
@pytest.mark.parametrize(
    ("name", "budget"), [("demo-vit", 20), pytest.param("demo-photo", 20, marks=pytest.mark.slow)]
)
def test_a_trained_model_is_the_same_in_another_library(convert, name, budget):
    plain = mv.load(name, device="cpu", dtype="float32")
    module = convert(plain.model)
    classes = list(plain.classes)
    other = mv.wrap(module, plain.processor, classes=classes)
    kept, expected = heatmaps(plain, budget)
    kept_there, found = heatmaps(other, budget)
    assert np.array_equal(kept_there, kept)
    assert np.abs(found - expected).max() < 1e-4
    assert np.ptp(expected) > 1e-3, "a heatmap that says something"
