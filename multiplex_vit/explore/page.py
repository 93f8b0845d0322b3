"""Page: the contents of an explorer as one file of HTML that asks for nothing from elsewhere."""

import json
from base64 import b64encode
from collections.abc import Mapping
from functools import cache
from hashlib import sha256
from html import escape
from importlib.resources import files
from typing import Any

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<div id="explorer"></div>
<noscript>This page needs JavaScript. It is all in this file, and asks for nothing else.</noscript>
<script type="application/json" id="explorer-contents">{contents}</script>
<script type="module">{script}</script>
</body>
</html>
"""

_OWN_PAGE = "html,body{margin:0}"


def page(title: str, contents: Mapping[str, Any]) -> str:
    """Return a page of HTML.

    Names in the contents are data and never markup. The page's own policy lets a browser run only
    the script that is part of this package, and load nothing.

    Parameters
    ----------
    title : str
    contents : mapping
        See `contents.contents`.
    """
    script = static("explorer.js")
    text = _PAGE.format(
        policy=_policy(script),
        title=escape(title),
        style=_OWN_PAGE + static("explorer.css"),
        contents=inert_json(contents),
        script=script,
    )
    # What UTF-8 cannot hold, as in some names of files, is shown as a question mark.
    return text.encode("utf-8", "replace").decode()


def inert_json(contents: Mapping[str, Any]) -> str:
    r"""Return JSON that ends no element of HTML, whatever texts it holds.

    Examples
    --------
    >>> inert_json({"name": "</script>"})
    '{"name":"\\u003c/script\\u003e"}'
    """
    text = json.dumps(contents, separators=(",", ":"), allow_nan=False)
    for letter in "<>&":
        text = text.replace(letter, f"\\u{ord(letter):04x}")
    return text


@cache
def static(name: str) -> str:
    """Return a file of the room's folder `static`."""
    return files("multiplex_vit.explore").joinpath("static", name).read_text(encoding="utf-8")


@cache
def _policy(script: str) -> str:
    digest = b64encode(sha256(script.encode()).digest()).decode()
    allowed = {
        "default-src": "'none'",
        "script-src": f"'sha256-{digest}'",
        "style-src": "'unsafe-inline'",
        "img-src": "data: blob:",
    }
    return "; ".join(f"{name} {value}" for name, value in allowed.items())
