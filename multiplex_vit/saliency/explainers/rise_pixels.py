"""RISE on pixels: the image dimmed under smooth random masks."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, interpolate

from multiplex_vit.checks import whole
from multiplex_vit.models.classifier import Classifier
from multiplex_vit.saliency.explainers.member import budgeted
from multiplex_vit.saliency.explainers.registry import EXPLAINERS
from multiplex_vit.saliency.explainers.target import Target
from multiplex_vit.saliency.explanation import Explanation

CELLS, KEPT, CHUNK = 7, 0.5, 64


@EXPLAINERS.register(kind="rival", forward=budgeted, backward=0)
def rise_pixels(
    model: Classifier,
    picture: Any,
    label: int | str | None = None,
    *,
    budget: int = 55,
    seed: int = 0,
) -> Explanation:
    """Return sum_m p(x * M_m) M_m / (n E[M]) over random masks M of pixels, its mean over patches.

    RISE: Petsiuk, Das, Saenko, BMVC 2018, arXiv:1806.07421. Masks are as there: 7 x 7 cells, each
    kept with probability 0.5, enlarged bilinearly to 8 x 8 cells' size and cut out at a random
    shift; pixel values are multiplied by them after normalisation, so what is masked becomes the
    processor's mean colour. The paper takes 4,000 to 8,000 masks; here it is a mask a pass of the
    budget, less the pass of the whole image. Of predicted values, p is how far each lies above the
    least of the masks, or else the chance with which a pixel was masked would outweigh what the
    model says.
    """
    target = Target.of(model, picture, label)
    clean, pixels = target.clean(), target.picture.pixels
    n_masks = whole("budget", budget, at_least=2) - 1
    explained_class = target.explained_class(clean)
    total = torch.zeros(pixels.shape[2:], device=pixels.device)
    coverage, confidences = torch.zeros_like(total), []
    rng = np.random.default_rng(seed)
    # In chunks, as masks of pixels are as large as images.
    for start in range(0, n_masks, CHUNK):
        n_drawn = min(CHUNK, n_masks - start)
        masks = _smooth_masks(rng, n_drawn, pixels.shape[2:])
        masks = masks.to(pixels.device)
        scores = model.classify(pixels * masks[:, None])
        confidence = scores[:, explained_class]
        total += torch.einsum("m,mrc->rc", confidence, masks)
        coverage += masks.sum(0)
        confidences.append(confidence.cpu().numpy())
    floor = model.score.floor(np.concatenate(confidences))
    total -= floor * coverage
    patches = avg_pool2d(total[None, None], model.patch)[0, 0]
    heatmap = patches / (n_masks * KEPT)
    return target.answer(heatmap, clean, forward_passes=n_masks + 1)


def _smooth_masks(rng: np.random.Generator, n_masks: int, size: Sequence[int]) -> Tensor:
    """Return smooth masks float32 [mask, row, col], 0 to 1."""
    # Rounded up, so that the grid of cells covers the image at any shift.
    cell = [-(-side // CELLS) for side in size]
    drawn = rng.random((n_masks, 1, CELLS, CELLS)) < KEPT
    cells = torch.from_numpy(drawn.astype(np.float32))
    large_size = [(CELLS + 1) * side for side in cell]
    large = interpolate(
        cells,
        large_size,
        mode="bilinear",
        align_corners=False,
    )
    masks = []
    shifts = rng.integers(0, cell, (n_masks, 2))
    for mask, (row, col) in zip(large[:, 0], shifts, strict=True):
        masks.append(mask[row : row + size[0], col : col + size[1]])
    return torch.stack(masks)
