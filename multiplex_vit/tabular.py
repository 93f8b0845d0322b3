"""Tables as CSV: the one place where the package writes and reads them.

Text is text and numbers are numbers: a class called "None", "01" or "1e5" comes back as that. Text
that a spreadsheet would run as a formula (it begins with = + - @, a tab or a carriage return) gets
an apostrophe before it, which spreadsheets take for "this is text"; it is taken off on reading.
What has no place in UTF-8, as in some names of files, and NUL stay codes: a backslash, u and four
digits.
"""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import IO, Any

import pandas as pd

from multiplex_vit.errors import InputError
from multiplex_vit.reading import opened

# What begins so is run by a spreadsheet; apostrophes before it are part of the text.
_FORMULA = re.compile(r"'*[=+\-@\t\r]")
_SHIELDED = re.compile(r"'+[=+\-@\t\r]")
_UNWRITABLE = re.compile(r"[\ud800-\udfff\0]")


def unicode_text(text: str) -> str:
    r"""Return a text that UTF-8 and every reader of tables can hold, with codes for other letters.

    Examples
    --------
    >>> unicode_text("a\udcff")
    'a\\udcff'
    """
    return _UNWRITABLE.sub(_coded, text)


def plain_cell(text: str) -> str:
    r"""Return a text as a cell that no spreadsheet runs and every reader of CSV takes.

    Examples
    --------
    >>> plain_cell("=1+1"), plain_cell("'=1+1"), plain_cell("it's"), plain_cell("a\udcff")
    ("'=1+1", "''=1+1", "it's", 'a\\udcff')
    """
    shielded = f"'{text}" if _FORMULA.match(text) else text
    return unicode_text(shielded)


def text_of(cell: str) -> str:
    """Return the text that `plain_cell` made a cell of.

    Examples
    --------
    >>> text_of("'=1+1"), text_of("'it")
    ('=1+1', "'it")
    """
    return cell[1:] if _SHIELDED.match(cell) else cell


def markdown_cell(text: str) -> str:
    r"""Return a text as a cell of a table in Markdown: on one line, without markup of HTML.

    Examples
    --------
    >>> markdown_cell("a|b"), markdown_cell("<b>")
    ('a\\|b', '&lt;b>')
    """
    plain = text.replace("&", "&amp;").replace("<", "&lt;").replace("|", "\\|")
    return " ".join(plain.splitlines())


def write_table(
    table: pd.DataFrame,
    path: Path,
    *,
    digits: int | None = None,
    go_on: bool = False,
) -> None:
    """Write a table as CSV (UTF-8, a header, no index); `read_table` gives it back.

    Parameters
    ----------
    table : DataFrame
    path : Path
        Written as it is; wrap it in `files.written_whole`.
    digits : int, optional
        Significant digits of floats. Default: None, as many as give the number back.
    go_on : bool
        Write rows alone, behind what the file holds. Default: False.
    """
    cells = table.rename(columns=_column_cell)
    for place, (_, column) in enumerate(table.items()):
        if not pd.api.types.is_numeric_dtype(column):
            # By its place, as several columns may have one name.
            cells.isetitem(place, _cells(column))
    mode = "a" if go_on else "w"
    # Without Python's own translation of line ends, which differs between systems.
    with Path(path).open(mode, encoding="utf-8", newline="") as file:
        lines: Any = _Lines(file)
        cells.to_csv(
            lines,
            index=False,
            header=not go_on,
            lineterminator="\r\n",
            float_format=None if digits is None else f"%.{digits}g",
        )


def read_table(
    path: Any,
    *,
    numbers: Mapping[str, str] | Iterable[str] = (),
    give: str = "a CSV file",
) -> pd.DataFrame:
    """Read a CSV file: every column is text as it stands there, but for those named as numbers.

    Parameters
    ----------
    path : path-like
    numbers : mapping of str to str, or iterable of str
        Columns that hold numbers, with their types where they have to be of one ("Int64",
        "float64"). A column that is not there is left out; an empty cell is a missing number.
        Default: none.
    give : str
        What to give instead, for messages. Default: "a CSV file".

    Returns
    -------
    DataFrame
        An empty cell of text is "".

    Raises
    ------
    InputError
        If the file cannot be read, is no CSV, or a column of numbers holds text.
    """
    try:
        with opened(path, give=give) as file:
            table = pd.read_csv(file, dtype=str, keep_default_na=False, na_filter=False)
    except InputError:
        raise
    except (ValueError, TypeError, OverflowError) as error:
        reason = " ".join(str(error).split())
        raise InputError(f"cannot read {path}: {reason}; give {give}") from error
    # All columns are read as text first, so that pandas makes no number or NaN of a name.
    table.columns = [text_of(name) for name in table.columns]
    types = numbers if isinstance(numbers, Mapping) else dict.fromkeys(numbers)
    for name in table.columns:
        if name in types:
            table[name] = _numbers(table[name], types[name], f"cannot read {path}", give)
        else:
            table[name] = table[name].map(text_of)
    return table


class _Lines:
    r"""A text file that takes lines ending in \r\n and writes \n.

    Python's csv quotes a carriage return only where it is part of the end of a line; unquoted, it
    would end one on reading.
    """

    def __init__(self, file: IO[str]):
        self._file = file

    def write(self, line: str) -> int:
        return self._file.write(f"{line.removesuffix(chr(13) + chr(10))}\n")


def _column_cell(name: Any) -> str:
    return plain_cell(str(name))


def _cells(column: pd.Series) -> pd.Series:
    """Return a column whose texts are cells; each distinct value is turned once."""
    codes, values = pd.factorize(column.astype(object))
    cells = []
    for value in values:
        cells.append(plain_cell(value) if isinstance(value, str) else value)
    # What is missing has the code -1, and so the last place.
    cells.append("")
    return pd.Series(pd.array(cells, dtype=object)[codes], index=column.index)


def _coded(letter: re.Match[str]) -> str:
    return f"\\u{ord(letter[0]):04x}"


def _numbers(column: pd.Series, dtype: str | None, what: str, give: str) -> pd.Series:
    """Return a column of texts as numbers; an empty text is a missing number."""
    texts = column[column != ""]
    try:
        values = _parsed(texts)
        if len(texts) < len(column):
            # A type that has room for what is missing.
            values = values.astype("Int64" if values.dtype.kind == "i" else "float64")
        values = values.reindex(column.index)
        return values if dtype is None else values.astype(dtype)
    except (ValueError, TypeError, OverflowError) as error:
        reason = f"{column.name} holds text where numbers are expected"
        raise InputError(f"{what}: {reason}; give {give}") from error


def _parsed(texts: pd.Series) -> pd.Series:
    """Return texts as whole numbers, or else as floats to the last bit."""
    values = texts.to_numpy(dtype=object)
    try:
        numbers = values.astype("int64")
    except (ValueError, OverflowError):
        # NumPy reads them as Python does; pandas may differ in the last bit.
        numbers = values.astype("float64")
    return pd.Series(numbers, index=texts.index)
