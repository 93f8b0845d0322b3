"""Ablations: no masked pass beyond the full explanation's, and figures that agree with doing it the long way."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import multiplex_vit as mv
from multiplex_vit.errors import InputError
from multiplex_vit.study.ablate import rank_correlation
from multiplex_vit.study.work import Counted

PHOTOS = list(mv.samples().values())
SOME = mv.Settings(operators=("max", "sum"), statistics=("max", "min", "skew"))


@pytest.fixture(scope="module")
def studied(tmp_path_factory):
    return mv.Study(images=PHOTOS, out=tmp_path_factory.mktemp("study"), settings=SOME, steps=4, device="cpu").run()


@pytest.fixture(scope="module")
def ablated(studied):
    return mv.ablate(studied, leave_out=("statistic", "direction"), keep_only="operator")


def test_leave_one_out_over_everything_runs_no_masked_pass_and_ten_times_fewer_passes(demo_vit, monkeypatch):
    model = Counted(demo_vit)
    explanation = mv.explain(model, PHOTOS[0])
    full = model.count
    masked = []
    probabilities = model.probabilities
    monkeypatch.setattr(model, "probabilities", lambda *args, **options: masked.append(args) or probabilities(*args, **options), raising=False)
    found = mv.ablate(explanation, leave_out=("operator", "direction", "statistic"), model=model, images=PHOTOS[0], steps=2)
    assert not masked
    assert full == explanation.forward_passes == found.passes.run
    assert found.table["variant"].nunique() == 1 + 3 + 2 + 9 + 1
    alone = 55 + 3 * (36 + 1) + 2 * (27 + 1) + 9 * (48 + 1)
    assert found.passes.naive == alone
    assert alone >= 10 * found.passes.run


def test_a_variant_is_what_explaining_without_the_measure_gives(demo_vit, studied, ablated):
    heatmaps = ablated.heatmaps.set_index(["number", "variant"])["heatmap"]
    for number, path in enumerate(PHOTOS):
        for variant, changes in (
            ("without statistic max", {"statistics": ("min", "skew")}),
            ("without direction in", {"centralities": "out_strength"}),
            ("only operator sum", {"operators": "sum"}),
        ):
            chosen = {"operators": SOME.operators, "statistics": SOME.statistics, **changes}
            alone = mv.explain(demo_vit, path, **chosen)
            np.testing.assert_allclose(heatmaps[number, variant], alone.heatmap.ravel(), atol=2e-6)
            row = ablated.table.query("number == @number and variant == @variant and measure == 'deletion'")
            measured = mv.evaluate(demo_vit, path, alone.heatmap, label=alone.label, steps=4)
            assert row["value"].item() == pytest.approx(measured.deletion.auc, abs=1e-5)


def test_an_ablation_of_a_study_asks_the_model_for_pixels_alone(studied, monkeypatch):
    from multiplex_vit.models.vision_model import VisionModel

    for name in ("embed", "attend", "attend_directly", "probabilities", "probabilities_of_images"):
        monkeypatch.setattr(VisionModel, name, lambda *args, name=name, **options: pytest.fail(f"{name} was called"))
    found = mv.ablate(studied, leave_out="centrality")
    assert found.table["number"].nunique() == len(PHOTOS)
    assert found.passes.run == studied.passes().run


def test_an_ablation_of_a_study_that_goes_on_goes_on(tmp_path, monkeypatch):
    from multiplex_vit.study.store import Store

    study = mv.Study(images=PHOTOS, out=tmp_path / "study", settings=SOME, steps=2, chunk=1, device="cpu")
    write = Store.write
    monkeypatch.setattr(Store, "write", lambda self, unit, tables: write(self, unit, tables) if unit < 1 else (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        study.run()
    monkeypatch.undo()
    assert set(mv.ablate(study).table["number"]) == {0}
    assert set(mv.ablate(study.run()).table["number"]) == {0, 1, 2}


def test_an_ablation_of_a_study_runs_no_explaining_pass(studied, ablated):
    assert mv.Study.open(studied.out / "ablations" / "without-statistic-direction_only-operator").passes().run == 0
    assert ablated.passes.run == studied.passes().run


def test_the_summary_compares_image_by_image(ablated):
    summary = ablated.summary("insertion").set_index("variant")
    values = ablated.table.query("measure == 'insertion'").pivot(index="number", columns="variant", values="value")
    difference = values["without statistic max"] - values["full"]
    row = summary.loc["without statistic max"]
    assert row["change"] == pytest.approx(difference.mean())
    assert row["effect"] == pytest.approx(difference.mean() / difference.std())
    assert row["p"] == pytest.approx(stats.wilcoxon(difference).pvalue)
    assert (summary["p_holm"].dropna() >= summary["p"].dropna()).all()
    assert "random order" in summary.index
    assert np.isnan(summary.loc["full", "change"])
    assert summary.loc["full", "agreement"] == pytest.approx(1)
    with pytest.raises(InputError, match="nothing was measured of 'auc'; here are insertion, deletion, difference"):
        ablated.summary("auc")


def test_rank_correlation_is_scipys_mean_over_images(ablated):
    matrix = ablated.correlation()
    a, b = "only operator sum", "without statistic max"
    by = ablated.heatmaps.set_index(["number", "variant"])["heatmap"]
    assert matrix.loc[a, b] == pytest.approx(np.mean([stats.spearmanr(by[i, a], by[i, b]).statistic for i in range(3)]))
    flat = pd.DataFrame({"number": [0, 0, 1, 1], "variant": ["a", "b"] * 2, "heatmap": [[1, 2], [1, 1], [1, 2], [1, 2]]})
    assert rank_correlation(flat, "variant").loc["a", "b"] == pytest.approx(1)
    with pytest.raises(InputError, match="there is no setting 'x'; here are settings"):
        ablated.correlation("x")


def test_other_images_than_those_explained_are_failures(tmp_path):
    (tmp_path / "photos").mkdir()
    for name in ("cat", "horse"):
        (tmp_path / "photos" / f"{name}.jpg").write_bytes(mv.samples()[name].read_bytes())
    mv.Study(images=tmp_path / "photos", out=tmp_path / "out", settings=SOME, steps=4).run()
    (tmp_path / "photos" / "cat.jpg").write_bytes(mv.samples()["rocket"].read_bytes())
    found = mv.ablate(mv.Study.open(tmp_path / "out"), leave_out="direction")
    assert set(found.table["number"]) == {1}
    failures = mv.Study.open(tmp_path / "out" / "ablations" / "without-direction").failures()
    assert failures["reason"].tolist() == ["cat.jpg is not the image that the study explained; give the same images"]


def test_what_cannot_be_ablated_is_told(tmp_path, demo_vit, studied):
    one = mv.Study(images=PHOTOS[:1], out=tmp_path / "one", settings=mv.Settings(operators=("sum",), statistics=("max",)), steps=4).run()
    with pytest.raises(InputError, match="more than one statistic"):
        mv.ablate(one)
    for settings, save, message in ((SOME, (), "kept no masks"), (mv.Settings(estimator="graph"), ("masks",), "which needs the token graph")):
        other = mv.Study(images=PHOTOS[:1], out=tmp_path / f"save{len(save)}", settings=settings, save=save, steps=4).run()
        with pytest.raises(InputError, match=message):
            mv.ablate(other)
    with pytest.raises(InputError, match="unknown dimension 'head'"):
        mv.ablate(studied, leave_out="head")
    explanation = mv.explain(demo_vit, PHOTOS[0], operators="sum", statistics=("max", "min"))
    with pytest.raises(InputError, match="give model= and images="):
        mv.ablate(explanation)
    with pytest.raises(InputError, match="ablate takes no 'step'; known for explanations: protocols, steps, seed"):
        mv.ablate(explanation, model=demo_vit, images=PHOTOS[0], step=3)
    with pytest.raises(InputError, match="ablate takes no 'steps' for a study, which has its own"):
        mv.ablate(studied, steps=3)
    with pytest.raises(InputError, match="1 explanations came with 2 images"):
        mv.ablate(explanation, model=demo_vit, images=PHOTOS[:2])


def test_pictures_of_an_ablation(ablated):
    from matplotlib import pyplot as plt

    from multiplex_vit import plot

    figure, (left, right) = plt.subplots(1, 2)
    drawn = ablated.plot(ax=left)
    shown = [text.get_text() for text in drawn.get_yticklabels()]
    assert shown == [name for name in ablated.summary()["variant"] if name != "full"]
    offsets = np.concatenate([points.get_offsets() for points in drawn.collections[1:]])
    assert sorted(offsets[:, 0]) == pytest.approx(sorted(ablated.summary()["change"].dropna()))
    assert len(plot.correlation(ablated.correlation(), ax=right).get_xticklabels()) == len(ablated.correlation())
    with pytest.raises(InputError, match="has no column variant"):
        plot.changes(pd.DataFrame({"change": [1.0]}))
    plt.close(figure)
