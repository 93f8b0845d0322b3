"""Centralities of one layer: how much a node matters in it (gamma in the paper).

There is one function for each measure; `CENTRALITIES` holds them all.
"""

# isort: off
# In the order in which tables show them.
from multiplex_vit.network.centrality import strength as strength
from multiplex_vit.network.centrality import entropy as entropy
from multiplex_vit.network.centrality import spectral as spectral
from multiplex_vit.network.centrality import paths as paths
from multiplex_vit.network.centrality import cohesion as cohesion

# isort: on
from multiplex_vit.network.centrality.registry import CENTRALITIES as CENTRALITIES
from multiplex_vit.network.centrality.registry import centrality as centrality
