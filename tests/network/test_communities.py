"""Communities over layers and their modularity: by a plain loop, and as other libraries have it."""

import builtins
import math
import warnings

import igraph
import networkx as nx
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from multiplex_vit.errors import InputError
from multiplex_vit.network import multilayer
from multiplex_vit.network.coupling import COUPLINGS, links

OMEGA = np.array([[0.5, 0, 1, 2], [0.25, 1, 0, 3], [1, 1, 0.5, 0]])
networks = array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=4).flatmap(
    lambda shape: arrays(
        np.float64,
        (shape[0], shape[1], shape[1]),
        elements=st.sampled_from([0, 0, 0, 0.25, 1]) | st.floats(0, 1),
    )
)


def linked(weights, coupling="ordinal", omega=1.0, **depth):
    return links(range(len(weights)), weights.shape[1], coupling, omega, **depth)


def communities(weights, *, coupling="ordinal", omega=1.0, **options):
    return multilayer.communities(weights, linked(weights, coupling, omega), **options)


def multilayer_modularity(weights, membership, *, coupling="ordinal", omega=1.0, **options):
    joined = linked(weights, coupling, omega)
    return multilayer.multilayer_modularity(weights, membership, joined, **options)


def random_network(seed, n_layers=3, n=12, density=0.4):
    rng = np.random.default_rng(seed)
    return rng.random((n_layers, n, n)) * (rng.random((n_layers, n, n)) < density)


def blocks(n_layers, groups, size, noise=0.05, seed=0):
    """Layers in which nodes of a group attend to their group."""
    inside = np.kron(np.eye(groups), np.ones((size, size)))
    return np.stack([inside] * n_layers) + noise * np.random.default_rng(seed).random(
        (n_layers, groups * size, groups * size)
    )


def plain_modularity(weights, groups, coupling, omega, resolution, directed):
    """The formula of Mucha et al. as a loop over two layers and two nodes."""
    n_layers, n = weights.shape[:2]
    if not directed:
        weights = (weights + weights.swapaxes(1, 2)) / 2
    joined, omega = (
        COUPLINGS[coupling](np.arange(n_layers)).T,
        np.broadcast_to(omega, (n_layers, n)),
    )
    total = quality = 0.0
    for a in range(n_layers):
        for b in range(n_layers):
            for i in range(n):
                for j in range(n):
                    link = omega[a, i] if i == j and joined[a, b] else 0
                    weight = weights[a, i, j] if a == b else 0
                    total += weight + link
                    if groups[a][i] == groups[b][j]:
                        chance = (
                            weights[a, i].sum() * weights[a, :, j].sum() / weights[a].sum()
                            if a == b and weights[a].any()
                            else 0
                        )
                        quality += weight - resolution * chance + link
    return quality / total


def networkx_modularity(graph, groups):
    sets = [{i for i, group in enumerate(groups) if group == one} for one in set(groups)]
    return nx.community.modularity(graph, sets, weight="weight")


def leiden_quality(weights, groups, coupling, omega, resolution):
    import leidenalg

    n_layers, n = weights.shape[:2]
    member, quality = np.ravel(groups).tolist(), 0.0
    for a, layer in enumerate(weights):
        source, target = layer.nonzero()
        graph = igraph.Graph(
            n=n_layers * n,
            edges=np.column_stack([source, target]) + a * n,
            directed=True,
        )
        options = {
            "weights": layer[source, target].tolist(),
            "resolution_parameter": resolution,
        }
        quality += leidenalg.RBConfigurationVertexPartition(graph, member, **options).quality()
    source, target, link = links(range(n_layers), n, coupling, omega)
    graph = igraph.Graph(n=n_layers * n, edges=np.column_stack([source, target]), directed=True)
    quality += leidenalg.CPMVertexPartition(
        graph, member, weights=link.tolist(), resolution_parameter=0.0
    ).quality()
    return quality / (weights.sum() + link.sum())


