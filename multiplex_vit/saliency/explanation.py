"""Explanation: masks, confidences, and the heatmap of any class."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from multiplex_vit.arguments import checked
from multiplex_vit.checks import label_index
from multiplex_vit.errors import InputError
from multiplex_vit.files import written_whole
from multiplex_vit.models.score import SCORES, Score
from multiplex_vit.registry import Named, name_of
from multiplex_vit.saliency.estimators import ESTIMATORS
from multiplex_vit.saliency.masks import LABELS, Masks, direction_of
from multiplex_vit.saliency.pictured import Pictured
from multiplex_vit.saliency.saved import FORMAT, read_explanation
from multiplex_vit.saliency.settings import Settings

_SOME = ("graph", "direct")


@dataclass(frozen=True, eq=False)
class Explanation(Pictured):
    """Why a model sees a class in an image. It holds every class's heatmap; asking for another takes no forward pass.

    Attributes
    ----------
    label : int
        The class explained.
    masks : Masks
        kept [mask, node] and their labels.
    probabilities : ndarray float32 [mask, class]
        Scores of every class with each mask's tokens alone: probabilities, unless `score` says
        otherwise.
    clean : ndarray float32 [class]
        Scores of the whole image.
    grid : tuple of int
        Rows and columns of patches.
    classes : tuple of str
        Class names.
    settings : Settings
    forward_passes : int
        Sequences that the model classified: the whole image, and each distinct mask once.
    model : str
        Name of the model.
    view : ndarray uint8 [row, col, channel]
        What the model saw, for drawing.
    against : int, optional
        The class whose confidence is subtracted (see `contrast`).
    graph : ndarray float32 [node, node], optional
        The token graph, where the design or the estimator needed it.
    direct : ndarray float32 [node, class], optional
        Direct logit attribution of every node to every class, where the settings give it weight.
    score : Score
        What the numbers of `probabilities` and `clean` mean. Default: that of a softmax.
    """

    label: int
    masks: Masks
    probabilities: np.ndarray
    clean: np.ndarray
    grid: tuple[int, int]
    classes: tuple[str, ...]
    settings: Settings
    forward_passes: int
    model: str
    view: np.ndarray
    against: int | None = None
    graph: np.ndarray | None = None
    direct: np.ndarray | None = None
    score: Score = SCORES["softmax"]

    def __repr__(self) -> str:
        found = f"{self.label_name!r} ({self.score.text(self.clean[self.label])})"
        passes = f"{self.masks.summary()}, {self.forward_passes} forward passes"
        return f"<Explanation of {found} by {self.model}: {passes}>"

    @property
    def label_name(self) -> str:
        """Name of the class explained; of a contrast "a - b"."""
        name = super().label_name
        return name if self.against is None else f"{name} - {self.classes[self.against]}"

    @property
    def confidence(self) -> np.ndarray:
        """Score [mask] of the class explained; of a contrast, the difference."""
        own = self.probabilities[:, self.label]
        return own if self.against is None else own - self.probabilities[:, self.against]

    @cached_property
    def heatmap(self) -> np.ndarray:  # type: ignore[override]
        """Worth [row, col] of every node for the class, by the settings' estimator; as published unless another was chosen.

        With a direct_weight w, that and w times the direct attribution to the class, each with a mean of 0 and a standard deviation of 1.
        """
        estimated, weight = self.estimate(self.settings.estimator), self.settings.direct_weight
        return _read_only(_standard(estimated) + weight * _standard(self._shares())) if weight else estimated

    def _shares(self) -> np.ndarray:
        if self.direct is None:
            raise InputError("direct attribution was not kept; explain with a direct_weight to keep it")
        own = self.direct[:, self.label]
        return (own if self.against is None else own - self.direct[:, self.against]).reshape(self.grid)

    @checked
    def estimate(self, estimator: Named) -> np.ndarray:
        """Return the heatmap float32 [row, col] by an estimator, without a forward pass.

        Of predicted values, an estimator is given how far each lies above the least, so that a node in
        no mask, which "coverage" counts as 0, is not put above or below all others.

        Raises
        ------
        InputError
            If it is unknown, needs a token graph that was not kept, or gives anything but a finite value a node.
        """
        function: Any = ESTIMATORS.resolve(estimator)
        needs_graph = ESTIMATORS.trait(estimator, "needs") == "graph"
        if needs_graph and self.graph is None:
            raise InputError(f"estimator {name_of(estimator)} needs the token graph, which was not kept; explain with estimator='graph' to keep it")
        given = {}
        if isinstance(estimator, str) and needs_graph and ESTIMATORS.takes(estimator, "smoothness"):
            given["smoothness"] = self.settings.smoothness
        confidence = self.confidence - self.score.floor(self.confidence)
        values = np.asarray(function(self.masks.kept, confidence, self.graph, **given), dtype=np.float32)
        if values.shape != self.masks.kept.shape[1:] or not np.isfinite(values).all():
            raise InputError(f"estimator {name_of(estimator)} returned shape {list(values.shape)}; finite values [{self.masks.kept.shape[1]}] were wanted")
        return _read_only(values.reshape(self.grid))

    @checked
    def with_estimator(self, estimator: Named, *, direct_weight: float | None = None) -> "Explanation":
        """Return the explanation by another estimator, or with another weight of the direct attribution, without a forward pass."""
        ESTIMATORS.resolve(estimator)
        weight = self.settings.direct_weight if direct_weight is None else direct_weight
        return replace(self, settings=replace(self.settings, estimator=estimator, direct_weight=weight))

    def for_class(self, label: int | str) -> "Explanation":
        """Return the explanation of another class, without a forward pass."""
        return replace(self, label=self._class(label), against=None)

    def contrast(self, label: int | str, against: int | str) -> "Explanation":
        """Return the explanation of one class's confidence minus another's, without a forward pass.

        Raises
        ------
        InputError
            If one is no class, or both are the same.
        """
        own, other = self._class(label), self._class(against)
        if own == other:
            name = self.classes[own]
            raise InputError(f"{name!r} minus itself is 0 everywhere; give two classes to contrast")
        return replace(self, label=own, against=other)

    def subset(self, **chosen: str | Iterable[str]) -> "Explanation":
        """Return the explanation from some of the masks, without a forward pass.

        Parameters
        ----------
        **chosen : str or iterable of str
            operator=, centrality=, statistic=, design= or direction= ("in", "out"): the values to keep.

        Raises
        ------
        InputError
            If a name is unknown here, or no mask is left.
        """
        take = np.ones(len(self.masks), dtype=bool)
        for column, wanted in chosen.items():
            take &= self._matching(column, _as_names(column, wanted))
        if not take.any():
            raise InputError(f"no mask has {chosen}; see masks.table()")
        return replace(self, masks=self.masks.select(take), probabilities=self.probabilities[take], settings=self._narrowed(take))

    def _matching(self, column: str, wanted: list[Any]) -> np.ndarray:
        if column == "direction":
            here = [direction_of(label[1]) for label in self.masks.labels]
        elif column in LABELS:
            here = [label[LABELS.index(column)] for label in self.masks.labels]
        elif column == "design":
            here = list(self.masks.designs)
        else:
            raise InputError(f"masks have no {column!r}; give {', '.join(LABELS)}, design or direction")
        names = [name_of(name) for name in wanted]
        unknown = [name for name in names if name not in here or not name]
        if unknown:
            known = ", ".join(name for name in dict.fromkeys(here) if name)
            raise InputError(f"no mask has {column} {unknown[0]!r}; here are {known or 'none'}")
        return np.isin(here, names)

    def _narrowed(self, take: np.ndarray) -> Settings:
        """Return the settings with what is left in the masks taken; functions of one's own stay functions."""
        left = [label for label, kept in zip(self.masks.labels, take, strict=True) if kept]
        fields = enumerate(("operators", "centralities", "statistics"))
        chosen = {f: tuple(m for m in getattr(self.settings, f) if name_of(m) in {label[i] for label in left}) for i, f in fields}
        return replace(self.settings, **{field: names for field, names in chosen.items() if names})  # type: ignore[arg-type]

    def _class(self, label: int | str) -> int:
        return label_index(label, self.classes, self.model)

    def row(self) -> dict[str, Any]:
        """Return a tidy row: model, class, its score, settings, masks, forward passes."""
        distinct = len(self.masks.distinct()[0])
        counts = {"masks": len(self.masks), "distinct_masks": distinct, "forward_passes": self.forward_passes}
        return {"model": self.model, **self.head(), **self.settings.row(), **counts}

    @checked
    def save(self, path: str | Path) -> None:
        """Write the explanation as a NumPy archive (.npz, no pickle), whole or not at all; `load` gives it back."""
        if Path(path).suffix != ".npz":
            raise InputError(f"cannot save {path}: give a name that ends in .npz")
        facts = {
            "format": FORMAT,
            "label": self.label,
            "against": self.against,
            "grid": self.grid,
            "classes": self.classes,
            "settings": self.settings.record(),
            "forward_passes": self.forward_passes,
            "model": self.model,
            "score": self.score.name,
            "labels": self.masks.labels,
            "designs": self.masks.designs,
        }
        arrays = {"kept": self.masks.kept, "probabilities": self.probabilities, "clean": self.clean, "view": self.view}
        arrays.update({name: own for name in _SOME if (own := getattr(self, name)) is not None})
        with written_whole(path) as temporary:
            np.savez_compressed(temporary, facts=np.array(json.dumps(facts)), **arrays)  # type: ignore[arg-type]

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


def _as_names(column: str, wanted: Any) -> list[Any]:
    """Return one name or several as a list."""
    if isinstance(wanted, str) or callable(wanted):
        return [wanted]
    names = list(wanted) if isinstance(wanted, (list, tuple, set, frozenset)) else []
    if not names or not all(isinstance(name, str) or callable(name) for name in names):
        raise InputError(f"{column} is {wanted!r}; give a name, or a list of names")
    return names


def _standard(values: np.ndarray) -> np.ndarray:
    """Return values less their mean, in standard deviations; zeros where all are the same."""
    spread = values.std(dtype=float)
    return (values - values.mean(dtype=float)) / spread if spread > 0 else np.zeros(values.shape)


def _read_only(heatmap: np.ndarray) -> np.ndarray:
    heatmap = heatmap.astype(np.float32, copy=False)
    heatmap.flags.writeable = False
    return heatmap
