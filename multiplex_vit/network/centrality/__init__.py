"""Centralities of one layer: how much a node matters in it (gamma in the paper).

There is one function for each measure; `CENTRALITIES` holds them all.
"""

from multiplex_vit.network.centrality.registry import CENTRALITIES as CENTRALITIES
from multiplex_vit.network.centrality.registry import centrality as centrality
from multiplex_vit.registry import import_members

# In the order in which tables show them.
import_members(__name__, first=("strength", "entropy", "spectral", "paths", "cohesion"))
