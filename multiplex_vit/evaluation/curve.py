"""Curve and Faithfulness: what an evaluation gives back."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from multiplex_vit import plot
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
        Share of the image that is inserted or deleted. The protocol "mutex2025" has percent.
    confidence : ndarray [step]
        Score of the class: a probability, or what `quantity` says. The protocol "chefer2021" has 1
        where the model still decides for the class, and 0 elsewhere.
    protocol : str
        Protocol and baseline, such as "patch/black". Curves of different protocols cannot be
        compared.
    quantity : str
        What `confidence` is, such as "probability (softmax)" or "predicted value". Default: "",
        which `evaluate` replaces by the score of the model.

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
        # Not divided by their range: published areas are not either (see the protocols).
        return float(np.trapezoid(self.confidence, self.fraction))

    @checked
    def mean_between(self, start: float, end: float) -> float:
        """Return the mean of the curve between two shares of its length.

        Parameters
        ----------
        start, end : float, 0 to 1
            Between two points the curve is a line.

        Raises
        ------
        InputError
            If start is not below end, or one is no share.

        Examples
        --------
        >>> Curve(np.array([0, 0.5, 1]), np.array([0, 1, 1]), "token").mean_between(0, 0.5)
        0.5
        """
        if not 0 <= start < end <= 1:
            raise InputError(f"start is {start} and end {end}; give 0 <= start < end <= 1")
        length = self.fraction[-1] - self.fraction[0]
        first, last = self.fraction[0] + length * np.array([start, end])
        inside = (self.fraction > first) & (self.fraction < last)
        fraction = np.concatenate([[first], self.fraction[inside], [last]])
        confidence = np.interp(fraction, self.fraction, self.confidence)
        return float(np.trapezoid(confidence, fraction) / (last - first))


@dataclass(frozen=True, eq=False)
class Faithfulness:
    """Two curves of one heatmap: insertion should rise early, and deletion should fall early.

    Protocols without insertion have other names for their curves: "chefer2021" has `negative`,
    which should stay high, and `positive`, which should fall. Asking for a curve that the protocol
    does not have raises an InputError.

    Attributes
    ----------
    higher, lower : Curve
        The curve that should be high, and the one that should be low.
    label : int
        The class whose confidence was followed.
    names : tuple of str
        Names of the two curves. Default: ("insertion", "deletion").

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
        # Areas of different protocols have different ends and units.
        if self.higher.protocol != self.lower.protocol:
            names = f"{self.higher.protocol} and {self.lower.protocol}"
            raise InputError(f"curves of {names} do not belong together")

    def __repr__(self) -> str:
        figures = {name: curve.auc for name, curve in self.curves.items()}
        figures["difference"] = self.difference
        texts = [f"{name} {value:.4f}" for name, value in figures.items()]
        return f"<Faithfulness {self.protocol}: {', '.join(texts)}>"

    @property
    def curves(self) -> dict[str, Curve]:
        """The two curves by name; the one that should be high comes first."""
        return dict(zip(self.names, (self.higher, self.lower), strict=True))

    @property
    def insertion(self) -> Curve:
        """Confidence while the best patches are inserted."""
        return self._curve("insertion")

    @property
    def deletion(self) -> Curve:
        """Confidence while the best patches are deleted."""
        return self._curve("deletion")

    @property
    def negative(self) -> Curve:
        """Confidence while the least relevant patches are deleted ("chefer2021" alone)."""
        return self._curve("negative")

    @property
    def positive(self) -> Curve:
        """Confidence while the most relevant patches are deleted ("chefer2021" alone)."""
        return self._curve("positive")

    def _curve(self, name: str) -> Curve:
        if name not in self.names:
            names = " and ".join(self.names)
            raise InputError(f"{self.protocol} has no {name}; it has {names}")
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
        """AUC of the curve that should be high minus AUC of the other: insertion minus deletion."""
        return self.higher.auc - self.lower.auc

    @checked
    def early_difference(self, until: float = 0.3) -> float:
        """Return the difference while few patches are gone: least relevant first, less most first.

        There heatmaps differ most, and images are least unlike what the model knows. Taking away
        the least relevant patches is the insertion curve, read from its end.

        Parameters
        ----------
        until : float, above 0 and at most 1
            Share of the patches that are gone at the end. Default: 0.3.

        Raises
        ------
        InputError
            If it is no such share.
        """
        lower = self.lower.mean_between(0, until)
        if self.names == INSERTION_DELETION:
            return self.higher.mean_between(1 - until, 1) - lower
        # Of "chefer2021" both curves take patches away.
        return self.higher.mean_between(0, until) - lower

    @checked
    def minus(self, other: "Faithfulness") -> float:
        """Return by how much this difference exceeds another's.

        Raises
        ------
        InputError
            If the other was measured by another protocol, of another score or for another class.
        """
        # What differs first is said first; the others may follow from it.
        if self.protocol != other.protocol:
            given, remedy = f"{self.protocol} and {other.protocol}", "by one protocol"
        elif self.quantity != other.quantity:
            given, remedy = f"a {self.quantity} and a {other.quantity}", "by one score"
        elif self.label != other.label:
            given, remedy = f"classes {self.label} and {other.label}", "for one label"
        else:
            return self.difference - other.difference
        raise InputError(f"{given} do not compare; evaluate both {remedy}")

    def row(self) -> dict[str, Any]:
        """Return a row of a table: protocol, AUC of each curve, difference and quantity.

        The columns of the areas have the names of the curves, such as insertion and deletion.
        """
        areas = {name: curve.auc for name, curve in self.curves.items()}
        return {
            "protocol": self.protocol,
            **areas,
            "difference": self.difference,
            "quantity": self.quantity,
        }

    def table(self) -> pd.DataFrame:
        """Return a row for each point: protocol, curve (its name), fraction, confidence, quantity."""
        parts = []
        for name, curve in self.curves.items():
            columns = {
                "protocol": curve.protocol,
                "curve": name,
                "fraction": curve.fraction,
                "confidence": curve.confidence,
                "quantity": curve.quantity,
            }
            parts.append(pd.DataFrame(columns))
        return pd.concat(parts, ignore_index=True)

    def plot(self, *, ax: "Axes | None" = None) -> "Axes":
        """Draw both curves; see `multiplex_vit.plot.curves`.

        Parameters
        ----------
        ax : Axes, optional
            Where to draw. Default: the current axes.
        """
        return plot.curves(self.table(), ax=ax)
