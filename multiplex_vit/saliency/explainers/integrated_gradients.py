"""Integrated gradients on pixels."""

from typing import Any

import torch
from torch import Tensor

from multiplex_vit.checks import whole
from multiplex_vit.models.vision_model import VisionModel
from multiplex_vit.saliency.explainers.registry import EXPLAINERS
from multiplex_vit.saliency.explainers.target import Attribution, Target

STEPS = 32
"""Most steps; the paper found 20 to 300 to be enough."""


@EXPLAINERS.register(kind="rival", forward=lambda sizes: min(sizes.budget, STEPS + 1), backward=lambda sizes: min(sizes.budget - 1, STEPS))
def integrated_gradients(model: VisionModel, picture: Any, label: int | str | None = None, *, budget: int = 55) -> Attribution:
    """Return the sum over a patch's pixels of (x - b) int_0^1 dp(b + a (x - b)) / dx da, with x the image, b true black and p the class's probability.

    Sundararajan, Taly, Yan, ICML 2017, arXiv:1703.01365. The black baseline is the paper's; the integral is a sum over midpoints of 32 steps,
    or of as many as the budget leaves. Signed values are summed: so a heatmap's total is p(x) - p(b), as the method promises, and a patch
    that speaks against the class is below 0, where absolute values would rank it with those that speak for it. A forward and a backward
    pass a step, and one forward pass of the whole image.
    """
    target = Target.of(model, picture, label)
    clean = target.clean()
    steps = min(STEPS, whole("budget", budget, at_least=2) - 1)
    change = _integrated(model, target.picture.pixels, model.label_of(label, int(clean.argmax())), steps)
    return target.answer("integrated_gradients", _pooled(change, model.patch), clean, forward_passes=steps + 1, backward_passes=steps)


def _integrated(model: VisionModel, pixels: Tensor, label: int, steps: int) -> Tensor:
    """Return the integrated gradient [channel, row, col] of pixel values [1, channel, row, col]."""
    mean, std = (torch.as_tensor(values.copy(), device=pixels.device)[:, None, None] for values in model.normalisation)
    black = -mean / std
    share = (torch.arange(steps, device=pixels.device) + 0.5)[:, None, None, None] / steps
    gradient = model.pixel_gradients(black + share * (pixels - black), label)
    return (pixels[0] - black) * gradient.float().mean(0)


def _pooled(values: Tensor, patch: tuple[int, int]) -> Tensor:
    """Return the sum [row, col] over channels and each patch's pixels; pixels beyond the last whole patch have no part in the model."""
    return torch.nn.functional.avg_pool2d(values.sum(0)[None, None], patch, divisor_override=1)[0, 0]
