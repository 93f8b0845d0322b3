import networkx as nx
import numpy as np
import pytest
from exported import big, nasty, toy

from multiplex_vit.errors import InputError
from multiplex_vit.network.export import lint_gephi, write
from multiplex_vit.network.export.gephi_values import (
    java_float,
    known_type,
    value_fault,
    weight_fault,
)

GRAPHML = """<?xml version="1.0" encoding="UTF-8"?>
<graphml xmlns="http://graphml.graphdrawing.org/xmlns">
<key id="x" for="node" attr.name="x" attr.type="double"/>
<key id="y" for="node" attr.name="y" attr.type="double"/>
<key id="r" for="node" attr.name="r" attr.type="int"/>
<key id="color" for="node" attr.name="color" attr.type="string"/>
<key id="rank" for="node" attr.name="rank" attr.type="double"/>
<key id="count" for="node" attr.name="count" attr.type="int"/>
<key id="flag" for="node" attr.name="flag" attr.type="boolean"/>
<key id="weight" for="edge" attr.name="weight" attr.type="double"/>
<graph edgedefault="directed">
<node id="a"><data key="x">1.0</data><data key="y">-2</data><data key="r">255</data><data key="color">#ff0000</data></node>
<node id="b"><data key="x">0</data><data key="y">0</data><data key="rank">INF</data><data key="count">3</data><data key="flag">true</data></node>
<edge id="e0" source="a" target="b"><data key="weight">0.5</data></edge>
<edge id="e1" source="b" target="a"><data key="weight">1e-3</data></edge>
<edge id="e2" source="a" target="b" label="coupling"><data key="weight">1</data></edge>
</graph>
</graphml>
"""

