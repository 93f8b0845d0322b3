"""The registry of explainers: values with names and options, told apart by what they are."""

import functools
import pickle
import subprocess
import sys

import numpy as np
import pytest
from fake import FakeModel
from small import PHOTOS

import multiplex_vit as mv

PIXELS = np.ones((1, 3, 8, 8), dtype=np.float32)
every_explainer = pytest.mark.parametrize("name", mv.EXPLAINERS)


def corner(model, picture, label=None, *, size=1, seed=0):
    heatmap = np.zeros(model.grid_of(picture.pixels.shape[2:]))
    heatmap[:size, :size] = 1 + seed
    return heatmap


@pytest.fixture
def registered():
    mv.EXPLAINERS.register(corner, kind="rival", forward=0, backward=0)
    yield mv.EXPLAINERS["corner"]
    mv.EXPLAINERS.remove("corner")


# --- every member -----------------------------------------------------------------------------------------------------


@every_explainer
def test_text_and_pickle_give_an_explainer_back(name):
    explainer = mv.EXPLAINERS[name].where_taken(budget=30, seed=3)
    for again in (mv.EXPLAINERS[str(explainer)], pickle.loads(pickle.dumps(explainer))):
        assert again == explainer
        assert hash(again) == hash(explainer)
        assert (again.options, again.settings, again.kind) == (
            explainer.options,
            explainer.settings,
            explainer.kind,
        )
    assert str(explainer) in mv.EXPLAINERS
    assert explainer in mv.EXPLAINERS


@every_explainer
def test_options_that_are_the_defaults_are_no_options(name):
    explainer = mv.EXPLAINERS[name]
    assert explainer.at(**explainer.defaults) == explainer
    assert str(explainer) == name
    assert not explainer.options


@every_explainer
def test_an_explainer_does_not_change(name):
    explainer = mv.EXPLAINERS[name]
    with pytest.raises(AttributeError):
        explainer.name = "other"
    with pytest.raises(TypeError):
        explainer.options["budget"] = 3


@every_explainer
def test_a_wrong_option_is_refused_in_one_line(name):
    with pytest.raises(mv.InputError, match=f"explainer {name} has no option 'sede'"):
        mv.EXPLAINERS[name].at(sede=3)
    assert f"{name}(sede=3)" not in mv.EXPLAINERS


@every_explainer
@pytest.mark.parametrize("budget", [4, 9])
def test_it_takes_no_more_passes_than_it_says(tiny, pixels, name, budget):
    explainer, model = mv.EXPLAINERS[name].where_taken(budget=budget), tiny("ViT")
    found = explainer(model, pixels())
    most = explainer.passes(n_tokens=16, n_layers=model.n_layers)
    assert found.forward_passes <= most.forward
    assert found.backward_passes == most.backward
    assert explainer.gradients is (most.backward > 0)
    exact = explainer.settings is None and name != "kernel_shap" and name != "reversed_order"
    assert not exact or found.forward_passes == most.forward


@pytest.mark.slow
@every_explainer
def test_class_specific_says_whether_the_class_matters(demo_vit, name):
    explainer = mv.EXPLAINERS[name].where_taken(budget=20)
    one, other = (explainer(demo_vit, mv.samples()["cat"], label).heatmap for label in (3, 5))
    assert explainer.class_specific is not np.array_equal(one, other)


@every_explainer
def test_explain_is_the_way_in(tiny, pixels, name):
    model, image = tiny("ViT"), pixels()
    explainer = mv.EXPLAINERS[name].where_taken(budget=12)
    alone = explainer(model, image, "LABEL_2")
    for method in (name, explainer.at(**mv.EXPLAINERS[name].options)):
        options = {"budget": 12} if explainer.takes("budget") else {}
        found = mv.explain(model, image, method=method, label="LABEL_2", **options)
        assert np.array_equal(found.heatmap, alone.heatmap)
    several = mv.explain(model, [image, image], method=explainer, label=["LABEL_2", None])
    assert np.allclose(several[0].heatmap, alone.heatmap, atol=1e-4)
    assert several[1].label == alone.predicted


# --- text and settings ------------------------------------------------------------------------------------------------


def test_the_text_has_what_differs_in_the_order_of_the_fields():
    spelled = mv.EXPLAINERS["mutex(statistics=['max', 'min'], seed=0, min_cut=0.05)"]
    assert str(spelled) == "mutex(min_cut=0.05, statistics=('max', 'min'))"
    assert spelled.settings == mv.Settings(min_cut=0.05, statistics=("max", "min"))
    assert str(mv.EXPLAINERS["communities"].at(seed=3)) == "communities(seed=3)"


def test_members_of_registries_are_written_by_name():
    options = {
        "statistics": [mv.STATISTICS["max"]],
        "estimator": functools.partial(mv.saliency.ESTIMATORS["graph"], smoothness=0.5),
    }
    explainer = mv.EXPLAINERS["mutex"].at(**options)
    assert str(explainer) == "mutex(statistics=('max',), estimator='graph(smoothness=0.5)')"
    assert mv.EXPLAINERS[str(explainer)] == explainer


