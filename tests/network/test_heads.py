"""Layers of single heads: links, files, tables and pictures know which block a layer shows."""

import itertools
import json

import networkx as nx
import numpy as np
import pytest
from exported import package

import multiplex_vit as mv
from multiplex_vit.network.export import lint_gephi

BLOCKS, HEADS = (0, 0, 1, 1, 2, 2), (0, 1, 0, 1, 0, 1)
NAMES = tuple(f"L{block:02d}H{head:02d}" for block, head in zip(BLOCKS, HEADS, strict=True))


def may_pass(coupling, one, other):
    """Whether information passes from a layer to another, said once more in words."""
    (block, _), (other_block, _) = one, other
    return {
        "none": False,
        "ordinal": abs(block - other_block) <= 1,
        "temporal": other_block == block + 1,
        "categorical": True,
    }[coupling]


@pytest.fixture
def heads():
    rng = np.random.default_rng(0)
    weights = rng.dirichlet(np.full(4, 0.5), (6, 4)).astype(np.float32)
    return mv.Multiplex(weights, (2, 2), NAMES, blocks=BLOCKS, heads=HEADS)


def test_a_model_gives_every_layer_its_block_and_head(demo_vit):
    cat = mv.samples()["cat"]
    net = mv.multiplex(demo_vit, cat, heads=True)
    assert net.blocks == tuple(np.repeat(range(6), 3).tolist())
    assert net.heads == tuple(np.tile(range(3), 6).tolist())
    pooled = mv.multiplex(demo_vit, cat)
    assert (pooled.blocks, pooled.heads) == (tuple(range(6)), (-1,) * 6)


@pytest.mark.parametrize("edges", ["attention", "information"])
@pytest.mark.parametrize("coupling", mv.network.COUPLINGS)
def test_links_join_heads_by_their_blocks(coupling, edges, heads):
    net = heads if edges == "attention" else heads.reverse()
    supra = net.supra_adjacency(coupling=coupling, omega=0.5).toarray().reshape(6, 4, 6, 4)
    layers = list(zip(BLOCKS, HEADS, strict=True))
    for a, b in itertools.permutations(range(6), 2):
        ends = (layers[b], layers[a]) if edges == "attention" else (layers[a], layers[b])
        expected = 0.5 * may_pass(coupling, *ends) * np.eye(4)
        assert np.array_equal(supra[a, :, b], expected), (layers[a], layers[b])


@pytest.mark.parametrize("coupling", mv.network.COUPLINGS)
def test_the_order_of_layers_does_not_matter(coupling, heads):
    order = [4, 1, 0, 5, 2, 3]
    mixed = heads.select(order)
    assert (mixed.blocks, mixed.heads) == ((2, 0, 0, 2, 1, 1), (0, 1, 0, 1, 0, 1))
    places = np.add.outer(4 * np.array(order), np.arange(4)).ravel()
    supra = heads.supra_adjacency(coupling=coupling).toarray()
    assert np.array_equal(
        mixed.supra_adjacency(coupling=coupling).toarray(),
        supra[np.ix_(places, places)],
    )


def test_the_next_block_is_the_next_that_is_there(heads):
    far = heads.select([0, 5])
    assert far.blocks == (0, 2)
    assert far.supra_adjacency(coupling="temporal").toarray()[4:, :4].tolist() == np.eye(4).tolist()


@pytest.mark.parametrize("coupling", mv.network.COUPLINGS)
def test_every_measure_of_the_whole_network_runs_on_heads(coupling, heads):
    package("leidenalg")
    table = heads.multilayer_table(coupling=coupling)
    assert np.isfinite(table[list(mv.network.MULTILAYER_MEASURES)].to_numpy()).all()
    groups = heads.communities(coupling=coupling)
    assert groups.shape == (6, 4)
    assert heads.modularity(groups, coupling=coupling) <= 1


# --- networks made from it --------------------------------------------------------------------


def test_since_counts_blocks(heads):
    later = heads.since(1)
    assert (later.layer_names, later.blocks) == (NAMES[2:], (1, 1, 2, 2))
    assert later.since(1).layer_names == NAMES[4:]
    assert later.since(1).provenance["starting_layer"] == 2
    with pytest.raises(mv.InputError, match="starting_layer is 3; give 0 to 2"):
        heads.since(3)


@pytest.mark.parametrize(
    "step",
    [
        lambda net: net.prune(0.1),
        lambda net: net.top_k(1),
        lambda net: net.disparity(0.9),
        lambda net: net.reverse(),
    ],
)
def test_filters_keep_blocks_and_heads(step, heads):
    assert (step(heads).blocks, step(heads).heads) == (BLOCKS, HEADS)


def test_an_aggregate_has_the_block_that_its_layers_share(heads):
    assert (heads.aggregate().blocks, heads.aggregate().heads) == ((-1,), (-1,))
    one_block = heads.select([2, 3]).aggregate()
    assert (one_block.blocks, one_block.heads) == ((1,), (-1,))
    one_head = heads.select([1, 3]).aggregate()
    assert (one_head.blocks, one_head.heads) == ((-1,), (1,))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"blocks": (0,)}, "blocks has 1 numbers for 2 layers"),
        ({"heads": (0, 1, 2)}, "heads has 3 numbers for 2 layers"),
        ({"blocks": (0, -2)}, "blocks is -2; give a whole number of at least -1"),
        ({"blocks": (0, 0.5)}, "blocks is 0.5"),
        ({"blocks": 3}, "blocks is 3; give one number a layer"),
        ({"blocks": "01"}, "blocks is '01'"),
        ({"blocks": (1, 1), "heads": (2, 2)}, "two layers show head 2 of block 1"),
    ],
)
def test_bad_blocks_and_heads(options, message):
    with pytest.raises(mv.InputError, match=message):
        mv.Multiplex(np.zeros((2, 1, 1)), (1, 1), **options)