BAD_GRAPHML = [
    (
        '<node id="a">',
        '<node id="">',
        "node on line 12 has no id; Gephi stops the whole import",
    ),
    (
        '<node id="b">',
        '<node id="a">',
        "node 'a' is there twice; Gephi makes one node of them",
    ),
    (
        'target="b" label',
        'target="" label',
        "edge 'e2' has no target; Gephi stops the whole import",
    ),
    (
        '<edge id="e0" source="a"',
        '<edge id="e0"',
        "edge 'e0' has no source; Gephi stops the whole import",
    ),
    (
        'id="e1"',
        'id=""',
        "edge on line 15 has an empty id; Gephi stops the whole import",
    ),
    (
        'id="e1"',
        'id="e0"',
        "edge id 'e0' is there 2 times; Gephi keeps the first edge and drops the others",
    ),
    (
        '<edge id="e0" source="a"',
        '<edge id="e0" source="c"',
        "node 'c' is the end of an edge but is never declared; Gephi invents it",
    ),
    (
        ' label="coupling"',
        "",
        "2 edges run from 'a' to 'b'; Gephi makes one of them and sums the weights",
    ),
    (
        'edgedefault="directed"',
        'edgedefault="undirected"',
        "2 edges run from 'a' to 'b'",
    ),
    ('edgedefault="directed"', "", "graph on line 11 has edgedefault None"),
    (
        'id="weight" for="edge" attr.name="weight"',
        'id="weight" for="edge" attr.name="Weight"',
        None,
    ),
    (
        'id="weight" for="edge" attr.name="weight"',
        'id="Weight" for="edge" attr.name="Weight"',
        "edge key 'Weight' is not exactly 'weight'",
    ),
    (
        'id="x" for="node" attr.name="x"',
        'id="d0" for="node" attr.name="X"',
        "node key 'X' is not exactly 'x'; Gephi makes it a column",
    ),
    (
        'id="x" for="node" attr.name="x"',
        'id="d0" for="node" attr.name="x"',
        "node 'a' has data of key 'x', which is declared for no node",
    ),
    (
        'attr.name="rank" attr.type="double"',
        'attr.name="rank" attr.type="date"',
        "node key 'rank' has type 'date'; Gephi leaves the column out",
    ),
    (
        'id="rank" for="node" attr.name="rank"',
        'id="Count" for="node" attr.name="rank"',
        "node keys 'Count' and 'count' differ by capitals only",
    ),
    (
        'id="rank" for="node" attr.name="rank"',
        'id="count" for="node" attr.name="rank"',
        "node key 'count' is there twice",
    ),
    (
        'id="rank" for="node" attr.name="rank"',
        'id="" for="node" attr.name="rank"',
        "key 'rank' on line 7 has no id",
    ),
    (
        'id="rank" for="node" attr.name="rank"',
        'id="timeset" for="node" attr.name="rank"',
        "node key 'rank' is the name of Gephi's own column of times",
    ),
    (
        'attr.name="weight" attr.type="double"/>',
        'attr.name="weight" attr.type="double"><default>1</default></key>',
        "edge key 'weight' has a <default>",
    ),
    (
        ">0.5<",
        ">nan<",
        "edge 'e0' has weight 'nan', which is no number to Java; Gephi takes 1.0",
    ),
    (
        ">0.5<",
        "><",
        "edge 'e0' has weight '', which is no number to Java; Gephi takes 1.0",
    ),
    (
        ">0.5<",
        ">Infinity<",
        "edge 'e0' has weight 'Infinity', which is not finite in 32 bits",
    ),
    (">0.5<", ">1e39<", "edge 'e0' has weight '1e39', which is not finite in 32 bits"),
    (
        ">0.5<",
        ">0.0<",
        "edge 'e0' has weight '0.0', which is 0 in 32 bits; Gephi deletes the edge",
    ),
    (
        ">0.5<",
        ">1e-46<",
        "edge 'e0' has weight '1e-46', which is 0 in 32 bits; Gephi deletes the edge",
    ),
    (">0.5<", ">-0.5<", "edge 'e0' has weight '-0.5', which is negative"),
    (
        ">255<",
        ">255.0<",
        "node 'a' has r '255.0', which is no whole number from 0 to 255",
    ),
    (">255<", ">256<", "node 'a' has r '256', which is no whole number from 0 to 255"),
    (
        '<data key="weight">0.5</data>',
        '<data key="weight">0.5</data><data key="weight">0.5</data>',
        "edge 'e0' has two values of 'weight'; Gephi keeps one",
    ),
    (
        'attr.name="rank" attr.type="double"',
        'attr.name="size" attr.type="float"',
        "node 'b' has size 'INF', which is no finite number to Java",
    ),
    (
        ">3<",
        ">-2147483649<",
        "node 'b' has count '-2147483649', which is no int to Java",
    ),
    (">3<", f">{'9' * 5000}<", "which is no int to Java"),
    (">255<", f">{'9' * 5000}<", "which is no whole number from 0 to 255"),
    (
        "</graphml>",
        '<graph edgedefault="directed"/></graphml>',
        "graph on line 18 is not the first of the file; Gephi puts all graphs into one",
    ),
    (
        ">#ff0000<",
        ">rgb(255,0,0)<",
        "node 'a' has color 'rgb(255,0,0)', which is neither #rrggbb nor a name",
    ),
    (">-2<", ">NaN<", "node 'a' has y 'NaN', which is no finite number to Java"),
    (
        ">INF<",
        ">inf<",
        "node 'b' has rank 'inf', which is no double to Java; Gephi leaves the cell empty",
    ),
    (">3<", ">3.0<", "node 'b' has count '3.0', which is no int to Java"),
    (">3<", ">3000000000<", "node 'b' has count '3000000000', which is no int to Java"),
    (">true<", ">yes<", "node 'b' has flag 'yes', which is no boolean to Java"),
    (
        '<data key="x">1.0</data><data key="y">-2</data>',
        '<data key="x">0.0</data><data key="y">0</data>',
        "every node lies at x = 0, y = 0",
    ),
    ('<edge id="e0"', '<edge id="e0" directed="no"', "edge 'e0' has directed='no'"),
    (
        '<node id="b">',
        '<node id="b"><desc>text</desc>',
        "node 'b' has a <desc>; Gephi makes it the label",
    ),
    (
        '<node id="b">',
        '<node id="b"><graph edgedefault="directed"><node id="c"/></graph>',
        "graph on line 13 lies in another; Gephi flattens the hierarchy",
    ),
    (
        '<node id="b">',
        '<node id="b"><node id="c"/>',
        "node 'c' lies in another; Gephi flattens the hierarchy",
    ),
    (
        "</graph>",
        "<hyperedge/></graph>",
        "<hyperedge> on line 17; Gephi has none and leaves it out",
    ),
    ("</graph>", "", "damaged or no XML"),
    ("<graphml ", "<!DOCTYPE a><graphml ", "has a DOCTYPE"),
]

