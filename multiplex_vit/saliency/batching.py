"""Batching: images read ahead, and as many together as share passes well."""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from multiplex_vit.checks import vision_model
from multiplex_vit.errors import InputError
from multiplex_vit.models.classifier import Classifier
from multiplex_vit.models.fast.memory import bytes_that_fit
from multiplex_vit.models.picture import Picture
from multiplex_vit.saliency.attended import operators_of
from multiplex_vit.saliency.prior import DIRECT
from multiplex_vit.saliency.settings import Settings

MOST_IMAGES = {"cpu": 16, "cuda": 64}
_READERS = {"cpu": 1, "cuda": 4}
"""Threads that make images ready: a CPU that computes has none to spare."""

Batch = tuple[list[Picture], list[Any]]
"""Pictures of one size, and their labels."""


def picture_of(model: Classifier, image: Any) -> Picture:
    """Return an image ready for the model; InputError if either is something else."""
    return vision_model(model).picture(image)


def labels_of(label: Any, n_images: int) -> list[Any]:
    """Return a label for each image, from one for all or a list of one an image.

    Examples
    --------
    >>> labels_of("cat", 2), labels_of(["cat", None], 2)
    (['cat', 'cat'], ['cat', None])
    """
    if not isinstance(label, (list, tuple)):
        return [label] * n_images
    if len(label) != n_images:
        given = f"{len(label)} labels were given for {n_images} images"
        raise InputError(f"{given}; give one an image, or one for all")
    return list(label)


def batches(
    model: Classifier,
    images: Iterable[Any],
    labels: Iterable[Any],
    settings: Sequence[Settings],
) -> Iterator[Batch]:
    """Yield images in batches of one size, of as many as pay and fit, with their labels."""
    pictures: list[Picture] = []
    their_labels: list[Any] = []
    # One label for all is repeated without end, so that the images end first.
    ready = read_ahead(model, images)
    for picture, label in zip(ready, labels, strict=False):
        if pictures and not _joins(model, picture, pictures, settings):
            yield pictures, their_labels
            pictures, their_labels = [], []
        pictures.append(picture)
        their_labels.append(label)
    if pictures:
        yield pictures, their_labels


def read_ahead(model: Classifier, images: Iterable[Any]) -> Iterator[Picture]:
    """Yield images ready for the model, while a thread makes ready the next ones."""
    n_readers = _READERS.get(_device_kind(model), 1)
    n_waiting = MOST_IMAGES.get(_device_kind(model), 16)
    pool = ThreadPoolExecutor(n_readers, thread_name_prefix="pictures")
    waiting: deque[Future[Picture]] = deque()
    try:
        for image in images:
            waiting.append(pool.submit(picture_of, model, image))
            if len(waiting) > n_waiting:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        # Whoever stops asking waits for no picture that is not read yet.
        pool.shutdown(cancel_futures=True)


def _joins(
    model: Classifier,
    picture: Picture,
    pictures: Sequence[Picture],
    settings: Sequence[Settings],
) -> bool:
    """Tell whether a picture can share passes with those that wait."""
    if picture.pixels.shape != pictures[0].pixels.shape:
        return False
    return len(pictures) != _n_together(model, picture, settings)


def _n_together(model: Classifier, picture: Picture, settings: Sequence[Settings]) -> int:
    """Return how many images share passes: as many as pay, while their memory is not much."""
    rows, cols = model.grid_of(picture.pixels.shape[2:])
    n_nodes = rows * cols
    n_networks = len(operators_of(settings)) * model.n_layers
    attention = n_networks * n_nodes**2
    # With 21,841 classes, the scores of masks and the direct attribution are more than attention.
    rows_of_scores = sum(chosen.n_masks for chosen in settings)
    if any(chosen.prior == DIRECT for chosen in settings):
        rows_of_scores += n_nodes
    n_bytes = 4 * (attention + rows_of_scores * model.n_classes)
    most = MOST_IMAGES.get(_device_kind(model), 16)
    n_fit = bytes_that_fit(model.device) // max(1, n_bytes)
    return max(1, min(most, n_fit))


def _device_kind(model: Any) -> str:
    """Return the kind of a model's device; "" of something else than a model.

    That is refused where its images are read.
    """
    return getattr(getattr(model, "device", None), "type", "")
