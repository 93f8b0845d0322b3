import dataclasses
import json
import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import unquote

import networkx as nx
import numpy as np
import pandas as pd
import pytest
from exported import nasty, package, toy
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from multiplex_vit.errors import InputError
from multiplex_vit.network.export import (
    EXPORTERS,
    Export,
    lint_gephi,
    read_graphml,
    to_pymnet,
    write,
)
from multiplex_vit.network.export.text import plain
from multiplex_vit.network.tokens import Tokens


def path_of(folder, name):
    return folder / f"net{EXPORTERS.trait(name, 'suffix') or '.gexf'}"


def empty():
    return Export(np.zeros((2, 1, 1)), Tokens((1, 1)), ("a", "b"), {}, coupling="none")


# --- the contract of every format -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", EXPORTERS)
@pytest.mark.parametrize("make", [toy, nasty, empty])
def test_a_format_keeps_its_contract(name, make, tmp_path):
    export = make()
    before = export.weights.copy()
    files = write(export, path_of(tmp_path, name), name)
    assert sorted(files) == sorted(tmp_path.iterdir()), (
        "it says what it wrote, and leaves nothing else"
    )
    assert all(file.name.startswith("net") and file.stat().st_size for file in files)
    first = [file.read_bytes() for file in files]
    assert write(make(), path_of(tmp_path, name), name) == files
    assert [file.read_bytes() for file in files] == first, "it is deterministic"
    assert np.array_equal(export.weights, before), "the input is untouched"


@pytest.mark.parametrize("name", EXPORTERS)
def test_every_format_says_who_reads_it_and_where_it_is_written_down(name):
    text = EXPORTERS[name].__doc__
    assert "Read by" in text
    assert "References" in text


# --- choosing a format, and files all or none -------------------------------------------------------------------------


def test_the_suffix_chooses_the_format_and_a_name_wins(tmp_path):
    assert write(toy(), tmp_path / "NET.GRAPHML") == [tmp_path / "NET.GRAPHML"]
    assert read_graphml(tmp_path / "NET.GRAPHML").grid == (2, 2)
    write(toy(), tmp_path / "net.txt", "graphml")
    assert read_graphml(tmp_path / "net.txt").grid == (2, 2)


def test_unknown_and_ambiguous_formats(tmp_path):
    with pytest.raises(
        InputError,
        match=r"unknown format 'nosuch' of net.nosuch; known: graphml \(\.graphml\), gexf \(\.gexf\), gexf_dynamic, ",
    ):
        write(toy(), tmp_path / "net.nosuch")
    with pytest.raises(InputError, match="unknown format '' of net"):
        write(toy(), tmp_path / "net")
    with pytest.raises(
        InputError,
        match=r"net.net may be infomap or pajek; say which with format='infomap'",
    ):
        write(toy(), tmp_path / "net.net")
    with pytest.raises(InputError, match=r"unknown format 'graphm' \(did you mean 'graphml'\?\)"):
        write(toy(), tmp_path / "net.nosuch", "graphm")
    assert not list(tmp_path.iterdir())


def test_any_function_is_a_format(tmp_path):
    def edge_count(export, path):
        path.write_text(str(sum(len(weight) for *_, weight in export.edges())))
        path.with_suffix(".more").write_text("beside")

    assert write(toy(), tmp_path / "net.txt", edge_count) == [
        tmp_path / "net.txt",
        tmp_path / "net.more",
    ]
    assert (tmp_path / "net.txt").read_text() == "12"
    with pytest.raises(InputError, match="format print wrote no file"):
        write(toy(), tmp_path / "b.txt", print)


def test_a_failing_format_leaves_the_old_files(tmp_path):
    (tmp_path / "net.txt").write_text("old")

    def broken(export, path):
        path.write_text("half")
        raise RuntimeError

    with pytest.raises(RuntimeError):
        write(toy(), tmp_path / "net.txt", broken)
    assert [file.read_text() for file in tmp_path.iterdir()] == ["old"]


