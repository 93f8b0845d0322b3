"""Structured: how a network is arranged, layer by layer, and which communities can be relied on."""

from collections.abc import Iterable
from dataclasses import replace
from itertools import product
from typing import Any, Self

import numpy as np
import pandas as pd

from multiplex_vit.accepts import accepts
from multiplex_vit.checks import one_of, several, whole
from multiplex_vit.network import multilayer, structure, tables
from multiplex_vit.network.measured import Measured
from multiplex_vit.network.provenance import after_step
from multiplex_vit.network.signed import PARTS
from multiplex_vit.registry import Named

_LEVELS = tuple(np.linspace(0, 1, 21).tolist())
"""Thresholds of Betti curves, unless others are asked for."""


class Structured(Measured):
    """What a `Multiplex` can be asked for about its structure.

    Maps [layer, node] can be drawn, and written beside nodes:
    `net.write(path, measures={"part": net.bow_tie()})`.
    """

    @accepts()
    def part(self, sign: str) -> Self:
        """Return the network of the weights of one sign, none below 0, as all measures take it.

        Parameters
        ----------
        sign : "positive", "negative" or "magnitude"
            Weights above 0; those below 0, without their sign; or all without their sign.

        Raises
        ------
        InputError
            If the sign is none of these.

        Examples
        --------
        >>> from multiplex_vit import Multiplex
        >>> net = Multiplex(np.array([[[0, 0.5], [-0.25, 0]]]), grid=(1, 2), signed=True)
        >>> net.part("negative").weights.tolist()
        [[[0.0, 0.0], [0.25, 0.0]]]
        """
        one_of("sign", sign, tuple(PARTS))
        weights = PARTS[sign](self.weights)
        # Edges of the other sign were not pruned away.
        facts: dict[str, Any] = {"edges_before": (), "signed": False}
        return self._changed(weights, "part", sign, **facts)

    @accepts()
    def components(self, mode: str = "strong") -> np.ndarray:
        """Return the connected part of every node of every layer, numbered from the largest, 0.

        Parameters
        ----------
        mode : "strong" or "weak"
            See `structure.components`. Default: "strong".

        Returns
        -------
        ndarray of int [layer, node]
        """
        parts = []
        for layer in self.weights:
            parts.append(structure.components(layer, mode))
        return np.stack(parts)

    @accepts()
    def bow_tie(self) -> np.ndarray:
        """Return where every node of every layer lies in the bow-tie; see `structure.bow_tie`.

        Returns
        -------
        ndarray of str [layer, node]
            "core", "in", "out", "tube", "tendril" or "apart".

        Examples
        --------
        >>> from multiplex_vit import Multiplex
        >>> net = Multiplex(np.array([[[0, 1, 0], [1, 0, 1], [0, 0, 0]]]), grid=(1, 3))
        >>> net.bow_tie().tolist()
        [['core', 'core', 'out']]
        """
        return np.stack([structure.bow_tie(layer) for layer in self.weights])

    @accepts()
    def triad_census(self) -> pd.DataFrame:
        """Return one row a layer: how many sets of three nodes are joined in each of 16 ways.

        Columns are layer, name, block, head and `structure.TRIADS`; see `structure.triad_census`.
        """
        rows = []
        for place, layer in enumerate(self._layers):
            head = {"layer": place, "name": layer.name}
            rows.append({**head, **structure.triad_census(layer)})
        return tables.with_depth(pd.DataFrame(rows), self._layers)

    @accepts()
    def rich_club(self) -> pd.DataFrame:
        """Return one row a layer and degree: how densely nodes of more neighbours are joined.

        Columns are layer, name and those of `structure.rich_club_curve`.
        """
        curves = []
        for layer in self.weights:
            curves.append(structure.rich_club_curve(layer))
        return self._stacked(curves)

    @accepts()
    def betti_curves(
        self,
        thresholds: float | Iterable[float] = _LEVELS,
        *,
        filled: bool = False,
    ) -> pd.DataFrame:
        """Return one row a layer and threshold: how many parts and holes the layer has.

        Columns are layer, name, threshold, b0 and b1.

        Parameters
        ----------
        thresholds : float or iterable of float, 0 to 1
            In parts of the greatest weight; see `structure.betti_curve`. Default: 0, 0.05, ... 1.
        filled : bool
            Whether triangles fill holes, by gudhi (extra "topology"). Default: False.
        """
        levels = several("thresholds", thresholds)
        curves = []
        for layer in self.weights:
            curve = structure.betti_curve(layer, levels, filled=filled)
            curves.append(curve)
        return self._stacked(curves)

    def _stacked(self, parts: list[pd.DataFrame]) -> pd.DataFrame:
        """Return the tables of all layers as one, with the layer before its rows."""
        named = []
        for place, part in enumerate(parts):
            part.insert(0, "layer", place)
            part.insert(1, "name", self.layer_names[place])
            named.append(part)
        return pd.concat(named, ignore_index=True)

    # --- communities ----------------------------------------------------------------------

    @accepts()
    def consensus_communities(
        self,
        how: str = "linked",
        *,
        coupling: Named = "ordinal",
        omega: float | np.ndarray = 0.1,
        resolution: float = 1.0,
        seeds: int = 10,
        seed: int = 0,
    ) -> np.ndarray:
        """Return the community [layer, node] on which searches with different seeds agree.

        Parameters
        ----------
        how, coupling, omega, resolution
            As for `communities`.
        seeds : int
            How many searches, from 1 up. Default: 10.
        seed : int
            Of the first of them. Default: 0.

        Raises
        ------
        InputError
            If leidenalg is not installed, or an argument cannot be used.

        References
        ----------
        Lancichinetti, Fortunato, Scientific Reports 2, 336 (2012), doi:10.1038/srep00336.
        """
        found = self._searched(how, coupling, omega, resolution, seeds, seed)
        agreed = multilayer.consensus(found, seed=seed)
        return agreed.reshape(self.n_layers, self.n_nodes)

    @accepts()
    def community_sweep(
        self,
        omegas: float | Iterable[float] = (0.01, 0.1, 1.0),
        resolutions: float | Iterable[float] = (0.5, 1.0, 2.0),
        *,
        how: str = "linked",
        coupling: Named = "ordinal",
        seeds: int = 5,
        seed: int = 0,
    ) -> pd.DataFrame:
        """Return what communities are like for every omega and resolution (gamma).

        Where searches agree, and go on to do so for the next values, communities say more of the
        network than of the choice of values.

        Parameters
        ----------
        omegas, resolutions : float or iterable of float, above 0
            As for `communities`, omega in mean strengths. Default: 0.01, 0.1 and 1; 0.5, 1 and 2.
        how, coupling
            As for `communities`.
        seeds : int
            Searches for every pair of values, from 1 up. Default: 5.
        seed : int
            Of the first of them. Default: 0.

        Returns
        -------
        pandas.DataFrame
            omega, resolution, communities (mean number), modularity (the greatest), agreement
            (mean adjusted Rand index of two searches) and changed (mean share of inter-layer links
            whose node changes its community).

        Raises
        ------
        InputError
            If leidenalg is not installed, or an argument cannot be used.
        """
        strengths = several("omegas", omegas).tolist()
        gammas = several("resolutions", resolutions).tolist()
        rows = []
        for omega, resolution in product(strengths, gammas):
            found = self._searched(how, coupling, omega, resolution, seeds, seed)
            links = self._links(coupling, omega, "strength")
            quality = []
            for one in found:
                membership = one.reshape(self.n_layers, self.n_nodes)
                quality.append(
                    multilayer.multilayer_modularity(
                        self.weights,
                        membership,
                        links,
                        resolution=resolution,
                    )
                )
            changed = [multilayer.share_changed(one, links) for one in found]
            rows.append(
                {
                    "omega": omega,
                    "resolution": resolution,
                    "communities": float(np.mean(found.max(1) + 1)),
                    "modularity": max(quality),
                    "agreement": multilayer.agreement(found),
                    "changed": float(np.mean(changed)),
                }
            )
        return pd.DataFrame(rows)

    @accepts()
    def infomap(
        self,
        *,
        coupling: Named = "ordinal",
        omega: float | np.ndarray = 0.1,
        trials: int = 10,
        seed: int = 0,
    ) -> np.ndarray:
        """Return the community [layer, node] in which a walker along edges stays long, by Infomap.

        It needs the extra "infomap".

        Parameters
        ----------
        coupling, omega
            As for `communities`, omega in mean strengths: how often the walker changes layers.
        trials : int
            Searches, of which the best counts. Default: 10.
        seed : int
            Default: 0.

        Raises
        ------
        InputError
            See `multilayer.infomap`.
        """
        omega = multilayer.relative_omega(omega, self.weights)
        supra = self.supra_adjacency(coupling=coupling, omega=omega)
        return multilayer.infomap(supra, self.n_layers, trials=trials, seed=seed)

    def _searched(
        self,
        how: str,
        coupling: Named,
        omega: float | np.ndarray,
        resolution: float,
        seeds: int,
        seed: int,
    ) -> np.ndarray:
        """Return the communities [search, layer * node] of several seeds."""
        seeds = whole("seeds", seeds, at_least=1)
        seed = whole("seed", seed, at_least=0)
        found = []
        for run in range(seeds):
            membership = self.communities(
                how,
                coupling=coupling,
                omega=omega,
                resolution=resolution,
                seed=seed + run,
            )
            found.append(membership.ravel())
        return np.stack(found)

    def _changed(
        self,
        weights: np.ndarray,
        name: str,
        value: float | str,
        **fields: Any,
    ) -> Self:
        """Return the network of other weights, whose provenance says where they come from."""
        network: Any = self
        provenance = after_step(self.provenance, name, value)
        return replace(network, weights=weights, provenance=provenance, **fields)
