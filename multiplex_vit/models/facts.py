"""Facts: what a wrapped model says of itself."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from multiplex_vit.arguments import checked
from multiplex_vit.errors import InputError
from multiplex_vit.models import attention, inputs
from multiplex_vit.models.fast.runner import Runner
from multiplex_vit.models.fast.switches import Fast
from multiplex_vit.models.logits import Logits
from multiplex_vit.models.normalisation import normalisation_of
from multiplex_vit.models.port import Port
from multiplex_vit.models.score import Score


class Facts:
    """What a wrapped model says of itself, read off its port whenever it is asked for.

    Attributes
    ----------
    port : Port
    logits : Logits
    processor : callable, optional
    """

    port: Port
    logits: Logits
    processor: Any
    _runner: Runner
    _n_heads: int | None

    @property
    def model(self) -> Any:
        """The wrapped module."""
        return self.port.module

    @property
    def mask_model(self) -> Any:
        """The model that classifies masks and images: `model`, or a copy of it in `mask_dtype`."""
        return self._runner.mask_port.module

    @property
    def mask_dtype(self) -> torch.dtype | str | None:
        """Type in which masks and images are classified; None stands for that of the weights."""
        return self._runner.mask_dtype

    @property
    def fast(self) -> Fast:
        """Which shortcuts are taken when masks and images are classified."""
        return self._runner.fast

    @property
    def name(self) -> str:
        """How results name the model."""
        return self.port.name

    @property
    def prefix(self) -> tuple[str, ...]:
        """Names of the tokens before the patch tokens."""
        return self.port.trunk.prefix

    @property
    def n_prefix(self) -> int:
        """How many tokens come before the patch tokens."""
        return self.port.n_prefix

    @property
    def n_layers(self) -> int:
        """How many blocks the model has."""
        return self.port.n_layers

    @property
    def n_heads(self) -> int:
        """How many attention heads a block has."""
        if self._n_heads is None:
            self._n_heads = self.port.trunk.n_heads or attention.counted_heads(self.port)
        return self._n_heads

    @property
    def device(self) -> torch.device:
        """Where the model's weights are."""
        return self.port.device

    @property
    def dtype(self) -> torch.dtype:
        """The type of the model's weights."""
        return self.port.dtype

    @property
    def n_classes(self) -> int:
        """How many logits the model gives, whatever its configuration says."""
        return self.logits.n_classes

    @property
    def classes(self) -> tuple[str, ...]:
        """Class names, one a logit; a class's label is its place here."""
        return self.logits.classes

    @property
    def score(self) -> Score:
        """What the numbers mean that passes give for every class."""
        return self.logits.score

    @property
    def reads(self) -> str:
        """What the head reads: "prefix" tokens, "patches" (their mean), "both" or "attention".

        The last one is a head that attends to the tokens by itself.
        """
        return self.port.head.reads

    @property
    def patch(self) -> tuple[int, int]:
        """Rows and columns of pixels of one patch."""
        return self.port.trunk.patch

    @property
    def input_size(self) -> tuple[int, int]:
        """Rows and columns of pixels that the processor makes, or else of the configuration."""
        return inputs.input_size(self.port, self.processor)

    @property
    def grid(self) -> tuple[int, int]:
        """Rows and columns of patches for an image of the size `input_size`."""
        return self.grid_of(self.input_size)

    @property
    def normalisation(self) -> tuple[np.ndarray, np.ndarray]:
        """Mean and standard deviation [channel] that turn pixel space into pixel values.

        Pixel space goes from 0 (black) to 1 (white); its value p becomes (p - mean) / std. See
        `multiplex_vit.models.normalisation.normalisation_of`.
        """
        return normalisation_of(self.port, self.processor)

    @checked
    def grid_of(self, size: Sequence[int]) -> tuple[int, int]:
        """Return rows and columns of patches of an image of `size` pixels [row, col]."""
        if len(size) != 2:
            raise InputError(f"size is {list(size)}; give rows and columns of pixels")
        return self.port.grid_of(size)
