"""Text, JSON and TOML: UTF-8, finite numbers, no key twice, nested only so deep."""

import json
import math
import tomllib
from collections.abc import Callable
from typing import Any, NoReturn

from multiplex_vit.errors import InputError
from multiplex_vit.limits import MOST_JSON_BYTES, MOST_LEVELS, MOST_TABLE_BYTES, MOST_TOML_BYTES
from multiplex_vit.reading.paths import content_of


def read_text(path: Any, *, give: str = "a text file", most: int = MOST_TABLE_BYTES) -> str:
    """Return the text of a UTF-8 file, without the byte order mark that some editors put first.

    Parameters
    ----------
    path : path-like
    give : str
        What to give instead, for the message. Default: "a text file".
    most : int
        Most bytes. Default: `MOST_TABLE_BYTES`.

    Raises
    ------
    InputError
        If it is no regular file, too large, or not UTF-8.

    Examples
    --------
    >>> read_text(__file__)[3:7]
    'Text'
    """
    content = content_of(path, give=give, most=most)
    try:
        # With or without the mark that Windows editors put before the text.
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        reason = f"byte {error.start} is not UTF-8"
        raise InputError(f"cannot read {path}: {reason}; give {give}") from error


def read_json(path: Any, *, give: str = "a JSON file", most: int = MOST_JSON_BYTES) -> Any:
    """Return what a JSON file holds.

    Parameters and errors are those of `read_text`; it is also an error if the file is no JSON,
    holds NaN, infinity or a key twice, or is nested more than `MOST_LEVELS` levels.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "sizes.json")
    ...     _ = path.write_text('{"size": [1, 2]}')
    ...     read_json(path)
    {'size': [1, 2]}
    """
    text = read_text(path, give=give, most=most)
    return _parsed(_json, text, f"cannot read {path}", give)


def parsed_json(text: str, *, what: str, give: str = "JSON") -> Any:
    """Return what a JSON text holds; errors are those of `read_json`.

    Parameters
    ----------
    text : str
    what : str
        What messages call it.
    give : str
        What to give instead, for the message. Default: "JSON".

    Examples
    --------
    >>> parsed_json('[1, NaN]', what="facts")
    Traceback (most recent call last):
    multiplex_vit.errors.InputError: facts: NaN is no number of JSON; give JSON
    """
    return _parsed(_json, text, what, give)


def read_toml(path: Any, *, give: str = "a TOML file", most: int = MOST_TOML_BYTES) -> Any:
    """Return what a TOML file holds; parameters and errors are those of `read_json`.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "study.toml")
    ...     _ = path.write_text("steps = 4")
    ...     read_toml(path)
    {'steps': 4}
    """
    text = read_text(path, give=give, most=most)
    return _parsed(tomllib.loads, text, f"cannot read {path}", give)


def _parsed(parse: Callable[[str], Any], text: str, what: str, give: str) -> Any:
    try:
        value = parse(text)
    except RecursionError as error:
        raise InputError(f"{what}: it is nested too deeply; give {give}") from error
    except ValueError as error:
        reason = " ".join(str(error).split())
        raise InputError(f"{what}: {reason}; give {give}") from error
    # Fewer levels than Python's own limit, so that whoever reads the value may use recursion.
    if _n_levels(value) > MOST_LEVELS:
        raise InputError(f"{what}: it is nested more than {MOST_LEVELS} levels; give {give}")
    return value


def _json(text: str) -> Any:
    return json.loads(
        text,
        parse_constant=_refuse_constant,
        parse_float=_finite,
        object_pairs_hook=_table,
    )


def _refuse_constant(text: str) -> NoReturn:
    """Refuse NaN and Infinity, which Python's json takes."""
    raise ValueError(f"{text} is no number of JSON")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        # Python reads 1e999 as infinity.
        raise ValueError(f"{text[:40]} is too large a number")
    return number


def _table(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return a table, in which Python's json would let the last of equal keys win."""
    table: dict[str, Any] = {}
    for key, value in pairs:
        if key in table:
            raise ValueError(f"it names {key[:80]!r} twice")
        table[key] = value
    return table


def _n_levels(value: Any) -> int:
    """Return how many lists and tables lie in each other, without recursion."""
    n_levels = 0
    level = [value]
    while n_levels <= MOST_LEVELS:
        holders = [item for item in level if isinstance(item, (dict, list))]
        if not holders:
            break
        n_levels += 1
        level = []
        for holder in holders:
            level.extend(holder.values() if isinstance(holder, dict) else holder)
    return n_levels
