"""Passes: tokens that go through a model in place of an image's own."""

from contextlib import AbstractContextManager, nullcontext
from functools import partial

import torch
from torch import Tensor

from multiplex_vit.errors import InputError
from multiplex_vit.models.port import Port, Tokens
from multiplex_vit.models.running import attending, in_one_line
from multiplex_vit.models.swaps import entering, tokens_entering


def logits_of_tokens(port: Port, tokens: Tokens) -> Tensor:
    """Return logits [image, class] of tokens that enter the first block.

    What the model itself makes for the first block, of an empty image of the same size, is
    replaced. The caller sets how the model runs (see `multiplex_vit.models.running`).
    """
    blank = port.blank(tokens.grid)
    with placed(port, tokens.places), entering(port.blocks[0], tokens.values):
        return port.logits(blank)


def tokens_of(port: Port, pixels: Tensor) -> Tensor:
    """Return the tokens [image, token, width] that a model makes for its first block.

    The pass ends there. The caller sets how the model runs.

    Raises
    ------
    InputError
        If the model does not run its first block.
    """
    tokens = tokens_entering(port.blocks[0], partial(port.logits, pixels))
    if tokens is None:
        raise InputError(f"{port.name} does not run its first block; mend its trunk")
    return tokens


@torch.no_grad()
def token_width(port: Port) -> int:
    """Return how many numbers a token has, by a pass of an empty image to the first block.

    Raises
    ------
    InputError
        If the model cannot run an image as its trunk describes it.
    """
    trunk = port.trunk
    rows, cols = trunk.image_size
    blank = port.blank(port.grid_of((rows, cols)))
    image = f"an image of {trunk.n_channels} x {rows} x {cols}"
    told = in_one_line(port.name, image, "trunk")
    with attending(port.module), told:
        tokens = tokens_of(port, blank)
    return tokens.shape[-1]


def placed(port: Port, places: Tensor | None) -> AbstractContextManager[None]:
    """Return the context in which positions are those of tokens at places [sequence, token]."""
    if places is None or port.trunk.positions is None:
        return nullcontext()
    return port.trunk.positions(port.module, places, port.n_prefix)
