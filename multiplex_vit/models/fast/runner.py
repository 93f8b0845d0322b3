"""Runner: a model that classifies masks and images, with the shortcuts that are switched on."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property

import torch

from multiplex_vit.models.fast.batches import sequences_a_batch
from multiplex_vit.models.fast.memory import tokens_that_fit
from multiplex_vit.models.fast.onednn import fast_linear
from multiplex_vit.models.fast.rounding import TF32, Rounded, tf32
from multiplex_vit.models.fast.switches import Fast
from multiplex_vit.models.passes import token_width
from multiplex_vit.models.port import Port
from multiplex_vit.models.running import attending


class Runner:
    """Runs a model to classify masks and images.

    Parameters
    ----------
    port : Port
    fast : Fast
        Which shortcuts are taken.
    mask_dtype : torch.dtype or "tf32", optional
        Type in which masks and images are classified. Default: None, that of the weights.
    """

    def __init__(self, port: Port, fast: Fast, mask_dtype: torch.dtype | str | None):
        self.port = port
        self.fast = fast
        self.mask_dtype = mask_dtype
        self._rounded = Rounded(port, mask_dtype)

    @property
    def mask_port(self) -> Port:
        """The model in the type in which masks are classified, up to date."""
        return self._rounded()

    @contextmanager
    def running(self, port: Port) -> Iterator[None]:
        """Let a model run fast; all is put back at the end, also after an exception."""
        model = port.module
        linear = fast_linear(model, on=self.fast.onednn)
        with attending(model), linear, tf32(self.mask_dtype == TF32):
            yield

    @cached_property
    def _width(self) -> int:
        return token_width(self.port)

    def batch_size(
        self,
        port: Port,
        n_token: int,
        batch_size: int | str,
        width: int | None = None,
    ) -> int:
        """Return how many sequences one forward pass takes.

        Parameters
        ----------
        port : Port
            The model that runs.
        n_token : int
            Tokens of a sequence.
        batch_size : int or "auto"
            What the user asks for.
        width : int, optional
            Numbers of a token. Default: None, measured where a GPU's memory makes it matter; that
            takes a part of a pass, so blocks must run as they are.
        """
        if width is None and port.device.type == "cuda":
            width = self._width
        most = tokens_that_fit(port.device, width or 1, port.dtype.itemsize)
        # Computed in any case, so that a wrong batch size is refused.
        size = sequences_a_batch(n_token, batch_size, most)
        return size if self.fast.batches else 1
