import csv
import io
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from awkward import NAMES, UNENCODABLE

import multiplex_vit
from multiplex_vit.errors import InputError
from multiplex_vit.tabular import plain_cell, read_table, text_of, unicode_text, write_table

ROOT = Path(multiplex_vit.__file__).parent


@pytest.mark.parametrize("name", [*NAMES, ""])
def test_a_name_comes_back_as_it_was(tmp_path, name):
    table = pd.DataFrame({"name": [name, "other"], "value": [-0.5, 1.0]})
    write_table(table, tmp_path / "a.csv")
    found = read_table(tmp_path / "a.csv", numbers=["value"])
    assert found["name"].tolist() == [name, "other"]
    assert found["value"].tolist() == [-0.5, 1.0]
    assert text_of(plain_cell(name)) == name


def test_all_names_come_back_together_and_twice(tmp_path):
    table = pd.DataFrame({"name": NAMES, "again": NAMES[::-1], "value": range(len(NAMES))})
    for _ in range(2):
        write_table(table, tmp_path / "a.csv")
        read = read_table(tmp_path / "a.csv", numbers=["value"])
        pd.testing.assert_frame_equal(read, table, check_dtype=False)
        table = read


def test_no_cell_begins_as_a_formula(tmp_path):
    write_table(pd.DataFrame({"name": NAMES, "value": -1.5}), tmp_path / "a.csv")
    text = (tmp_path / "a.csv").read_bytes().decode()
    rows = list(csv.reader(io.StringIO(text, newline="")))
    assert len(rows) == len(NAMES) + 1
    for name, value in rows[1:]:
        assert not name.startswith(("=", "+", "-", "@", "\t", "\r"))
        assert value == "-1.5", "a negative number stays one"


def test_names_of_columns_are_names_too(tmp_path):
    table = pd.DataFrame([range(len(NAMES))], columns=list(NAMES))
    write_table(table, tmp_path / "a.csv")
    found = read_table(tmp_path / "a.csv", numbers=NAMES)
    assert list(found) == list(NAMES)
    assert found.iloc[0].tolist() == list(range(len(NAMES)))


def test_rows_are_written_behind_others(tmp_path):
    for i, name in enumerate(NAMES):
        write_table(pd.DataFrame({"name": [name], "number": [i]}), tmp_path / "a.csv", go_on=i > 0)
    found = read_table(tmp_path / "a.csv", numbers=["number"])
    assert found["name"].tolist() == list(NAMES)
    assert found["number"].tolist() == list(range(len(NAMES)))


def test_numbers_come_back_to_the_last_bit(tmp_path):
    values = np.random.default_rng(0).random(200) * 10.0 ** np.arange(-100, 100)
    whole = [2**60 + 1, -3] * 100
    table = pd.DataFrame(
        {"value": values, "whole": whole, "budget": pd.array([55, None] * 100, dtype="Int64")}
    )
    write_table(table, tmp_path / "a.csv")
    found = read_table(tmp_path / "a.csv", numbers=["value", "whole", "budget"])
    assert np.array_equal(found["value"], values)
    assert found["whole"].tolist() == whole
    assert found["budget"].dtype == "Int64"
    assert found["budget"].tolist() == [55, pd.NA] * 100
    write_table(table, tmp_path / "a.csv", digits=3)
    short = read_table(tmp_path / "a.csv", numbers=["value"])["value"]
    assert short.to_numpy() == pytest.approx(values, rel=5e-3)


def test_what_is_missing_is_an_empty_cell(tmp_path):
    table = pd.DataFrame({"name": ["a", None, pd.NA], "value": [1.0, np.nan, 2.0]})
    write_table(table, tmp_path / "a.csv")
    assert (tmp_path / "a.csv").read_text() == "name,value\na,1.0\n,\n,2.0\n"


def test_text_where_numbers_are_wanted(tmp_path):
    (tmp_path / "a.csv").write_text("name,value\na,b\n")
    with pytest.raises(
        InputError, match="value holds text where numbers are expected; give a table"
    ):
        read_table(tmp_path / "a.csv", numbers={"value": "float64"}, give="a table")
    (tmp_path / "a.csv").write_text("name,value\na,0.5\n")
    with pytest.raises(InputError, match="value holds text where numbers are expected"):
        read_table(tmp_path / "a.csv", numbers={"value": "Int64"})
    (tmp_path / "a.csv").write_text("")
    with pytest.raises(InputError, match="cannot read"):
        read_table(tmp_path / "a.csv")


@pytest.mark.parametrize("name", [*UNENCODABLE, "a\0b"])
def test_what_no_table_can_hold_is_a_code_that_stays(tmp_path, name):
    table = pd.DataFrame({"name": pd.Series([name], dtype=object), "value": [1]})
    for _ in range(2):
        write_table(table, tmp_path / "a.csv")
        table = read_table(tmp_path / "a.csv", numbers=["value"])
        assert table["name"].tolist() == [unicode_text(name)]
    unicode_text(name).encode("utf-8")


def test_cells_tell_texts_apart():
    assert len({plain_cell(name) for name in NAMES}) == len(NAMES)


def test_the_package_writes_and_reads_csv_here_alone():
    for path in ROOT.rglob("*.py"):
        if path.name != "tabular.py":
            assert not re.search(r"read_csv|to_csv|csv\.(reader|writer|Dict)", path.read_text()), (
                path
            )
