"""Explanation: what every explainer returns, a heatmap of a class and what it was made from."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from multiplex_vit.arguments import checked
from multiplex_vit.checks import label_index
from multiplex_vit.errors import InputError
from multiplex_vit.models.classifier import Classifier
from multiplex_vit.models.score import SCORES, Score
from multiplex_vit.registry import Named
from multiplex_vit.saliency.estimators import ESTIMATORS, estimate, read_only, takes_prior
from multiplex_vit.saliency.given import text_of
from multiplex_vit.saliency.masks import Masks, matching
from multiplex_vit.saliency.prior import RELEVANCE, Prior
from multiplex_vit.saliency.saved import read_explanation, write_explanation
from multiplex_vit.saliency.settings import Settings
from multiplex_vit.saliency.shown import Shown
from multiplex_vit.saliency.warned import warn

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False)
class Explanation(Shown):
    """Why a model sees a class in an image.

    What is made of masks holds every class's heatmap; asking for another takes no forward pass. A
    prior by relevance is of one class: `with_classes` adds others.

    Attributes
    ----------
    label : int
        The class explained.
    clean : ndarray float32 [class]
        Scores of the whole image: probabilities, unless `score` says otherwise.
    grid : tuple of int
        Rows and columns of patches.
    classes : tuple of str
        Class names.
    model : str
        Name of the model.
    view : ndarray uint8 [row, col, channel]
        What the model saw, for drawing.
    explainer : str
        What explained it, as `EXPLAINERS[explainer]` takes it.
    forward_passes, backward_passes : int
        Sequences that the model classified, the whole image among them and each distinct mask once;
        and sequences that gradients went back through.
    score : Score
        What the numbers of `clean` and `probabilities` mean. Default: that of a softmax.
    values : ndarray float32 [row, col], optional
        The heatmap, where it is not made of masks.
    masks : Masks, optional
        kept [mask, node] and their labels.
    probabilities : ndarray float32 [mask, class], optional
        Scores of every class with each mask's tokens alone.
    settings : Settings, optional
        How the masks were made and are weighed, where an explainer has settings.
    estimator : str or callable, optional
        How masks are weighed, where there are no settings.
    against : int, optional
        The class whose confidence is subtracted (see `contrast`).
    graph : ndarray float32 [node, node], optional
        The token graph, where the design or the estimator needed it.
    prior : Prior, optional
        What was known of the nodes before any was left out, where the settings ask for it.
    network : mapping of str to mapping, optional
        Where the networks come from that masks were made of, by head operator, where they were
        given. Default: they are the image's own.
    """

    label: int
    clean: np.ndarray = field(repr=False)
    grid: tuple[int, int]
    classes: tuple[str, ...] = field(repr=False)
    model: str
    view: np.ndarray = field(repr=False)
    explainer: str = ""
    forward_passes: int = 0
    backward_passes: int = 0
    score: Score = SCORES["softmax"]
    values: np.ndarray | None = None
    masks: Masks | None = None
    probabilities: np.ndarray | None = None
    settings: Settings | None = None
    estimator: Named | None = None
    against: int | None = None
    graph: np.ndarray | None = None
    prior: Prior | None = None
    network: Mapping[str, Mapping[str, Any]] | None = None

    def __repr__(self) -> str:
        score = self.score.text(self.clean[self.label])
        what = f"{self.label_name!r} ({score})"
        parts = [f"{self.forward_passes} forward passes"]
        if self.masks is not None:
            parts.insert(0, self.masks.summary())
        if self.network is not None:
            parts.append("of given networks")
        if self.backward_passes:
            parts.append(f"{self.backward_passes} backward passes")
        by = f"{self.explainer} of {self.model}" if self.explainer else self.model
        return f"<Explanation of {what} by {by}: {', '.join(parts)}>"

    # --- the class

    @property
    def label_name(self) -> str:
        """Name of the class explained; of a contrast "a - b"."""
        name = self.classes[self.label]
        if self.against is None:
            return name
        return f"{name} - {self.classes[self.against]}"

    @property
    def predicted(self) -> int:
        """The class of the whole image whose score is greatest; of one logit, its only class."""
        return int(self.clean.argmax())

    @property
    def passes(self) -> int:
        """Forward and backward passes together."""
        return self.forward_passes + self.backward_passes

    @property
    def confidence(self) -> np.ndarray:
        """Score [mask] of the class explained; of a contrast, the difference."""
        _, probabilities = self._of_masks("there is no confidence with masks")
        return self._of_class(probabilities)

    # --- the heatmap

    @cached_property
    def heatmap(self) -> np.ndarray:
        """Worth [row, col] of every node for the class, float32; greater is more important.

        Of masks it is what their estimator gives.
        """
        if self.values is not None:
            # Whoever wrote into it would change what every later reader sees.
            return read_only(self.values)
        if self.settings is None:
            return self.estimate(self.estimator or "coverage")
        return self.estimate(self.settings.estimator)

    @checked
    def estimate(self, estimator: Named) -> np.ndarray:
        """Return the heatmap float32 [row, col] by an estimator, without a forward pass.

        An estimator that takes a prior is given that of the class, where it is known. Of predicted values, an estimator is given how far each lies above the least, so that a node
        in no mask, which "coverage" counts as 0, is not put above or below all others.

        Raises
        ------
        InputError
            If it is unknown, needs a token graph that was not kept, or gives anything but a finite
            value a node; or if the heatmap is not made of masks.
        """
        masks, _ = self._of_masks("there is nothing to estimate from")
        # 0 of a probability says nothing for a class; of predicted values, the least does.
        confidence = self.confidence - self.score.floor(self.confidence)
        options: dict[str, Any] = {}
        if self.settings is not None:
            options["smoothness"] = self.settings.smoothness
            options["prior_weight"] = self.settings.prior_weight
        options["prior"] = self._prior_values()
        values = estimate(estimator, masks.kept, confidence, self.graph, **options)
        return read_only(values.reshape(self.grid))

    @checked
    def with_estimator(self, estimator: Named) -> "Explanation":
        """Return the explanation by another estimator, without a forward pass.

        Parameters
        ----------
        estimator : str or callable
            A member of `ESTIMATORS`. One that takes no prior leaves it out.

        Raises
        ------
        InputError
            If the estimator is unknown, or the heatmap is not made of masks.
        """
        self._of_masks("there is nothing to estimate from")
        ESTIMATORS.resolve(estimator)
        if self.settings is None:
            return replace(self, estimator=estimator)
        prior = self.settings.prior if takes_prior(estimator) else None
        changed = self.settings.at(estimator=estimator, prior=prior)
        return replace(self, settings=changed, explainer=changed.text)

    @checked
    def with_classes(
        self, model: Classifier, image: Any, labels: Iterable[int | str]
    ) -> "Explanation":
        """Return the explanation with the prior of further classes.

        Each takes a forward and a backward pass, where the prior is the relevance of tokens; else
        nothing is added, as every class is there already.

        Parameters
        ----------
        model, image
            Those explained.
        labels : iterable of int or str

        Raises
        ------
        InputError
            If there is no such class, or the image has other patches.
        """
        indices = [self._class(label) for label in labels]
        if self.prior is None or self.settings is None or self.settings.prior != RELEVANCE:
            return self
        from multiplex_vit.saliency.attended import with_relevance

        pixels = model.picture(image).pixels
        if tuple(model.grid_of(pixels.shape[2:])) != tuple(self.grid):
            grid = "{} x {}".format(*self.grid)
            raise InputError(f"the image has no grid of {grid} patches; give that explained")
        prior, n_added = with_relevance(self.prior, model, model.embed(pixels), indices)
        return replace(
            self,
            prior=prior,
            forward_passes=self.forward_passes + n_added,
            backward_passes=self.backward_passes + n_added,
        )

    def for_class(self, label: int | str) -> "Explanation":
        """Return the explanation of another class, without a forward pass.

        Raises
        ------
        InputError
            If there is no such class, or the heatmap is not made of masks.

        Warns
        -----
        UserWarning
            If no prior of that class is there, so that the heatmap is made of masks alone.
        """
        self._of_masks("another class is another run: call explain with label=...")
        index = self._class(label)
        self._warn_without_prior(index)
        return replace(self, label=index, against=None)

    def contrast(self, label: int | str, against: int | str) -> "Explanation":
        """Return the explanation of one class's confidence minus another's, without a pass.

        Raises
        ------
        InputError
            If one is no class, both are the same, or the heatmap is not made of masks.

        Warns
        -----
        UserWarning
            If no prior of one of them is there, so that the heatmap is made of masks alone.
        """
        self._of_masks("a contrast needs confidences of both classes; explain each of them")
        first, second = self._class(label), self._class(against)
        if first == second:
            name = self.classes[first]
            what = f"{name!r} minus itself is 0 everywhere"
            raise InputError(f"{what}; give two classes to contrast")
        self._warn_without_prior(first, second)
        return replace(self, label=first, against=second)

    def subset(self, **chosen: str | Iterable[str]) -> "Explanation":
        """Return the explanation from some of the masks, without a forward pass.

        Parameters
        ----------
        **chosen : str or iterable of str
            operator=, centrality=, statistic=, design= or direction= ("in", "out"): the values to
            keep.

        Raises
        ------
        InputError
            If a name is unknown here, no mask is left, or the heatmap is not made of masks.
        """
        masks, probabilities = self._of_masks("there is nothing to choose from")
        take = matching(masks, chosen)
        left = masks.select(take)
        changed = replace(self, masks=left, probabilities=probabilities[take])
        if self.settings is None:
            return changed
        # So that the same masks are made again by the settings that the result tells.
        settings = self.settings.narrowed(left.labels)
        return replace(changed, settings=settings, explainer=settings.text)

    # --- tables, files

    def row(self) -> dict[str, Any]:
        """Return a tidy row: model, class, its score, explainer, settings, masks and passes."""
        row: dict[str, Any] = {
            "model": self.model,
            "label": self.label,
            "label_name": self.label_name,
            "probability": float(self.clean[self.label]),
            "score": self.score.quantity,
            "predicted": self.predicted,
            "explainer": self.explainer,
        }
        if self.settings is not None:
            row |= self.settings.row()
        if self.masks is not None:
            row |= {
                "masks": len(self.masks),
                "distinct_masks": len(self.masks.distinct()[0]),
            }
        if self.network is not None:
            row["network"] = text_of(self.network)
        passes = {
            "forward_passes": self.forward_passes,
            "backward_passes": self.backward_passes,
        }
        return row | passes

    def table(self) -> "pd.DataFrame":
        """Return `row` as a table of one row."""
        import pandas as pd

        return pd.DataFrame([self.row()])

    @checked
    def save(self, path: str | Path) -> None:
        """Write the explanation as a NumPy archive (.npz, no pickle), whole or not at all.

        Parameters
        ----------
        path : path-like
            A name that ends in .npz; `load` gives the explanation back.

        Raises
        ------
        InputError
            If it cannot be written there.
        """
        write_explanation(self, path)

    @classmethod
    def load(cls, path: str | Path) -> "Explanation":
        """Read an explanation that `save` wrote.

        Raises
        ------
        InputError
            If the file is missing or damaged, or anything in it has another type, shape or range
            than `save` writes.
        """
        return cls(**read_explanation(path))

    # --- within

    def _of_masks(self, otherwise: str) -> tuple[Masks, np.ndarray]:
        """Return masks and probabilities; say why not where there are none."""
        if self.masks is None or self.probabilities is None:
            by = self.explainer or "this explainer"
            raise InputError(f"{by} makes no masks, so {otherwise}")
        return self.masks, self.probabilities

    def _of_class(self, scores: np.ndarray) -> np.ndarray:
        """Return the column of scores [..., class] of the class; of a contrast, the difference."""
        of_label = scores[:, self.label]
        if self.against is None:
            return of_label
        return of_label - scores[:, self.against]

    def _prior_values(self) -> np.ndarray | None:
        """Return the prior [node] of the class, or of the contrast; None where it is not known."""
        if self.prior is None or self.settings is None or self.settings.prior is None:
            return None
        of_label = self.prior.of_class(self.label)
        if self.against is None or of_label is None:
            return of_label
        of_other = self.prior.of_class(self.against)
        return None if of_other is None else of_label - of_other

    def _warn_without_prior(self, *labels: int) -> None:
        """Warn of classes of which a prior was wanted and is not there."""
        if self.prior is None or self.settings is None or self.settings.prior is None:
            return
        for label in labels:
            if label not in self.prior.labels:
                name = self.classes[label]
                what = f"the {self.settings.prior} of {name!r} was not computed"
                how = f"with_classes(model, image, [{name!r}]) adds it by a backward pass"
                warn(f"{what}, so that its heatmap is made of masks alone; {how}")

    def _class(self, label: int | str) -> int:
        return label_index(label, self.classes, self.model)
