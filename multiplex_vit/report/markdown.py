"""Markdown: tables as text that GitHub and editors show as tables."""

from typing import Any

import numpy as np
import pandas as pd

from multiplex_vit.tabular import markdown_cell

REPORT = "report.md"
"""The file that a report is."""


def markdown_table(table: pd.DataFrame) -> str:
    """Return a table as Markdown, floats with three places, p values with two digits.

    Examples
    --------
    >>> print(markdown_table(pd.DataFrame({"a|b": ["x"], "p": [0.00012], "value": [0.5]})))
    | a\\|b | p | value |
    |---|---|---|
    | x | 0.00012 | 0.500 |
    """
    names = list(map(str, table.columns))
    lines = [_line(names), "|" + "---|" * len(names)]
    for row in table.itertuples(index=False, name=None):
        cells = []
        for name, value in zip(names, row, strict=True):
            cells.append(_cell(name, value))
        lines.append(_line(cells))
    return "\n".join(lines)


def _line(cells: list[str]) -> str:
    return f"| {' | '.join(markdown_cell(cell) for cell in cells)} |"


def _cell(name: str, value: Any) -> str:
    # pandas has three ways to say that a value is missing.
    if value is None or value is pd.NA:
        return ""
    if isinstance(value, float) and np.isnan(value):
        return ""
    if not isinstance(value, (float, np.floating)):
        return str(value)
    # With three places most p values would be 0.000.
    is_p = name == "p" or name.startswith("p_")
    return f"{value:.2g}" if is_p else f"{value:.3f}"
