"""Null models beside what they keep: how much they rewire, and the scores against them."""

import warnings

import numpy as np
import pytest

from multiplex_vit.network.layer import Layer
from multiplex_vit.network.layer_measures import NULL_MODELS, layer_table
from multiplex_vit.network.layer_measures.null_models import most_rewired, share_rewired
from multiplex_vit.network.scores import z_and_p

REWIRING = [name for name in NULL_MODELS if NULL_MODELS.trait(name, "rewires")]


def random_layer(seed, density, n=24):
    rng = np.random.default_rng(seed)
    return Layer(rng.random((n, n)) * (rng.random((n, n)) < density), name=f"L{seed:02d}")


@pytest.mark.parametrize("density", [0.1, 0.5, 0.9, 0.99])
@pytest.mark.parametrize("seed", range(3))
def test_rewiring_moves_edges_and_leaves_weights_with_their_source(density, seed):
    layer = random_layer(seed, density)
    sample = NULL_MODELS["degree"](layer, np.random.default_rng(seed))
    assert (
        np.count_nonzero(sample.weights, 0).tolist() == np.count_nonzero(layer.weights, 0).tolist()
    )
    assert np.sort(sample.weights, 1) == pytest.approx(np.sort(layer.weights, 1)), (
        "each row has its weights"
    )
    stays = (sample.weights > 0) & (layer.weights > 0)
    assert np.array_equal(sample.weights[stays], layer.weights[stays]), (
        "an edge that stays keeps its weight"
    )


@pytest.mark.parametrize("name", REWIRING)
@pytest.mark.parametrize(("density", "least"), [(0.05, 0.8), (0.3, 0.6), (0.7, 0.25), (0.95, 0.03)])
def test_as_much_is_rewired_as_can_be(name, density, least):
    # A layer drawn anew at this density has 1 - density of its edges elsewhere, and no more can be asked.
    layer = random_layer(0, density, 40)
    sample = NULL_MODELS[name](layer, np.random.default_rng(0))
    share = share_rewired(layer, sample)
    assert least <= share <= most_rewired(layer)
    assert share == pytest.approx(1 - density, abs=0.1)


@pytest.mark.parametrize("name", REWIRING)
def test_a_complete_layer_cannot_be_rewired(name):
    layer = Layer(np.random.default_rng(0).random((12, 12)))
    sample = NULL_MODELS[name](layer, np.random.default_rng(0))
    assert share_rewired(layer, sample) == most_rewired(layer) == 0
    with pytest.warns(
        UserWarning,
        match=r"less than half of the edges were rewired: 0 0.0% \(at most 0.0% can move\)",
    ):
        table = layer_table([layer], "weighted_reciprocity", null_model=name, samples=5)
    assert table["rewired"].tolist() == [0]
    if name == "degree":
        assert np.isnan(table["weighted_reciprocity_z"][0]), "weights are not shuffled in its place"
        assert table["weighted_reciprocity_p"][0] == 1


def test_only_layers_that_are_hardly_rewired_are_told():
    layers = [random_layer(0, 0.1), random_layer(1, 0.9)]
    with pytest.warns(UserWarning, match="less than half") as told:
        table = layer_table(layers, "reciprocity", null_model="degree", samples=4)
    assert len(told) == 1
    assert "L01" in str(told[0].message)
    assert "L00" not in str(told[0].message)
    assert table["rewired"][0] > 0.5 > table["rewired"][1]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        layer_table(layers[:1], "reciprocity", null_model="degree", samples=4)
        assert "rewired" not in layer_table(layers, "reciprocity", null_model="weights", samples=4)


def test_a_layer_without_edges_has_no_share():
    empty = Layer(np.eye(4))
    assert np.isnan([share_rewired(empty, empty), most_rewired(empty)]).all()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert np.isnan(layer_table([empty], "edges", null_model="degree", samples=3)["rewired"][0])


def test_degrees_bound_what_can_move():
    star = np.zeros((5, 5))
    star[0, 1:] = star[1:, 0] = 1
    assert most_rewired(Layer(star)) == 0.5, "edges of the centre stay; those of others could move"
    sample = NULL_MODELS["degree"](Layer(star), np.random.default_rng(0))
    assert share_rewired(Layer(star), sample) == 0


def test_p_counts_samples_at_least_as_far_from_the_mean():
    samples = np.arange(1.0, 20.0)
    assert z_and_p(10.0, samples) == (0.0, 1.0)
    assert z_and_p(100.0, samples)[1] == z_and_p(-100.0, samples)[1] == 1 / 20
    # The mean of all is (190 + 18) / 20 = 10.4: 18 is 7.6 from it, as far as or nearer than 1, 2, 18 and 19.
    assert z_and_p(18.0, samples)[1] == 5 / 20
    assert np.isnan(z_and_p(np.nan, samples)).all()
    assert np.isnan(z_and_p(1.0, np.array([1.0, np.nan]))).all()


def test_p_values_are_uniform_where_the_null_model_holds():
    rng = np.random.default_rng(0)
    p = np.array(
        [
            z_and_p(value, others)[1]
            for value, *rest in rng.exponential(size=(2000, 20))
            for others in [np.array(rest)]
        ]
    )
    for level in (0.05, 0.25, 0.5, 0.9):
        assert np.mean(p <= level + 1e-9) == pytest.approx(level, abs=0.04)
