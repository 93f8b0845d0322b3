"""Files opened by the programs that people open them with; nothing of ours reads here."""

import functools
import json
import shutil
import subprocess
from collections import Counter
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import unquote

import igraph
import networkx as nx
import numpy as np
import pytest
from exported import big, nasty, package, toy, wanted

import multiplex_vit as mv
from multiplex_vit.network.export import EXPORTERS, PRESETS, Export, to_pymnet, write

CLIENTS = Path(__file__).parents[1] / "clients"


def bundled():
    """Return the network of a bundled model and picture, its class token kept."""
    return seen(mv.multiplex(mv.load("demo-vit", device="cpu"), mv.samples()["cat"], prefix=True))


@functools.cache
def deit():
    """Return a small network with two prefix tokens, class and distillation: each token's three strongest."""
    net = mv.multiplex(mv.load("demo-deit", device="cpu"), mv.samples()["cat"], prefix=True)
    assert net.prefix == ("class", "distillation")
    return net.top_k(3)


def seen(net):
    return Export(
        net.weights,
        net.tokens,
        net.layer_names,
        net.provenance,
        measures={"in_strength": net.weights.sum(1)},
        edges_before=net.edges_before,
    )


MAKERS = {
    "bundled": bundled,
    "big": big,
    "nasty": nasty,
    "deit": lambda: seen(deit()),
    "single": lambda: seen(deit().select(3)),
    "aggregated": lambda: seen(deit().aggregate()),
    "temporal": lambda: toy(coupling="temporal"),
    "uncoupled": lambda: toy(coupling="none"),
    "readable": lambda: PRESETS["gephi"](bundled()),
}
NETWORKS = tuple(
    pytest.param(name, marks=pytest.mark.slow) if name == "big" else name for name in MAKERS
)
EVERY_LINK = tuple(name for name in MAKERS if name != "readable")
"""Networks whose inter-layer links have their weight in every format."""


@functools.cache
def network(name):
    """Return a network and what a reader should find in it: nodes, and edges as {(source, target): weight}, of layers and of links."""
    export = MAKERS[name]()
    nodes = export.nodes()
    names = nodes["name"].tolist()
    layers = [{(names[s], names[t]): w for s, t, w in triples(edges)} for edges in export.edges()]
    attention = {pair: weight for layer in layers for pair, weight in layer.items()}
    coupling = {(names[s], names[t]): w for s, t, w in triples(export.links())}
    if export.readable:
        coupling = dict.fromkeys(coupling, export.link_weight)
    return SimpleNamespace(
        export=export,
        nodes=nodes,
        names=names,
        layers=layers,
        attention=attention,
        coupling=coupling,
    )


def triples(edges):
    return zip(*(part.tolist() for part in edges), strict=True)


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """Return a function: network, format -> the files, each written once."""
    folder = tmp_path_factory.mktemp("clients")

    @functools.cache
    def files(name, format):
        return write(
            network(name).export,
            folder / f"{name}-{format}{EXPORTERS.trait(format, 'suffix') or '.gexf'}",
            format,
        )

    return files


# --- graphology, as Gephi Lite calls it and strictly ------------------------------------------------------------------

OPENED = [
    (name, format)
    for name in MAKERS
    for format in ("graphml", "gexf", "gexf_dynamic", "graphology")
]


@pytest.fixture(scope="module")
def graphology(written):
    """Return what graphology finds, by network and format; one process of Node reads all."""
    wanted(shutil.which("node"), "Node is not installed (version 18 or later)")
    wanted(
        (CLIENTS / "node_modules" / "graphology").is_dir(),
        "graphology is not installed (npm ci --prefix tests/clients)",
    )
    paths = {key: str(written(*key)[0]) for key in OPENED}
    found = subprocess.run(
        ["node", str(CLIENTS / "read.mjs"), *paths.values()],
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=900,
    )
    assert found.returncode == 0, found.stderr
    summaries = json.loads(found.stdout)
    return {key: summaries[path] for key, path in paths.items()}


