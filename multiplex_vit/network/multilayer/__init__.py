"""Measures of layers together.

They are of a node in all layers, of pairs of layers, of layers that can be merged, and of
communities.
"""

from multiplex_vit.network.multilayer.communities import communities as communities
from multiplex_vit.network.multilayer.consensus import agreement as agreement
from multiplex_vit.network.multilayer.consensus import consensus as consensus
from multiplex_vit.network.multilayer.consensus import share_changed as share_changed
from multiplex_vit.network.multilayer.infomap import infomap as infomap
from multiplex_vit.network.multilayer.modularity import (
    multilayer_modularity as multilayer_modularity,
)
from multiplex_vit.network.multilayer.modularity import relative_omega as relative_omega
from multiplex_vit.network.multilayer.overlap import (
    edge_multiplicity as edge_multiplicity,
)
from multiplex_vit.network.multilayer.overlap import global_overlap as global_overlap
from multiplex_vit.network.multilayer.pairs import layer_pair_table as layer_pair_table
from multiplex_vit.network.multilayer.pairs import (
    similarity_matrix as similarity_matrix,
)
from multiplex_vit.network.multilayer.reducibility import DENSITIES as DENSITIES
from multiplex_vit.network.multilayer.reducibility import Reducibility as Reducibility
from multiplex_vit.network.multilayer.reducibility import reducibility as reducibility
from multiplex_vit.network.multilayer.registry import (
    MULTILAYER_MEASURES as MULTILAYER_MEASURES,
)
from multiplex_vit.network.multilayer.similarity import (
    LAYER_SIMILARITIES as LAYER_SIMILARITIES,
)
from multiplex_vit.network.multilayer.table import multilayer_table as multilayer_table
from multiplex_vit.network.multilayer.table import versatility as versatility
from multiplex_vit.registry import import_members

# In the order in which tables show them.
import_members(
    __name__, first=("strength", "spread", "versatilities", "similarity", "strength_similarity")
)
