"""Files of a network: one module a format, `write` by suffix or name, `read_graphml` back, and `lint_gephi`, the rules of Gephi's importer."""

# isort: off
# In the order in which messages and the command line list them.
from multiplex_vit.network.export import graphml, gexf, gexf_dynamic, graphology, tables, infomap, pajek, muxviz, mpx  # noqa: F401

# isort: on
from multiplex_vit.network.export.gephi import lint_gephi
from multiplex_vit.network.export.pymnet import to_pymnet
from multiplex_vit.network.export.read_graphml import Found, read_graphml
from multiplex_vit.network.export.registry import EXPORTERS
from multiplex_vit.network.export.view import Export
from multiplex_vit.network.export.write import exporter_of, write

__all__ = ["EXPORTERS", "Export", "Found", "exporter_of", "lint_gephi", "read_graphml", "to_pymnet", "write"]
