"""Mask designs: which tokens to keep in each of the passes that there are.

Each takes a Ground and returns Masks. What imports torch is imported where masks are made, so that reading names stays quick.
"""

import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from multiplex_vit.errors import InputError
from multiplex_vit.network.token_graph import graph_communities
from multiplex_vit.registry import Named, Registry

if TYPE_CHECKING:
    from multiplex_vit.network.tokens import Tokens
    from multiplex_vit.saliency.masks import Masks
    from multiplex_vit.saliency.settings import Settings

_TRIES = 20
_IDLE = 10_000
"""Draws in a row, at least, that bring nothing new before drawing ends."""

_MASKS_A_PARTITION = 6
_BISECTIONS, _GREATEST_HADAMARD = 10, 4096


@dataclass(frozen=True, eq=False)
class Ground:
    """What masks are made from.

    Attributes
    ----------
    stacked : callable
        Gives `attention`, for designs that ask for it.
    settings : Settings
    tokens : Tokens
        The nodes.
    graph : ndarray [node, node], optional
        The token graph, for designs that say that they need one.
    known : dict
        Statistics of nodes that were computed already, for settings of one image that differ in later steps.
    """

    stacked: Callable[[], Any]
    settings: "Settings"
    tokens: "Tokens"
    graph: np.ndarray | None = None
    known: dict[Any, Any] = field(default_factory=dict)

    @cached_property
    def attention(self) -> Any:
        """Attention [operator, layer, source, target] between patch tokens, pooled over heads by `settings.operators`; a Tensor."""
        return self.stacked()

    @property
    def n_masks(self) -> int:
        """How many masks there may be: the passes of the budget less that of the whole image."""
        return self.settings.n_masks


DESIGNS: Registry[Callable[[Ground], "Masks"]] = Registry("mask design")
"""A member may be registered with `most`, a function of settings and the number of tokens: how many
masks it makes at most, where that is less than a large budget allows."""

RIVAL_DESIGNS = ("kernel_shap", "similarity_walks", "tis")
"""Designs of the rivals of these names, which make masks of more than a Ground has. The settings of
their explanations name them, so that they can be saved, loaded and weighed by other estimators."""


def design_of(design: Named) -> Callable[[Ground], "Masks"]:
    """Return the function of a design.

    Raises
    ------
    InputError
        If there is none, or a rival alone makes its masks.

    Examples
    --------
    >>> design_of("tis")
    Traceback (most recent call last):
    multiplex_vit.errors.InputError: design 'tis' belongs to an explainer; call mv.explain(model, image, method='tis')
    """
    if isinstance(design, str) and design in RIVAL_DESIGNS:
        call = f"mv.explain(model, image, method={design!r})"
        raise InputError(f"design {design!r} belongs to an explainer; call {call}")
    return DESIGNS.resolve(design)


@DESIGNS.register(most=lambda settings, n_tokens: settings.n_combinations)
def centrality(ground: Ground) -> "Masks":
    """Return the published masks: a share of the nodes that are most central, for every operator, centrality and statistic.

    A budget that is less leaves evenly spread ones of the distinct masks; one that is more is not used up.
    """
    masks = made(ground)
    return masks if len(masks.distinct()[0]) <= ground.n_masks else _spread(masks, ground.n_masks)


@DESIGNS.register
def random(ground: Ground) -> "Masks":
    """Return masks that keep a random share 1 - token_ratio of the tokens each, from the seed."""
    rng = np.random.default_rng(ground.settings.seed)
    return _drawn("random", ground.n_masks, lambda: _united(np.arange(len(ground.tokens)), ground.settings.token_ratio, rng))


@DESIGNS.register(needs="graph")
def community(ground: Ground) -> "Masks":
    """Return masks that keep random unions of communities of the token graph, about a share 1 - token_ratio of the tokens, from the seed.

    Six masks are drawn from a partition; the next partition has the next of the settings' resolutions, and another seed.
    """
    return _communities(ground, ground.n_masks)


