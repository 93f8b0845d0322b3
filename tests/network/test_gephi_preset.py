"""The file that Gephi users open: few edges, thin links, looks that can be read; and where nodes lie."""

import re

import networkx as nx
import numpy as np
import pytest
from exported import toy

import multiplex_vit as mv
from multiplex_vit.network.export import PRESETS, Export
from multiplex_vit.network.positions import LAYOUTS, positions
from multiplex_vit.network.tokens import Tokens

GRIDS = [((8, 8), 0, 6), ((14, 14), 1, 12), ((3, 5), 2, 5), ((7, 4), 4, 7)]
RADIUS = 10
"""The largest radius of a node."""


def crowded(edges="attention", seed=0, n_layers=4):
    """Return a network of 4 x 4 patches whose every edge is there, loops too."""
    weights = np.random.default_rng(seed).dirichlet(np.full(16, 0.3), (n_layers, 16))
    net = mv.Multiplex(weights.astype(np.float32), (4, 4))
    return net if edges == "attention" else net.reverse()


@pytest.fixture(scope="module")
def bundled():
    return mv.multiplex(mv.load("demo-vit", device="cpu"), mv.samples()["cat"])


# --- the backbone -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", ["graphml", "gexf"])
def test_the_default_file_is_a_fifth_of_the_full_one(bundled, suffix, tmp_path):
    [drawn] = bundled.write(tmp_path / f"drawn.{suffix}")
    [full] = bundled.write(tmp_path / f"full.{suffix}", preset="full")
    assert drawn.stat().st_size <= full.stat().st_size / 5
    assert mv.network.lint_gephi(drawn) == mv.network.lint_gephi(full) == []


def test_each_token_keeps_its_strongest_edges_to_others(tmp_path):
    net = crowded()
    [path] = net.write(tmp_path / "net.graphml", preset="gephi(degree=4)")
    found = mv.Multiplex.read(path)
    without_loops = net.without_loops().weights
    for layer, drawn in zip(without_loops, found.weights, strict=True):
        for row, kept in zip(layer, drawn, strict=True):
            expected = np.sort(row)[-4:]
            assert np.sort(kept[kept > 0]).tolist() == expected.tolist()
    assert found.provenance["backbone"] == "the 4 strongest edges of each token to others"
    assert found.provenance["backbone_share"] == round(found.n_edges / net.n_edges, 4)
    assert found.edges_before == net.edges_before


def test_the_backbone_is_the_same_whichever_way_edges_run(tmp_path):
    found = []
    for edges in ("attention", "information"):
        [path] = crowded(edges).write(tmp_path / f"{edges}.graphml")
        found.append(mv.Multiplex.read(path))
    assert np.array_equal(found[0].weights, found[1].reverse().weights)


def test_a_sparse_network_is_drawn_whole_but_for_loops(tmp_path):
    net = crowded().top_k(5)
    [path] = net.write(tmp_path / "net.graphml")
    assert np.array_equal(mv.Multiplex.read(path).weights, net.without_loops().weights)


def test_equal_weights_do_not_stay_all(tmp_path):
    net = mv.Multiplex(np.full((1, 16, 16), 1 / 16), (4, 4))
    [path] = net.write(tmp_path / "net.graphml")
    assert mv.Multiplex.read(path).n_edges == 3 * 16


@pytest.mark.parametrize("format", ["graphology", "csv", "infomap"])
def test_other_formats_hold_every_edge(format, tmp_path):
    net = crowded()
    net.write(tmp_path / "net.out", format=format)
    net.write(tmp_path / "all.out", format=format, preset="full")
    for path in tmp_path.glob("net*"):
        assert path.read_bytes() == path.with_name(path.name.replace("net", "all")).read_bytes()


def test_an_empty_network_can_be_drawn(tmp_path):
    net = mv.Multiplex(np.zeros((2, 4, 4)), (2, 2))
    for suffix in ("graphml", "gexf"):
        [path] = net.write(tmp_path / f"net.{suffix}")
        assert mv.network.lint_gephi(path) == []


# --- links ------------------------------------------------------------------------------------------------------------


