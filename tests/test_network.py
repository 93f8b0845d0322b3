import igraph
import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import multiplex_vit as mv
from multiplex_vit.network.coupling import supra_adjacency


def test_the_object_by_hand(net):
    assert repr(net) == "<Multiplex: 2 layers of 4 nodes (2 x 2), 12 edges>"
    assert (net.n_layers, net.n_nodes, net.layer_names) == (2, 4, ("L00", "L01"))
    assert "<table" in net._repr_html_()


def test_a_layer_is_a_directed_weighted_igraph(net):
    graph = net.layers[1]
    assert isinstance(graph, igraph.Graph)
    assert graph.is_directed()
    assert graph.vs["name"] == ["r0c0", "r0c1", "r1c0", "r1c1"]
    assert (graph.vs["row"], graph.vs["col"]) == ([0, 0, 1, 1], [0, 1, 0, 1])
    assert {e.tuple: e["weight"] for e in graph.es} == {(0, 1): 1.0, (1, 0): 0.5, (1, 2): 0.5, (3, 3): pytest.approx(0.01)}
    assert net.layers[-1] is graph
    assert len(list(net.layers)) == len(net.layers[0:2]) == 2
    with pytest.raises(IndexError):
        net.layers[2]


def test_pruning_by_hand(net):
    pruned = net.prune(0.25)
    assert [g.ecount() for g in pruned.layers] == [6, 3]
    assert pruned.provenance == {"model": "by hand", "min_cut": 0.25}
    assert np.count_nonzero(net.weights) == 12, "the original is untouched"
    assert np.array_equal(net.prune(0).weights, net.weights)


def test_equality_at_the_cut_stays(net):
    assert np.count_nonzero(net.prune(1).weights) == 2
    assert np.count_nonzero(net.prune(0.5).weights[1]) == 3


@pytest.mark.parametrize("min_cut", [-0.1, 1.1, float("nan")])
def test_bad_cuts(net, min_cut):
    with pytest.raises(mv.InputError, match="min_cut is .*; give a number from 0 to 1"):
        net.prune(min_cut)


def test_since(net):
    later = net.since(1)
    assert later.layer_names == ("L01",)
    assert np.array_equal(later.weights[0], net.weights[1])
    with pytest.raises(mv.InputError, match="starting_layer is 2; give 0 to 1"):
        net.since(2)


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        (np.zeros((2, 4)), "weights have shape"),
        (np.zeros((2, 3, 3)), "a 2 x 2 grid wants"),
        (np.zeros((0, 4, 4)), "weights have shape"),
        (-np.ones((1, 4, 4)), "negative"),
        (np.full((1, 4, 4), np.nan), "NaN"),
    ],
)
def test_weights_that_are_no_network(weights, message):
    with pytest.raises(mv.InputError, match=message):
        mv.Multiplex(weights, (2, 2))


def test_layer_names_are_distinct():
    with pytest.raises(mv.InputError, match="distinct names"):
        mv.Multiplex(np.zeros((2, 4, 4)), (2, 2), layer_names=("a", "a"))


def test_tables_by_hand(net):
    nodes = net.node_table()
    assert list(nodes.columns) == ["name", "layer", "node", "row", "col", *mv.CENTRALITIES]
    assert nodes["in_strength"].tolist() == pytest.approx([0.625, 0.75, 1.0, 0.625, 0.5, 1.0, 0.5, 0.01])
    assert nodes["out_strength"].tolist() == pytest.approx([1, 1, 1, 0, 1, 1, 0, 0.01])
    layers = net.layer_table().to_dict("records")
    assert layers[0] == {
        "layer": 0,
        "name": "L00",
        "nodes": 4,
        "edges": 8,
        "density": 0.5,
        "self_loops": 3,
        "isolates": 0,
        "weight_sum": 3.0,
        "weight_max": 0.75,
    }
    assert (layers[1]["edges"], layers[1]["self_loops"], layers[1]["isolates"]) == (4, 1, 1)


def test_any_function_of_a_layer_is_a_measure(net):
    def loops(weights):
        return np.diag(weights)

    assert net.node_table([loops])["loops"].tolist() == pytest.approx([0.5, 0.5, 0.75, 0, 0, 0, 0, 0.01])
    with pytest.raises(mv.InputError, match="unknown centrality 'nonsense'"):
        net.node_table(["nonsense"])


