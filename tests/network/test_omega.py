"""Omega of communities: relative to strength, so that its effect does not hang on the unit of weights."""

import numpy as np
import pytest
from exported import package
from small import PICTURES

import multiplex_vit as mv
from multiplex_vit.network.coupling import links
from multiplex_vit.network.multilayer import multilayer_modularity, relative_omega


def partitions(groups):
    """Return how many different partitions the layers have, whatever their communities are called."""
    return len({tuple(np.unique(layer, return_inverse=True)[1].tolist()) for layer in groups})


def test_a_link_weighs_omega_times_the_mean_strength():
    weights = np.array([[[0, 3.0], [1.0, 0]], [[0, 0], [4.0, 0]]])
    assert relative_omega(0.5, weights) == 0.5 * (3 + 1 + 0 + 4) / 4
    by_node = np.array([[0, 1.0], [2.0, 0]])
    assert relative_omega(by_node, weights).tolist() == [[0, 2], [4, 0]]


def test_a_network_without_edges_has_no_strength():
    assert relative_omega(0.5, np.zeros((2, 3, 3))) == 0.5
    empty = mv.Multiplex(np.zeros((2, 3, 3)), (1, 3))
    package("leidenalg")
    assert empty.communities().tolist() == [[0, 1, 2], [0, 1, 2]]


def test_the_least_weights_have_links():
    assert relative_omega(0.1, np.full((1, 1, 1), 2.0**-1074)) > 0


@pytest.mark.parametrize(
    "omega", [0, -1, float("nan"), "much", None, True, ["a"], [[1.0], [1.0, 2.0]]]
)
def test_bad_omegas(omega, net):
    for scale in ("strength", "absolute"):
        with pytest.raises(mv.InputError, match="omega is"):
            net.modularity(np.zeros(4, dtype=int), omega=omega, omega_scale=scale)


def test_bad_scales(net):
    with pytest.raises(
        mv.InputError, match="omega_scale is 'mean'; give one of 'strength', 'absolute'"
    ):
        net.modularity(np.zeros(4, dtype=int), omega_scale="mean")


@pytest.mark.parametrize("factor", [2.0**-20, 3.0, 2.0**20])
def test_communities_do_not_depend_on_the_unit_of_weights(factor, demo_vit):
    package("leidenalg")
    net = mv.multiplex(demo_vit, mv.samples()["cat"], operator="mean", min_cut=0.1)
    scaled = mv.Multiplex(factor * net.weights.astype(float), net.grid)
    groups = net.communities()
    assert scaled.modularity(groups) == pytest.approx(net.modularity(groups), rel=1e-9)
    found = scaled.communities()
    assert scaled.modularity(found) == pytest.approx(net.modularity(groups), abs=0.01)
    assert partitions(found) == partitions(groups) == 6


@pytest.mark.parametrize("coupling", mv.network.COUPLINGS)
def test_modularity_by_either_scale(coupling, net):
    groups = np.array([[0, 0, 1, 1], [0, 1, 1, 0]])
    strength = net.weights.sum(dtype=float) / 8
    by_hand = links(range(2), 4, coupling, 0.7 * strength)
    expected = multilayer_modularity(net.weights, groups, by_hand)
    assert net.modularity(groups, coupling=coupling, omega=0.7) == pytest.approx(expected)
    absolute = {"omega": 0.7 * strength, "omega_scale": "absolute"}
    assert net.modularity(groups, coupling=coupling, **absolute) == pytest.approx(expected)


@pytest.mark.parametrize("model", ["demo_vit", "demo_deit"])
@pytest.mark.parametrize("sample", PICTURES)
@pytest.mark.parametrize(
    "options",
    [pytest.param({}, marks=pytest.mark.slow), {"operator": "mean", "min_cut": 0.1}],
)
def test_layers_have_partitions_of_their_own_by_default(model, sample, options, request):
    package("leidenalg")
    net = mv.multiplex(request.getfixturevalue(model), mv.samples()[sample], **options)
    groups = net.communities()
    assert partitions(groups) >= 4
    assert partitions(net.communities(omega=10.0)) == 1, "and strong links hold all together"
