"""Similarity walks: masks of the tokens that walks through each block's graph of alike tokens come by."""

from typing import Any

import numpy as np
import torch
from torch import Tensor

from multiplex_vit.models.vision_model import VisionModel
from multiplex_vit.saliency.explainers.registry import EXPLAINERS
from multiplex_vit.saliency.explainers.target import Target
from multiplex_vit.saliency.explanation import Explanation
from multiplex_vit.saliency.settings import Settings

KEPT = 0.5


@EXPLAINERS.register(kind="rival", forward=lambda sizes: sizes.budget, backward=0)
def similarity_walks(model: VisionModel, picture: Any, label: int | str | None = None, *, budget: int = 55, seed: int = 0) -> Explanation:
    """Return the mean confidence of masks that keep the tokens on walks through graphs of alike tokens, one graph a block.

    After "Explaining Vision Transformers Through Similarity-based Graphs" (ViT-Similarity-Graph, by the authors of MUTEX), of which only the
    outline is kept, not the algorithm: graphs of the similarity of tokens, walks on them, attention, and masks of a share of the tokens, four
    a layer (here: a budget of 49 for 12 blocks). The rest is ours and need not be what the paper does: an edge weighs max(0, cosine of two
    tokens that leave the block) times the attention, mean over heads and both ways; a walk starts at a token drawn by the attention that the
    class token pays, goes on in proportion to the edges to tokens that it has not seen, and stops with half of them; walks are dealt to the
    blocks in turn until the budget is used; confidences are averaged over coverage.
    """
    target = Target.of(model, picture, label)
    settings = Settings(design="similarity_walks", estimator="coverage", token_ratio=1 - KEPT, budget=budget, seed=seed)
    activations, attention, clean = model.activations(target.tokens, ("mean",))
    rng = np.random.default_rng(seed)
    graphs = [similarity_graph(tokens, block[model.n_prefix :, model.n_prefix :]) for tokens, block in zip(activations, attention[0], strict=True)]
    starts = [target.prefix_row(block).double().cpu().numpy() for block in attention[0]]
    blocks = [walk % model.n_layers for walk in range(settings.n_masks)]
    return target.explained(np.array([walked(graphs[block], starts[block], rng) for block in blocks]), clean, settings)


def similarity_graph(tokens: Tensor, attention: Tensor) -> np.ndarray:
    """Return edges [node, node] of a block's tokens [node, width] and attention [source, target]: max(0, cosine) (A + A') / 2.

    Examples
    --------
    >>> tokens = torch.tensor([[1.0, 0], [2.0, 0], [-1.0, 0]])
    >>> similarity_graph(tokens, torch.tensor([[0, 0.5, 0.5], [0.25, 0, 0.75], [1.0, 0, 0]])).tolist()
    [[0.0, 0.375, 0.0], [0.375, 0.0, 0.0], [0.0, 0.0, 0.0]]
    """
    alike = torch.nn.functional.normalize(tokens.double(), dim=-1)
    return ((alike @ alike.T).clamp(min=0) * (attention + attention.T) / 2).cpu().numpy()


def walked(weights: np.ndarray, start: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return which nodes a walk visits that never comes back: bool [node], half of them.

    Parameters
    ----------
    weights : ndarray [node, node]
        The chance to go on from a node to another is proportional to it; where all are 0, every node left is as likely.
    start : ndarray [node]
        The chance to start at a node is proportional to it.
    rng : numpy.random.Generator

    Examples
    --------
    >>> path = np.eye(4, k=1) + np.eye(4, k=-1)
    >>> walked(path, np.array([0, 0, 0, 1.0]), np.random.default_rng(0)).tolist()
    [False, False, True, True]
    """
    visited, chance = np.zeros(len(weights), dtype=bool), start
    for _ in range(max(1, int(KEPT * len(weights)))):
        chance = np.where(visited, 0, chance)
        chance = chance if chance.sum() > 0 else (~visited).astype(float)
        node = rng.choice(len(weights), p=chance / chance.sum())
        visited[node], chance = True, weights[node]
    return visited
