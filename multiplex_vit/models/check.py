"""The self-check: a few passes that prove a model is read rightly.

Where half of the digits of the model's type agree, two ways of computing one thing are taken for
the same: rounding takes far fewer, and what is read wrongly differs in the first ones.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from multiplex_vit.errors import InputError
from multiplex_vit.models.attention import collecting
from multiplex_vit.models.inputs import embed
from multiplex_vit.models.passes import logits_of_tokens
from multiplex_vit.models.port import Port, Tokens
from multiplex_vit.models.running import attending, outputs_of
from multiplex_vit.models.swaps import first_of
from multiplex_vit.models.vision_model import VisionModel


@torch.no_grad()
def check_reading(model: VisionModel) -> None:
    """Check that a model is read rightly, by passes of an image of noise.

    - The first block is given the tokens that the trunk says, each patch at its own place.
    - Every block shows its attention once, and its rows sum to 1.
    - A pass in which attention is watched, and one of masks that keep every token, give the
      model's own logits.
    - A pass of some tokens gives what all tokens give when no one attends to the others.

    Parameters
    ----------
    model : VisionModel

    Raises
    ------
    InputError
        In one line, what is wrong.
    """
    port = model.port
    pixels = _noise(model)
    rows, cols = port.trunk.image_size
    image = f"an image of {port.trunk.n_channels} x {rows} x {cols}"
    with attending(port.module), _told(port, image, "trunk"):
        own = port.logits(pixels)
    tokens = embed(port, pixels)
    _check_places(port, pixels, tokens)
    shown = _check_attention(port, tokens)
    _same(port, shown, own, "with its attention watched it gives other logits; mend its tap")

    n_nodes = tokens.shape[1] - port.n_prefix
    everything = np.ones((1, n_nodes), dtype=bool)
    scores = model.probabilities(tokens, everything)
    fault = "a mask that keeps every token gives other scores than the image; mend its trunk"
    _same(port, scores, model.logits.scores(own), fault)
    _check_mask(port, tokens)


def _noise(model: VisionModel) -> Tensor:
    """Return an image of noise, the same at every call."""
    generator = torch.Generator().manual_seed(0)
    shape = (1, model.port.trunk.n_channels, *model.port.trunk.image_size)
    noise = torch.randn(shape, generator=generator)
    return noise.to(model.device, model.dtype)


@contextmanager
def _told(port: Port, what: str, part: str) -> Iterator[None]:
    """Say in one line what the model cannot run, and which part of its port to mend."""
    try:
        yield
    except InputError:
        raise
    except (RuntimeError, ValueError, TypeError, AssertionError, AttributeError) as error:
        reason = " ".join(str(error).split())[:200]
        raise InputError(f"{port.name} cannot run {what} ({reason}); mend its {part}") from error


def _check_places(port: Port, pixels: Tensor, tokens: Tokens) -> None:
    """Check that patches make tokens row by row behind the prefix tokens."""
    rows, cols = tokens.grid
    patch_rows, patch_cols = port.trunk.patch
    for row, col in ((0, cols - 1), (rows - 1, 0)):
        changed = pixels.clone()
        top, left = row * patch_rows, col * patch_cols
        changed[:, :, top : top + patch_rows, left : left + patch_cols] += 1
        moved = embed(port, changed).values - tokens.values
        place = int(moved[0].float().norm(dim=-1).argmax())
        expected = port.n_prefix + row * cols + col
        if place != expected:
            raise InputError(
                f"{port.name}: the patch in row {row} and column {col} is token {place}, but its "
                f"trunk says {expected} (grid {rows} x {cols}); mend its prefix, patch or "
                "image_size"
            )


def _check_attention(port: Port, tokens: Tokens) -> Tensor:
    """Check what blocks show, and return the logits of the pass."""
    sums: list[Tensor] = []

    def collect(_module: nn.Module, weights: Tensor, _value: Tensor) -> None:
        sums.append(weights.sum(-1))

    with collecting(port, collect):
        logits = logits_of_tokens(port, tokens)
    if len(sums) != port.n_layers:
        raise InputError(
            f"{port.name} shows attention {len(sums)} times, but has {port.n_layers} blocks; "
            "mend its tap or blocks"
        )
    for block, of_block in enumerate(sums):
        _same(
            port,
            of_block,
            torch.ones_like(of_block),
            f"rows of attention in block {block} do not sum to 1; mend its tap",
        )
    return logits


def _check_mask(port: Port, tokens: Tokens) -> None:
    """Check that a pass of some tokens is one in which nobody attends to the others."""
    n_tokens = tokens.shape[1]
    kept = torch.ones(n_tokens, dtype=torch.bool, device=tokens.device)
    # Neither a row nor a column of patches stays whole.
    kept[port.n_prefix :: 2] = False
    kept[port.n_prefix + 2 :: 5] = False
    if not kept.any():
        return

    def hide(_module: nn.Module, weights: Tensor, _value: Tensor) -> Tensor:
        seen = weights * kept
        return seen / seen.sum(-1, keepdim=True)

    last = port.blocks[-1]
    with outputs_of([last]) as given, collecting(port, hide):
        logits_of_tokens(port, tokens)
    hidden = first_of(given[0])[:, kept]

    places = kept.nonzero()[:, 0][None]
    some = Tokens(tokens.values[:, kept], tokens.grid, places)
    what = "a pass of some tokens, without the others"
    with outputs_of([last]) as given, attending(port.module), _told(port, what, "positions"):
        logits_of_tokens(port, some)
    alone = first_of(given[0])
    fault = (
        "a pass of some tokens is not the one in which the others are unseen; mend its positions"
    )
    _same(port, alone, hidden, fault)


def _same(port: Port, values: Any, expected: Tensor, fault: str) -> None:
    """Raise a fault unless values agree in half of their digits."""
    tolerance = torch.finfo(port.dtype).eps ** 0.5
    values, expected = values.float(), expected.float()
    size = float(expected.abs().max())
    if values.shape != expected.shape:
        raise InputError(f"{port.name}: {fault}")
    distance = float((values - expected).abs().max())
    if not distance <= tolerance * size + tolerance**2:
        raise InputError(f"{port.name}: {fault} (they differ by {distance:.2g} of {size:.2g})")
