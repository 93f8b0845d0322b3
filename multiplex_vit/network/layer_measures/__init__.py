"""Measures of one layer as a whole, and null models to hold them against. One function a measure; `LAYER_MEASURES` holds them all."""

# isort: off
# In the order in which tables show them.
from multiplex_vit.network.layer_measures import counts, mixing, connection, inequality, communities, spectrum, space  # noqa: F401

# isort: on
from multiplex_vit.network.layer_measures.null_models import NULL_MODELS as NULL_MODELS
from multiplex_vit.network.layer_measures.registry import LAYER_MEASURES as LAYER_MEASURES
from multiplex_vit.network.layer_measures.table import layer_table as layer_table
