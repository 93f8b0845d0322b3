"""Masks: which patch tokens stay."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from multiplex_vit.arguments import check_fields, checked
from multiplex_vit.checks import shown
from multiplex_vit.errors import InputError
from multiplex_vit.limits import MOST_ARRAY_BYTES
from multiplex_vit.registry import name_of

if TYPE_CHECKING:
    import pandas as pd

LABELS = ("operator", "centrality", "statistic")
NO_LABEL = ("", "", "")
"""The label of a mask that was not made of an operator, a centrality and a statistic."""


@dataclass(frozen=True, eq=False)
class Masks:
    """Binary token masks.

    Attributes
    ----------
    kept : ndarray bool [mask, node]
        Which patch tokens stay.
    labels : tuple of tuple of str
        Operator, centrality and statistic of each mask; empty where a mask was not made of these.
    designs : tuple of str
        The design that made each mask.
    flips : ndarray [mask], optional
        How many tokens each mask would keep or leave otherwise if it were made in float64; known to
        `precision_flips` alone.

    Examples
    --------
    >>> labels = (("min", "in_strength", "max"), ("max", "in_strength", "max"), ("", "", ""))
    >>> kept = np.array([[True, False], [True, False], [False, False]])
    >>> masks = Masks(kept, labels, designs=("centrality", "centrality", "random"))
    >>> masks.table()[["operator", "kept", "repeats"]].values.tolist()
    [['min', 1, -1], ['max', 1, 0], ['', 0, -1]]
    >>> masks.summary()
    '3 masks, 2 distinct; 1 keeps nothing, 0 keep everything'
    """

    kept: np.ndarray
    labels: tuple[tuple[str, str, str], ...]
    designs: tuple[str, ...]
    flips: np.ndarray | None = None

    def __post_init__(self) -> None:
        check_fields(self)

    @classmethod
    @checked
    def of(cls, kept: np.ndarray, design: str) -> "Masks":
        """Return masks bool [mask, node] that a design made, without labels.

        Raises
        ------
        InputError
            If they are no truth values [mask, node].
        """
        if kept.ndim != 2 or kept.dtype != bool:
            what = f"kept is {shown(kept)}"
            raise InputError(f"{what}; expected truth values [mask, node]")
        return cls(kept, (NO_LABEL,) * len(kept), (design,) * len(kept))

    def __add__(self, other: "Masks") -> "Masks":
        flips = None
        # Flips of some of the masks alone would be taken for those of all.
        if self.flips is not None and other.flips is not None:
            flips = np.concatenate([self.flips, other.flips])
        kept = np.concatenate([self.kept, other.kept])
        labels = self.labels + other.labels
        designs = self.designs + other.designs
        return Masks(kept, labels, designs, flips)

    def __len__(self) -> int:
        return len(self.labels)

    def table(self) -> "pd.DataFrame":
        """Return one row a mask.

        Columns are operator, centrality, statistic, direction ("in", "out" or "" by the
        centrality's name), design, kept (tokens), share and repeats: the number of the first mask
        with the same tokens, or -1 for a mask that comes for the first time. Masks from
        `precision_flips` have the column `flips` too.
        """
        import pandas as pd

        table = pd.DataFrame(list(self.labels), columns=list(LABELS))
        table["direction"] = [direction_of(name) for name in table["centrality"]]
        table["design"] = self.designs
        table["kept"] = self.kept.sum(1)
        table["share"] = self.kept.mean(1)
        first, inverse = self.distinct()
        earliest = first[inverse]
        is_first = earliest == np.arange(len(self))
        table["repeats"] = np.where(is_first, -1, earliest)
        if self.flips is not None:
            table["flips"] = self.flips
        return table

    def distinct(self) -> tuple[np.ndarray, np.ndarray]:
        """Return which masks come for the first time, and of every mask which of them it equals."""
        return distinct_rows(self.kept)

    @checked
    def select(self, chosen: np.ndarray) -> "Masks":
        """Return the masks chosen by a bool [mask]; InputError if it is something else."""
        if chosen.shape != (len(self),) or chosen.dtype != bool:
            what = f"chosen is {shown(chosen)}"
            raise InputError(f"{what}; give truth values [{len(self)}]")
        places = np.flatnonzero(chosen)
        labels = tuple(self.labels[place] for place in places)
        designs = tuple(self.designs[place] for place in places)
        flips = None if self.flips is None else self.flips[places]
        return Masks(self.kept[places], labels, designs, flips)

    def summary(self) -> str:
        """Return how many masks there are, distinct, and such as keep nothing or everything."""
        count = self.kept.sum(1)
        empty = int((count == 0).sum())
        full = int((count == self.kept.shape[1]).sum())
        nothing = f"{empty} {_keep(empty)} nothing"
        everything = f"{full} {_keep(full)} everything"
        n_distinct = len(self.distinct()[0])
        return f"{len(self)} masks, {n_distinct} distinct; {nothing}, {everything}"


def distinct_rows(kept: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the place of each distinct row's first occurrence, and of every row which it equals.

    Parameters
    ----------
    kept : ndarray bool [mask, node]

    Examples
    --------
    >>> first, inverse = distinct_rows(np.array([[True], [False], [True]]))
    >>> first.tolist(), inverse.tolist()
    ([0, 1], [0, 1, 0])
    """
    # Bytes of eight tokens sort much faster than truth values.
    packed = np.packbits(kept, axis=1)
    _, first, inverse = np.unique(
        packed,
        axis=0,
        return_index=True,
        return_inverse=True,
    )
    # NumPy sorts rows by what they hold, where masks go by when they came.
    order = np.argsort(first)
    return first[order], np.argsort(order)[inverse.ravel()]


def refuse_many_scores(n_masks: int, n_classes: int) -> None:
    """Refuse more scores of masks than a saved file may hold, before anything is computed.

    Raises
    ------
    InputError

    Examples
    --------
    >>> refuse_many_scores(1_000_000, 21_841)
    Traceback (most recent call last):
    multiplex_vit.errors.InputError: 1,000,000 masks of 21,841 classes take 81.4 GiB of scores; ...
    """
    row_bytes = 4 * n_classes
    if n_masks * row_bytes > MOST_ARRAY_BYTES:
        size = n_masks * row_bytes / 2**30
        what = f"{n_masks:,} masks of {n_classes:,} classes take {size:.1f} GiB of scores"
        raise InputError(f"{what}; give a budget of at most {MOST_ARRAY_BYTES // row_bytes:,}")


def direction_of(centrality: str) -> str:
    """Return "in" or "out" for a centrality of that direction, else "".

    Examples
    --------
    >>> direction_of("in_strength"), direction_of("pagerank")
    ('in', '')
    """
    head = centrality.split("_")[0]
    return head if head in ("in", "out") else ""


def matching(masks: Masks, chosen: Mapping[str, Any]) -> np.ndarray:
    """Return which masks [mask] have the labels chosen.

    Parameters
    ----------
    masks : Masks
    chosen : mapping of str to str or iterable of str
        operator, centrality, statistic, design or direction ("in", "out"): the values to keep.

    Raises
    ------
    InputError
        If a name is unknown here, or no mask is left.

    Examples
    --------
    >>> labels = (("sum", "pagerank", "max"), ("sum", "katz", "max"))
    >>> masks = Masks(np.eye(2, dtype=bool), labels, designs=("centrality", "centrality"))
    >>> matching(masks, {"operator": "sum", "centrality": ["katz"]}).tolist()
    [False, True]
    """
    # Every condition must hold.
    take = np.ones(len(masks), dtype=bool)
    for column, wanted in chosen.items():
        take &= _have(masks, column, _as_names(column, wanted))
    if not take.any():
        what = f"no mask has {dict(chosen)}"
        raise InputError(f"{what}; see masks.table()")
    return take


def _have(masks: Masks, column: str, wanted: list[Any]) -> np.ndarray:
    here = _values_of(masks, column)
    names = [name_of(name) for name in wanted]
    for name in names:
        # Masks without such a label have an empty text, which is no name to choose by.
        if name not in here or not name:
            names_here = ", ".join(filter(None, dict.fromkeys(here)))
            what = f"no mask has {column} {name!r}"
            raise InputError(f"{what}; here are {names_here or 'none'}")
    return np.isin(here, names)


def _values_of(masks: Masks, column: str) -> list[str]:
    if column == "design":
        return list(masks.designs)
    if column == "direction":
        return [direction_of(centrality) for _, centrality, _ in masks.labels]
    if column not in LABELS:
        columns = ", ".join(LABELS)
        what = f"masks have no {column!r}"
        raise InputError(f"{what}; give {columns}, design or direction")
    place = LABELS.index(column)
    return [label[place] for label in masks.labels]


def _as_names(column: str, wanted: str | Iterable[Any]) -> list[Any]:
    """Return one name or several as a list."""
    if isinstance(wanted, str) or callable(wanted):
        return [wanted]
    names = list(wanted) if isinstance(wanted, (list, tuple, set, frozenset)) else []
    usable = [name for name in names if isinstance(name, str) or callable(name)]
    if not names or len(usable) < len(names):
        what = f"{column} is {wanted!r}"
        raise InputError(f"{what}; give a name, or a list of names")
    return names


def _keep(count: int) -> str:
    return "keeps" if count == 1 else "keep"
