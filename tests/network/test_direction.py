"""Direction: edges of attention and of information, and links that follow them."""

import json

import igraph
import networkx as nx
import numpy as np
import pytest
from exported import FIRST, SECOND, package
from small import PICTURES

import multiplex_vit as mv
from multiplex_vit.network.coupling import links
from multiplex_vit.network.multilayer import MULTILAYER_MEASURES

SENTENCES = {
    "attention": "source attends to target",
    "information": "information flows from source to target",
}
OMEGA = 0.3


def one_way(blocks):
    """A coupling of one's own: information jumps from the first layer to the last."""
    joined = np.zeros((len(blocks), len(blocks)), dtype=bool)
    joined[0, -1] = True
    return joined


WAYS = [*mv.network.COUPLINGS, one_way]


@pytest.fixture
def three():
    weights = np.array([FIRST, SECOND, np.roll(FIRST, 1, axis=1)])
    return mv.Multiplex(weights, (2, 2), provenance={"model": "by hand"})


# --- the field --------------------------------------------------------------------------------


def test_a_network_is_of_attention_unless_told(net):
    assert net.edges == "attention"
    assert net.reverse().edges == "information"
    assert (
        repr(net.reverse()) == "<Multiplex: 2 layers of 4 nodes (2 x 2), 12 edges of information>"
    )


@pytest.mark.parametrize("edges", ["up", "", None, 1, ["attention"], True])
def test_other_directions_are_refused(edges):
    with pytest.raises(mv.InputError, match="edges is .*; give one of 'attention', 'information'"):
        mv.Multiplex(np.zeros((1, 4, 4)), (2, 2), edges=edges)


def test_the_model_is_asked_for_either(demo_vit):
    cat = mv.samples()["cat"]
    one, other = (mv.multiplex(demo_vit, cat, edges=edges) for edges in SENTENCES)
    assert (one.edges, other.edges) == ("attention", "information")
    assert np.array_equal(other.weights, one.weights.swapaxes(1, 2))
    assert other.provenance == one.provenance
    for edges in ("up", 3, None):
        with pytest.raises(mv.InputError, match=f"edges is {edges!r}; give one of 'attention'"):
            mv.multiplex(demo_vit, cat, edges=edges)


def test_twice_reversed_is_the_network_itself(three):
    again = three.reverse().reverse()
    assert np.array_equal(again.weights, three.weights)
    assert again.edges == three.edges


FROM_ONE = {
    "prune": lambda net: net.prune(0.3),
    "top_k": lambda net: net.top_k(1),
    "disparity": lambda net: net.disparity(0.6),
    "since": lambda net: net.since(1),
    "select": lambda net: net.select([2, 0]),
    "aggregate": lambda net: net.aggregate("sum"),
}


@pytest.mark.parametrize("step", FROM_ONE)
def test_networks_made_from_a_network_keep_its_direction(step, three):
    assert FROM_ONE[step](three.reverse()).edges == "information"
    assert FROM_ONE[step](three).edges == "attention"


# --- what depends on it -----------------------------------------------------------------------


@pytest.mark.parametrize("coupling", WAYS)
def test_the_reverse_has_the_transposed_supra_adjacency(coupling, three):
    forth = three.supra_adjacency(coupling=coupling, omega=OMEGA).toarray()
    back = three.reverse().supra_adjacency(coupling=coupling, omega=OMEGA).toarray()
    assert np.array_equal(back, forth.T)


@pytest.mark.parametrize("coupling", WAYS)
@pytest.mark.parametrize("how", ["linked", "multiplex"])
def test_communities_and_modularity_do_not_depend_on_it(coupling, how, three):
    package("leidenalg")
    groups = three.communities(how, coupling=coupling)
    one, other = (net.modularity(groups, coupling=coupling) for net in (three, three.reverse()))
    assert other == pytest.approx(one, rel=1e-12)
    assert three.reverse().modularity(
        three.reverse().communities(how, coupling=coupling), coupling=coupling
    ) == pytest.approx(one, abs=0.05)


def test_links_follow_the_edges():
    source, target, _ = links(range(3), 1, "temporal", 1.0)
    assert list(zip(source.tolist(), target.tolist(), strict=True)) == [(1, 0), (2, 1)]
    source, target, _ = links(range(3), 1, "temporal", 1.0, edges="information")
    assert list(zip(source.tolist(), target.tolist(), strict=True)) == [(0, 1), (1, 2)]


def test_in_and_out_change_places(three):
    back = three.reverse()
    for one, other in (("in", "out"), ("out", "in")):
        for measure in ("strength", "degree", "entropy", "closeness"):
            found = back.centrality(f"{one}_{measure}")
            assert found == pytest.approx(three.centrality(f"{other}_{measure}"))
    table, turned = three.multilayer_table(), back.multilayer_table()
    for name in MULTILAYER_MEASURES:
        if name.startswith("in_"):
            assert turned[name].tolist() == pytest.approx(table[f"out_{name[3:]}"].tolist())


@pytest.mark.parametrize("edges", SENTENCES)
@pytest.mark.parametrize("coupling", WAYS)
def test_other_libraries_get_every_edge_as_it_runs(edges, coupling, three):
    net = three if edges == "attention" else three.reverse()
    expected = net.supra_adjacency(coupling=coupling, omega=OMEGA).toarray()
    in_igraph = net.to_igraph(coupling=coupling, omega=OMEGA)
    in_networkx = net.to_networkx(coupling=coupling, omega=OMEGA)
    assert in_igraph["edge_direction"] == in_networkx.graph["edge_direction"] == SENTENCES[edges]
    found = np.zeros(expected.shape)
    for edge in in_igraph.es:
        found[edge.tuple] = edge["weight"]
    assert np.array_equal(found, expected)
    assert np.array_equal(nx.to_numpy_array(in_networkx), expected)


