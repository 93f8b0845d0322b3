import inspect

import igraph
import networkx as nx
import numpy as np
import pandas as pd
import pytest

import multiplex_vit as mv
from multiplex_vit.network.export import lint_gephi
from multiplex_vit.network.layer import Layer

WEIGHTS = np.array(
    [[[0.5, 0.25, 0], [0, 0.5, 0.5], [0.125, 0, 1]], [[0, 1, 0], [0, 0, 0], [0, 0.5, 0]]]
)


@pytest.fixture
def net():
    return mv.Multiplex(WEIGHTS, grid=(1, 2), prefix=("class",))


def test_a_network_is_a_sequence_of_its_layers(net):
    assert len(net) == net.n_layers == 2
    assert [layer.name for layer in net] == ["L00", "L01"]
    assert all(isinstance(layer, Layer) for layer in net)
    assert net[-1].weights.tolist() == net["L01"].weights.tolist() == WEIGHTS[1].tolist()
    assert (net[1].block, net[1].head, net[1].edges_before) == (1, -1, 2)
    assert net[1:].layer_names == ("L01",)
    assert net[["L01", 0]].layer_names == ("L01", "L00")
    assert mv.LAYER_MEASURES["edges"](net[0]) == 6


@pytest.mark.parametrize("layer", [2, -3, "L02", 0.5, None, True, {}, [], slice("a", None)])
def test_what_is_no_layer_is_refused(net, layer):
    with pytest.raises(mv.InputError):
        net[layer]


def test_what_is_done_to_a_layer_reaches_no_measure(net):
    before = net.layer_table("edges")["edges"].tolist()
    net[0].graph.delete_edges([0, 1])
    next(iter(net)).graph.delete_edges([0])
    assert net.layer_table("edges")["edges"].tolist() == before


def test_edges_are_counted_without_links(net):
    assert net.n_edges == 8
    assert net.n_edges == net.summary()["edges"].sum()
    assert net.summary()["name"].tolist() == ["L00", "L01"]


def test_without_loops(net):
    cut = net.without_loops()
    assert cut.weights.tolist() == [[[0, 0.25, 0], [0, 0, 0.5], [0.125, 0, 0]], WEIGHTS[1].tolist()]
    assert cut.provenance == {"without_loops": "yes"}
    assert cut.edges_before == (6, 2)
    assert cut.prune(0.5).provenance["filters"] == "without_loops yes; min_cut 0.5"


@pytest.mark.parametrize(
    "nodes", [["class", "r0c1"], [0, -1], np.array([True, False, True]), (2, 0, 0)]
)
def test_a_subgraph_keeps_the_edges_between_its_nodes(net, nodes):
    part = net.subgraph(nodes)
    assert part.weights.tolist() == [
        [[0.5, 0, 0], [0, 0, 0], [0.125, 0, 1]],
        np.zeros((3, 3)).tolist(),
    ]
    assert part.provenance == {"subgraph": 2}
    assert part.tokens == net.tokens


@pytest.mark.parametrize(
    "nodes", [[], [3], ["r9c9"], [0.5], None, [None], [True], {"class": 1j, 2j: 0}]
)
def test_what_is_no_node_is_refused(net, nodes):
    with pytest.raises(mv.InputError, match="node"):
        net.subgraph(nodes)


def test_graphs_of_other_libraries_have_places_and_measures(net):
    measures = {
        "rank": "pagerank",
        "community": ["a", "b", "b"],
        "part": np.arange(6).reshape(2, 3),
    }
    graph = net.to_igraph(measures=measures)
    assert isinstance(graph, igraph.Graph)
    assert graph.vs["x"] == [0.0, 0.0, 25.0, 100.0, 100.0, 125.0]
    assert graph.vs["y"] == [25.0, 0.0, 0.0, 75.0, 50.0, 50.0]
    assert graph.vs["community"] == ["a", "b", "b"] * 2
    assert graph.vs["part"] == list(range(6))
    assert graph.vs["rank"] == net.centrality("pagerank").ravel().tolist()
    other = net.to_networkx(measures=measures)
    assert isinstance(other, nx.DiGraph)
    for vertex in graph.vs:
        attributes = vertex.attributes()
        name = attributes.pop("name")
        assert other.nodes[name] == attributes


def test_places_are_those_of_files(net, tmp_path):
    [path] = net.write(tmp_path / "net.graphml", preset="full")
    in_file = igraph.Graph.Read_GraphML(str(path))
    graph = net.to_igraph()
    for axis in "xyz":
        assert in_file.vs[axis] == graph.vs[axis]


@pytest.mark.parametrize("suffix", ["graphml", "gexf"])
def test_files_hold_values_and_partitions_of_ones_own(net, tmp_path, suffix):
    groups = pd.Series(["left", "right", "right"])
    [path] = net.write(
        tmp_path / f"net.{suffix}",
        measures={"group": groups, "part": [0, 1, 1], "score": [0.5, np.nan, 2]},
    )
    assert lint_gephi(path) == []
    read = nx.read_graphml(path) if suffix == "graphml" else nx.read_gexf(path)
    node = read.nodes["L01:r0c1"]
    assert (node["group"], node["part"], node["score"]) == ("right", 1, 2.0)
    assert "score" not in read.nodes["L01:r0c0"]


def test_every_format_takes_values_of_ones_own(net, tmp_path):
    for name in mv.EXPORTERS:
        (tmp_path / name).mkdir()
        files = net.write(
            tmp_path / name / "net.x",
            format=name,
            measures={"group": ["a", "b", "a"], "part": [[0, 1, 1], [2, 0, 1]]},
        )
        assert files


def test_tables_pictures_and_modularity_take_values_of_ones_own(net):
    table = net.node_table(
        {"mine": [1, 2, 3], "rank": "in_strength", "first": lambda weights: weights[0]}
    )
    assert table["mine"].tolist() == [1, 2, 3, 1, 2, 3]
    assert table["rank"].tolist() == net.centrality("in_strength").ravel().tolist()
    assert table["first"].tolist() == WEIGHTS[:, 0].ravel().tolist()
    texts = net.modularity(["a", "b", "b"])
    assert texts == net.modularity([4, 7, 7]) == net.modularity(np.array([[0, 1, 1], [0, 1, 1]]))
    assert net.plot({"mine": [1, 2, 3]}, layers=["L01", 0]).figure.axes[-1].get_xlabel() == "mine"


@pytest.mark.parametrize(
    "values", [[1, 2], [[1, 2, 3]], 5, [1, None, 3], [1j, 2, 3], [["a"], ["b"], ["c"]], object()]
)
def test_values_of_another_shape_or_kind_are_refused(net, values):
    with pytest.raises(
        mv.InputError, match=r"measure mine is .*; give numbers or texts \[3\] or \[2, 3\]"
    ):
        net.node_table({"mine": values})
    with pytest.raises(mv.InputError, match="a measure is named 3"):
        net.node_table({3: [1, 2, 3]})


def test_help_shows_every_option():
    for name in ("communities", "modularity", "reducibility", "plot", "write", "to_igraph"):
        parameters = inspect.signature(getattr(mv.Multiplex, name)).parameters.values()
        assert not [one for one in parameters if one.kind in (one.VAR_KEYWORD, one.VAR_POSITIONAL)]
        documented = getattr(mv.Multiplex, name).__doc__
        assert all(one.name in documented for one in parameters if one.name != "self")


def test_a_wrong_option_is_named_plainly(net):
    with pytest.raises(
        TypeError, match=r"communities\(\) got an unexpected keyword argument 'gamma'"
    ):
        net.communities(gamma=1.0)
