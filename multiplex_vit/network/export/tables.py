"""Tables of nodes and edges."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from multiplex_vit.accepts import accepts
from multiplex_vit.network.export.registry import EXPORTERS
from multiplex_vit.network.export.text import json_text
from multiplex_vit.network.export.view import Arrays, Export
from multiplex_vit.tabular import write_table

_EDGE_COLUMNS = {
    "source": "string",
    "target": "string",
    "type": "string",
    "weight": "double",
    "kind": "string",
    "source_layer": "int64",
    "target_layer": "int64",
}
"""Columns of the table of edges, and their types as Arrow names them."""


@EXPORTERS.register(suffix=".csv", signed=True)
@accepts()
def csv(export: Export, path: Path) -> None:
    """Write two tables: net.csv becomes net_nodes.csv and net_edges.csv, and no net.csv is written.

    Nodes have the columns id ("L03:r1c4"), layer, layer_name, block, head, node, token, row, col,
    x, y, z and, of measures, size, r, g, b and their values, empty where NaN. Edges have source,
    target (ids), type ("Directed"), weight, kind ("attention" or "coupling"), source_layer and
    target_layer. UTF-8, commas, floats in 17 digits. Provenance, and whether edges are of
    attention or of information, are not in them.

    Read by pandas, R, spreadsheets, and Gephi's spreadsheet importer (nodes first, then edges).

    References
    ----------
    Shafranovich, RFC 4180 (2005), doi:10.17487/RFC4180.
    """
    nodes = export.nodes()
    write_table(nodes.rename(columns={"name": "id"}), _beside(path, "nodes"))
    file = _beside(path, "edges")
    for number, edges in enumerate(_edge_tables(export, nodes["name"])):
        write_table(edges, file, go_on=number > 0)


@EXPORTERS.register(suffix=".parquet", signed=True)
@accepts()
def parquet(export: Export, path: Path) -> None:
    """Write the two tables of `csv` as Parquet.

    net.parquet becomes net_nodes.parquet and net_edges.parquet.

    Both carry provenance, coupling, omega and edge_direction as JSON in their metadata under
    "multiplex_vit".

    Read by pandas, pyarrow, polars, DuckDB, R.

    References
    ----------
    Apache Parquet, https://parquet.apache.org/docs/file-format/.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    facts = {"provenance": dict(export.provenance), **export.settings}
    about = {"multiplex_vit": json_text(facts)}
    nodes = export.nodes()
    table = pa.Table.from_pandas(nodes.rename(columns={"name": "id"}), preserve_index=False)
    # What pandas wrote there of its types stays beside it.
    metadata = {**(table.schema.metadata or {}), **about}
    pq.write_table(table.replace_schema_metadata(metadata), _beside(path, "nodes"))
    fields = [(name, pa.type_for_alias(kind)) for name, kind in _EDGE_COLUMNS.items()]
    schema = pa.schema(fields, metadata=about)
    with pq.ParquetWriter(_beside(path, "edges"), schema) as writer:
        for edges in _edge_tables(export, nodes["name"]):
            part = pa.Table.from_pandas(edges, schema=schema, preserve_index=False)
            writer.write_table(part.replace_schema_metadata(about))


def _beside(path: Path, what: str) -> Path:
    return path.with_name(f"{path.stem}_{what}{path.suffix}")


def _edge_tables(export: Export, names: pd.Series) -> Iterator[pd.DataFrame]:
    """Yield the table of each layer's edges, then that of the inter-layer links."""
    # An array of names can be indexed by whole columns of edges.
    text = np.array(names, dtype=object)
    for edges in export.edges():
        yield _table(edges, text, "attention", export.n_nodes)
    yield _table(export.links(), text, "coupling", export.n_nodes)


def _table(edges: Arrays, names: np.ndarray, kind: str, n_nodes: int) -> pd.DataFrame:
    source, target, weight = edges
    return pd.DataFrame(
        {
            "source": names[source],
            "target": names[target],
            "type": "Directed",
            "weight": weight,
            "kind": kind,
            "source_layer": source // n_nodes,
            "target_layer": target // n_nodes,
        }
    )
