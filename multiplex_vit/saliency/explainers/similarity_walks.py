"""Similarity walks: masks of the tokens on walks through each block's graph of alike tokens."""

from typing import Any

import numpy as np
import torch
from torch import Tensor

from multiplex_vit.checks import whole
from multiplex_vit.models.classifier import Classifier
from multiplex_vit.saliency.explainers.member import budgeted
from multiplex_vit.saliency.explainers.registry import EXPLAINERS
from multiplex_vit.saliency.explainers.target import Target
from multiplex_vit.saliency.explanation import Explanation

KEPT = 0.5


@EXPLAINERS.register(kind="rival", forward=budgeted, backward=0)
def similarity_walks(
    model: Classifier,
    picture: Any,
    label: int | str | None = None,
    *,
    budget: int = 55,
    seed: int = 0,
) -> Explanation:
    """Return the mean confidence of masks that keep the tokens on walks through blocks' graphs.

    After "Explaining Vision Transformers Through Similarity-based Graphs" (ViT-Similarity-Graph, by
    the authors of MUTEX), of which only the outline is kept, not the algorithm: graphs of the
    similarity of tokens, walks on them, attention, and masks of a share of the tokens, four a layer
    (here: a budget of 49 for 12 blocks). The rest is ours and need not be what the paper does: an
    edge weighs max(0, cosine of two tokens that leave the block) times the attention, mean over
    heads and both ways; a walk starts at a token drawn by the attention that the class token pays,
    goes on in proportion to the edges to tokens that it has not seen, and stops with half of them;
    walks are dealt to the blocks in turn until the budget is used; confidences are averaged over
    coverage.
    """
    target = Target.of(model, picture, label)
    n_masks = whole("budget", budget, at_least=2) - 1
    activations, attention, clean = model.activations(target.tokens, ("mean",))
    graphs, starts = [], []
    for tokens, block in zip(activations, attention[0], strict=True):
        between_patches = block[model.n_prefix :, model.n_prefix :]
        graphs.append(similarity_graph(tokens, between_patches))
        starts.append(target.prefix_row(block).double().cpu().numpy())
    rng = np.random.default_rng(seed)
    walks = []
    for number in range(n_masks):
        block = number % model.n_layers
        walks.append(walked(graphs[block], starts[block], rng))
    kept = np.array(walks)
    return target.explained(
        kept,
        clean,
        design="similarity_walks",
        estimator="coverage",
    )


def similarity_graph(tokens: Tensor, attention: Tensor) -> np.ndarray:
    """Return edges [node, node] of a block: max(0, cosine) (A + A') / 2.

    Parameters
    ----------
    tokens : Tensor [node, width]
    attention : Tensor [source, target]

    Examples
    --------
    >>> tokens = torch.tensor([[1.0, 0], [2.0, 0], [-1.0, 0]])
    >>> attention = torch.tensor([[0, 0.5, 0.5], [0.25, 0, 0.75], [1.0, 0, 0]])
    >>> similarity_graph(tokens, attention).tolist()
    [[0.0, 0.375, 0.0], [0.375, 0.0, 0.0], [0.0, 0.0, 0.0]]
    """
    direction = torch.nn.functional.normalize(tokens.double(), dim=-1)
    cosine = (direction @ direction.T).clamp(min=0)
    return (cosine * (attention + attention.T) / 2).cpu().numpy()


def walked(weights: np.ndarray, start: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return which nodes a walk visits that never comes back: bool [node], half of them.

    Parameters
    ----------
    weights : ndarray [node, node]
        The chance to go on from a node to another is proportional to it; where all are 0, every
        node left is as likely.
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
        if not chance.sum() > 0:
            # A dead end goes on anywhere.
            chance = (~visited).astype(float)
        node = rng.choice(len(weights), p=chance / chance.sum())
        visited[node], chance = True, weights[node]
    return visited
