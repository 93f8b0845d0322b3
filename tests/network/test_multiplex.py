import igraph
import networkx as nx
import numpy as np
import pytest
import torch

import multiplex_vit as mv


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
    assert {e.tuple: e["weight"] for e in graph.es} == {
        (0, 1): 1.0,
        (1, 0): 0.5,
        (1, 2): 0.5,
        (3, 3): pytest.approx(0.01),
    }
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
        (np.zeros((2, 3, 3)), "a 2 x 2 grid needs"),
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
    assert list(nodes.columns) == [
        "name",
        "layer",
        "block",
        "head",
        "node",
        "token",
        "row",
        "col",
        *mv.CENTRALITIES,
    ]
    assert nodes["in_strength"].tolist() == pytest.approx(
        [0.625, 0.75, 1.0, 0.625, 0.5, 1.0, 0.5, 0.01]
    )
    assert nodes["out_strength"].tolist() == pytest.approx([1, 1, 1, 0, 1, 1, 0, 0.01])
    layers = net.layer_table().to_dict("records")
    by_hand = {
        "layer": 0,
        "name": "L00",
        "nodes": 4,
        "edges": 8,
        "share_pruned": 0,
        "density": 0.5,
        "self_loops": 3,
        "isolates": 0,
    }
    assert {name: layers[0][name] for name in by_hand} == by_hand
    assert (layers[0]["weight_sum"], layers[0]["weight_max"]) == (3.0, 0.75)
    assert list(layers[0]) == ["layer", "name", "block", "head", *mv.LAYER_MEASURES]
    assert (layers[1]["edges"], layers[1]["self_loops"], layers[1]["isolates"]) == (
        4,
        1,
        1,
    )


def test_any_function_of_a_layer_is_a_measure(net):
    def loops(weights):
        return np.diag(weights)

    assert net.node_table([loops])["loops"].tolist() == pytest.approx(
        [0.5, 0.5, 0.75, 0, 0, 0, 0, 0.01]
    )
    with pytest.raises(mv.InputError, match="unknown centrality 'nonsense'"):
        net.node_table(["nonsense"])


@pytest.mark.parametrize("omega", [0, -1, float("nan"), float("inf"), "much", None, [1.0]])
def test_bad_omegas(net, omega):
    with pytest.raises(mv.InputError, match="omega is"):
        net.to_igraph(omega=omega)


def same_network(net, matrix, index, coupling, omega):
    assert np.array_equal(matrix, net.supra_adjacency(coupling=coupling, omega=omega).toarray())
    assert [tuple(i) for i in index] == [
        (a, i, *divmod(i, net.grid[1])) for a in range(net.n_layers) for i in range(net.n_nodes)
    ]


def test_to_igraph_and_to_networkx_hold_the_supra_adjacency(net):
    graph = net.to_igraph(coupling="temporal", omega=0.3)
    dense = np.zeros((8, 8))
    for edge in graph.es:
        dense[edge.tuple] = edge["weight"]
    same_network(
        net,
        dense,
        zip(
            graph.vs["layer"],
            graph.vs["node"],
            graph.vs["row"],
            graph.vs["col"],
            strict=True,
        ),
        "temporal",
        0.3,
    )
    assert graph.es["kind"].count("coupling") == 4
    other = net.to_networkx(coupling="temporal", omega=0.3)
    same_network(
        net,
        nx.to_numpy_array(other),
        [(d["layer"], d["node"], d["row"], d["col"]) for _, d in other.nodes(data=True)],
        "temporal",
        0.3,
    )
    assert list(other) == graph.vs["name"]
    assert other.graph == {
        "model": "by hand",
        "edge_direction": "source attends to target",
    }


@pytest.mark.parametrize("reader", ["networkx", "igraph"])
def test_graphml_opens_elsewhere_with_equal_weights(net, tmp_path, reader):
    path = tmp_path / "net.graphml"
    net.write(path, coupling="ordinal", omega=0.1, preset="full")
    if reader == "networkx":
        graph = nx.read_graphml(path)
        assert type(graph) is nx.DiGraph
        weights = {(s, t): d["weight"] for s, t, d in graph.edges(data=True)}
        kinds = [d["kind"] for *_, d in graph.edges(data=True)]
        places = {
            n: (d["layer"], d["row"], d["col"], d["x"], d["y"]) for n, d in graph.nodes(data=True)
        }
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


