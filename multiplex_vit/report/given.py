"""Given: what reports are made of, checked where it comes in."""

from typing import TYPE_CHECKING, Any

import pandas as pd

from multiplex_vit.checks import shown
from multiplex_vit.errors import InputError

if TYPE_CHECKING:
    from multiplex_vit.saliency.shared import SharedPasses
    from multiplex_vit.study.study import Study

_READ = ("scores", "curves", "costs", "heatmaps", "explainers", "protocols")
"""What reports read of a study."""


class ReadOnce:
    """A study whose tables are read from the disk once, for a report that uses them often.

    Parameters
    ----------
    study : Study
    """

    def __init__(self, study: "Study"):
        self.explainers, self.protocols = study.explainers, study.protocols
        self.plan, self.out, self.store = study.plan, study.out, study.store
        self._study = study
        self._tables: dict[str, pd.DataFrame] = {}

    def scores(self) -> pd.DataFrame:
        """As `Study.scores`."""
        return self._table("scores")

    def curves(self) -> pd.DataFrame:
        """As `Study.curves`."""
        return self._table("curves")

    def costs(self) -> pd.DataFrame:
        """As `Study.costs`."""
        return self._table("costs")

    def heatmaps(self) -> pd.DataFrame:
        """As `Study.heatmaps`."""
        return self._table("heatmaps")

    def views(self) -> pd.DataFrame:
        """As `Study.views`."""
        return self._table("views")

    def failures(self) -> pd.DataFrame:
        """As `Study.failures`."""
        return self._table("failures")

    def image_table(self) -> pd.DataFrame:
        """As `Study.image_table`."""
        return self._study.image_table()

    def all_passes(self) -> "SharedPasses":
        """As `Study.all_passes`."""
        return self._study.all_passes()

    def _table(self, name: str) -> pd.DataFrame:
        if name not in self._tables:
            self._tables[name] = getattr(self._study, name)()
        return self._tables[name]


def check_study(study: Any) -> None:
    """Refuse what is no study.

    Examples
    --------
    >>> check_study("out/")
    Traceback (most recent call last):
    multiplex_vit.errors.InputError: study is 'out/'; give a Study, such as mv.Study.open("out/")
    """
    # By what it can do: `ReadOnce` stands in for a study.
    can_be_read = all(hasattr(study, name) for name in _READ)
    if isinstance(study, type) or not can_be_read:
        raise InputError(f'study is {shown(study)}; give a Study, such as mv.Study.open("out/")')


def check_columns(name: str, table: Any, columns: tuple[str, ...]) -> None:
    """Refuse what is no table with some columns."""
    wanted = f"give a DataFrame with columns {', '.join(columns)}"
    if not isinstance(table, pd.DataFrame):
        raise InputError(f"{name} is {shown(table)}; {wanted}")
    missing = [column for column in columns if column not in table]
    if missing:
        raise InputError(f"{name} has no column {missing[0]!r}; {wanted}")
