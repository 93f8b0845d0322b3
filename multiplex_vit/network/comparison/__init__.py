"""Comparison of networks: two of them layer by layer, and groups of them edge by edge.

There is one function for each distance; `LAYER_DISTANCES` holds them all.
"""

from multiplex_vit.network.comparison.compare import compare as compare
from multiplex_vit.network.comparison.edgewise import EdgeStatistic as EdgeStatistic
from multiplex_vit.network.comparison.edgewise import (
    network_based_statistic as network_based_statistic,
)
from multiplex_vit.network.comparison.groups import compare_measures as compare_measures
from multiplex_vit.network.comparison.groups import permutation_test as permutation_test
from multiplex_vit.network.comparison.registry import LAYER_DISTANCES as LAYER_DISTANCES
from multiplex_vit.registry import import_members

# In the order in which tables show them.
import_members(__name__, first=("spectral", "portrait", "deltacon"))
