import math
import warnings

import numpy as np
import pytest
import torch
from attention_masks import masks_of
from fake import FakeModel
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats
from small import PHOTOS

import multiplex_vit as mv
from multiplex_vit.models.operators import OPERATORS
from multiplex_vit.network.filters import without_weak
from multiplex_vit.network.layer import Layer
from multiplex_vit.saliency.masks import Masks
from multiplex_vit.saliency.numerics import keep_published as keep
from multiplex_vit.saliency.ranked import layer_values, node_values

warnings.filterwarnings("ignore", message=".*see masks.table")
PIXELS = np.zeros((1, 3, 2, 3), dtype=np.float32)


# --- keep and prune ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "token_ratio", "kept"),
    [
        ([1, 2, 3, 4], 0.5, [0, 1, 1, 1]),
        ([1, 2, 3, 4], 0.51, [0, 0, 1, 1]),
        ([1, 2, 3, 4], 0.0, [1, 1, 1, 1]),
        ([1, 2, 3, 4], 1.0, [0, 0, 0, 1]),
        ([7, 7, 7, 7], 1.0, [1, 1, 1, 1]),
        ([1, 2, 2, 2], 0.75, [0, 1, 1, 1]),
        ([math.nan, 1, 2, 3], 0.5, [0, 0, 1, 1]),
        ([math.nan, math.nan, 2, 3], 0.5, [0, 0, 0, 1]),
        ([math.nan, math.nan, math.nan, 3], 0.5, [0, 0, 0, 0]),
        ([math.nan] * 4, 0.0, [0, 0, 0, 0]),
    ],
)
def test_keep_by_hand(values, token_ratio, kept):
    assert keep(torch.tensor(values, dtype=torch.float32), token_ratio).int().tolist() == kept


def test_half_of_196_keeps_99():
    assert keep(torch.arange(196.0), 0.5).sum() == 99


@given(
    values=arrays(np.float32, 12, elements=st.floats(-5, 5, width=32) | st.just(math.nan)),
    token_ratio=st.floats(0, 1),
)
def test_keep_is_the_definition(values, token_ratio):
    ascending = sorted(values.tolist(), key=lambda v: (math.isnan(v), v))
    threshold = ascending[max(1, math.ceil(12 * token_ratio)) - 1]
    assert keep(torch.from_numpy(values), token_ratio).tolist() == [
        v >= threshold for v in values.tolist()
    ]


@given(
    weights=arrays(np.float32, (2, 4, 4), elements=st.floats(0, 1, width=32)),
    min_cut=st.floats(0, 1),
)
def test_both_prunings_agree(weights, min_cut):
    network = mv.Multiplex(weights, (2, 2)).prune(min_cut).weights
    assert np.array_equal(without_weak(torch.from_numpy(weights), min_cut).numpy(), network)


# --- the contract of every statistic and operator ---------------------------------------------------------------------


@pytest.mark.parametrize("name", mv.STATISTICS)
@pytest.mark.parametrize("n_layers", [1, 2, 5, 12])
def test_a_statistic_keeps_its_contract(name, n_layers):
    values = torch.rand(n_layers, 7, generator=torch.Generator().manual_seed(1))
    before = values.clone()
    result = node_values(values, name)
    assert (result.shape, result.dtype) == ((7,), torch.float32)
    assert torch.equal(values, before)
    assert torch.equal(result, node_values(values, name)) or result.isnan().all()
    if n_layers > 1:
        assert result.isfinite().all()
        order = torch.randperm(7, generator=torch.Generator().manual_seed(2))
        assert torch.allclose(node_values(values[:, order], name), result[order])