@pytest.mark.slow
@pytest.mark.parametrize("way", ["lenient", "strict"])
@pytest.mark.parametrize(("name", "format"), [key for key in OPENED if key[1] != "gexf_dynamic"])
def test_graphology_finds_the_network(graphology, name, format, way):
    net, found = network(name), graphology[name, format][way]
    expected = {**net.attention, **net.coupling}
    loops = sum(source == target for source, target in expected)
    assert (found["type"], found["order"], found["size"], found["ids"]) == (
        "directed",
        len(net.names),
        len(expected),
        len(expected),
    )
    assert (found["undirected"], found["loops"]) == (0, loops)
    assert [key for key, _ in found["nodes"]] == net.names
    edges = edges_of(found, net.names)
    exact = {pair: weight for pair, (weight, _, _) in edges.items()}
    assert exact == (
        expected
        if format == "graphology"
        else {pair: max(weight, 2.0**-149) for pair, weight in expected.items()}
    )
    assert {pair for pair, (_, _, kind) in edges.items() if kind == "attention"} == set(
        net.attention
    )
    assert {pair for pair, (_, _, kind) in edges.items() if kind == "coupling"} == set(net.coupling)
    if format != "graphology":
        whole = {pair: attention or weight for pair, (weight, attention, _) in edges.items()}
        assert whole == expected
        twice = {pair for pair, (_, attention, _) in edges.items() if attention is not None}
        assert twice == {pair for pair, weight in expected.items() if weight < 2.0**-149}


@pytest.mark.slow
@pytest.mark.parametrize(("name", "format"), [key for key in OPENED if key[1] != "gexf_dynamic"])
def test_graphology_finds_places_layers_and_looks(graphology, name, format):
    net = network(name)
    for (_, found), node in zip(
        graphology[name, format]["strict"]["nodes"],
        net.nodes.to_dict("records"),
        strict=True,
    ):
        assert found["label"] == node["name"]
        assert [found[key] for key in ("x", "y", "z", "size")] == [
            node[key] for key in ("x", "y", "z", "size")
        ]
        assert [found[key] for key in ("layer", "layer_name", "node", "token", "row", "col")] == [
            node[key] for key in ("layer", "layer_name", "node", "token", "row", "col")
        ]
        red, green, blue = node["r"], node["g"], node["b"]
        assert found["color"] in (
            f"#{red:02x}{green:02x}{blue:02x}",
            f"rgb({red},{green},{blue})",
        )
        for measure in net.export.measures:
            assert found.get(measure) == (node[measure] if np.isfinite(node[measure]) else None)


@pytest.mark.slow
@pytest.mark.parametrize("way", ["lenient", "strict"])
@pytest.mark.parametrize("name", NETWORKS)
def test_graphology_finds_the_last_layer_of_a_timeline(graphology, name, way):
    net, found = network(name), graphology[name, "gexf_dynamic"][way]
    tokens = net.export.tokens.names
    assert (found["type"], [key for key, _ in found["nodes"]]) == ("directed", tokens)
    assert {
        pair: weight for pair, (weight, _, _) in edges_of(found, tokens).items()
    } == last_weights(net)
    first = net.nodes.head(len(tokens))
    assert [[node["x"], node["y"]] for _, node in found["nodes"]] == first[
        ["x", "y"]
    ].to_numpy().tolist()


@pytest.mark.slow
@pytest.mark.parametrize("name", NETWORKS)
def test_graphology_finds_provenance(graphology, name):
    about = network(name).export.provenance
    flat = graphology[name, "graphml"]["lenient"]["attributes"]
    nested = graphology[name, "graphology"]["lenient"]["attributes"]["provenance"]
    in_meta = json.loads(graphology[name, "gexf"]["lenient"]["attributes"]["description"])[
        "provenance"
    ]
    assert set(nested) == set(in_meta) == set(about)
    for key, value in about.items():
        if isinstance(value, str) and value.isprintable():
            assert (
                flat.get(f"provenance:{key}", flat.get(key)) == nested[key] == in_meta[key] == value
            )


def edges_of(found, names):
    columns = (found["edges"][key] for key in ("source", "target", "weight", "attention", "kind"))
    return {(names[s], names[t]): rest for s, t, *rest in zip(*columns, strict=True)}


