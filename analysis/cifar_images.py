"""CIFAR-10 test images in an order drawn once, as the file is sorted by class: the first are reported on, the last are for choosing settings.

Numbers 5000 to 5499, on which the first settings were chosen, are in neither.
"""

import io
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from PIL import Image

N_TEST, SET_ASIDE = 10_000, (5000, 5499)
N_TUNING = 1000


def reported(first: int = 0, count: int | None = None) -> list[int]:
    """Return the numbers of test images to report on, from place `first` of the order on."""
    return _order()[:-N_TUNING][first:][:count]


def tuning(first: int = 0, count: int | None = None) -> list[int]:
    """Return the numbers of test images to choose settings on, from place `first` of them on."""
    return _order()[-N_TUNING:][first:][:count]


def read_images(folder: Path | None, numbers: Iterable[int]) -> dict[str, Image.Image]:
    """Return test images by their number in the file, from FOLDER/test.parquet or else the hub."""
    table = read_table(folder)
    return {str(number): _decoded(table["img"][number].as_py()) for number in numbers}


def read_labelled(folder: Path | None, numbers: Iterable[int]) -> Iterable[tuple[Image.Image, int]]:
    """Yield test images with their classes."""
    table = read_table(folder)
    for number in numbers:
        yield _decoded(table["img"][number].as_py()), table["label"][number].as_py()


def read_table(folder: Path | None) -> Any:
    """Return all test images with their classes, undecoded."""
    if folder is None:
        from huggingface_hub import hf_hub_download

        path = hf_hub_download(
            "uoft-cs/cifar10", "plain_text/test-00000-of-00001.parquet", repo_type="dataset"
        )
    else:
        path = folder / "test.parquet"
    return pq.read_table(path, columns=["img", "label"]).combine_chunks()


def _order() -> list[int]:
    numbers = np.random.default_rng(0).permutation(N_TEST)
    return [int(number) for number in numbers if not SET_ASIDE[0] <= number <= SET_ASIDE[1]]


def _decoded(cell: dict[str, Any]) -> Image.Image:
    return Image.open(io.BytesIO(cell["bytes"])).convert("RGB")
