"""Files of a network: one module a format, `write` by suffix or name, `read_graphml` back, and `lint_gephi`, the rules of Gephi's importer."""

from multiplex_vit.network.export import gexf, gexf_dynamic, graphml, graphology, infomap, mpx, muxviz, pajek, tables  # noqa: F401 - they register themselves
from multiplex_vit.network.export.gephi import lint_gephi
from multiplex_vit.network.export.pymnet import to_pymnet
from multiplex_vit.network.export.read_graphml import Found, read_graphml
from multiplex_vit.network.export.registry import EXPORTERS
from multiplex_vit.network.export.view import Export
from multiplex_vit.network.export.write import exporter_of, write

__all__ = ["EXPORTERS", "Export", "Found", "exporter_of", "lint_gephi", "read_graphml", "to_pymnet", "write"]
