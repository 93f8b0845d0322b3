"""The command line as a user meets it: what it writes, what it says, how it ends."""

import csv
import subprocess
import sys

import networkx as nx
import numpy as np
import pytest
from PIL import Image
from small import with_small_model

import multiplex_vit as mv
from multiplex_vit.cli import main

FAST = ["--statistics", "max", "min", "--operators", "sum", "--steps", "4"]
CAT = str(mv.samples()["cat"])


def run(capsys, *args):
    code = main(with_small_model(args))
    out, err = capsys.readouterr()
    return code, out, err


def rows(path):
    with path.open() as file:
        return list(csv.DictReader(file))


@pytest.mark.slow
def test_explain_without_an_image_does_the_whole_job(tmp_path, capsys):
    assert main(["explain", "--out", str(tmp_path)]) == 0
    out = capsys.readouterr().out
    assert {p.name for p in tmp_path.iterdir()} == {
        "deer_overlay.png",
        "deer_summary.png",
        "deer_summary.pdf",
        "deer.npz",
        "explanations.csv",
    }
    row = rows(tmp_path / "explanations.csv")[0]
    explanation = mv.Explanation.load(tmp_path / "deer.npz")
    assert explanation.settings == mv.Settings()
    assert explanation.model == "demo-photo"
    assert (row["label_name"], int(row["masks"])) == ("deer", 54)
    assert float(row["insertion"]) > float(row["deletion"])
    assert explanation.label_name in out
    assert min(Image.open(tmp_path / "deer_overlay.png").size) > 300


@pytest.mark.slow
def test_explain_several_images_with_a_bad_one(tmp_path, capsys):
    (tmp_path / "bad.jpg").write_text("no image")
    (tmp_path / "cat.jpg").write_bytes(mv.samples()["cat"].read_bytes())
    code, out, err = run(
        capsys,
        "explain",
        CAT,
        tmp_path / "bad.jpg",
        tmp_path / "cat.jpg",
        tmp_path / "no.jpg",
        "--out",
        tmp_path / "out",
        *FAST,
    )
    assert code == 1
    assert "2 explained" in out
    assert len(err.splitlines()) == 2
    assert "bad.jpg is not an image" in err.splitlines()[0]
    assert "no such image" in err.splitlines()[1]
    assert {p.name for p in (tmp_path / "out").glob("*.npz")} == {"cat.npz", "cat-2.npz"}
    assert len(rows(tmp_path / "out" / "explanations.csv")) == 2


@pytest.mark.slow
def test_options_reach_the_explanation(tmp_path, capsys):
    options = [
        "--label",
        "dog",
        "--min-cut",
        "0.2",
        "--token-ratio",
        "0.25",
        "--starting-layer",
        "2",
        "--batch-size",
        "3",
        "--model",
        "demo-deit",
    ]
    code, _, _ = run(capsys, "explain", CAT, "--out", tmp_path, *options, *FAST)
    assert code == 0
    explanation = mv.Explanation.load(tmp_path / "cat.npz")
    assert (explanation.label_name, explanation.model) == ("dog", "demo-deit")
    wanted = {
        "min_cut": 0.2,
        "token_ratio": 0.25,
        "starting_layer": 2,
        "operators": ("sum",),
        "statistics": ("max", "min"),
    }
    assert explanation.settings == mv.Settings(**wanted)


@pytest.mark.slow
def test_a_method_and_what_changes_it_reach_the_explanation(tmp_path, capsys):
    assert (
        run(
            capsys,
            "explain",
            CAT,
            "--out",
            tmp_path,
            "--method",
            "communities",
            "--budget",
            "20",
            "--seed",
            "3",
            "--steps",
            "4",
        )[0]
        == 0
    )
    expected = mv.EXPLAINERS["communities"].settings.at(budget=20, seed=3)
    assert mv.Explanation.load(tmp_path / "cat.npz").settings == expected
    assert int(rows(tmp_path / "explanations.csv")[0]["forward_passes"]) == 20
    assert (
        run(
            capsys,
            "explain",
            CAT,
            "--out",
            tmp_path,
            "--design",
            "random",
            "--estimator",
            "contrast",
            *FAST,
        )[0]
        == 0
    )
    settings = mv.Explanation.load(tmp_path / "cat.npz").settings
    assert (settings.design, settings.estimator, settings.statistics) == (
        "random",
        "contrast",
        ("max", "min"),
    )


