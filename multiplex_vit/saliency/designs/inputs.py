"""DesignInput: what masks are made from; and the registry of designs."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from multiplex_vit.registry import Registry
from multiplex_vit.saliency.masks import Masks

if TYPE_CHECKING:
    from multiplex_vit.network.tokens import Tokens


@dataclass(frozen=True, eq=False)
class DesignInput:
    """What masks are made from.

    Attributes
    ----------
    tokens : Tokens
        The nodes.
    n_masks : int
        How many masks there may be: the passes of the budget less that of the whole image.
    token_ratio : float, 0 to 1
        Share of the tokens that a mask removes.
    seed : int
        Of designs that draw masks.
    resolutions : tuple of float
        Of the communities of which designs make masks, in turn.
    graph : ndarray [node, node], optional
        The token graph, for designs that say that they need one.
    rank : callable
        Gives `ranked`, for designs that ask for it.
    stack : callable
        Gives `attention`, for designs that ask for it.
    """

    tokens: "Tokens"
    n_masks: int
    token_ratio: float = 0.5
    seed: int = 0
    resolutions: tuple[float, ...] = (3.0,)
    graph: np.ndarray | None = None
    rank: Callable[[], Masks] | None = None
    stack: Callable[[], Any] | None = None

    @cached_property
    def ranked(self) -> Masks:
        """The masks of every order of nodes: operator slowest, then centrality, then statistic."""
        # Worked out when asked for, since most designs rank nothing.
        assert self.rank is not None
        return self.rank()

    @cached_property
    def attention(self) -> Any:
        """Attention [operator, layer, source, target] between patch tokens; a Tensor."""
        assert self.stack is not None
        return self.stack()

    @property
    def rng(self) -> np.random.Generator:
        """Random numbers from the seed, the same at each call."""
        return np.random.default_rng(self.seed)


DESIGNS: Registry[Callable[[DesignInput], Masks]] = Registry(
    "mask design",
    traits={"needs": Literal["graph"], "ranks": bool, "most": Callable},
)
"""A member takes a `DesignInput` and returns `Masks`.

Traits:

- `needs="graph"`: it needs the token graph.
- `ranks=True`: it needs the orders of nodes.
- `most`: a function of the ranking and the number of tokens: how many masks it makes at most,
  where that is less than a large budget allows.
"""