# --- modularity -------------------------------------------------------------------------------------------------------


def test_modularity_by_hand():
    pairs = np.kron(np.eye(2), [[0, 1.0], [1.0, 0]])
    weights = np.stack([pairs, pairs])
    assert multilayer_modularity(weights, [0, 0, 1, 1], coupling="none") == 0.5
    assert multilayer_modularity(weights, [[0, 0, 1, 1], [2, 2, 3, 3]], coupling="none") == 0.5, (
        "without coupling the layers' communities are their own affair"
    )
    assert multilayer_modularity(weights, [0, 0, 0, 0], coupling="none") == 0
    # 8 of weight, 8 links, all of them inside; 4 of the weight is chance.
    assert multilayer_modularity(weights, [0, 0, 1, 1], coupling="ordinal") == (8 - 4 + 8) / 16
    assert (
        multilayer_modularity(weights, [[0, 0, 1, 1], [2, 2, 3, 3]], coupling="ordinal")
        == (8 - 4) / 16
    )
    assert (
        multilayer_modularity(weights, [0, 0, 1, 1], coupling="temporal", omega=0.5)
        == (8 - 4 + 2) / 10
    )
    assert (
        multilayer_modularity(weights, [0, 0, 1, 1], coupling="none", resolution=0.5) == (8 - 2) / 8
    )


@pytest.mark.parametrize("directed", [True, False])
@pytest.mark.parametrize("coupling", COUPLINGS)
@pytest.mark.parametrize("omega", [0.7, OMEGA])
def test_modularity_is_the_plain_loop(directed, coupling, omega):
    weights = random_network(0, n=4)
    weights[1] = 0
    groups = np.random.default_rng(1).integers(0, 3, (3, 4))
    found = multilayer_modularity(
        weights,
        groups,
        coupling=coupling,
        omega=omega,
        resolution=1.3,
        directed=directed,
    )
    assert found == pytest.approx(
        plain_modularity(weights, groups, coupling, omega, 1.3, directed), rel=1e-9
    )


@pytest.mark.parametrize("seed", range(3))
def test_modularity_of_one_layer_is_that_of_networkx(seed):
    weights, groups = (
        random_network(seed, 1),
        np.random.default_rng(seed).integers(0, 3, 12),
    )
    graph = nx.from_numpy_array(weights[0], create_using=nx.DiGraph)
    assert multilayer_modularity(weights, groups) == pytest.approx(
        networkx_modularity(graph, groups), rel=1e-9
    )
    both = (weights[0] + weights[0].T) / 2
    undirected = nx.from_numpy_array(both - np.diag(np.diag(both)) / 2)
    assert multilayer_modularity(weights, groups, directed=False) == pytest.approx(
        networkx_modularity(undirected, groups), rel=1e-9
    )


@pytest.mark.parametrize("coupling", ["ordinal", "temporal", "categorical"])
def test_modularity_is_the_quality_that_leidenalg_maximises(coupling):
    weights, groups = (
        random_network(2, n=4),
        np.random.default_rng(2).integers(0, 3, (3, 4)),
    )
    found = multilayer_modularity(weights, groups, coupling=coupling, omega=OMEGA, resolution=0.8)
    assert found == pytest.approx(leiden_quality(weights, groups, coupling, OMEGA, 0.8), rel=1e-9)


@pytest.mark.parametrize("omega", [0.5, 1.0])
def test_modularity_is_that_of_uunet_but_for_a_node_with_itself(omega):
    multinet = pytest.importorskip("uunet.multinet")
    rng = np.random.default_rng(3)
    upper = np.triu(rng.random((3, 7, 7)) < 0.6, 1).astype(float)
    weights, groups = upper + upper.swapaxes(1, 2), rng.integers(0, 3, (3, 7))
    found = multilayer_modularity(
        weights, groups, coupling="categorical", omega=omega, directed=False
    )
    # uunet leaves out what chance would put on i = j, which is the same for every partition.
    alone = (weights.sum(1) ** 2 / weights.sum((1, 2))[:, None]).sum() / (
        weights.sum() + omega * 7 * 6
    )
    assert found + alone == pytest.approx(
        multinet.modularity(*uunet_network(multinet, upper, groups), omega=omega),
        rel=1e-9,
    )


