"""Networks to export: a toy by hand, a nasty one, a big one; and packages that tests want."""

import os
from importlib import import_module, util

import numpy as np
import pytest

from multiplex_vit.network.export import Export
from multiplex_vit.network.tokens import Tokens

FIRST = [[0.5, 0.25, 0.25, 0], [0, 0.5, 0, 0.5], [0.125, 0, 0.75, 0.125], [0, 0, 0, 0]]
SECOND = [[0, 1, 0, 0], [0.5, 0, 0.5, 0], [0, 0, 0, 0], [0, 0, 0, 0.01]]


def wanted(there, reason):
    """Skip where a client is absent; in CI its absence is a failure."""
    if not there and os.environ.get("CI"):
        pytest.fail(f"{reason}; CI wants it", pytrace=False)
    if not there:
        pytest.skip(reason)


def package(name):
    wanted(
        util.find_spec(name.split(".")[0]),
        f"{name} is not installed (pip install 'multiplex-vit[test]')",
    )
    return import_module(name)


def toy(**changes):
    """Two layers of four nodes on a 2 x 2 grid: 12 edges, 8 inter-layer links of 0.5."""
    weights = np.array([FIRST, SECOND], dtype=np.float32)
    measures = {"in_strength": weights.sum(1)}
    options = {
        "provenance": {"model": "by hand", "min_cut": 0.25, "seed": 3},
        "omega": 0.5,
        "measures": measures,
        **changes,
    }
    return Export(weights, Tokens((2, 2)), ("L00", "L01"), **options)


def nasty(**changes):
    """Three layers of a prefix token and four patches: names with XML, emoji and separators, an empty layer, isolates, self-loops, a tiny weight, NaN."""
    weights = np.zeros((3, 5, 5))
    weights[0, 0, 0], weights[0, 0, 1], weights[0, 1, 0] = 0.5, 0.25, 0.125
    weights[2, 3, 4], weights[2, 4, 4] = 1 / 3, 1e-60
    about = {
        "model": 'a<b> & "c" \x01 \udc80\r\n\t\N{SMILING FACE WITH SUNGLASSES}',
        "coupling": "mine",
        "layer": 2**70,
        "nan": np.nan,
        "yes": True,
        "no": "",
    }
    measure = np.array([[np.nan, 0, 1, 2, np.inf]] * 3)
    options = {
        "provenance": about,
        "omega": 0.25,
        "measures": {"a <measure>": measure},
        **changes,
    }
    names = ("block <&\"'> ;,#\N{SMILING FACE WITH SUNGLASSES}", "empty", "L2")
    return Export(weights, Tokens((2, 2), ("class",)), names, **options)


def big(**changes):
    """Twelve layers of 196 nodes, attention drawn from a Dirichlet distribution and pruned at 0.01 of each layer's greatest."""
    rng = np.random.default_rng(0)
    weights = rng.dirichlet(np.full(196, 0.02), (12, 196)).astype(np.float32)
    weights[weights < 0.01 * weights.max((1, 2), keepdims=True)] = 0
    return Export(
        weights,
        Tokens((14, 14)),
        tuple(f"L{i:02d}" for i in range(12)),
        {"model": "random"},
        **{"measures": {"in_strength": weights.sum(1)}, **changes},
    )
