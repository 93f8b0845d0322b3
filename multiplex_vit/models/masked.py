"""Masks: classifying images, and images from some of their tokens alone."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager

import numpy as np
import torch
from torch import Tensor, nn

from multiplex_vit.models.fast.batches import in_batches
from multiplex_vit.models.fast.runner import Runner
from multiplex_vit.models.fast.sharing import Feed, shared
from multiplex_vit.models.logits import Logits
from multiplex_vit.models.passes import placed
from multiplex_vit.models.port import PREFIX, Port, Tokens
from multiplex_vit.models.swaps import entering, forwards, leaving
from multiplex_vit.models.tensors import as_masks, computable, to_device


@torch.no_grad()
def scores_of_images(
    runner: Runner, outputs: Logits, pixels: Tensor | np.ndarray, batch_size: int | str
) -> Tensor:
    """Return class scores of whole images; see `VisionModel.classify`."""
    port = runner.mask_port
    n_token = port.n_token(pixels.shape[2:])

    def logits_of(chunk: Tensor) -> Tensor:
        return port.logits(to_device(chunk, port.device, port.dtype))

    size = runner.batch_size(port, n_token, batch_size)
    with runner.running(port):
        logits = list(in_batches(logits_of, torch.as_tensor(pixels), size))
        return outputs.scores(torch.cat(logits))


@torch.no_grad()
def scores_of_masks(
    runner: Runner,
    outputs: Logits,
    tokens: Tokens,
    kept: Sequence[Tensor | np.ndarray],
    batch_size: int | str,
) -> list[Tensor]:
    """Return class scores of several images from their kept tokens alone.

    Parameters
    ----------
    runner : Runner
    outputs : Logits
    tokens : Tokens
        From `VisionModel.embed`.
    kept : sequence of Tensor or ndarray, bool [mask, node]
        One an image. Masks that keep equally many tokens share a forward pass, whatever their
        image.
    batch_size : int or "auto"
        Most masks a forward pass.

    Returns
    -------
    list of Tensor [mask, class]
        float32, one an image.
    """
    port = runner.mask_port
    _, n_token, width = computable(tokens.values).shape
    n_nodes = n_token - port.n_prefix
    masks = [as_masks(values, n_nodes) for values in kept]
    counts = [len(masks_of_image) for masks_of_image in masks]
    if not sum(counts):
        empty = tokens.values.new_empty((0, outputs.n_classes), dtype=torch.float32)
        return [empty.clone() for _ in counts]

    places = _places_of_images(masks, port.n_prefix, n_token)
    groups = _by_length(places)
    blank = port.blank(tokens.grid)
    logits: list[Tensor] = []
    with _sharing(runner, port, tokens) as feed, runner.running(port):

        def logits_of(chunk: Tensor) -> Tensor:
            chunk = to_device(chunk, port.device)
            if not chunk.shape[1]:
                return _logits_of_nothing(port, blank, len(chunk), width)
            with feed(chunk), placed(port, chunk % n_token):
                return _logits(port, blank, chunk.shape[1])

        for numbers in groups:
            group = np.stack([places[number] for number in numbers])
            size = runner.batch_size(port, max(1, group.shape[1]), batch_size, width)
            logits += in_batches(logits_of, torch.from_numpy(group), size)

    # The passes took masks by their length; here the masks get their order back.
    order = np.argsort(np.concatenate(groups))
    scores = outputs.scores(torch.cat(logits))
    in_order = scores[to_device(torch.from_numpy(order), port.device)]
    return list(in_order.split(counts))


def _sharing(runner: Runner, port: Port, tokens: Tokens) -> AbstractContextManager[Feed]:
    """Return the context in which sequences consist of these tokens."""
    n_read = None
    # A class derived from a known one may read tokens that the known one does not.
    if port.is_known and port.head.reads == PREFIX:
        n_read = port.n_prefix
    values = tokens.values.flatten(0, 1).to(port.dtype)
    return shared(port.blocks, values, n_read, on=runner.fast.sharing)


def _logits(port: Port, blank: Tensor, n_token: int) -> Tensor:
    """Return logits of the sequences that are fed, of so many tokens."""
    stand_ins: dict[nn.Module, Callable[..., Tensor]] = {}
    if n_token == port.n_prefix:
        # A head that averages the patches is given zeros where there are none.
        for reader in port.readers:
            stand_ins[reader] = _without_nan(reader)
    with forwards(stand_ins):
        return port.logits(blank)


def _logits_of_nothing(port: Port, blank: Tensor, count: int, width: int) -> Tensor:
    """Return logits of sequences without a token: what the head makes of one token of zeros."""
    nothing = blank.new_zeros((1, 1, width))
    place = torch.zeros((1, 1), dtype=torch.long, device=port.device)
    first, last = port.blocks[0], port.blocks[-1]
    with placed(port, place), entering(first, nothing), leaving(last, nothing):
        return port.logits(blank).expand(count, -1)


def _without_nan(head: nn.Module) -> Callable[[Tensor], Tensor]:
    """Return a head's forward function that takes NaN as 0."""
    forward = head.forward

    def replaced(values: Tensor) -> Tensor:
        return forward(values.nan_to_num(nan=0.0))

    return replaced


def _places_of_images(masks: Sequence[np.ndarray], n_prefix: int, n_token: int) -> list[np.ndarray]:
    """Return the places of each mask's tokens among those of all images.

    The prefix tokens come first, then the kept ones in order.
    """
    prefix = np.arange(n_prefix)
    places = []
    for image, masks_of_image in enumerate(masks):
        first = image * n_token
        for mask in masks_of_image:
            nodes = n_prefix + np.flatnonzero(mask)
            places.append(first + np.concatenate([prefix, nodes]))
    return places


def _by_length(places: Sequence[np.ndarray]) -> list[list[int]]:
    """Return the numbers of the sequences of each length, the shortest first."""
    groups: dict[int, list[int]] = {}
    for number, sequence in enumerate(places):
        groups.setdefault(len(sequence), []).append(number)
    return [groups[length] for length in sorted(groups)]