@DESIGNS.register(needs="graph")
def mixed(ground: Ground) -> "Masks":
    """Return half `centrality` masks, evenly spread over the distinct ones, and `community` masks for the rest of the budget."""
    central = _spread(made(ground), ground.n_masks // 2)
    return central + _communities(ground, ground.n_masks - len(central))


@DESIGNS.register(needs="graph")
def orthogonal(ground: Ground) -> "Masks":
    """Return masks in which every two groups of tokens are together as often as apart: rows of a Hadamard matrix, from the seed.

    A group is a token, or, where there are more than two tokens a mask, a community of the token graph, of which there are then at most as many as masks. A
    mask keeps half of the groups, whatever the token_ratio. (Plackett, Burman, Biometrika 33, 305 (1946), doi:10.1093/biomet/33.4.305.)
    """
    assert ground.graph is not None
    rng, groups = np.random.default_rng(ground.settings.seed), _groups(ground.graph, ground.n_masks)
    masks = _balanced(groups.max() + 1, ground.n_masks, rng)
    return _drawn("orthogonal", ground.n_masks, lambda: next(masks)[groups])


@DESIGNS.register(needs="graph", most=lambda settings, n_tokens: n_tokens)
def occlusion(ground: Ground) -> "Masks":
    """Return masks that each remove one community of the token graph, of the finest that are at most as many as masks.

    Every token is removed once, whatever the seed and the token_ratio; a budget for more than a mask a token is not used up.
    """
    from multiplex_vit.saliency.masks import Masks

    assert ground.graph is not None
    groups = _finest(ground.graph, ground.n_masks)
    kept = groups[None] != np.arange(groups.max() + 1)[:, None]
    return Masks(kept, (("", "", ""),) * len(kept), ("occlusion",) * len(kept))


def made(ground: Ground) -> "Masks":
    """Return masks of statistics; attention is asked for only where a statistic is not known yet."""
    from multiplex_vit.saliency.masks import are_known, make_masks, masks_of

    if are_known(ground.known, ground.settings):
        return masks_of(ground.known, ground.settings)
    return make_masks(ground.attention, ground.settings, ground.tokens, ground.known)


def _groups(graph: np.ndarray, n_masks: int) -> np.ndarray:
    """Return the group [node] of every token: itself while there are at most two tokens a mask, else its community."""
    return np.arange(len(graph)) if len(graph) <= 2 * n_masks else _finest(graph, n_masks)


def _finest(graph: np.ndarray, n_masks: int) -> np.ndarray:
    """Return the finest communities [node] that are at most as many as masks: every token for itself, or else found by bisection.

    Where even the coarsest communities are more than the masks, the coarsest are merged in turn.
    """
    if len(graph) <= n_masks:
        return np.arange(len(graph))
    low, high = 0.0, 10.0
    found = graph_communities(graph, resolution=1.0)
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        finer = graph_communities(graph, resolution=2**middle)
        if finer.max() + 1 <= n_masks:
            low, found = middle, finer
        else:
            high = middle
    return found % n_masks


def _balanced(n_groups: int, n_masks: int, rng: np.random.Generator) -> Iterator[np.ndarray]:
    """Yield which groups are kept, without end: rows of a Hadamard matrix but its first, with rows, columns and signs drawn."""
    from scipy.linalg import hadamard

    size = 1 << int(min(max(n_groups, n_masks + 1, 4), max(n_groups, _GREATEST_HADAMARD)) - 1).bit_length()
    matrix = hadamard(size, dtype=np.int8)[1:]
    while True:
        columns, signs = rng.permutation(size)[:n_groups], rng.choice(np.array([-1, 1], dtype=np.int8), n_groups)
        for row in rng.permutation(size - 1):
            yield matrix[row, columns] * signs > 0


def _communities(ground: Ground, n_masks: int) -> "Masks":
    settings, drawn = ground.settings, 0
    rng = np.random.default_rng(settings.seed)
    partition: np.ndarray = np.array([])

    def union() -> np.ndarray:
        nonlocal partition, drawn
        if drawn % _MASKS_A_PARTITION == 0:
            number = drawn // _MASKS_A_PARTITION
            resolution = settings.resolutions[number % len(settings.resolutions)]
            assert ground.graph is not None
            partition = graph_communities(ground.graph, resolution=resolution, seed=settings.seed + number)
        drawn += 1
        return _united(partition, settings.token_ratio, rng)

    return _drawn("community", n_masks, union)


def _united(partition: np.ndarray, token_ratio: float, rng: np.random.Generator) -> np.ndarray:
    """Return a random union [node] of parts: of a random order as many as come nearest to the share of nodes wanted."""
    order = rng.permutation(partition.max() + 1)
    sizes = np.concatenate([[0], np.bincount(partition)[order].cumsum()])
    n_parts = np.abs(sizes - (1 - token_ratio) * len(partition)).argmin()
    return np.isin(partition, order[:n_parts])


def _drawn(design: str, n_masks: int, draw: Callable[[], np.ndarray]) -> "Masks":
    """Return masks drawn until so many are distinct.

    Few nodes may not have so many. Then masks repeat, which takes no second pass, and drawing ends
    where nothing new was seen for long.
    """
    from multiplex_vit.saliency.masks import Masks

    masks: dict[bytes, np.ndarray] = {}
    repeated: list[np.ndarray] = []
    idle = 0
    for _ in range(_TRIES * n_masks):
        if len(masks) == n_masks or idle > max(_IDLE, 5 * len(masks)):
            break
        mask = draw()
        idle += 1
        if masks.setdefault(mask.tobytes(), mask) is mask:
            idle = 0
        elif len(repeated) < n_masks:
            repeated.append(mask)
    kept = [*masks.values(), *repeated][:n_masks]
    if len(kept) < n_masks:
        line = f"{n_masks:,} masks were asked for; there are {len(masks):,} distinct ones"
        warnings.warn(f"{line}, and no more than {len(kept):,} were drawn", stacklevel=2)
    return Masks(np.array(kept, dtype=bool), (("", "", ""),) * len(kept), (design,) * len(kept))


def _spread(masks: "Masks", n_masks: int) -> "Masks":
    """Return at most so many of the distinct masks, evenly spread over their order."""
    first, _ = masks.distinct()
    places = first[np.unique(np.linspace(0, len(first) - 1, min(n_masks, len(first))).round().astype(int))]
    return masks.select(np.isin(np.arange(len(masks)), places))
