"""Given networks: masks of networks that the user filtered, shuffled or built."""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import torch
from torch import Tensor

from multiplex_vit.checks import shown
from multiplex_vit.errors import InputError
from multiplex_vit.network.multiplex import Multiplex
from multiplex_vit.registry import Named, name_of
from multiplex_vit.saliency.designs import DESIGNS
from multiplex_vit.saliency.settings import Settings

Network = Multiplex | Mapping[Named, Multiplex]
"""One network, or one for each head operator."""

OF_THE_NETWORK = ("min_cut", "operators", "graph_operator")
"""Settings in whose place a given network stands."""

_OF_MODEL = ("model", "layers", "operator", "predicted", "probability", "score")
"""Facts of a network that say nothing about what was done to it."""


@dataclass(frozen=True, eq=False)
class GivenNetworks:
    """Networks in place of a model's own attention.

    Attributes
    ----------
    networks : dict of str to Multiplex
        By the name of the head operator, or "network" where a network does not know its operator.
    """

    networks: dict[str, Multiplex]

    @classmethod
    def of(cls, network: Any) -> "GivenNetworks":
        """Return one network, or several by their head operators.

        Raises
        ------
        InputError
            If there is none, or something else than a network of patches.
        """
        if isinstance(network, Multiplex):
            operator = network.provenance.get("operator", "network")
            network = {str(operator): network}
        if not isinstance(network, Mapping) or not network:
            kinds = "a Multiplex, or a mapping of head operators to them"
            raise InputError(f"network is {shown(network)}; give {kinds}")
        networks = {name_of(operator): net for operator, net in network.items()}
        for name, net in networks.items():
            if not isinstance(net, Multiplex):
                what = f"network {name!r} is {shown(net)}"
                raise InputError(f"{what}; give a Multiplex")
            if net.prefix:
                what = f"network {name!r} has prefix tokens: {', '.join(net.prefix)}"
                raise InputError(f"{what}; masks are of patches, so make it with prefix=False")
        return cls(networks)

    def check_grid(self, grid: tuple[int, int]) -> None:
        """Refuse networks of other nodes than the image's patches."""
        for name, net in self.networks.items():
            if tuple(net.grid) != tuple(grid):
                nodes = f"{net.grid[0]} x {net.grid[1]} nodes"
                patches = f"{grid[0]} x {grid[1]} patches"
                what = f"network {name!r} has {nodes}"
                raise InputError(f"{what}; the image has {patches}")

    def record(self) -> dict[str, dict[str, Any]]:
        """Return where each network comes from, as JSON can hold it."""
        return {name: _facts(net) for name, net in self.networks.items()}

    # --- settings

    def shown_in(self, settings: Settings) -> Settings:
        """Return settings as an explanation tells them: with the networks it has masks of."""
        if not settings.ranks:
            return settings
        return settings.at(operators=tuple(self.networks))

    def applied_to(self, settings: Settings) -> Settings:
        """Return settings that take the networks as they are, and make as many masks as before."""
        # A cut at 0 leaves every edge; the budget is that of the settings, since it follows from
        # the operators where none is set.
        return settings.at(
            operators=tuple(self.networks),
            graph_operator=self._graph_operator(settings),
            min_cut=0.0,
            starting_layer=0,
            budget=settings.n_masks + 1,
        )

    def weights(self, starting_layer: int, device: torch.device) -> dict[Named, Tensor]:
        """Return the weights [layer, source, target] of each network, from a layer on."""
        weights: dict[Named, Tensor] = {}
        for name, net in self.networks.items():
            # By blocks, since layers may be heads.
            later = net.since(starting_layer)
            weights[name] = torch.tensor(
                later.weights,
                dtype=torch.float32,
                device=device,
            )
        return weights

    def _graph_operator(self, settings: Settings) -> Named:
        """Return the name of the network that the token graph is made of."""
        if len(self.networks) == 1:
            return next(iter(self.networks))
        name = name_of(settings.graph_operator)
        if settings.needs_graph and name not in self.networks:
            there = ", ".join(self.networks)
            raise InputError(
                f"the token graph is made of the network of {name!r}, which is not among {there}"
            )
        return name


def check_usable(settings: Settings, options: Mapping[str, Any], explainer: str) -> None:
    """Refuse what cannot make masks of given networks, or says otherwise what their edges are.

    Parameters
    ----------
    settings : Settings
    options : mapping
        What differs from the explainer's own settings.
    explainer : str
        Its text, for messages.
    """
    for name in OF_THE_NETWORK:
        if name in options:
            what = f"{name} and a network were given"
            raise InputError(f"{what}; leave {name} out, as masks are of the network as it is")
    # A design of one's own may look at attention, of which nothing is known here.
    is_member = bool(DESIGNS.own_name(settings.design))
    if is_member and not settings.ranks and not settings.needs_graph:
        what = f"{explainer} makes no masks of networks"
        raise InputError(f"{what}; leave network out")


def text_of(record: Mapping[str, Mapping[str, Any]] | None) -> str:
    """Return the record of given networks as a cell of a table.

    Examples
    --------
    >>> text_of({"sum": {"model": "vit", "min_cut": 0.1, "n_edges": 12}})
    'sum: min_cut 0.1, n_edges 12'
    """
    parts = []
    for name, facts in (record or {}).items():
        texts = []
        for fact, value in facts.items():
            if fact not in _OF_MODEL:
                texts.append(f"{fact} {value}")
        parts.append(f"{name}: {', '.join(texts)}")
    return "; ".join(parts)


def _facts(net: Multiplex) -> dict[str, Any]:
    facts: dict[str, Any] = dict(net.provenance)
    facts["direction"] = net.edges
    facts["n_layers"] = net.n_layers
    facts["n_edges"] = net.n_edges
    # Networks of the same origin may still differ, as null models of several seeds do.
    facts["sha256"] = sha256(net.weights.tobytes()).hexdigest()[:16]
    return facts
