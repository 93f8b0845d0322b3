"""Explanations and settings come back from files as they were, however their choices were spelled."""

import functools
import json
import warnings
from pathlib import Path

import numpy as np
import pytest
from fake import FakeModel

import multiplex_vit as mv

warnings.filterwarnings("ignore", message=".*see masks.table")
PIXELS = np.zeros((1, 3, 2, 3), dtype=np.float32)
CAT = mv.samples()["cat"]
FIELDS = {
    "operators": mv.models.OPERATORS,
    "centralities": mv.CENTRALITIES,
    "statistics": mv.STATISTICS,
    "design": mv.saliency.DESIGNS,
    "estimator": mv.saliency.ESTIMATORS,
    "graph_operator": mv.models.OPERATORS,
}
MEMBERS = [(field, name) for field, registry in FIELDS.items() for name in registry]
OPTIONS = {
    "smoothness": 0.1,
    "shrinkage": 0.5,
    "ridge": 2.0,
    "damping": 0.5,
    "attenuation": 0.5,
    "length": "log",
}


def spellings_of(field, name):
    """Return a member as a name, the function, a partial, and with options where it has some."""
    registry = FIELDS[field]
    spellings = [name, registry[name], functools.partial(registry[name])]
    for option, value in OPTIONS.items():
        if registry.takes(name, option):
            spellings.append(functools.partial(registry[name], **{option: value}))
            spellings.append(f"{name}({option}={value!r})")
    return spellings


def through_json(settings):
    return mv.Settings(**json.loads(json.dumps(settings.record())))


def saved_and_loaded(explanation, tmp_path):
    explanation.save(tmp_path / "saved.npz")
    return type(explanation).load(tmp_path / "saved.npz")


@pytest.mark.parametrize(("field", "name"), MEMBERS)
def test_settings_come_back_from_json(field, name):
    for spelling in spellings_of(field, name):
        plural = field.endswith("s")
        settings = mv.Settings(**{field: (spelling,) if plural else spelling}).resolved()
        found = through_json(settings).resolved()
        assert found.record() == settings.record()
        member = getattr(found, field)
        member = member[0] if plural else member
        registry = FIELDS[field]
        assert registry.own_name(member) == name
        assert registry.options(spelling).items() <= registry.options(member).items()


@pytest.mark.parametrize("name", mv.saliency.ESTIMATORS)
@pytest.mark.parametrize("smoothness", [10.0, 2.0])
def test_every_estimator_gives_the_same_heatmap_after_loading(tmp_path, name, smoothness):
    for spelling in spellings_of("estimator", name):
        explanation = mv.explain(FakeModel(), PIXELS, estimator=spelling, smoothness=smoothness)
        loaded = saved_and_loaded(explanation, tmp_path)
        assert np.array_equal(loaded.heatmap, explanation.heatmap)
        assert np.array_equal(loaded.for_class(1).heatmap, explanation.for_class(1).heatmap)


def test_the_smoothness_of_a_partial_is_kept(tmp_path):
    rough = functools.partial(mv.saliency.ESTIMATORS["graph"], smoothness=0.1)
    explanation = mv.explain(FakeModel(), PIXELS, estimator=rough)
    expected = rough(explanation.masks.kept, explanation.confidence, explanation.graph)
    loaded = saved_and_loaded(explanation, tmp_path)
    assert loaded.settings.estimator == "graph(smoothness=0.1)"
    assert loaded.heatmap.ravel() == pytest.approx(expected, rel=1e-5)
    assert np.abs(loaded.with_estimator("graph").heatmap - explanation.heatmap).max() > 0.01


@pytest.mark.parametrize("field", ["centralities", "statistics", "design", "estimator"])
def test_a_function_of_ones_own_is_not_taken_for_a_member(tmp_path, field):
    """It may even be named as one: what it gave stays, and what only it can give is refused."""
    registry, name = FIELDS[field], next(iter(FIELDS[field]))
    wrapped = registry[name]

    def own(*given):
        return wrapped(*given)

    own.__name__ = name
    chosen = own if field in ("design", "estimator") else (own,)
    explanation = mv.explain(FakeModel(), PIXELS, **{field: chosen})
    loaded = saved_and_loaded(explanation, tmp_path)
    assert np.array_equal(loaded.masks.kept, explanation.masks.kept)
    with pytest.raises(mv.InputError, match=f"unknown {registry.kind}"):
        loaded.settings.resolved()
    if field == "estimator":
        with pytest.raises(mv.InputError, match="unknown estimator"):
            _ = loaded.heatmap
        assert np.array_equal(loaded.with_estimator(own).heatmap, explanation.heatmap)


