"""Parts of a study: each says what it is, and damage of any kind is told, set aside and mended."""

import json
import shutil
import warnings

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from small import PHOTOS

import multiplex_vit as mv
from multiplex_vit.cli import main
from multiplex_vit.errors import InputError
from multiplex_vit.study.layout import UnitId
from multiplex_vit.study.manifest import write_record
from multiplex_vit.study.parts import Seal, checksum, read_part, sealed
from multiplex_vit.study.schema import SCHEMAS

FEW = mv.EXPLAINERS["mutex"].at(operators=("sum",), statistics=("max", "min"))
SAVE = ("masks", "layers", "multilayer")
OF_CHUNKS = ("images", "views", "layers", "multilayer")
TABLES = ("scores", "curves", "heatmaps", "costs", "failures", "masks", "work", *OF_CHUNKS)


def part(table, chunk=1):
    """Return the name of a part: of the first group of explainers, where groups have parts."""
    of_chunk = f"chunk-{chunk:06d}"
    return f"{of_chunk}.parquet" if table in OF_CHUNKS else f"group-000-{of_chunk}.parquet"


def study(out, **changes):
    options = {"explainers": FEW, "steps": 2, "chunk": 1, "device": "cpu", "save": SAVE, **changes}
    return mv.Study(**{"images": PHOTOS, "out": out, "model": "demo-vit", **options})


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    return study(tmp_path_factory.mktemp("parts") / "done").run()


@pytest.fixture(scope="module")
def other(tmp_path_factory):
    return study(tmp_path_factory.mktemp("parts") / "other", seed=1).run()


def another_unit(path, done, other):
    shutil.copy(path.with_name(part(path.parent.name, 0)), path)


def another_table(path, done, other):
    name = "costs" if path.name.startswith("group") else "images"
    name = {"costs": "scores", "images": "views"}[name] if path.parent.name == name else name
    shutil.copy(done.out / name / path.name, path)


def another_study(path, done, other):
    shutil.copy(other.out / path.parent.name / path.name, path)


def no_columns(path, done, other):
    table = pq.read_table(path)
    pq.write_table(table.select([]), path)


def no_seal(path, done, other):
    pq.write_table(pq.read_table(path).replace_schema_metadata(None), path)


def a_row_less(path, done, other):
    table = pq.read_table(path)
    less = table.slice(1) if table.num_rows else table.drop_columns(table.column_names[:1])
    pq.write_table(less, path)


def truncated(path, done, other):
    path.write_bytes(path.read_bytes()[:-20])


def empty(path, done, other):
    path.write_bytes(b"")


def a_folder(path, done, other):
    path.unlink()
    path.mkdir()


def a_flipped_page(path, done, other):
    content = bytearray(path.read_bytes())
    footer = int.from_bytes(content[-8:-4], "little")
    pages = len(content) - 8 - footer
    # Pages of a part without rows hold nothing, so that the length of its footer is flipped. Of the
    # others every 40th byte is, since some bytes of headers mean nothing.
    has_rows = pq.read_metadata(path).num_rows > 0
    places = range(pages // 4, pages, 40) if has_rows else range(len(content) - 8, len(content))
    for place in places:
        content[place] ^= 0xFF
    path.write_bytes(bytes(content))


DAMAGES = (
    another_unit,
    another_table,
    another_study,
    no_columns,
    no_seal,
    a_row_less,
    truncated,
    empty,
    a_folder,
    a_flipped_page,
)


@pytest.mark.slow
@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
@pytest.mark.parametrize("table", TABLES)
def test_a_damaged_part_is_told_on_reading(tmp_path, done, other, table, damage):
    out = tmp_path / "study"
    shutil.copytree(done.out, out)
    damage(out / table / part(table), done, other)
    opened = mv.Study.open(out)
    with pytest.raises(
        InputError, match=rf"{table}/{part(table)} is damaged \(.+\); run the study again"
    ) as told:
        opened.store.read(table)
    assert "\n" not in str(told.value)


@pytest.mark.slow
@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
def test_damaged_parts_are_set_aside_and_run_again(tmp_path, done, other, damage):
    out = tmp_path / "study"
    shutil.copytree(done.out, out)
    damaged = {}
    for table in ("scores", "masks", "failures", "images"):
        path = out / table / part(table)
        damage(path, done, other)
        damaged[f"{table}-{part(table)}.damaged"] = path.read_bytes() if path.is_file() else None
    with pytest.warns(
        UserWarning, match="damaged parts are set aside and computed again: .* and 1 others"
    ):
        found = study(out).run()
    kept = {
        path.name: path.read_bytes() if path.is_file() else None
        for path in (out / "damaged").iterdir()
    }
    assert kept == damaged
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found.run()
    for table in TABLES:
        ours, theirs = found.store.read(table), done.store.read(table)
        drop = ["seconds"] if table in ("costs", "work") else []
        pd.testing.assert_frame_equal(ours.drop(columns=drop), theirs.drop(columns=drop), rtol=1e-4)


def test_damage_a_second_time_keeps_both(tmp_path, done):
    out = tmp_path / "study"
    shutil.copytree(done.out, out)
    for content in (b"one", b"two"):
        (out / "scores" / part("scores", 2)).write_bytes(content)
        with pytest.warns(UserWarning, match="set aside"):
            study(out).run()
    assert {path.read_bytes() for path in (out / "damaged").iterdir()} == {b"one", b"two"}


@pytest.mark.slow
@pytest.mark.parametrize("table", ["scores", "heatmaps", "failures"])
def test_wherever_a_bit_flips_the_content_is_right_or_refused(tmp_path, done, table):
    schema = SCHEMAS[table]
    rows = done.store.arrow(table, {UnitId(0, 0)})
    seal, path = Seal("a study", "unit", table), tmp_path / "part.parquet"
    pq.write_table(sealed(rows, seal), path, compression="zstd")
    whole, refused = path.read_bytes(), 0
    places = np.random.default_rng(0).permutation(len(whole))[:400]
    for place in places:
        content = bytearray(whole)
        content[place] ^= 1 << (place % 8)
        path.write_bytes(bytes(content))
        try:
            assert checksum(read_part(path, seal, schema)) == checksum(rows)
        except InputError:
            refused += 1
    assert refused > 20


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text[:-10],
        lambda text: text.replace('"seed": 0', '"seed": 1'),
        lambda text: "",
        lambda text: "[]",
        lambda text: "{}",
    ],
)
def test_a_manifest_that_was_changed_is_refused_everywhere(tmp_path, done, change, capsys):
    out = tmp_path / "study"
    shutil.copytree(done.out, out)
    manifest = out / "manifest.json"
    manifest.write_text(change(manifest.read_text()))
    before = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
    for work in (lambda: mv.Study.open(out), lambda: study(out).run()):
        with pytest.raises(InputError, match=r"manifest\.json"):
            work()
    for command in (["ablate", out], ["report", out], ["study", PHOTOS[0].parent, "--out", out]):
        assert main(list(map(str, command))) == 2
        err = capsys.readouterr().err
        assert len(err.splitlines()) == 1
        assert "please report" not in err
    assert {path: path.read_bytes() for path in out.rglob("*") if path.is_file()} == before


