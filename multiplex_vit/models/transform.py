"""Transform: any function that turns an image into pixel values, used as an image processor."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from multiplex_vit.errors import InputError


class Transform:
    """A function of an image, such as a transform of torchvision or timm, as an image processor.

    Parameters
    ----------
    function : callable
        Takes a Pillow image; gives pixel values, a Tensor or array [channel, row, col].

    Examples
    --------
    >>> halved = Transform(lambda image: np.asarray(image).transpose(2, 0, 1) / 510)
    >>> white = Image.new("RGB", (4, 2), "white")
    >>> halved(images=white, return_tensors="pt")["pixel_values"].shape
    torch.Size([1, 3, 2, 4])
    """

    # Pixel space of such a function is told by what it makes of black and white.
    do_resize = False
    do_rescale = True
    do_normalize = False

    def __init__(self, function: Callable[[Image.Image], Any]):
        self.function = function

    def __call__(self, images: Image.Image, return_tensors: str = "pt") -> dict[str, Tensor]:
        """Return pixel values [1, channel, row, col] of one image.

        Raises
        ------
        InputError
            If the function gives something else.
        """
        values = self.function(images)
        if isinstance(values, np.ndarray):
            values = torch.from_numpy(np.ascontiguousarray(values))
        if not isinstance(values, Tensor) or values.ndim not in (3, 4):
            shape = getattr(values, "shape", None)
            given = type(values).__name__ if shape is None else list(shape)
            raise InputError(
                f"the processor gives {given} for an image; expected a Tensor [channel, row, col]"
            )
        if values.ndim == 3:
            values = values[None]
        return {"pixel_values": values.float()}


def as_processor(processor: Any) -> Any:
    """Return an image processor: one of transformers as it is, any other function as a Transform.

    Raises
    ------
    InputError
        If it cannot be called.

    Examples
    --------
    >>> type(as_processor(np.asarray)).__name__, as_processor(None)
    ('Transform', None)
    """
    if processor is None:
        return None
    # Those of models that read text too hold an image processor.
    processor = getattr(processor, "image_processor", processor)
    if not callable(processor):
        given = type(processor).__name__
        raise InputError(
            f"processor is {given}; give an image processor of transformers, or a function that "
            "turns a Pillow image into a Tensor [channel, row, col]"
        )
    libraries = {kind.__module__.partition(".")[0] for kind in type(processor).__mro__}
    if "transformers" in libraries or isinstance(processor, Transform):
        return processor
    return Transform(processor)
