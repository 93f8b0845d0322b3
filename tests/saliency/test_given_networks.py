"""Masks of networks that the user filtered, shuffled, built, or made of another image."""

import numpy as np
import pytest
from small import PICTURES

import multiplex_vit as mv

CAT, HORSE = mv.samples()["cat"], mv.samples()["horse"]
MODELS = ["demo-vit", "demo-deit"]
pytestmark = pytest.mark.filterwarnings("ignore:.*see masks.table")


@pytest.fixture(scope="module", params=MODELS)
def model(request):
    return mv.load(request.param, device="cpu")


@pytest.fixture(scope="module")
def vit():
    return mv.load("demo-vit", device="cpu")


def networks_of(model, image, **options):
    return {
        operator: mv.multiplex(model, image, operator=operator, **options)
        for operator in ("min", "max", "sum")
    }


def same(one, other):
    assert np.array_equal(one.masks.kept, other.masks.kept)
    assert one.masks.labels == other.masks.labels
    assert one.masks.designs == other.masks.designs
    assert np.array_equal(one.probabilities, other.probabilities)
    assert np.array_equal(one.clean, other.clean)
    assert np.array_equal(one.heatmap, other.heatmap)
    assert (one.label, one.passes, one.settings, one.explainer) == (
        other.label,
        other.passes,
        other.settings,
        other.explainer,
    )


# --- untouched networks give what explain gives -----------------------------------------------------------------------


@pytest.mark.parametrize("name", PICTURES)
def test_untouched_networks_change_not_even_the_last_bit(model, name):
    image = mv.samples()[name]
    same(mv.explain(model, image, network=networks_of(model, image)), mv.explain(model, image))


@pytest.mark.parametrize(
    "options",
    [
        {"numerics": "stable"},
        {"token_ratio": 0.8},
        {"starting_layer": 2},
        {"centralities": "pagerank", "statistics": ["std", "skew"]},
    ],
)
def test_they_do_not_with_other_settings(vit, options):
    same(
        mv.explain(vit, CAT, network=networks_of(vit, CAT), **options),
        mv.explain(vit, CAT, **options),
    )


def test_one_network_is_one_operator(vit):
    for operator in ("sum", "mean"):
        found = mv.explain(vit, CAT, network=mv.multiplex(vit, CAT, operator=operator))
        alone = mv.explain(vit, CAT, operators=operator)
        assert np.array_equal(found.heatmap, alone.heatmap)
        assert found.masks.labels == alone.masks.labels
        assert found.settings == alone.settings


def test_communities_are_those_of_an_uncut_mean_network(model):
    net = mv.multiplex(model, CAT, operator="mean", min_cut=0)
    found = mv.explain(model, CAT, method="communities", network=net)
    same(found, mv.explain(model, CAT, method="communities"))
    assert np.array_equal(found.graph, mv.explain(model, CAT, method="communities").graph)


# --- changed ones give something else ---------------------------------------------------------------------------------


def test_masks_are_of_the_filtered_network(vit):
    """The greatest strengths of the filtered network, worked out here, stay."""
    net = mv.multiplex(vit, CAT, operator="sum").filter("disparity", 0.05)
    found = mv.explain(vit, CAT, network=net, centralities="in_strength", statistics="max")
    strength = net.weights.sum(1).max(0)
    threshold = np.sort(strength)[31]
    assert np.array_equal(found.masks.kept[0], strength >= threshold)
    assert not np.array_equal(
        found.masks.kept,
        mv.explain(
            vit, CAT, operators="sum", centralities="in_strength", statistics="max"
        ).masks.kept,
    )


def test_a_network_built_by_hand_decides_which_tokens_stay(vit):
    weights = np.zeros((6, 64, 64))
    weights[:, :, :10] = 1
    found = mv.explain(
        vit,
        CAT,
        network=mv.Multiplex(weights, (8, 8)),
        centralities="in_strength",
        statistics="max",
        token_ratio=0.9,
    )
    assert found.masks.kept[0].nonzero()[0].tolist() == list(range(10))
    assert found.masks.labels == (("network", "in_strength", "max"),)


def test_every_method_of_a_network_is_taken(vit):
    net = mv.multiplex(vit, CAT)
    changed = [
        net.top_k(3),
        net.shuffled("degree"),
        net.shuffled("weights", seed=3),
        net.without_loops(),
        net.reverse(),
        net.select([0, 5]),
        net.aggregate("max"),
    ]
    heads = mv.multiplex(vit, CAT, heads=True)
    for network in [*changed, heads]:
        found = mv.explain(vit, CAT, network=network)
        assert len(found.masks) == 18
        assert not np.array_equal(found.heatmap, mv.explain(vit, CAT, operators="sum").heatmap)
    assert (
        mv.explain(vit, CAT, network=heads, starting_layer=5).network["network"]["n_layers"]
        == heads.n_layers
    )
    turned = mv.explain(vit, CAT, network=net.reverse()).subset(direction="in")
    assert np.array_equal(
        turned.heatmap, mv.explain(vit, CAT, network=net).subset(direction="out").heatmap
    )


