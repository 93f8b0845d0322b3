"""Every format, with and without measures, opened by every reader in Python that its docs name."""

import json

import igraph
import networkx as nx
import numpy as np
import pandas as pd
import pytest
from exported import package

import multiplex_vit as mv

MEASURES = {
    "no measure": None,
    "one measure": "in_strength",
    "several measures": ["in_strength", "pagerank"],
    "a measure with NaN": lambda weights: np.where(np.arange(len(weights)) == 1, np.nan, 1.0),
}


def by_infomap(path):
    infomap = package("infomap")
    found = infomap.Infomap(silent=True, directed=True, num_trials=1)
    found.read_file(str(path))
    found.run()
    return len(list(found.nodes))


def by_uunet(path):
    return package("uunet.multinet").num_vertices(package("uunet.multinet").read(str(path)))


def by_pandas(read):
    def count(path):
        beside = path.with_name(path.name.replace("_edges", "_nodes"))
        assert {"source", "target", "weight", "kind"} <= set(read(path))
        return len(read(beside))

    return count


def by_json(path):
    return len(json.loads(path.read_text())["nodes"])


def by_lines(path):
    return sum(1 for _ in path.open())


def by_networkx(read):
    return lambda path: len(read(path))


NODES = {
    ("graphml", "networkx"): (by_networkx(nx.read_graphml), 8),
    ("graphml", "igraph"): (
        lambda path: igraph.Graph.Read_GraphML(str(path)).vcount(),
        8,
    ),
    ("graphml", "multiplex_vit"): (
        lambda path: mv.Multiplex.read(path).weights[:, 0].size,
        8,
    ),
    ("gexf", "networkx"): (by_networkx(nx.read_gexf), 8),
    ("gexf_dynamic", "networkx"): (by_networkx(nx.read_gexf), 4),
    ("graphology", "json"): (by_json, 8),
    ("infomap", "infomap"): (by_infomap, 8),
    ("mpx", "uunet"): (by_uunet, 8),
    ("muxviz", "text"): (by_lines, 2),
    ("pajek", "networkx"): (by_networkx(nx.read_pajek), 4),
    ("pajek", "igraph"): (lambda path: igraph.Graph.Read_Pajek(str(path)).vcount(), 4),
    ("csv", "pandas"): (by_pandas(pd.read_csv), 8),
    ("parquet", "pandas"): (by_pandas(pd.read_parquet), 8),
}
"""How many nodes each reader finds of the two layers of four nodes."""


def test_no_format_is_left_out():
    assert {format for format, _ in NODES} == set(mv.EXPORTERS)


@pytest.mark.filterwarnings("ignore:Infomap")
@pytest.mark.parametrize("measures", MEASURES)
@pytest.mark.parametrize(("format", "reader"), NODES)
def test_every_reader_opens_every_file_that_it_is_named_for(
    format, reader, measures, net, tmp_path
):
    read, expected = NODES[format, reader]
    suffix = mv.EXPORTERS.trait(format, "suffix") or mv.EXPORTERS.trait(format, "extension")
    path = tmp_path / f"net{suffix}"
    files = net.write(path, format=format, measures=MEASURES[measures], preset="full")
    assert read(files[0]) == expected


def test_networkx_finds_the_last_moment_of_a_timeline_with_measures(net, tmp_path):
    net.write(
        tmp_path / "net.gexf",
        format="gexf_dynamic",
        measures=["in_strength", "pagerank"],
    )
    graph = nx.read_gexf(tmp_path / "net.gexf")
    assert graph.graph["mode"] == "dynamic"
    table = net.node_table(["in_strength", "pagerank"]).query("layer == 1")
    for row in table.to_dict("records"):
        node = graph.nodes[row["name"].removeprefix("L01:")]
        assert node["in_strength"] == pytest.approx(row["in_strength"])
        assert node["pagerank"] == pytest.approx(row["pagerank"])
    assert graph.edges["r0c0", "r0c1"]["weight"] == 1.0
