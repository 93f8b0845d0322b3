"""Curves, comparisons, studies, sanity checks and the command line on every kind of head."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import torch
from heads import KINDS, model_with, own_scores
from small import PHOTOS, PICTURES

import multiplex_vit as mv
from multiplex_vit import plot
from multiplex_vit.cli import main
from multiplex_vit.evaluation.many import Remembering
from multiplex_vit.models.score import SCORES
from multiplex_vit.plot.text import shortened
from multiplex_vit.study.groups import MASKS, Group
from multiplex_vit.study.kept import kept_of

ORDER = np.arange(16.0).reshape(4, 4)
FEW = [kind for kind in KINDS if kind != "21,841 classes"]
pytestmark = pytest.mark.filterwarnings(
    "ignore:.*masks.table", "ignore:.*its configuration names", "ignore:.*no pass of another"
)


def quantity_of(kind):
    return SCORES[KINDS[kind].score].quantity


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("protocol", mv.PROTOCOLS)
def test_curves_follow_the_models_own_score(pixels, kind, protocol):
    model = model_with(kind)
    why = mv.PROTOCOLS.trait(protocol, "probability")
    if KINDS[kind].score == "raw" and why:
        lacks = "which a predicted value does not have; give 'patch' or 'token'"
        with pytest.raises(mv.InputError, match=f"{protocol} {why}, {lacks}"):
            mv.evaluate(model, pixels(), ORDER, label=0, protocol=protocol)
        return
    fid = mv.evaluate(model, pixels(), ORDER, label=0, protocol=protocol)
    own = own_scores(model, kind, pixels())[0, 0]
    for curve in fid.curves.values():
        assert np.isfinite(curve.confidence).all()
    # What sets a protocol apart is what it says of itself.
    counted = mv.PROTOCOLS.trait(protocol, "quantity")
    if counted:
        assert fid.quantity == counted
        return
    assert fid.quantity == quantity_of(kind)
    assert set(fid.table()["quantity"]) == {fid.quantity} == {fid.row()["quantity"]}
    assert fid.insertion.confidence[-1] == pytest.approx(own, abs=1e-5)
    assert np.ptp(fid.insertion.confidence) > 0
    first = 0 if mv.PROTOCOLS.trait(protocol, "from_zero") else own
    assert fid.deletion.confidence[0] == pytest.approx(first, abs=1e-5)


def test_the_test_of_chefer_of_one_logit_asks_whether_the_answer_is_still_yes(pixels):
    model = model_with("one logit")
    fid = mv.evaluate(model, pixels(), ORDER, protocol="chefer2021")
    plain = mv.evaluate(model, pixels(), ORDER, protocol="patch")
    yes = plain.deletion.confidence[0] >= 0.5
    with torch.no_grad():
        model.model.classifier.weight *= -1
        model.model.classifier.bias *= -1
    other = mv.evaluate(model, pixels(), ORDER, protocol="chefer2021")
    assert (fid.positive.confidence + other.positive.confidence == 1).all(), (
        "yes of the one is no of the other"
    )
    assert (fid if yes else other).negative.auc > (other if yes else fid).negative.auc


def test_curves_of_two_scores_do_not_compare(pixels):
    network = model_with("two").model
    two = [
        mv.evaluate(mv.VisionModel(network, score=name), pixels(), ORDER, label=0)
        for name in ("softmax", "sigmoid")
    ]
    with pytest.raises(
        mv.InputError, match=r"probability \(softmax\) and a probability \(sigmoid\) do not compare"
    ):
        two[0].minus(two[1])
    with pytest.raises(
        mv.InputError, match=r"probability \(softmax\) and probability \(sigmoid\) do not compare"
    ):
        plot.curves(pd.concat([each.table() for each in two]))


@pytest.mark.parametrize("kind", FEW)
def test_pictures_say_which_score_they_show(pixels, kind):
    model = model_with(kind)
    fid = mv.evaluate(model, pixels(), ORDER, label=0)
    ax = fid.plot(ax=plt.figure().add_subplot())
    assert ax.get_ylabel() == quantity_of(kind)
    values = np.concatenate([curve.confidence for curve in fid.curves.values()])
    low, high = ax.get_ylim()
    assert low <= values.min() <= values.max() <= high, "no curve leaves the picture"
    if KINDS[kind].score != "raw":
        assert (low, high) == (0, 1.02)
    explanation = mv.explain(model, pixels())
    assert explanation.plot(ax=plt.figure().add_subplot()).get_title() == explanation.title
    figure = plot.summary([explanation], [fid])
    assert figure.axes[0].get_title() == shortened(explanation.title, 40)
    plt.close("all")


@pytest.mark.parametrize(
    "kind",
    [kind if kind == "regression" else pytest.param(kind, marks=pytest.mark.slow) for kind in FEW],
)
def test_a_study_says_which_score_it_follows(pixels, tmp_path, kind):
    model = model_with(kind)
    explainers = ["mutex(budget=8)", "rise_tokens(budget=8)", "random_order"]
    options = {"explainers": explainers, "protocols": "token", "steps": 4}
    images = [pixels(), pixels(seed=1)]
    found = mv.Study(tmp_path / "s", images, model=model, **options).run()
    assert found.failures().empty
    quantities = {*found.scores()["quantity"], *found.curves()["quantity"]}
    assert quantities == {quantity_of(kind)}
    mv.report.write_report(found, tmp_path / "r")
    assert KINDS[kind].score in (tmp_path / "r" / "report.md").read_text()
    assert mv.Study.open(tmp_path / "s").plan.score == KINDS[kind].score
    assert set(pd.read_csv(tmp_path / "r" / "curves.csv")["quantity"]) == {quantity_of(kind)}
    figure = mv.report.plot_curves(found, "token")
    assert figure.axes[0].get_ylabel() == f"mean {quantity_of(kind)}"
    other = mv.VisionModel(
        model.model, name=model.name, score="raw" if KINDS[kind].score != "raw" else "sigmoid"
    )
    with pytest.raises(mv.InputError, match="holds a study with another plan score"):
        mv.Study(tmp_path / "s", images, model=other, **options).run()


@pytest.mark.slow
@pytest.mark.parametrize("kind", FEW)
def test_a_study_keeps_which_score_it_explained(tmp_path, kind):
    model = model_with(kind)
    model.processor = mv.load("demo-vit", device="cpu").processor
    model.processor.size = {"height": 16, "width": 16}
    study = mv.Study(images=PHOTOS, out=tmp_path / "s", model=model, steps=4).run(progress=False)
    assert study.failures().empty
    assert set(study.image_table()["score"]) == {quantity_of(kind)} == set(study.scores()["score"])
    for path, facts in zip(PHOTOS, study.image_table().to_dict("records"), strict=True):
        own = own_scores(model, kind, model.picture(path).pixels)[0]
        assert facts["probability"] == pytest.approx(own[facts["explained"]], abs=1e-5)
    for _, kept in kept_of(study.store, Group((), (), MASKS, "mutex"), 0, model.name).values():
        again = kept.base
        assert again.score is SCORES[KINDS[kind].score]
        again.save(tmp_path / "e.npz")
        assert np.allclose(mv.Explanation.load(tmp_path / "e.npz").heatmap, again.heatmap)


@pytest.mark.parametrize("kind", ["one logit", "regression"])
def test_the_true_class_of_one_output_is_not_guessed(tmp_path, kind):
    model = model_with(kind)
    model.processor = mv.load("demo-vit", device="cpu").processor
    model.processor.size = {"height": 16, "width": 16}
    model.model.config.id2label = {0: "cat"}
    paths = [str(path) for path in PHOTOS]
    names = list(PICTURES)
    images = mv.images(
        paths, labels={f"{names[0]}.jpg": "0", f"{names[1]}.jpg": "1", f"{names[2]}.jpg": "cat"}
    )
    facts = (
        mv.Study(images=images, out=tmp_path / "s", model=model, steps=2)
        .run(progress=False)
        .image_table()
    )
    correct = [None if pd.isna(each) else bool(each) for each in facts["correct"]]
    yes = model.classify(model.picture(paths[2]).pixels)[0, 0] >= 0.5
    assert correct == [None, None, bool(yes) if kind == "one logit" else None]
    with pytest.raises(mv.InputError, match="give target='predicted'"):
        mv.Study(images=images, out=tmp_path / "t", model=model, target="true").run(progress=False)


@pytest.mark.slow
@pytest.mark.parametrize("kind", FEW)
def test_sanity_checks_run(pixels, kind):
    model = model_with(kind)
    table = mv.evaluation.parameter_randomisation(model, pixels(), "rollout", label=0)
    assert table["probability"].iloc[0] == pytest.approx(
        own_scores(model, kind, pixels())[0, 0], abs=1e-5
    )
    assert table["probability"].nunique() > 1
    assert set(table["score"]) == {quantity_of(kind)}
    same = [
        mv.evaluation.noise_stability(model, pixels(), "rollout", draws=2)["same_class"],
        mv.evaluation.flip_stability(model, pixels(), "rollout")["same_class"],
    ]
    for column in same:
        assert (
            column.isna().all() if KINDS[kind].score == "raw" else column.isin([True, False]).all()
        )
    found = mv.evaluation.greedy_ceiling(model, pixels(), "token", at_once=4, steps=4, label=0)
    best = {name: each.insertion.auc for name, each in found.faithfulness.items()}
    random = mv.evaluate(model, pixels(), ORDER, label=0, protocol="token", steps=4)
    assert best["insertion"] >= random.insertion.auc - 1e-6


def test_mosaics_are_of_classes(pixels):
    labelled = [(pixels(seed=seed), seed % 4) for seed in range(4)]
    with pytest.raises(mv.InputError, match="gives a predicted value, which no class is sure by"):
        mv.evaluation.draw_mosaics(model_with("several values"), labelled, shape=(1, 2), count=1)
    with pytest.raises(mv.InputError, match="4 cells need as many classes"):
        mv.evaluation.draw_mosaics(model_with("one logit"), labelled, count=1)


def test_what_was_seen_of_many_classes_is_forgotten_in_time(pixels, monkeypatch):
    from multiplex_vit.evaluation import many

    model = model_with("two")
    monkeypatch.setattr(many, "MOST_BYTES", 10 * 2 * 4)
    shown = Remembering(model, pixels())
    kept = np.eye(16, dtype=bool)
    first = shown.probabilities(model.embed(pixels()), kept)
    assert torch.allclose(first, model.probabilities(model.embed(pixels()), kept), atol=1e-6)
    assert shown.n_shown == 16
    assert torch.allclose(shown.probabilities(model.embed(pixels()), kept), first, atol=1e-6)
    assert shown.n_shown == 16 + 6, "ten were remembered"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "said"),
    [("one logit", "(sigmoid p = "), ("regression", "(predicted value "), ("two", "(p = ")],
)
def test_the_command_line_says_which_score_it_prints(tmp_path, capsys, kind, said):
    model = model_with(kind)
    model.model.save_pretrained(tmp_path / "m")
    processor = mv.load("demo-vit", device="cpu").processor
    processor.size = {"height": 16, "width": 16}
    processor.save_pretrained(tmp_path / "m")
    common = [
        "--model",
        str(tmp_path / "m"),
        "--device",
        "cpu",
        "--steps",
        "4",
        "--out",
        str(tmp_path / "o"),
    ]
    assert main(["explain", *common]) == 0
    assert said in capsys.readouterr().out
    table = pd.read_csv(tmp_path / "o" / "explanations.csv")
    assert table["score"].tolist() == table["quantity"].tolist() == [quantity_of(kind)]
    assert main(["explain", *common, "--score", "raw"]) == 0
    assert "(predicted value " in capsys.readouterr().out
    assert main(["explain", *common, "--score", "odds"]) == 2
    assert "unknown score 'odds'" in capsys.readouterr().err