@pytest.mark.parametrize(("coupling", "links"), [("none", 0), ("ordinal", 8), ("temporal", 4), ("categorical", 8)])
def test_the_supra_adjacency_has_the_documented_order(net, coupling, links):
    matrix = net.supra_adjacency(coupling=coupling, omega=0.5).toarray()
    assert matrix.shape == (8, 8)
    assert np.array_equal(matrix[:4, :4], net.weights[0].astype(float))
    assert np.array_equal(matrix[4:, 4:], net.weights[1].astype(float))
    between = matrix.copy()
    between[:4, :4] = between[4:, 4:] = 0
    assert np.count_nonzero(between) == links
    assert set(between[between > 0]) <= {0.5}
    assert all(i % 4 == j % 4 for i, j in np.argwhere(between))


@pytest.mark.parametrize("omega", [0, -1, float("nan"), float("inf"), "much", None, [1.0]])
def test_bad_omegas(net, omega):
    with pytest.raises(mv.InputError, match="omega is"):
        net.to_igraph(omega=omega)


def test_unknown_coupling(net):
    with pytest.raises(mv.InputError, match="unknown coupling 'ordnal' .*known: none, ordinal, temporal, categorical"):
        net.supra_adjacency(coupling="ordnal")


def same_network(net, matrix, index, coupling, omega):
    assert np.array_equal(matrix, net.supra_adjacency(coupling=coupling, omega=omega).toarray())
    assert [tuple(i) for i in index] == [(a, i, *divmod(i, net.grid[1])) for a in range(net.n_layers) for i in range(net.n_nodes)]


def test_to_igraph_and_to_networkx_hold_the_supra_adjacency(net):
    graph = net.to_igraph(coupling="temporal", omega=0.3)
    dense = np.zeros((8, 8))
    for edge in graph.es:
        dense[edge.tuple] = edge["weight"]
    same_network(net, dense, zip(graph.vs["layer"], graph.vs["node"], graph.vs["row"], graph.vs["col"], strict=True), "temporal", 0.3)
    assert graph.es["kind"].count("coupling") == 4
    other = net.to_networkx(coupling="temporal", omega=0.3)
    same_network(net, nx.to_numpy_array(other), [(d["layer"], d["node"], d["row"], d["col"]) for _, d in other.nodes(data=True)], "temporal", 0.3)
    assert list(other) == graph.vs["name"]
    assert other.graph == {"model": "by hand"}


@pytest.mark.parametrize("reader", ["networkx", "igraph"])
def test_graphml_opens_elsewhere_with_equal_weights(net, tmp_path, reader):
    path = tmp_path / "net.graphml"
    net.write(path, coupling="ordinal", omega=0.1)
    if reader == "networkx":
        graph = nx.read_graphml(path)
        assert type(graph) is nx.DiGraph
        weights = {(s, t): d["weight"] for s, t, d in graph.edges(data=True)}
        kinds = [d["kind"] for *_, d in graph.edges(data=True)]
        places = {n: (d["layer"], d["row"], d["col"], d["x"], d["y"]) for n, d in graph.nodes(data=True)}
    else:
        graph = igraph.Graph.Read_GraphML(str(path))
        assert graph.is_directed()
        names = graph.vs["name"]
        assert names == graph.vs["id"]
        weights = {(names[e.source], names[e.target]): e["weight"] for e in graph.es}
        kinds = graph.es["kind"]
        places = {v["id"]: (v["layer"], v["row"], v["col"], v["x"], v["y"]) for v in graph.vs}
    expected = {(s, t): d["weight"] for s, t, d in net.to_networkx(omega=0.1).edges(data=True)}
    assert weights == (expected if reader == "networkx" else pytest.approx(expected, rel=1e-14))
    assert (kinds.count("coupling"), kinds.count("attention")) == (8, 12)
    assert places["L01:r1c0"][:3] == (1, 1, 0)
    assert len(set(places.values())) == 8, "no two nodes lie on one place"


def test_graphml_says_where_it_comes_from_before_its_nodes(net, tmp_path):
    net.write(tmp_path / "net.graphml")
    text = (tmp_path / "net.graphml").read_text()
    assert '<data key="graph-model">by hand</data>' in text.split("<node")[0]
    ids = [line.split('"')[1] for line in text.splitlines() if line.startswith("<edge")]
    assert len(set(ids)) == len(ids) == 20


