"""How far batch sizes and threads, which change the order of sums, move heatmaps; and why no more.

Each bound follows from how the heatmap is computed: an error that comes in is multiplied by no more
than the largest sum of the slopes that it meets.
"""

from contextlib import contextmanager
from functools import partial

import numpy as np
import pytest
import torch

import multiplex_vit as mv

CAT = mv.samples()["cat"]
UNIT = 2.0**-24
LINEAR = ("coverage", "contrast", "graph", "shapley")
"""Estimators that are linear in the confidences once masks and graph are given."""


@contextmanager
def threads_of(number):
    """Let torch use so many threads, and put their number back."""
    before = torch.get_num_threads()
    torch.set_num_threads(number)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def gain(explanation, estimator):
    """Return the most that an error of 1 in every confidence moves a node, of a linear estimator."""
    options = {"smoothness": explanation.settings.smoothness} if estimator == "graph" else {}
    function = mv.saliency.ESTIMATORS[estimator]
    kept = explanation.masks.kept
    reached = np.zeros(kept.shape[1])
    for one_mask in np.eye(len(kept)):
        reached += np.abs(function(kept, one_mask, explanation.graph, **options))
    return reached.max()


def furthest(first, second):
    """Return the greatest difference of two arrays, in float64."""
    return np.abs(first.astype(float) - second).max()


@pytest.fixture(scope="module")
def two_batch_sizes(demo_vit):
    """Return a maker of an explanation by "communities" in large passes, and in passes of one mask."""

    def make(method, **choices):
        options = {"method": method, **choices}
        return [mv.explain(demo_vit, CAT, batch_size=size, **options) for size in ("auto", 1)]

    return make


@pytest.mark.parametrize("method", ["mutex", "communities"])
def test_confidences_hardly_depend_on_the_batch_size(two_batch_sizes, method):
    """A confidence is at most 1 and its slope by a logit at most 1/4, so logits' errors shrink.

    An error of 1e-5 is what all that is said of confidences allows (see `test_published`).
    """
    first, second = two_batch_sizes(method)
    assert furthest(first.confidence, second.confidence) < 1e-5


@pytest.mark.slow
@pytest.mark.parametrize("estimator", LINEAR)
def test_a_linear_estimator_moves_by_at_most_its_gain(two_batch_sizes, estimator):
    first, second = two_batch_sizes("communities", estimator=estimator, prior=None)
    error = furthest(first.confidence, second.confidence)
    moved = furthest(first.heatmap, second.heatmap)
    own_rounding = len(first.masks) * UNIT * np.abs(first.heatmap).max()
    assert moved <= error * gain(first, estimator) + own_rounding


def test_with_a_prior_the_heatmap_moves_by_at_most_the_sum_of_its_slopes(two_batch_sizes):
    """The unit of the prior and its trust follow the confidences, so that the estimate is not linear.

    Where it is smooth, errors as small as these move it by no more than its slopes say.
    """
    first, second = two_batch_sizes("communities")
    settings, kept, confidence = first.settings, first.masks.kept, first.confidence.astype(float)
    estimate = partial(
        mv.saliency.ESTIMATORS["graph"],
        kept,
        graph=first.graph,
        smoothness=settings.smoothness,
        prior=first.prior.of_class(first.label),
        prior_weight=settings.prior_weight,
    )
    reached = np.zeros(kept.shape[1])
    for step in 1e-5 * np.eye(len(kept)):
        change = estimate(confidence=confidence + step) - estimate(confidence=confidence - step)
        reached += np.abs(change) / 2e-5
    bound = furthest(first.confidence, second.confidence) * reached.max()
    moved = furthest(first.heatmap, second.heatmap)
    assert moved <= 1.01 * bound + 4 * UNIT * np.abs(first.heatmap).max()
    assert bound < 1e-3 * np.ptp(first.heatmap), "which no picture of it shows"


@pytest.mark.slow
def test_generic_attention_moves_by_at_most_its_products(demo_vit):
    """R becomes (1 + B) R block by block, B = mean(relu(gradient * attention)) without a sign.

    Nothing cancels in sums of what is not negative, and relu moves by no more than what it is given.
    An error e in every row of each B, and the rounding of n terms, then move R by at most
    L (e + n u) times the product of 1 + |B| over the L blocks.
    """
    found = {}
    for threads in (1, 2):
        with threads_of(threads):
            asked = mv.saliency.Target.of(demo_vit, CAT, None)
            attention, gradient, _ = demo_vit.attention_gradients(asked.tokens, asked.index)
            heatmap = mv.EXPLAINERS["generic_attention"](demo_vit, CAT).heatmap
        found[threads] = ((attention * gradient).relu().mean(1).double(), heatmap)
    blocks, heatmap = found[1]
    other_blocks, other_heatmap = found[2]
    error = float((blocks - other_blocks).abs().sum(-1).max())
    growth = float((1 + blocks.sum(-1).amax(-1)).prod())
    bound = len(blocks) * (error + blocks.shape[-1] * UNIT) * growth
    assert furthest(heatmap, other_heatmap) <= bound
    assert bound < 0.01 * np.ptp(heatmap)


@pytest.mark.slow
@pytest.mark.parametrize("method", list(mv.EXPLAINERS))
def test_no_heatmap_depends_on_the_number_of_threads(demo_vit, method):
    found = []
    for threads in (1, 2):
        with threads_of(threads):
            found.append(mv.EXPLAINERS[method](demo_vit, CAT).heatmap)
    assert furthest(*found) <= 2e-5 * max(np.ptp(found[0]), 1e-6)
