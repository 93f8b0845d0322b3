"""A network's GraphML is checked when it is read: everything in it, changed in every way."""

import re

import numpy as np
import pytest
from hostile import FILES, refused

import multiplex_vit as mv
from multiplex_vit.limits import MOST_NODES

READ = "cannot read .*net.graphml"


@pytest.fixture
def path(net, tmp_path):
    net.prune(0.3).write(tmp_path / "net.graphml", preset="full")
    return tmp_path / "net.graphml"


def refuse(path, text, damage):
    path.write_text(text)
    with refused(READ):
        mv.Multiplex.read(path)
        pytest.fail(f"accepted: {damage}")


GRAPH = {
    "grid": [
        "[-2, -2]",
        "[2, 2.0]",
        "[4]",
        "[2, 2, 1]",
        "[1000000, 1000000]",
        '["2", "2"]',
        "4",
    ],
    "prefix": ["[1]", '["a"]', '{"a": 1}', "null", '["r0c0"]'],
    "layer_names": [
        '["a", "a"]',
        "[1, 2]",
        '["a"]',
        '["a", "b", "c"]',
        '["", "b"]',
        "[]",
        '"ab"',
    ],
    "edges_before": [
        "[-1, -1]",
        "[0, 0]",
        "[99, 99]",
        "[8.0, 5]",
        "[true, 5]",
        "[8]",
        "8",
    ],
    "edges": ["[-1, -1]", "[0, 0]", "[99, 99]", "[8]", "[]", "8"],
    "dtype": ["float128", "int8", "object", "complex64", ""],
}
"""Wrong values of what the graph says of itself; it has 2 layers of 2 x 2 nodes."""


@pytest.mark.parametrize("name", GRAPH)
def test_everything_said_of_the_graph_is_checked(path, name):
    text = path.read_text()
    pattern = re.compile(rf'(<data key="graph-{name}">)([^<]*)(</data>)')
    assert len(pattern.findall(text)) == 1
    for value in [*GRAPH[name], "", "[", "[" * 100_000, "NaN"]:
        refuse(path, pattern.sub(rf"\g<1>{value}\g<3>", text), f"{name} {value!r:.40}")
    refuse(path, pattern.sub("", text), f"{name} is missing")
    refuse(path, pattern.sub(r"\g<0>\g<0>", text), f"{name} is there twice")


WEIGHTS = ["-0.5", "nan", "inf", "-inf", "1e999", "0", "", "text", "0.3", "1j"]


@pytest.mark.parametrize("value", WEIGHTS)
def test_every_weight_is_checked(path, value):
    text = path.read_text()
    start = '<data key="weight">'
    changed = re.sub(f"{start}[^<]*<", f"{start}{value}<", text, count=1)
    assert changed != text
    refuse(path, changed, value)


def lines_of(text, start):
    return [line for line in text.splitlines(keepends=True) if line.startswith(start)]


@pytest.mark.parametrize("start", ["<node", '<edge id="e0"', "<key"])
def test_parts_that_are_there_twice_or_not_at_all(path, start):
    text = path.read_text()
    line = lines_of(text, start)[0]
    refuse(path, text.replace(line, line * 2), f"{start} twice")
    if start != "<key":
        refuse(path, text.replace(line, ""), f"no {start}")


@pytest.mark.parametrize("name", ["layer", "node", "row", "col"])
def test_the_places_of_nodes_are_checked(path, name):
    text = path.read_text()
    pattern = f'<data key="{name}">[^<]*<'
    for value in ("-1", "99", "1.5", "", "text", "9" * 30, "9" * 5000):
        changed = re.sub(pattern, f'<data key="{name}">{value}<', text, count=1)
        refuse(path, changed, f"{name} {value}")


ENTITIES = {
    "many": '<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">',
    "of a file": '<!ENTITY b SYSTEM "file:///etc/passwd">',
    "of parameters": '<!ENTITY % b SYSTEM "file:///etc/passwd"> %b;',
}


@pytest.mark.parametrize("kind", ENTITIES)
def test_entities_are_refused(path, kind):
    text = path.read_text().replace("by hand", "&b;")
    head, line, rest = text.partition("\n")
    path.write_text(f"{head}{line}<!DOCTYPE graphml [{ENTITIES[kind]}]>{line}{rest}")
    with refused("DOCTYPE"):
        mv.Multiplex.read(path)


@pytest.mark.parametrize("encoding", ["utf-16", "latin-1", "nonsense"])
def test_other_encodings_are_read_right_or_refused(net, path, encoding):
    text = path.read_text().replace('encoding="UTF-8"', f'encoding="{encoding}"')
    path.write_bytes(text.encode("utf-8" if encoding == "nonsense" else encoding))
    if encoding == "nonsense":
        with refused(READ):
            mv.Multiplex.read(path)
    else:
        assert np.array_equal(mv.Multiplex.read(path).weights, net.prune(0.3).weights)


def test_a_short_file_cannot_fill_the_memory(path):
    """20,000 nodes and no edge would stand for 3 GB of weights a layer."""
    n_nodes = 20_000
    facts = {"grid": f"[1, {n_nodes}]", "edges": "[0, 0, 0, 0]", "edges_before": "[]"}
    facts["layer_names"] = '["a", "b", "c", "d"]'
    text = path.read_text()
    for line in [*lines_of(text, "<node"), *lines_of(text, "<edge")]:
        text = text.replace(line, "")
    for name, value in facts.items():
        text = re.sub(rf'(<data key="graph-{name}">)[^<]*', rf"\g<1>{value}", text)
    nodes = []
    for layer in range(4):
        for node in range(n_nodes):
            places = {"layer": layer, "node": node, "row": 0, "col": node}
            data = "".join(f'<data key="{name}">{place}</data>' for name, place in places.items())
            nodes.append(f'<node id="{layer}-{node}">{data}</node>\n')
    refuse(path, text.replace("</graph>", "".join(nodes) + "</graph>"), "weights of 6.4 GB")


@pytest.mark.parametrize("kind", FILES)
def test_odd_files_are_refused(tmp_path, kind):
    FILES[kind](tmp_path / "net.graphml")
    with refused(READ):
        mv.Multiplex.read(tmp_path / "net.graphml")


def test_a_share_pruned_lies_between_0_and_1(path):
    shares = mv.Multiplex.read(path).layer_table(["share_pruned"])["share_pruned"]
    assert shares.between(0, 1).all()
    assert shares.max() > 0


@pytest.mark.parametrize(
    "before",
    [
        (-3, -3),
        (0, 0),
        (7, 4),
        (17, 17),
        (8.5, 5),
        ("8", "5"),
        (True, 5),
        (8,),
        (8, 5, 5),
        8,
        "85",
    ],
)
def test_edges_before_that_cannot_be(net, before):
    assert np.count_nonzero(net.weights, axis=(1, 2)).tolist() == [8, 4]
    with refused("edges_before"):
        mv.Multiplex(net.weights, net.grid, edges_before=before)


def test_edges_before_that_can_be(net):
    assert mv.Multiplex(net.weights, net.grid, edges_before=(8, 16)).edges_before == (
        8,
        16,
    )
    assert mv.Multiplex(net.weights, net.grid).edges_before == (8, 4)


@pytest.mark.parametrize("grid", [(10**6, 10**6), (1, MOST_NODES + 1), (10**30, 1), (2**40, 2**40)])
def test_grids_that_are_too_large_are_refused_at_once(grid):
    with refused("at most 65,536"):
        mv.Multiplex(np.zeros((1, 4, 4)), grid)
