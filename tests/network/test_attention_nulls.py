"""Null models that fit attention: what each keeps and loses, and what stands out from it."""

import numpy as np
import pytest
from scipy.stats import false_discovery_control

import multiplex_vit as mv
from multiplex_vit.network import NULL_MODELS, Tokens
from multiplex_vit.network.layer import Layer
from multiplex_vit.network.layer_measures import layer_table
from multiplex_vit.network.layer_measures.null_models import share_moved

SIDE = 5


def local_layer(seed=0, sinks=0, prefix=()):
    """Return attention that falls with distance, with some sinks planted."""
    rng = np.random.default_rng(seed)
    tokens = Tokens((SIDE, SIDE), prefix)
    apart = np.nan_to_num(tokens.distances, nan=1.0)
    weights = np.exp(-apart) * rng.gamma(1.0, 1.0, apart.shape)
    weights[:, len(prefix) : len(prefix) + sinks] *= 40
    return Layer(weights / weights.sum(1, keepdims=True), tokens, "L00")


def test_distances_keeps_how_far_each_token_looks():
    layer = local_layer(prefix=("class", "register1"))
    drawn = NULL_MODELS["distances"](layer, np.random.default_rng(0))
    apart = np.rint(layer.tokens.distances)
    for source in range(2, 27):
        for reach in range(1, 7):
            away = apart[source] == reach
            kept, given = drawn.weights[source, away], layer.weights[source, away]
            assert np.sort(kept).tolist() == np.sort(given).tolist()
        prefix = np.sort(drawn.weights[source, :2]), np.sort(layer.weights[source, :2])
        assert prefix[0].tolist() == prefix[1].tolist(), "attention to prefix tokens stays there"
    assert not np.array_equal(drawn.weights, layer.weights)


def test_narrow_classes_keep_the_attention_distance_exactly():
    layer = local_layer()
    name = "distances(width=1e-6)"
    table = layer_table([layer], ["attention_distance", "moran"], null_model=name)
    assert np.isnan(table["attention_distance_z"][0])
    assert np.isfinite(table["moran_z"][0])


def test_identities_keeps_the_network_and_loses_places():
    layer = local_layer(prefix=("class",))
    drawn = NULL_MODELS["identities"](layer, np.random.default_rng(0))
    assert drawn.weights[0, 0] == layer.weights[0, 0], "prefix tokens stay"
    assert np.sort(drawn.weights[0]).tolist() == np.sort(layer.weights[0]).tolist()
    table = layer_table(
        [layer],
        ["transitivity", "weighted_reciprocity", "attention_distance", "spectral_radius"],
        null_model="identities",
    )
    for measure in ("transitivity", "weighted_reciprocity", "spectral_radius"):
        assert np.isnan(table[f"{measure}_z"][0])
    assert table["attention_distance_z"][0] < -5


def test_the_null_model_decides_the_story():
    # Neighbours attend to neighbours: reciprocal against a shuffle of rows, not against one that keeps distances.
    layer = local_layer()
    z = {}
    for name in ("rows", "distances"):
        table = layer_table([layer], "weighted_reciprocity", null_model=name, samples=30)
        z[name] = table["weighted_reciprocity_z"][0]
    assert z["rows"] > 5
    assert abs(z["distances"]) < 3.5


@pytest.mark.parametrize("name", ["rows", "distances"])
def test_planted_sinks_stand_out(name):
    layer = local_layer(sinks=2)
    table = layer_table([layer], "in_strength_gini", null_model=name, samples=30)
    assert table["in_strength_gini_z"][0] > 5


def test_every_deal_of_a_row_is_as_likely_as_another():
    layer = Layer(np.array([[9.0, 1, 2, 3], [1, 9, 1, 1], [1, 1, 9, 1], [1, 1, 1, 9]]))
    rng = np.random.default_rng(0)
    drawn = [tuple(NULL_MODELS["rows"](layer, rng).weights[0, 1:]) for _ in range(3000)]
    counts = np.unique(drawn, axis=0, return_counts=True)[1]
    assert len(counts) == 6
    # Five standard deviations of a binomial count.
    assert np.abs(counts - 500).max() < 5 * np.sqrt(3000 * (1 / 6) * (5 / 6))


def test_the_share_that_moved():
    layer = local_layer()
    table = layer_table([layer], "moran", null_model="rows", samples=4, seed=3)
    rng = np.random.default_rng([3, 0])
    shares = [share_moved(layer, NULL_MODELS["rows"](layer, rng)) for _ in range(4)]
    assert table["moved"].tolist() == pytest.approx([np.mean(shares)])
    assert share_moved(layer, layer) == 0
    elsewhere = Layer(np.eye(25), layer.tokens)
    assert share_moved(layer, elsewhere) == 1
    assert np.isnan(share_moved(elsewhere, layer))


def test_q_values_are_p_values_adjusted_for_all_tests_of_the_table():
    layers = [local_layer(seed) for seed in range(3)]

    def undefined(layer):
        return np.nan

    measures = ["moran", "weighted_reciprocity", undefined]
    table = layer_table(layers, measures, null_model="rows", samples=9)
    p = table[["moran_p", "weighted_reciprocity_p"]].to_numpy()
    expected = false_discovery_control(p.ravel()).reshape(p.shape)
    assert np.array_equal(table[["moran_q", "weighted_reciprocity_q"]].to_numpy(), expected)
    assert table["undefined_q"].isna().all()


def test_networks_are_shuffled_by_every_null_model():
    weights = np.stack([local_layer(seed).weights for seed in range(2)])
    net = mv.Multiplex(weights, (SIDE, SIDE))
    for name in NULL_MODELS:
        found = net.shuffled(name, seed=1)
        assert found.provenance["null_model"] == f"{name}, seed 1"
        assert found.weights.sum() == pytest.approx(net.weights.sum())