def test_provenance_may_have_any_name(net, tmp_path):
    same = mv.Multiplex(net.weights, net.grid, provenance={"layer": "a", "weight": "b", "x": "c"})
    same.write(tmp_path / "NET.GRAPHML", coupling=chain, preset="full")
    graph = nx.read_graphml(tmp_path / "NET.GRAPHML")
    assert graph.nodes["L01:r1c0"]["layer"] == 1
    assert '<data key="graph-coupling">chain</data>' in (tmp_path / "NET.GRAPHML").read_text()


def chain(blocks):
    return np.eye(len(blocks), k=1, dtype=bool)


def test_a_coupling_of_ones_own(net):
    assert (
        net.supra_adjacency(coupling=chain) != net.supra_adjacency(coupling="temporal")
    ).nnz == 0


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


def test_layers_are_chosen_by_number_or_name(net):
    assert net.select(-1).layer_names == net.select("L01").layer_names == ("L01",)
    both = net.select(["L01", 0])
    assert both.layer_names == ("L01", "L00")
    assert np.array_equal(both.weights, net.weights[::-1])
    assert net.prune(0.5).select(1).layer_table("share_pruned")["share_pruned"].tolist() == [0.25]


@pytest.mark.parametrize("layer", [2, -3, "L07", None, True, 0.5])
def test_there_is_no_such_layer(net, layer):
    with pytest.raises(
        mv.InputError,
        match="there is no layer .*; give 0 to 1, or a name such as 'L01'",
    ):
        net.select([layer])


def test_no_layer_was_chosen(net):
    with pytest.raises(mv.InputError, match="no layer was chosen"):
        net.select([])


@pytest.mark.parametrize(
    ("how", "first_row"),
    [
        ("sum", [0.5, 1.25, 0.25, 0]),
        ("mean", [0.25, 0.625, 0.125, 0]),
        ("max", [0.5, 1, 0.25, 0]),
        ("count", [1, 2, 1, 0]),
    ],
)
def test_layers_taken_together(net, how, first_row):
    one = net.aggregate(how)
    assert (one.n_layers, one.layer_names, one.provenance["aggregated"]) == (
        1,
        (how,),
        how,
    )
    assert one.weights[0, 0].tolist() == first_row
    assert one.multilayer_table(["overlapping_in_strength"])[
        "overlapping_in_strength"
    ].tolist() == pytest.approx(one.weights[0].sum(0).tolist())


def test_layers_may_be_taken_together_by_any_function(net):
    def last(weights):
        return weights[-1]

    assert np.array_equal(net.aggregate(last).weights[0], net.weights[1])
    with pytest.raises(
        mv.InputError,
        match="unknown aggregation 'median'.*known: sum, mean, max, count",
    ):
        net.aggregate("median")


def test_filters_tell_what_they_were(net):
    assert net.top_k(1).provenance == {"model": "by hand", "top_k": 1}
    assert net.disparity(0.5).provenance == {"model": "by hand", "disparity": 0.5}
    assert np.count_nonzero(net.top_k(1).weights[1]) == 4, "the tie of node 1 stays"
    assert net.top_k(1).prune(0.5).layer_table("share_pruned")["share_pruned"].tolist() == [
        1 / 2,
        1 / 4,
    ]


def test_the_graphs_are_the_callers_own(net):
    net.layers[0].delete_edges(range(8))
    assert net.layers[0].ecount() == 0
    assert net.layer_table("edges")["edges"].tolist() == [8, 4]


@pytest.fixture
def with_class():
    weights = np.zeros((2, 5, 5))
    weights[:, 0, 1:] = 0.25
    weights[:, 1:, 0] = [0.5, 0.25, 0.125, 1]
    return mv.Multiplex(weights, (2, 2), prefix=("class",))


def test_prefix_tokens_are_nodes_and_marked(with_class, tmp_path):
    assert repr(with_class) == "<Multiplex: 2 layers of 5 nodes (2 x 2 + class), 16 edges>"
    table = with_class.node_table("in_strength")
    assert table["token"].tolist() == ["class", "patch", "patch", "patch", "patch"] * 2
    assert (table["row"][0], table["col"][0], table["name"][5]) == (-1, -1, "L01:class")
    assert table["in_strength"][0] == 1.875
    assert with_class.layers[0].vs["token"][:2] == ["class", "patch"]
    with_class.write(tmp_path / "net.graphml", preset="full")
    assert mv.Multiplex.read(tmp_path / "net.graphml").prefix == ("class",)
    assert nx.read_graphml(tmp_path / "net.graphml").nodes["L00:class"]["token"] == "class"


