"""Relay: a classifier that hands every question on, for those who answer some of them differently.

Importing this file does not import torch.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from multiplex_vit.models.classifier import Classifier, Operators, Rules

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from multiplex_vit.models.picture import Picture
    from multiplex_vit.models.port import Tokens
    from multiplex_vit.models.score import Score


class Relay:
    """A classifier that hands every question on to another one.

    A subclass answers some of them in another way: it counts, remembers or changes.

    Parameters
    ----------
    model : Classifier

    Examples
    --------
    >>> import multiplex_vit as mv
    >>> Relay(mv.load("demo-vit", device="cpu")).n_classes
    10
    """

    def __init__(self, model: Classifier):
        self.model = model

    @property
    def name(self) -> str:
        """The model's name."""
        return self.model.name

    @property
    def device(self) -> "torch.device":
        """Where the model's weights are."""
        return self.model.device

    @property
    def n_layers(self) -> int:
        """The model's number of blocks."""
        return self.model.n_layers

    @property
    def n_heads(self) -> int:
        """The model's number of heads a block."""
        return self.model.n_heads

    @property
    def prefix(self) -> tuple[str, ...]:
        """Names of the model's prefix tokens."""
        return self.model.prefix

    @property
    def n_prefix(self) -> int:
        """The model's number of prefix tokens."""
        return self.model.n_prefix

    @property
    def reads(self) -> str:
        """What the model's head reads."""
        return self.model.reads

    @property
    def patch(self) -> tuple[int, int]:
        """Rows and columns of pixels of the model's patches."""
        return self.model.patch

    @property
    def input_size(self) -> tuple[int, int]:
        """Rows and columns of pixels that the model is usually given."""
        return self.model.input_size

    @property
    def normalisation(self) -> tuple[np.ndarray, np.ndarray]:
        """The model's mean and standard deviation [channel]."""
        return self.model.normalisation

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the model's classes."""
        return self.model.classes

    @property
    def n_classes(self) -> int:
        """The model's number of classes."""
        return self.model.n_classes

    @property
    def score(self) -> "Score":
        """What the model's numbers mean."""
        return self.model.score

    def grid_of(self, size: Sequence[int]) -> tuple[int, int]:
        """Hand on."""
        return self.model.grid_of(size)

    def label_of(self, label: int | str | None, predicted: int) -> int:
        """Hand on."""
        return self.model.label_of(label, predicted)

    def with_score(self, score: str) -> Classifier:
        """Hand on."""
        return self.model.with_score(score)

    def picture(self, image: Any) -> "Picture":
        """Hand on."""
        return self.model.picture(image)

    def embed(self, pixels: "Tensor | np.ndarray") -> "Tokens":
        """Hand on."""
        return self.model.embed(pixels)

    def attend(
        self, tokens: "Tokens | Tensor", operators: Operators, *, prefix: bool = False
    ) -> "tuple[Tensor, Tensor]":
        """Hand on."""
        return self.model.attend(tokens, operators, prefix=prefix)

    def attend_directly(
        self, tokens: "Tokens | Tensor", operators: Operators
    ) -> "tuple[Tensor, Tensor, Tensor]":
        """Hand on."""
        return self.model.attend_directly(tokens, operators)

    def activations(
        self, tokens: "Tokens | Tensor", operators: Operators = ("mean",)
    ) -> "tuple[Tensor, Tensor, Tensor]":
        """Hand on."""
        return self.model.activations(tokens, operators)

    def probabilities(
        self,
        tokens: "Tokens | Tensor",
        kept: "Tensor | np.ndarray",
        *,
        batch_size: int | str = "auto",
    ) -> "Tensor":
        """Hand on."""
        return self.model.probabilities(tokens, kept, batch_size=batch_size)

    def probabilities_of_images(
        self,
        tokens: "Tokens | Tensor",
        kept: "Sequence[Tensor | np.ndarray]",
        *,
        batch_size: int | str = "auto",
    ) -> "list[Tensor]":
        """Hand on."""
        return self.model.probabilities_of_images(tokens, kept, batch_size=batch_size)

    def classify(
        self, pixels: "Tensor | np.ndarray", *, batch_size: int | str = "auto"
    ) -> "Tensor":
        """Hand on."""
        return self.model.classify(pixels, batch_size=batch_size)

    def relevance(
        self, tokens: "Tokens | Tensor", labels: Sequence[int | None], rules: Rules
    ) -> "tuple[Tensor, Tensor]":
        """Hand on."""
        return self.model.relevance(tokens, labels, rules)

    def relevance_edges(
        self, tokens: "Tokens | Tensor", label: int | None
    ) -> "tuple[Tensor, Tensor]":
        """Hand on."""
        return self.model.relevance_edges(tokens, label)

    def attend_relevance(
        self,
        tokens: "Tokens | Tensor",
        operators: Operators,
        labels: Sequence[int | None],
        rules: Rules,
    ) -> "tuple[Tensor, Tensor, Tensor]":
        """Hand on."""
        return self.model.attend_relevance(tokens, operators, labels, rules)

    def attention_gradients(
        self, tokens: "Tokens | Tensor", label: int | None, *, rules: Rules | None = None
    ) -> "tuple[Tensor, Tensor, Tensor]":
        """Hand on."""
        return self.model.attention_gradients(tokens, label, rules=rules)

    def block_gradients(
        self, tokens: "Tokens | Tensor", label: int | None
    ) -> "tuple[Tensor, Tensor]":
        """Hand on."""
        return self.model.block_gradients(tokens, label)

    def token_gradients(
        self, tokens: "Tokens | Tensor", label: int | None, *, rules: Rules | None = None
    ) -> "tuple[Tensor, Tensor, Tensor]":
        """Hand on."""
        return self.model.token_gradients(tokens, label, rules=rules)

    def pixel_gradients(self, pixels: "Tensor", label: int) -> "Tensor":
        """Hand on."""
        return self.model.pixel_gradients(pixels, label)
