"""A comparison's folder is checked when it is read: every file of it, changed in every way."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest
from hostile import FILES, refused
from mutations import arrays_of, damaged_files, wrong_arrays

import multiplex_vit as mv

FILES_OF_ONE = ("comparison.json", "comparison.csv", "curves.csv", "heatmaps.npz")


@pytest.fixture(scope="module")
def kept(tmp_path_factory, demo_vit):
    folder = tmp_path_factory.mktemp("kept")
    photos = {name: mv.samples()[name] for name in ("cat", "horse")}
    options = {"methods": ["tis", "random_order"], "budgets": 8, "steps": 4}
    mv.compare(demo_vit, photos, out=folder, **options)
    return folder


@pytest.fixture
def folder(kept, tmp_path):
    return shutil.copytree(kept, tmp_path / "comparison")


def refuse(folder, damage):
    with refused():
        mv.Comparison.read(folder)
        pytest.fail(f"accepted: {damage}")


def test_a_whole_one_comes_back(folder):
    assert all((folder / name).exists() for name in FILES_OF_ONE)
    found = mv.Comparison.read(folder)
    assert len(found.rows) == 8
    assert len(found.shown) == 2


@pytest.mark.parametrize("name", FILES_OF_ONE)
@pytest.mark.parametrize("kind", FILES)
def test_odd_files_are_refused(folder, name, kind):
    (folder / name).unlink()
    FILES[kind](folder / name)
    # Curves and heatmaps that are not there were not kept.
    if kind in ("dangling", "loop") and name in ("curves.csv", "heatmaps.npz"):
        mv.Comparison.read(folder)
        return
    refuse(folder, f"{name} is {kind}")


WRONG = [True, -1, 0.5, [], {}, [1]]
FACTS = {
    "format": ["multiplex_vit comparison 2", None, "", *WRONG],
    "model": [None, *WRONG],
    "score": [None, "", "odds", "probability (softmax)", *WRONG],
    "steps": [0, "4", *WRONG],
    "label": WRONG,
    "seed": [None, "0", *WRONG],
}


@pytest.mark.parametrize("name", FACTS)
def test_every_fact_changed_in_every_way_is_refused(folder, name):
    path = folder / "comparison.json"
    facts = json.loads(path.read_text())
    assert set(FACTS) == set(facts)
    for value in FACTS[name]:
        path.write_text(json.dumps({**facts, name: value}))
        refuse(folder, f"{name} {value!r}")
    path.write_text(json.dumps({key: value for key, value in facts.items() if key != name}))
    refuse(folder, f"{name} is missing")


def test_a_fact_that_is_unknown_is_refused(folder):
    path = folder / "comparison.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "more": 1}))
    refuse(folder, "more")


NUMBERS = {
    "insertion": ["inf", "a", "-inf"],
    "deletion": ["inf", "a"],
    "difference": ["inf", "a"],
    "forward_passes": ["-1", "inf", "a"],
    "backward_passes": ["-1", "a"],
    "seconds": ["-1", "inf", "a"],
    "budget": ["0", "-5", "1.5", "a", "inf"],
}
POINTS = {"fraction": ["-0.1", "101", "inf", "a"], "confidence": ["inf", "a"]}


@pytest.mark.parametrize(
    ("file", "column", "value"),
    [("comparison.csv", column, value) for column, values in NUMBERS.items() for value in values]
    + [("curves.csv", column, value) for column, values in POINTS.items() for value in values],
)
def test_every_number_changed_is_refused(folder, file, column, value):
    table = pd.read_csv(folder / file, dtype=str, keep_default_na=False)
    table.loc[0, column] = value
    table.to_csv(folder / file, index=False)
    refuse(folder, f"{column} {value}")


@pytest.mark.parametrize("file", ["comparison.csv", "curves.csv"])
def test_rows_that_are_there_twice_and_columns_that_are_not(folder, file):
    table = pd.read_csv(folder / file, dtype=str, keep_default_na=False)
    for name in ("image", "method", "budget", "protocol"):
        table.drop(columns=name).to_csv(folder / file, index=False)
        refuse(folder, f"without {name}")
    pd.concat([table, table[:1]]).to_csv(folder / file, index=False)
    refuse(folder, "a row twice")
    for text in ("", "\n", "\0", "image\n1,2,3,4,5,6,7\n1", '"'):
        (folder / file).write_text(text)
        refuse(folder, repr(text))


def test_every_heatmap_changed_in_every_way_is_refused(folder):
    path = folder / "heatmaps.npz"
    arrays = arrays_of(path)
    count = 0
    for name in ("view0", "heatmap0_0", "heatmap1_1"):
        for damage, changed in wrong_arrays(name, arrays[name]):
            # Pictures may have any height and width.
            if name == "view0" and "along" in damage and "along 2" not in damage and changed.size:
                continue
            np.savez(path, **{**arrays, name: changed})
            refuse(folder, damage)
            count += 1
    assert count > 40
    for name in arrays:
        np.savez(path, **{key: array for key, array in arrays.items() if key != name})
        refuse(folder, f"{name} is missing")
    np.savez(path, **arrays, more=np.zeros(3))
    refuse(folder, "more")


def test_every_fact_of_the_heatmaps_changed_is_refused(folder):
    path = folder / "heatmaps.npz"
    arrays = arrays_of(path)
    one, two = json.loads(str(arrays["facts"]))
    for facts in (
        {},
        None,
        [one],
        [one, two, two],
        [one, one],
        [one, {**two, "image": 3}],
        [one, {**two, "runs": []}],
        [one, {**two, "runs": "mutex"}],
        [one, {**two, "runs": [["mutex", -1], ["random_order", None]]}],
        [one, {**two, "runs": [["mutex", 55.5], ["random_order", None]]}],
        [one, {**two, "runs": [[3, 55], ["random_order", None]]}],
        [one, {**two, "runs": [["mutex"], ["random_order"]]}],
        [one, {"image": "horse"}],
    ):
        np.savez(path, **{**arrays, "facts": np.array(json.dumps(facts))})
        refuse(folder, facts)


def test_every_damaged_file_of_heatmaps_is_refused(folder):
    path = folder / "heatmaps.npz"
    for damage, content in damaged_files(path):
        path.write_bytes(content)
        if not damage.startswith("flipped"):
            refuse(folder, damage)