def test_prefix_tokens_must_fit():
    with pytest.raises(
        mv.InputError, match=r"a 2 x 2 grid and 1 prefix tokens needs \[layer, 5, 5\]"
    ):
        mv.Multiplex(np.zeros((1, 4, 4)), (2, 2), prefix=("class",))
    for prefix in (("r0c0",), ("patch",), ("class", "class")):
        with pytest.raises(mv.InputError, match="give distinct names"):
            mv.Multiplex(np.zeros((1, 6, 6)), (2, 2), prefix=prefix)


@pytest.mark.parametrize("name", ["a\x01", "", "\ud800", "a\nb"])
def test_layer_names_can_be_printed(name):
    with pytest.raises(mv.InputError, match="distinct names of printable characters"):
        mv.Multiplex(np.zeros((1, 4, 4)), (2, 2), layer_names=(name,))


def test_every_table_and_picture_of_a_network(net, tmp_path):
    pairs = net.layer_pair_table(["jaccard", "common_edges"])
    assert pairs[["layer_a", "layer_b", "common_edges"]].values.tolist() == [[0, 1, 1]]
    assert net.similarity("jaccard")[0, 1] == pairs["jaccard"][0] == 1 / 11
    assert len(net.multilayer_table()) == 4
    assert list(net.multilayer_table().columns) == [
        *net.tokens.table.columns,
        *mv.network.MULTILAYER_MEASURES,
    ]
    found = net.communities(seed=1)
    assert found.shape == (2, 4)
    assert net.modularity(found, coupling="ordinal") >= net.modularity(
        np.zeros((2, 4), dtype=int), coupling="ordinal"
    )
    assert net.reducibility().quality.shape == (2,)
    curve = net.pruning_curve([0, 0.5], ["in_strength"])
    assert curve.query("layer == 1")["edges"].tolist() == [4, 3]
    assert net.layer_table("edges", null_model="weights", samples=2)["edges_z"].isna().all()


def test_a_network_is_read_back_exactly(net, tmp_path):
    pruned = net.prune(0.25)
    pruned.write(
        tmp_path / "net.graphml",
        measures=["in_strength", "pagerank"],
        omega=0.25,
        preset="full",
    )
    back = mv.Multiplex.read(tmp_path / "net.graphml")
    assert np.array_equal(back.weights, pruned.weights)
    assert back.weights.dtype == pruned.weights.dtype
    same = ("grid", "layer_names", "prefix", "edges_before")
    assert [getattr(back, name) for name in same] == [getattr(pruned, name) for name in same]
    assert dict(back.provenance) == dict(pruned.provenance)


def test_a_network_of_heads_has_a_layer_a_block_and_head(demo_vit):
    heads = mv.multiplex(demo_vit, mv.samples()["cat"], heads=True, min_cut=0)
    whole = mv.multiplex(demo_vit, mv.samples()["cat"], operator="sum", min_cut=0)
    assert heads.layer_names[:4] == ("L00H00", "L00H01", "L00H02", "L01H00")
    assert heads.weights.reshape(6, 3, 64, 64).sum(1) == pytest.approx(
        whole.weights, rel=1e-5, abs=1e-7
    )
    assert "operator" not in heads.provenance


@pytest.mark.parametrize(
    ("model", "prefix"),
    [("demo_vit", ("class",)), ("demo_deit", ("class", "distillation"))],
)
def test_a_network_with_prefix_tokens_holds_all_attention(request, model, prefix):
    net = mv.multiplex(
        request.getfixturevalue(model),
        mv.samples()["cat"],
        operator="mean",
        min_cut=0,
        prefix=True,
    )
    assert net.prefix == prefix
    assert net.weights.sum(-1) == pytest.approx(np.ones((6, 64 + len(prefix))), rel=1e-5)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"grid": 4}, "grid is 4; give rows and columns"),
        ({"grid": "22"}, "grid is '22'; give rows and columns"),
        ({"grid": None}, "grid is None"),
        ({"grid": (2.5, 2)}, "grid is 2.5; give a whole number"),
        ({"weights": [[[1, 2], [3]]]}, "weights cannot become an array"),
        ({"weights": None}, "weights are object"),
        ({"layer_names": "ab"}, "layer_names is 'ab'; give 2 distinct names"),
        ({"layer_names": (1, 2)}, r"layer_names is \[1, 2\]"),
        ({"edges_before": (1, 1, 1)}, "edges_before has 3 numbers for 2 layers"),
        ({"provenance": {3: "a"}}, r"provenance has the keys \[3\]"),
        ({"prefix": ("",)}, r"prefix is \[''\]"),
        ({"prefix": (3,)}, r"prefix is \[3\]"),
    ],
)
def test_what_is_no_network_is_refused_in_one_line(options, message):
    given = {"weights": np.zeros((2, 4, 4)), "grid": (2, 2), **options}
    with pytest.raises(mv.InputError, match=message) as caught:
        mv.Multiplex(**given)
    assert "\n" not in str(caught.value)


