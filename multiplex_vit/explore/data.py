"""What the page shows, as frozen values of plain arrays.

`Multiplex.explore`, `Explanation.explore` and `mv.explorer` make them; each part but the networks
may be missing, and the page then leaves it out.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from multiplex_vit.arguments import check_fields
from multiplex_vit.errors import InputError
from multiplex_vit.explore.thinning import Strongest

MOST_NETWORKS = 64
"""Networks of one page, counting each head as one."""


@dataclass(frozen=True, eq=False)
class Partition:
    """Groups of nodes, by which they can be coloured.

    Attributes
    ----------
    numbers : ndarray int [layer, node]
        From 0 up.
    labels : tuple of str
        What the page calls the groups 0, 1, ... Default: their numbers.
    """

    numbers: np.ndarray
    labels: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        check_fields(self)


@dataclass(frozen=True, eq=False)
class ThinNetwork:
    """A multiplex network of which only each node's strongest edges are left.

    Attributes
    ----------
    name : str
        What the page calls it, such as "sum over heads" or "head 3".
    grid : tuple of int
        Rows and columns of patches.
    prefix : tuple of str
        Names of the prefix tokens, which are the first nodes.
    layer_names : tuple of str
    edges : "attention" or "information"
        Which way edges run.
    n_edges : ndarray int [layer]
        Edges of each layer before it was thinned, self-loops left out.
    greatest : ndarray float [layer]
        Weight of which the shares of `sent` and `received` are shares.
    sent, received : Strongest
        The strongest edges that nodes send, and those that they receive.
    measures : mapping of str to ndarray float [layer, node]
        Values by which nodes can be coloured and sized.
    partitions : mapping of str to Partition
        Groups by which nodes can be coloured.
    """

    name: str
    grid: tuple[int, int]
    prefix: tuple[str, ...]
    layer_names: tuple[str, ...]
    edges: str
    n_edges: np.ndarray
    greatest: np.ndarray
    sent: Strongest
    received: Strongest
    measures: Mapping[str, np.ndarray] = field(default_factory=dict)
    partitions: Mapping[str, Partition] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_fields(self)


@dataclass(frozen=True, eq=False)
class ShownClasses:
    """The classes whose heatmaps the page holds; the first one is shown first.

    Attributes
    ----------
    names : tuple of str
    scores : ndarray float [class]
        Score of each class in the whole image.
    quantity : str
        What the scores are, such as "probability (softmax)".
    explainer : str
        What made the heatmaps.
    heatmaps : ndarray float [class, patch]
    """

    names: tuple[str, ...]
    scores: np.ndarray
    quantity: str
    explainer: str
    heatmaps: np.ndarray

    def __post_init__(self) -> None:
        check_fields(self)


@dataclass(frozen=True, eq=False)
class MaskSteps:
    """Masks one after the other, and the heatmaps that grow from them.

    Attributes
    ----------
    kept : ndarray bool [mask, patch]
    labels : tuple of str
        What made each mask, such as "sum, in_strength, max".
    confidence : ndarray float [mask, class]
        Score of each of `ShownClasses` with the kept patches alone.
    counts : tuple of int
        Numbers of masks after which the heatmap is kept, rising; the last one is all of them.
    growth : ndarray float [class, count, patch]
        Heatmap of the first masks, for each of `counts`.
    """

    kept: np.ndarray
    labels: tuple[str, ...]
    confidence: np.ndarray
    counts: tuple[int, ...]
    growth: np.ndarray

    def __post_init__(self) -> None:
        check_fields(self)


@dataclass(frozen=True, eq=False)
class ShownCurve:
    """Score of a class while patches appear or disappear.

    Attributes
    ----------
    name : str
        Such as "insertion".
    appears : bool
        Whether patches appear, starting from none; otherwise they disappear.
    greatest_first : bool
        Whether the patches of the greatest values change first; otherwise those of the least.
    fraction : ndarray float [step]
        Share of the patches that have changed, 0 to 1.
    confidence : ndarray float [step]
    auc : float
        Area under the curve.
    """

    name: str
    appears: bool
    greatest_first: bool
    fraction: np.ndarray
    confidence: np.ndarray
    auc: float

    def __post_init__(self) -> None:
        check_fields(self)


@dataclass(frozen=True, eq=False)
class ShownCurves:
    """The curves of one heatmap.

    Attributes
    ----------
    protocol : str
        Such as "patch/black".
    label : str
        Name of the class whose score was followed.
    quantity : str
        What the score is.
    order : ndarray int [patch]
        Patches by falling value of the heatmap.
    curves : tuple of ShownCurve
    """

    protocol: str
    label: str
    quantity: str
    order: np.ndarray
    curves: tuple[ShownCurve, ...]

    def __post_init__(self) -> None:
        check_fields(self)


def check_networks(networks: tuple[ThinNetwork, ...]) -> None:
    """Refuse networks that cannot be on one page: none, too many, alike in name, of other tokens.

    Raises
    ------
    InputError
    """
    if not networks:
        raise InputError("the page was given no network; give at least one")
    if len(networks) > MOST_NETWORKS:
        given = f"{len(networks)} networks, each head counted as one, were given"
        raise InputError(f"{given}; give at most {MOST_NETWORKS}")
    names = [network.name for network in networks]
    if len(set(names)) < len(names):
        raise InputError(f"two networks are called alike: {', '.join(names)}; name each otherwise")
    first = networks[0]
    for network in networks[1:]:
        if (network.grid, network.prefix) != (first.grid, first.prefix):
            given = f"{_tokens(first)} in {first.name!r}, {_tokens(network)} in {network.name!r}"
            raise InputError(f"networks have other tokens: {given}; give networks of one image")


def check_patches(name: str, values: np.ndarray, grid: tuple[int, int]) -> None:
    """Refuse values [..., patch] that are not of a grid.

    Raises
    ------
    InputError
    """
    n_patches = grid[0] * grid[1]
    if values.shape[-1] != n_patches:
        expected = f"the networks have {grid[0]} x {grid[1]} patches"
        raise InputError(f"{name} are of {values.shape[-1]} patches; {expected}")


def _tokens(network: ThinNetwork) -> str:
    patches = f"{network.grid[0]} x {network.grid[1]}"
    return " + ".join([patches, *network.prefix])
