"""Classifier: what the rest of the package asks of a model, whatever library it comes from.

Importing this file does not import torch.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from multiplex_vit.models.picture import Picture
    from multiplex_vit.models.port import Tokens
    from multiplex_vit.models.score import Score

Operators = Iterable[str | Callable]
"""Head operators, by name or as functions."""

Rules = str | Callable
"""Rules of relevance: a member of `models.backward.methods.RULES`, by name or as a function."""


class Classifier(Protocol):
    """A Vision Transformer that classifies images, and images from some of their tokens.

    `VisionModel` is one, and says of each method in full what it takes and gives. Functions of this
    package take any object that has the members they use.
    """

    @property
    def name(self) -> str:
        """How results name the model."""

    @property
    def device(self) -> "torch.device":
        """Where its weights are."""

    @property
    def n_layers(self) -> int:
        """How many blocks it has."""

    @property
    def n_heads(self) -> int:
        """How many attention heads a block has."""

    @property
    def prefix(self) -> tuple[str, ...]:
        """Names of the tokens before the patch tokens."""

    @property
    def n_prefix(self) -> int:
        """How many tokens come before the patch tokens."""

    @property
    def reads(self) -> str:
        """What its head reads: "prefix", "patches", "both" or "attention"."""

    @property
    def patch(self) -> tuple[int, int]:
        """Rows and columns of pixels of one patch."""

    @property
    def input_size(self) -> tuple[int, int]:
        """Rows and columns of pixels of an image as it is usually given."""

    @property
    def normalisation(self) -> tuple[np.ndarray, np.ndarray]:
        """Mean and standard deviation [channel] that turn pixel space 0 to 1 into pixel values."""

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes; a class's label is its place."""

    @property
    def n_classes(self) -> int:
        """How many classes there are."""

    @property
    def score(self) -> "Score":
        """What the numbers mean that it gives for its classes."""

    def grid_of(self, size: Sequence[int]) -> tuple[int, int]:
        """Return rows and columns of patches of an image of `size` pixels."""

    def label_of(self, label: int | str | None, predicted: int) -> int:
        """Return the index of a class given by index or name; None stands for the predicted one."""

    def with_score(self, score: str) -> "Classifier":
        """Return the same model with another meaning of its logits, such as "raw"."""

    def picture(self, image: Any) -> "Picture":
        """Return an image ready for the model."""

    def embed(self, pixels: "Tensor | np.ndarray") -> "Tokens":
        """Return the tokens that enter the first block."""

    def attend(
        self, tokens: "Tokens | Tensor", operators: Operators, *, prefix: bool = False
    ) -> "tuple[Tensor, Tensor]":
        """Return attention [image, operator, layer, source, target] and class scores."""

    def attend_directly(
        self, tokens: "Tokens | Tensor", operators: Operators
    ) -> "tuple[Tensor, Tensor, Tensor]":
        """Return what `attend` does, and direct logit attribution [image, node, class]."""

    def activations(
        self, tokens: "Tokens | Tensor", operators: Operators = ("mean",)
    ) -> "tuple[Tensor, Tensor, Tensor]":
        """Return the output of every block, the attention and the class scores of a pass."""

    def probabilities(
        self,
        tokens: "Tokens | Tensor",
        kept: "Tensor | np.ndarray",
        *,
        batch_size: int | str = "auto",
    ) -> "Tensor":
        """Return class scores [mask, class] of an image from its kept tokens alone."""

    def probabilities_of_images(
        self,
        tokens: "Tokens | Tensor",
        kept: "Sequence[Tensor | np.ndarray]",
        *,
        batch_size: int | str = "auto",
    ) -> "list[Tensor]":
        """Return class scores [mask, class] of several images from their kept tokens alone."""

    def classify(
        self, pixels: "Tensor | np.ndarray", *, batch_size: int | str = "auto"
    ) -> "Tensor":
        """Return class scores [image, class] of pixel values [image, channel, row, col]."""

    def relevance(
        self, tokens: "Tokens | Tensor", labels: Sequence[int | None], rules: Rules
    ) -> "tuple[Tensor, Tensor]":
        """Return the relevance [image, layer, token] of tokens by rules, and class scores."""

    def relevance_edges(
        self, tokens: "Tokens | Tensor", label: int | None
    ) -> "tuple[Tensor, Tensor]":
        """Return the relevance [layer, source, target] between tokens, and class scores."""

    def attend_relevance(
        self,
        tokens: "Tokens | Tensor",
        operators: Operators,
        labels: Sequence[int | None],
        rules: Rules,
    ) -> "tuple[Tensor, Tensor, Tensor]":
        """Return what `attend` does, and relevance [image, layer, token], of the same passes."""

    def attention_gradients(
        self, tokens: "Tokens | Tensor", label: int | None, *, rules: Rules | None = None
    ) -> "tuple[Tensor, Tensor, Tensor]":
        """Return the attention of every head, its gradient, and class scores."""

    def block_gradients(
        self, tokens: "Tokens | Tensor", label: int | None
    ) -> "tuple[Tensor, Tensor]":
        """Return how each block's attention changes the logit read from that block's output."""

    def token_gradients(
        self, tokens: "Tokens | Tensor", label: int | None, *, rules: Rules | None = None
    ) -> "tuple[Tensor, Tensor, Tensor]":
        """Return the tokens that enter the last block's attention, their gradient, and scores."""

    def pixel_gradients(self, pixels: "Tensor", label: int) -> "Tensor":
        """Return the gradient of a class's score with respect to pixel values."""