def test_links_are_thinner_than_every_edge_and_lie_below_them(tmp_path):
    [path] = crowded().write(tmp_path / "net.graphml", omega=2.0)
    graph = nx.read_graphml(path)
    weights = {"attention": [], "coupling": []}
    kinds = []
    for _, _, data in graph.edges(data=True):
        weights[data["kind"]].append(data["weight"])
    for line in path.read_text().splitlines():
        kinds += re.findall(">(attention|coupling)<", line)
    assert max(weights["coupling"]) < min(weights["attention"])
    assert len(weights["coupling"]) == 3 * 16, "one that runs both ways is written once"
    assert kinds == sorted(kinds, reverse=True), "links come first"
    assert graph.graph["omega"] == 2.0


def test_links_say_what_they_weigh_where_that_differs(tmp_path):
    omega = np.random.default_rng(0).random((4, 16))
    net = crowded()
    [path] = net.write(tmp_path / "net.graphml", omega=omega, coupling="temporal")
    found = {}
    for source, target, data in nx.read_graphml(path).edges(data=True):
        if data["kind"] == "coupling":
            found[source, target] = data["omega"]
    names = net.tokens.names
    expected = {}
    for layer in (1, 2, 3):
        for node, name in enumerate(names):
            expected[f"L0{layer}:{name}", f"L0{layer - 1}:{name}"] = omega[layer, node]
    assert found == expected


