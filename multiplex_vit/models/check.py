"""The self-check: a few passes that prove a model is read rightly.

Where half of the digits of the model's type agree, two ways of computing one thing are taken for
the same: rounding takes far fewer, and what is read wrongly differs in the first ones.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from multiplex_vit.errors import InputError
from multiplex_vit.models.attention import collecting
from multiplex_vit.models.inputs import embed
from multiplex_vit.models.passes import logits_of_tokens
from multiplex_vit.models.port import ATTENTION, PATCHES, PREFIX, Port, Tokens, Trunk, part_at
from multiplex_vit.models.probe import read
from multiplex_vit.models.running import attending, in_one_line, inputs_of, outputs_of
from multiplex_vit.models.swaps import first_of
from multiplex_vit.models.vision_model import VisionModel


@torch.no_grad()
def check_reading(model: VisionModel) -> None:
    """Check that a model is read rightly, by passes of an image of noise.

    - The module has every part that its trunk and its head name, but for those of the stem.
    - The first block is given the tokens that the trunk says, each patch at its own place.
    - Every block shows its attention once, and its rows sum to 1.
    - The output layer of every block is given what the heads of its attention bring.
    - The head's norm, or without one its readers, are given what the last block gives, or what
      the head reads of it.
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
    _check_parts(port)
    pixels = _noise(model)
    rows, cols = port.trunk.image_size
    image = f"an image of {port.trunk.n_channels} x {rows} x {cols}"
    with attending(port.module), in_one_line(port.name, image, "trunk"):
        own = port.logits(pixels)
    tokens = embed(port, pixels)
    _check_places(port, pixels, tokens)
    watched = _watched(port, tokens)
    _check_attention(port, watched)
    fault = "with its attention watched it gives other logits; mend its tap"
    _same(port, watched.logits, own, fault)
    _check_output(port, watched)
    _check_head(port, watched)

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


def _check_parts(port: Port) -> None:
    """Check that every part is there that the trunk or the head names."""
    module, name = port.module, port.name
    trunk, head = port.trunk, port.head
    blocks = trunk.blocks
    if isinstance(blocks, str):
        blocks = (blocks,)
    for path in blocks:
        _check_layer(module, path, name, "trunk's blocks")
    for path in head.readers:
        _check_layer(module, path, name, "head's readers")
    if head.norm:
        _check_layer(module, head.norm, name, "head's norm")
    # A projection is a weight, and no layer.
    if head.projection and not _has(module, head.projection):
        problem = f"{name} has no {head.projection!r}"
        raise InputError(f"{problem}; mend its head's projection")
    if not port.blocks:
        problem = f"{name} has no blocks in {trunk.blocks!r}"
        raise InputError(f"{problem}; mend its trunk's blocks")
    for number, block in enumerate(port.blocks):
        _check_parts_of_block(block, f"block {number} of {name}", trunk)


def _check_parts_of_block(block: nn.Module, name: str, trunk: Trunk) -> None:
    if trunk.output:
        _check_layer(block, trunk.output, name, "trunk's output")
    # What is there may be None, as a scale that a block leaves out.
    if trunk.scale and not _has(block, trunk.scale):
        problem = f"{name} has no {trunk.scale!r}"
        raise InputError(f"{problem}; mend its trunk's scale")


def _check_layer(module: Any, path: str, owner: str, fact: str) -> None:
    if not isinstance(part_at(module, path), nn.Module):
        problem = f"{owner} has no layer {path!r}"
        raise InputError(f"{problem}; mend its {fact}")


def _has(module: Any, path: str) -> bool:
    """Tell whether there is a part of this path, be it None."""
    *before, name = path.split(".")
    owner = module
    if before:
        owner = part_at(module, ".".join(before))
    return hasattr(owner, name)


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


@dataclass(frozen=True, eq=False)
class _Watched:
    """What a pass shows of attention, and of the parts that the trunk and the head name.

    Attributes
    ----------
    sums : list of Tensor [image, head, query]
        Of rows of attention, one entry a block.
    brought : list of Tensor [image, token, head x dimension]
        What the heads of each block's attention bring.
    given : dict of nn.Module to Tensor
        What output layers, norm and readers are called with.
    left : list
        What the last block gives.
    logits : Tensor [image, class]
    """

    sums: list[Tensor]
    brought: list[Tensor]
    given: dict[nn.Module, Any]
    left: list[Any]
    logits: Tensor


