"""Heads for backbones without one: what scores features that a backbone gives.

A linear probe needs no class of its own: give `nn.Linear`.
"""

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize, one_hot

from multiplex_vit.arguments import checked
from multiplex_vit.checks import positive, whole
from multiplex_vit.errors import InputError
from multiplex_vit.models.linear import linear_map

_LEAST_SHARE = 1e-12
"""Share of votes of a class that got none, so that its logarithm is finite."""


class PrototypeHead(nn.Module):
    """Scores features by their cosine with one prototype a class, such as the mean of its images.

    Parameters
    ----------
    prototypes : Tensor [class, width]
    temperature : float
        What cosines are divided by to give logits. Default: 0.1.

    Examples
    --------
    >>> head = PrototypeHead(torch.eye(2), temperature=1.0)
    >>> head(torch.tensor([[3.0, 0.0]])).tolist()
    [[1.0, 0.0]]
    """

    prototypes: Tensor

    @checked
    def __init__(self, prototypes: Tensor, temperature: float = 0.1):
        super().__init__()
        _refuse_shape("prototypes", prototypes)
        positive("temperature", temperature)
        directions = normalize(prototypes.float(), dim=-1)
        self.register_buffer("prototypes", directions)
        self.temperature = temperature
        self.in_features = prototypes.shape[1]

    @checked
    def forward(self, features: Tensor) -> Tensor:
        """Return logits [image, class] of features [image, width]."""
        directions = normalize(features.float(), dim=-1)
        return directions @ self.prototypes.T / self.temperature


class NeighbourHead(nn.Module):
    """Scores features by votes of the most similar features of labelled images.

    A neighbour's vote weighs exp(cosine / temperature), as in Wu et al., CVPR 2018
    (arXiv:1805.01978). Logits are logarithms of the classes' shares of the votes, so that a softmax
    gives these shares.

    Parameters
    ----------
    features : Tensor [sample, width]
    labels : Tensor [sample]
        Class of each sample, from 0 on.
    k : int
        How many neighbours vote. Default: 20, or all where there are fewer.
    temperature : float
        Default: 0.07.

    Examples
    --------
    >>> head = NeighbourHead(torch.eye(2), torch.tensor([1, 0]), k=1)
    >>> head(torch.tensor([[5.0, 1.0]])).softmax(-1).round().tolist()
    [[0.0, 1.0]]
    """

    features: Tensor
    votes: Tensor

    @checked
    def __init__(self, features: Tensor, labels: Tensor, k: int = 20, temperature: float = 0.07):
        super().__init__()
        _refuse_shape("features", features)
        positive("temperature", temperature)
        if labels.shape != features.shape[:1] or labels.is_floating_point():
            given = f"labels have shape {list(labels.shape)} ({labels.dtype})"
            wanted = f"{len(features)} whole numbers, one a sample"
            raise InputError(f"{given}; give {wanted}")
        whole("k", k, at_least=1)
        # Of length 1 here once, so that products below are cosines.
        directions = normalize(features.float(), dim=-1)
        self.register_buffer("features", directions)
        votes = one_hot(labels.long()).float()
        self.register_buffer("votes", votes)
        self.k = min(k, len(features))
        self.temperature = temperature
        self.in_features = features.shape[1]

    @checked
    def forward(self, features: Tensor) -> Tensor:
        """Return logits [image, class] of features [image, width]."""
        directions = normalize(features.float(), dim=-1)
        cosines = directions @ self.features.T
        nearest, places = cosines.topk(self.k)
        # A softmax divides exp(...) by its sum: shares of all votes.
        weights = (nearest / self.temperature).softmax(-1)
        votes = self.votes[places]
        shares = torch.einsum("ik,ikc->ic", weights, votes)
        return shares.clamp_min(_LEAST_SHARE).log()


class TextHead(nn.Module):
    """Scores features by their cosine with texts: a zero-shot classifier.

    Parameters
    ----------
    texts : Tensor [class, width]
        Features of a text a class, from the text tower.
    scale : float
        What cosines are multiplied by. Default: 100, that of CLIP.
    bias : float
        What is added to them. Default: 0.
    projection : nn.Module, optional
        What the vision tower's features go through first. Default: None, nothing.

    Examples
    --------
    >>> TextHead(torch.eye(2), scale=1.0)(torch.tensor([[0.0, 4.0]])).tolist()
    [[0.0, 1.0]]
    """

    texts: Tensor

    @checked
    def __init__(
        self,
        texts: Tensor,
        scale: float = 100.0,
        bias: float = 0.0,
        projection: nn.Module | None = None,
    ):
        super().__init__()
        _refuse_shape("texts", texts)
        self.register_buffer("texts", normalize(texts, dim=-1))
        self.projection = nn.Identity() if projection is None else projection
        self.scale = scale
        self.bias = bias

    @checked
    def forward(self, features: Tensor) -> Tensor:
        """Return logits [image, class] of features [image, width]."""
        projected = self.projection(features)
        directions = normalize(projected, dim=-1)
        # The tower may compute in another type than its texts have.
        texts = self.texts.T.to(directions.dtype)
        return self.scale * directions @ texts + self.bias

    @checked
    def at_length(self, features: Tensor) -> tuple[Tensor, Tensor] | None:
        """Return this head as a linear one, the length that features are divided by held fixed.

        Parameters
        ----------
        features : Tensor [image, width]

        Returns
        -------
        weight : Tensor [class, width]
        length : Tensor [image]
            Logits are features times the weight, divided by it. None in place of both where the
            projection is not linear.
        """
        projection = linear_map(self.projection, features)
        if projection is None:
            return None
        projected = self.projection(features)
        length = projected.float().norm(dim=-1)
        weight = self.scale * self.texts.float() @ projection.weight
        return weight, length


def _refuse_shape(name: str, values: Tensor) -> None:
    is_tensor = isinstance(values, Tensor)
    if not is_tensor or values.ndim != 2 or not len(values):
        given = list(values.shape) if is_tensor else type(values).__name__
        wanted = "a Tensor [class or sample, width]"
        raise InputError(f"{name} are {given}; give {wanted}")