def test_every_setting_is_an_option_described_in_the_help(capsys):
    with pytest.raises(SystemExit):
        main(["explain", "--help"])
    text = " ".join(capsys.readouterr().out.split())
    for name in mv.Settings().choices():
        assert f"--{name.replace('_', '-')} " in text
    assert "Share of the patch tokens that a mask removes. Default: 0.5." in text


@pytest.mark.slow
def test_settings_that_only_some_methods_use_reach_the_explanation(tmp_path, capsys):
    options = [
        "--method",
        "communities",
        "--smoothness",
        "0.5",
        "--resolutions",
        "2",
        "4",
        "--grid-weight",
        "0.25",
        "--prior",
        "direct",
    ]
    assert run(capsys, "explain", CAT, "--out", tmp_path, *options, "--steps", "4")[0] == 0
    changed = {
        "smoothness": 0.5,
        "resolutions": (2.0, 4.0),
        "grid_weight": 0.25,
        "prior": "direct",
    }
    expected = mv.EXPLAINERS["communities"].settings.at(**changed)
    assert mv.Explanation.load(tmp_path / "cat.npz").settings == expected


def test_network_writes_a_graph_that_opens(tmp_path, capsys):
    code, out, _ = run(
        capsys,
        "network",
        CAT,
        "--operator",
        "mean",
        "--min-cut",
        "0.1",
        "--coupling",
        "temporal",
        "--omega",
        "0.5",
        "--preset",
        "full",
        "--out",
        tmp_path / "a" / "net.graphml",
    )
    assert code == 0
    assert "6 layers of 64 nodes" in out
    graph = nx.read_graphml(tmp_path / "a" / "net.graphml")
    assert len(graph) == 6 * 64
    links = [d["weight"] for *_, d in graph.edges(data=True) if d["kind"] == "coupling"]
    assert links == [0.5] * 5 * 64


def test_evaluate_writes_a_table(tmp_path, capsys):
    code, out, _ = run(
        capsys, "evaluate", CAT, "--protocol", "token", "--out", tmp_path / "e.csv", *FAST
    )
    assert code == 0
    assert "token/4 steps: insertion" in out
    assert rows(tmp_path / "e.csv")[0]["protocol"] == "token/4 steps"


