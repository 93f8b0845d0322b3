"""Target: what an explainer explains, and the explanation of it."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from torch import Tensor

from multiplex_vit.arguments import checked
from multiplex_vit.checks import numbers, vision_model
from multiplex_vit.errors import InputError
from multiplex_vit.models.classifier import Classifier
from multiplex_vit.models.picture import Picture
from multiplex_vit.models.port import ATTENTION, PATCHES, Tokens
from multiplex_vit.registry import Named
from multiplex_vit.saliency.explanation import Explanation
from multiplex_vit.saliency.masks import Masks, refuse_many_scores


@dataclass(frozen=True, eq=False)
class Target:
    """What an explainer explains: an image that is ready for a model, and a class.

    Attributes
    ----------
    model : Classifier
    picture : Picture
    label : int, str or None
        The class; None for the predicted one.
    """

    model: Classifier
    picture: Picture
    label: int | str | None

    @classmethod
    @checked
    def of(cls, model: Classifier, image: Any, label: int | str | None = None) -> "Target":
        """Return the target, with the image read.

        Raises
        ------
        InputError
            If there is no such class, or the image cannot be read.
        """
        vision_model(model).label_of(label, 0)
        return cls(model, model.picture(image), label)

    @property
    def index(self) -> int | None:
        """Index of the class, None for the predicted one."""
        return None if self.label is None else self.model.label_of(self.label, 0)

    @property
    def grid(self) -> tuple[int, int]:
        """Rows and columns of patches."""
        return self.model.grid_of(self.picture.pixels.shape[2:])

    @property
    def n_nodes(self) -> int:
        """How many patches there are."""
        rows, cols = self.grid
        return rows * cols

    @cached_property
    def tokens(self) -> Tokens:
        """What enters the first block."""
        return self.model.embed(self.picture.pixels)

    def clean(self) -> np.ndarray:
        """Return the scores [class] of the whole image; it takes one forward pass."""
        return self.model.classify(self.picture.pixels)[0].cpu().numpy()

    @checked
    def explained_class(self, clean: np.ndarray | Tensor) -> int:
        """Return the index of the class; the predicted one where none was asked for.

        Parameters
        ----------
        clean : ndarray or Tensor [class]
            Scores of the whole image.
        """
        return self.model.label_of(self.label, int(self._scores(clean).argmax()))

    @checked
    def prefix_row(self, relevance: Tensor) -> Tensor:
        """Return relevance [query, key] of the patch tokens for the tokens that the head reads.

        That is the class token, and of models with a distillation token the mean of both. Where the
        head reads patches, it is the mean over them, also where it attends to them by itself.
        """
        n_prefix = self.model.n_prefix
        if self.model.reads in (PATCHES, ATTENTION):
            return relevance[n_prefix:, n_prefix:].mean(0)
        readers = []
        for place, name in enumerate(self.model.prefix):
            if name in ("class", "distillation"):
                readers.append(place)
        return relevance[readers].mean(0)[n_prefix:]

    # --- explanations

    @checked
    def answer(
        self,
        values: np.ndarray | Tensor,
        clean: np.ndarray | Tensor,
        *,
        forward_passes: int = 1,
        backward_passes: int = 0,
    ) -> Explanation:
        """Return values of the patches as an explanation.

        Parameters
        ----------
        values : ndarray or Tensor [node] or [row, col]
            Greater is more important.
        clean : ndarray or Tensor [class]
            Scores of the whole image.
        forward_passes, backward_passes : int
            What it took, the pass of the whole image included. Default: 1 and 0.

        Raises
        ------
        InputError
            If there is not a finite value for every patch.
        """
        heatmap = _floats("values", values)
        fits = heatmap.shape in ((self.n_nodes,), tuple(self.grid))
        if not fits or not np.isfinite(heatmap).all():
            rows, cols = self.grid
            given = f"a heatmap of shape {list(heatmap.shape)}"
            what = f"{given}, or with NaN"
            raise InputError(f"{what}; expected finite values [{rows}, {cols}]")
        return self._explanation(
            clean,
            values=heatmap.reshape(self.grid),
            forward_passes=forward_passes,
            backward_passes=backward_passes,
        )

    @checked
    def explained(
        self,
        kept: np.ndarray,
        clean: np.ndarray | Tensor,
        *,
        design: str,
        estimator: Named,
    ) -> Explanation:
        """Return what masks show, where the pass of the whole image was run already.

        Parameters
        ----------
        kept : ndarray bool [mask, node]
        clean : ndarray or Tensor [class]
            Scores of the whole image, which masks that keep every token have too.
        design : str
            What the masks are called.
        estimator : str or callable
            How they are weighed.
        """
        masks = Masks.of(kept, design)
        refuse_many_scores(len(masks), self.model.n_classes)
        if kept.shape[1] != self.n_nodes:
            what = f"masks have {kept.shape[1]} tokens"
            raise InputError(f"{what}; expected {self.n_nodes}")
        first, inverse = masks.distinct()
        # The pass of the whole image was run already.
        partial = first[~kept[first].all(1)]
        probabilities = np.tile(self._scores(clean), (len(kept), 1))
        scores = self.model.probabilities(self.tokens, kept[partial])
        probabilities[partial] = scores.cpu().numpy()
        return self._explanation(
            clean,
            masks=masks,
            probabilities=probabilities[first][inverse],
            estimator=estimator,
            forward_passes=len(partial) + 1,
        )

    def _scores(self, clean: np.ndarray | Tensor) -> np.ndarray:
        """Return scores as an array float32 [class]; InputError if they are not one a class."""
        scores = _floats("clean", clean).ravel()
        if len(scores) != self.model.n_classes:
            n_classes = self.model.n_classes
            raise InputError(
                f"clean has {len(scores)} scores; expected one for {n_classes} classes"
            )
        return scores

    def _explanation(self, clean: np.ndarray | Tensor, **facts: Any) -> Explanation:
        scores = self._scores(clean)
        return Explanation(
            label=self.explained_class(scores),
            clean=scores,
            grid=self.grid,
            classes=self.model.classes,
            model=self.model.name,
            view=self.picture.view,
            score=self.model.score,
            **facts,
        )


def _floats(name: str, values: np.ndarray | Tensor) -> np.ndarray:
    """Return values as an array of float32."""
    # NumPy has no bfloat16.
    plain = values.float() if isinstance(values, Tensor) else values
    return numbers(name, plain).astype(np.float32)
