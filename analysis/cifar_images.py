"""CIFAR-10 test images by their number."""

import io
from pathlib import Path

import pyarrow.parquet as pq
from PIL import Image


def read_images(folder: Path | None, first: int, last: int) -> list[Image.Image]:
    """Return CIFAR-10 test images number `first` to `last`, from FOLDER/test.parquet or else the hub."""
    if folder is None:
        from huggingface_hub import hf_hub_download

        path = hf_hub_download("uoft-cs/cifar10", "plain_text/test-00000-of-00001.parquet", repo_type="dataset")
    else:
        path = folder / "test.parquet"
    rows = pq.read_table(path, columns=["img"]).slice(first, last - first + 1)["img"].to_pylist()
    return [Image.open(io.BytesIO(row["bytes"])).convert("RGB") for row in rows]
