"""compare at the command line: a study of many explainers and its report."""

import pytest
from small import with_small_model

import multiplex_vit as mv
from multiplex_vit.cli import main
from multiplex_vit.cli.compare import at_budget

MANY_TOKENS = 196


def run(capsys, *args):
    code = main(with_small_model(args))
    out, err = capsys.readouterr()
    return code, out, err


@pytest.mark.slow
def test_compare_at_the_command_line(tmp_path, capsys):
    photos = tmp_path / "photos"
    photos.mkdir()
    for name in ("cat", "horse"):
        (photos / f"{name}.JPG").write_bytes(mv.samples()[name].read_bytes())
    (photos / "notes.txt").write_text("no image")
    given = ["compare", photos, "--explainers", "mutex,rise_tokens", "random_order"]
    given += ["--budget", "5,9", "--steps", "4", "--out", tmp_path / "out"]
    protocols = ["--protocol", "token,patch/zero"]
    code, out, err = run(capsys, *given, *protocols, "--against", "random_order")
    assert (code, err) == (0, "")
    assert "minus random_order" in out
    assert "patch/zero: insertion - deletion" in out
    study = mv.Study.open(tmp_path / "out")
    budgets = {f"{name}(budget={n})" for name in ("mutex", "rise_tokens") for n in (5, 9)}
    assert set(map(str, study.explainers)) == {*budgets, "random_order"}
    assert study.scores()["image"].nunique() == 2
    assert "(gallery.png)" in (tmp_path / "out" / "report" / "report.md").read_text()
    passes = study.all_passes().run
    code, _, err = run(capsys, *given, *protocols)
    assert (code, err) == (0, "")
    assert mv.Study.open(tmp_path / "out").all_passes().run == passes, "all was there already"


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["missing.jpg"], "no such image: missing.jpg"),
        (["--explainers", "nonsense"], "unknown explainer 'nonsense'"),
        (["--budget", "many"], "budget is 'many'"),
        (["--budget", "55,1"], "budget is 1"),
        (["--protocol", "patch/white"], "unknown baseline 'white'"),
        (["--protocol", "pach"], "unknown protocol 'pach'"),
        (["--protocol", ","], "give at least one, each once"),
        (["--steps", "0"], "steps is 0"),
        (["--label", "lion"], "label 'lion' is no class"),
        (["--model", "no-such-model"], "cannot load no-such-model"),
        (
            ["--explainers", "mutex", "--against", "communities"],
            "--against communities is none of the explainers compared (mutex, random_order)",
        ),
        (["."], "holds no image"),
    ],
    ids=" ".join,
)
def test_bad_input_is_one_line_and_exit_code_2(args, message, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    code, _, err = run(capsys, "compare", *args)
    assert code == 2
    assert message in err
    assert len(err.splitlines()) == 1
    assert not list(tmp_path.iterdir()), "nothing is half written"


def test_a_file_in_place_of_the_folder_is_refused(tmp_path, capsys):
    (tmp_path / "file").write_text("mine")
    code, _, err = run(capsys, "compare", "--out", tmp_path / "file")
    assert code == 2
    assert "it is a file" in err
    assert (tmp_path / "file").read_text() == "mine"


def test_a_budget_is_given_to_those_whose_passes_depend_on_it():
    def at(name, budget):
        return str(at_budget(mv.EXPLAINERS[name], budget, MANY_TOKENS, 12))

    assert [at("mutex", budget) for budget in (20, 55, 70)] == [
        "mutex(budget=20)",
        "mutex",
        "mutex",
    ]
    assert at("rise_tokens", 70) == "rise_tokens(budget=70)"
    assert at("occlusion", 70) == "occlusion"
    assert at("raw_attention", 70) == "raw_attention"
    assert at("tis(budget=9)", 70) == "tis(budget=9)"
