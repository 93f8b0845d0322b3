"""Measures of one layer as a whole, and null models to compare them with.

There is one function for each measure; `LAYER_MEASURES` holds them all.
"""

from multiplex_vit.network.layer_measures.null_models import NULL_MODELS as NULL_MODELS
from multiplex_vit.network.layer_measures.registry import (
    LAYER_MEASURES as LAYER_MEASURES,
)
from multiplex_vit.network.layer_measures.table import layer_table as layer_table
from multiplex_vit.registry import import_members

# In the order in which tables show them.
import_members(
    __name__,
    first=(
        "counts",
        "mixing",
        "connection",
        "inequality",
        "communities",
        "spectrum",
        "space",
    ),
)
