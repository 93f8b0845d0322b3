"""Flow: where attention leads, within a layer step by step and through the layers in their order.

Functions take weights of attention edges, the first block first: `weights[layer, source, target]` is
what the source attends to the target. `Multiplex` has them as methods, which turn edges of
information first.
"""

from multiplex_vit.network.flow.chain import Chain as Chain
from multiplex_vit.network.flow.chain import Metastable as Metastable
from multiplex_vit.network.flow.communicability import (
    dynamic_communicability as dynamic_communicability,
)
from multiplex_vit.network.flow.max_flow import attention_flow as attention_flow
from multiplex_vit.network.flow.max_flow import minimum_cut as minimum_cut
from multiplex_vit.network.flow.paths import PathsInTime as PathsInTime
from multiplex_vit.network.flow.paths import paths_in_time as paths_in_time
from multiplex_vit.network.flow.residual import layer_contributions as layer_contributions
from multiplex_vit.network.flow.residual import rollout as rollout
from multiplex_vit.network.flow.residual import with_residual as with_residual
from multiplex_vit.network.flow.route import route as route