def _watched(port: Port, tokens: Tokens) -> _Watched:
    """Return what a pass of all tokens shows."""
    sums: list[Tensor] = []
    brought: list[Tensor] = []

    def collect(_module: nn.Module, weights: Tensor, value: Tensor) -> None:
        sums.append(weights.sum(-1))
        of_heads = torch.matmul(weights.to(value.dtype), value)
        brought.append(of_heads.transpose(1, 2).flatten(2))

    parts = [port.part(path) for path in _first_of_head(port)]
    output = port.trunk.output
    if output:
        parts += [part_at(block, output) for block in port.blocks]
    last = port.blocks[-1]
    with (
        inputs_of(parts) as given,
        outputs_of([last]) as left,
        collecting(port, collect),
    ):
        logits = logits_of_tokens(port, tokens)
    return _Watched(sums, brought, given, left, logits)


def _check_attention(port: Port, watched: _Watched) -> None:
    """Check that every block shows its attention once, and that its rows sum to 1."""
    sums = watched.sums
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


def _check_output(port: Port, watched: _Watched) -> None:
    """Check that the layer behind attention is given what the heads bring, in every block."""
    path = port.trunk.output
    if not path:
        return
    for number, block in enumerate(port.blocks):
        given = watched.given.get(part_at(block, path))
        brought = watched.brought[number]
        if not _agree(port, given, brought):
            layer = f"{path!r} of block {number}"
            problem = f"{layer} is not given what the heads of attention bring"
            raise InputError(f"{port.name}: {problem}; mend its trunk's output")


def _check_head(port: Port, watched: _Watched) -> None:
    """Check that the first part of the head is given what the last block gives, or a reading of it.

    What is behind a norm is taken as it stands.
    """
    last = first_of(watched.left[0])
    for place, path in enumerate(_first_of_head(port)):
        given = watched.given.get(port.part(path))
        readings = _readings(port, last, place)
        # Norms of some models are given all tokens, those of others the ones that are read.
        if not any(_agree(port, given, reading) for reading in readings):
            problem = f"{path!r} is not given what the last block gives"
            reads = f"nor what a head reads of it that reads {port.head.reads!r}"
            raise InputError(f"{port.name}: {problem}, {reads}; mend its head")


def _first_of_head(port: Port) -> tuple[str, ...]:
    """Return the paths of what is nearest to the blocks, of what the head names."""
    head = port.head
    if head.norm:
        return (head.norm,)
    # Attention of the head's own stands between the last block and the readers.
    return () if head.reads == ATTENTION else head.readers


def _readings(port: Port, last: Tensor, place: int) -> list[Tensor]:
    """Return what the first part of a head, or the reader at a place, may be given."""
    head = port.head
    of_image = read(last, head.reads, port.n_prefix)
    if head.reads == PATCHES and head.norm:
        # The mean before a norm is not the mean behind it.
        return [last if head.norm_first else of_image]
    readings = [last, of_image]
    if head.reads == PREFIX and place < last.shape[1]:
        readings.append(last[:, place])
    return readings


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
    told = in_one_line(port.name, what, "positions")
    with outputs_of([last]) as given, attending(port.module), told:
        logits_of_tokens(port, some)
    alone = first_of(given[0])
    fault = (
        "a pass of some tokens is not the one in which the others are unseen; mend its positions"
    )
    _same(port, alone, hidden, fault)


def _same(port: Port, values: Any, expected: Tensor, fault: str) -> None:
    """Raise a fault unless values agree in half of their digits."""
    if _agree(port, values, expected):
        return
    apart = ""
    if values.shape == expected.shape:
        distance, size = _distance(values, expected)
        apart = f" (they differ by {distance:.2g} of {size:.2g})"
    raise InputError(f"{port.name}: {fault}{apart}")


def _agree(port: Port, values: Any, expected: Tensor) -> bool:
    """Tell whether values are there, and agree with others in half of their digits."""
    if not isinstance(values, Tensor) or values.shape != expected.shape:
        return False
    tolerance = torch.finfo(port.dtype).eps ** 0.5
    distance, size = _distance(values, expected)
    return distance <= tolerance * size + tolerance**2


def _distance(values: Tensor, expected: Tensor) -> tuple[float, float]:
    """Return the greatest distance of two tensors of one shape, and the greatest expected value."""
    values, expected = values.float(), expected.float()
    return float((values - expected).abs().max()), float(expected.abs().max())
