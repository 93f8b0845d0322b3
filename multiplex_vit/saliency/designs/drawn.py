"""Designs that draw masks from a seed: of random tokens, or of communities of the token graph."""

import warnings
from collections.abc import Callable, Iterator

import numpy as np

from multiplex_vit.network.token_graph import graph_communities
from multiplex_vit.saliency.designs.groups import finest_communities
from multiplex_vit.saliency.designs.inputs import DESIGNS, DesignInput
from multiplex_vit.saliency.masks import Masks

_TRIES = 20
"""So many draws a mask are made before masks are taken that came before."""

_IDLE = 10_000
"""Draws in a row, at least, that bring nothing new before drawing ends."""

_MASKS_A_PARTITION = 6
_GREATEST_HADAMARD = 4096


@DESIGNS.register
def random(inputs: DesignInput) -> Masks:
    """Return masks that keep a random share 1 - token_ratio of the tokens each, from the seed."""
    rng, every_token = inputs.rng, np.arange(len(inputs.tokens))

    def draw() -> np.ndarray:
        return _united(every_token, inputs.token_ratio, rng)

    return _drawn("random", inputs.n_masks, draw)


@DESIGNS.register(needs="graph")
def community(inputs: DesignInput) -> Masks:
    """Return masks that keep random unions of communities of the token graph, from the seed.

    They keep about a share 1 - token_ratio of the tokens. Six masks are drawn from a partition; the
    next partition has the next of the resolutions, and another seed.
    """
    return unions_of_communities(inputs, inputs.n_masks)


@DESIGNS.register(needs="graph")
def orthogonal(inputs: DesignInput) -> Masks:
    """Return masks in which every two groups of tokens are together as often as apart.

    They are rows of a Hadamard matrix, from the seed. A group is a token, or, where there are more
    than two tokens a mask, a community of the token graph, of which there are then at most as many
    as masks. A mask keeps half of the groups, whatever the token_ratio. (Plackett, Burman,
    Biometrika 33, 305 (1946), doi:10.1093/biomet/33.4.305.)
    """
    assert inputs.graph is not None
    groups = _groups(inputs.graph, inputs.n_masks)
    rows = _balanced(groups.max() + 1, inputs.n_masks, inputs.rng)

    def draw() -> np.ndarray:
        return next(rows)[groups]

    return _drawn("orthogonal", inputs.n_masks, draw)


def unions_of_communities(inputs: DesignInput, n_masks: int) -> Masks:
    """Return so many masks of the design `community`."""
    unions = _unions(inputs)
    return _drawn("community", n_masks, lambda: next(unions))


def _unions(inputs: DesignInput) -> Iterator[np.ndarray]:
    """Yield random unions bool [node] of communities, without end."""
    assert inputs.graph is not None
    rng, number = inputs.rng, 0
    while True:
        resolution = inputs.resolutions[number % len(inputs.resolutions)]
        # Another seed, since the same one would find the same communities.
        seed = inputs.seed + number
        partition = graph_communities(inputs.graph, resolution=resolution, seed=seed)
        for _ in range(_MASKS_A_PARTITION):
            yield _united(partition, inputs.token_ratio, rng)
        number += 1


def _united(partition: np.ndarray, token_ratio: float, rng: np.random.Generator) -> np.ndarray:
    """Return a random union bool [node] of parts.

    It is of a random order as many parts as come nearest to the share of nodes wanted.
    """
    order = rng.permutation(partition.max() + 1)
    sizes = np.bincount(partition)[order]
    # Of no part, the first part, the first two, ...
    united = np.concatenate([[0], sizes.cumsum()])
    wanted = (1 - token_ratio) * len(partition)
    n_parts = np.abs(united - wanted).argmin()
    return np.isin(partition, order[:n_parts])


def _drawn(design: str, n_masks: int, draw: Callable[[], np.ndarray]) -> Masks:
    """Return masks drawn until so many are distinct.

    Few nodes may not have so many. Then masks repeat, which takes no second pass, and drawing ends
    where nothing new was seen for long.
    """
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
        asked = f"{n_masks:,} masks were asked for"
        there = f"there are {len(masks):,} distinct ones"
        drawn = f"no more than {len(kept):,} were drawn"
        warnings.warn(f"{asked}; {there}, and {drawn}", stacklevel=2)
    return Masks.of(np.array(kept, dtype=bool), design)


def _groups(graph: np.ndarray, n_masks: int) -> np.ndarray:
    """Return the group [node] of every token.

    It is the token itself while there are at most two tokens a mask, else its community.
    """
    if len(graph) <= 2 * n_masks:
        return np.arange(len(graph))
    return finest_communities(graph, n_masks)


def _balanced(n_groups: int, n_masks: int, rng: np.random.Generator) -> Iterator[np.ndarray]:
    """Yield which groups are kept, without end: rows of a Hadamard matrix but its first.

    Rows, columns and signs are drawn.
    """
    from scipy.linalg import hadamard

    wanted = max(n_groups, n_masks + 1, 4)
    most = max(n_groups, _GREATEST_HADAMARD)
    # Such matrices are made for powers of two.
    size = 1 << int(min(wanted, most) - 1).bit_length()
    # The first row keeps every group.
    matrix = hadamard(size, dtype=np.int8)[1:]
    plus_or_minus = np.array([-1, 1], dtype=np.int8)
    while True:
        # Drawn anew, or else the same masks would come again.
        columns = rng.permutation(size)[:n_groups]
        signs = rng.choice(plus_or_minus, n_groups)
        for row in rng.permutation(size - 1):
            yield matrix[row, columns] * signs > 0