def test_layers_of_one_block_are_numbered():
    net = mv.Multiplex(np.zeros((3, 1, 1)), (1, 1), blocks=(4, 4, 7))
    assert net.heads == (0, 1, 0)


# --- tables and other libraries ---------------------------------------------------------------


def test_tables_say_block_and_head(heads):
    nodes = heads.node_table("in_strength")
    assert nodes["block"].tolist() == np.repeat(BLOCKS, 4).tolist()
    assert nodes["head"].tolist() == np.repeat(HEADS, 4).tolist()
    layers = heads.layer_table("edges")
    assert (tuple(layers["block"]), tuple(layers["head"])) == (BLOCKS, HEADS)

    def block(layer):
        return 0.0

    with pytest.raises(mv.InputError, match="the table has a column 'block' already"):
        heads.layer_table(block)
    graph, other = heads.to_igraph(), heads.to_networkx()
    assert graph.vs["block"] == [found for _, found in other.nodes(data="block")]
    assert graph.vs["head"] == nodes["head"].tolist()


# --- files ------------------------------------------------------------------------------------


@pytest.mark.parametrize("measures", [None, "in_strength"])
@pytest.mark.parametrize("coupling", mv.network.COUPLINGS)
@pytest.mark.parametrize("format", mv.EXPORTERS)
def test_every_format_takes_a_network_of_heads(format, coupling, measures, heads, tmp_path):
    files = heads.write(tmp_path / "net.out", format=format, coupling=coupling, measures=measures)
    assert all(file.stat().st_size for file in files)
    if format in ("graphml", "gexf", "gexf_dynamic"):
        path = files[0].rename(tmp_path / f"net.{format.partition('_')[0]}")
        assert not lint_gephi(path)


def test_graphml_gives_blocks_and_heads_back(heads, tmp_path):
    mixed = heads.select([3, 0, 4])
    mixed.write(tmp_path / "net.graphml", preset="full")
    found = mv.Multiplex.read(tmp_path / "net.graphml")
    assert (found.blocks, found.heads) == (mixed.blocks, mixed.heads) == ((1, 0, 2), (1, 0, 0))
    graph = nx.read_graphml(tmp_path / "net.graphml")
    assert graph.nodes["L02H00:r0c0"]["block"] == 2


def test_blocks_that_do_not_fit_a_file_are_refused(heads, tmp_path):
    heads.write(tmp_path / "net.graphml", preset="full")
    text = (tmp_path / "net.graphml").read_text()
    for wrong in ("[0, 0, 0, 1, 2, 2]", "[0, 0, 1, 1, 2]", '["a", 0, 1, 1, 2, 2]'):
        (tmp_path / "bad.graphml").write_text(text.replace("[0, 0, 1, 1, 2, 2]", wrong))
        with pytest.raises(mv.InputError, match="cannot read .*bad.graphml"):
            mv.Multiplex.read(tmp_path / "bad.graphml")


def test_heads_of_a_block_lie_in_one_row_at_one_depth(heads, tmp_path):
    heads.write(tmp_path / "net.graphml", preset="full")
    nodes = nx.read_graphml(tmp_path / "net.graphml").nodes
    corners = [nodes[f"{name}:r0c0"] for name in NAMES]
    assert [corner["z"] / 25 for corner in corners] == list(BLOCKS)
    assert [corner["y"] / -100 for corner in corners] == list(BLOCKS)
    assert [corner["x"] / 100 for corner in corners] == list(HEADS)


def test_heads_of_a_block_share_a_moment_of_the_timeline(heads, tmp_path):
    path = tmp_path / "net.gexf"
    heads.write(path, format="gexf_dynamic", preset="full")
    graph = nx.read_gexf(path)
    assert isinstance(graph, nx.MultiDiGraph)
    text = path.read_text()
    described = text.partition("<description>")[2].partition("</description>")[0]
    moments = ["L00H00, L00H01", "L01H00, L01H01", "L02H00, L02H01"]
    assert json.loads(described.replace("&quot;", '"'))["timestamps"] == moments
    assert 'timestamps="&lt;[0.0, 1.0, 2.0]&gt;"' in text
    assert '3.0"' not in text.partition("<edges>")[2].replace('value="3.0"', "")
    for head in (0, 1):
        first = heads.weights[head, 0, 1]
        edge = f'source="r0c0" target="r0c1" type="directed" kind="H0{head}"'
        assert f'{edge} timestamps="&lt;[0.0, 1.0, 2.0]&gt;">' in text
        assert f'value="{float(first)!r}" timestamp="0.0"' in text
    last = heads.centrality("in_strength")[4:, 0].astype(float)
    found = graph.nodes["r0c0"]
    assert [found["in_strength_H00"], found["in_strength_H01"]] == last.tolist()