@pytest.mark.parametrize(
    ("name", "reference"),
    [
        ("coherence", lambda c: stats.entropy(c)),
        ("max", lambda c: c.max(0)),
        ("min", lambda c: c.min(0)),
        ("sum", lambda c: c.sum(0)),
        ("std", lambda c: c.std(0, ddof=1)),
        ("sum/std", lambda c: c.sum(0) / (c.std(0, ddof=1) + 1e-8)),
        ("median", lambda c: np.sort(c, 0)[(len(c) - 1) // 2]),
        ("skew", lambda c: stats.skew(c)),
        ("kurtosis", lambda c: stats.kurtosis(c)),
    ],
)
@pytest.mark.parametrize("n_layers", [4, 5])
def test_statistics_against_their_definitions(name, reference, n_layers):
    values = np.random.default_rng(3).random((n_layers, 20))
    assert node_values(torch.tensor(values, dtype=torch.float32), name).numpy() == pytest.approx(
        reference(values), rel=1e-4, abs=1e-5
    )


def test_statistics_of_hard_cases():
    constant, zeros, one = torch.full((4, 3), 0.5), torch.zeros(4, 3), torch.rand(1, 3)
    assert node_values(zeros, "coherence").tolist() == [0, 0, 0]
    assert node_values(constant, "coherence").tolist() == pytest.approx([math.log(4)] * 3)
    for name in ("skew", "kurtosis"):
        assert node_values(constant, name).isnan().all()
    for name in ("std", "sum/std", "skew", "kurtosis"):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert node_values(one, name).isnan().all()


@pytest.mark.parametrize("name", OPERATORS)
def test_an_operator_keeps_its_contract(name):
    attention = torch.rand(2, 3, 4, 4, generator=torch.Generator().manual_seed(1)).softmax(-1)
    before = attention.clone()
    pooled = OPERATORS[name](attention)
    assert (pooled.shape, pooled.dtype) == ((2, 4, 4), torch.float32)
    assert torch.equal(attention, before)
    assert torch.allclose(OPERATORS[name](attention.flip(1)), pooled), (
        "the order of heads does not matter"
    )


# --- masks ------------------------------------------------------------------------------------------------------------


def test_the_published_settings_make_54_masks_in_the_published_order():
    masks = masks_of(torch.rand(3, 4, 6, 6), mv.Settings())
    assert masks.kept.shape == (54, 6)
    assert masks.labels[0] == ("min", "in_strength", "coherence")
    assert masks.labels[9] == ("min", "out_strength", "coherence")
    assert masks.labels[18] == ("max", "in_strength", "coherence")
    assert masks.labels[-1] == ("sum", "out_strength", "kurtosis")


def test_the_starting_layer_leaves_earlier_ones_out():
    attention = torch.rand(1, 4, 6, 6)
    choices = {"operators": ("sum",), "statistics": ("max", "std")}
    later = masks_of(attention, mv.Settings(starting_layer=2, **choices))
    assert np.array_equal(later.kept, masks_of(attention[:, 2:], mv.Settings(**choices)).kept)
    with pytest.raises(mv.InputError, match="starting_layer is 4; the model has layers 0 to 3"):
        masks_of(attention, mv.Settings(starting_layer=4, operators="sum"))


def test_the_table_counts_repeats_empty_and_full():
    kept = np.array([[1, 0], [0, 0], [1, 0], [1, 1], [0, 0]], dtype=bool)
    masks = Masks(
        kept, tuple(("sum", "in_strength", f"s{i}") for i in range(5)), ("centrality",) * 5
    )
    assert masks.table()["repeats"].tolist() == [-1, -1, 0, -1, 1]
    assert masks.table()["kept"].tolist() == [1, 0, 1, 2, 0]
    assert masks.summary() == "5 masks, 3 distinct; 2 keep nothing, 1 keeps everything"
    first, inverse = masks.distinct()
    assert np.array_equal(kept[first][inverse], kept)


@given(kept=arrays(bool, (9, 3)))
def test_distinct_masks_give_all_back(kept):
    masks = Masks(kept, (("a", "b", "c"),) * 9, ("centrality",) * 9)
    first, inverse = masks.distinct()
    assert np.array_equal(kept[first][inverse], kept)
    assert len({tuple(row) for row in kept.tolist()}) == len(first)
    assert list(first) == sorted(first)


def test_a_centrality_of_ones_own():
    def corner(weights):
        return weights[0]

    weights = torch.rand(2, 4, 4)
    layers = [Layer(layer) for layer in weights.numpy()]
    assert torch.equal(layer_values(weights, corner, layers), weights[:, 0])
    with pytest.raises(
        mv.InputError, match=r"centrality <lambda> returned shape \[2\]; expected \[4\]"
    ):
        layer_values(weights, lambda w: w[0, :2], layers)
    with pytest.raises(mv.InputError, match="centrality <lambda> returned NaN for 8 of 8 values"):
        layer_values(weights, lambda w: w[0] * np.nan, layers)
    with pytest.raises(mv.InputError, match="statistic .* returned shape"):
        node_values(weights[0], lambda values: values.sum())


# --- settings ---------------------------------------------------------------------------------------------------------


def test_settings_are_hashable_and_come_back():
    settings = mv.Settings(min_cut=0.1, operators=["sum"])
    assert settings == mv.Settings(min_cut=0.1, operators=("sum",))
    assert mv.Settings(starting_layer=np.int64(2), min_cut=np.float32(0.5)) == mv.Settings(
        starting_layer=2, min_cut=0.5
    )
    assert hash(settings) == hash(mv.Settings(**settings.record()))
    assert mv.Settings(**settings.record()) == settings
    assert settings.row()["statistics"] == "coherence+max+min+sum+std+sum/std+median+skew+kurtosis"


@pytest.mark.parametrize(
    ("choices", "message"),
    [
        ({"min_cut": -0.1}, "min_cut is -0.1; give a number from 0 to 1"),
        ({"min_cut": math.nan}, "min_cut is nan"),
        ({"token_ratio": 1.01}, "token_ratio is 1.01"),
        ({"token_ratio": "half"}, "token_ratio is 'half'"),
        ({"token_ratio": None}, "token_ratio is None"),
        (
            {"starting_layer": -1},
            "starting_layer is -1; give a whole number of at least 0",
        ),
        ({"starting_layer": math.inf}, "starting_layer is inf"),
        ({"starting_layer": "1"}, "starting_layer is '1'"),
        ({"min_cut": True}, "min_cut is True"),
        ({"operators": None}, "at least one name"),
        ({"starting_layer": 0.5}, "starting_layer is 0.5"),
        ({"starting_layer": math.nan}, "starting_layer is nan"),
        ({"operators": ()}, "at least one name"),
        ({"statistics": ("max", "max")}, "holds a name twice"),
        ({"statistics": (3,)}, "give at least one name or function"),
    ],
)
def test_bad_settings(choices, message):
    with pytest.raises(mv.InputError, match=message):
        mv.Settings(**choices)


@pytest.mark.parametrize(
    ("choices", "message"),
    [
        (
            {"statistics": ("medain",)},
            r"unknown statistic 'medain' \(did you mean 'median'\?\); known: coherence",
        ),
        ({"operators": "avg"}, "unknown head operator 'avg'"),
        ({"centralities": ("betweeness",)}, "unknown centrality 'betweeness'"),
        (
            {"mincut": 0.1},
            r"explainer mutex has no option 'mincut' \(did you mean 'min_cut'\?\); known: min_cut",
        ),
    ],
)
def test_names_are_checked_before_any_pass(choices, message):
    model = FakeModel()
    with pytest.raises(mv.InputError, match=message):
        mv.explain(model, PIXELS, **choices)
    assert model.sequences == 0


def test_options_change_settings_that_are_given_as_a_method():
    settings = mv.Settings(token_ratio=0.25, min_cut=0.5)
    found = mv.explain(FakeModel(), PIXELS, method=settings, min_cut=0.1)
    assert found.settings == mv.Settings(token_ratio=0.25, min_cut=0.1)


# --- explanations -----------------------------------------------------------------------------------------------------


def test_the_heatmap_of_a_known_model_is_known(fake):
    explanation = mv.explain(fake, PIXELS)
    kept = explanation.masks.kept.astype(float)
    confidence = 0.1 + kept @ FakeModel.worth
    assert explanation.confidence == pytest.approx(confidence)
    expected = [confidence[kept[:, i] > 0].mean() if kept[:, i].any() else 0 for i in range(6)]
    assert explanation.heatmap.ravel() == pytest.approx(expected)
    assert explanation.heatmap.shape == (2, 3)


def test_passes_are_counted(fake):
    explanation = mv.explain(fake, PIXELS)
    assert (
        fake.sequences
        == explanation.forward_passes
        == len(explanation.masks.distinct()[0]) + 1
        < 55
    )


def test_the_label_may_be_given_and_zero_is_a_class(fake):
    assert mv.explain(fake, PIXELS).label == 0
    assert mv.explain(fake, PIXELS, label=1).label == 1
    assert mv.explain(fake, PIXELS, label=0).label == 0


def test_every_class_from_one_run(fake):
    explanation = mv.explain(fake, PIXELS)
    passes = fake.sequences
    other = explanation.for_class(1)
    assert fake.sequences == passes
    assert other.heatmap == pytest.approx(mv.explain(fake, PIXELS, label=1).heatmap)
    contrast = explanation.contrast(0, 1)
    assert contrast.heatmap == pytest.approx(explanation.heatmap - other.heatmap, abs=1e-6)
    assert contrast.label_name == "thing - other"
    assert np.array_equal(explanation.for_class("other").heatmap, other.heatmap)
    for bad in (2, -1, True):
        with pytest.raises(mv.InputError, match="out of range"):
            explanation.for_class(bad)


def test_a_subset_with_functions_of_ones_own_can_be_run_again(fake):
    def mine(values):
        return values[0]

    part = mv.explain(fake, PIXELS, statistics=("max", mine)).subset(statistic="mine")
    assert part.settings.statistics == (mine,)
    assert np.array_equal(mv.explain(fake, PIXELS, method=part.settings).heatmap, part.heatmap)


def test_results_cannot_be_changed_by_accident(fake):
    with pytest.raises(ValueError, match="read-only"):
        mv.explain(fake, PIXELS).heatmap[:] = 0


@pytest.mark.parametrize(
    ("chosen", "choices"),
    [
        ({"direction": "in"}, {"centralities": ("in_strength",)}),
        ({"operator": "sum"}, {"operators": ("sum",)}),
        (
            {"statistic": ["max", "median"], "direction": "out"},
            {"centralities": ("out_strength",), "statistics": ("max", "median")},
        ),
    ],
)
def test_a_subset_equals_a_run_with_those_settings(tiny, pixels, chosen, choices):
    model = tiny("ViT")
    part = mv.explain(model, pixels()).subset(**chosen)
    again = mv.explain(model, pixels(), **choices)
    assert part.settings == again.settings
    assert part.masks.labels == again.masks.labels
    assert np.array_equal(part.masks.kept, again.masks.kept)
    assert part.heatmap == pytest.approx(again.heatmap, abs=1e-6)


@pytest.mark.parametrize(
    ("chosen", "message"),
    [
        ({"operator": "mean"}, "no mask has operator 'mean'; here are min, max, sum"),
        (
            {"layer": "3"},
            "masks have no 'layer'; give operator, centrality, statistic, design or direction",
        ),
        ({"direction": "up"}, "no mask has direction 'up'"),
    ],
)
def test_bad_subsets(fake, chosen, message):
    with pytest.raises(mv.InputError, match=message):
        mv.explain(fake, PIXELS).subset(**chosen)


def test_saved_and_loaded(fake, tmp_path):
    def mine(weights):
        return weights.max(0)

    explanation = mv.explain(fake, PIXELS, centralities=("in_strength", mine)).contrast(0, 1)
    explanation.save(tmp_path / "a.npz")
    loaded = mv.Explanation.load(tmp_path / "a.npz")
    assert np.array_equal(loaded.heatmap, explanation.heatmap)
    assert loaded.masks.labels == explanation.masks.labels
    assert (loaded.label, loaded.against, loaded.classes, loaded.grid) == (
        0,
        1,
        ("thing", "other"),
        (2, 3),
    )
    assert loaded.settings.centralities == ("in_strength", "mine")
    assert repr(loaded) == repr(explanation)
    with pytest.raises(mv.InputError, match="ends in .npz"):
        explanation.save(tmp_path / "a.pkl")


def test_files_that_are_no_explanation(tmp_path):
    (tmp_path / "text.npz").write_text("hello")
    mv.explain(FakeModel(), PIXELS).save(tmp_path / "whole.npz")
    whole = (tmp_path / "whole.npz").read_bytes()
    (tmp_path / "cut.npz").write_bytes(whole[: len(whole) // 2])
    changed = dict(np.load(tmp_path / "whole.npz"))
    np.savez(
        tmp_path / "label.npz",
        **{
            **changed,
            "facts": np.array(str(changed["facts"]).replace('"label": 0', '"label": 99')),
        },
    )
    np.savez(tmp_path / "shapes.npz", **{**changed, "clean": np.zeros(5)})
    np.savez(tmp_path / "other.npz", a=np.arange(3))
    np.savez(tmp_path / "pickled.npz", facts=np.array([{}], dtype=object))
    for name in ("text", "other", "pickled", "cut", "label", "shapes"):
        with pytest.raises(mv.InputError, match="is not a saved explanation"):
            mv.Explanation.load(tmp_path / f"{name}.npz")
    with pytest.raises(mv.InputError, match="no such file"):
        mv.Explanation.load(tmp_path / "missing.npz")


def test_one_warning_tells_of_masks_without_a_choice(fake):
    with pytest.warns(
        UserWarning,
        match=r"54 masks, \d+ distinct; \d+ keeps? nothing, \d+ keeps? everything",
    ) as caught:
        mv.explain(fake, PIXELS, starting_layer=3)
    assert len(caught) == 1


def test_a_list_of_images(demo_vit):
    photos = tuple(PHOTOS[:2])
    together = mv.explain(demo_vit, photos, label="dog")
    assert [e.label_name for e in together] == ["dog", "dog"]
    assert np.array_equal(together[1].heatmap, mv.explain(demo_vit, photos[1], label="dog").heatmap)


@given(seed=st.integers(0, 1000))
def test_renumbering_nodes_renumbers_the_heatmap(seed):
    """The method knows no positions: permuting nodes of the attention and of their worth permutes the heatmap."""
    order = np.random.default_rng(seed).permutation(6)
    plain, turned = FakeModel(seed=seed), FakeModel(seed=seed)
    turned.attention = turned.attention[..., order, :][..., order]
    turned.worth = FakeModel.worth[order]
    exact = {
        "operators": ("min",),
        "statistics": ("max", "min", "median"),
        "min_cut": 0,
    }
    assert mv.explain(turned, PIXELS, **exact).heatmap.ravel() == pytest.approx(
        mv.explain(plain, PIXELS, **exact).heatmap.ravel()[order], abs=1e-6
    )


def test_multiplex_is_the_network_that_explain_uses(demo_vit):
    net = mv.multiplex(demo_vit, mv.samples()["cat"], operator="sum", min_cut=0.01)
    assert net.weights.shape == (6, 64, 64)
    assert net.provenance["operator"] == "sum"
    for measure in ("in_strength", "out_strength"):
        values = torch.tensor(
            net.node_table([measure])[measure].to_numpy(dtype=np.float32).reshape(6, 64)
        )
        masks = mv.explain(
            demo_vit,
            mv.samples()["cat"],
            operators="sum",
            centralities=measure,
            statistics=("max", "min"),
        ).masks
        agree = [
            keep(node_values(values, s), 0.5).numpy() == k
            for s, k in zip(("max", "min"), masks.kept, strict=True)
        ]
        assert np.mean(agree) > 0.99
