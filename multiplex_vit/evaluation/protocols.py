"""Protocols: how insertion and deletion curves are made of a heatmap.

Each takes a Subject, a heatmap [row, col] and Options, and returns the two curves. Numbers of different protocols never compare.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypedDict

import numpy as np

from multiplex_vit.checks import whole
from multiplex_vit.errors import InputError
from multiplex_vit.evaluation.baselines import BASELINES, Baseline
from multiplex_vit.evaluation.curve import Curve
from multiplex_vit.registry import Registry, name_of

DEFAULT_STEPS = 100
"""Most steps of a curve unless told; grids of fewer patches take every patch."""

PUBLISHED_PERCENT = (1, 5, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100)


class Choices(TypedDict, total=False):
    """Options as keyword arguments."""

    baseline: str | Baseline
    steps: int | None
    seed: int
    batch_size: int | str


@dataclass(frozen=True)
class Options:
    """How a protocol is run.

    Attributes
    ----------
    baseline : str or callable
        A member of `BASELINES`; the token protocol has none.
    steps : int, optional
        Points of a curve after the first; every patch up to 100 unless given.
    seed : int
        Of the random baseline.
    batch_size : int or "auto"
        Most images a forward pass.
    """

    baseline: str | Baseline = "black"
    steps: int | None = None
    seed: int = 0
    batch_size: int | str = "auto"

    def __post_init__(self) -> None:
        if self.steps is not None:
            object.__setattr__(self, "steps", whole("steps", self.steps, at_least=1))
        object.__setattr__(self, "seed", whole("seed", self.seed, at_least=0))

    @property
    def label(self) -> str:
        """Name of the baseline, with the seed where it is random and the steps where they were asked for; part of a result's protocol."""
        steps = "" if self.steps is None else f", {self.steps} steps"
        return f"{name_of(self.baseline)}{f' {self.seed}' if self.baseline == 'random' else ''}{steps}"


@dataclass(frozen=True, eq=False)
class Subject:
    """A model, an image ready for it, and the class whose confidence is followed."""

    model: Any
    pixels: np.ndarray
    label: int
    batch_size: int | str = "auto"

    @cached_property
    def tokens(self) -> Any:
        """The tokens that enter the first block [1, token, width], as the model has them."""
        return self.model.embed(self.pixels)

    def confidence(self, pixels: np.ndarray) -> np.ndarray:
        """Return the class's probability [image] in pixel values [image, channel, row, col]."""
        return self.model.classify(pixels, batch_size=self.batch_size)[:, self.label].cpu().numpy()

    def token_confidence(self, kept: np.ndarray) -> np.ndarray:
        """Return the class's probability [mask] from kept tokens [mask, node]."""
        return self.model.probabilities(self.tokens, kept, batch_size=self.batch_size)[:, self.label].cpu().numpy()

    def baseline(self, function: Baseline, seed: int) -> np.ndarray:
        """Return the image that holds nothing [channel, row, col]."""
        mean, std = self.model.normalisation
        empty = np.asarray(function(self.pixels[0], mean, std, np.random.default_rng(seed)), dtype=np.float32)
        if empty.shape != self.pixels[0].shape or not np.isfinite(empty).all():
            raise InputError(f"baseline {name_of(function)} returned shape {list(empty.shape)}; finite values {list(self.pixels[0].shape)} were wanted")
        return empty


Curves = tuple[Curve, Curve]
Protocol = Callable[[Subject, np.ndarray, Options], Curves]
PROTOCOLS: Registry[Protocol] = Registry("protocol")


@PROTOCOLS.register
def patch(subject: Subject, heatmap: np.ndarray, options: Options) -> Curves:
    """Insert and delete whole patches, best first, ties by index; fractions 0 to 1 with both ends.

    Insertion starts at the baseline image and ends at the clean one, deletion the other way round. Patches that the model's
    patch embedding does not cover (a remainder at the border) go with their nearest patch.
    """
    rank = ranks(heatmap)
    counts = steps_of(heatmap.size, options.steps)
    inserted = rank[None] < counts[:, None]
    spread = _pixel_map(subject, heatmap.shape)
    empty = subject.baseline(BASELINES.resolve(options.baseline), options.seed)
    name = f"patch/{options.label}"
    return _both(subject, inserted[:, spread], empty, counts / heatmap.size, name)


@PROTOCOLS.register
def token(subject: Subject, heatmap: np.ndarray, options: Options) -> Curves:
    """Let tokens enter or leave the sequence, best first, ties by index; fractions 0 to 1 with both ends. No baseline is needed."""
    rank = ranks(heatmap)
    counts = steps_of(heatmap.size, options.steps)
    inserted = rank[None] < counts[:, None]
    fraction, name = counts / heatmap.size, "token" if options.steps is None else f"token/{options.steps} steps"
    return (
        Curve(fraction, subject.token_confidence(inserted), name),
        Curve(fraction, subject.token_confidence(~inserted), name),
    )


