"""A bright patch on a grid that is not square is found at its own place, by models of every family that learnt to see it."""

import numpy as np
import pytest
import torch
from zoo import NAMES, WIDE, ZOO, model_of

import multiplex_vit as mv

WIDE_ONES = [name for name in NAMES if ZOO[name].grid == (3, 5)]
EXPLAINERS = ("communities", "rise_tokens", "kernel_shap", "occlusion")
PLACES = [(0, 4), (2, 1)]


def images(count, generator):
    """Return images of noise, in half of them a bright patch anywhere, and which these are."""
    pixels = 0.3 * torch.randn(count, 3, *WIDE, generator=generator)
    has_patch = torch.arange(count) % 2
    for number in range(1, count, 2):
        place = int(torch.randint(15, (1,), generator=generator))
        row, col = place // 5, place % 5
        pixels[number, :, 4 * row : 4 * row + 4, 4 * col : 4 * col + 4] += 2
    return pixels, has_patch


def trained(name):
    """Return a model that tells a bright patch from none: class 1 from class 0."""
    model = model_of(name)
    module = model.model
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for weight in module.parameters():
            weight.mul_(0.3)
    weights = [weight.requires_grad_() for weight in module.parameters()]
    optimiser = torch.optim.Adam(weights, lr=3e-3)
    for _ in range(120):
        pixels, has_patch = images(32, generator)
        loss = torch.nn.functional.cross_entropy(model.port.logits(pixels), has_patch)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    assert loss < 0.1, "it has learnt to see the patch"
    return model


@pytest.mark.slow
@pytest.mark.parametrize("name", WIDE_ONES)
def test_a_planted_patch_is_found_at_its_place(name):
    model = trained(name)
    for row, col in PLACES:
        pixels = 0.3 * np.random.default_rng(0).standard_normal((1, 3, *WIDE)).astype(np.float32)
        pixels[:, :, 4 * row : 4 * row + 4, 4 * col : 4 * col + 4] += 2
        for explainer in EXPLAINERS:
            chosen = mv.EXPLAINERS[explainer].where_taken(budget=60)
            heatmap = chosen(model, pixels, label=1).heatmap
            found = np.unravel_index(heatmap.argmax(), heatmap.shape)
            assert found == (row, col), explainer
        # Masks of attention's statistics often hold neighbours of the patch as well.
        heatmap = mv.explain(model, pixels, label=1).heatmap
        assert (heatmap > heatmap[row, col]).sum() < 5, "mutex"
