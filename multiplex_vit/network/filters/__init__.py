"""Filters: which edges of every layer stay, and what a filter does to a network.

There is one function for each filter; `FILTERS` holds them all.
"""

# isort: off
# In the order in which messages and the command line list them.
from multiplex_vit.network.filters.thresholds import min_cut as min_cut
from multiplex_vit.network.filters.thresholds import top_k as top_k
from multiplex_vit.network.filters.thresholds import row_relative as row_relative
from multiplex_vit.network.filters.thresholds import matched_density as matched_density
from multiplex_vit.network.filters.thresholds import without_loops as without_loops
from multiplex_vit.network.filters.backbones import disparity as disparity
from multiplex_vit.network.filters.backbones import noise_corrected as noise_corrected
from multiplex_vit.network.filters.backbones import spanning_tree_plus as spanning_tree_plus

# isort: on
from multiplex_vit.network.filters.curve import pruning_curve as pruning_curve
from multiplex_vit.network.filters.registry import FILTERS as FILTERS
from multiplex_vit.network.filters.registry import filtered as filtered
from multiplex_vit.network.filters.thresholds import without_weak as without_weak
from multiplex_vit.registry import import_members

# The order above is that in which messages and the command line list filters; others come behind.
import_members(__name__)
