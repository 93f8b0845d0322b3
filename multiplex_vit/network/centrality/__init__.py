"""Centralities of one layer: how much a node matters in it (gamma in the paper). One function a measure; `CENTRALITIES` holds them all."""

# isort: off
# In the order in which tables show them.
from multiplex_vit.network.centrality import strength, entropy, spectral, paths, cohesion  # noqa: F401

# isort: on
from multiplex_vit.network.centrality.registry import CENTRALITIES as CENTRALITIES
from multiplex_vit.network.centrality.registry import centrality as centrality
