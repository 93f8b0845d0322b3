"""Consensus of communities, sweeps, and Infomap, against plain formulas and planted groups."""

from collections import Counter
from math import comb, log2

import numpy as np
import pytest

import multiplex_vit as mv
from multiplex_vit.network import multilayer
from multiplex_vit.network.coupling import links, supra_adjacency

close = pytest.approx


def planted(groups, n_layers=2, inside=1.0, outside=0.05, seed=0):
    """Return layers whose nodes attend to their group."""
    groups = np.asarray(groups)
    noise = np.random.default_rng(seed).random((n_layers, len(groups), len(groups)))
    return noise * np.where(groups[:, None] == groups, inside, outside)


def alike(one, other):
    """Tell whether two partitions are the same but for their numbers."""
    pairs = set(zip(np.ravel(one).tolist(), np.ravel(other).tolist(), strict=True))
    return len(pairs) == len(set(np.ravel(one))) == len(set(np.ravel(other)))


# --- consensus --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(3))
def test_the_consensus_is_what_was_there_before_noise(seed):
    rng = np.random.default_rng(seed)
    truth = rng.permutation(np.repeat(range(4), 6))
    partitions = np.stack([truth] * 15)
    moved = rng.random(partitions.shape) < 0.2
    partitions[moved] = rng.integers(0, 4, moved.sum())
    found = multilayer.consensus(partitions, seed=seed)
    assert alike(found, truth)
    assert found[0] == 0, "numbered as they appear"
    renumbered = np.stack([rng.permutation(4)[one] for one in partitions])
    assert alike(multilayer.consensus(renumbered, seed=seed), truth)


def test_partitions_that_agree_are_their_own_consensus():
    partition = np.array([3, 3, 1, 0, 1])
    assert multilayer.consensus(np.stack([partition] * 3)).tolist() == [0, 0, 1, 2, 1]
    with pytest.raises(mv.InputError, match=r"partitions have shape \[2\]"):
        multilayer.consensus([0, 1])


def adjusted_rand(one, other):
    """The formula of Hubert and Arabie, of pairs of nodes."""
    both = sum(comb(n, 2) for n in Counter(zip(one, other, strict=True)).values())
    first = sum(comb(n, 2) for n in Counter(one).values())
    second = sum(comb(n, 2) for n in Counter(other).values())
    chance = first * second / comb(len(one), 2)
    return (both - chance) / ((first + second) / 2 - chance)


def test_agreement_is_the_mean_adjusted_rand_index():
    drawn = np.random.default_rng(0).integers(0, 3, (3, 12)).tolist()
    pairs = [(0, 1), (0, 2), (1, 2)]
    expected = np.mean([adjusted_rand(drawn[one], drawn[other]) for one, other in pairs])
    assert multilayer.agreement(drawn) == close(expected, abs=1e-12)
    assert multilayer.agreement([[0, 0], [1, 1]]) == 1
    assert np.isnan(multilayer.agreement([[0, 1]]))


def test_a_sweep_says_what_each_pair_of_values_gives():
    pytest.importorskip("leidenalg")
    net = mv.Multiplex(planted([0, 0, 0, 1, 1, 1]), (2, 3))
    table = net.community_sweep([0.1, 1], 1.0, seeds=2)
    assert table["communities"].tolist() == [2, 2]
    assert table["agreement"].tolist() == [1, 1]
    assert table["changed"].tolist() == [0, 0]
    for row in table.itertuples():
        found = net.communities(omega=row.omega)
        assert row.modularity == close(net.modularity(found, omega=row.omega))
    assert alike(net.consensus_communities(seeds=3), [[0, 0, 0, 1, 1, 1]] * 2)


def test_nodes_that_change_their_community_are_counted_by_links():
    membership = np.array([[0, 0, 1], [0, 1, 1], [1, 1, 1]])
    between = links(range(3), 3, "temporal", 1.0)
    assert multilayer.share_changed(membership, between) == close(2 / 6)
    with pytest.raises(mv.InputError, match="membership has 3 nodes and links reach node 8"):
        multilayer.share_changed(membership[0], between)


# --- Infomap ----------------------------------------------------------------------------------------------------------


def bits(partition, supra, n_nodes):
    """The map equation of a symmetric network: a walker is at a node as often as its strength says."""
    flow = supra / supra.sum()

    def plogp(*shares):
        return sum(share * log2(share) for share in shares if share > 0)

    modules = set(partition)
    exits, inside, names = [], [], []
    for module in modules:
        within = np.array([one == module for one in partition])
        exits.append(flow[within][:, ~within].sum())
        inside.append(flow[within].sum())
        by_token = Counter()
        for state in np.flatnonzero(within):
            by_token[state % n_nodes] += flow[state].sum()
        names += by_token.values()
    both = [one + other for one, other in zip(exits, inside, strict=True)]
    return plogp(sum(exits)) - 2 * plogp(*exits) - plogp(*names) + plogp(*both)


def partitions_of(n_states):
    """Yield every partition, as numbers in the order in which they appear."""

    def extended(start):
        if len(start) == n_states:
            yield start
            return
        for number in range(max(start, default=-1) + 2):
            yield from extended([*start, number])

    yield from extended([])


@pytest.mark.parametrize("omega", [0.05, 0.5, 3.0])
def test_infomap_finds_the_shortest_of_all_maps(omega):
    pytest.importorskip("infomap")
    rng = np.random.default_rng(1)
    weights = rng.random((2, 4, 4)) * (rng.random((2, 4, 4)) < 0.7)
    weights = weights + weights.swapaxes(1, 2)
    weights[:, :2, 2:] *= 0.1
    weights[:, 2:, :2] *= 0.1
    weights *= ~np.eye(4, dtype=bool)
    supra = supra_adjacency(weights, "ordinal", omega)
    found = multilayer.infomap(supra, 2)
    dense = supra.toarray()
    least = min(bits(partition, dense, 4) for partition in partitions_of(8))
    assert bits(found.ravel().tolist(), dense, 4) == close(least, abs=1e-9)


def test_infomap_of_a_network():
    pytest.importorskip("infomap")
    weights = planted([0, 0, 0, 1, 1, 1, 2], outside=0.0)
    weights[:, 6, 6] = 0
    net = mv.Multiplex(weights, (1, 7))
    found = net.infomap(coupling="none")
    assert found[0].tolist() == [0, 0, 0, 1, 1, 1, 2]
    assert found[1, 6] not in found[0], "an isolate is a community of its own"
    assert len(set(net.infomap(omega=0.5)[:, 0])) == 1, "links hold a token together"
    with pytest.raises(mv.InputError, match="8 rows are not 3 layers"):
        multilayer.infomap(np.zeros((8, 8)), 3)