def test_settings_are_an_explainer_by_the_shortest_text():
    assert str(mv.EXPLAINERS.resolve(mv.Settings(budget=20))) == "mutex(budget=20)"
    communities = mv.EXPLAINERS["communities(budget=20)"]
    assert mv.EXPLAINERS.resolve(communities.settings) == communities


def test_wrong_values_are_refused_at_once():
    for text, message in {
        "mutex(min_cut=3)": "min_cut is 3; give a number from 0 to 1",
        "mutex(statistics='medain')": "unknown statistic 'medain'",
        "rise_tokens(budget=1)": "budget is 1; give a whole number of at least 2",
        "tis(seed=-1)": "seed is -1; give a whole number of at least 0",
        "rise_tokens(budget={})": "budget is {}; give a whole number",
    }.items():
        with pytest.raises(mv.InputError, match=message):
            mv.EXPLAINERS[text]
    for name in (None, 3, ["mutex"]):
        with pytest.raises(mv.InputError, match="an explainer is wanted, not"):
            mv.EXPLAINERS.resolve(name)
    with pytest.raises(mv.InputError, match=r"unknown explainer 'mutx' \(did you mean 'mutex'\?\)"):
        mv.explain(FakeModel(), PIXELS, method="mutx")


# --- functions of one's own -------------------------------------------------------------------------------------------


def test_a_function_of_ones_own_is_an_explainer(demo_vit):
    explainer = mv.Explainer.of(functools.partial(corner, size=2))
    assert (str(explainer), explainer.kind, explainer.passes(64)) == (
        "corner(size=2)",
        "method",
        None,
    )
    assert explainer.takes("size")
    assert not explainer.takes("budget")
    assert explainer == mv.Explainer.of(corner).at(size=2) == pickle.loads(pickle.dumps(explainer))
    assert explainer != mv.Explainer.of(corner)
    assert explainer not in mv.EXPLAINERS
    assert mv.explain(demo_vit, mv.samples()["cat"], method=explainer).heatmap.sum() == 4
    assert mv.explain(demo_vit, mv.samples()["cat"], method=corner, size=3).heatmap.sum() == 9


def test_a_registered_function_is_a_member(registered):
    assert registered == mv.Explainer.of(corner)
    assert mv.Explainer.of(functools.partial(corner, seed=2)) == mv.EXPLAINERS["corner(seed=2)"]
    assert corner in mv.EXPLAINERS
    assert (registered.kind, registered.passes(64)) == ("rival", (0, 0))
    mv.EXPLAINERS.register(corner, kind="rival", forward=0, backward=0)
    with pytest.raises(
        mv.InputError, match=r"explainer 'corner' exists already \(test_explainers.corner\)"
    ):
        mv.EXPLAINERS.register(kind="rival")(pretender())


def pretender():
    def corner(model, picture, label=None):
        raise AssertionError

    return corner


def test_a_function_that_is_named_as_a_member_is_not_taken_for_it(registered):
    other = mv.Explainer.of(pretender())
    assert str(other).endswith("corner")
    assert str(other) != "corner"
    assert other != registered


def test_a_kind_is_one_of_five():
    with pytest.raises(mv.InputError, match="kind is 'best'; give one of 'published'"):
        mv.EXPLAINERS.register(kind="best")
    assert {explainer.kind for explainer in mv.EXPLAINERS.values()} == {
        "published",
        "method",
        "rival",
        "baseline",
        "control",
    }


@pytest.mark.slow
def test_a_pickle_finds_its_function_in_another_process(tmp_path):
    (tmp_path / "expl_own.py").write_text(
        "import multiplex_vit as mv\n@mv.EXPLAINERS.register(kind='rival')\ndef edge(model, picture, label=None, *, width=1): ...\n"
    )
    make = "import expl_own, pickle, sys, multiplex_vit as mv; sys.stdout.buffer.write(pickle.dumps(mv.EXPLAINERS['edge(width=2)']))"
    pickled = subprocess.run(
        [sys.executable, "-c", make], cwd=tmp_path, capture_output=True, check=True
    ).stdout
    show = "import pickle, sys; e = pickle.loads(sys.stdin.buffer.read()); print(e, e.kind)"
    shown = subprocess.run(
        [sys.executable, "-c", show], cwd=tmp_path, input=pickled, capture_output=True, check=True
    ).stdout
    assert shown.decode().strip() == "edge(width=2) rival"


# --- sweeps -----------------------------------------------------------------------------------------------------------


def test_a_sweep_is_every_combination_once():
    swept = mv.sweep(min_cut=[0.01, 0.05], statistics=[("max", "min"), "skew"])
    assert list(map(str, swept)) == [
        "mutex(statistics=('max', 'min'))",
        "mutex(statistics=('skew',))",
        "mutex(min_cut=0.05, statistics=('max', 'min'))",
        "mutex(min_cut=0.05, statistics=('skew',))",
    ]
    assert mv.sweep("rise_tokens", budget=[55, 55, 550]) == [
        mv.EXPLAINERS["rise_tokens"],
        mv.EXPLAINERS["rise_tokens(budget=550)"],
    ]
    assert mv.sweep(mv.EXPLAINERS["communities(seed=3)"], budget=np.array([20])) == [
        mv.EXPLAINERS["communities(budget=20, seed=3)"]
    ]
    assert mv.sweep("rollout") == [mv.EXPLAINERS["rollout"]]


