"""Flowing: where attention leads, within a layer and through all layers."""

from typing import Any, Self

import numpy as np
import pandas as pd

from multiplex_vit.accepts import accepts
from multiplex_vit.checks import layer_index
from multiplex_vit.errors import InputError
from multiplex_vit.network import flow, tables
from multiplex_vit.network.depth import ranks
from multiplex_vit.network.sinks import sink_table, sinks
from multiplex_vit.network.structured import Structured


class Flowing(Structured):
    """What a `Multiplex` can be asked for along its edges.

    Apart from `chain`, which follows the edges of one layer as they run, all of it follows
    attention, from the token that attends and from the last block to the first: a network of
    information edges gives the same answers as its reverse. The heads of a block are taken
    together by their mean, where not said otherwise.
    """

    @accepts()
    def chain(self, layer: int | str) -> flow.Chain:
        """Return a layer as a Markov chain along its edges, as they run.

        It has bounces from tokens, TokenRank, eigenvalues, relaxation time, Kemeny constant and
        metastable sets; see `flow.Chain`.

        Parameters
        ----------
        layer : int or str
            By number or name.

        Raises
        ------
        InputError
            If there is no such layer.

        Examples
        --------
        >>> from multiplex_vit import Multiplex
        >>> net = Multiplex(np.array([[[0.5, 0.5], [0.25, 0.75]]]), grid=(1, 2))
        >>> net.chain("L00").bounces("r0c0", steps=1).tolist()
        [[1.0, 0.0], [0.5, 0.5]]
        """
        return flow.Chain(self._layer(layer_index(layer, self.layer_names)))

    @accepts()
    def with_residual(self, residual: float = 0.5) -> Self:
        """Return the network of what tokens are made of: attention, and themselves before.

        Parameters
        ----------
        residual : float, 0 to 1
            Share of the residual connection, a self-loop; see `flow.with_residual`. Default: 0.5.

        Examples
        --------
        >>> from multiplex_vit import Multiplex
        >>> net = Multiplex(np.array([[[0.0, 2.0], [1.0, 3.0]]]), grid=(1, 2))
        >>> net.with_residual().weights.tolist()
        [[[0.5, 0.5], [0.125, 0.875]]]
        """
        weights = flow.with_residual(self._as_attention(self.weights), residual)
        return self._changed(self._as_attention(weights), "residual", residual, edges_before=())

    @accepts()
    def rollout(self, residual: float = 0.5) -> np.ndarray:
        """Return attention rollout [output token, input token].

        Parameters
        ----------
        residual : float, 0 to 1
            Share of the residual connection; see `flow.rollout`. Default: 0.5.
        """
        return flow.rollout(self._blocks_of_attention(), residual)

    @accepts()
    def layer_contributions(self, residual: float = 0.5) -> np.ndarray:
        """Return how much each block changes where each output token comes from [block, token].

        Parameters
        ----------
        residual : float, 0 to 1
            See `flow.layer_contributions`. Default: 0.5.
        """
        return flow.layer_contributions(self._blocks_of_attention(), residual)

    @accepts()
    def attention_flow(
        self,
        tokens: Any = None,
        targets: Any = None,
        *,
        residual: float = 0.5,
    ) -> np.ndarray:
        """Return the maximum flow from output tokens to each input token [target].

        Parameters
        ----------
        tokens : int, str or iterable of them, optional
            Output tokens by number or name. Default: the class token.
        targets : int, str or iterable of them, optional
            Input tokens. Default: all.
        residual : float, 0 to 1
            See `flow.attention_flow`. Default: 0.5.

        Raises
        ------
        InputError
            If there is no such token, or no class token where none is given.
        """
        sources = self._output_tokens(tokens)
        inputs = list(range(self.n_nodes)) if targets is None else self.tokens.numbers(targets)
        attention = self._blocks_of_attention()
        return flow.attention_flow(attention, sources, inputs, residual=residual)

    @accepts()
    def minimum_cut(
        self,
        target: int | str,
        tokens: Any = None,
        *,
        residual: float = 0.5,
    ) -> pd.DataFrame:
        """Return the edges that limit the flow from output tokens to an input token.

        Parameters
        ----------
        target : int or str
            The input token.
        tokens : int, str or iterable of them, optional
            Output tokens. Default: the class token.
        residual : float, 0 to 1
            See `flow.minimum_cut`. Default: 0.5.

        Returns
        -------
        pandas.DataFrame
            One row an edge: block (counted among those that are there), source, target (names)
            and capacity.

        Raises
        ------
        InputError
            If there is no such token, or no class token where none is given.
        """
        [end] = self.tokens.numbers([target])
        sources = self._output_tokens(tokens)
        attention = self._blocks_of_attention()
        table = flow.minimum_cut(attention, sources, end, residual=residual)
        names = np.array(self.tokens.names, dtype=object)
        for column in ("source", "target"):
            table[column] = names[table[column]]
        return table.rename(columns={"layer": "block"})

    @accepts()
    def route(
        self,
        tokens: Any = None,
        threshold: float = 0.02,
        *,
        residual: float = 0.5,
    ) -> Self:
        """Return the network of the edges that feed some output tokens.

        Parameters
        ----------
        tokens : int, str or iterable of them, optional
            Output tokens by number or name. Default: the class token.
        threshold : float, 0 to 1
            The share of a token that an edge must have; see `flow.route`. Default: 0.02.
        residual : float, 0 to 1
            The share of the residual connection. Default: 0.5.

        Raises
        ------
        InputError
            If there is no such token, or no class token where none is given.

        Examples
        --------
        >>> from multiplex_vit import Multiplex
        >>> weights = np.array([[[0.1, 0.9], [0.5, 0.5]], [[0.8, 0.2], [0.5, 0.5]]])
        >>> Multiplex(weights, grid=(1, 2)).route("r0c0", 0.2).weights.tolist()
        [[[0.0, 0.9], [0.0, 0.0]], [[0.8, 0.0], [0.0, 0.0]]]
        """
        kept = flow.route(
            self._as_attention(self.weights),
            self._is_output(tokens),
            threshold,
            residual=residual,
            blocks=np.array(self.blocks),
        )
        weights = np.where(self._as_attention(kept), self.weights, 0)
        names = [self.tokens.names[node] for node in self._output_tokens(tokens)]
        return self._changed(weights, "route", f"{', '.join(names)} {threshold:g}")

    @accepts()
    def paths_in_time(self, tokens: Any = None, *, waiting: float = 1.0) -> flow.PathsInTime:
        """Return the strongest time-respecting path from output tokens to every input token.

        Of the heads of a block the strongest edge counts.

        Parameters
        ----------
        tokens : int, str or iterable of them, optional
            Output tokens by number or name. Default: the class token.
        waiting : float, 0 to 1
            What waiting at a token for a block is worth; see `flow.paths_in_time`. Default: 1.

        Raises
        ------
        InputError
            If there is no such token, or no class token where none is given.
        """
        return flow.paths_in_time(
            self._as_attention(self.weights),
            self._is_output(tokens),
            waiting=waiting,
            blocks=np.array(self.blocks),
        )

    @accepts()
    def dynamic_communicability(self, *, attenuation: float = 0.85) -> np.ndarray:
        """Return the dynamic communicability [output token, input token].

        Parameters
        ----------
        attenuation : float, 0 to 1 (exclusive)
            See `flow.dynamic_communicability`. Default: 0.85.
        """
        return flow.dynamic_communicability(self._blocks_of_attention(), attenuation=attenuation)

    # --- sinks ----------------------------------------------------------------------------

    @accepts()
    def sinks(self, *, factor: float = 5.0) -> np.ndarray:
        """Return which nodes are sinks of attention: bool [layer, node].

        Parameters
        ----------
        factor : float, above 0
            How many times the median of its layer a sink receives at least. Default: 5.
        """
        return sinks(self._as_attention(self.weights), factor=factor)

    @accepts()
    def sink_table(self, *, factor: float = 5.0, value_norms: Any = None) -> pd.DataFrame:
        """Return one row a layer: how concentrated attention is, where its sinks are, its rank.

        Parameters
        ----------
        factor : float, above 0
            See `sinks`. Default: 5.
        value_norms : ndarray [layer, node], optional
            Lengths of the tokens' value vectors; see `network.sinks.sink_table`.
        """
        network: Any = self
        attending = network if self.edges == "attention" else network.reverse()
        table = sink_table(list(attending), factor=factor, value_norms=value_norms)
        return tables.with_depth(table, self._layers)

    def _as_attention(self, weights: np.ndarray) -> np.ndarray:
        """Return arrays [layer, source, target] turned from edges as they run to attention, or back."""
        if self.edges == "attention":
            return weights
        return weights.swapaxes(1, 2)

    def _blocks_of_attention(self) -> np.ndarray:
        """Return weights [block, source, target] of attention edges, the first block first."""
        attention = self._as_attention(self.weights).astype(float)
        depth = ranks(self.blocks)
        blocks = []
        for block in range(depth.max() + 1):
            blocks.append(attention[depth == block].mean(0))
        return np.stack(blocks)

    def _output_tokens(self, tokens: Any) -> list[int]:
        if tokens is not None:
            return self.tokens.numbers(tokens)
        if "class" not in self.prefix:
            problem = "the network has no class token"
            raise InputError(f"{problem}; give tokens, or make it with prefix=True")
        return self.tokens.numbers(["class"])

    def _is_output(self, tokens: Any) -> np.ndarray:
        chosen = np.zeros(self.n_nodes, dtype=bool)
        chosen[self._output_tokens(tokens)] = True
        return chosen
