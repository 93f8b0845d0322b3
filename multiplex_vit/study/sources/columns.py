"""Columns of tables of images, found by their names.

A name that is nearly right gives a warning.
"""

import warnings
from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any

from multiplex_vit.errors import InputError

IMAGE_COLUMNS = ("img", "image")
"""Names that a column of images may have, in Parquet files and data sets."""

_OTHER_NAMES = {
    "label": ("class", "category", "target", "truth", "y"),
    "file": ("path", "image", "name", "picture"),
}
"""Names that people give to these columns too, and that are not read."""


def column_named(wanted: str, names: Iterable[Any], where: str) -> str | None:
    """Return the column of a name, whatever its case and the blanks around it; None if there is none.

    Parameters
    ----------
    wanted : str
        "file" or "label".
    names : iterable of str
    where : str
        What has the columns, for messages.

    Raises
    ------
    InputError
        If several columns have the name.

    Warns
    -----
    UserWarning
        If a column that is left out is named almost so.

    Examples
    --------
    >>> column_named("label", ["file", " Label"], "a table")
    ' Label'
    """
    # Names of a DataFrame may be numbers.
    columns = [str(name) for name in names]
    if wanted in columns:
        return wanted
    # Spreadsheets and people write " Label" for "label".
    alike = [name for name in columns if name.strip().casefold() == wanted]
    if len(alike) > 1:
        quoted = ", ".join(map(repr, alike))
        raise InputError(f"{where} has the columns {quoted}; keep one of them")
    if alike:
        return alike[0]
    for name in columns:
        if _may_be_meant(name, wanted):
            line = f"{where} has no column {wanted!r}; {name!r} is not read: name it {wanted!r}"
            warnings.warn(line, stacklevel=2)
    return None


def image_column(names: list[str], where: str) -> str:
    """Return the column of images; InputError if there is none."""
    for name in IMAGE_COLUMNS:
        if name in names:
            return name
    wanted = " or ".join(IMAGE_COLUMNS)
    columns = f"{where} has columns {', '.join(names)}"
    raise InputError(f"{columns}; a column of images is named {wanted}")


def label_column(names: list[str], wanted: Any, where: str) -> str | None:
    """Return the column of labels: the one that is wanted, or else "label" where there is one."""
    if wanted is None:
        return column_named("label", names, where)
    if wanted not in names:
        raise InputError(f"{where} has no column {wanted!r}; columns: {', '.join(names)}")
    return str(wanted)


def _may_be_meant(name: str, wanted: str) -> bool:
    plain = name.strip().casefold()
    is_close = bool(get_close_matches(plain, [wanted]))
    return is_close or wanted in plain or plain in _OTHER_NAMES[wanted]