def test_a_sweep_wants_lists():
    with pytest.raises(mv.InputError, match=r"min_cut is 0.05; give a list of the values to take"):
        mv.sweep(min_cut=0.05)
    with pytest.raises(mv.InputError, match="min_cut is empty; give at least one value"):
        mv.sweep(min_cut=[])
    with pytest.raises(mv.InputError, match="explainer mutex has no option 'min_cutt'"):
        mv.sweep(min_cutt=[0.1])


# --- results ----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def result_of(demo_vit):
    """Return a maker of each explainer's result, made once."""

    @functools.cache
    def make(name):
        return mv.EXPLAINERS[name].where_taken(budget=12)(demo_vit, mv.samples()["cat"], "dog")

    return make


@every_explainer
def test_every_result_is_an_explanation_of_the_same_form(result_of, name):
    explainer = mv.EXPLAINERS[name].where_taken(budget=12)
    found = result_of(name)
    assert isinstance(found, mv.Explanation)
    assert (found.explainer, found.label_name, found.grid, found.model) == (
        str(explainer),
        "dog",
        (8, 8),
        "demo-vit",
    )
    assert found.passes == found.forward_passes + found.backward_passes >= 1
    assert found.table().to_dict("records") == [found.row()]
    assert found.row()["explainer"] == str(explainer)
    assert found.plot().get_title() == found.title
    assert (found.settings is None) is (explainer.settings is None)
    assert (found.masks is None) is (found.probabilities is None)
    assert str(explainer) in repr(found)


@every_explainer
def test_what_has_no_masks_says_why_it_has_nothing_of_other_classes(result_of, name):
    found = result_of(name)
    asked = {
        "for_class": lambda: found.for_class("dog"),
        "contrast": lambda: found.contrast("dog", "cat"),
        "subset": lambda: found.subset(design=found.masks.designs[0] if found.masks else "random"),
        "with_estimator": lambda: found.with_estimator("contrast"),
        "estimate": lambda: found.estimate("contrast"),
    }
    for ask in asked.values():
        if found.masks is not None:
            ask()
            continue
        with pytest.raises(mv.InputError, match=f"^{name}.* makes no masks, so ") as caught:
            ask()
        assert len(str(caught.value).splitlines()) == 1


def test_the_text_follows_what_is_changed_without_a_pass(demo_vit):
    found = mv.explain(demo_vit, mv.samples()["cat"])
    assert found.with_estimator("contrast").explainer == "mutex(estimator='contrast')"
    assert found.subset(statistic="max").explainer == "mutex(statistics=('max',))"
    subset = found.subset(statistic="max")
    again = mv.explain(demo_vit, mv.samples()["cat"], method=subset.explainer)
    # Other numbers of masks in a batch round otherwise: by at most 1e-6 (see `PUBLISHED`).
    assert np.abs(again.heatmap - subset.heatmap).max() <= 1e-6


def test_explainers_of_all_kinds_share_passes_where_they_can(demo_vit):
    images = PHOTOS[:2]
    chosen = [
        "mutex",
        "rollout",
        mv.EXPLAINERS["communities(budget=20)"],
        corner,
        mv.Settings(statistics=("max",)),
    ]
    for image, of_image in zip(images, mv.explain_each(demo_vit, images, chosen), strict=True):
        assert [found.explainer for found in of_image] == [
            "mutex",
            "rollout",
            "communities(budget=20)",
            "corner",
            "mutex(statistics=('max',))",
        ]
        for found, method in zip(of_image, chosen, strict=True):
            alone = mv.explain(demo_vit, image, method=method)
            assert np.allclose(found.heatmap, alone.heatmap, atol=1e-4)
            assert (found.label, found.passes) == (alone.label, alone.passes)
    assert len(mv.explain_many(demo_vit, images[0], "rollout")) == 1
    for nothing in ([], 3, None):
        with pytest.raises(mv.InputError, match="give"):
            mv.explain_each(demo_vit, images, nothing)


def test_a_function_returns_a_heatmap_of_the_grid(demo_vit):
    cat = mv.samples()["cat"]

    def transposed(model, picture, label=None):
        return np.ones((4, 16))

    def nothing(model, picture, label=None):
        return None

    with pytest.raises(
        mv.InputError,
        match=r"a heatmap of shape \[4, 16\], or with NaN; expected finite values \[8, 8\]",
    ):
        mv.explain(demo_vit, cat, method=transposed)
    with pytest.raises(
        mv.InputError, match=r"explainer nothing returned NoneType; expected an array \[row, col\]"
    ):
        mv.explain(demo_vit, cat, method=nothing)
    assert mv.explain(demo_vit, cat, method=corner).passes == 1, "that of the whole image"
