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
        What to give instead, for the message.
    most : int
        Most bytes.

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
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        why = f"byte {error.start} is not UTF-8"
        raise InputError(f"cannot read {path}: {why}; give {give}") from error


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
        found = parse(text)
    except RecursionError as error:
        raise InputError(f"{what}: it is nested too deeply; give {give}") from error
    except ValueError as error:
        raise InputError(f"{what}: {' '.join(str(error).split())}; give {give}") from error
    if _levels(found) > MOST_LEVELS:
        raise InputError(f"{what}: it is nested more than {MOST_LEVELS} levels; give {give}")
    return found


def _json(text: str) -> Any:
    return json.loads(text, parse_constant=_no_number, parse_float=_finite, object_pairs_hook=_once)


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is no number of JSON")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text[:40]} is too large a number")
    return number


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise ValueError(f"it names {key[:80]!r} twice")
        found[key] = value
    return found


def _levels(value: Any) -> int:
    """Return how many lists and tables lie in each other, without recursion."""
    depth, level = 0, [value]
    while depth <= MOST_LEVELS:
        inside: list[Any] = []
        for each in level:
            if isinstance(each, (dict, list)):
                inside.append(each)
        if not inside:
            break
        depth += 1
        level = []
        for each in inside:
            level.extend(each.values() if isinstance(each, dict) else each)
    return depth
