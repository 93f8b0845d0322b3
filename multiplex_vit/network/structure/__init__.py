"""Structure: how the edges of a layer are arranged, as maps of its nodes and as tables.

Functions take a `Layer`, or weights [source, target]; `Multiplex` has them as methods, layer by layer.
"""

from multiplex_vit.network.structure.components import PARTS as PARTS
from multiplex_vit.network.structure.components import bow_tie as bow_tie
from multiplex_vit.network.structure.components import components as components
from multiplex_vit.network.structure.homology import betti_curve as betti_curve
from multiplex_vit.network.structure.richness import rich_club_curve as rich_club_curve
from multiplex_vit.network.structure.triads import TRIADS as TRIADS
from multiplex_vit.network.structure.triads import triad_census as triad_census
