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
        Rows and columns of cells. Default: (2, 2).
    """

    pixels: np.ndarray = field(repr=False)
    labels: tuple[int, ...]
    images: tuple[int, ...]
    shape: tuple[int, int] = (2, 2)

    def __post_init__(self) -> None:
        check_fields(self)


@checked_but("shape")
def mosaic(
    model: Classifier,
    images: Sequence[Any],
    *,
    shape: tuple[int, int] = (2, 2),
    full_size: bool = False,
) -> np.ndarray:
    """Return images side by side as one image for a model.

    Each image is pre-processed as the model needs it and brought to the size of its cell by
    averaging over areas. Cells are whole patches. Where rows or columns of patches do not divide by
    the shape, cells are as even as possible and the outer ones alike (8 patches make cells of 3, 2
    and 3), and images are squeezed accordingly. Pixels that no patch covers go to the last cell.

    Parameters
    ----------
    model : VisionModel
    images : sequence
        As for `explain`, one for each cell, row by row.
    shape : tuple of int
        Rows and columns of cells. Default: (2, 2).
    full_size : bool
        Keep every image at the model's input size, which makes the mosaic larger; for models that
        accept images of any size. Default: False.

    Returns
    -------
    ndarray float32 [1, channel, row, col]
        Pixel values, of the model's input size unless `full_size`.

    Raises
    ------
    InputError
        If there is not one image for each cell, there are more cells than patches, or the model
        does not take larger images.

    Examples
    --------
    >>> import multiplex_vit as mv
    >>> pictures = list(mv.samples().values())[:4]
    >>> mosaic(mv.load("demo-vit", device="cpu"), pictures).shape
    (1, 3, 32, 32)
    """
    vision_model(model)
    n_rows, n_cols = shape_of(shape)
    n_cells = n_rows * n_cols
    if len(images) != n_cells:
        given = f"{len(images)} images for {n_rows} x {n_cols} cells"
        raise InputError(f"{given}; give {n_cells}")
    height, width = (int(side) for side in model.input_size)
    if full_size:
        height *= n_rows
        width *= n_cols
    rows = _pixel_edges(height, model.patch[0], n_rows)
    cols = _pixel_edges(width, model.patch[1], n_cols)

    parts = []
    for image in images:
        pixels = model.picture(image).pixels[0]
        parts.append(pixels.cpu().numpy())
    n_channels = len(parts[0])
    canvas = np.zeros((1, n_channels, height, width), dtype=np.float32)
    for cell, part in enumerate(parts):
        row, col = divmod(cell, n_cols)
        top, bottom = rows[row], rows[row + 1]
        left, right = cols[col], cols[col + 1]
        fitted = _resized(part, bottom - top, right - left)
        canvas[0, :, top:bottom, left:right] = fitted
    # The model checks the size as it does that of any other image.
    return model.picture(canvas).pixels.cpu().numpy()


def _pixel_edges(side: int, patch: int, n_cells: int) -> list[int]:
    """Return where cells begin and end along one side, in pixels."""
    edges = [int(edge) * patch for edge in edges_of(side // patch, n_cells)]
    # The last cell takes the remainder, where the side is not whole patches.
    return [*edges[:-1], side]


def _resized(pixels: np.ndarray, rows: int, cols: int) -> np.ndarray:
    """Return pixel values [channel, row, col] at another size."""
    if pixels.shape[1:] == (rows, cols):
        # Resampling would change the last bits.
        return pixels
    channels = []
    for channel in pixels:
        # Pillow resizes floats of one channel alone.
        picture = Image.fromarray(channel)
        resized = picture.resize((cols, rows), Image.Resampling.BOX)
        channels.append(np.asarray(resized))
    return np.stack(channels)


@dataclass
class _Draft:
    """A mosaic that is being filled.

    Attributes
    ----------
    n_cells : int
    images : dict of int to image
        By label, in the order of the cells.
    numbers : list of int
        Places of the images among all that were given.
    """

    n_cells: int
    images: dict[int, Any] = field(default_factory=dict)
    numbers: list[int] = field(default_factory=list)

    @property
    def is_full(self) -> bool:
        return len(self.images) == self.n_cells

    def takes(self, label: int) -> bool:
        return not self.is_full and label not in self.images


@checked_but("shape")
def draw_mosaics(
    model: Classifier,
    labelled: Iterable[tuple[Any, int]],
    *,
    shape: tuple[int, int] = (2, 2),
    count: int = 50,
    least: float = 0.9,
    full_size: bool = False,
) -> list[Mosaic]:
    """Return mosaics of the first images that the model classifies rightly and with confidence.

    The classes within a mosaic differ. Images are taken in their order, each at most once: an image
    goes to the first mosaic that is not full and has no image of its class, and there to the next
    cell. So the same images make the same mosaics.

    Parameters
    ----------
    model : VisionModel
    labelled : iterable of (image, label)
        No more are read than are needed.
    shape : tuple of int
        Rows and columns of cells. Default: (2, 2).
    count : int
        How many mosaics. Default: 50.
    least : float, 0 to 1
        The probability of its own class that an image must have when it is classified alone. That
        class must be the most probable one. Default: 0.9.
    full_size : bool
        As for `mosaic`. Default: False.

    Returns
    -------
    list of Mosaic

    Raises
    ------
    InputError
        If the images do not make so many mosaics, the model has fewer classes than there are cells,
        or it predicts values.

    Examples
    --------
    >>> import multiplex_vit as mv
    >>> model, images = mv.load("demo-vit", device="cpu"), list(mv.samples().values())
    >>> labels = [int(model.classify(model.picture(image).pixels).argmax()) for image in images]
    >>> pairs = zip(images, labels)
    >>> [drawn] = mv.evaluation.draw_mosaics(model, pairs, shape=(1, 2), count=1, least=0.5)
    >>> drawn.images
    (0, 1)
    """
    vision_model(model)
    n_rows, n_cols = shape_of(shape)
    n_cells = n_rows * n_cols
    count = whole("count", count, at_least=1)
    least = share("least", least)
    _check_classes(model, n_cells)
    drafts = [_Draft(n_cells) for _ in range(count)]
    for number, (image, label) in enumerate(labelled):
        # Asked before an image is read: the source may be long.
        if all(draft.is_full for draft in drafts):
            break
        open_drafts = [draft for draft in drafts if draft.takes(label)]
        # The model is asked last, as that takes a pass.
        if open_drafts and _is_sure(model, image, label, least):
            first = open_drafts[0]
            first.images[int(label)] = image
            first.numbers.append(number)
    full = [draft for draft in drafts if draft.is_full]
    if len(full) < count:
        made = f"the images make {len(full)} of {count} mosaics"
        remedy = "more images or classes, a smaller count"
        remedy += f", or a smaller `least` than {least}"
        raise InputError(f"{made}; give {remedy}")
    mosaics = []
    for draft in full:
        images = list(draft.images.values())
        pixels = mosaic(model, images, shape=shape, full_size=full_size)
        labels = tuple(draft.images)
        numbers = tuple(draft.numbers)
        mosaics.append(Mosaic(pixels, labels, numbers, shape))
    return mosaics


def _check_classes(model: Classifier, n_cells: int) -> None:
    if n_cells > len(model.classes):
        n_classes = f"{model.name} has {len(model.classes)}"
        needed = f"{n_cells} cells need as many classes"
        raise InputError(f"{needed}; {n_classes}; give a shape of fewer cells")
    if not model.score.is_probability:
        quantity = f"{model.name} gives a {model.score.quantity}"
        problem = f"{quantity}, which no class is sure by"
        raise InputError(f"{problem}; make mosaics of a classifier")


def _is_sure(model: Classifier, image: Any, label: int, least: float) -> bool:
    """Tell whether the model decides for a class with at least this probability."""
    pixels = model.picture(image).pixels
    probabilities = model.classify(pixels)[0].cpu().numpy()
    # Asked too, as classes of a sigmoid may be sure side by side.
    is_right = int(probabilities.argmax()) == label
    return is_right and float(probabilities[label]) >= least
