"""Files of arrays: declared types, shapes and ranges are checked before and after decompressing."""

import tracemalloc
import zipfile

import numpy as np
import pytest
from hostile import refused
from mutations import arrays_of, damaged_files, repacked, wrong_arrays

from multiplex_vit.reading import Field, opened_archive

FIELDS = {
    "shares": Field("float32", ("row", "col"), low=0, high=1),
    "any": Field("float32", ("row",)),
    "kept": Field("bool", ("row", 3)),
    "perhaps": Field("uint8", ("col",), optional=True),
}
WHOLE = {
    "facts": np.array("{}"),
    "shares": np.linspace(0, 1, 8, dtype=np.float32).reshape(2, 4),
    "any": np.array([-5, 5], dtype=np.float32),
    "kept": np.array([[True, False, True], [False, False, True]]),
    "perhaps": np.arange(4, dtype=np.uint8),
}


def read(path, fields=FIELDS, sizes=None):
    with opened_archive(path, what="a saved thing", give="another") as archive:
        return archive.facts(), archive.arrays(fields, sizes)


@pytest.fixture
def path(tmp_path):
    np.savez_compressed(tmp_path / "whole.npz", **WHOLE)
    return tmp_path / "whole.npz"


def test_a_whole_file_comes_back(path):
    facts, arrays = read(path)
    assert facts == {}
    assert set(arrays) == set(FIELDS)
    for name, array in arrays.items():
        assert array.dtype == WHOLE[name].dtype
        assert np.array_equal(array, WHOLE[name])


def test_columns_first_are_the_same_values(path):
    np.savez(path, **{**WHOLE, "shares": np.asfortranarray(WHOLE["shares"])})
    assert np.array_equal(read(path)[1]["shares"], WHOLE["shares"])


def test_an_array_may_be_missing_only_where_it_is_said(path):
    for name in WHOLE:
        np.savez(path, **{key: array for key, array in WHOLE.items() if key != name})
        if name == "perhaps":
            assert "perhaps" not in read(path)[1]
            continue
        with refused(f"{name} is missing"):
            read(path)


def test_every_array_changed_in_every_way_is_refused(path):
    count = 0
    for name in FIELDS:
        for damage, array in wrong_arrays(name, WHOLE[name]):
            np.savez(path, **{**WHOLE, name: array})
            # An axis that no other array has may have any size.
            sizes = {"row": 2, "col": 4}
            with refused("is not a saved thing, or is damaged"):
                read(path, sizes=sizes)
                pytest.fail(damage)
            count += 1
    assert count > 60


def test_values_out_of_range(path):
    for value in (-0.1, 1.1, 7):
        np.savez(path, **{**WHOLE, "shares": np.full((2, 4), value, dtype=np.float32)})
        with refused("expected numbers from 0 to 1"):
            read(path)


def test_axes_of_one_name_have_one_size(path):
    np.savez(path, **{**WHOLE, "any": np.zeros(3, dtype=np.float32)})
    with refused(r"any is float32 \[3\]; expected float32 \[2\]"):
        read(path)


def test_every_damaged_file_is_refused(path):
    good = arrays_of(path)
    for damage, content in damaged_files(path):
        path.write_bytes(content)
        if damage.startswith("flipped"):
            # A flipped bit may lie where nothing depends on it, but never changes a value.
            try:
                _, arrays = read(path)
            except ValueError:
                continue
            assert all(np.array_equal(array, good[name]) for name, array in arrays.items())
            continue
        with refused("is not a saved thing, or is damaged"):
            read(path)
            pytest.fail(damage)


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("name", ["shares.npy", "text.txt", "../shares.npy", "other.npy"])
def test_members_that_do_not_belong_there(path, name):
    with zipfile.ZipFile(path, "a") as file:
        file.writestr(name, b"hello")
    with refused("is no array of NumPy's|is unknown"):
        read(path)


def test_a_small_file_cannot_fill_the_memory(path):
    zeros = np.zeros((2, 40_000_000), dtype=np.float32)
    path.write_bytes(repacked({**WHOLE, "shares": zeros}, {}))
    assert path.stat().st_size < 1_000_000
    tracemalloc.start()
    with refused(r"shares is float32 \[2, 40000000\]; expected float32 \[2, 4\]"):
        read(path, sizes={"row": 2, "col": 4})
    assert tracemalloc.get_traced_memory()[1] < 10_000_000
    tracemalloc.stop()


def test_other_ways_of_packing_are_refused(path):
    for packed in (zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
        with zipfile.ZipFile(path, "w", packed) as file:
            file.writestr("shares.npy", b"hello")
        with refused("is no array of NumPy's"):
            read(path)
