"""Many heatmaps measured together: the same figures in fewer passes."""

import numpy as np
import pytest
from fake import FakeModel

import multiplex_vit as mv
from multiplex_vit.evaluation.many import evaluate_many

PIXELS = np.full((1, 3, 2, 3), 0.25, dtype=np.float32)
RIGHT = FakeModel.worth.reshape(2, 3)
CAT = mv.samples()["cat"]


@pytest.mark.parametrize(
    ("spelled", "options"),
    [
        ("token", {}),
        ("patch/black", {}),
        ("patch/blur", {}),
        ("patch/random", {"seed": 3}),
        ("patch", {}),
    ],
)
@pytest.mark.parametrize("steps", [6, 11])
@pytest.mark.parametrize("bundled", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_many_heatmaps_get_the_figures_of_each(
    demo_vit, tiny, pixels, spelled, options, steps, bundled
):
    model, image = (demo_vit, CAT) if bundled else (tiny("ViT"), pixels())
    heatmaps = [np.random.default_rng(i).random(model.grid) for i in range(3)]
    name, _, baseline = spelled.partition("/")
    together = evaluate_many(
        model, image, [*heatmaps, -heatmaps[0]], protocols=[spelled], steps=steps, **options
    )[spelled]
    for heatmap, fid in zip([*heatmaps, -heatmaps[0]], together, strict=True):
        alone = mv.evaluate(
            model,
            image,
            heatmap,
            protocol=name,
            steps=steps,
            **({"baseline": baseline} if baseline else {}),
            **options,
        )
        assert (fid.protocol, fid.label) == (alone.protocol, alone.label)
        for ours, theirs in ((fid.insertion, alone.insertion), (fid.deletion, alone.deletion)):
            assert ours.fraction.tolist() == theirs.fraction.tolist()
            assert ours.confidence == pytest.approx(theirs.confidence, abs=1e-6)


def test_a_published_protocol_has_its_own_points_whatever_the_steps(demo_vit):
    heatmap = np.random.default_rng(0).random((8, 8))
    found = evaluate_many(demo_vit, CAT, [heatmap], protocols=["mutex2025/mean"], steps=5)[
        "mutex2025/mean"
    ][0]
    alone = mv.evaluate(demo_vit, CAT, heatmap, protocol="mutex2025", baseline="mean")
    assert found.insertion.confidence == pytest.approx(alone.insertion.confidence, abs=1e-6)
    assert found.deletion.auc == pytest.approx(alone.deletion.auc, abs=1e-4)


def test_what_the_model_has_seen_it_is_not_shown_again():
    """Six patches: 7 sets inserted; deleting is inserting the rest, and the other heatmap is the first from its end."""
    model, rising = FakeModel(), np.arange(6.0).reshape(2, 3)
    evaluate_many(model, PIXELS, [rising, -rising, 2 * rising], protocols=["token"], label=0)
    assert model.sequences == 7 + 7 - 2
    evaluate_many(model, PIXELS, [rising, -rising], protocols=["patch/black", "patch"], label=0)
    assert model.sequences == 2 * (7 + 7 - 2)
