"""Measures of one layer as a whole, and null models to compare them with.

There is one function for each measure; `LAYER_MEASURES` holds them all.
"""

# isort: off
# In the order in which tables show them.
from multiplex_vit.network.layer_measures import counts as counts
from multiplex_vit.network.layer_measures import mixing as mixing
from multiplex_vit.network.layer_measures import connection as connection
from multiplex_vit.network.layer_measures import inequality as inequality
from multiplex_vit.network.layer_measures import communities as communities
from multiplex_vit.network.layer_measures import spectrum as spectrum
from multiplex_vit.network.layer_measures import space as space

# isort: on
from multiplex_vit.network.layer_measures.null_models import NULL_MODELS as NULL_MODELS
from multiplex_vit.network.layer_measures.registry import (
    LAYER_MEASURES as LAYER_MEASURES,
)
from multiplex_vit.network.layer_measures.table import layer_table as layer_table
