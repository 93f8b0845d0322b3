"""Target: what an explainer explains. Attribution: a heatmap that is not made of masks."""

import json
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from multiplex_vit.checks import vision_model
from multiplex_vit.errors import InputError
from multiplex_vit.files import written_whole
from multiplex_vit.models.picture import Picture
from multiplex_vit.models.score import SCORES, Score
from multiplex_vit.models.vision_model import VisionModel
from multiplex_vit.reading import named
from multiplex_vit.registry import name_of
from multiplex_vit.saliency.explanation import Explanation
from multiplex_vit.saliency.masks import Masks, refuse_many_scores
from multiplex_vit.saliency.pictured import Pictured
from multiplex_vit.saliency.saved import ATTRIBUTION_FORMAT, read_attribution
from multiplex_vit.saliency.settings import Settings


@dataclass(frozen=True, eq=False)
class Attribution(Pictured):
    """A heatmap of a class, by a method that is told apart by its name alone.

    Attributes
    ----------
    heatmap : ndarray float32 [row, col]
        Greater is more important.
    label : int
        The class explained.
    clean : ndarray float32 [class]
        Scores of the whole image: probabilities, unless `score` says otherwise.
    classes : tuple of str
    model, method : str
    view : ndarray uint8 [row, col, channel]
    forward_passes, backward_passes : int
        Sequences that the model classified, that of the whole image included; and such as gradients went back through.
    score : Score
        What the numbers of `clean` mean. Default: that of a softmax.
    """

    heatmap: np.ndarray
    label: int
    clean: np.ndarray = field(repr=False)
    classes: tuple[str, ...] = field(repr=False)
    model: str
    method: str
    view: np.ndarray = field(repr=False)
    forward_passes: int = 1
    backward_passes: int = 0
    score: Score = SCORES["softmax"]

    def save(self, path: str | Path) -> None:
        """Write the attribution as a NumPy archive (.npz, no pickle), whole or not at all.

        Parameters
        ----------
        path : path-like
            A name that ends in .npz; `load` gives the attribution back.

        Raises
        ------
        InputError
            If it cannot be written there.
        """
        if named(path).suffix != ".npz":
            raise InputError(f"cannot save {path}: give a name that ends in .npz")
        facts: dict[str, Any] = {"format": ATTRIBUTION_FORMAT, "classes": self.classes}
        facts["score"] = self.score.name
        for name in ("label", "model", "method", "forward_passes", "backward_passes"):
            facts[name] = getattr(self, name)
        with written_whole(path) as temporary:
            np.savez_compressed(
                temporary,
                facts=np.array(json.dumps(facts)),
                heatmap=self.heatmap,
                clean=self.clean,
                view=self.view,
            )

    @classmethod
    def load(cls, path: str | Path) -> "Attribution":
        """Read an attribution that `save` wrote.

        Raises
        ------
        InputError
            If the file is missing or damaged, or anything in it has another type, shape or range
            than `save` writes.
        """
        return cls(**read_attribution(path))

    def row(self) -> dict[str, Any]:
        """Return a tidy row: model, class, its score, method, passes."""
        passes = {"forward_passes": self.forward_passes, "backward_passes": self.backward_passes}
        return {"model": self.model, **self.head(), "method": self.method, **passes}


@dataclass(frozen=True, eq=False)
class Target:
    """What an explainer explains: an image that is ready for a model, and a class."""

    model: VisionModel
    picture: Picture
    label: int | str | None

    @classmethod
    def of(cls, model: VisionModel, image: Any, label: int | str | None) -> "Target":
        """Return the target, with the image read; InputError if there is no such class."""
        vision_model(model).label_of(label, 0)
        return cls(model, model.picture(image), label)

    @property
    def wanted(self) -> int | None:
        """Index of the class, None for the predicted one."""
        return None if self.label is None else self.model.label_of(self.label, 0)

    @property
    def grid(self) -> tuple[int, int]:
        """Rows and columns of patches."""
        return self.model.grid_of(self.picture.pixels.shape[2:])

    @cached_property
    def tokens(self) -> Tensor:
        """What enters the first block, [1, token, width]."""
        return self.model.embed(self.picture.pixels)

    def clean(self) -> np.ndarray:
        """Return the scores [class] of the whole image."""
        return self.model.classify(self.picture.pixels)[0].cpu().numpy()

    def answer(self, method: str, values: np.ndarray | Tensor, clean: np.ndarray | Tensor, *, forward_passes: int = 1, backward_passes: int = 0) -> Attribution:
        """Return values [node] as the heatmap of a method."""
        plain = [np.asarray(v.detach().float().cpu() if isinstance(v, Tensor) else v, dtype=np.float32) for v in (values, clean)]
        heatmap = plain[0].reshape(self.grid)
        heatmap.flags.writeable = False
        label = self.model.label_of(self.label, int(plain[1].argmax()))
        return Attribution(
            heatmap,
            label,
            plain[1].ravel(),
            self.model.classes,
            self.model.name,
            method,
            self.picture.view,
            forward_passes,
            backward_passes,
            self.model.score,
        )

    def explained(self, kept: np.ndarray, clean: np.ndarray | Tensor, settings: Settings) -> Explanation:
        """Return what masks kept [mask, node] show, where the pass of the whole image was run already; `settings.design` names the masks."""
        refuse_many_scores(len(kept), self.model.n_classes)
        masks = Masks(kept, (("", "", ""),) * len(kept), (name_of(settings.design),) * len(kept))
        whole = np.asarray(clean.cpu() if isinstance(clean, Tensor) else clean, dtype=np.float32).ravel()
        first, inverse = masks.distinct()
        partial = first[~kept[first].all(1)]
        probabilities = np.tile(whole, (len(kept), 1))
        probabilities[partial] = self.model.probabilities(self.tokens, kept[partial]).cpu().numpy()
        return Explanation(
            label=self.model.label_of(self.label, int(whole.argmax())),
            masks=masks,
            probabilities=probabilities[first][inverse],
            clean=whole,
            grid=self.grid,
            classes=self.model.classes,
            settings=settings,
            forward_passes=len(partial) + 1,
            model=self.model.name,
            view=self.picture.view,
            score=self.model.score,
        )

    def prefix_row(self, relevance: Tensor) -> Tensor:
        """Return relevance [query, key] of the patch tokens for the tokens that the head reads first.

        That is the class token, and of models with a distillation token the mean of both.
        """
        readers = [i for i, name in enumerate(self.model.prefix) if name in ("class", "distillation")]
        return relevance[readers].mean(0)[self.model.n_prefix :]