@PROTOCOLS.register
def mutex2025(subject: Subject, heatmap: np.ndarray, options: Options) -> Curves:
    """Follow the published evaluation, biases included (doi:10.1007/s00521-025-11591-x).

    The heatmap is enlarged to pixels (nearest); the top int(fraction * pixels) pixels at 1, 5, 10, 20, ..., 100 % change. Fractions
    are in percent, so an AUC lies between 0 and 100. Insertion has no point at 0 %; deletion has (0 %, score 0) where the clean
    confidence belongs: both are biased low. Baselines have their published meaning: "black" is zeros in normalised space (the
    processor's mean colour), "mean" the image's one mean value. Ties inside a patch are broken by index.
    """
    baseline = published_baseline(options.baseline)
    if options.steps is not None:
        raise InputError("mutex2025 has its 12 published points; leave steps out, or use protocol='patch'")
    enlarged = ranks(heatmap).reshape(-1)[_pixel_map(subject, heatmap.shape)]
    rank = np.empty(enlarged.size, dtype=int)
    rank[np.argsort(enlarged, axis=None, kind="stable")] = np.arange(enlarged.size)
    percent = np.array(PUBLISHED_PERCENT, dtype=float)
    counts = (percent / 100 * rank.size).astype(int)
    changed = rank.reshape(enlarged.shape)[None] < counts[:, None, None]
    empty = subject.baseline(baseline, options.seed)
    insertion, deletion = _both(subject, changed, empty, percent, f"mutex2025/{options.label}")
    return insertion, Curve(np.append(0, percent), np.append(0, deletion.confidence), deletion.protocol)


def published_baseline(name: str | Baseline) -> Baseline:
    """Return a baseline by the name it has in the published evaluation."""
    published: dict[Any, Baseline] = {"black": BASELINES["zero"], "blur": BASELINES["blur"], "random": BASELINES["random"], "mean": _overall_mean}
    if not callable(name) and name not in published:
        raise InputError(f"mutex2025 has no baseline {name!r}; known: {', '.join(published)}")
    return name if callable(name) else published[name]


def _overall_mean(pixels: np.ndarray, mean: np.ndarray, std: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return np.full_like(pixels, pixels.mean())


def ranks(heatmap: np.ndarray) -> np.ndarray:
    """Return each node's place in the order of falling values, ties by index.

    Examples
    --------
    >>> ranks(np.array([[1, 3], [3, 2]])).tolist()
    [3, 0, 1, 2]
    """
    order = np.argsort(-heatmap.astype(float), axis=None, kind="stable")
    rank = np.empty(heatmap.size, dtype=int)
    rank[order] = np.arange(heatmap.size)
    return rank


def steps_of(n_nodes: int, steps: int | None) -> np.ndarray:
    """Return the numbers of patches at the points of a curve, 0 and all of them included.

    Examples
    --------
    >>> steps_of(4, None).tolist(), steps_of(10, 2).tolist()
    ([0, 1, 2, 3, 4], [0, 5, 10])
    """
    return np.unique(np.linspace(0, n_nodes, min(n_nodes, steps or DEFAULT_STEPS) + 1).round().astype(int))


def _pixel_map(subject: Subject, grid: tuple[int, ...]) -> np.ndarray:
    """Return the node to which each pixel [row, col] belongs."""
    patch_rows, patch_cols = subject.model.patch
    height, width = subject.pixels.shape[2:]
    row = np.minimum(np.arange(height) // patch_rows, grid[0] - 1)
    col = np.minimum(np.arange(width) // patch_cols, grid[1] - 1)
    return row[:, None] * grid[1] + col


def _both(subject: Subject, changed: np.ndarray, empty: np.ndarray, fraction: np.ndarray, protocol: str) -> Curves:
    """Return the curves of inserting and deleting the pixels changed [step, row, col]."""
    return (
        Curve(fraction, _painted(subject, changed, subject.pixels[0], empty), protocol),
        Curve(fraction, _painted(subject, changed, empty, subject.pixels[0]), protocol),
    )


def _painted(subject: Subject, changed: np.ndarray, inside: np.ndarray, outside: np.ndarray) -> np.ndarray:
    """Return confidences of images that are `inside` where changed and `outside` elsewhere, some steps at a time."""
    chunks = np.array_split(changed, math.ceil(len(changed) / 32))
    return np.concatenate([subject.confidence(np.where(chunk[:, None], inside, outside)) for chunk in chunks])