def test_provenance_tells_every_filter_in_order(net):
    assert net.prune(0.5).prune(0.01).provenance == {
        "model": "by hand",
        "min_cut": 0.01,
        "filters": "min_cut 0.5; min_cut 0.01",
    }
    assert (
        net.top_k(2).prune(0.1).disparity(0.9).provenance["filters"]
        == "top_k 2; min_cut 0.1; disparity 0.9"
    )


def test_starting_layers_add_up():
    net = mv.Multiplex(np.zeros((4, 1, 1)), (1, 1))
    later = net.since(2).since(1)
    assert (later.provenance["starting_layer"], later.layer_names) == (3, ("L03",))


def test_half_precision_is_summed_in_more(net):
    half = mv.Multiplex(np.full((2, 4, 4), 60_000, dtype=np.float16), (2, 2))
    assert half.aggregate("sum").weights[0, 0, 0] == 120_000
    assert half.aggregate("mean").weights[0, 0, 0] == pytest.approx(60_000, rel=1e-3)


def test_provenance_may_have_names_that_networkx_has(net):
    odd = mv.Multiplex(net.weights, net.grid, provenance={"incoming_graph_data": "mine"})
    assert odd.to_networkx().graph["incoming_graph_data"] == "mine"


def test_a_member_given_as_a_function_keeps_its_name(net):
    assert net.aggregate(mv.network.AGGREGATIONS["sum"]).layer_names == ("sum",)
    assert list(net.node_table(mv.CENTRALITIES["pagerank"]).columns)[-1] == "pagerank"


def test_values_a_layer_and_node(net):
    assert (
        net.centrality("in_strength").tolist()
        == net.node_table("in_strength")["in_strength"].to_numpy().reshape(2, 4).tolist()
    )
    assert net.versatility().sum() == pytest.approx(1)
    assert net.versatility(coupling="temporal").sum(0) == pytest.approx(
        net.multilayer_table("pagerank_versatility", coupling="temporal")["pagerank_versatility"]
    )
    assert net.modularity(net.communities()) == net.modularity(
        net.communities(), coupling="ordinal"
    )


def test_what_is_no_list_is_taken_as_one_or_refused(net):
    assert net.select(slice(1, None)).layer_names == ("L01",)
    assert net.select(slice(None, None, -1)).layer_names == ("L01", "L00")
    assert net.pruning_curve(0.5, "in_strength")["value"].tolist() == [0.5, 0.5]
    with pytest.raises(
        mv.InputError,
        match="a centrality is wanted, not int; give a name, a function, or several of them",
    ):
        net.node_table(3)
    with pytest.raises(mv.InputError, match="there is no layer 0.5"):
        net.select(0.5)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("gradients", [False, True])
def test_weights_of_a_tensor_are_copied(gradients):
    tensor = torch.rand(2, 4, 4, requires_grad=gradients)
    before = tensor.detach().numpy().copy()
    net = mv.Multiplex(tensor, (2, 2))
    assert np.array_equal(net.weights, before)
    with torch.no_grad():
        tensor.zero_()
    assert np.array_equal(net.weights, before), "a network does not change with what it was made of"


@pytest.mark.parametrize("word", [3, None, ["attention"], np.ones(2), "up"])
def test_words_that_are_no_choice_are_met_with_the_choices(net, word):
    with pytest.raises(mv.InputError, match="edges is .*; give one of 'attention', 'information'"):
        mv.Multiplex(net.weights, (2, 2), edges=word)
    with pytest.raises(
        mv.InputError, match="omega_scale is .*; give one of 'strength', 'absolute'"
    ):
        net.communities(omega_scale=word)
    with pytest.raises(mv.InputError, match="how is .*; give one of 'linked', 'multiplex'"):
        net.communities(how=word)


def test_arrays_hold_the_whole_network(net):
    arrays = net.to_arrays(coupling="temporal", omega=0.5)
    supra = net.supra_adjacency(coupling="temporal", omega=0.5)
    assert type(arrays.adjacency).__name__ == "csr_matrix"
    assert (arrays.adjacency.toarray() == supra.toarray()).all()
    graph = net.to_igraph(coupling="temporal", omega=0.5)
    assert arrays.names.tolist() == graph.vs["name"]
    assert [tuple(edge) for edge in arrays.edges.tolist()] == graph.get_edgelist()
    assert arrays.weights.tolist() == graph.es["weight"]