GEXF = """<?xml version="1.0" encoding="UTF-8"?>
<gexf xmlns="http://gexf.net/1.3" xmlns:viz="http://gexf.net/1.3/viz" version="1.3">
<graph mode="dynamic" defaultedgetype="directed" timeformat="double" timerepresentation="timestamp">
<attributes class="node" mode="static"><attribute id="count" title="count" type="integer"/></attributes>
<attributes class="edge" mode="dynamic"><attribute id="weight" title="weight" type="double"/></attributes>
<nodes>
<node id="a" label="a"><attvalues><attvalue for="count" value="3"/></attvalues><viz:size value="4.0"/><viz:color r="1" g="2" b="3"/>
<viz:position x="1.0" y="2.0" z="0.0"/></node>
<node id="b" label="b" timestamps="&lt;[0.0, 1.0]&gt;"><viz:position x="0.0" y="0.0"/></node>
</nodes>
<edges>
<edge id="e0" source="a" target="b" type="directed" kind="attention" timestamps="&lt;[0.0]&gt;">
<attvalues><attvalue for="weight" value="0.5" timestamp="0.0"/><attvalue for="weight" value="0.25" timestamp="1.0"/></attvalues></edge>
<edge id="e1" source="a" target="b" type="directed" weight="1.0" kind="coupling"/>
</edges>
</graph>
</gexf>
"""

BAD_GEXF = [
    ('version="1.3"', 'version="2.0"', "version '2.0' of GEXF is not known"),
    (
        'id="a" label',
        'id="" label',
        "node on line 7 has no id; Gephi stops the whole import",
    ),
    ('id="e1"', 'id="e0"', "edge id 'e0' is there 2 times"),
    (
        'kind="coupling"',
        'kind="attention"',
        "2 edges of kind 'attention' run from 'a' to 'b'; Gephi makes one of them and sums the weights",
    ),
    (
        'id="e1" source="a"',
        'id="e1" source="c"',
        "node 'c' is the end of an edge but is never declared",
    ),
    ('label="b"', "", "node 'b' has no label; Gephi leaves it blank"),
    (
        'label="b"',
        'label="b" pid="a"',
        "node 'b' lies in another; Gephi has no hierarchy",
    ),
    (
        'type="directed" weight="1.0"',
        'type="undirected" weight="1.0"',
        "edge 'e1' is undirected where defaultedgetype is directed; Gephi rejects it",
    ),
    (
        'type="directed" weight="1.0"',
        'type="mutual" weight="1.0"',
        "edge 'e1' has type 'mutual'",
    ),
    (
        'defaultedgetype="directed"',
        'defaultedgetype="mutual"',
        "defaultedgetype is mutual, which Gephi does not know",
    ),
    (
        'weight="1.0"',
        'weight="0"',
        "edge 'e1' has weight '0', which is 0 in 32 bits; Gephi deletes the edge",
    ),
    (
        'value="0.5"',
        'value="nan"',
        "edge 'e0' has weight 'nan', which is no number to Java",
    ),
    (
        'value="3"',
        'value="3.5"',
        "node 'a' has count '3.5', which is no integer to Java",
    ),
    (
        'for="count"',
        'for="size"',
        "node 'a' has a value of 'size', which is not declared; Gephi leaves it out",
    ),
    (
        'id="weight" title="weight"',
        'id="0" title="Weight"',
        "attribute 'Weight' has the id '0', not exactly 'weight'",
    ),
    (
        'title="count" type="integer"',
        'title="count" type="date"',
        "node attribute 'count' has type 'date'",
    ),
    (
        '<attribute id="count"',
        '<attribute id=""',
        "attribute 'count' on line 4 has no id",
    ),
    (
        'type="integer"/>',
        'type="integer"/><attribute id="count" type="integer"/>',
        "node attribute 'count' is there twice",
    ),
    (
        "<nodes>",
        '<attributes class="edge"/><nodes>',
        "a second <attributes class='edge'> on line 6; Gephi Lite forgets the first",
    ),
    (
        'mode="dynamic" defaultedgetype',
        'mode="static" defaultedgetype',
        "node 'b' has times but the graph's mode is not dynamic",
    ),
    (
        ' timerepresentation="timestamp"',
        "",
        "node 'b' has timestamps where timerepresentation is not timestamp",
    ),
    (
        'label="b" timestamps="&lt;[0.0, 1.0]&gt;"',
        'label="b" start="0"',
        "node 'b' has an interval where timerepresentation is timestamp",
    ),
    (
        "&lt;[0.0, 1.0]&gt;",
        "0.0, 1.0",
        "node 'b' has timestamps '0.0, 1.0', not of the form",
    ),
    (
        "&lt;[0.0, 1.0]&gt;",
        "&lt;[0.0, one]&gt;",
        "node 'b' has timestamps '<[0.0, one]>', not of the form",
    ),
    (
        'value="0.5" timestamp="0.0"',
        'value="0.5"',
        "edge 'e0' has a value of 'weight' that needs a timestamp, for it is dynamic",
    ),
    (
        'value="3"',
        'value="3" timestamp="0.0"',
        "node 'a' has a value of 'count' that needs no time, for it is static",
    ),
    (
        'timestamp="1.0"',
        'timestamp="one"',
        "edge 'e0' has a value of 'weight' at 'one', which is no number",
    ),
    (
        'timestamp="1.0"',
        'timestamp="0.0"',
        "edge 'e0' has two values of 'weight' at one time; Gephi keeps one",
    ),
    (
        "<viz:size",
        '<spells><spell start="0"/></spells><viz:size',
        "node 'a' has <spells>",
    ),
    (
        '<viz:size value="4.0"/>',
        '<viz:size unit="px" value="4.0"/>',
        "node 'a' has viz:size whose first attribute is not value",
    ),
    (
        '<viz:size value="4.0"/>',
        '<viz:size value=""/>',
        "node 'a' has viz:size value '', which is no finite number to Java",
    ),
    (
        '<viz:color r="1"',
        '<viz:color r="1.0"',
        "node 'a' has viz:color r '1.0', which is no whole number from 0 to 255",
    ),
    (
        '<viz:color r="1" g="2" b="3"/>',
        '<viz:color hex="rgb(1,2,3)"/>',
        "node 'a' has viz:color hex 'rgb(1,2,3)', which is neither",
    ),
    (
        '<viz:size value="4.0"/>',
        '<viz:size value="-4.0"/>',
        "node 'a' has viz:size value '-4.0', which is negative; give at least 0",
    ),
    (
        'type="directed" weight="1.0" kind="coupling"/>',
        'weight="1.0" kind="coupling"><attvalues><attvalue for="weight" value="1"/></attvalues></edge>',
        "edge 'e1' has two values of 'weight'; Gephi keeps one",
    ),
    (
        "</graph>",
        '</graph><graph defaultedgetype="directed"/>',
        "graph on line 16 is not the first of the file; Gephi puts all graphs into one",
    ),
    (
        'x="1.0" y="2.0"',
        'x="NaN" y="2.0"',
        "node 'a' has viz:position x 'NaN', which is no finite number to Java",
    ),
    ('x="1.0" y="2.0"', 'x="0" y="0"', "every node lies at x = 0, y = 0"),
    ("</graph>", "", "damaged or no XML"),
]


