"""Ablations: no masked pass beyond the full explainer's, and figures as by doing it the long way."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from small import PHOTOS

import multiplex_vit as mv
from multiplex_vit.errors import InputError
from multiplex_vit.report import ablate, rank_correlation

SOME = mv.EXPLAINERS["mutex"].at(operators=("max", "sum"), statistics=("max", "min", "skew"))
ASKED = {"leave_out": ("statistic", "direction"), "keep_only": "operator"}
MASKED = (
    "embed",
    "attend",
    "attend_directly",
    "attend_relevance",
    "probabilities",
    "probabilities_of_images",
)
"""What explaining asks of a model, and measuring by pixels does not."""


@pytest.fixture(scope="module")
def full(tmp_path_factory):
    out = tmp_path_factory.mktemp("study") / "study"
    return mv.Study(out, PHOTOS, explainers=SOME, steps=4, model="demo-vit", device="cpu").run()


@pytest.fixture(scope="module")
def studied(full):
    return full.extended(explainers=mv.ablations(SOME, **ASKED)).run()


@pytest.fixture(scope="module")
def ablated(studied):
    return ablate(studied, **ASKED)


def test_leaving_out_everything_in_turn_takes_ten_times_fewer_passes_together(tmp_path):
    dimensions = ("operator", "direction", "statistic")
    explainers = mv.ablations("mutex", leave_out=dimensions)
    study = mv.Study(
        tmp_path / "s", PHOTOS[:1], explainers=explainers, model="demo-vit", steps=2
    ).run()
    n_explainers = 1 + 3 + 2 + 9
    assert len(explainers) == n_explainers
    alone = 55 + 3 * (36 + 1) + 2 * (27 + 1) + 9 * (48 + 1)
    one_for_the_control = 1
    assert study.passes().naive == alone + one_for_the_control
    assert study.passes().run <= 55 + one_for_the_control
    assert alone >= 10 * study.passes().run
    assert ablate(study, leave_out=dimensions).scores["variant"].nunique() == n_explainers + 1


def test_an_ablation_of_a_study_asks_the_model_for_pixels_alone(full, tmp_path, monkeypatch):
    import shutil

    from multiplex_vit.models.vision_model import VisionModel

    shutil.copytree(full.out, tmp_path / "study")
    for name in MASKED:
        refuse = lambda *args, name=name, **options: pytest.fail(f"{name} was called")  # noqa: E731
        monkeypatch.setattr(VisionModel, name, refuse)
    study = mv.Study.open(tmp_path / "study").extended(
        explainers=mv.ablations(SOME, leave_out="centrality")
    )
    study.run()
    assert study.passes().run == full.passes().run
    found = ablate(study, leave_out="centrality")
    assert found.scores["number"].nunique() == len(PHOTOS)
    assert study.failures().empty


def test_a_variant_is_what_explaining_without_the_measure_gives(demo_vit, ablated):
    heatmaps = ablated.heatmaps.set_index(["number", "variant"])["heatmap"]
    settings = SOME.settings
    for number, path in enumerate(PHOTOS):
        for variant, changes in (
            ("without statistic max", {"statistics": ("min", "skew")}),
            ("without direction in", {"centralities": "out_strength"}),
            ("only operator sum", {"operators": "sum"}),
        ):
            measures = {"operators": settings.operators, "statistics": settings.statistics}
            alone = mv.explain(demo_vit, path, **{**measures, **changes})
            np.testing.assert_allclose(heatmaps[number, variant], alone.heatmap, atol=2e-6)
            row = ablated.scores.query("number == @number and variant == @variant").iloc[0]
            measured = mv.evaluate(demo_vit, path, alone.heatmap, label=alone.label, steps=4)
            assert row["deletion"] == pytest.approx(measured.deletion.auc, abs=1e-5)


def test_the_summary_compares_image_by_image(ablated):
    summary = ablated.summary("insertion").set_index("variant")
    values = ablated.scores.pivot(index="number", columns="variant", values="insertion")
    difference = values["without statistic max"] - values["full"]
    row = summary.loc["without statistic max"]
    assert row["change"] == pytest.approx(difference.mean())
    assert row["effect"] == pytest.approx(difference.mean() / difference.std())
    assert row["p"] == pytest.approx(stats.wilcoxon(difference).pvalue)
    assert (summary["p_holm"].dropna() >= summary["p"].dropna()).all()
    assert "random_order" in summary.index
    assert np.isnan(summary.loc["full", "change"])
    assert summary.loc["full", "agreement"] == pytest.approx(1)
    with pytest.raises(InputError, match="nothing was measured of 'auc'; known: insertion, del"):
        ablated.summary("auc")


def test_rank_correlation_is_scipys_mean_over_images(ablated):
    matrix = ablated.correlation()
    one, other = "only operator sum", "without statistic max"
    by = ablated.heatmaps.set_index(["number", "variant"])["heatmap"]
    ranks = []
    for number in range(3):
        pair = by[number, one].ravel(), by[number, other].ravel()
        ranks.append(stats.spearmanr(*pair).statistic)
    assert matrix.loc[one, other] == pytest.approx(np.mean(ranks))
    rows = {"number": [0, 0, 1, 1], "explainer": ["a", "b"] * 2}
    flat = pd.DataFrame({**rows, "heatmap": [[1, 2], [1, 1], [1, 2], [1, 2]]})
    assert rank_correlation(flat).loc["a", "b"] == pytest.approx(1)
    with pytest.raises(InputError, match="there is no explainer 'x'; known: mutex"):
        ablated.correlation("x")


def test_other_images_than_those_explained_are_refused(tmp_path):
    (tmp_path / "photos").mkdir()
    for name in ("cat", "horse"):
        content = mv.samples()[name].read_bytes()
        (tmp_path / "photos" / f"{name}.jpg").write_bytes(content)
    mv.Study(
        tmp_path / "out", tmp_path / "photos", explainers=SOME, model="demo-vit", steps=4
    ).run()
    (tmp_path / "photos" / "cat.jpg").write_bytes(mv.samples()["rocket"].read_bytes())
    more = mv.Study.open(tmp_path / "out").extended(explainers=mv.ablations(SOME))
    with pytest.raises(InputError, match="a study with another images fingerprint"):
        more.run()


def test_what_cannot_be_ablated_is_refused(full):
    one = mv.EXPLAINERS["mutex"].at(operators=("sum",), statistics=("max",))
    with pytest.raises(InputError, match="the masks of mutex.* are of one statistic"):
        mv.ablations(one)
    with pytest.raises(InputError, match="communities has no masks of operators"):
        mv.ablations("communities")
    with pytest.raises(InputError, match="unknown dimension 'head'"):
        mv.ablations(SOME, leave_out="head")
    with pytest.raises(InputError, match="has no variants of its explainers; add them"):
        ablate(full)


def test_explainers_that_need_more_than_masks_are_explained_anew(tmp_path):
    graph = SOME.at(estimator="graph")
    study = mv.Study(tmp_path / "s", PHOTOS[:1], explainers=graph, model="demo-vit", steps=2).run()
    before = study.passes().run
    more = study.extended(explainers=mv.ablations(graph, leave_out="direction")).run()
    assert more.passes().run > before
    assert [group.made_from for group in more.store.groups()] == ["passes"] * 3


def test_pictures_of_an_ablation(ablated):
    from matplotlib import pyplot as plt

    from multiplex_vit import plot

    figure, (left, right) = plt.subplots(1, 2)
    drawn = ablated.plot(ax=left)
    shown = [text.get_text() for text in drawn.get_yticklabels()]
    assert shown == [name for name in ablated.summary()["variant"] if name != "full"]
    offsets = np.concatenate([points.get_offsets() for points in drawn.collections[1:]])
    assert sorted(offsets[:, 0]) == pytest.approx(sorted(ablated.summary()["change"].dropna()))
    matrix = ablated.correlation()
    assert len(plot.correlation(matrix, ax=right).get_xticklabels()) == len(matrix)
    with pytest.raises(InputError, match="has no column variant"):
        plot.changes(pd.DataFrame({"change": [1.0]}))
    plt.close(figure)
