"""Passes: classifying images, and images from some of their tokens alone."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor

from multiplex_vit.models.adapters import ADAPTERS
from multiplex_vit.models.attention import attending, blocks_of
from multiplex_vit.models.fast.batches import in_batches, sequences_a_batch
from multiplex_vit.models.fast.memory import tokens_that_fit
from multiplex_vit.models.fast.onednn import fast_linear
from multiplex_vit.models.fast.rounding import TF32, tf32
from multiplex_vit.models.fast.sharing import shared
from multiplex_vit.models.fast.switches import Fast
from multiplex_vit.models.swaps import forwards
from multiplex_vit.models.tensors import as_masks, computable, to_device


class Passes:
    """The part of a `VisionModel` that classifies."""

    mask_dtype: torch.dtype | str | None
    fast: Fast
    n_layers: int
    n_prefix: int
    grid_of: Callable[..., tuple[int, int]]
    _finite: Callable[[Tensor], Tensor]

    @property
    def mask_model(self) -> Any:
        """The model that passes run on."""
        raise NotImplementedError

    @property
    def n_classes(self) -> int:
        """How many logits it gives."""
        raise NotImplementedError

    def probabilities(
        self, tokens: Tensor, kept: Tensor | np.ndarray, *, batch_size: int | str = "auto"
    ) -> Tensor:
        """Return class scores of an image from its kept tokens alone, one sequence a mask.

        Parameters
        ----------
        tokens : Tensor [1, token, width]
            From `embed`.
        kept : Tensor or ndarray, bool [mask, node]
            Which patch tokens stay; the prefix tokens always do. Masks that keep equally many share a forward pass.
        batch_size : int or "auto"
            Most masks a forward pass; it is halved where memory is short.

        Returns
        -------
        Tensor [mask, class]
            float32.
        """
        return self.probabilities_of_images(tokens, [kept], batch_size=batch_size)[0]

    @torch.no_grad()
    def probabilities_of_images(
        self, tokens: Tensor, kept: Sequence[Tensor | np.ndarray], *, batch_size: int | str = "auto"
    ) -> list[Tensor]:
        """Return class scores of several images from their kept tokens alone; masks that keep equally many share a pass, whatever their image.

        Parameters
        ----------
        tokens : Tensor [image, token, width]
            From `embed`.
        kept : sequence of Tensor or ndarray, bool [mask, node]
            One an image.
        batch_size : int or "auto"
            Most masks a forward pass; it is halved where memory is short.

        Returns
        -------
        list of Tensor [mask, class]
            float32, one an image.
        """
        n_nodes = computable(tokens).shape[1] - self.n_prefix
        masks = [as_masks(each, n_nodes) for each in kept]
        places = _places(masks, self.n_prefix, tokens.shape[1])
        found: list[Tensor] = []
        order = [number for group in _by_length(places) for number in group]
        with self._sharing(tokens.flatten(0, 1).to(self.mask_model.dtype)) as feed, self._passing():
            for group in _by_length(places):
                size = self._batch(len(places[group[0]]), batch_size)
                stacked = torch.from_numpy(np.stack([places[number] for number in group]))
                found += in_batches(lambda chunk: self._fed(feed, chunk), stacked, size)
        if not order:
            return [tokens.new_empty((0, self.n_classes), dtype=torch.float32) for _ in masks]
        probabilities = self._finite(torch.cat(found))[
            to_device(torch.from_numpy(np.argsort(order)), self.mask_model.device)
        ]
        return list(probabilities.split([len(each) for each in masks]))

    @torch.no_grad()
    def classify(self, pixels: Tensor | np.ndarray, *, batch_size: int | str = "auto") -> Tensor:
        """Return class scores [image, class] of pixel values [image, channel, row, col], float32."""
        n_token = self.n_prefix + int(np.prod(self.grid_of(pixels.shape[2:])))
        with self._passing():
            size = self._batch(n_token, batch_size)
            logits = in_batches(
                lambda chunk: (
                    self.mask_model(
                        pixel_values=to_device(chunk, self.mask_model.device, self.mask_model.dtype)
                    ).logits
                ),
                torch.as_tensor(pixels),
                size,
            )
            return self._finite(torch.cat(list(logits)))

    @contextmanager
    def _passing(self) -> Iterator[None]:
        with (
            attending(self.mask_model, "sdpa"),
            fast_linear(self.mask_model, on=self.fast.onednn),
            tf32(self.mask_dtype == TF32),
        ):
            yield

    def _sharing(self, tokens: Tensor) -> Any:
        """Return the context of sequences of these tokens; a class of one's own may read what the known one does not."""
        known = ADAPTERS.get(type(self.mask_model).__name__)
        n_prefix = self.n_prefix if known is not None and known.reads_prefix else None
        embeddings = getattr(self.mask_model, self.mask_model.base_model_prefix).embeddings
        return shared(
            embeddings,
            blocks_of(self.mask_model, self.n_layers),
            tokens,
            n_prefix,
            on=self.fast.sharing,
        )

    def _fed(self, feed: Callable[[Tensor], Any], places: Tensor) -> Tensor:
        """Return logits of sequences of the tokens at places [sequence, token]; a head that averages patches is given zeros where there are none."""
        empty = places.shape[1] == self.n_prefix
        heads = (
            [
                m
                for n, m in self.mask_model.named_children()
                if n != self.mask_model.base_model_prefix
            ]
            if empty
            else []
        )
        swaps = {
            head: lambda values, own=head.forward: own(values.nan_to_num(nan=0.0)) for head in heads
        }
        places = to_device(places, self.mask_model.device)
        with feed(places), forwards(swaps):
            return self.mask_model(
                pixel_values=places.new_empty((len(places), 0), dtype=self.mask_model.dtype)
            ).logits

    def _batch(self, n_token: int, batch_size: int | str) -> int:
        if not self.fast.batches:
            return 1
        return sequences_a_batch(
            n_token,
            batch_size,
            tokens_that_fit(
                self.mask_model.device,
                self.mask_model.config.hidden_size,
                self.mask_model.dtype.itemsize,
            ),
        )


def _places(kept: Sequence[np.ndarray], n_prefix: int, n_token: int) -> list[np.ndarray]:
    """Return for each mask the places of its tokens among those of all images: prefix tokens, then kept ones in their order."""
    prefix = np.arange(n_prefix)
    return [
        image * n_token + np.concatenate([prefix, n_prefix + np.flatnonzero(mask)])
        for image, masks in enumerate(kept)
        for mask in masks
    ]


def _by_length(places: Sequence[np.ndarray]) -> list[list[int]]:
    """Return the numbers of sequences of each length, the shortest first."""
    groups: dict[int, list[int]] = {}
    for number, each in enumerate(places):
        groups.setdefault(len(each), []).append(number)
    return [groups[length] for length in sorted(groups)]
