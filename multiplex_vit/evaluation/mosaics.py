"""Mosaics: several pictures as one image, whose classes are known to be each in its own cell."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from PIL import Image

from multiplex_vit.arguments import check_fields, checked_but
from multiplex_vit.checks import share, vision_model, whole
from multiplex_vit.errors import InputError
from multiplex_vit.evaluation.localisation import edges_of, shape_of
from multiplex_vit.models.classifier import Classifier


@dataclass(frozen=True, eq=False)
class Mosaic:
    """Pictures of different classes as one image.

    Attributes
    ----------
    pixels : ndarray float32 [1, channel, row, col]
        Pre-processed pixel values.
    labels : tuple of int
        The class in each cell, row by row.
    images : tuple of int
        The number of the image in each cell.
    shape : tuple of int
        Rows and columns of cells.
    """

    pixels: np.ndarray = field(repr=False)
    labels: tuple[int, ...]
    images: tuple[int, ...]
    shape: tuple[int, int] = (2, 2)

    def __post_init__(self) -> None:
        check_fields(self)


@checked_but("shape")
def mosaic(model: Classifier, images: Sequence[Any], *, shape: tuple[int, int] = (2, 2), full_size: bool = False) -> np.ndarray:
    """Return images side by side as one image for a model.

    Each image is pre-processed as the model has it and brought to the size of its cell by averaging over areas. Cells are whole patches:
    where rows or columns of patches do not divide by the shape, as even as possible and the outer ones alike (8 patches make cells of
    3, 2 and 3), and images are squeezed accordingly. Pixels that no patch covers go to the last cell.

    Parameters
    ----------
    model : VisionModel
    images : sequence
        As for `explain`, one a cell, row by row.
    shape : tuple of int
        Rows and columns of cells.
    full_size : bool
        Keep every image at the size that the model has for one, which makes the mosaic larger; for models that accept images of any size.

    Returns
    -------
    ndarray float32 [1, channel, row, col]
        Pixel values, of the model's input size unless `full_size`.

    Raises
    ------
    InputError
        If the images are not one a cell, there are more cells than patches, or the model does not take larger images.

    Examples
    --------
    >>> import multiplex_vit as mv
    >>> pictures = list(mv.samples().values())
    >>> mosaic(mv.load("demo-vit", device="cpu"), [*pictures, pictures[0]]).shape
    (1, 3, 32, 32)
    """
    vision_model(model)
    n_rows, n_cols = shape_of(shape)
    if len(images) != n_rows * n_cols:
        raise InputError(f"{len(images)} images for {n_rows} x {n_cols} cells; give {n_rows * n_cols}")
    size = tuple(int(side) * n for side, n in zip(model.input_size, shape, strict=True)) if full_size else tuple(model.input_size)
    rows, cols = (_pixel_edges(side, patch, n) for side, patch, n in zip(size, model.patch, shape, strict=True))
    parts = [model.picture(image).pixels[0].cpu().numpy() for image in images]
    canvas = np.zeros((1, len(parts[0]), *size), dtype=np.float32)
    for i, part in enumerate(parts):
        (top, bottom), (left, right) = rows[i // n_cols : i // n_cols + 2], cols[i % n_cols : i % n_cols + 2]
        canvas[0, :, top:bottom, left:right] = _resized(part, bottom - top, right - left)
    return model.picture(canvas).pixels.cpu().numpy()


def _pixel_edges(side: int, patch: int, n_cells: int) -> list[int]:
    edges = [int(edge) * patch for edge in edges_of(side // patch, n_cells)]
    return [*edges[:-1], side]


def _resized(pixels: np.ndarray, rows: int, cols: int) -> np.ndarray:
    """Return pixel values [channel, row, col] at another size; what is of that size already stays as it is."""
    if pixels.shape[1:] == (rows, cols):
        return pixels
    return np.stack([np.asarray(Image.fromarray(channel).resize((cols, rows), Image.Resampling.BOX)) for channel in pixels])


@checked_but("shape")
def draw_mosaics(
    model: Classifier, labelled: Iterable[tuple[Any, int]], *, shape: tuple[int, int] = (2, 2), count: int = 50, least: float = 0.9, full_size: bool = False
) -> list[Mosaic]:
    """Return mosaics of the first images that the model classifies rightly and with confidence; the classes within one differ.

    Images are taken in their order, each at most once: it goes to the first mosaic that is not full and has no image of its class, and
    there to the next cell. So the same images make the same mosaics.

    Parameters
    ----------
    model : VisionModel
    labelled : iterable of (image, label)
        No more are read than are needed.
    shape : tuple of int
        Rows and columns of cells.
    count : int
        How many mosaics.
    least : float, 0 to 1
        The probability of its own class that an image must have when it is classified alone. That class must be the most probable one.
    full_size : bool
        As for `mosaic`.

    Returns
    -------
    list of Mosaic

    Raises
    ------
    InputError
        If the images do not make so many mosaics, the model has fewer classes than there are cells, or it gives predicted values.
    """
    vision_model(model)
    n_cells, wanted, least = int(np.prod(shape_of(shape))), whole("count", count, at_least=1), share("least", least)
    if n_cells > len(model.classes):
        raise InputError(f"{n_cells} cells need as many classes; {model.name} has {len(model.classes)}; give a shape of fewer cells")
    if not model.score.is_probability:
        raise InputError(f"{model.name} gives a {model.score.quantity}, which no class is sure by; make mosaics of a classifier")
    drawn: list[dict[int, tuple[int, Any]]] = [{} for _ in range(wanted)]
    for number, (image, label) in enumerate(labelled):
        if all(len(cells) == n_cells for cells in drawn):
            break
        place = next((cells for cells in drawn if len(cells) < n_cells and label not in cells), None)
        if place is not None and _is_sure(model, image, label, least):
            place[int(label)] = (number, image)
    full = [cells for cells in drawn if len(cells) == n_cells]
    if len(full) < wanted:
        raise InputError(f"the images make {len(full)} of {wanted} mosaics; give more images or classes, a smaller count, or a smaller `least` than {least}")
    return [_made(model, cells, shape, full_size) for cells in full]


def _is_sure(model: Classifier, image: Any, label: int, least: float) -> bool:
    probabilities = model.classify(model.picture(image).pixels)[0].cpu().numpy()
    return int(probabilities.argmax()) == label and float(probabilities[label]) >= least


def _made(model: Classifier, cells: dict[int, tuple[int, Any]], shape: tuple[int, int], full_size: bool) -> Mosaic:
    pixels = mosaic(model, [image for _, image in cells.values()], shape=shape, full_size=full_size)
    return Mosaic(pixels, tuple(cells), tuple(number for number, _ in cells.values()), shape)