def uunet_network(multinet, upper, groups):
    net = multinet.empty()
    multinet.add_layers(net, [f"L{a}" for a in range(len(upper))], [False] * len(upper))
    places = [(f"n{i}", f"L{a}") for a, i in np.ndindex(groups.shape)]
    actors, names = map(list, zip(*places, strict=True))
    multinet.add_vertices(net, {"actor": actors, "layer": names})
    found = [(f"n{i}", f"L{a}", f"n{j}", f"L{a}") for a, i, j in np.argwhere(upper)]
    keys = ("from_actor", "from_layer", "to_actor", "to_layer")
    multinet.add_edges(net, dict(zip(keys, map(list, zip(*found, strict=True)), strict=True)))
    return net, {"actor": actors, "layer": names, "cid": groups.ravel().tolist()}


def test_labels_of_communities_do_not_matter():
    weights, groups = (
        random_network(4),
        np.random.default_rng(4).integers(0, 3, (3, 12)),
    )
    expected = multilayer_modularity(weights, groups, coupling="ordinal")
    assert multilayer_modularity(
        weights, groups * -70 + 10**9, coupling="ordinal"
    ) == pytest.approx(expected)
    assert multilayer_modularity(
        weights, np.array(["x", "y", "z"])[groups], coupling="ordinal"
    ) == pytest.approx(expected)


def test_modularity_without_any_edge_is_undefined():
    empty = np.zeros((2, 3, 3))
    assert math.isnan(multilayer_modularity(empty, [0, 1, 2], coupling="none"))
    assert multilayer_modularity(empty, [0, 1, 2], coupling="ordinal") == 1, (
        "links alone are all inside"
    )


@pytest.mark.parametrize("membership", [[0, 1], [[0, 1, 1, 1]], 0, None])
def test_bad_memberships(membership):
    with pytest.raises(
        InputError,
        match=r"membership has shape .*; give \[3, 12\], or \[12\] for all layers",
    ):
        multilayer_modularity(random_network(0), membership)


# --- communities ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["linked", "multiplex"])
def test_planted_communities_are_found(how):
    found = communities(blocks(3, groups=4, size=5), how=how)
    assert found.tolist() == [np.repeat(range(4), 5).tolist()] * 3
    assert found.dtype.kind == "i"


def test_linked_communities_may_change_over_layers():
    weights = np.zeros((2, 6, 6))
    weights[0, :3, :3] = weights[0, 3:, 3:] = 1
    weights[1, ::2, ::2] = weights[1, 1::2, 1::2] = 1
    loose = communities(weights, coupling="ordinal", omega=0.01)
    assert (loose[0] == [0, 0, 0, 1, 1, 1]).all()
    assert len(set(loose[1][::2])) == len(set(loose[1][1::2])) == 1
    assert loose[1][0] != loose[1][1]
    tight = communities(weights, coupling="ordinal", omega=100.0)
    assert np.array_equal(tight[0], tight[1]), "strong links hold a node to one community"


def test_without_coupling_layers_share_no_community():
    found = communities(blocks(2, groups=2, size=4), coupling="none")
    assert found.tolist() == [[0] * 4 + [1] * 4, [2] * 4 + [3] * 4]


def test_omega_by_node_holds_the_nodes_that_have_it():
    omega = np.zeros((2, 8))
    omega[:, :4] = 10
    found = communities(blocks(2, groups=2, size=4), coupling="ordinal", omega=omega)
    assert found.tolist() == [[0] * 4 + [1] * 4, [0] * 4 + [2] * 4]