def test_models_lists_what_there_is(capsys):
    code, out, _ = run(capsys, "models")
    assert code == 0
    assert "demo-vit" in out
    assert "demo-deit" in out
    assert "Dinov2WithRegistersForImageClassification" in out
    assert all(name in out for name in mv.EXPLAINERS)
    for library, families in mv.models.FAMILIES.items():
        for name, family in families.items():
            [line] = [
                line
                for line in out.splitlines()
                if line.startswith(f"{library}, ") and name in line.partition(": ")[2].split(", ")
            ]
            assert family.needs_head == ("mv.wrap(backbone, head=...)" in line)
            loaded = library in ("transformers", "timm") and not family.needs_head
            assert loaded == ("any checkpoint folder or hub id" in line)


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["explin"], "invalid choice: 'explin' (did you mean 'explain'?); choose from explain, n"),
        (["network", "--edges", "attenton"], "--edges: invalid choice: 'attenton' (did you mean "),
        (["network", "--edges", "x"], "--edges: invalid choice: 'x'; choose from attention, infor"),
    ],
)
def test_choices_say_what_may_have_been_meant(capsys, args, message):
    with pytest.raises(SystemExit, match="2"):
        main(args)
    err = capsys.readouterr().err
    assert message in err
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["explain", "missing.jpg"], "no such image: missing.jpg"),
        (["explain", "--model", "no-such-model"], "cannot load no-such-model"),
        (["explain", "--label", "10"], "label 10 is out of range"),
        (["explain", "--label", "-1"], "label -1 is out of range"),
        (["explain", "--label", "lion"], "label 'lion' is no class of demo-vit"),
        (["explain", "--min-cut", "2"], "min_cut is 2.0; give a number from 0 to 1"),
        (["explain", "--min-cut", "nan"], "min_cut is nan"),
        (["explain", "--token-ratio", "-0.5"], "token_ratio is -0.5"),
        (["explain", "--starting-layer", "6"], "starting_layer is 6; demo-vit has layers 0 to 5"),
        (["explain", "--starting-layer", "-1"], "starting_layer is -1"),
        (["explain", "--budget", "1"], "budget is 1; give a whole number of at least 2"),
        (["explain", "--seed", "-1"], "seed is -1"),
        (["explain", "--batch-size", "none"], "batch_size is 'none'"),
        (["explain", "--steps", "0"], "steps is 0"),
        (["explain", "--label", "²"], "label '²' is no class"),
        (["explain", "--device", "meta"], "device 'meta' cannot be used here"),
        (["explain", "--batch-size", "-3"], "batch_size is -3"),
        (["explain", "a" * 300 + ".jpg"], "is no usable file name"),
        (["evaluate", "--out", "."], "cannot write .: it is a folder"),
        (["explain", "--device", "tpu9"], "device 'tpu9' cannot be used here"),
        (["explain", "--dtype", "int4"], "unknown dtype 'int4'"),
        (["explain", "--method", "mutex(min_cut=nan)"], "min_cut of mutex is nan, which is no"),
        (["compare", "--explainers", "mutex(min_cut=nan)"], "min_cut of mutex is nan, which"),
        (["explain", "--protocol", "mutex2025/zero"], "mutex2025 has no baseline 'zero'"),
        (["evaluate", "missing.jpg"], "no such image: missing.jpg"),
        (["network", "missing.jpg"], "no such image: missing.jpg"),
        (["network", "--omega", "0"], "omega is 0.0"),
        (["network", "--min-cut", "7"], "min_cut is 7.0"),
        (["network", "--out", "net.xyz"], "unknown format 'xyz'"),
        (["network", "--out", "net"], "unknown format ''"),
    ],
    ids=" ".join,
)
def test_bad_input_is_one_line_and_exit_code_2(args, message, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    code, _, err = run(capsys, *args)
    assert code == 2
    assert message in err
    assert len([line for line in err.splitlines() if not line.startswith("note: ")]) == 1
    assert not list(tmp_path.iterdir()), "nothing is half written"


@pytest.mark.parametrize(
    "args",
    [
        ["explain", "--statistics", "medain"],
        ["explain", "--operators"],
        ["network", "--coupling", "none-such"],
        ["explode"],
        [],
    ],
    ids=" ".join,
)
def test_bad_words_list_the_choices(args, capsys):
    with pytest.raises(SystemExit) as caught:
        main(args)
    assert caught.value.code == 2
    err = capsys.readouterr().err
    assert len(err.splitlines()) == 1
    assert err.startswith("multiplex-vit: ")
    assert "--help" in err


def test_places_that_cannot_be_written(tmp_path, capsys):
    (tmp_path / "file").write_text("mine")
    for args in (
        ["explain", "--out", tmp_path / "file"],
        ["network", "--out", tmp_path / "file" / "net.graphml"],
        ["evaluate", "--out", tmp_path / "file" / "e.csv"],
    ):
        code, _, err = run(capsys, *args)
        assert code == 2
        assert "cannot write into" in err
    assert (tmp_path / "file").read_text() == "mine"


def test_a_full_disk(tmp_path, capsys, monkeypatch):
    import errno

    def full(*args, **kwargs):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(np, "savez_compressed", full)
    code, _, err = run(capsys, "explain", CAT, "--out", tmp_path, *FAST)
    assert code == 2
    assert "No space left on device; choose another place" in err
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_in_a_process_of_its_own():
    done = subprocess.run(
        [sys.executable, "-m", "multiplex_vit", "explain", "missing.jpg"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    helped = subprocess.run(
        ["multiplex-vit", "explain", "--help"], capture_output=True, text=True, check=True
    )
    for name in (*mv.models.OPERATORS, *mv.CENTRALITIES, *mv.STATISTICS):
        assert name in helped.stdout


@pytest.mark.slow
def test_a_second_run_keeps_the_rows_of_the_first(tmp_path, capsys):
    for image in ("cat", "rocket", "cat"):
        assert run(capsys, "explain", mv.samples()[image], "--out", tmp_path, *FAST)[0] == 0
    assert [row["image"].split("/")[-1] for row in rows(tmp_path / "explanations.csv")] == [
        "rocket.jpg",
        "cat.jpg",
    ]


def test_an_unexpected_failure_is_one_line_too(tmp_path, capsys, monkeypatch):
    def fail(*args, **kwargs):
        raise RuntimeError("two\nlines")

    monkeypatch.setattr(mv, "evaluate", fail)
    code, _, err = run(capsys, "explain", CAT, "--out", tmp_path, *FAST)
    assert code == 2
    assert err == "multiplex-vit: unexpected RuntimeError, please report it: two lines\n"


@pytest.mark.slow
def test_odd_file_names(tmp_path, capsys):
    names = ["with space.jpg", "ünï \N{CAT FACE}.jpg", "-dash.jpg", "$math_{.jpg"]
    for name in names:
        (tmp_path / name).write_bytes(mv.samples()["cat"].read_bytes())
    code, _, err = run(
        capsys,
        "explain",
        "--out",
        tmp_path / "out",
        *FAST,
        "--",
        *[tmp_path / name for name in names],
    )
    assert (code, err) == (0, "")
    assert len(list((tmp_path / "out").glob("*.npz"))) == 4


@pytest.mark.parametrize("name", mv.EXPORTERS)
def test_network_writes_every_format_under_its_usual_name(name, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    code, out, _ = run(capsys, "network", CAT, "--format", name, "--min-cut", "0.5")
    assert code == 0
    assert all(
        (tmp_path / file).stat().st_size for file in out.split("written to ")[1].strip().split(", ")
    )
    assert all("." in file for file in out.split("written to ")[1].strip().split(", "))


def test_network_of_one_layer_of_all_and_of_heads(tmp_path, capsys):
    for number, (options, shape) in enumerate(
        {
            ("--layer", "-1"): (1, 64),
            ("--layer", "L03", "--prefix"): (1, 65),
            ("--aggregate", "max"): (1, 64),
            ("--heads", "--layer", "L03H01"): (1, 64),
            ("--heads",): (18, 64),
        }.items()
    ):
        path = tmp_path / f"{number}.graphml"
        assert run(capsys, "network", CAT, *options, "--out", path, "--measures", "none")[0] == 0
        assert mv.Multiplex.read(path).weights.shape[:2] == shape


def test_network_draws_a_backbone_unless_all_is_wanted(tmp_path, capsys):
    edges = []
    for options in ((), ("--preset", "full"), ("--layout", "stack", "--colour", "measure")):
        path = tmp_path / "net.graphml"
        code, out, _ = run(capsys, "network", CAT, *options, "--out", path)
        assert code == 0
        assert ("--preset full writes every edge" in out) == ("full" not in options)
        edges.append(mv.Multiplex.read(path).n_edges)
    assert edges[0] == edges[2] <= 6 * 64 * 3
    assert edges[1] > 10 * edges[0]


def test_network_is_filtered_in_order(tmp_path, capsys):
    path = tmp_path / "net.graphml"
    filters = ("without_loops", "top_k(k=3)")
    code, _, _ = run(
        capsys, "network", CAT, "--filter", *filters, "--preset", "full", "--out", path
    )
    assert code == 0
    found = mv.Multiplex.read(path)
    assert found.provenance["filters"] == "min_cut 0.01; without_loops yes; top_k 3"
    assert np.count_nonzero(found.weights, axis=2).max() == 3
    assert not found.weights.diagonal(axis1=1, axis2=2).any()


def test_network_writes_tables(tmp_path, capsys):
    code, _, _ = run(
        capsys,
        "network",
        CAT,
        "--out",
        tmp_path / "net.graphml",
        "--tables",
        tmp_path / "tables",
        "--measures",
        "all",
    )
    assert code == 0
    assert {file.name for file in (tmp_path / "tables").iterdir()} == {
        "nodes.csv",
        "layers.csv",
        "layer_pairs.csv",
        "multilayer.csv",
    }
    graph = nx.read_graphml(tmp_path / "net.graphml")
    assert set(mv.CENTRALITIES) <= set(graph.nodes["L00:r0c0"])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--layer", "99"), "there is no layer 99"),
        (("--layer", "first"), "there is no layer 'first'"),
        (("--measures", "nonsense"), "unknown centrality 'nonsense'"),
        (("--measures", "katz", "katz"), "--measures holds a name twice"),
        (("--tables", CAT), "it is a file; give a folder"),
        (("--out", "net.net"), "net.net may be infomap or pajek"),
        (("--out", "net.nosuch"), "unknown format 'nosuch'"),
        (("--filter", "topk(k=3)"), "unknown filter 'topk(k=3)' (did you mean 'top_k'?)"),
        (("--filter", "top_k"), "filter top_k was given no number"),
        (("--colour", "red"), "colour is 'red'; give one of 'target', 'measure', 'community'"),
    ],
)
def test_network_refuses(options, message, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    code, _, err = run(capsys, "network", CAT, *options)
    assert code == 2
    assert message in err
    assert len(err.strip().splitlines()) == 1
    assert not list(tmp_path.iterdir())