@pytest.mark.parametrize("method", list(mv.EXPLAINERS))
def test_every_explainer_is_saved_and_loaded(demo_vit, tmp_path, method):
    explain = mv.EXPLAINERS[method].where_taken(budget=12, seed=1)
    explanation = explain(demo_vit, CAT)
    loaded = saved_and_loaded(explanation, tmp_path)
    assert np.array_equal(loaded.heatmap, explanation.heatmap)
    assert loaded.row() == explanation.row()
    assert repr(loaded) == repr(explanation)
    assert np.array_equal(loaded.view, explanation.view)
    assert loaded.explainer == str(explain)
    assert mv.EXPLAINERS[loaded.explainer] == explain
    assert loaded.table().equals(explanation.table())
    assert (loaded.settings, loaded.passes) == (explanation.settings, explanation.passes)
    if explanation.settings is not None:
        assert through_json(explanation.settings) == loaded.settings.resolved()
    if explanation.masks is not None:
        assert np.array_equal(loaded.masks.kept, explanation.masks.kept)
        assert np.array_equal(loaded.for_class(2).heatmap, explanation.for_class(2).heatmap)
        for estimator in mv.saliency.ESTIMATORS:
            if mv.saliency.ESTIMATORS.trait(estimator, "needs") is None:
                again = loaded.with_estimator(estimator).heatmap
                assert np.array_equal(again, explanation.with_estimator(estimator).heatmap)


@pytest.mark.parametrize("design", ["kernel_shap", "similarity_walks", "tis"])
def test_a_rivals_masks_are_made_by_it_alone(design):
    with pytest.raises(mv.InputError, match=f"unknown mask design '{design}'"):
        mv.explain(FakeModel(), PIXELS, design=design)


def test_a_saved_heatmap_without_masks_is_checked(demo_vit, tmp_path):
    found = mv.EXPLAINERS["rollout"](demo_vit, CAT)
    path = tmp_path / "a.npz"
    found.save(path)
    arrays = dict(np.load(path))
    facts = json.loads(str(arrays["facts"]))
    wrong = [
        {"values": np.full((8, 8), np.nan, dtype=np.float32)},
        {"values": np.zeros((8, 8))},
        {"clean": arrays["clean"][:-1]},
        {"view": np.zeros((0, 0, 3), dtype=np.uint8)},
        {"facts": np.array(json.dumps({**facts, "label": 10}))},
        {"facts": np.array(json.dumps({**facts, "classes": [1] * 10}))},
        {"more": np.zeros(3)},
        {"kept": np.zeros((1, 64), dtype=bool)},
        {"probabilities": np.zeros((1, 10), dtype=np.float32)},
        {"facts": np.array(json.dumps({**facts, "labels": [["", "", ""]], "designs": [""]}))},
    ]
    for change in wrong:
        np.savez(tmp_path / "b.npz", **{**arrays, **change})
        with pytest.raises(mv.InputError, match="is not a saved explanation, or is damaged"):
            mv.Explanation.load(tmp_path / "b.npz")
    with pytest.raises(mv.InputError, match=r"ends in \.npz"):
        found.save(tmp_path / "a.txt")
    assert [file.name for file in sorted(Path(tmp_path).iterdir())] == ["a.npz", "b.npz"]


def test_ablations_take_a_design_however_it_is_spelled():
    for design in (
        "centrality",
        mv.saliency.DESIGNS["centrality"],
        functools.partial(mv.saliency.DESIGNS["centrality"]),
    ):
        explainers = mv.ablations(mv.EXPLAINERS["mutex"].at(design=design), leave_out="direction")
        assert len(explainers) == 3
        assert [len(each.settings.centralities) for each in explainers] == [2, 1, 1]
