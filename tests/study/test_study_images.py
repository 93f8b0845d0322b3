"""Where a study's images come from, and what is said where they do not fit."""

import io

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

import multiplex_vit as mv
from multiplex_vit.errors import InputError
from multiplex_vit.study.sources import Sample


def png(seed):
    written = io.BytesIO()
    Image.fromarray(np.random.default_rng(seed).integers(0, 256, (8, 8, 3), dtype=np.uint8)).save(
        written, "PNG"
    )
    return written.getvalue()


@pytest.fixture
def folder(tmp_path):
    for number in range(4):
        (tmp_path / f"{number}.png").write_bytes(png(number))
    (tmp_path / "notes.txt").write_text("no image")
    return tmp_path


def test_a_folder_gives_its_images_in_order_and_nothing_else(folder):
    found = mv.images(folder)
    assert [sample.name for sample in found] == ["0.png", "1.png", "2.png", "3.png"]
    assert [sample.data for sample in found] == [png(i) for i in range(4)]
    assert found.sample(2) == Sample(2, "2.png", png(2), None)
    assert mv.read_image(found.sample(1).data).size == (8, 8)


def test_class_folders_are_labels(folder):
    for label in ("cat", "dog"):
        (folder / "sorted" / label).mkdir(parents=True)
        (folder / "sorted" / label / "a.JPG").write_bytes(png(0))
    assert [(s.name, s.label) for s in mv.images(folder / "sorted")] == [
        ("cat/a.JPG", "cat"),
        ("dog/a.JPG", "dog"),
    ]


def test_a_csv_names_files_and_labels(folder):
    (folder / "labels.csv").write_text("file,label\n3.png,dog\n0.png,\n")
    assert [(s.name, s.label) for s in mv.images(folder / "labels.csv")] == [
        ("3.png", "dog"),
        ("0.png", None),
    ]


def test_labels_of_a_folder_come_from_a_csv_or_a_mapping(folder):
    pd.DataFrame({"file": [f"{i}.png" for i in range(4)], "label": list("abcd")}).to_csv(
        folder / "labels.csv", index=False
    )
    assert [s.label for s in mv.images(folder, labels=folder / "labels.csv")] == list("abcd")
    assert [s.label for s in mv.images(folder, labels={f"{i}.png": i for i in range(4)})] == [
        0,
        1,
        2,
        3,
    ]


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ("file,label\n0.png,a\n1.png,b\n2.png,c\n", "1 images without a label, such as '3.png'"),
        (
            "file,label\n" + "".join(f"{i}.png,a\n" for i in range(5)),
            "1 labels without an image, such as '4.png'",
        ),
        ("name,label\n0.png,a\n", "columns name, label; file"),
        ("file,label\n0.png,a\n0.png,b\n", "'0.png' twice"),
        ("", "cannot read"),
    ],
)
def test_labels_that_do_not_match_are_told_in_one_line(folder, lines, message):
    (folder / "labels.csv").write_text(lines)
    with pytest.raises(InputError, match=message) as told:
        mv.images(folder, labels=folder / "labels.csv")
    assert "\n" not in str(told.value)


def test_parquet_as_hugging_face_writes_it(tmp_path):
    rows = [{"bytes": png(i), "path": None if i % 2 else f"{i}.png"} for i in range(7)]
    table = pa.table({"img": rows, "label": list(range(7)), "fine": list(range(7, 14))})
    pq.write_table(table.slice(0, 4), tmp_path / "a.parquet", row_group_size=2)
    pq.write_table(table.slice(4), tmp_path / "b.parquet", row_group_size=2)
    found = mv.images(tmp_path)
    assert [s.data for s in found] == [png(i) for i in range(7)]
    assert [s.label for s in found] == list(range(7))
    assert (found.name(0), found.name(1)) == ("000000 0.png", "000001")
    assert [s.label for s in mv.images(tmp_path, labels="fine", index=[6, 0])] == [13, 7]
    assert len(mv.images(tmp_path / "b.parquet")) == 3
    with pytest.raises(InputError, match="no column 'coarse'; columns: img, label, fine"):
        mv.images(tmp_path, labels="coarse")


class Rows(list):
    """What a data set of Hugging Face looks like from outside."""

    column_names = ("image", "label")
    _fingerprint = "abc"


def test_a_data_set_object_is_read_by_number():
    picture = Image.open(io.BytesIO(png(3)))
    found = mv.images(
        Rows(
            [{"image": picture, "label": 5}, {"image": {"bytes": png(4), "path": None}, "label": 6}]
        )
    )
    assert [s.label for s in found] == [5, 6]
    assert (np.asarray(mv.read_image(found.sample(0).data)) == np.asarray(picture)).all()
    assert found.sample(1).data == png(4)