def test_graphml_survives_any_text(tmp_path):
    odd = 'a<b> & "c" \x01 \N{SMILING FACE WITH SUNGLASSES} é'
    net = mv.Multiplex(np.ones((1, 4, 4)), (2, 2), layer_names=(odd,), provenance={"model": odd})
    net.write(tmp_path / "odd.graphml")
    graph = nx.read_graphml(tmp_path / "odd.graphml")
    assert {d["label"].split(":r")[0] for _, d in graph.nodes(data=True)} == {odd.replace("\x01", "")}
    igraph.Graph.Read_GraphML(str(tmp_path / "odd.graphml"))


def test_provenance_may_have_any_name(net, tmp_path):
    same = mv.Multiplex(net.weights, net.grid, provenance={"layer": "a", "weight": "b", "x": "c"})
    same.write(tmp_path / "NET.GRAPHML", coupling=chain)
    graph = nx.read_graphml(tmp_path / "NET.GRAPHML")
    assert graph.nodes["L01:r1c0"]["layer"] == 1
    assert '<data key="graph-coupling">chain</data>' in (tmp_path / "NET.GRAPHML").read_text()


def chain(n_layers):
    return np.eye(n_layers, k=1, dtype=bool)


def test_a_coupling_of_ones_own(net):
    assert (net.supra_adjacency(coupling=chain) != net.supra_adjacency(coupling="temporal")).nnz == 0


@pytest.mark.parametrize(
    "bad", [lambda n: np.ones((n, n), dtype=bool), lambda n: np.eye(n, k=1), lambda n: np.zeros((1, 1), dtype=bool), lambda n: [], lambda n: None]
)
def test_bad_couplings(net, bad):
    with pytest.raises(mv.InputError, match="without a diagonal was wanted"):
        net.supra_adjacency(coupling=bad)


def test_weights_are_kept_as_they_came():
    given = np.array([[[0, 10], [1, 5]], [[3, 0], [0, 2]]])
    net = mv.Multiplex(given, (1, 2))
    given[:] = 0
    assert np.count_nonzero(net.prune(0.5).weights[0]) == 2, "whole numbers are pruned like others"
    with pytest.raises(ValueError, match="read-only"):
        net.weights[0, 0, 0] = 1
    with pytest.raises(mv.InputError, match="weights are complex128"):
        mv.Multiplex(given * 1j, (1, 2))


def test_one_measure_or_several(net):
    assert list(net.node_table("in_strength").columns)[-1] == "in_strength"
    assert list(net.node_table(np.diag).columns)[-1] == "diag"
    with pytest.raises(mv.InputError, match="has a column 'row' already"):
        net.node_table([row])


def row(weights):
    return weights[0]


def test_unknown_formats_and_bad_places(net, tmp_path):
    with pytest.raises(mv.InputError, match="unknown format 'gml'.*known: graphml"):
        net.write(tmp_path / "net.gml")
    with pytest.raises(mv.InputError, match="cannot write"):
        net.write(tmp_path / "missing" / "net.graphml")
    with pytest.raises(mv.InputError, match="omega is 0"):
        net.write(tmp_path / "net.graphml", omega=0)
    assert not list(tmp_path.iterdir())


# --- the contract of every centrality ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", mv.CENTRALITIES)
@given(weights=arrays(np.float64, (2, 5, 5), elements=st.floats(0, 1)), seed=st.integers(0, 99))
def test_a_centrality_keeps_its_contract(name, weights, seed):
    from multiplex_vit.network.centrality import centrality

    before = weights.copy()
    values = centrality(weights, name)
    assert values.shape == (2, 5)
    assert np.isfinite(values).all()
    assert np.array_equal(weights, before), "the input is untouched"
    assert np.array_equal(values, centrality(weights, name)), "it is deterministic"
    order = np.random.default_rng(seed).permutation(5)
    assert centrality(weights[:, order][:, :, order], name) == pytest.approx(values[:, order]), "names of nodes do not matter"


def test_strengths_agree_with_networkx(net):
    graph = nx.from_numpy_array(net.weights[0], create_using=nx.DiGraph)
    table = net.node_table().query("layer == 0")
    assert table["in_strength"].tolist() == pytest.approx([graph.in_degree(weight="weight")[i] for i in range(4)])
    assert table["out_strength"].tolist() == pytest.approx([graph.out_degree(weight="weight")[i] for i in range(4)])


@given(weights=arrays(np.float32, (3, 4, 4), elements=st.floats(0, 1, width=32)), omega=st.floats(1e-6, 10))
def test_the_supra_adjacency_loses_nothing(weights, omega):
    matrix = supra_adjacency(weights, "categorical", omega)
    assert matrix.sum() == pytest.approx(weights.sum(dtype=float) + omega * 4 * 6)
