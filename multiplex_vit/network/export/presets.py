"""Presets: how much of a network a file holds, and how it looks there."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from multiplex_vit.accepts import accepts
from multiplex_vit.checks import whole
from multiplex_vit.network.coupling import links
from multiplex_vit.network.export.view import Export
from multiplex_vit.registry import Registry

PRESETS: Registry[Callable[[Export], Export]] = Registry("preset", traits={"signed": bool})
"""A member takes an `Export` and returns the one that is written."""

_SPARSE = 6
"""A layer with no more edges a node than this is left as it is, but for its loops."""

_OMEGA = 0.1
"""How strongly a node is held to its community in the next layer, in mean strengths."""


@PRESETS.register(signed=True)
@accepts()
def full(export: Export) -> Export:
    """Write every edge and link with its weight, so that nothing is lost."""
    return _with_communities(export)


@PRESETS.register
@accepts()
def gephi(export: Export, *, degree: int = 3) -> Export:
    """Write a picture that can be read as soon as Gephi or Gephi Lite opens it.

    - Of a layer with more than 6 edges a node stay the `degree` strongest edges with which each
      token attends to others; self-loops go. The provenance says so, and gives the share kept.
    - The stronger an edge, the thicker and the less pale. It has the colour of its target, or that
      of the community in which it lies.
    - Inter-layer links are thin and pale, lie below the edges, and join layers that lie beside
      each other; one that runs both ways is written once. Their `weight`, by which programs draw
      them, is half of the least weight of an edge; `omega` is what they weigh. Links of layers
      that are heads are left out: every head of a block is linked with all of the next.

    Parameters
    ----------
    export : Export
    degree : int
        Edges that each token keeps, from 1 up. Default: 3.

    Raises
    ------
    InputError
        If `degree` is no whole number of at least 1.
    """
    degree = whole("degree", degree, at_least=1)
    weights = _backbone(export, degree)
    before = np.count_nonzero(export.weights)
    share = np.count_nonzero(weights) / before if before else 1.0
    about = {
        "backbone": f"the {degree} strongest edges of each token to others",
        "backbone_share": round(share, 4),
    }
    drawn = replace(
        export,
        weights=weights,
        provenance={**export.provenance, **about},
        readable=True,
    )
    return _with_communities(drawn)


def _backbone(export: Export, degree: int) -> np.ndarray:
    """Return the weights without loops; of crowded layers the strongest of each token."""
    is_loop = np.eye(export.n_nodes, dtype=bool)
    weights = np.where(is_loop, 0, export.weights)
    # The same edges stay whichever way they run: those by which a token attends.
    axis = 2 if export.direction == "attention" else 1
    order = np.argsort(-weights, axis=axis, kind="stable")
    rank = np.argsort(order, axis=axis, kind="stable")
    strongest = np.where(rank < degree, weights, 0)
    crowded = np.count_nonzero(weights, axis=(1, 2)) > _SPARSE * export.n_nodes
    return np.where(crowded[:, None, None], strongest, weights)


def _with_communities(export: Export) -> Export:
    """Return a network with the communities of its nodes, where colours are to show them."""
    if export.colour != "community" or "community" in export.measures:
        return export
    # With igraph comes matplotlib, which a file without communities can do without.
    from multiplex_vit.network.multilayer import communities, relative_omega

    omega = relative_omega(_OMEGA, export.weights)
    between = links(
        export.blocks,
        export.n_nodes,
        export.coupling,
        omega,
        edges=export.direction,
    )
    membership = communities(export.weights, between)
    return replace(export, measures={**export.measures, "community": membership})