def test_another_images_network_is_taken_and_several_go_with_their_images(vit):
    cat, horse = mv.multiplex(vit, CAT), mv.multiplex(vit, HORSE)
    crossed = mv.explain(vit, [CAT, HORSE], network=[horse, cat])
    assert np.array_equal(crossed[0].heatmap, mv.explain(vit, CAT, network=horse).heatmap)
    assert crossed[0].label_name == "cat"
    assert crossed[0].network["sum"]["predicted"] == "horse"
    for explanation in mv.explain(vit, [CAT, HORSE], network=cat):
        assert explanation.network["sum"] == crossed[1].network["sum"]
    with pytest.raises(mv.InputError, match="1 networks were given for 2 images"):
        mv.explain(vit, [CAT, HORSE], network=[cat])


# --- provenance -------------------------------------------------------------------------------------------------------


def test_what_was_done_to_the_network_is_told_and_kept(vit, tmp_path):
    net = mv.multiplex(vit, CAT).filter("disparity", 0.05).shuffled("degree", seed=7)
    found = mv.explain(vit, CAT, network=net)
    facts = found.network["sum"]
    assert facts["filters"] == "min_cut 0.01; disparity 0.05; null_model degree, seed 7"
    assert (facts["n_edges"], facts["direction"], facts["model"]) == (
        net.n_edges,
        "attention",
        "demo-vit",
    )
    assert "null_model degree, seed 7" in found.table()["network"].item()
    assert "of given networks" in repr(found)
    found.save(tmp_path / "a.npz")
    loaded = mv.Explanation.load(tmp_path / "a.npz")
    assert loaded.network == found.network
    assert loaded.row() == found.row()
    assert np.array_equal(loaded.heatmap, found.heatmap)
    other = mv.explain(
        vit,
        CAT,
        network=mv.multiplex(vit, CAT).filter("disparity", 0.05).shuffled("degree", seed=8),
    )
    assert other.network["sum"]["sha256"] != facts["sha256"]
    assert mv.explain(vit, CAT).network is None
    assert "network" not in mv.explain(vit, CAT).row()


# --- refusals ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"min_cut": 0.1}, "min_cut and a network were given; leave min_cut out"),
        ({"operators": "sum"}, "operators and a network were given"),
        (
            {"method": "communities(graph_operator='max')"},
            "graph_operator and a network were given",
        ),
        ({"design": "random"}, r"mutex\(design='random'\) makes no masks of networks"),
        ({"method": "rollout"}, "rollout makes no masks of networks; leave network out"),
        (
            {"network": None, "method": "rollout", "starting_layer": 3},
            "explainer rollout has no option 'starting_layer'",
        ),
        ({"starting_layer": 6}, "starting_layer is 6; give 0 to 5"),
        ({"network": 3}, "network is 3; give a Multiplex"),
        ({"network": {}}, "network is {}; give a Multiplex"),
        ({"network": {"sum": 3}}, "network 'sum' is 3; give a Multiplex"),
        (
            {"network": mv.Multiplex(np.ones((1, 16, 16)), (4, 4))},
            "network 'network' has 4 x 4 nodes; the image has 8 x 8 patches",
        ),
        (
            {"network": mv.Multiplex(np.ones((1, 64, 64)), (4, 16))},
            "has 4 x 16 nodes; the image has 8 x 8",
        ),
        (
            {"network": mv.Multiplex(np.ones((1, 65, 65)), (8, 8), prefix=("class",))},
            "has prefix tokens: class; masks are of patches",
        ),
    ],
)
def test_what_does_not_fit_is_refused_in_one_line(vit, options, message):
    given = {"network": mv.multiplex(vit, CAT), **options}
    with pytest.raises(mv.InputError, match=message) as caught:
        mv.explain(vit, CAT, **given)
    assert len(str(caught.value).splitlines()) == 1


def test_the_token_graph_needs_its_network(vit):
    with pytest.raises(
        mv.InputError,
        match="the token graph is made of the network of 'mean', which is not among min, max, sum",
    ):
        mv.explain(vit, CAT, method="communities", network=networks_of(vit, CAT))
    several = {**networks_of(vit, CAT), "mean": mv.multiplex(vit, CAT, operator="mean", min_cut=0)}
    found = mv.explain(vit, CAT, method="communities", network=several)
    assert np.array_equal(found.heatmap, mv.explain(vit, CAT, method="communities").heatmap)