@pytest.mark.parametrize("how", ["linked", "multiplex"])
def test_communities_are_better_than_none_and_the_same_again(how):
    weights = random_network(5, n=30, density=0.15)
    found = communities(weights, how=how, seed=7)
    assert np.array_equal(found, communities(weights, how=how, seed=7))
    quality = multilayer_modularity(weights, found, coupling="ordinal")
    assert quality > multilayer_modularity(weights, np.zeros(30), coupling="ordinal")
    assert quality > multilayer_modularity(weights, np.arange(30), coupling="ordinal")


@pytest.mark.parametrize("how", ["linked", "multiplex"])
def test_a_greater_resolution_gives_smaller_communities(how):
    weights = random_network(6, n=30)
    few, many = (
        len(np.unique(communities(weights, how=how, resolution=resolution)))
        for resolution in (0.2, 3.0)
    )
    assert few < many


def test_empty_layers_and_networks():
    empty = np.zeros((2, 3, 3))
    assert communities(empty, how="multiplex").tolist() == [[0, 1, 2], [0, 1, 2]]
    assert communities(empty, coupling="none").tolist() == [[0, 1, 2], [3, 4, 5]]
    assert communities(empty, coupling="ordinal").tolist() == [[0, 1, 2], [0, 1, 2]], (
        "links alone join a node with itself"
    )
    some = np.concatenate([blocks(1, groups=2, size=3), np.zeros((1, 6, 6))])
    assert communities(some).tolist() == [[0, 0, 0, 1, 1, 1]] * 2


@pytest.mark.parametrize("how", ["linked", "multiplex"])
@settings(max_examples=settings.default.max_examples // 2)
@given(weights=networks, coupling=st.sampled_from(list(COUPLINGS)))
@example(weights=np.zeros((1, 1, 1)), coupling="none")
@example(weights=np.full((2, 3, 3), 5e-324), coupling="none")
@example(weights=np.stack([np.eye(3), np.zeros((3, 3))]), coupling="ordinal")
def test_communities_keep_their_contract(how, weights, coupling):
    before = weights.copy()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = communities(weights, how=how, coupling=coupling)
        quality = multilayer_modularity(weights, found, coupling=coupling)
    assert np.array_equal(weights, before)
    assert found.shape == weights.shape[:2]
    assert list(dict.fromkeys(found.ravel().tolist())) == list(range(found.max() + 1)), (
        "numbered in the order in which they appear"
    )
    assert math.isnan(quality) == (not weights.any() and (coupling == "none" or len(weights) == 1))
    assert math.isnan(quality) or quality <= 1 + 1e-12
    if how == "multiplex":
        assert (found == found[0]).all()


def test_bad_questions():
    weights = random_network(0)
    with pytest.raises(InputError, match="how is 'both'; give one of 'linked', 'multiplex'"):
        communities(weights, how="both")
    for function in (
        communities,
        lambda w, **options: multilayer_modularity(w, np.zeros(12), **options),
    ):
        with pytest.raises(InputError, match="resolution is 0"):
            function(weights, resolution=0)
        with pytest.raises(InputError, match="omega is -1"):
            function(weights, coupling="ordinal", omega=-1)
        with pytest.raises(InputError, match="unknown coupling 'all'"):
            function(weights, coupling="all")
    with pytest.raises(InputError, match="seed is -1"):
        communities(weights, seed=-1)


def test_leidenalg_is_asked_for_by_name(monkeypatch):
    real = builtins.__import__

    def absent(name, *arguments, **options):
        if name == "leidenalg":
            raise ImportError(name)
        return real(name, *arguments, **options)

    monkeypatch.setattr(builtins, "__import__", absent)
    with pytest.raises(
        InputError, match=r'need leidenalg; pip install "multiplex-vit\[communities\]"'
    ):
        communities(random_network(0))
