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
    n_token = runner.backbone.n_token(pixels.shape[2:])
    backbone = runner.mask_backbone

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
    """Return class scores of masks by image; see `VisionModel.probabilities_of_images`."""
    n_prefix, n_token = runner.backbone.n_prefix, tokens.shape[1]
    n_nodes = computable(tokens).shape[1] - n_prefix
    masks = [as_masks(values, n_nodes) for values in kept]
    places = []
    for image, masks_of_image in enumerate(masks):
        for mask in masks_of_image:
            places.append(image * n_token + _places(mask, n_prefix))
    if not places:
        empty = tokens.new_empty((0, head.n_classes), dtype=torch.float32)
        return [empty.clone() for _ in masks]

    backbone = runner.mask_backbone
    groups = _by_length(places)
    logits: list[Tensor] = []
    with _sharing(runner, backbone, tokens) as feed, runner.running(backbone):

        def logits_of(chunk: Tensor) -> Tensor:
            return _logits(backbone, feed, to_device(chunk, backbone.device))

        for numbers in groups:
            size = runner.batch_size(backbone, len(places[numbers[0]]), batch_size)
            stacked = torch.from_numpy(np.stack([places[number] for number in numbers]))
            logits += in_batches(logits_of, stacked, size)

    # The passes took masks by their length; here they get their order back.
    order = [number for numbers in groups for number in numbers]
    place_of = to_device(torch.from_numpy(np.argsort(order)), backbone.device)
    scores = head.scores(torch.cat(logits))[place_of]
    return list(scores.split([len(masks_of_image) for masks_of_image in masks]))


def _sharing(runner: Runner, backbone: Backbone, tokens: Tensor) -> AbstractContextManager[Feed]:
    """Return the context in which sequences consist of these tokens."""
    # A class derived from a known one may read tokens that the known one does not.
    reads_prefix = backbone.is_known and backbone.adapter.reads_prefix
    return shared(
        backbone.embeddings,
        backbone.blocks,
        tokens.flatten(0, 1).to(backbone.dtype),
        backbone.n_prefix if reads_prefix else None,
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


def _places(mask: np.ndarray, n_prefix: int) -> np.ndarray:
    """Return the places of a mask's tokens: the prefix tokens, then the kept ones in order."""
    return np.concatenate([np.arange(n_prefix), n_prefix + np.flatnonzero(mask)])


def _by_length(places: Sequence[np.ndarray]) -> list[list[int]]:
    """Return the numbers of the sequences of each length, the shortest first."""
    groups: dict[int, list[int]] = {}
    for number, sequence in enumerate(places):
        groups.setdefault(len(sequence), []).append(number)
    return [groups[length] for length in sorted(groups)]
