"""Reducibility beside that of the same layers with their nodes permuted."""

import numpy as np
import pytest

import multiplex_vit as mv
from multiplex_vit.network.multilayer import reducibility

RNG = np.random.default_rng(0)
# Two kinds of blocks of nodes, each seen by three layers.
KINDS = [np.kron(np.eye(3), np.ones((4, 4))), np.kron(np.ones((4, 4)), np.eye(3))]
ALIKE = np.stack([KINDS[i // 3] * RNG.random((12, 12)) for i in range(6)])


def test_layers_that_are_alike_stand_out_from_permuted_ones():
    result = reducibility(ALIKE, "abcdef", samples=19)
    assert result.by_chance.shape == (19, 6)
    table = result.table()
    assert table["groups"][4] == "a+b+c, d+e+f"
    assert result.quality[4] > result.by_chance[:, 4].max(), (
        "the two kinds differ more than any two groups"
    )
    assert (table["p"][4], table["p"][5]) == (1 / 20, 1)
    assert table["z"][4] > 2
    assert table["by_chance"].tolist() == result.by_chance.mean(0).tolist()
    assert result.z < -3, "six layers of two kinds tell less than six of unrelated nodes"
    assert result.p == 1 / 20
    assert list(reducibility(ALIKE, "abcdef").table().columns) == [
        "merges",
        "layers",
        "height",
        "quality",
        "groups",
    ]


def test_layers_permuted_already_do_not():
    p = []
    for seed in range(12):
        rng = np.random.default_rng(seed)
        orders = [rng.permutation(12) for _ in ALIKE]
        mixed = np.stack([w[np.ix_(order, order)] for w, order in zip(ALIKE, orders, strict=True)])
        p.append(reducibility(mixed, "abcdef", samples=9, seed=seed).p)
    assert min(p) >= 0.1
    assert 0.2 < np.mean(p) < 0.8


def test_samples_change_nothing_else_and_the_seed_decides_them():
    alone = reducibility(ALIKE, "abcdef")
    one, same, other = (reducibility(ALIKE, "abcdef", samples=3, seed=seed) for seed in (0, 0, 1))
    assert alone.quality.tolist() == one.quality.tolist()
    assert one.by_chance.tolist() == same.by_chance.tolist() != other.by_chance.tolist()
    assert np.isnan([alone.z, alone.p]).all()
    for samples in (1, -1):
        with pytest.raises(mv.InputError, match=f"samples is {samples}"):
            reducibility(ALIKE, "abcdef", samples=samples)


def test_a_network_shows_it():
    net = mv.Multiplex(ALIKE, (3, 4))
    figure = net.reducibility(samples=2).plot()
    legend = figure.axes[1].get_legend().get_texts()
    assert legend[0].get_text() == "nodes permuted, 2 times"