@pytest.mark.parametrize("coupling", mv.network.COUPLINGS)
def test_pymnet_gets_every_edge_as_it_runs(coupling, three):
    package("pymnet")
    forth, back = (
        three.to_pymnet(coupling=coupling),
        three.reverse().to_pymnet(coupling=coupling),
    )
    turned = {(j, i, b, a): weight for i, j, a, b, weight in forth.edges}
    assert {tuple(ends): weight for *ends, weight in back.edges} == turned


# --- files ------------------------------------------------------------------------------------


@pytest.mark.parametrize("edges", SENTENCES)
def test_graphml_gives_it_back(edges, three, tmp_path):
    net = three if edges == "attention" else three.reverse()
    net.write(tmp_path / "net.graphml", coupling="temporal", preset="full")
    found = mv.Multiplex.read(tmp_path / "net.graphml")
    assert found.edges == edges
    assert np.array_equal(found.weights, net.weights)
    graph = igraph.Graph.Read_GraphML(str(tmp_path / "net.graphml"))
    assert graph["edge_direction"] == SENTENCES[edges]
    assert nx.read_graphml(tmp_path / "net.graphml").graph["edge_direction"] == SENTENCES[edges]


def test_a_direction_that_nobody_knows_is_refused(three, tmp_path):
    path = tmp_path / "net.graphml"
    three.write(path, preset="full")
    path.write_text(path.read_text().replace("source attends to target", "sideways"))
    with pytest.raises(mv.InputError, match="edge_direction is 'sideways'"):
        mv.Multiplex.read(path)


@pytest.mark.parametrize("edges", SENTENCES)
def test_files_that_can_hold_it_do(edges, three, tmp_path):
    net = three if edges == "attention" else three.reverse()
    sentence = SENTENCES[edges]
    for name in ("graphml", "gexf", "gexf_dynamic", "graphology", "infomap", "pajek"):
        path = tmp_path / f"{name}.txt"
        files = net.write(path, format=name, preset="full")
        assert all(sentence in file.read_text() for file in files), name
    graph = json.loads((tmp_path / "graphology.txt").read_text())
    assert graph["attributes"]["edge_direction"] == sentence
    parquet = package("pyarrow.parquet")
    for file in net.write(tmp_path / "net.parquet"):
        about = json.loads(parquet.read_schema(file).metadata[b"multiplex_vit"])
        assert about["edge_direction"] == sentence


def test_the_command_line_asks_for_it(tmp_path):
    from multiplex_vit.cli import main

    path = tmp_path / "net.graphml"
    cat = str(mv.samples()["cat"])
    found = main(
        [
            "network",
            cat,
            "--edges",
            "information",
            "--coupling",
            "temporal",
            "--out",
            str(path),
        ]
    )
    assert found == 0
    net = mv.Multiplex.read(path)
    graph = nx.read_graphml(path)
    links = [(s, t) for s, t, kind in graph.edges(data="kind") if kind == "coupling"]
    assert net.edges == "information"
    assert ("L00:r0c0", "L01:r0c0") in links
    assert ("L01:r0c0", "L00:r0c0") not in links


# --- paths of a transformer -------------------------------------------------------------------


def rolled(net, readers):
    """Return the weight of the paths from readers in the last layer to each node of the first.

    Each path takes the links of the supra-adjacency and at most one edge a layer.
    """
    supra = net.supra_adjacency(coupling="temporal", omega=1.0).toarray()
    parts = supra.reshape(net.n_layers, net.n_nodes, net.n_layers, net.n_nodes)
    walk = np.zeros(net.n_nodes)
    walk[readers] = 1 / len(readers)
    for layer in reversed(range(net.n_layers)):
        walk = walk + walk @ parts[layer, :, layer]
        if layer:
            walk = walk @ parts[layer, :, layer - 1]
    return walk


@pytest.mark.parametrize("model", ["demo_vit", "demo_deit"])
@pytest.mark.parametrize("sample", PICTURES)
def test_paths_along_temporal_links_are_those_of_attention_rollout(model, sample, request):
    vit, image = request.getfixturevalue(model), mv.samples()[sample]
    rollout = mv.EXPLAINERS["rollout"](vit, image).heatmap.ravel()
    net = mv.multiplex(vit, image, operator="mean", min_cut=0, prefix=True)
    n_prefix = len(net.prefix)
    found = rolled(net, range(n_prefix))[n_prefix:] / 2**net.n_layers
    assert found == pytest.approx(rollout, rel=1e-4)


@pytest.mark.parametrize("model", ["demo_vit", "demo_deit"])
@pytest.mark.parametrize("sample", PICTURES)
def test_links_back_agree_better_with_rollout_than_links_forward(model, sample, request):
    vit, image = request.getfixturevalue(model), mv.samples()[sample]
    rollout = mv.EXPLAINERS["rollout"](vit, image).heatmap.ravel()
    net = mv.multiplex(vit, image, operator="mean", min_cut=0, prefix=True)

    def agreement(coupling):
        values = net.versatility(coupling=coupling).sum(0)[len(net.prefix) :]
        return np.corrcoef(values.argsort().argsort(), rollout.argsort().argsort())[0, 1]

    def forward(blocks):
        return mv.network.COUPLINGS["temporal"](blocks).T

    back = agreement("temporal")
    assert back > 0.3
    assert back > agreement(forward) + 0.1