def test_links_that_skip_a_layer_or_join_heads_are_not_drawn(tmp_path):
    categorical = PRESETS["gephi"](toy(coupling="categorical"))
    assert len(categorical.links()[0]) == 4
    net = crowded()
    far = Export(net.weights, net.tokens, net.layer_names, {}, coupling="categorical")
    source, target, _ = PRESETS["gephi"](far).links()
    assert set((target // 16 - source // 16).tolist()) == {1}
    heads = Export(net.weights, net.tokens, net.layer_names, {}, blocks=(0, 0, 1, 1))
    assert len(heads.links()[0])
    assert not len(PRESETS["gephi"](heads).links()[0])


# --- layouts ----------------------------------------------------------------------------------------------------------


def distances_to_links(places):
    """Yield the distances [layer, node] of all nodes from each link between consecutive layers, but its ends."""
    n_layers, n_nodes = places.shape[:2]
    for layer in range(n_layers - 1):
        for node in range(n_nodes):
            start, end = places[layer, node], places[layer + 1, node]
            along = end - start
            share = np.clip((places - start) @ along / (along @ along), 0, 1)
            nearest = start + share[..., None] * along
            distance = np.linalg.norm(places - nearest, axis=2)
            distance[layer : layer + 2, node] = np.inf
            yield layer, distance


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize(("grid", "n_prefix", "n_layers"), GRIDS)
def test_links_lie_across_no_node(layout, grid, n_prefix, n_layers):
    tokens = Tokens(grid, tuple(f"token{i}" for i in range(n_prefix)))
    flat = positions(tokens, tuple(range(n_layers)), layout)[:, :2]
    places = flat.reshape(n_layers, len(tokens), 2)
    for layer, distance in distances_to_links(places):
        assert distance.min() > 1, "through the middle of none"
        others = np.delete(distance, [layer, layer + 1], axis=0)
        assert others.min(initial=np.inf) > 2 * RADIUS, "nor near one of another layer"


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("blocks", [tuple(range(7)), (0, 0, 0, 1, 1, 1), (2, 5), (-1,)])
def test_nodes_keep_apart(layout, blocks):
    tokens = Tokens((4, 5), ("class", "register"))
    places = positions(tokens, blocks, layout)
    assert places.shape == (len(blocks) * 22, 3)
    apart = np.linalg.norm(places[:, None, :2] - places[None, :, :2], axis=2)
    assert apart[~np.eye(len(places), dtype=bool)].min() >= 12.5


def test_a_layout_of_ones_own(tmp_path):
    def flat(tokens):
        return mv.network.LAYOUTS["grid"](tokens)

    net = crowded()
    net.write(tmp_path / "a.gexf", layout=flat)
    net.write(tmp_path / "b.gexf", layout="stack")
    assert (tmp_path / "a.gexf").read_text() != (tmp_path / "b.gexf").read_text()


# --- colours ----------------------------------------------------------------------------------------------------------


def looks_of(path):
    """Return colours of nodes, and of edges of attention by their ends, of a GEXF file."""
    text = path.read_text()
    colour = '<viz:color r="(\\d+)" g="(\\d+)" b="(\\d+)"/>'
    nodes = {name: rgb for name, *rgb in re.findall(f'<node id="([^"]+)".*?{colour}', text)}
    pattern = f'source="([^"]+)" target="([^"]+)"[^>]*kind="attention">{colour}'
    edges = {(source, target): rgb for source, target, *rgb in re.findall(pattern, text)}
    return nodes, edges


def hue(rgb):
    """Return which way a colour leaves grey, whatever its paleness."""
    away = 255 - np.array(rgb, dtype=float)
    return away / np.linalg.norm(away)


def test_edges_have_the_colour_of_their_target(tmp_path):
    [path] = crowded().write(tmp_path / "net.gexf")
    nodes, edges = looks_of(path)
    assert len(edges) == 4 * 16 * 3
    for (_, target), rgb in edges.items():
        assert hue(rgb) == pytest.approx(hue(nodes[target]), abs=0.05)


def test_edges_are_grey_where_colours_show_the_measure(tmp_path):
    [path] = crowded().write(tmp_path / "net.gexf", colour="measure")
    for rgb in looks_of(path)[1].values():
        assert hue(rgb) == pytest.approx(hue((150, 150, 160)), abs=0.05)


def test_the_stronger_an_edge_the_thicker(tmp_path):
    [path] = crowded().write(tmp_path / "net.gexf")
    pattern = 'weight="([^"]+)" kind="attention">.*?<viz:thickness value="([^"]+)"'
    pairs = np.array(re.findall(pattern, path.read_text()), dtype=float)
    weights, thickness = pairs[:48].T
    assert (np.diff(thickness[np.argsort(weights)]) >= 0).all()
    assert thickness.max() <= 2
    assert thickness.min() < thickness.max()


def test_a_partition_is_a_column_of_whole_numbers_with_a_colour_each(tmp_path):
    groups = np.arange(16) // 4
    measures = {"group": groups}
    [path] = crowded().write(tmp_path / "net.gexf", measures=measures, colour="group")
    assert '<attribute id="group" title="group" type="integer"/>' in path.read_text()
    nodes, edges = looks_of(path)
    names = crowded().tokens.names
    by_group = {}
    for layer in range(4):
        for node, name in enumerate(names):
            by_group.setdefault(int(groups[node]), set()).add(tuple(nodes[f"L0{layer}:{name}"]))
    assert all(len(colours) == 1 for colours in by_group.values())
    assert len(set.union(*by_group.values())) == 4
    number = {name: group for name, group in zip(names, groups, strict=True)}
    for (source, target), rgb in edges.items():
        within = number[source[4:]] == number[target[4:]]
        expected = nodes[target] if within else (150, 150, 160)
        assert hue(rgb) == pytest.approx(hue(expected), abs=0.05)


def test_communities_are_found_where_colours_are_to_show_them(tmp_path):
    pytest.importorskip("leidenalg")
    blocks = np.kron(np.eye(4), np.ones((4, 4)))
    weights = np.random.default_rng(0).random((3, 16, 16)) * (blocks + 0.01)
    net = mv.Multiplex(weights, (4, 4))
    [path] = net.write(tmp_path / "net.graphml", colour="community")
    found = nx.read_graphml(path).nodes(data="community")
    groups = np.array([group for _, group in found]).reshape(3, 16)
    assert groups.tolist() == [np.repeat(range(4), 4).tolist()] * 3


def test_one_great_sink_does_not_make_all_others_alike():
    values = np.concatenate([[100.0], np.linspace(0, 1, 299)])
    export = Export(np.zeros((1, 300, 300)), Tokens((15, 20)), ("L",), {}, measures={"m": [values]})
    assert len(set(export.nodes()["size"])) == 8


# --- what is refused --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"preset": "gephy"}, "unknown preset 'gephy'.*did you mean 'gephi'"),
        ({"preset": "gephi(degree=0)"}, "degree is 0; give a whole number of at least 1"),
        ({"layout": "round"}, "unknown layout 'round'.*known: grid, stack, isometric"),
        ({"colour": "red"}, "colour is 'red'; give one of 'target', 'measure', 'community'"),
        ({"colour": "red"}, "'in_strength'"),
    ],
)
def test_what_cannot_be_drawn_is_refused(options, message, tmp_path):
    with pytest.raises(mv.InputError, match=message):
        crowded().write(tmp_path / "net.gexf", **options)
    assert not list(tmp_path.iterdir())
