"""Names from files and classes are shown as they are: on pages, on consoles, in networks and tables."""

import io
import os
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET

import igraph
import networkx as nx
import numpy as np
import pandas as pd
import pytest
from awkward import NAMES
from PIL import Image
from public import room_members

import multiplex_vit as mv
from multiplex_vit.cli import main
from multiplex_vit.files import output_stems
from multiplex_vit.tabular import read_table

SCRIPT = "<script>alert(1)</script>"
CAT = mv.samples()["cat"]
SMALL = ("--model", "demo-vit")
FAST = ("--statistics", "max", "--operators", "sum", "--steps", "2", *SMALL)
RESERVED = ["con", "PRN.x", "aux.txt.jpg", "NUL", "com1.a", "lpt9", "COM¹"]
STEMS = [
    "...",
    "....",
    "..",
    "-x",
    "--help",
    ".hidden",
    "a.",
    "a ",
    " a",
    "~a",
    "a:b",
    "a*b",
    "a?b",
    'a"b',
    "a<b",
    "a|b",
    "a\\b",
    "a\nb",
    "\x07",
    "a\udcff",
    "é" * 120,
]


def network(name):
    weights = np.random.default_rng(0).random((2, 5, 5))
    return mv.Multiplex(weights, (2, 2), (name, "other"), {"model": name}, (f"{name} token",))


# --- pages ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [SCRIPT, "a&b", '"quoted"'])
def test_pages_show_names_as_text(name):
    page = network(name)._repr_html_()
    assert "<script" not in page
    allowed = {"p", "table", "thead", "tbody", "tr", "th", "td"}
    assert set(re.findall(r"</?([a-zA-Z]+)", page)) <= allowed
    assert "&lt;script&gt;" in page or "&" in name or '"' in name
    ET.fromstring(f"<page>{page}</page>")


def test_every_class_with_a_page_is_tested_here():
    having = {type(network("a")).__name__}
    found = set()
    for each in room_members().values():
        if isinstance(each, type) and hasattr(each, "_repr_html_"):
            found.add(each.__name__)
    assert found == having


# --- networks ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [name for name in NAMES if name.isprintable()])
def test_networks_give_names_back(tmp_path, name):
    net = network(name)
    net.write(tmp_path / "a.graphml", preset="full")
    read = mv.Multiplex.read(tmp_path / "a.graphml")
    assert (read.layer_names, read.prefix, dict(read.provenance)) == (
        net.layer_names,
        net.prefix,
        net.provenance,
    )
    assert f"{name}:r0c0" in nx.read_graphml(tmp_path / "a.graphml").nodes
    assert len(igraph.Graph.Read_GraphML(str(tmp_path / "a.graphml")).vs) == 10
    net.write(tmp_path / "a.gexf", preset="full")
    ET.parse(tmp_path / "a.gexf")
    net.write(tmp_path / "a.csv")
    nodes, edges = (read_table(tmp_path / f"a_{which}.csv") for which in ("nodes", "edges"))
    assert nodes["layer_name"].unique().tolist() == [name, "other"]
    assert set(edges["source"]) <= set(nodes["id"])
    net.write(tmp_path / "a.parquet")
    assert pd.read_parquet(tmp_path / "a_nodes.parquet")["layer_name"].unique().tolist() == [
        name,
        "other",
    ]


# --- consoles ------------------------------------------------------------------------------------------


@pytest.fixture
def console(monkeypatch):
    """Return a function that gives this process a console of an encoding, and returns what is printed there."""

    def of(encoding):
        streams = {}
        for name in ("stdout", "stderr"):
            streams[name] = io.TextIOWrapper(io.BytesIO(), encoding, write_through=True)
            monkeypatch.setattr(sys, name, streams[name])
        return streams["stdout"].buffer, streams["stderr"].buffer

    return of


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
@pytest.mark.parametrize(
    "command", ["explain", "evaluate", "explore", "compare", "network", "models"]
)
@pytest.mark.usefixtures("loaded_once")
def test_a_console_that_cannot_print_a_name_is_no_failure(tmp_path, console, encoding, command):
    image = tmp_path / "猫 \N{CAT FACE}.jpg"
    shutil.copy(CAT, image)
    given = {
        "explain": [image, "--out", tmp_path / "猫", *FAST],
        "evaluate": [image, "--out", tmp_path / "猫.csv", *FAST],
        "compare": [
            image,
            "--explainers",
            "raw_attention",
            "random_order",
            *SMALL,
            "--steps",
            "2",
            "--out",
            tmp_path / "猫",
        ],
        "explore": [image, *SMALL, "--steps", "0", "--out", tmp_path / "猫.html"],
        "network": [image, "--out", tmp_path / "猫.graphml", *SMALL],
        "models": [],
    }
    printed, errors = console(encoding)
    assert main([command, *map(str, given[command])]) == 0, errors.getvalue()
    if command != "models":
        assert b"\\u732b" in printed.getvalue()


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
@pytest.mark.parametrize("page", [["--help"], ["explain", "--help"], ["explain", "--猫"]])
def test_a_process_on_a_narrow_console_ends_without_a_traceback(encoding, page):
    environment = {**os.environ, "PYTHONIOENCODING": encoding}
    call = [sys.executable, "-m", "multiplex_vit", *page]
    shown = subprocess.run(call, capture_output=True, env=environment, check=False)
    assert shown.returncode in (0, 2)
    assert b"Traceback" not in shown.stderr


# --- names of results ----------------------------------------------------------------------------------


