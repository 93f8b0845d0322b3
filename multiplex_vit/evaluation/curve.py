"""Curve and Faithfulness: what an evaluation gives back."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from multiplex_vit.arguments import check_fields, checked
from multiplex_vit.errors import InputError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

INSERTION_DELETION = ("insertion", "deletion")


@dataclass(frozen=True, eq=False)
class Curve:
    """Score of a class while an image appears or disappears.

    Attributes
    ----------
    fraction : ndarray [step]
        Share of the image inserted or deleted; of "mutex2025" in percent.
    confidence : ndarray [step]
        Score of the class, a probability unless `quantity` says otherwise; of "chefer2021" 1 where the
        model still decides for the class, else 0.
    protocol : str
        Protocol and baseline; curves of different protocols do not compare.
    quantity : str
        What `confidence` is, such as "probability (softmax)" or "predicted value"; `evaluate` says it
        where a protocol does not.

    Examples
    --------
    >>> Curve(np.array([0, 0.5, 1]), np.array([0, 1, 1]), "patch/black").auc
    0.75
    """

    fraction: np.ndarray
    confidence: np.ndarray
    protocol: str
    quantity: str = ""

    def __post_init__(self) -> None:
        check_fields(self)

    @property
    def auc(self) -> float:
        """Area under the curve by the trapezoid rule, over the fractions as they are."""
        return float(np.trapezoid(self.confidence, self.fraction))


@dataclass(frozen=True, eq=False)
class Faithfulness:
    """Two curves of one heatmap: insertion, which should rise early, and deletion, which should fall early.

    Protocols without insertion name their curves otherwise: "chefer2021" has `negative`, which should stay high, and `positive`, which
    should fall. A curve that a protocol does not have cannot be asked for.

    Attributes
    ----------
    higher, lower : Curve
        The curve that should be high, and the one that should be low.
    label : int
        The class whose confidence was followed.
    names : tuple of str
        Names of the two curves.

    Raises
    ------
    InputError
        If the two curves are of different protocols.
    """

    higher: Curve
    lower: Curve
    label: int
    names: tuple[str, str] = INSERTION_DELETION

    def __post_init__(self) -> None:
        check_fields(self)
        if self.higher.protocol != self.lower.protocol:
            raise InputError(f"curves of {self.higher.protocol} and {self.lower.protocol} do not belong together")

    def __repr__(self) -> str:
        areas = ", ".join(f"{name} {curve.auc:.4f}" for name, curve in self.curves.items())
        return f"<Faithfulness {self.protocol}: {areas}, difference {self.difference:.4f}>"

    @property
    def curves(self) -> dict[str, Curve]:
        """The two curves by name, that which should be high first."""
        return dict(zip(self.names, (self.higher, self.lower), strict=True))

    @property
    def insertion(self) -> Curve:
        """What the best patches bring; InputError where the protocol has no insertion."""
        return self._curve("insertion")

    @property
    def deletion(self) -> Curve:
        """What is left without the best patches; InputError where the protocol has another name for it."""
        return self._curve("deletion")

    @property
    def negative(self) -> Curve:
        """What is left without the least relevant patches, of "chefer2021"; InputError elsewhere."""
        return self._curve("negative")

    @property
    def positive(self) -> Curve:
        """What is left without the most relevant patches, of "chefer2021"; InputError elsewhere."""
        return self._curve("positive")

    def _curve(self, name: str) -> Curve:
        if name not in self.names:
            raise InputError(f"{self.protocol} has no {name}; it has {' and '.join(self.names)}")
        return self.curves[name]

    @property
    def protocol(self) -> str:
        """Protocol and baseline."""
        return self.higher.protocol

    @property
    def quantity(self) -> str:
        """What the curves follow, such as "probability (softmax)"."""
        return self.higher.quantity

    @property
    def difference(self) -> float:
        """AUC of the curve that should be high minus that of the other: insertion minus deletion."""
        return self.higher.auc - self.lower.auc

    @checked
    def minus(self, other: "Faithfulness") -> float:
        """Return by how much this difference exceeds another's.

        Raises
        ------
        InputError
            If the other was measured by another protocol, of another score or for another class.
        """
        if self.protocol != other.protocol:
            raise InputError(f"{self.protocol} and {other.protocol} do not compare; evaluate both by one protocol")
        if self.quantity != other.quantity:
            raise InputError(f"a {self.quantity} and a {other.quantity} do not compare; evaluate both by one score")
        if self.label != other.label:
            raise InputError(f"classes {self.label} and {other.label} do not compare; evaluate both for one label")
        return self.difference - other.difference

    def row(self) -> dict[str, Any]:
        """Return a tidy row: protocol, the AUC of each curve by its name (insertion, deletion), difference, and what the curves follow."""
        areas = {name: curve.auc for name, curve in self.curves.items()}
        return {"protocol": self.protocol, **areas, "difference": self.difference, "quantity": self.quantity}

    def table(self) -> pd.DataFrame:
        """Return one row a point of a curve: protocol, curve (its name), fraction, confidence, quantity (what the confidence is)."""
        parts = []
        for name, curve in self.curves.items():
            points = {"fraction": curve.fraction, "confidence": curve.confidence}
            parts.append(pd.DataFrame({"protocol": curve.protocol, "curve": name, **points, "quantity": curve.quantity}))
        return pd.concat(parts, ignore_index=True)

    def plot(self, **options: Any) -> "Axes":
        """Draw both curves; see `multiplex_vit.plot.curves`."""
        from multiplex_vit import plot

        return plot.curves(self.table(), **options)
