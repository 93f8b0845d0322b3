"""Reading what a user gives: files that are regular and not too large, text, JSON, TOML and arrays.

Every reader of the package opens its files here, so that a pipe, a name that no file can have, or a
file that claims to be huge is one clear line wherever it turns up.
"""

from multiplex_vit.reading.arrays import Archive, Field, opened_archive
from multiplex_vit.reading.facts import Fact, checked_facts
from multiplex_vit.reading.paths import content_of, named, opened, readable
from multiplex_vit.reading.text import parsed_json, read_json, read_text, read_toml

__all__ = [
    "Archive",
    "Fact",
    "Field",
    "checked_facts",
    "content_of",
    "named",
    "opened",
    "opened_archive",
    "parsed_json",
    "read_json",
    "read_text",
    "read_toml",
    "readable",
]