def test_places_that_cannot_be_written(tmp_path):
    with pytest.raises(InputError, match="cannot write .*missing: No such file"):
        write(toy(), tmp_path / "missing" / "net.graphml")
    (tmp_path / "folder.graphml").mkdir()
    with pytest.raises(InputError, match="cannot write .*it is a folder"):
        write(toy(), tmp_path / "folder.graphml")
    (tmp_path / "net_edges.csv").mkdir()
    with pytest.raises(InputError, match="cannot write .*net_edges.csv: it is a folder"):
        write(toy(), tmp_path / "net.csv")
    assert sorted(file.name for file in tmp_path.iterdir()) == [
        "folder.graphml",
        "net_edges.csv",
    ]


@pytest.mark.parametrize("name", EXPORTERS)
def test_bad_links_are_refused_in_every_format(name, tmp_path):
    with pytest.raises(InputError, match="omega"):
        write(toy(omega=-1.0), path_of(tmp_path, name), name)
    with pytest.raises(InputError, match="unknown coupling 'ordnal'"):
        write(toy(coupling="ordnal"), path_of(tmp_path, name), name)
    assert not list(tmp_path.iterdir())


# --- the network as exporters see it ----------------------------------------------------------------------------------


def test_nodes_by_hand():
    table = toy().nodes()
    assert list(table) == [
        "name",
        "layer",
        "layer_name",
        "block",
        "head",
        "node",
        "token",
        "row",
        "col",
        "x",
        "y",
        "z",
        "size",
        "r",
        "g",
        "b",
        "in_strength",
    ]
    assert table["name"].tolist()[3:5] == ["L00:r1c1", "L01:r0c0"]
    assert table[["x", "y", "z"]].to_numpy().tolist()[2:6] == [
        [0, -25, 0],
        [25, -25, 0],
        [100, 50, 25],
        [125, 50, 25],
    ]
    assert table["in_strength"].tolist() == pytest.approx(
        [0.625, 0.75, 1, 0.625, 0.5, 1, 0.5, 0.01]
    )
    assert table["size"].tolist() == [7, 8, 10, 7, 6, 10, 6, 3]


def test_edges_and_links_by_hand():
    source, target, weight = list(toy().edges())[1]
    assert list(zip(source.tolist(), target.tolist(), weight.tolist(), strict=True)) == [
        (4, 5, 1),
        (5, 4, 0.5),
        (5, 6, 0.5),
        (7, 7, float(np.float32(0.01))),
    ]
    links = toy(coupling="temporal", omega=np.array([[1, 2, 3, 4]] * 2)).links()
    assert [part.tolist() for part in links] == [
        [4, 5, 6, 7],
        [0, 1, 2, 3],
        [1, 2, 3, 4],
    ]


def test_prefix_tokens_lie_above_their_layer():
    table = Export(np.zeros((1, 5, 5)), Tokens((1, 2), ("class", "a", "b")), ("L",), {}).nodes()
    assert table[["name", "x", "y"]].to_numpy().tolist() == [
        ["L:class", 0, 25],
        ["L:a", 25, 25],
        ["L:b", 0, 50],
        ["L:r0c0", 0, 0],
        ["L:r0c1", 25, 0],
    ]


@given(
    layers=st.integers(1, 7),
    rows=st.integers(1, 4),
    cols=st.integers(1, 4),
    n_prefix=st.integers(0, 6),
)
def test_no_two_nodes_lie_in_one_place(layers, rows, cols, n_prefix):
    tokens = Tokens((rows, cols), tuple(f"register{i}" for i in range(n_prefix)))
    table = Export(
        np.zeros((layers, len(tokens), len(tokens))),
        tokens,
        tuple(map(str, range(layers))),
        {},
    ).nodes()
    assert not table.duplicated(["x", "y"]).any()


def test_what_is_not_known_is_grey_and_small():
    table = nasty().nodes().head(5)
    assert table["size"].tolist() == [3, 3, 6, 10, 10]
    assert table.loc[0, ["r", "g", "b"]].tolist() == [128, 128, 128]
    assert table.loc[3, ["r", "g", "b"]].tolist() == table.loc[4, ["r", "g", "b"]].tolist(), (
        "infinity has the colour of the greatest"
    )
    unknown = toy(measures={"m": np.full((2, 4), np.nan)}).nodes()
    assert set(unknown["size"]) == {3}
    assert set(unknown["r"]) == {128}
    assert set(toy(measures={"m": np.ones((2, 4))}).nodes()["size"]) == {6}