@pytest.mark.parametrize("stem", [*STEMS, *RESERVED])
def test_results_have_names_that_every_system_takes(stem):
    (name,) = output_stems([f"{stem}.png"])
    assert name
    assert name[0] not in ".-~ "
    assert name[-1] not in ". "
    assert not re.search(r'[\x00-\x1f<>:"/\\|?*\ud800-\udfff]', name)
    assert name.split(".")[0].strip().upper() not in (
        "CON",
        "PRN",
        "AUX",
        "NUL",
        "COM1",
        "LPT9",
        "COM¹",
    )
    assert len(f"{name}-99_summary.png".encode()) < 200


def test_results_of_different_images_never_share_a_name():
    paths = [
        f"{stem}.png"
        for stem in (
            *STEMS,
            *RESERVED,
            "cat",
            "Cat",
            "CAT-2",
            "cat-2",
            "é",
            "e\N{COMBINING ACUTE ACCENT}",
        )
    ] * 2
    names = output_stems(paths)
    assert len({name.casefold() for name in names}) == len(paths)
    assert output_stems(["a/cat.jpg", "b/dog.png"]) == ["cat", "dog"]


def test_an_image_of_dots_leaves_files_that_are_seen(tmp_path, capsys):
    shutil.copy(CAT, tmp_path / "...")
    assert main(["explain", str(tmp_path / "..."), "--out", str(tmp_path / "o"), *FAST]) == 0
    capsys.readouterr()
    names = sorted(file.name for file in (tmp_path / "o").iterdir())
    assert names == [
        "__.npz",
        "___overlay.png",
        "___summary.pdf",
        "___summary.png",
        "explanations.csv",
    ]


# --- tables that are gone on with ----------------------------------------------------------------------


@pytest.mark.slow
def test_a_second_explain_keeps_earlier_rows_as_they_were(tmp_path, capsys, monkeypatch):
    names = [name for name in NAMES if "/" not in name]
    for name in ("None", "01", "1e5", "=1+1", names[-1]):
        shutil.copy(CAT, tmp_path / name)
    out = tmp_path / "o"
    monkeypatch.chdir(tmp_path)
    assert main(["explain", "None", "01", "=1+1", "--out", str(out), *FAST]) == 0
    before = (out / "explanations.csv").read_text().splitlines()
    assert main(["explain", "1e5", names[-1], "--out", str(out), *FAST]) == 0
    after = (out / "explanations.csv").read_text().splitlines()
    assert after[: len(before)] == before
    assert main(["explain", "01", "--out", str(out), *FAST]) == 0
    capsys.readouterr()
    table = read_table(out / "explanations.csv")
    assert sorted(table["image"]) == sorted(["None", "01", "=1+1", "1e5", names[-1]])


# --- folders and columns -------------------------------------------------------------------------------


def pictures(folder, *names):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (8, 8)).save(folder / name)
    return folder


def test_a_stray_picture_does_not_hide_class_folders(tmp_path):
    folder = pictures(tmp_path, "cat/1.png", "dog/2.png", "dog/3.png", "stray.png")
    with pytest.raises(
        mv.InputError, match="holds 1 pictures beside 3 pictures in folders; move one"
    ):
        mv.images(folder)
    (folder / "stray.png").unlink()
    assert len(mv.images(folder)) == 3
    pd.DataFrame({"img": [b""]}).to_parquet(folder / "a.parquet")
    with pytest.raises(mv.InputError, match="1 Parquet files beside 3 pictures in folders"):
        mv.images(folder)


@pytest.mark.slow
def test_compare_takes_class_folders_and_refuses_a_mixture(tmp_path, capsys):
    folder = pictures(tmp_path / "in", "cat/1.png", "dog/2.png")
    options = [
        *SMALL,
        "--explainers",
        "random_order",
        "raw_attention",
        "--steps",
        "2",
        "--out",
        str(tmp_path / "o"),
    ]
    assert main(["compare", str(folder), *options]) == 0
    assert read_table(tmp_path / "o" / "report" / "scores.csv")["image"].nunique() == 2
    pictures(folder, "stray.png")
    assert main(["compare", str(folder), *options]) == 2
    assert "beside 2 pictures in folders" in capsys.readouterr().err


@pytest.mark.parametrize("header", ["label", "Label", "LABEL", " label", "label ", "\ufefflabel"])
def test_labels_are_read_under_any_spelling_of_their_header(tmp_path, header):
    pictures(tmp_path, "1.png", "2.png")
    file = "File" if header == "Label" else "file"
    order = (header, file) if header.startswith("\ufeff") else (file, header)
    rows = [
        dict(zip((file, header), row, strict=True)) for row in (("1.png", "None"), ("2.png", "01"))
    ]
    lines = [",".join(order), *(",".join(row[name] for name in order) for row in rows)]
    (tmp_path / "a.csv").write_text("\n".join(lines), encoding="utf-8")
    assert [mv.images(tmp_path / "a.csv").sample(i).label for i in range(2)] == ["None", "01"]


@pytest.mark.parametrize(
    "header", ["labels", "class", "lable", "category", "Target", "class_label"]
)
def test_a_column_that_is_not_read_as_labels_is_told(tmp_path, header):
    pictures(tmp_path, "1.png")
    (tmp_path / "a.csv").write_text(f"file,{header}\n1.png,cat\n")
    with pytest.warns(
        UserWarning, match=f"no column 'label'; '{header}' is not read: name it 'label'"
    ):
        assert mv.images(tmp_path / "a.csv").sample(0).label is None


def test_two_columns_of_one_name_are_refused(tmp_path):
    pictures(tmp_path, "1.png")
    (tmp_path / "a.csv").write_text("file,Label,LABEL\n1.png,cat,dog\n")
    with pytest.raises(mv.InputError, match="has the columns 'Label', 'LABEL'; keep one"):
        mv.images(tmp_path / "a.csv")
