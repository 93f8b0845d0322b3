"""Gradients: what changes of attention, tokens or pixels do to a class."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from multiplex_vit.errors import InputError
from multiplex_vit.models.attention import attending, blocks_of, outputs_of, watched
from multiplex_vit.models.swaps import fed, skipped


class Gradients:
    """The part of a `VisionModel` that asks for gradients; no parameter of the model is given one."""

    model: Any
    n_layers: int
    n_prefix: int
    grid_of: Callable[..., tuple[int, int]]
    _finite: Callable[[Tensor], Tensor]
    _batch: Callable[[int, int | str], int]

    def attention_gradients(
        self, tokens: Tensor, label: int | None
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Return the attention of every head, the gradient of a class's logit with respect to it, and the class scores.

        Parameters
        ----------
        tokens : Tensor [1, token, width]
            From `embed`.
        label : int, optional
            The class; the predicted one unless given.

        Returns
        -------
        attention, gradient : Tensor [layer, head, query, key]
        probabilities : Tensor [1, class]
        """
        with _followed(self.model), watched(self.model) as layers:
            logits = self._logits(tokens)
            gradients = torch.autograd.grad(logits[0, _explained(logits, label)], layers)
        return (
            torch.cat([layer.detach() for layer in layers]),
            torch.cat(gradients),
            self._finite(logits.detach()),
        )

    def block_gradients(self, tokens: Tensor, label: int | None) -> tuple[Tensor, Tensor]:
        """Return, for each block, how its attention changes the logit that the model's own head gives for that block's output.

        Parameters are as for `attention_gradients`; the predicted class is that of the whole model. It takes a forward pass, and a backward
        pass through each block.

        Returns
        -------
        gradient : Tensor [layer, head, query, key]
        probabilities : Tensor [1, class]
        """
        blocks = blocks_of(self.model, self.n_layers)
        with _followed(self.model), attending(self.model, "sdpa"):
            with watched(self.model) as layers, outputs_of(blocks) as outputs:
                logits = self._logits(tokens)
            label = _explained(logits, label)
            with skipped(blocks):
                gradients = [
                    torch.autograd.grad(self._logits(out)[0, label], layer)[0]
                    for layer, out in zip(layers, outputs, strict=True)
                ]
        return torch.cat(gradients), self._finite(logits.detach())

    def token_gradients(self, tokens: Tensor, label: int | None) -> tuple[Tensor, Tensor, Tensor]:
        """Return the patch tokens after the last block's first layer norm, a logit's gradient with respect to them, and the scores.

        Parameters and results are as for `attention_gradients`, but for tokens and gradient [node, width].
        """
        last = blocks_of(self.model, self.n_layers)[-1]
        norm = next(m for m in last.modules() if isinstance(m, nn.LayerNorm))
        with _followed(self.model), outputs_of([norm]) as outputs, attending(self.model, "sdpa"):
            logits = self._logits(tokens)
            gradient = torch.autograd.grad(logits[0, _explained(logits, label)], outputs)[0]
        return (
            outputs[0].detach()[0, self.n_prefix :],
            gradient[0, self.n_prefix :],
            self._finite(logits.detach()),
        )

    def pixel_gradients(self, pixels: Tensor, label: int) -> Tensor:
        """Return the gradient of a class's score with respect to pixel values, for each of several images by itself.

        Parameters
        ----------
        pixels : Tensor [image, channel, row, col]
            Pre-processed pixel values.
        label : int

        Returns
        -------
        Tensor [image, channel, row, col]
        """
        n_token = self.n_prefix + int(np.prod(self.grid_of(pixels.shape[2:])))
        gradients = []
        with _followed(self.model), attending(self.model, "sdpa"):
            for chunk in pixels.split(self._batch(n_token, "auto")):
                values = chunk.to(self.model.device, self.model.dtype, copy=True).requires_grad_()
                score = self._finite(self.model(pixel_values=values).logits)[:, label]
                gradients.append(torch.autograd.grad(score.sum(), values)[0])
        return torch.cat(gradients)

    def _logits(self, tokens: Tensor) -> Tensor:
        """Return logits [1, class] of tokens, in the graph of gradients; they are copied, as what `embed` returns can be in no graph."""
        with fed(self._embeddings, tokens.clone().requires_grad_()):
            return self.model(pixel_values=tokens.clone()).logits

    @property
    def _embeddings(self) -> nn.Module:
        """The module that turns pixel values into tokens."""
        return getattr(self.model, self.model.base_model_prefix).embeddings


@contextmanager
def _followed(model: nn.Module) -> Iterator[None]:
    """Follow what is computed, for gradients, whatever was said outside."""
    if any(weight.is_inference() for weight in model.parameters()):
        raise InputError(
            "the model was made under torch.inference_mode, where nothing has gradients; make it outside, or under torch.no_grad"
        )
    with torch.inference_mode(False), torch.enable_grad():
        yield


def _explained(logits: Tensor, label: int | None) -> int:
    return int(logits[0].argmax()) if label is None else label