def test_the_published_index_picks_imagenet_files_by_their_number(tmp_path):
    for number in (17739, 9978, 5):
        (tmp_path / f"ILSVRC2012_val_{number + 1:08d}.JPEG").write_bytes(png(0))
    assert [s.name for s in mv.images(tmp_path, index=[17739, 5])] == [
        "ILSVRC2012_val_00017740.JPEG",
        "ILSVRC2012_val_00000006.JPEG",
    ]
    with pytest.raises(
        InputError,
        match="lacks 4998 of the 5000 images of the index, such as ILSVRC2012_val_00021510",
    ):
        mv.images(tmp_path, index="published")


def test_an_index_and_a_limit_choose(folder):
    (folder / "index.txt").write_text("3\n1\n")
    assert [s.name for s in mv.images(folder, index=folder / "index.txt")] == ["3.png", "1.png"]
    assert [s.name for s in mv.images(folder, limit=2)] == ["0.png", "1.png"]
    assert [s.name for s in mv.images(mv.images(folder, index=[2, 0]), index=[1])] == ["0.png"]
    for index, message in (
        ([0, 4], "asks for image 4, but .* has 4 .0 to 3."),
        ([1, 1], "twice"),
        ("nowhere.txt", "cannot read the index"),
    ):
        with pytest.raises(InputError, match=message):
            mv.images(folder, index=index)
    with pytest.raises(InputError, match="limit is 0"):
        mv.images(folder, limit=0)


def test_a_record_changes_with_the_images(folder):
    before = mv.images(folder).record()
    assert mv.images(folder).record() == before
    assert mv.images(folder, limit=3).record() != before
    (folder / "2.png").write_bytes(b"shorter")
    assert mv.images(folder).record() != before


def test_what_holds_no_image_is_told(tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "bad.parquet").write_bytes(b"no parquet")
    pq.write_table(pa.table({"text": ["a"]}), tmp_path / "text.parquet")
    (tmp_path / "gone.csv").write_text("file\nnot_there.png\n")
    cases = {
        "empty": "holds no image",
        "none": "no such folder",
        "bad.parquet": "cannot be read as Parquet",
        "text.parquet": "named img or image",
    }
    for name, message in {
        **cases,
        "gone.csv": "1 of 1 files that are not there, such as 'not_there.png'",
    }.items():
        with pytest.raises(InputError, match=message) as told:
            mv.images(tmp_path / name)
        assert "\n" not in str(told.value)
    with pytest.raises(InputError, match="cannot read images from int"):
        mv.images(5)


def test_an_empty_file_is_told_when_it_is_read(tmp_path):
    (tmp_path / "a.png").write_bytes(b"")
    with pytest.raises(InputError, match="is empty"):
        mv.images(tmp_path).sample(0)


def test_an_index_of_what_an_index_left_is_by_the_names_too(tmp_path):
    for number in range(1, 7):
        (tmp_path / f"ILSVRC2012_val_{number:08d}.JPEG").write_bytes(png(0))
    some = mv.images(tmp_path, index=[3, 4, 5])
    assert [sample.name for sample in mv.images(some, index=[4])] == [
        "ILSVRC2012_val_00000005.JPEG"
    ]
    with pytest.raises(
        InputError, match="lacks 1 of the 1 images of the index, such as ILSVRC2012_val_00000001"
    ):
        mv.images(some, index=[0])


def test_the_broken_one_of_several_parquet_files_is_named(tmp_path):
    pd.DataFrame({"img": [{"bytes": png(0)}]}).to_parquet(tmp_path / "a.parquet")
    (tmp_path / "b.parquet").write_bytes(b"PAR1")
    with pytest.raises(InputError, match=r"b.parquet: cannot be read as Parquet"):
        mv.images(tmp_path)


def test_images_in_memory_are_taken_by_name_or_number():
    array = np.arange(48, dtype=np.uint8).reshape(4, 4, 3)
    found = mv.images([array, Image.fromarray(array)])
    assert [found.name(number) for number in range(2)] == ["000000", "000001"]
    for number in range(2):
        assert np.array_equal(np.asarray(Image.open(io.BytesIO(found.sample(number).data))), array)
    photos = {"NA": mv.samples()["cat"], "a,b": array}
    by_name = mv.images(photos)
    assert [by_name.name(number) for number in range(2)] == ["NA", "a,b"]
    assert by_name.sample(0).data == mv.samples()["cat"].read_bytes()
    assert by_name.origin is None
    assert mv.images({"cat": mv.samples()["cat"]}).origin is not None
    other = mv.images({"NA": mv.samples()["cat"], "a,b": array + 1})
    assert other.record()["fingerprint"] != by_name.record()["fingerprint"]
    with pytest.raises(InputError, match="labels came with images in memory"):
        mv.images([array], labels={"000000": "cat"})


def test_one_array_is_no_list_of_images():
    with pytest.raises(InputError, match="cannot read images from ndarray"):
        mv.images(np.zeros((4, 4, 3), dtype=np.uint8))