def test_measures_that_readers_would_mistake():
    for name in ("x", "Weight", "color", "row", "", "kind", "graph-model"):
        with pytest.raises(InputError, match="give it another name"):
            toy(measures={name: np.zeros((2, 4))})
    with pytest.raises(InputError, match="a measure is named 'Rank'"):
        toy(measures={"rank": np.zeros((2, 4)), "Rank": np.zeros((2, 4))})
    with pytest.raises(
        InputError, match=r"measure m is \[8\]; expected \[layer, node\] = \[2, 4\]"
    ):
        toy(measures={"m": np.zeros(8)})


def test_two_nodes_of_one_name_are_refused(tmp_path):
    clash = Export(np.zeros((2, 3, 3)), Tokens((1, 1), ("c", "b:c")), ("a:b", "a"), {})
    with pytest.raises(InputError, match="two nodes have one name"):
        write(clash, tmp_path / "net.graphml")


def test_matplotlib_is_imported_only_for_a_measure(tmp_path):
    code = (
        "import sys; from exported import toy; from multiplex_vit.network.export import write; from pathlib import Path;"
        f"write(toy(measures={{}}), Path({str(tmp_path)!r}, 'net.graphml')); assert 'matplotlib' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parent, check=True)


@given(st.text())
def test_plain_words_are_reversible(text):
    kept = "".join(c for c in text if c in "\t\n\r" or (c >= " " and c not in "\ufffe\uffff"))
    word = plain(kept)
    assert unquote(word) == kept
    assert not set(word) & set(" ;,\"'#\n\t")


# --- GraphML ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("make", [toy, nasty, empty])
def test_graphml_gives_the_network_back(make, tmp_path):
    export = dataclasses.replace(make(), edges_before=tuple(range(len(make().layer_names))))
    write(export, tmp_path / "net.graphml")
    found = read_graphml(tmp_path / "net.graphml")
    assert np.array_equal(found.weights, export.weights)
    assert found.weights.dtype == export.weights.dtype
    assert (found.grid, found.prefix) == (export.tokens.grid, export.tokens.prefix)
    assert (found.layer_names, found.edges_before) == (
        export.layer_names,
        export.edges_before,
    )
    assert list(found.provenance) == list(export.provenance)
    assert list(map(type, found.provenance.values())) == list(map(type, export.provenance.values()))


def test_provenance_comes_back_but_for_what_xml_forbids(tmp_path):
    write(nasty(), tmp_path / "net.graphml")
    found = dict(read_graphml(tmp_path / "net.graphml").provenance)
    assert np.isnan(found.pop("nan"))
    text = 'a<b> & "c" \\x01 \\udc80\r\n\t\N{SMILING FACE WITH SUNGLASSES}'
    assert found == {
        "model": text,
        "coupling": "mine",
        "layer": 2**70,
        "yes": True,
        "no": "",
    }


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@given(data=st.data())
def test_weights_come_back_bit_for_bit(dtype, data, tmp_path_factory):
    width = np.dtype(dtype).itemsize * 8
    weights = data.draw(
        arrays(
            dtype,
            (2, 3, 3),
            elements=st.floats(0, float(np.finfo(dtype).max), width=width),
        )
    )
    path = tmp_path_factory.getbasetemp() / f"{width}.graphml"
    write(Export(weights, Tokens((1, 2), ("class",)), ("a", "b"), {}), path)
    found = read_graphml(path).weights
    assert found.dtype == dtype
    assert np.array_equal(found, weights)


def test_weights_of_more_than_64_bits_are_refused(tmp_path):
    if np.dtype(np.longdouble).itemsize == 8:
        pytest.skip("long double has 64 bits here")
    with pytest.raises(InputError, match="GraphML holds 64 bits: give float64"):
        write(
            Export(np.zeros((1, 1, 1), dtype=np.longdouble), Tokens((1, 1)), ("a",), {}),
            tmp_path / "net.graphml",
        )


def test_graphml_has_the_profile_that_gephi_reads(tmp_path):
    write(nasty(), tmp_path / "net.graphml")
    text = (tmp_path / "net.graphml").read_text(encoding="utf-8")
    keys = [
        line for line in text.splitlines() if line.startswith("<key") and 'for="graph"' not in line
    ]
    assert all(line.split('"')[1] == line.split('"')[5] for line in keys), "ids are names"
    assert text.index('<data key="graph-model">') < text.index("<node"), "provenance is first"
    ids = [line.split('"')[1] for line in text.splitlines() if line.startswith("<edge")]
    assert len(set(ids)) == len(ids) == 25
    assert "directed=" not in text
    assert (
        text.count(
            '<data key="weight">1.401298464324817e-45</data><data key="attention">1e-60</data>'
        )
        == 1
    )
    assert text.count('<data key="a &lt;measure&gt;">') == 12, "what is NaN is left out"
    assert ">nan<" not in text


EDGE = '<edge id="e1" source="L00:r0c0" target="L00:r0c1"><data key="weight">0.25</data><data key="kind">attention</data></edge>\n'
DAMAGE = {
    "cut": ("</graph>", ""),
    "weight changed": ('<data key="weight">0.75', '<data key="attention">0.1'),
    "weight of 0": ('<data key="weight">0.75', '<data key="attention">0'),
    "no number": ('<data key="weight">0.75', '<data key="attention">much'),
    "no weight": ('<data key="weight">0.75</data>', ""),
    "edge twice": (
        'id="e1" source="L00:r0c0" target="L00:r0c1"',
        'id="e1" source="L00:r0c0" target="L00:r0c0"',
    ),
    "unknown kind": (">attention</data></edge>", ">friendship</data></edge>"),
    "hidden kind": (
        '<data key="weight">0.75</data><data key="kind">attention<',
        '<data key="weight">0.75</data><data key="kind">coupling<',
    ),
    "edge gone": (EDGE, ""),
    "edges of another layer": ("[8, 4]", "[4, 8]"),
    "edges before of one layer": (
        '<data key="graph-edges_before">[]',
        '<data key="graph-edges_before">[9]',
    ),
    "edges before no numbers": (
        '<data key="graph-edges_before">[]',
        '<data key="graph-edges_before">["9", "9"]',
    ),
    "another row": (
        '<data key="row">1</data><data key="col">0</data>',
        '<data key="row">0</data><data key="col">0</data>',
    ),
    "no column": ('<data key="col">0</data>', ""),
    "a longer grid": ("[2, 2]", "[1, 4]"),
    "a grid of less than nothing": ("[2, 2]", "[-2, -2]"),
    "layers named by numbers": ('["L00", "L01"]', "[0, 1]"),
    "unknown node": ('target="L00:r0c1"', 'target="L00:r9c9"'),
    "between layers": ('target="L00:r0c1"', 'target="L01:r0c1"'),
    "node twice": ('<node id="L00:r0c1">', '<node id="L00:r0c0">'),
    "a larger grid": ("[2, 2]", "[2000000, 2000000]"),
    "another grid": ("[2, 2]", '{"a": 1}'),
    "no type": (">float32<", ">object<"),
    "no names": ("graph-layer_names", "graph-names"),
    "names no list": ('["L00", "L01"]', "[["),
    "doctype": ("<graphml ", '<!DOCTYPE a [<!ENTITY b "c">]><graphml '),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_changed_graphml_is_refused(damage, tmp_path):
    path = tmp_path / "net.graphml"
    write(toy(), path)
    text = path.read_text()
    old, new = DAMAGE[damage]
    assert old in text
    path.write_text(text.replace(old, new))
    with pytest.raises(
        InputError,
        match="DOCTYPE" if damage == "doctype" else "cannot read .*net.graphml",
    ):
        read_graphml(path)


def test_a_file_of_no_layers_is_refused_whatever_its_grid(tmp_path):
    path = tmp_path / "net.graphml"
    write(toy(), path)
    text = (
        path.read_text()
        .replace("[2, 2]", "[2000000, 2000000]")
        .replace('["L00", "L01"]', "[]")
        .replace("[8, 4]", "[]")
    )
    path.write_text(
        "".join(
            line
            for line in text.splitlines(keepends=True)
            if not line.startswith(("<node", "<edge"))
        )
    )
    with pytest.raises(InputError, match="cannot read .*net.graphml"):
        read_graphml(path)


def test_provenance_may_have_any_names(tmp_path):
    export = toy(
        provenance={
            3: "a number",
            None: 1.5,
            ("edges", 1): "a pair",
            "edges": "text",
            "": "nothing",
        }
    )
    for name in EXPORTERS:
        write(export, path_of(tmp_path, name), name)
    found = read_graphml(tmp_path / "net.graphml").provenance
    assert found == {
        "3": "a number",
        "None": 1.5,
        "('edges', 1)": "a pair",
        "edges": "text",
        "": "nothing",
    }


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_is_refused_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.graphml")
    with pytest.raises(
        InputError, match=r"cannot read .*pipe.graphml: no regular file; give a file$"
    ):
        read_graphml(tmp_path / "pipe.graphml")
    with pytest.raises(InputError, match="no regular one"):
        lint_gephi(tmp_path / "pipe.graphml")


def test_files_that_are_no_graphml_of_ours(tmp_path):
    nx.write_graphml(nx.path_graph(3), tmp_path / "other.graphml")
    (tmp_path / "text.graphml").write_text("text")
    (tmp_path / "empty.graphml").touch()
    for name, message in (
        ("other", "no GraphML that multiplex_vit wrote"),
        ("text", "damaged or no XML"),
        ("empty", "damaged or no XML"),
    ):
        with pytest.raises(InputError, match=f"cannot read .*{name}.graphml: {message}"):
            read_graphml(tmp_path / f"{name}.graphml")
    with pytest.raises(InputError, match="no such file"):
        read_graphml(tmp_path / "missing.graphml")
    with pytest.raises(InputError, match="cannot read"):
        read_graphml(tmp_path)


# --- the other formats, by hand ---------------------------------------------------------------------------------------


def test_gexf_by_hand(tmp_path):
    write(toy(), tmp_path / "net.gexf")
    text = (tmp_path / "net.gexf").read_text()
    edge = '<edge id="e0" source="L00:r0c0" target="L00:r0c0" type="directed" weight="0.5"'
    assert f'{edge} kind="attention"/>\n' in text
    assert 'attvalue for="attention"' not in text, "a weight is written once"
    assert (
        '<edge id="e12" source="L00:r0c0" target="L01:r0c0" type="directed" weight="0.5" kind="coupling"/>\n'
        in text
    )
    assert '<viz:size value="10.0"/>' in text
    assert '<viz:position x="0.0" y="-25.0" z="0.0"/>' in text


def test_the_timeline_of_gexf_by_hand(tmp_path):
    write(toy(), tmp_path / "net.gexf", "gexf_dynamic")
    text = (tmp_path / "net.gexf").read_text()
    assert text.count("<node id=") == 4
    assert text.count("<edge id=") == 11, "edges of both layers are one"
    both = 'source="r0c0" target="r0c1" type="directed" kind="attention" timestamps="&lt;[0.0, 1.0]&gt;"'
    values = '<attvalue for="weight" value="0.25" timestamp="0.0"/><attvalue for="weight" value="1.0" timestamp="1.0"/>'
    assert f"{both}><attvalues>{values}</attvalues>" in text
    assert (
        '<attvalue for="in_strength" value="0.625" timestamp="0.0"/><attvalue for="in_strength" value="0.5" timestamp="1.0"/>'
        in text
    )
    assert text.count("<attributes class=") == 2
    write(toy(measures={}), tmp_path / "net.gexf", "gexf_dynamic")
    assert '<attvalue for="col" value="1"/>' in (tmp_path / "net.gexf").read_text()


def test_graphology_by_hand(tmp_path):
    write(toy(), tmp_path / "net.json")
    found = json.loads((tmp_path / "net.json").read_text())
    assert found["options"] == {
        "type": "directed",
        "multi": True,
        "allowSelfLoops": True,
    }
    assert found["attributes"]["provenance"] == {
        "model": "by hand",
        "min_cut": 0.25,
        "seed": 3,
    }
    assert (len(found["nodes"]), len(found["edges"])) == (8, 20)
    assert found["edges"][19] == {
        "key": "e19",
        "source": "L01:r1c1",
        "target": "L00:r1c1",
        "attributes": {"weight": 0.5, "kind": "coupling"},
    }


def test_infomap_by_hand(tmp_path):
    write(toy(coupling="temporal"), tmp_path / "net.net", "infomap")
    lines = (tmp_path / "net.net").read_text().splitlines()
    lines = [line for line in lines if not line.startswith("#")]
    assert lines[:5] == ["*Vertices 4", '1 "r0c0"', '2 "r0c1"', '3 "r1c0"', '4 "r1c1"']
    assert lines[5:8] == ["*Intra", "1 1 1 0.5", "1 1 2 0.25"]
    assert lines[-5:] == ["*Inter", "2 1 1 0.5", "2 2 1 0.5", "2 3 1 0.5", "2 4 1 0.5"]


def test_muxviz_by_hand(tmp_path):
    files = write(nasty(), tmp_path / "net.muxviz")
    assert [file.name for file in files] == [
        "net.muxviz",
        "net_layer01.edges",
        "net_layer02.edges",
        "net_layer03.edges",
        "net_layers.txt",
        "net_layout.txt",
    ]
    config = [line.split(";") for line in files[0].read_text().splitlines()]
    assert [line[0] for line in config] == [
        "net_layer01.edges",
        "net_layer02.edges",
        "net_layer03.edges",
    ]
    assert [unquote(line[1]) for line in config] == list(nasty().layer_names)
    assert {line[2] for line in config} == {"net_layout.txt"}
    assert files[1].read_text() == "1 1 0.5\n1 2 0.25\n2 1 0.125\n"
    assert files[2].read_text() == "1 1 0\n", "R reads no empty file"
    layout = pd.read_csv(files[5], sep=" ")
    assert layout.columns.tolist() == ["nodeID", "nodeLabel", "nodeX", "nodeY"]
    assert layout["nodeLabel"].tolist() == nasty().tokens.names


def test_pajek_writes_a_file_a_layer_and_one_layer_as_the_path(tmp_path):
    assert [file.name for file in write(toy(), tmp_path / "net.net", "pajek")] == [
        "net_layer00.net",
        "net_layer01.net",
    ]
    one = Export(np.array([FIRST_LAYER]), Tokens((1, 2)), ("L",), {})
    assert write(one, tmp_path / "one.net", "pajek") == [tmp_path / "one.net"]
    comment = "% edge_direction: source attends to target\n"
    assert (
        (tmp_path / "one.net").read_text()
        == comment
        + '*Vertices 2\n1 "r0c0" 0.083333 0.083333 0.5\n2 "r0c1" 0.916667 0.083333 0.5\n*Arcs\n1 2 0.5\n2 2 0.1\n'
    )


FIRST_LAYER = [[0, 0.5], [0, 0.1]]


@pytest.mark.parametrize("make", [toy, nasty, empty])
@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_tables_hold_every_node_and_edge(make, suffix, tmp_path):
    if suffix == ".parquet":
        package("pyarrow")
    export = make()
    (tmp_path / f"net{suffix}").write_text("other")
    files = write(export, tmp_path / f"net{suffix}")
    assert [file.name for file in files] == [f"net_edges{suffix}", f"net_nodes{suffix}"]
    assert (tmp_path / f"net{suffix}").read_text() == "other", (
        "no file of that very name is written"
    )
    edges, nodes = (
        pd.read_csv(file) if suffix == ".csv" else pd.read_parquet(file) for file in files
    )
    pd.testing.assert_frame_equal(
        nodes,
        export.nodes().rename(columns={"name": "id"}),
        check_dtype=False,
        rtol=1e-14,
    )
    numbers = {name: i for i, name in enumerate(nodes["id"])}
    expected = [
        np.concatenate(parts) for parts in zip(*export.edges(), export.links(), strict=True)
    ]
    assert [numbers[name] for name in edges["source"]] == expected[0].tolist()
    assert [numbers[name] for name in edges["target"]] == expected[1].tolist()
    assert edges["weight"].tolist() == pytest.approx(expected[2].tolist(), rel=1e-14, abs=0)
    assert (edges["kind"] == "attention").tolist() == (
        edges["source_layer"] == edges["target_layer"]
    ).tolist()


def test_a_missing_package_names_its_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "pymnet", None)
    with pytest.raises(InputError, match=r"needs pymnet; pip install 'multiplex-vit\[pymnet\]'"):
        to_pymnet(toy())


def test_provenance_is_in_parquet(tmp_path):
    parquet = package("pyarrow.parquet")
    for file in write(toy(), tmp_path / "net.parquet"):
        about = json.loads(parquet.read_schema(file).metadata[b"multiplex_vit"])
        assert about["provenance"] == {"model": "by hand", "min_cut": 0.25, "seed": 3}
