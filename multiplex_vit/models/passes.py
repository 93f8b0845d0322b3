"""Passes: tokens that go through a model in place of an image's own."""

from contextlib import AbstractContextManager, nullcontext

from torch import Tensor

from multiplex_vit.models.port import Port, Tokens
from multiplex_vit.models.swaps import entering


def logits_of_tokens(port: Port, tokens: Tokens) -> Tensor:
    """Return logits [image, class] of tokens that enter the first block.

    What the model itself makes for the first block, of an empty image of the same size, is
    replaced. The caller sets how the model runs (see `multiplex_vit.models.running`).
    """
    blank = port.blank(tokens.grid)
    with placed(port, tokens.places), entering(port.blocks[0], tokens.values):
        return port.logits(blank)


def placed(port: Port, places: Tensor | None) -> AbstractContextManager[None]:
    """Return the context in which positions are those of tokens at places [sequence, token]."""
    if places is None or port.trunk.positions is None:
        return nullcontext()
    return port.trunk.positions(port.module, places, port.n_prefix)
