import warnings

import numpy as np
import pytest
from fake import FakeModel

import multiplex_vit as mv
from multiplex_vit.network.token_graph import graph_communities, token_graph

warnings.filterwarnings("ignore", message=".*see masks.table")
PIXELS = np.zeros((1, 3, 2, 3), dtype=np.float32)
CAT = mv.samples()["cat"]


@pytest.mark.parametrize("name", mv.saliency.DESIGNS)
def test_a_design_spends_its_budget_and_is_steady(demo_vit, name):
    first = mv.explain(demo_vit, CAT, design=name, budget=21, seed=3)
    again = mv.explain(demo_vit, CAT, design=name, budget=21, seed=3)
    assert first.forward_passes == 21 or (name == "occlusion" and 15 < first.forward_passes < 21)
    assert len(first.masks) == len(first.masks.distinct()[0]) == first.forward_passes - 1
    assert np.array_equal(first.masks.kept, again.masks.kept)
    assert np.array_equal(first.heatmap, again.heatmap)


@pytest.mark.parametrize("name", ["random", "community", "mixed"])
def test_another_seed_draws_other_masks(demo_vit, name):
    kept = [mv.explain(demo_vit, CAT, design=name, seed=seed).masks.kept for seed in (0, 1)]
    assert kept[0].shape == kept[1].shape == (54, 64)
    assert not np.array_equal(*kept)


@pytest.mark.parametrize("name", ["random", "community"])
@pytest.mark.parametrize("token_ratio", [0.25, 0.5, 0.75])
def test_masks_keep_the_share_that_is_asked_for(demo_vit, name, token_ratio):
    share = mv.explain(demo_vit, CAT, design=name, token_ratio=token_ratio).masks.table()["share"]
    assert share.mean() == pytest.approx(1 - token_ratio, abs=0.03)
    assert (share - (1 - token_ratio)).abs().max() <= (0 if name == "random" else 0.125)


def test_every_node_is_kept_by_some_masks_and_removed_by_others(demo_vit):
    for name in ("random", "community"):
        share = mv.explain(demo_vit, CAT, design=name).masks.kept.mean(0)
        assert 0.2 < share.min() < share.max() < 0.8


def test_masks_of_communities_are_unions_of_communities(demo_vit):
    explanation = mv.explain(demo_vit, CAT, design="community", budget=13)
    for part in range(2):
        partition = graph_communities(explanation.graph, seed=part)
        for mask in explanation.masks.kept[6 * part : 6 * part + 6]:
            assert set(partition[mask]).isdisjoint(partition[~mask])


def test_orthogonal_masks_keep_every_two_tokens_together_as_often_as_apart(demo_vit):
    kept = mv.explain(demo_vit, CAT, design="orthogonal", budget=64).masks.kept
    signs = 2 * kept.astype(int) - 1
    gram = signs.T @ signs
    assert gram.diagonal().tolist() == [63] * 64
    assert set(np.abs(gram[~np.eye(64, dtype=bool)])) == {1}


def test_orthogonal_masks_of_many_tokens_keep_communities_whole(tiny, pixels):
    explanation = mv.explain(tiny("Dinov2"), pixels(64, 64), design="orthogonal", budget=40)
    groups = np.unique(explanation.masks.kept, axis=1).shape[1]
    assert explanation.masks.kept.shape == (39, 256)
    assert 20 <= groups <= 39
    assert explanation.forward_passes == 40


def test_occlusion_removes_every_token_once_by_communities_or_alone(demo_vit):
    for budget, sizes in ((10, (6, 12)), (55, (1, 3)), (65, (1, 1)), (550, (1, 1))):
        explanation = mv.explain(demo_vit, CAT, design="occlusion", budget=budget)
        removed = ~explanation.masks.kept
        assert (removed.sum(0) == 1).all()
        assert sizes[0] <= removed.sum(1).mean() <= sizes[1]
        assert len(removed) + 1 == explanation.forward_passes <= min(budget, 65)


def test_mixed_is_half_and_half_and_its_table_says_so(demo_vit):
    explanation = mv.explain(demo_vit, CAT, design="mixed")
    table = explanation.masks.table()
    assert table["design"].value_counts().to_dict() == {"centrality": 27, "community": 27}
    assert set(table.loc[table["design"] == "community", "operator"]) == {""}
    published = {mask.tobytes() for mask in mv.explain(demo_vit, CAT).masks.kept}
    assert all(
        mask.tobytes() in published for mask in explanation.subset(design="centrality").masks.kept
    )
    assert len(explanation.subset(design="community").masks) == 27
    with pytest.raises(mv.InputError, match="no mask has operator 'min'; here are none"):
        explanation.subset(design="community").subset(operator="min")


def test_a_great_budget_of_mixed_has_all_centrality_masks(demo_vit):
    explanation = mv.explain(demo_vit, CAT, design="mixed", budget=200)
    published = len(mv.explain(demo_vit, CAT).masks.distinct()[0])
    assert explanation.masks.designs.count("centrality") == published
    assert explanation.forward_passes == 200


