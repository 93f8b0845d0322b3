"""Files of a network: one module for each format.

`write` chooses the format by suffix or name, `read_graphml` reads a network back, and
`lint_gephi` checks a file by the rules of Gephi's importer.
"""

# isort: off
# In the order in which messages and the command line list them.
from multiplex_vit.network.export import graphml as graphml
from multiplex_vit.network.export import gexf as gexf
from multiplex_vit.network.export import gexf_dynamic as gexf_dynamic
from multiplex_vit.network.export import graphology as graphology
from multiplex_vit.network.export import tables as tables
from multiplex_vit.network.export import infomap as infomap
from multiplex_vit.network.export import pajek as pajek
from multiplex_vit.network.export import muxviz as muxviz
from multiplex_vit.network.export import mpx as mpx

# isort: on
from multiplex_vit.network.export.gephi import lint_gephi
from multiplex_vit.network.export.presets import PRESETS
from multiplex_vit.network.export.pymnet import to_pymnet
from multiplex_vit.network.export.read_graphml import StoredNetwork, read_graphml
from multiplex_vit.network.export.registry import EXPORTERS
from multiplex_vit.network.export.view import Export
from multiplex_vit.network.export.write import exporter_of, in_preset, write

__all__ = [
    "EXPORTERS",
    "PRESETS",
    "Export",
    "StoredNetwork",
    "exporter_of",
    "in_preset",
    "lint_gephi",
    "read_graphml",
    "to_pymnet",
    "write",
]