@pytest.mark.parametrize(("suffix", "text"), [("graphml", GRAPHML), ("gexf", GEXF)])
def test_good_files_have_no_problem(suffix, text, tmp_path):
    (tmp_path / f"net.{suffix}").write_text(text)
    assert lint_gephi(tmp_path / f"net.{suffix}") == []


@pytest.mark.parametrize(("old", "new", "problem"), BAD_GRAPHML)
def test_every_rule_of_graphml(old, new, problem, tmp_path):
    assert old in GRAPHML
    check(tmp_path / "net.graphml", GRAPHML.replace(old, new), problem)


@pytest.mark.parametrize(("old", "new", "problem"), BAD_GEXF)
def test_every_rule_of_gexf(old, new, problem, tmp_path):
    assert old in GEXF
    check(tmp_path / "net.gexf", GEXF.replace(old, new), problem)


def test_negative_sizes_of_graphml(tmp_path):
    text = GRAPHML.replace('attr.name="rank"', 'attr.name="size"').replace(">INF<", ">-3<")
    check(
        tmp_path / "net.graphml",
        text,
        "node 'b' has size '-3', which is negative; give at least 0",
    )


def test_numbers_that_java_reads_and_python_does_not(tmp_path):
    text = GRAPHML.replace(">1.0<", ">1f<").replace(">3<", ">-2147483648<")
    check_fine(tmp_path / "net.graphml", text)
    everywhere_0 = text.replace(">1f<", ">0f<").replace(">-2<", ">0D<")
    check(tmp_path / "net.graphml", everywhere_0, "every node lies at x = 0, y = 0")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("<graphml/>", "the file has no <graph>; Gephi finds nothing in it"),
        ('<gexf version="1.3"/>', "the file has no <graph>; Gephi finds nothing in it"),
        (
            '<graphml><graph edgedefault="directed"/></graphml>',
            "the graph has no nodes; Gephi finds nothing in it",
        ),
        (
            '<gexf version="1.3"><graph defaultedgetype="directed"><nodes/><edges/></graph></gexf>',
            "the graph has no nodes; Gephi finds nothing in it",
        ),
    ],
)
def test_files_that_hold_nothing(text, problem, tmp_path):
    (tmp_path / "net.xml").write_text(text)
    assert lint_gephi(tmp_path / "net.xml") == [problem]


