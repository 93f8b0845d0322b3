"""Normalisation: which pixel values black and white become."""

from typing import Any

import numpy as np

from multiplex_vit.errors import InputError
from multiplex_vit.models.port import Port
from multiplex_vit.models.processing import levels_of

MeanStd = tuple[np.ndarray, np.ndarray]


def normalisation_of(port: Port, processor: Any) -> MeanStd:
    """Return mean and standard deviation [channel] that turn pixel space into pixel values.

    Pixel space goes from 0 (black) to 1 (white); its value p becomes (p - mean) / std. They are the
    image processor's own where it rescales to 0 to 1; if not, they are such that black and white
    become what it makes of them. Without a processor both are 0.5, so that black is -1.

    Raises
    ------
    InputError
        If the processor's do not fit the model's channels.
    """
    channels = port.trunk.n_channels
    mean, std = _by_options(processor)
    if np.size(mean) not in (1, channels) or np.size(std) not in (1, channels):
        raise InputError(
            f"{port.name} takes {channels} channels, but its image processor has "
            f"mean {mean} and std {std}; mend the processor"
        )
    mean = np.broadcast_to(np.asarray(mean, dtype=np.float32), channels)
    std = np.broadcast_to(np.asarray(std, dtype=np.float32), channels)
    levels = None
    if processor is not None:
        levels = levels_of(processor, "L" if channels == 1 else "RGB")
    if levels is None:
        return mean, std
    # What the processor does counts for more than what its options say.
    expected = [-mean / std, (1 - mean) / std]
    if not np.allclose(levels, expected, rtol=1e-3, atol=1e-3):
        black, white = levels
        std = 1 / (white - black)
        mean = -black * std
    return mean, std


def _by_options(processor: Any) -> tuple[Any, Any]:
    """Return what an image processor's options say, in pixel space 0 to 1."""
    if processor is None:
        return 0.5, 0.5
    mean, std = 0.0, 1.0
    if getattr(processor, "do_normalize", False):
        mean, std = processor.image_mean, processor.image_std
    # White is 255 before it is rescaled.
    white = 255.0
    if getattr(processor, "do_rescale", True):
        white = 255 * getattr(processor, "rescale_factor", 1 / 255)
    if white == 1:
        return mean, std
    return np.divide(mean, white), np.divide(std, white)
