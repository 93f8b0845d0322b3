import numpy as np
import pytest
from PIL import Image

from multiplex_vit import pictures as images
from multiplex_vit.errors import InputError

RAMP = np.arange(256, dtype=np.uint8).reshape(16, 16)
COLOUR = np.stack([RAMP, RAMP[::-1], np.full_like(RAMP, 128)], 2)


def saved(path, image, **options):
    image.save(path, **options)
    return path


def test_plain_files_arrays_and_images_agree(tmp_path):
    path = saved(tmp_path / "a.png", Image.fromarray(COLOUR))
    for given in (path, str(path), COLOUR, Image.fromarray(COLOUR)):
        assert np.array_equal(np.asarray(images.read_image(given)), COLOUR)


@pytest.mark.parametrize("mode", ["L", "P", "CMYK", "RGBA", "LA", "1", "YCbCr", "HSV"])
def test_every_mode_becomes_rgb(tmp_path, mode):
    suffix = {"CMYK": "tif", "YCbCr": "tif"}.get(mode)
    image = Image.fromarray(COLOUR).convert(mode)
    given = saved(tmp_path / f"a.{suffix or 'png'}", image) if mode != "HSV" else image
    read = np.asarray(images.read_image(given)).astype(int)
    assert read.shape == (16, 16, 3)
    if mode in ("RGBA", "CMYK"):
        assert abs(read - COLOUR).max() <= 2


def test_sixteen_bit_greys_keep_their_range(tmp_path):
    deep = (RAMP.astype(np.uint16) * 257).astype(np.uint16)
    read = images.read_image(saved(tmp_path / "deep.png", Image.fromarray(deep)))
    assert np.array_equal(np.asarray(read)[..., 0], RAMP)


def test_transparency_is_laid_over_white(tmp_path):
    clear = np.zeros((8, 8, 4), dtype=np.uint8)
    assert (
        np.asarray(images.read_image(saved(tmp_path / "clear.png", Image.fromarray(clear)))) == 255
    ).all()


def test_palette_with_transparency(tmp_path):
    image = Image.fromarray(COLOUR).convert("P")
    path = saved(tmp_path / "p.png", image, transparency=0)
    assert images.read_image(path).mode == "RGB"


def test_exif_rotation_is_applied(tmp_path):
    image = Image.fromarray(COLOUR[:, :8])
    exif = Image.Exif()
    exif[0x0112] = 6
    assert images.read_image(saved(tmp_path / "turned.png", image, exif=exif)).size == (16, 8)


def bad_files(folder):
    (folder / "empty.jpg").touch()
    (folder / "text.jpg").write_text("no image")
    whole = saved(folder / "whole.jpg", Image.fromarray(COLOUR).resize((200, 200)))
    (folder / "cut.jpg").write_bytes(whole.read_bytes()[:600])
    png = saved(folder / "whole.png", Image.fromarray(COLOUR).resize((200, 200))).read_bytes()
    (folder / "cut.png").write_bytes(png[: len(png) // 2])
    saved(folder / "one.png", Image.fromarray(COLOUR[:1, :1]))
    (folder / "folder.jpg").mkdir()


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("missing.jpg", "no such image"),
        ("folder.jpg", "is a folder"),
        ("empty.jpg", "is empty"),
        ("text.jpg", "is not an image of a known format"),
        ("cut.jpg", "is damaged"),
        ("cut.png", "is damaged"),
        ("one.png", "has 1 x 1 pixels; at least 4 x 4"),
    ],
)
def test_bad_files_are_told(tmp_path, name, message):
    bad_files(tmp_path)
    with pytest.raises(InputError, match=message) as caught:
        images.read_image(tmp_path / name)
    assert name in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.slow
def test_a_decompression_bomb_is_refused_unread(tmp_path, monkeypatch):
    path = saved(tmp_path / "bomb.png", Image.new("1", (30_000, 30_000)))
    with pytest.raises(InputError, match=r"too many pixels|30000 x 30000 pixels \(limit"):
        images.read_image(path)
    monkeypatch.setattr(images, "MAX_PIXELS", 100)
    with pytest.raises(InputError, match=r"16 x 16 pixels \(limit 100\)"):
        images.read_image(Image.fromarray(COLOUR))


@pytest.mark.parametrize(
    "given", [COLOUR.astype(float), COLOUR[None], COLOUR.transpose(2, 0, 1)[:2], 3, None]
)
def test_other_things_are_refused(given):
    with pytest.raises(InputError, match="cannot read an image from"):
        images.read_image(given)


def test_samples_are_readable_and_licensed():
    notes = (images.samples()["cat"].parent / "README.md").read_text()
    for path in images.samples().values():
        assert min(images.read_image(path).size) > 200
        assert f"`{path.name}`" in notes


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_whatever_a_damaged_file_does_is_one_line(tmp_path):
    rng, messages = np.random.default_rng(0), []
    for suffix in ("png", "jpg", "webp", "tif", "gif", "bmp"):
        whole = saved(
            tmp_path / f"whole.{suffix}", Image.fromarray(COLOUR).resize((64, 64))
        ).read_bytes()
        for number in range(40):
            damaged = bytearray(whole[: rng.integers(1, len(whole) + 1)])
            for place in rng.integers(0, len(damaged), 5):
                damaged[place] = rng.integers(256)
            path = tmp_path / f"{number}.{suffix}"
            path.write_bytes(damaged)
            try:
                images.read_image(path)
            except InputError as error:
                messages.append(str(error))
    assert len(messages) > 100
    assert not any("\n" in message for message in messages)


def test_damaged_images_in_memory(tmp_path):
    whole = saved(tmp_path / "whole.png", Image.fromarray(COLOUR).resize((200, 200))).read_bytes()
    (tmp_path / "cut.png").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match="the image is damaged"):
        images.read_image(Image.open(tmp_path / "cut.png"))
    with pytest.raises(InputError, match="is no usable file name"):
        images.read_image("a" * 400 + ".jpg")


def test_formats_that_start_other_programs_are_not_read(tmp_path):
    (tmp_path / "a.eps").write_text("%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n")
    with pytest.raises(InputError, match="is not an image of a known format"):
        images.read_image(tmp_path / "a.eps")