def last_weights(net):
    """Return {(token, token): weight} of the last layer that has the edge, held within Gephi's 32 bits."""
    tokens, weights = net.export.tokens.names, net.export.weights
    return {
        (tokens[s], tokens[t]): max(float(w), 2.0**-149)
        for layer in weights
        for s, t, w in triples((*layer.nonzero(), layer[layer.nonzero()]))
    }


# --- networkx ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NETWORKS)
def test_networkx_reads_graphml(written, name):
    net, graph = network(name), nx.read_graphml(written(name, "graphml")[0])
    assert type(graph) is nx.DiGraph
    assert list(graph) == net.names
    found = {kind: {} for kind in ("attention", "coupling")}
    for source, target, data in graph.edges(data=True):
        found[data["kind"]][source, target] = data.get("attention", data["weight"])
    assert found == {"attention": net.attention, "coupling": net.coupling}
    for (_, found), node in zip(graph.nodes(data=True), net.nodes.to_dict("records"), strict=True):
        assert found == {
            "label": node["name"],
            **{key: value for key, value in node.items() if value == value},
        }


@pytest.mark.parametrize("name", NETWORKS)
def test_networkx_reads_gexf(written, name):
    net, graph = network(name), nx.read_gexf(written(name, "gexf")[0])
    assert type(graph) is nx.DiGraph
    assert {(s, t): d.get("attention", d["weight"]) for s, t, d in graph.edges(data=True)} == {
        **net.attention,
        **net.coupling,
    }
    for (key, found), node in zip(
        graph.nodes(data=True), net.nodes.to_dict("records"), strict=True
    ):
        assert (key, found["label"], found["layer"], found["token"]) == (
            node["name"],
            node["name"],
            node["layer"],
            node["token"],
        )
        assert found["viz"]["position"] == {axis: node[axis] for axis in "xyz"}
        assert found["viz"]["size"] == node["size"]


@pytest.mark.parametrize("name", NETWORKS)
def test_networkx_reads_a_timeline_without_measures(name, tmp_path):
    net = network(name)
    bare = Export(net.export.weights, net.export.tokens, net.export.layer_names, {})
    graph = nx.read_gexf(write(bare, tmp_path / "net.gexf", "gexf_dynamic")[0])
    assert graph.graph["mode"] == "dynamic"
    assert list(graph) == net.export.tokens.names
    assert {(s, t): d["weight"] for s, t, d in graph.edges(data=True)} == last_weights(net)


@pytest.mark.parametrize("name", NETWORKS)
def test_networkx_reads_pajek(written, name):
    net = network(name)
    assert len(written(name, "pajek")) == net.export.n_layers
    for path, layer, token_names in zip(
        written(name, "pajek"),
        net.export.weights,
        [net.export.tokens.names] * net.export.n_layers,
        strict=True,
    ):
        graph = nx.read_pajek(path)
        assert graph.is_directed()
        assert list(graph) == token_names
        assert np.array_equal(nx.to_numpy_array(graph), layer.astype(float))
        places = [(node["x"], node["y"]) for _, node in graph.nodes(data=True)]
        assert len(set(places)) == len(places)
        assert all(0 <= x <= 1 and 0 <= y <= 1 for x, y in places)


# --- igraph -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NETWORKS)
def test_igraph_reads_graphml(written, name):
    net, graph = (
        network(name),
        igraph.Graph.Read_GraphML(str(written(name, "graphml")[0])),
    )
    assert graph.is_directed()
    assert graph.vs["name"] == graph.vs["label"] == net.names
    assert [key.replace("&#38;", "&") for key in graph.vs["id"]] == net.names, (
        "igraph 1.0 leaves & as &#38; in ids"
    )
    for key in ("x", "y", "z", "layer", "node", "row", "col", "size", "r", "g", "b"):
        assert graph.vs[key] == net.nodes[key].tolist()
    assert graph.vs["layer_name"] == net.nodes["layer_name"].tolist()
    pairs = [(net.names[s], net.names[t]) for s, t in graph.get_edgelist()]
    assert {
        pair for pair, kind in zip(pairs, graph.es["kind"], strict=True) if kind == "coupling"
    } == set(net.coupling)
    weights = {
        pair: weight
        for pair, weight, kind in zip(pairs, graph.es["weight"], graph.es["kind"], strict=True)
        if kind == "attention"
    }
    held = {pair: max(weight, 2.0**-149) for pair, weight in net.attention.items()}
    assert weights == pytest.approx(held, rel=1e-14, abs=0)


