"""VisionModel: what the rest of the package asks of a Vision Transformer."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from multiplex_vit.arguments import checked, checked_but
from multiplex_vit.checks import label_index
from multiplex_vit.errors import InputError
from multiplex_vit.models import attention, direct, gradients, inputs, masked
from multiplex_vit.models.backward.edges import relevance_edges
from multiplex_vit.models.backward.relevance import attend_relevance, relevance
from multiplex_vit.models.classifier import Operators, Rules
from multiplex_vit.models.facts import Facts
from multiplex_vit.models.fast.runner import Runner
from multiplex_vit.models.fast.switches import Fast, fast_of
from multiplex_vit.models.logits import Logits
from multiplex_vit.models.picture import Picture
from multiplex_vit.models.port import Port, Tokens
from multiplex_vit.models.ports import port_of
from multiplex_vit.models.score import AUTO
from multiplex_vit.models.tensors import refuse_shape


class VisionModel(Facts):
    """A Vision Transformer that classifies images, asked for attention and masked images.

    The wrapped model is left as it was, also after an exception: its mode, weights, gradients,
    hooks and attention implementation. One model must not be used from several threads at once; it
    can be sent to other processes.

    Parameters
    ----------
    model : nn.Module or Port
        Of a family in `FAMILIES`; `multiplex_vit.wrap` takes other modules too. It is taken out of
        torch.compile, DataParallel, DistributedDataParallel and PEFT, adapters included, and runs
        without accelerate's autocast.
    processor : image processor of transformers, or `Transform`, optional
        Turns images into pixel values. Without it only pixel values can be explained.
    name : str, optional
        How results name the model. Default: the name in its configuration, or its class.
    mask_dtype : torch.dtype or "tf32", optional
        Type in which masks and images are classified. Attention, and with it the masks, keeps that
        of the weights. Default: None, that of the weights.
    score : str
        What the logits mean: "softmax", "sigmoid" or "raw". Default: "auto", which follows the
        checkpoint (see `multiplex_vit.models.score.score_of`).
    fast : Fast or bool
        Which shortcuts are taken when masks and images are classified (see
        `multiplex_vit.models.fast.switches.Fast`); False takes none. Default: True, all of them.

    Raises
    ------
    InputError
        If the architecture is not supported, what is given is no module, or the score is unknown.

    Examples
    --------
    >>> import multiplex_vit as mv
    >>> VisionModel(mv.load("demo-vit", device="cpu").model, name="mine").grid
    (8, 8)
    """

    @checked_but("model", "fast", "mask_dtype", "score")
    def __init__(
        self,
        model: nn.Module | Port,
        processor: Any = None,
        *,
        name: str | None = None,
        mask_dtype: torch.dtype | str | None = None,
        score: str = AUTO,
        fast: Fast | bool = True,
    ):
        self.port = port_of(model, name)
        self.logits = Logits(self.port, score)
        self.processor = processor
        self._n_heads: int | None = None
        self._runner = Runner(self.port, fast_of(fast), mask_dtype)

    def __repr__(self) -> str:
        rows, cols = self.grid
        kind = type(self.model).__name__
        dtype = str(self.dtype).removeprefix("torch.")
        sizes = f"{self.n_layers} blocks, {rows} x {cols} patches, {self.n_classes} classes"
        return f"<VisionModel {self.name}: {kind}, {sizes}, {dtype}, {self.device}>"

    @checked
    def with_module(self, module: nn.Module, name: str) -> "VisionModel":
        """Return a model of the same classes and options around another module of its kind."""
        return self._changed(self.port.with_module(module), name, self.score.name)

    @checked
    def with_score(self, score: str) -> "VisionModel":
        """Return the same model with another meaning of its logits, such as "raw"."""
        return self._changed(self.port, self.name, score)

    def _changed(self, port: Port, name: str, score: str) -> "VisionModel":
        model = VisionModel(
            port,
            self.processor,
            name=name,
            mask_dtype=self.mask_dtype,
            score=score,
            fast=self.fast,
        )
        # So that a head of other classes than the configuration names is warned of once.
        model.logits.take_names(self.classes)
        return model

    @checked_but("label")
    def label_of(self, label: int | str | None, predicted: int) -> int:
        """Return the index of a class given by index or name; None stands for the predicted one.

        Raises
        ------
        InputError
            If there is no such class.
        """
        if label is None:
            return predicted
        return label_index(label, self.classes, self.name)

    def picture(self, image: Any) -> Picture:
        """Return an image ready for the model.

        Parameters
        ----------
        image : path-like, bytes, PIL image, ndarray or Tensor
            A file, the bytes of a file, uint8 [row, col, channel], or float
            [1, channel, row, col]. Floats are taken as pixel values that are pre-processed already.

        Raises
        ------
        InputError
            If it cannot be read, or pixel values have a shape that the model does not take.
        """
        return inputs.picture_of(self.port, self.processor, image)

    @checked
    def embed(self, pixels: Tensor | np.ndarray) -> Tokens:
        """Return the tokens that enter the first block.

        Parameters
        ----------
        pixels : Tensor or ndarray [image, channel, row, col]
            Pre-processed pixel values.

        Returns
        -------
        Tokens
            Of values [image, token, width]: prefix tokens first, then the patch tokens row by row,
            position embeddings added.

        Raises
        ------
        InputError
            If their number is not that of the prefix tokens plus the patches of the grid.
        """
        refuse_shape("pixels", pixels, "image", self.port.trunk.n_channels, "row", "col")
        return inputs.embed(self.port, pixels)

    @checked
    def attend(
        self, tokens: Tokens | Tensor, operators: Operators, *, prefix: bool = False
    ) -> tuple[Tensor, Tensor]:
        """Return attention between patch tokens, pooled over heads, and the class scores.

        It takes one forward pass.

        Parameters
        ----------
        tokens : Tokens
            From `embed`. A Tensor [image, token, width] is of images of the size `input_size`.
        operators : iterable of str or callable
            Head operators.
        prefix : bool
            Keep the prefix tokens too, before the patch tokens. Default: False.

        Returns
        -------
        attention : Tensor [image, operator, layer, source, target]
            float32, or float64 of a model in float64; the source (query) attends to the target
            (key).
        scores : Tensor [image, class]
            float32; `score` says whether these are probabilities.
        """
        return attention.attend(
            self.port, self.logits, self._tokens(tokens), operators, prefix=prefix
        )

    @checked
    def attend_directly(
        self, tokens: Tokens | Tensor, operators: Operators
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Return what `attend` does, and the direct logit attribution of every patch token.

        See `multiplex_vit.models.direct.attend_directly`.
        """
        return direct.attend_directly(self.port, self.logits, self._tokens(tokens), operators)

    @checked
    def activations(
        self, tokens: Tokens | Tensor, operators: Operators = ("mean",)
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Return what every block makes of the patch tokens, attention and class scores.

        See `multiplex_vit.models.attention.activations`.
        """
        return attention.activations(self.port, self.logits, self._tokens(tokens), operators)

    @checked
    def probabilities(
        self, tokens: Tokens | Tensor, kept: Tensor | np.ndarray, *, batch_size: int | str = "auto"
    ) -> Tensor:
        """Return class scores of an image from its kept tokens alone, one sequence a mask.

        Parameters
        ----------
        tokens : Tokens
            Of one image, from `embed`. A Tensor is of an image of the size `input_size`.
        kept : Tensor or ndarray, bool [mask, node]
            Which patch tokens stay; the prefix tokens always do. Masks that keep equally many
            share a forward pass.
        batch_size : int or "auto"
            Most masks a forward pass; it is halved where there is not enough memory.
            Default: "auto", as many as fit.

        Returns
        -------
        Tensor [mask, class]
            float32.
        """
        return self.probabilities_of_images(tokens, [kept], batch_size=batch_size)[0]

    @checked
    def probabilities_of_images(
        self,
        tokens: Tokens | Tensor,
        kept: Sequence[Tensor | np.ndarray],
        *,
        batch_size: int | str = "auto",
    ) -> list[Tensor]:
        """Return class scores [mask, class] of several images from their kept tokens alone.

        Masks that keep equally many tokens share a forward pass, whatever their image. See
        `multiplex_vit.models.masked.scores_of_masks`.
        """
        return masked.scores_of_masks(
            self._runner, self.logits, self._tokens(tokens), kept, batch_size
        )

    @checked
    def classify(self, pixels: Tensor | np.ndarray, *, batch_size: int | str = "auto") -> Tensor:
        """Return class scores of whole images.

        Parameters
        ----------
        pixels : Tensor or ndarray [image, channel, row, col]
            Pre-processed pixel values.
        batch_size : int or "auto"
            Most images a forward pass. Default: "auto", as many as fit.

        Returns
        -------
        Tensor [image, class]
            float32.
        """
        refuse_shape("pixels", pixels, "image", self.port.trunk.n_channels, "row", "col")
        return masked.scores_of_images(self._runner, self.logits, pixels, batch_size)

    @checked
    def relevance(
        self, tokens: Tokens | Tensor, labels: Sequence[int | None], rules: Rules
    ) -> tuple[Tensor, Tensor]:
        """Return the relevance of every token to a logit by rules, and class scores.

        See `multiplex_vit.models.backward.relevance.relevance`.
        """
        tokens = self._tokens(tokens)
        explained = self._indices(labels, len(tokens))
        return relevance(self.port, self.logits, tokens, explained, rules)

    @checked
    def attend_relevance(
        self,
        tokens: Tokens | Tensor,
        operators: Operators,
        labels: Sequence[int | None],
        rules: Rules,
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Return what `attend` does, and what `relevance` does, of the same passes.

        See `multiplex_vit.models.backward.relevance.attend_relevance`.
        """
        tokens = self._tokens(tokens)
        explained = self._indices(labels, len(tokens))
        return attend_relevance(self.port, self.logits, tokens, operators, explained, rules)

    @checked
    def relevance_edges(self, tokens: Tokens | Tensor, label: int | None) -> tuple[Tensor, Tensor]:
        """Return the relevance that passes from token to token in every block, and class scores.

        See `multiplex_vit.models.backward.edges.relevance_edges`.
        """
        label = None if label is None else self.label_of(label, 0)
        return relevance_edges(self.port, self.logits, self._tokens(tokens), label)

    @checked
    def attention_gradients(
        self, tokens: Tokens | Tensor, label: int | None, *, rules: Rules | None = None
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Return the attention of every head, the gradient of a logit at it, and class scores.

        See `multiplex_vit.models.gradients.attention_gradients`.
        """
        label = None if label is None else self.label_of(label, 0)
        tokens = self._tokens(tokens)
        return gradients.attention_gradients(self.port, self.logits, tokens, label, rules=rules)

    @checked
    def block_gradients(self, tokens: Tokens | Tensor, label: int | None) -> tuple[Tensor, Tensor]:
        """Return how each block's attention changes the logit read from that block's output.

        See `multiplex_vit.models.gradients.block_gradients`.
        """
        label = None if label is None else self.label_of(label, 0)
        return gradients.block_gradients(self.port, self.logits, self._tokens(tokens), label)

    @checked
    def token_gradients(
        self, tokens: Tokens | Tensor, label: int | None, *, rules: Rules | None = None
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Return the patch tokens behind the last block's first layer norm, and their gradient.

        See `multiplex_vit.models.gradients.token_gradients`.
        """
        label = None if label is None else self.label_of(label, 0)
        tokens = self._tokens(tokens)
        return gradients.token_gradients(self.port, self.logits, tokens, label, rules=rules)

    @checked
    def pixel_gradients(self, pixels: Tensor, label: int) -> Tensor:
        """Return the gradient of a class's score at pixel values [image, channel, row, col].

        See `multiplex_vit.models.gradients.pixel_gradients`.
        """
        refuse_shape("pixels", pixels, "image", self.port.trunk.n_channels, "row", "col")
        label = self.label_of(label, 0)
        return gradients.pixel_gradients(self._runner, self.logits, pixels, label)

    def _indices(self, labels: Sequence[int | None], n_images: int) -> list[int | None]:
        """Return the classes to explain, one for each image; None stands for the predicted one."""
        if len(labels) != n_images:
            given = f"{len(labels)} labels were given for {n_images} images"
            raise InputError(f"{given}; give one for each, None for the predicted class")
        return [None if label is None else self.label_of(label, 0) for label in labels]

    def _tokens(self, tokens: Tokens | Tensor) -> Tokens:
        """Return tokens, those of a Tensor on the grid of an image of the usual size."""
        if isinstance(tokens, Tokens):
            return tokens
        refuse_shape("tokens", tokens, "image", "token", "width")
        return Tokens(tokens, self.grid)