def test_edges_without_direction(tmp_path):
    text = GEXF.replace(' defaultedgetype="directed"', "").replace(
        'type="directed" weight', "weight"
    )
    check(
        tmp_path / "net.gexf",
        text,
        "edge 'e1' has no type and there is no default; Gephi takes it as directed, Gephi Lite as undirected",
    )


def check_fine(path, text):
    path.write_text(text)
    assert lint_gephi(path) == []


def check(path, text, problem):
    path.write_text(text)
    found = lint_gephi(str(path))
    assert all("\n" not in line for line in found)
    assert problem is None or any(problem in line for line in found), found
    assert found or problem is None


@pytest.mark.parametrize("make", [toy, nasty, big])
@pytest.mark.parametrize("name", ["graphml", "gexf", "gexf_dynamic"])
@pytest.mark.parametrize("measured", [True, False])
def test_our_own_files_have_no_problem(make, name, measured, tmp_path):
    if measured or make is not big:
        export = make() if measured else make(measures={})
        assert lint_gephi(write(export, tmp_path / "net.xml", name)[0]) == []


def test_the_files_of_networkx_lose_parallel_edges(tmp_path):
    graph = nx.MultiDiGraph([(0, 1, {"weight": np.nan}), (1, 2, {"weight": 1.0})])
    nx.write_graphml(graph, tmp_path / "net.graphml")
    found = lint_gephi(tmp_path / "net.graphml")
    assert "edge id '0' is there 2 times; Gephi keeps the first edge and drops the others" in found
    assert "edge '0' has weight 'nan', which is no number to Java; Gephi takes 1.0" in found


def test_of_many_alike_the_first_five_are_named(tmp_path):
    nodes = "".join(f'<node id="n{i}"/><node id="n{i}"/>' for i in range(3000))
    (tmp_path / "net.graphml").write_text(
        f'<graphml><graph edgedefault="directed">{nodes}</graph></graphml>'
    )
    found = lint_gephi(tmp_path / "net.graphml")
    assert len(found) == 6
    assert found[5] == "... and 2,995 more: node ids twice"


def test_files_that_are_neither(tmp_path):
    (tmp_path / "net.svg").write_text("<svg/>")
    assert lint_gephi(tmp_path / "net.svg") == [
        "the file is <svg>, neither GraphML nor GEXF; Gephi does not open it as either"
    ]
    (tmp_path / "net.txt").write_text("text")
    assert "damaged or no XML" in lint_gephi(tmp_path / "net.txt")[0]
    (tmp_path / "odd.xml").write_bytes(b'<?xml version="1.0" encoding="martian"?><graphml/>')
    assert len(lint_gephi(tmp_path / "odd.xml")) == 1
    with pytest.raises(InputError, match="no such file"):
        lint_gephi(tmp_path / "missing.gexf")


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1", 1.0),
        (" 1.5e3 ", 1500.0),
        (".5f", 0.5),
        ("-1.D", -1.0),
        ("Infinity", np.inf),
        ("-Infinity", -np.inf),
    ],
)
def test_numbers_as_java_reads_them(text, number):
    assert java_float(text) == number


@pytest.mark.parametrize(
    "text",
    [
        "",
        "inf",
        "INF",
        "nan",
        "1,5",
        "1e",
        "0x10",
        "\N{ARABIC-INDIC DIGIT ONE}",
        "1_000",
    ],
)
def test_numbers_that_java_does_not_read(text):
    assert java_float(text) is None


def test_values_as_gephi_reads_them():
    assert weight_fault("0,5") is None, "a comma is a point to Gephi"
    assert value_fault("Double", "INF") is None
    assert value_fault("long", "3000000000") is None
    assert value_fault("byte", "200") is not None
    assert value_fault("string", "anything") is None
    assert known_type("LONG")
    assert np.isnan(java_float("NaN"))
