"""Masks: classifying images, and images from some of their tokens alone."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager

import numpy as np
import torch
from torch import Tensor, nn

from multiplex_vit.models.backbone import Backbone
from multiplex_vit.models.fast.batches import in_batches
from multiplex_vit.models.fast.runner import Runner
from multiplex_vit.models.fast.sharing import Feed, shared
from multiplex_vit.models.heads import Head
from multiplex_vit.models.swaps import forwards
from multiplex_vit.models.tensors import as_masks, computable, to_device


@torch.no_grad()
def scores_of_images(
    runner: Runner, head: Head, pixels: Tensor | np.ndarray, batch_size: int | str
) -> Tensor:
    """Return class scores of whole images; see `VisionModel.classify`."""
    backbone = runner.mask_backbone
    n_token = backbone.n_token(pixels.shape[2:])

    def logits_of(chunk: Tensor) -> Tensor:
        values = to_device(chunk, backbone.device, backbone.dtype)
        return backbone.module(pixel_values=values).logits

    with runner.running(backbone):
        size = runner.batch_size(backbone, n_token, batch_size)
        logits = list(in_batches(logits_of, torch.as_tensor(pixels), size))
        return head.scores(torch.cat(logits))


@torch.no_grad()
def scores_of_masks(
    runner: Runner,
    head: Head,
    tokens: Tensor,
    kept: Sequence[Tensor | np.ndarray],
    batch_size: int | str,
) -> list[Tensor]:
    """Return class scores of several images from their kept tokens alone.

    Parameters
    ----------
    runner : Runner
    head : Head
    tokens : Tensor [image, token, width]
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
    backbone = runner.mask_backbone
    n_token = computable(tokens).shape[1]
    n_nodes = n_token - backbone.n_prefix
    masks = [as_masks(values, n_nodes) for values in kept]
    counts = [len(masks_of_image) for masks_of_image in masks]
    if not sum(counts):
        empty = tokens.new_empty((0, head.n_classes), dtype=torch.float32)
        return [empty.clone() for _ in counts]

    places = _places_of_images(masks, backbone.n_prefix, n_token)
    groups = _by_length(places)
    logits: list[Tensor] = []
    with _sharing(runner, backbone, tokens) as feed, runner.running(backbone):

        def logits_of(chunk: Tensor) -> Tensor:
            chunk = to_device(chunk, backbone.device)
            return _logits(backbone, feed, chunk)

        for numbers in groups:
            group = np.stack([places[number] for number in numbers])
            size = runner.batch_size(backbone, group.shape[1], batch_size)
            logits += in_batches(logits_of, torch.from_numpy(group), size)

    # The passes took masks by their length; here the masks get their order back.
    order = np.argsort(np.concatenate(groups))
    scores = head.scores(torch.cat(logits))
    in_order = scores[to_device(torch.from_numpy(order), backbone.device)]
    return list(in_order.split(counts))


def _sharing(runner: Runner, backbone: Backbone, tokens: Tensor) -> AbstractContextManager[Feed]:
    """Return the context in which sequences consist of these tokens."""
    n_prefix = None
    # A class derived from a known one may read tokens that the known one does not.
    if backbone.is_known and backbone.adapter.reads_prefix:
        n_prefix = backbone.n_prefix
    return shared(
        backbone.embeddings,
        backbone.blocks,
        tokens.flatten(0, 1).to(backbone.dtype),
        n_prefix,
        on=runner.fast.sharing,
    )


def _logits(backbone: Backbone, feed: Feed, places: Tensor) -> Tensor:
    """Return logits of sequences of the tokens at places [sequence, token]."""
    stand_ins: dict[nn.Module, Callable[..., Tensor]] = {}
    if places.shape[1] == backbone.n_prefix:
        # A head that averages the patches is given zeros where there are none.
        for head in backbone.heads:
            stand_ins[head] = _without_nan(head)
    no_image = places.new_empty((len(places), 0), dtype=backbone.dtype)
    with feed(places), forwards(stand_ins):
        return backbone.module(pixel_values=no_image).logits


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
