"""Integrated gradients on pixels."""

from typing import Any

import torch
from torch import Tensor

from multiplex_vit.checks import whole
from multiplex_vit.models.classifier import Classifier
from multiplex_vit.saliency.explainers.member import Sizes
from multiplex_vit.saliency.explainers.registry import EXPLAINERS
from multiplex_vit.saliency.explainers.target import Target
from multiplex_vit.saliency.explanation import Explanation

STEPS = 32
"""Most steps; the paper found 20 to 300 to be enough."""


def _backward(sizes: Sizes) -> int:
    return min(sizes.budget - 1, STEPS)


def _forward(sizes: Sizes) -> int:
    return _backward(sizes) + 1


@EXPLAINERS.register(kind="rival", forward=_forward, backward=_backward)
def integrated_gradients(
    model: Classifier, picture: Any, label: int | str | None = None, *, budget: int = 55
) -> Explanation:
    """Return the sum over a patch's pixels of (x - b) int_0^1 dp(b + a (x - b)) / dx da.

    x is the image, b true black and p the class's probability. The black baseline is the paper's
    (Sundararajan, Taly, Yan, ICML 2017, arXiv:1703.01365); the integral is a sum over midpoints of
    32 steps, or of as many as the budget leaves. Signed values are summed: so a heatmap's total is
    p(x) - p(b), as the method promises, and a patch that speaks against the class is below 0, where
    absolute values would rank it with those that speak for it. A forward and a backward pass a
    step, and one forward pass of the whole image.
    """
    target = Target.of(model, picture, label)
    clean = target.clean()
    steps = min(STEPS, whole("budget", budget, at_least=2) - 1)
    pixels, explained_class = target.picture.pixels, target.explained_class(clean)
    change = _integrated(model, pixels, explained_class, steps)
    heatmap = _patch_sums(change, model.patch)
    return target.answer(
        heatmap,
        clean,
        forward_passes=steps + 1,
        backward_passes=steps,
    )


def _integrated(model: Classifier, pixels: Tensor, label: int, steps: int) -> Tensor:
    """Return the integrated gradient [channel, row, col] of pixels [1, channel, row, col]."""
    mean, std = model.normalisation
    black = _by_channel(-mean, pixels) / _by_channel(std, pixels)
    # Midpoints, where the trapezoid rule would take a step more.
    midpoints = torch.arange(steps, device=pixels.device) + 0.5
    share = midpoints[:, None, None, None] / steps
    between = black + share * (pixels - black)
    gradient = model.pixel_gradients(between, label)
    return (pixels[0] - black) * gradient.float().mean(0)


def _by_channel(values: Any, pixels: Tensor) -> Tensor:
    """Return values [channel] as a tensor [channel, 1, 1] beside the pixels."""
    return torch.as_tensor(values.copy(), device=pixels.device)[:, None, None]


def _patch_sums(values: Tensor, patch: tuple[int, int]) -> Tensor:
    """Return the sum [row, col] over channels and each patch's pixels.

    Pixels beyond the last whole patch have no part in the model.
    """
    total = values.sum(0)[None, None]
    return torch.nn.functional.avg_pool2d(total, patch, divisor_override=1)[0, 0]