def test_few_nodes_have_few_masks_and_passes_are_counted_truly():
    for name in mv.saliency.DESIGNS:
        model = FakeModel()
        explanation = mv.explain(model, PIXELS, design=name, budget=200)
        assert (
            model.sequences
            == explanation.forward_passes
            == len(explanation.masks.distinct()[0]) + 1
            <= 65
        )


@pytest.mark.parametrize("design", mv.saliency.DESIGNS)
def test_a_budget_beyond_what_can_be_distinct_ends(design):
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        explanation = mv.explain(FakeModel(), PIXELS, design=design, budget=1_000_000)
    n_masks = len(explanation.masks)
    assert n_masks < 100_000
    assert len(explanation.masks.distinct()[0]) <= 64
    drawn = design not in ("centrality", "occlusion")
    assert drawn == any("masks were asked for" in str(warning.message) for warning in told)


@pytest.mark.slow
def test_more_scores_than_a_file_may_hold_are_refused_before_any_pass():
    class ManyClasses(FakeModel):
        classes = tuple(map(str, range(100_000)))
        n_classes = 100_000

    model = ManyClasses()
    for method in ("random", "rise_tokens", "kernel_shap"):
        given = {"design": method} if method in mv.saliency.DESIGNS else {"method": method}
        with pytest.raises(
            mv.InputError,
            match="masks of 100,000 classes take .* GiB of scores; give a budget of at most 5,368",
        ):
            mv.explain(model, PIXELS, budget=200_000, **given)


@pytest.mark.parametrize("n_nodes", [1, 2, 3, 9, 64])
def test_graphs_that_have_no_communities(n_nodes):
    for graph in (np.zeros((n_nodes, n_nodes)), 1 - np.eye(n_nodes)):
        assert graph_communities(graph).tolist() == list(range(n_nodes))


def test_no_community_is_too_great():
    blocks = np.kron(np.eye(2), np.ones((32, 32))) + 1e-3
    sizes = np.bincount(graph_communities(blocks * (1 - np.eye(64))))
    assert len(sizes) >= 8
    assert sizes.max() <= 16


def test_a_finer_resolution_gives_more_communities():
    attention = np.random.default_rng(0).random((2, 64, 64))
    graph = token_graph(attention, (8, 8))
    assert (
        graph_communities(graph, resolution=3).max() < graph_communities(graph, resolution=8).max()
    )


@pytest.mark.parametrize(
    ("choices", "message"),
    [
        ({"budget": 1}, "budget is 1; give a whole number of at least 2"),
        ({"budget": 5.5}, "budget is 5.5"),
        ({"seed": -1}, "seed is -1"),
        ({"resolutions": ()}, "resolutions is (); give at least one number"),
        ({"resolutions": 0}, "resolutions is 0"),
        ({"grid_weight": 2}, "grid_weight is 2"),
        ({"design": 3}, "design is 3; give a name or a function"),
        ({"design": "comunity"}, "unknown mask design 'comunity' (did you mean 'community'?)"),
        ({"estimator": "mean"}, "unknown estimator 'mean'"),
        ({"graph_operator": "avg"}, "unknown head operator 'avg'"),
        ({"method": "comunities"}, "unknown explainer 'comunities' (did you mean 'communities'?)"),
        ({"settings": mv.Settings()}, "explainer mutex has no option 'settings'"),
    ],
)
def test_bad_choices_are_told_before_any_pass(choices, message):
    model = FakeModel()
    with pytest.raises(mv.InputError) as caught:
        mv.explain(model, PIXELS, **choices)
    assert message in str(caught.value)
    assert model.sequences == 0


def test_methods_are_settings_by_name(fake):
    assert (
        mv.explain(fake, PIXELS, method="mutex").settings
        == mv.explain(fake, PIXELS).settings
        == mv.Settings()
    )
    communities = mv.explain(fake, PIXELS, method="communities", seed=5)
    assert communities.settings.seed == 5
    assert communities.settings != mv.Settings(seed=5)
    assert (
        mv.explain(fake, PIXELS, method=communities.settings).heatmap.tolist()
        == communities.heatmap.tolist()
    )


def test_a_starting_layer_that_is_not_there():
    for name in mv.saliency.DESIGNS:
        with pytest.raises(mv.InputError, match="starting_layer is 4; the model has layers 0 to 3"):
            mv.explain(FakeModel(), PIXELS, design=name, estimator="graph", starting_layer=4)


@pytest.mark.parametrize("kind", ["ViT", "DeiT", "Dinov2", "Dinov2WithRegisters"])
def test_the_method_works_for_every_kind_of_model(tiny, pixels, kind):
    explanation = mv.explain(tiny(kind), pixels(), method="communities")
    assert explanation.heatmap.shape == (4, 4)
    assert explanation.forward_passes <= 55
