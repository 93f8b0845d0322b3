"""Measured: what can be computed of a network, by node, by layer and of all layers."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from multiplex_vit import plot
from multiplex_vit.accepts import accepts
from multiplex_vit.checks import layer_index, one_of, several
from multiplex_vit.network import filters, layer_measures, multilayer, tables
from multiplex_vit.network.centrality import centrality
from multiplex_vit.network.coupling import Links, links
from multiplex_vit.network.tables import Measures
from multiplex_vit.network.whole import Whole
from multiplex_vit.registry import Named

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_SUMMARY = ("nodes", "edges", "share_pruned", "density", "isolates", "weight_max")


class Measured(Whole):
    """What a `Multiplex` can be asked for: tables, similarities, communities, a picture."""

    def summary(self) -> pd.DataFrame:
        """Return one row a layer with what is asked for first.

        Columns are layer, name, nodes, edges, share_pruned, density, isolates and weight_max; see
        `layer_table` for more.

        Examples
        --------
        >>> from multiplex_vit import Multiplex
        >>> net = Multiplex(np.array([[[0, 0.5], [0.25, 1]]]), grid=(1, 2))
        >>> net.summary()[["name", "nodes", "edges"]]
          name  nodes  edges
        0  L00      2      3
        """
        return layer_measures.layer_table(self._layers, _SUMMARY)

    # --- of nodes -------------------------------------------------------------------------

    @accepts()
    def centrality(self, measure: Named) -> np.ndarray:
        """Return a centrality [layer, node], as pictures take it.

        Parameters
        ----------
        measure : str or callable
            A member of `CENTRALITIES`, or a function of one layer's weights [source, target].

        Raises
        ------
        InputError
            If the measure is unknown, or does not return one number a node.
        """
        return centrality(self._layers, measure)

    @accepts()
    def node_table(self, measures: Measures = None) -> pd.DataFrame:
        """Return one row a layer and node, and one column a measure.

        Parameters
        ----------
        measures : str, callable, iterable of them, or mapping of str to values
            Members of `CENTRALITIES`, or functions of one layer's weights. In a mapping also
            values of your own: numbers or texts [node] or [layer, node], such as a partition.
            Default: all members.

        Returns
        -------
        pandas.DataFrame
            name, layer, block, head, node, token, row, col, and one column a measure.

        Raises
        ------
        InputError
            If a measure is unknown or has the name of another column, or values have another
            shape.

        Examples
        --------
        >>> from multiplex_vit import Multiplex
        >>> net = Multiplex(np.array([[[0, 0.5], [0.25, 1]]]), grid=(1, 2))
        >>> net.node_table({"rank": "in_strength", "mine": [3, 4]})[["name", "rank", "mine"]]
               name  rank  mine
        0  L00:r0c0  0.25     3
        1  L00:r0c1  1.50     4
        """
        return tables.node_table(self._layers, measures)

    @accepts()
    def multilayer_table(
        self,
        measures: Named | Iterable[Named] | None = None,
        *,
        coupling: Named = "ordinal",
        omega: float | np.ndarray = 1.0,
    ) -> pd.DataFrame:
        """Return one row a node, and one column a measure of the node in all layers.

        Parameters
        ----------
        measures : str, callable or iterable of them, optional
            Members of `MULTILAYER_MEASURES`. Default: all members.
        coupling, omega
            As for `supra_adjacency`.
        """
        # Versatilities walk the whole network; other measures need the weights alone.
        supra = self.supra_adjacency(coupling=coupling, omega=omega)
        return multilayer.multilayer_table(self.weights, self.tokens, supra, measures)

    @accepts()
    def versatility(
        self,
        measure: Named = "pagerank_versatility",
        *,
        coupling: Named = "ordinal",
        omega: float | np.ndarray = 1.0,
    ) -> np.ndarray:
        """Return a versatility [layer, node].

        It is what each node of each layer adds to its column of `multilayer_table`.

        Parameters
        ----------
        measure : str or callable
            A member of `MULTILAYER_MEASURES` that takes the supra-adjacency.
            Default: "pagerank_versatility".
        coupling, omega
            As for `supra_adjacency`.
        """
        supra = self.supra_adjacency(coupling=coupling, omega=omega)
        return multilayer.versatility(supra, self.n_layers, measure)

    # --- of layers ------------------------------------------------------------------------

    @accepts()
    def layer_table(
        self,
        measures: Named | Iterable[Named] | None = None,
        *,
        null_model: Named | None = None,
        samples: int = 20,
        seed: int = 0,
    ) -> pd.DataFrame:
        """Return one row a layer, and one column a measure.

        Beside the name of a layer stand its block and head (-1 for several together).

        Parameters
        ----------
        measures : str, callable or iterable of them, optional
            Members of `LAYER_MEASURES`. Default: all members.
        null_model : str or callable, optional
            With a member of `NULL_MODELS`, such as "rows" or "degree", each measure has its
            z-score, p-value and q-value beside it; see `layer_measures.layer_table`.
            Default: none.
        samples : int
            Layers drawn from the null model for each layer, at least 2. Default: 20.
        seed : int
            Default: 0.
        """
        table = layer_measures.layer_table(
            self._layers,
            measures,
            null_model=null_model,
            samples=samples,
            seed=seed,
        )
        return tables.with_depth(table, self._layers)

    @accepts()
    def layer_pair_table(self, measures: Named | Iterable[Named] | None = None) -> pd.DataFrame:
        """Return one row a pair of layers, and one column a measure.

        Parameters
        ----------
        measures : str, callable or iterable of them, optional
            Members of `LAYER_SIMILARITIES`. Default: all members.
        """
        return multilayer.layer_pair_table(self.weights, self.layer_names, measures)

    @accepts()
    def similarity(self, measure: Named = "weighted_jaccard") -> np.ndarray:
        """Return the similarity [layer, layer] of every pair of layers.

        Parameters
        ----------
        measure : str or callable
            A member of `LAYER_SIMILARITIES`. Default: "weighted_jaccard".
        """
        return multilayer.similarity_matrix(self.weights, measure)

    @accepts()
    def pruning_curve(
        self,
        values: float | Iterable[float],
        measures: Named | Iterable[Named] = ("in_strength", "out_strength", "pagerank"),
        *,
        filter: Named = "min_cut",
    ) -> pd.DataFrame:
        """Return what a filter does to every layer, one row a layer and number of the filter.

        Parameters
        ----------
        values : float or iterable of float
            Numbers of the filter; shares of the greatest weight for "min_cut".
        measures : str, callable or iterable of them
            Centralities whose order of nodes is compared; see `filters.pruning_curve`.
            Default: in_strength, out_strength and pagerank.
        filter : str or callable
            A member of `FILTERS` that takes a number. Default: "min_cut".
        """
        return filters.pruning_curve(
            self.weights,
            several("values", values),
            self.tokens,
            names=self.layer_names,
            measures=measures,
            filter=filter,
        )

    @accepts()
    def reducibility(
        self,
        *,
        density: Named = "laplacian",
        tau: float = 1.0,
        samples: int = 0,
        seed: int = 0,
    ) -> multilayer.Reducibility:
        """Return which layers can be merged (De Domenico et al. 2015).

        Parameters
        ----------
        density : "laplacian", "gibbs" or callable
            Density matrix of a layer. Default: "laplacian".
        tau : float, above 0
            Diffusion time of "gibbs". Default: 1.
        samples : int
            Times that quality is computed with nodes permuted. Default: 0, no comparison.
        seed : int
            Default: 0.

        Raises
        ------
        InputError
            See `multilayer.reducibility`, which also has the formula.
        """
        return multilayer.reducibility(
            self.weights,
            self.layer_names,
            density=density,
            tau=tau,
            samples=samples,
            seed=seed,
        )

    # --- communities ----------------------------------------------------------------------

    @accepts()
    def communities(
        self,
        how: str = "linked",
        *,
        coupling: Named = "ordinal",
        omega: float | np.ndarray = 0.1,
        omega_scale: str = "strength",
        resolution: float = 1.0,
        seed: int = 0,
    ) -> np.ndarray:
        """Return the community [layer, node] of every node by Leiden (extra "communities").

        Parameters
        ----------
        how : "linked" or "multiplex"
            A community for a node of a layer, or one for a node in all layers. Default: "linked".
        coupling : str or callable
            As for `supra_adjacency`. Default: "ordinal".
        omega : float, or ndarray [layer, node]
            How strongly a node is held to the community that it has in the layers linked.
            Default: 0.1.
        omega_scale : "strength" or "absolute"
            Whether a link weighs omega times the mean strength of a node of a layer (see
            `multilayer.relative_omega`), or omega. Default: "strength".
        resolution : float, above 0
            Greater values give smaller communities; it is called gamma in most of the multilayer
            literature. Default: 1.
        seed : int
            Of the random order in which nodes are visited. Default: 0.

        Raises
        ------
        InputError
            If leidenalg is not installed, or an argument cannot be used.
        """
        links = self._links(coupling, omega, omega_scale)
        return multilayer.communities(
            self.weights,
            links,
            how=how,
            resolution=resolution,
            seed=seed,
        )

    @accepts()
    def modularity(
        self,
        membership: Any,
        *,
        coupling: Named = "ordinal",
        omega: float | np.ndarray = 0.1,
        omega_scale: str = "strength",
        resolution: float = 1.0,
        directed: bool = True,
    ) -> float:
        """Return the multilayer modularity of communities.

        Parameters
        ----------
        membership : ndarray [layer, node], or [node]
            Communities as numbers or texts; [node] for the same in all layers.
        coupling, omega, omega_scale, resolution
            As for `communities`.
        directed : bool
            Default: True.

        Raises
        ------
        InputError
            See `multilayer.multilayer_modularity`, which also has the formula.
        """
        links = self._links(coupling, omega, omega_scale)
        return multilayer.multilayer_modularity(
            self.weights,
            membership,
            links,
            resolution=resolution,
            directed=directed,
        )

    def _links(self, coupling: Named, omega: float | np.ndarray, omega_scale: str) -> Links:
        one_of("omega_scale", omega_scale, ("strength", "absolute"))
        # Relative links mean the same in networks of mean and of summed attention.
        if omega_scale == "strength":
            omega = multilayer.relative_omega(omega, self.weights)
        return links(self.blocks, self.n_nodes, coupling, omega, edges=self.edges)

    # --- a picture ------------------------------------------------------------------------

    @accepts()
    def plot(
        self,
        measure: Named | Mapping[str, Any] | None = None,
        *,
        layers: Sequence[int | str] | None = None,
        edges: int = 60,
        links: int = 8,
        ax: "Axes | None" = None,
    ) -> "Axes":
        """Draw the layers stacked, with their inter-layer links; see `multiplex_vit.plot.stack`.

        Parameters
        ----------
        measure : str, callable, or mapping of one name to values [node] or [layer, node]
            Gives nodes their size and colour. Default: dark nodes that grow with in-strength.
        layers : sequence of int or str
            Which layers to draw, by number or name, from bottom to top. Default: all.
        edges : int
            How many of each layer's strongest edges to draw. Default: 60.
        links : int
            For how many tokens the inter-layer links are drawn. Default: 8.
        ax : Axes, optional
            Default: the current axes.

        Returns
        -------
        Axes
        """
        values = None
        if measure is not None:
            values = tables.node_values(self._layers, measure)
        # The picture takes numbers of layers, and users may give names.
        places = None
        if layers is not None:
            places = [layer_index(layer, self.layer_names) for layer in layers]
        return plot.stack(
            self.weights,
            self.grid,
            names=self.layer_names,
            layers=places,
            values=values,
            edges=edges,
            links=links,
            ax=ax,
        )
