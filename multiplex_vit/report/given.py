"""Given: what reports are made of, checked where it comes in."""

from typing import Any

import pandas as pd

from multiplex_vit.checks import shown
from multiplex_vit.errors import InputError

_READ = ("scores", "curves", "costs", "heatmaps", "explainers", "protocols")
"""What reports read of a study."""


def check_study(study: Any) -> None:
    """Refuse what is no study.

    Examples
    --------
    >>> check_study("out/")
    Traceback (most recent call last):
    multiplex_vit.errors.InputError: study is 'out/'; give a Study, such as mv.Study.open("out/")
    """
    for name in _READ:
        if isinstance(study, type) or not hasattr(study, name):
            raise InputError(
                f'study is {shown(study)}; give a Study, such as mv.Study.open("out/")'
            )


def check_columns(name: str, table: Any, columns: tuple[str, ...]) -> None:
    """Refuse what is no table with some columns."""
    if not isinstance(table, pd.DataFrame):
        raise InputError(
            f"{name} is {shown(table)}; give a DataFrame with columns {', '.join(columns)}"
        )
    missing = [column for column in columns if column not in table]
    if missing:
        raise InputError(
            f"{name} has no column {missing[0]!r}; give a DataFrame with columns {', '.join(columns)}"
        )
