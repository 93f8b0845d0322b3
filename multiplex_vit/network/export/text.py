"""Text of names and values as files can hold it."""

import json
import math
import re
from typing import Any
from xml.sax.saxutils import escape

import numpy as np

_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_NOT_PLAIN = re.compile("[^!-~]|[;,\"'%#]")


def visible(text: str) -> str:
    r"""Return text with forbidden characters written out, so that they can be seen.

    Forbidden are those that XML does not allow, and lone surrogates.

    Examples
    --------
    >>> print(visible("a\x01b\udc80"))
    a\x01b\udc80
    """
    return _FORBIDDEN.sub(_escaped, text)


def _escaped(match: re.Match[str]) -> str:
    character = match[0]
    if character < " ":
        return f"\\x{ord(character):02x}"
    return f"\\u{ord(character):04x}"


def plain(text: str) -> str:
    """Return text as one word of ASCII for formats that separate by spaces, commas or ';'.

    Other characters become %XX, as in addresses.

    `urllib.parse.unquote` gives the text back.

    Examples
    --------
    >>> plain("block 1; head 2"), plain("--x")
    ('block%201%3B%20head%202', '%2D-x')
    """
    word = _NOT_PLAIN.sub(_percent, visible(text))
    # Two dashes at the beginning would make it a comment.
    if word.startswith("--"):
        return "%2D" + word[1:]
    return word


def _percent(match: re.Match[str]) -> str:
    return "".join(f"%{byte:02X}" for byte in match[0].encode())


def one_line(text: str) -> str:
    r"""Return text on one line, as comments need it.

    Line breaks are written out, and double quotes become single ones.

    Examples
    --------
    >>> print(one_line('the "a"\nb'))
    the 'a'\nb
    """
    line = "\\n".join(text.splitlines())
    return visible(line).replace('"', "'")


def value_text(value: Any) -> str:
    """Return a value as XML Schema writes it: floats exact, in at most 17 digits.

    Examples
    --------
    >>> value_text(np.float32(0.1)), value_text(True), value_text(math.inf), value_text(3)
    ('0.10000000149011612', 'true', 'INF', '3')
    """
    # XML Schema writes true and false in small letters.
    if isinstance(value, (bool, np.bool_)):
        return str(bool(value)).lower()
    if not isinstance(value, (float, np.floating)):
        return visible(str(value))
    number = float(value)
    if math.isnan(number):
        return "NaN"
    if math.isinf(number):
        return "INF" if number > 0 else "-INF"
    return repr(number)


def xml(value: Any) -> str:
    """Return a value as XML text.

    Examples
    --------
    >>> xml("a<b>")
    'a&lt;b&gt;'
    """
    return escape(value_text(value), {"\r": "&#13;"})


def quoted(value: Any) -> str:
    """Return a value as an XML attribute, in double quotes.

    Examples
    --------
    >>> quoted('a "b"')
    '"a &quot;b&quot;"'
    """
    # White space within an attribute is folded by readers unless it is written as numbers.
    replaced = {'"': "&quot;", "\n": "&#10;", "\r": "&#13;", "\t": "&#9;"}
    return '"' + escape(value_text(value), replaced) + '"'


def json_text(value: Any) -> str:
    """Return a value as one line of ASCII JSON.

    What JSON lacks (NaN, infinity, other objects) becomes text.

    Examples
    --------
    >>> json_text({"a": math.nan, "b": np.float32(0.5), "c": [1, "é"]})
    '{"a":"NaN","b":0.5,"c":[1,"\\\\u00e9"]}'
    """
    return json.dumps(_plain_value(value), separators=(",", ":"))


def _plain_value(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(name): _plain_value(entry) for name, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain_value(entry) for entry in value]
    # json knows no numbers of NumPy.
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return value_text(value)
    if isinstance(value, (str, int, float)):
        return value
    return str(value)
