"""Probe: a backbone without a classifier, and a head that scores its features."""

from typing import Any

import torch
from torch import Tensor, nn

from multiplex_vit.errors import InputError
from multiplex_vit.models.families.family import Features
from multiplex_vit.models.port import BOTH, PATCHES, PREFIX


class Probe(nn.Module):
    """A classifier of pixel values: a backbone's features, scored by a head.

    Parameters
    ----------
    backbone : nn.Module
    head : nn.Module
        Takes features [image, width], gives logits [image, class].
    features : callable
        Takes the backbone and pixel values; gives tokens [image, token, width], prefix tokens
        first, or features [image, width].
    reads : str
        What the head reads of tokens; see `multiplex_vit.models.port.Head`.
    n_prefix : int
        How many tokens come before the patch tokens.
    """

    def __init__(
        self, backbone: nn.Module, head: nn.Module, features: Features, *, reads: str, n_prefix: int
    ):
        super().__init__()
        self.backbone = backbone
        self.head = head
        self.features = features
        self.reads = reads
        self.n_prefix = n_prefix
        self.train(backbone.training)

    def forward(self, pixels: Tensor) -> Tensor:
        """Return logits [image, class] of pixel values [image, channel, row, col]."""
        values = self.features(self.backbone, pixels)
        if values.ndim == 3:
            values = read(values, self.reads, self.n_prefix)
        return self.head(values)


def read(tokens: Tensor, reads: str, n_prefix: int) -> Tensor:
    """Return features [image, width] of tokens [image, token, width].

    The mean of no patch is taken as zeros.

    Examples
    --------
    >>> tokens = torch.tensor([[[1.0], [2.0], [4.0]]])
    >>> read(tokens, "prefix", 1).item(), read(tokens, "patches", 1).item()
    (1.0, 3.0)
    """
    patches = tokens[:, n_prefix:]
    mean = patches.sum(1) / max(1, patches.shape[1])
    if reads == PREFIX:
        return tokens[:, 0]
    if reads == BOTH:
        return torch.cat([tokens[:, 0], mean], dim=-1)
    return mean


def reads_of(head: Any, width: int, prefix: tuple[str, ...]) -> str:
    """Return what a head reads, by how many numbers it takes.

    A head that takes twice the width of a token reads the class token and the patches' mean, as in
    the linear probes of DINOv2.

    Raises
    ------
    InputError
        If no reading gives as many numbers.

    Examples
    --------
    >>> reads_of(nn.Linear(8, 3), 8, ("class",)), reads_of(nn.Linear(16, 3), 8, ("class",))
    ('prefix', 'both')
    """
    own = getattr(head, "reads", None)
    if own is not None:
        return own
    taken = getattr(head, "in_features", None)
    if taken == 2 * width and prefix:
        return BOTH
    if taken not in (None, width):
        raise InputError(
            f"the head takes {taken} numbers, but a token of the backbone has {width}; "
            "give a head for its features"
        )
    return PREFIX if prefix else PATCHES
