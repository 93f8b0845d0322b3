"""Files of a network: one module for each format.

`write` chooses the format by suffix or name, `read_graphml` reads a network back, and
`lint_gephi` checks a file by the rules of Gephi's importer.
"""

from multiplex_vit.network.export.gephi import lint_gephi
from multiplex_vit.network.export.presets import PRESETS
from multiplex_vit.network.export.pymnet import to_pymnet
from multiplex_vit.network.export.read_graphml import StoredNetwork, read_graphml
from multiplex_vit.network.export.registry import EXPORTERS
from multiplex_vit.network.export.view import Export
from multiplex_vit.network.export.write import exporter_of, in_preset, write
from multiplex_vit.registry import import_members

# In the order in which messages and the command line list them.
import_members(
    __name__,
    first=(
        "graphml",
        "gexf",
        "gexf_dynamic",
        "graphology",
        "tables",
        "infomap",
        "pajek",
        "muxviz",
        "mpx",
    ),
)

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
