"""A saved explanation is checked when it is loaded: every fact and array, changed in every way."""

import json

import numpy as np
import pytest
from fake import FakeModel
from hostile import FILES, refused
from mutations import arrays_of, damaged_files, facts_of, with_facts, wrong_arrays

import multiplex_vit as mv

PIXELS = np.full((1, 3, 2, 3), 0.25, dtype=np.float32)
NOT_OURS = "is not a saved explanation, or is damaged"


@pytest.fixture
def whole(tmp_path):
    explanation = mv.explain(FakeModel(), PIXELS, estimator="graph", prior="direct")
    explanation.save(tmp_path / "whole.npz")
    return tmp_path / "whole.npz"


def refuse(path, arrays, damage):
    np.savez(path, **arrays)
    with refused(NOT_OURS):
        mv.Explanation.load(path)
        pytest.fail(f"accepted: {damage}")


def test_a_whole_one_comes_back(whole):
    loaded = mv.Explanation.load(whole)
    assert set(arrays_of(whole)) >= {"facts", "kept", "probabilities", "clean", "view", "graph"}
    assert loaded.heatmap.shape == (2, 3)


def test_every_array_changed_in_every_way_is_refused(whole):
    arrays = arrays_of(whole)
    count = 0
    for name, array in arrays.items():
        if name == "facts":
            continue
        for damage, changed in wrong_arrays(name, array):
            # A picture may have any height and width.
            if name == "view" and "along" in damage and "along 2" not in damage and changed.size:
                continue
            refuse(whole, {**arrays, name: changed}, damage)
            count += 1
    assert count > 90


def test_every_array_is_needed_and_no_other_is_taken(whole):
    arrays = arrays_of(whole)
    for name in ("facts", "kept", "probabilities", "clean", "view"):
        refuse(whole, {key: array for key, array in arrays.items() if key != name}, name)
    refuse(whole, {**arrays, "extra": np.zeros(3)}, "extra")
    for one, other in (("kept", "clean"), ("graph", "prior"), ("view", "kept")):
        refuse(whole, {**arrays, one: arrays[other], other: arrays[one]}, f"{one} and {other}")


RANGES = {
    "probabilities": (7, -0.5, 1.5),
    "clean": (7, -0.5),
    "graph": (-1,),
}


@pytest.mark.parametrize("name", RANGES)
def test_values_out_of_range_are_refused(whole, name):
    arrays = arrays_of(whole)
    for value in RANGES[name]:
        changed = arrays[name].copy()
        changed.flat[0] = value
        refuse(whole, {**arrays, name: changed}, f"{name} {value}")


@pytest.mark.parametrize("name", ["probabilities", "clean"])
def test_probabilities_that_do_not_add_up_are_refused(whole, name):
    arrays = arrays_of(whole)
    refuse(whole, {**arrays, name: arrays[name] / 2}, name)


WRONG = [None, True, -1, 0.5, "1", "", [], {}, [[]], [1, 2, 3], {"a": 1}]
FACTS = {
    "format": ["multiplex_vit explanation 1", *WRONG],
    "label": [99, 2, *WRONG],
    "against": [99, 2, *(value for value in WRONG if value is not None)],
    "grid": [[-8, -8], [-2, -3], [3, 2.0], [1, 5], [0, 6], [10**6, 10**6], ["2", "3"], *WRONG],
    "classes": [[1, 2], ["a"], ["a", "b", "c"], ["a", None], [["a"], ["b"]], *WRONG],
    "settings": [{"min_cut": 7}, {"min_cut": "a"}, {"nonsense": 1}, {"operators": 3}, *WRONG[:-1]],
    "explainer": [value for value in WRONG if not isinstance(value, str)],
    "forward_passes": [10.5, *(value for value in WRONG)],
    "backward_passes": [10.5, *(value for value in WRONG)],
    "model": [value for value in WRONG if not isinstance(value, str)],
    "score": ["odds", "probability (softmax)", *WRONG],
    "labels": [[["a", "b", "c"]], [["a", "b"]] * 54, [["a", "b", 1]] * 54, ["abc"] * 54, *WRONG],
    "designs": [["centrality"], [1] * 54, [None] * 54, *WRONG],
}
"""Wrong values of every fact; the explanation has 2 classes, 54 masks and a grid of 2 x 3."""


@pytest.mark.parametrize("name", FACTS)
def test_every_fact_changed_in_every_way_is_refused(whole, name):
    arrays = arrays_of(whole)
    assert set(FACTS) <= set(facts_of(whole))
    for value in FACTS[name]:
        # An empty table of settings stands for the published ones.
        if (name, value) != ("settings", {}):
            refuse(whole, with_facts(arrays, **{name: value}), f"{name} {value!r}")
    facts = {key: value for key, value in facts_of(whole).items() if key != name}
    refuse(whole, {**arrays, "facts": np.array(json.dumps(facts))}, f"{name} is missing")


@pytest.mark.parametrize(
    "facts",
    ["", "{", "[]", "null", '{"format": NaN}', "[" * 100_000, '{"a": 1, "a": 2}'],
)
def test_facts_that_are_none_are_refused(whole, facts):
    refuse(whole, {**arrays_of(whole), "facts": np.array(facts)}, facts[:20])


def test_facts_of_another_kind_are_refused(whole):
    arrays = arrays_of(whole)
    for facts in (np.array(b"{}"), np.array([str(arrays["facts"])]), np.array(1), np.zeros((2, 2))):
        refuse(whole, {**arrays, "facts": facts}, str(facts.dtype))
    refuse(whole, with_facts(arrays, more=1), "more")


def test_every_damaged_file_is_refused(whole):
    same = mv.Explanation.load(whole)
    for damage, content in damaged_files(whole):
        whole.write_bytes(content)
        if damage.startswith("flipped"):
            # A flipped bit may lie where nothing depends on it, but never changes a value.
            try:
                loaded = mv.Explanation.load(whole)
            except mv.InputError:
                continue
            assert np.array_equal(loaded.heatmap, same.heatmap)
            continue
        with refused(NOT_OURS):
            mv.Explanation.load(whole)
            pytest.fail(f"accepted: {damage}")


@pytest.mark.parametrize("kind", FILES)
def test_odd_files_are_refused(tmp_path, kind):
    FILES[kind](tmp_path / "odd.npz")
    with refused():
        mv.Explanation.load(tmp_path / "odd.npz")


def test_explanations_of_one_class_come_back(tmp_path):
    """Studies keep the probability of the class explained alone, so that it need not be 1."""
    explanation = mv.explain(FakeModel(), PIXELS)
    arrays_and_classes = {
        "probabilities": explanation.probabilities[:, :1],
        "clean": explanation.clean[:1],
        "classes": ("thing",),
    }
    one = mv.Explanation(**{**vars(explanation), **arrays_and_classes})
    one.save(tmp_path / "one.npz")
    loaded = mv.Explanation.load(tmp_path / "one.npz")
    assert loaded.heatmap == pytest.approx(explanation.heatmap, abs=1e-6)
