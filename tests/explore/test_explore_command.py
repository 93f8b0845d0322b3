"""multiplex-vit explore: one page, or one line that says why not."""

import pytest

import multiplex_vit as mv
from multiplex_vit.cli import main

CAT = str(mv.samples()["cat"])


def run(capsys, *args):
    code = main(["explore", "--model", "demo-vit", *map(str, args)])
    out, err = capsys.readouterr()
    return code, out, err


def test_a_page_is_written(tmp_path, capsys):
    out = tmp_path / "new" / "page.html"
    options = ["--label", "dog", "--steps", "2", "--operators", "max", "min"]
    code, text, err = run(capsys, CAT, "--out", out, *options)
    assert (code, err) == (0, "")
    assert text.startswith("Why demo-vit sees dog (p = ")
    page = out.read_text()
    for name in ("max over heads", "min over heads", "head 2", "patch/black, 2 steps"):
        assert name in page


def test_the_page_has_the_name_of_the_image(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run(capsys, CAT, "--steps", "0")[0] == 0
    assert [path.name for path in tmp_path.iterdir()] == ["cat_explorer.html"]


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["--out", "a.png"], "--out is a.png; give a name that ends in .html"),
        (["--steps", "-1"], "steps is -1; give a whole number of at least 0"),
        (["--method", "nonsense"], "nonsense"),
        (["--label", "unicorn", "--steps", "0"], "unicorn"),
        (["--model", "no-such-model"], "no-such-model"),
    ],
)
def test_what_cannot_be_done_is_told_in_one_line(tmp_path, capsys, monkeypatch, options, reason):
    monkeypatch.chdir(tmp_path)
    code, _, err = run(capsys, CAT, *options)
    assert code == 2
    assert reason in err
    assert len(err.splitlines()) == 1
    assert not any(tmp_path.iterdir())


def test_the_image_is_not_overwritten(tmp_path, capsys):
    image = tmp_path / "a.html"
    image.write_bytes(mv.samples()["cat"].read_bytes())
    code, _, err = run(capsys, image, "--out", image)
    assert code == 2
    assert "which is read" in err
