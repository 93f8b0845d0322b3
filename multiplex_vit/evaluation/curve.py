"""Curve and Faithfulness: what an evaluation gives back."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from multiplex_vit.errors import InputError

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True, eq=False)
class Curve:
    """Confidence while an image appears or disappears.

    Attributes
    ----------
    fraction : ndarray [step]
        Share of the image inserted or deleted; of "mutex2025" in percent.
    confidence : ndarray [step]
        Probability of the class.
    protocol : str
        Protocol and baseline; curves of different protocols do not compare.

    Examples
    --------
    >>> Curve(np.array([0, 0.5, 1]), np.array([0, 1, 1]), "patch/black").auc
    0.75
    """

    fraction: np.ndarray
    confidence: np.ndarray
    protocol: str

    @property
    def auc(self) -> float:
        """Area under the curve by the trapezoid rule, over the fractions as they are."""
        return float(np.trapezoid(self.confidence, self.fraction))


@dataclass(frozen=True, eq=False)
class Faithfulness:
    """Insertion and deletion of one heatmap: the first should rise early, the second fall early.

    Attributes
    ----------
    insertion, deletion : Curve
    label : int
        The class whose confidence was followed.

    Raises
    ------
    InputError
        If the two curves are of different protocols.
    """

    insertion: Curve
    deletion: Curve
    label: int

    def __post_init__(self) -> None:
        if self.insertion.protocol != self.deletion.protocol:
            raise InputError(f"curves of {self.insertion.protocol} and {self.deletion.protocol} do not belong together")

    def __repr__(self) -> str:
        return f"<Faithfulness {self.protocol}: insertion {self.insertion.auc:.4f}, deletion {self.deletion.auc:.4f}, difference {self.difference:.4f}>"

    @property
    def protocol(self) -> str:
        """Protocol and baseline."""
        return self.insertion.protocol

    @property
    def difference(self) -> float:
        """Insertion AUC minus deletion AUC."""
        return self.insertion.auc - self.deletion.auc

    def minus(self, other: "Faithfulness") -> float:
        """Return by how much this difference exceeds another's.

        Raises
        ------
        InputError
            If the other was measured by another protocol or for another class.
        """
        if self.protocol != other.protocol:
            raise InputError(f"{self.protocol} and {other.protocol} do not compare; evaluate both by one protocol")
        if self.label != other.label:
            raise InputError(f"classes {self.label} and {other.label} do not compare; evaluate both for one label")
        return self.difference - other.difference

    def row(self) -> dict[str, Any]:
        """Return a tidy row: protocol, insertion, deletion, difference."""
        return {"protocol": self.protocol, "insertion": self.insertion.auc, "deletion": self.deletion.auc, "difference": self.difference}

    def table(self) -> pd.DataFrame:
        """Return one row a point of a curve: protocol, curve ("insertion", "deletion"), fraction, confidence."""
        parts = {"insertion": self.insertion, "deletion": self.deletion}
        return pd.concat(
            [pd.DataFrame({"protocol": c.protocol, "curve": name, "fraction": c.fraction, "confidence": c.confidence}) for name, c in parts.items()],
            ignore_index=True,
        )

    def plot(self, **options: Any) -> "Axes":
        """Draw both curves; see `multiplex_vit.plot.curves`."""
        from multiplex_vit import plot

        return plot.curves(self.table(), **options)