def test_the_manifest_of_another_study_does_not_make_its_parts_ours(tmp_path, done, other):
    out = tmp_path / "study"
    shutil.copytree(done.out, out)
    shutil.copy(other.out / "manifest.json", out / "manifest.json")
    with pytest.raises(InputError, match="it is of another study"):
        mv.Study.open(out).scores()


def test_versions_and_origin_are_no_part_of_what_makes_a_study_the_same(tmp_path, done):
    out = tmp_path / "study"
    shutil.copytree(done.out, out)
    manifest = json.loads((out / "manifest.json").read_text())
    manifest.pop("checksum")
    write_record(out, {**manifest, "versions": {"python": "9"}, "origin": None})
    assert len(mv.Study.open(out).scores()) == len(done.scores())


def nothing_readable(folder):
    (folder / "a.jpg").write_text("no image")
    (folder / "b.png").write_bytes(b"")


def test_a_study_of_which_no_image_can_be_explained_leaves_nothing(tmp_path, capsys):
    folder = tmp_path / "photos"
    folder.mkdir()
    nothing_readable(folder)
    with pytest.raises(
        InputError, match="no image of 2 could be explained; the first, a.jpg: .*known format"
    ):
        study(tmp_path / "out", images=folder).run()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["photos"]
    assert main(["study", str(folder), "--out", str(tmp_path / "out"), "--device", "cpu"]) == 2
    out, err = capsys.readouterr()
    assert out.count("multiplex-vit: ") == 2
    assert len(err.splitlines()) == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["photos"]


@pytest.mark.slow
def test_failures_before_the_first_success_are_kept_with_it(tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    nothing_readable(folder)
    (folder / "z.jpg").write_bytes(PHOTOS[0].read_bytes())
    found = study(tmp_path / "out", images=folder).run()
    assert found.failures()["name"].tolist() == ["a.jpg", "b.png"]
    assert {unit.chunk for unit in found.store.done()} == {0, 1, 2}


@pytest.mark.slow
@pytest.mark.parametrize(
    "scheduler", ["nonsense", "tcp://127.0.0.1:1", "tcp://nowhere.invalid:8786"]
)
def test_a_scheduler_that_does_not_answer_leaves_nothing(tmp_path, scheduler, monkeypatch, capsys):
    pytest.importorskip("distributed")
    monkeypatch.setattr("multiplex_vit.study.run.dask.PATIENCE", 1.0)
    code = main(
        [
            "study",
            str(PHOTOS[0].parent),
            "--out",
            str(tmp_path / "new" / "out"),
            "--scheduler",
            scheduler,
        ]
    )
    err = capsys.readouterr().err
    assert code == 2
    assert len(err.splitlines()) == 1
    assert "no Dask scheduler answers" in err
    assert not list(tmp_path.iterdir())
