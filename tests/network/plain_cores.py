"""Cores of networks by plain loops."""

import numpy as np


def core_numbers(n_nodes, degrees_within):
    """Return the greatest k of each node's sets in which all have at least k, by taking out nodes one k at a time."""
    number = np.zeros(n_nodes, dtype=int)
    for k in range(1, 2 * n_nodes):
        left = np.ones(n_nodes, dtype=bool)
        while True:
            stays = left & (degrees_within(left) >= k)
            if (stays == left).all():
                break
            left = stays
        number[left] = k
    return number


def in_core_numbers(weights):
    edge = (weights > 0) & ~np.eye(len(weights), dtype=bool)
    return core_numbers(len(weights), lambda left: edge[left].sum(0))


def rich_core(weights):
    """Return the core of nodes of different strengths: up to the one that has most weight to those above it."""
    both = weights + weights.T
    np.fill_diagonal(both, 0)
    order = np.argsort(-both.sum(0))
    to_stronger = [both[node, order[:rank]].sum() for rank, node in enumerate(order)]
    core = np.zeros(len(both), dtype=int)
    core[order[: np.argmax(to_stronger) + 1]] = 1
    return core


def core_periphery(weights):
    """Return the correlation of weights with pairs of the core, over pairs of nodes that have edges."""
    between = weights * ~np.eye(len(weights), dtype=bool)
    linked = np.flatnonzero(between.any(0) | between.any(1))
    core = rich_core(weights)
    pairs = [(one, other) for one in linked for other in linked if one != other]
    inside = [core[one] * core[other] for one, other in pairs]
    if len(set(inside)) == 1:
        return np.nan
    return np.corrcoef([between[pair] for pair in pairs], inside)[0, 1]