@pytest.mark.parametrize("name", NETWORKS)
def test_igraph_reads_pajek(written, name):
    net = network(name)
    for path, layer in zip(written(name, "pajek"), net.export.weights, strict=True):
        graph = igraph.Graph.Read_Pajek(str(path))
        assert graph.is_directed()
        assert graph.vs["name"] == net.export.tokens.names
        found = np.zeros(layer.shape)
        for edge in graph.es:
            found[edge.tuple] = edge["weight"]
        assert found == pytest.approx(layer.astype(float), rel=1e-14, abs=0)


# --- pymnet, uunet, infomap -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", EVERY_LINK)
def test_pymnet_holds_every_edge(name):
    package("pymnet")
    net = network(name)
    found = to_pymnet(net.export)
    assert (found.directed, found.aspects) == (True, 1)
    assert sorted(found) == sorted(net.export.tokens.names)
    assert sorted(found.slices[1]) == sorted(net.export.layer_names)
    edges = {(f"{a}:{i}", f"{b}:{j}"): weight for i, j, a, b, weight in found.edges}
    assert edges == {**net.attention, **net.coupling}


@pytest.mark.parametrize("name", NETWORKS)
def test_uunet_reads_mpx(written, name):
    multinet = package("uunet.multinet")
    net = network(name)
    found = multinet.read(str(written(name, "mpx")[0]))
    assert sorted(map(unquote, multinet.actors(found)["actor"])) == sorted(net.export.tokens.names)
    assert sorted(map(unquote, multinet.layers(found))) == sorted(net.export.layer_names)
    assert multinet.num_vertices(found) == len(net.names)
    edges = multinet.edges(found)
    assert all(edges["dir"])
    ends = zip(
        edges["from_actor"],
        edges["from_layer"],
        edges["to_actor"],
        edges["to_layer"],
        strict=True,
    )
    weights = multinet.get_values(found, "weight", edges=edges)["weight"]
    read = {
        (unquote(f"{a}:{i}"), unquote(f"{b}:{j}")): weight
        for (i, a, j, b), weight in zip(ends, weights, strict=True)
    }
    assert read == pytest.approx(net.attention, rel=1e-14, abs=0)


@pytest.mark.parametrize("name", EVERY_LINK)
@pytest.mark.filterwarnings("ignore")
def test_infomap_reads_its_network(written, name):
    infomap = package("infomap")
    net = network(name)
    relaxing = {} if net.coupling else {"multilayer_relax_rate": 0.0}
    found = infomap.Infomap(
        silent=True, directed=True, num_trials=1, seed=1, two_level=True, **relaxing
    )
    found.read_file(str(written(name, "infomap")[0]))
    found.run()
    tokens = net.export.tokens.names
    assert [found.get_name(i) for i in range(1, len(tokens) + 1)] == tokens
    names = {
        node.state_id: f"{net.export.layer_names[node.layer_id - 1]}:{tokens[node.node_id - 1]}"
        for node in found.nodes
    }
    assert sorted(names.values()) == sorted(net.names)
    links = {(names[s], names[t]): weight for s, t, weight in found.links}
    inside = {pair: weight for pair, weight in links.items() if pair in net.attention}
    expected = net.attention if net.coupling else steps(net.attention)
    assert inside == pytest.approx(expected, rel=1e-12, abs=0)
    assert sum(links.values()) - sum(inside.values()) == pytest.approx(
        sum(walkable(net).values()), rel=1e-9
    )


def walkable(net):
    """Return the inter-layer links whose token has edges in the layer that they lead to: Infomap's walker goes on along these at once."""
    sending = {source for source, _ in net.attention}
    return {pair: weight for pair, weight in net.coupling.items() if pair[1] in sending}


def steps(edges):
    """Return edges as probabilities of a step: Infomap divides weights by the strength of their source where a file has no inter-layer links."""
    strengths = Counter()
    for (source, _), weight in edges.items():
        strengths[source] += weight
    return {
        (source, target): weight / strengths[source] for (source, target), weight in edges.items()
    }
