"""A planted model: its confidence is a known function of the kept tokens, so that the right heatmap is known."""

import numpy as np
import pytest
from fake import PlantedModel
from scipy.stats import spearmanr

import multiplex_vit as mv

SIDE = 8
RULES = {
    "linear": lambda total: 0.05 + 0.9 * total,
    "sigmoid": lambda total: 1 / (1 + np.exp(3 - 6 * total)),
}


def planted_worth(seed, roughness):
    """Two blobs on the grid and something of each token's own; at least 0 and 1 in all.

    Blobs alone fall to a millionth of their height, where an order is nothing that a smooth estimator could or need find: then it is
    .87 to .99 for random masks and .94 to .99 for multiplex.
    """
    rng, (row, col) = np.random.default_rng(seed), np.indices((SIDE, SIDE))
    blobs = sum(
        h * np.exp(-((row - r) ** 2 + (col - c) ** 2) / 4)
        for h, r, c in zip((1, 0.6), rng.uniform(0, 7, 2), rng.uniform(0, 7, 2), strict=True)
    )
    worth = blobs + roughness * rng.random((SIDE, SIDE))
    return worth / worth.sum()


def correlation(worth, rule, **choices):
    model = PlantedModel(worth, rule=RULES[rule])
    explanation = mv.explain(
        model, np.ones((1, 3, SIDE, SIDE), dtype=np.float32), label=0, budget=550, **choices
    )
    assert model.sequences == explanation.forward_passes <= 550
    return spearmanr(explanation.heatmap.ravel(), worth.ravel()).statistic


WAYS = {
    "communities": {"method": "communities"},
    "random masks, graph": {"design": "random", "estimator": "graph"},
}


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("roughness", [0.2, 0.5])
@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("way", WAYS)
def test_a_planted_heatmap_is_found_again(way, rule, roughness, seed):
    assert correlation(planted_worth(seed, roughness), rule, **WAYS[way]) > 0.95


def test_a_wrong_heatmap_is_not_found():
    """The measure can fail: what is found for one worth does not fit another."""
    model = PlantedModel(planted_worth(0, 0.5), rule=RULES["linear"])
    explanation = mv.explain(
        model,
        np.ones((1, 3, SIDE, SIDE), dtype=np.float32),
        label=0,
        budget=550,
        method="communities",
    )
    assert spearmanr(explanation.heatmap.ravel(), planted_worth(1, 0.5).ravel()).statistic < 0.8
