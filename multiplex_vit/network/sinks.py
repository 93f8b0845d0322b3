"""Sinks: tokens to which most others attend, where they are, and what they hand on."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from multiplex_vit.accepts import accepts, stack
from multiplex_vit.checks import numbers, positive
from multiplex_vit.errors import InputError
from multiplex_vit.network.layer import Layer
from multiplex_vit.network.layer_measures.rank import (
    effective_rank,
    mean_cosine,
    sink_concentration,
)
from multiplex_vit.network.tokens import Tokens

_KINDS = ("class", "register", "patch")
"""Kinds of tokens that are told apart; a distillation token counts as a class token."""


@accepts(weights=stack)
def sinks(weights: np.ndarray, *, factor: float = 5.0) -> np.ndarray:
    """Return which nodes are sinks: they receive more than `factor` times the median of their layer.

    Parameters
    ----------
    weights : ndarray [layer, source, target]
        Of attention edges.
    factor : float, above 0
        Default: 5.

    Returns
    -------
    ndarray of bool [layer, node]

    References
    ----------
    Xiao et al., ICLR 2024, arXiv:2309.17453; Darcet et al., ICLR 2024, arXiv:2309.16588.

    Examples
    --------
    >>> weights = np.array([[[0, 1.0, 0], [0.1, 0.8, 0.1], [0, 0.9, 0.1]]])
    >>> sinks(weights).tolist()
    [[False, True, False]]
    """
    factor = positive("factor", factor)
    received = weights.sum(1, dtype=float)
    median = np.median(received, axis=1, keepdims=True)
    return received > factor * median


@accepts()
def sink_table(
    layers: Sequence[Layer],
    *,
    factor: float = 5.0,
    value_norms: Any = None,
) -> pd.DataFrame:
    """Return one row a layer: how concentrated attention is, where its sinks are, and its rank.

    Parameters
    ----------
    layers : sequence of Layer
        Of attention edges.
    factor : float, above 0
        See `sinks`. Default: 5.
    value_norms : ndarray [layer, node], optional
        Lengths of the tokens' value vectors. A sink whose value is short hands on next to
        nothing; one whose value is long is heard by all.

    Returns
    -------
    pandas.DataFrame
        - layer, name
        - received_max, received_median, concentration: the greatest in-strength, the median, and
          their ratio (NaN where the median is 0)
        - sinks, sinks_class, sinks_register, sinks_patch: how many there are, and of which kind;
          distillation tokens count as class tokens
        - share_sinks: the share of all attention that sinks receive
        - effective_rank: see the measure of that name
        - sink_value_norm, other_value_norm: mean lengths of values of sinks and of the others,
          where value norms are given; NaN where there is none

    Raises
    ------
    InputError
        If value norms are not [layer, node].

    References
    ----------
    Xiao et al., ICLR 2024, arXiv:2309.17453; Darcet et al., ICLR 2024, arXiv:2309.16588.

    Examples
    --------
    >>> layers = [Layer(np.array([[0, 1.0, 0], [0.1, 0.8, 0.1], [0, 0.9, 0.1]]), name="L00")]
    >>> sink_table(layers)[["name", "sinks", "sinks_patch", "share_sinks"]]
      name  sinks  sinks_patch  share_sinks
    0  L00      1            1          0.9
    """
    norms = _checked_norms(value_norms, layers)
    rows = []
    for place, layer in enumerate(layers):
        received = layer.weights.sum(0, dtype=float)
        is_sink = sinks(layer.weights[None], factor=factor)[0]
        row = {"layer": place, "name": layer.name, **_concentration(received)}
        row["concentration"] = sink_concentration(layer)
        row |= _whereabouts(is_sink, layer.tokens)
        total = received.sum()
        row["share_sinks"] = received[is_sink].sum() / total if total else np.nan
        row["effective_rank"] = effective_rank(layer)
        if norms is not None:
            row["sink_value_norm"] = _mean(norms[place][is_sink])
            row["other_value_norm"] = _mean(norms[place][~is_sink])
        rows.append(row)
    return pd.DataFrame(rows)


@accepts()
def token_similarity(states: Any) -> np.ndarray:
    """Return how alike tokens are after each block: the mean cosine of their vectors.

    It rises with depth where a model smooths over its tokens.

    Parameters
    ----------
    states : ndarray [block, token, feature]
        Hidden states.

    Returns
    -------
    ndarray [block]
        -1 to 1; 1 where all tokens point one way.

    Raises
    ------
    InputError
        If states are not [block, token, feature].

    References
    ----------
    Wang et al., ICLR 2022, arXiv:2203.05962; Nait Saada et al., arXiv:2410.07799.

    Examples
    --------
    >>> token_similarity(np.array([[[1.0, 0], [0, 1.0]], [[1.0, 0], [2.0, 0]]])).tolist()
    [0.0, 1.0]
    """
    vectors = numbers("states", states)
    if vectors.ndim != 3:
        raise InputError(f"states have shape {list(vectors.shape)}; give [block, token, feature]")
    return np.array([mean_cosine(block) for block in vectors])


@accepts()
def residual_cancellation(before: Any, update: Any) -> np.ndarray:
    """Return how far each block's update cancels what the residual stream held.

    sum (|x| + |u|) / sum |x + u| over tokens and features, for each block. A high value predicts
    noisy gradients.

    Parameters
    ----------
    before, update : ndarray [block, token, feature]
        What enters a block, and what the block adds to it.

    Returns
    -------
    ndarray [block]
        From 1 up (the two never have opposite signs).

    Raises
    ------
    InputError
        If both have not one shape [block, token, feature].

    Examples
    --------
    >>> residual_cancellation(np.array([[[1.0, 2.0]]]), np.array([[[1.0, -1.0]]])).round(3).tolist()
    [1.667]
    """
    held, added = numbers("before", before), numbers("update", update)
    if held.ndim != 3 or held.shape != added.shape:
        shapes = f"{list(held.shape)} and {list(added.shape)}"
        raise InputError(
            f"before and update have shapes {shapes}; give one [block, token, feature]"
        )
    parts = (np.abs(held) + np.abs(added)).sum((1, 2))
    return parts / np.abs(held + added).sum((1, 2))


def _concentration(received: np.ndarray) -> dict[str, float]:
    return {
        "received_max": float(received.max()),
        "received_median": float(np.median(received)),
    }


def _whereabouts(is_sink: np.ndarray, tokens: Tokens) -> dict[str, int]:
    """Return how many sinks there are, and how many of each kind of token."""
    kinds = np.array([_kind(token) for token in tokens.table["token"]])
    counts = {"sinks": int(is_sink.sum())}
    for kind in _KINDS:
        counts[f"sinks_{kind}"] = int((is_sink & (kinds == kind)).sum())
    return counts


def _kind(token: str) -> str:
    if token == "patch":
        return token
    return "register" if token.startswith("register") else "class"


def _mean(values: np.ndarray) -> float:
    return float(values.mean()) if values.size else np.nan


def _checked_norms(value_norms: Any, layers: Sequence[Layer]) -> np.ndarray | None:
    if value_norms is None:
        return None
    norms = numbers("value_norms", value_norms)
    n_nodes = len(layers[0].tokens) if layers else 0
    if norms.shape != (len(layers), n_nodes):
        expected = f"give [layer, node] = {[len(layers), n_nodes]}"
        raise InputError(f"value_norms have shape {list(norms.shape)}; {expected}")
    return norms
