"""JSON and TOML: what is refused in one line, and what is read although it looks odd."""

import json

import pytest
from hostile import refused

from multiplex_vit.limits import MOST_LEVELS
from multiplex_vit.reading import content_of, parsed_json, read_json, read_text, read_toml
from multiplex_vit.reading.facts import TABLE, TEXT, checked_facts, listed, maybe, whole, without

BAD_JSON = {
    "nothing": "",
    "cut": '{"a": ',
    "two values": "1 2",
    "NaN": '{"a": NaN}',
    "infinity": '{"a": -Infinity}',
    "a number that becomes infinity": '{"a": 1e999}',
    "a key twice": '{"a": 1, "a": 2}',
    "a key twice, inside": '[{"b": {"a": 1, "a": 2}}]',
    "a whole number of 10,000 digits": "9" * 10_000,
    "deep": "[" * (MOST_LEVELS + 1) + "]" * (MOST_LEVELS + 1),
    "very deep": "[" * 100_000 + "]" * 100_000,
    "very deep tables": '{"a":' * 100_000 + "1" + "}" * 100_000,
}


@pytest.mark.parametrize("bad", BAD_JSON)
def test_json_that_is_refused(tmp_path, bad):
    path = tmp_path / "given.json"
    path.write_text(BAD_JSON[bad])
    with refused("cannot read .*given.json: .*; give a JSON file"):
        read_json(path)
    with refused("facts: "):
        parsed_json(BAD_JSON[bad], what="facts")


BAD_TOML = {
    "cut": "a = ",
    "a key twice": "a = 1\na = 2",
    "deep": "a = " + "[" * (MOST_LEVELS + 1) + "]" * (MOST_LEVELS + 1),
    "very deep": "a = " + "[" * 100_000 + "]" * 100_000,
    "deep by dots": ".".join(["a"] * 10_000) + " = 1",
    "deep tables": "[" + ".".join(["a"] * 10_000) + "]",
    "half a character": 'a = "\\uD800"',
}


@pytest.mark.parametrize("bad", BAD_TOML)
def test_toml_that_is_refused(tmp_path, bad):
    path = tmp_path / "given.toml"
    path.write_text(BAD_TOML[bad])
    with refused("cannot read .*given.toml: .*; give a TOML file"):
        read_toml(path)


@pytest.mark.parametrize("read", [read_json, read_toml, read_text])
@pytest.mark.parametrize("encoding", ["utf-16", "utf-32", "latin-1"])
def test_files_that_are_not_utf_8(tmp_path, read, encoding):
    path = tmp_path / "given"
    path.write_bytes('"é"'.encode(encoding))
    with refused("is not UTF-8"):
        read(path)


def test_a_byte_order_mark_is_no_part_of_the_text(tmp_path):
    path = tmp_path / "given"
    path.write_text('{"a": 1}', encoding="utf-8-sig")
    assert read_json(path) == {"a": 1}
    path.write_text("a = 1", encoding="utf-8-sig")
    assert read_toml(path) == {"a": 1}


def test_what_is_nested_as_deep_as_allowed_is_read():
    deep = "[" * MOST_LEVELS + "]" * MOST_LEVELS
    assert parsed_json(deep, what="facts") == json.loads(deep)


@pytest.mark.parametrize("read", [read_json, read_toml, read_text, content_of])
def test_files_of_more_bytes_than_allowed(tmp_path, read):
    path = tmp_path / "given"
    path.write_text("a = 1 # and more")
    with refused(r"it has 16 bytes \(limit 15\)"):
        read(path, most=15)


def test_facts_that_fit_come_back():
    facts = {
        "count": whole(1),
        "name": TEXT,
        "names": listed(TEXT),
        "pair": listed(whole(0), 2),
        "perhaps": maybe(whole(0)),
        "more": TABLE,
        "absent": without(TEXT),
    }
    given = {"count": 1, "name": "", "names": [], "pair": [0, 1], "perhaps": None, "more": {}}
    assert checked_facts(given, facts) == given
    bad = {
        "count": [0, 1.0, True, "1", None, [1]],
        "name": [1, None, []],
        "names": ["a", [1], {"a": 1}, None],
        "pair": [[1], [1, 2, 3], [1, -1], [1, True], 5],
        "perhaps": [-1, "", 0.5],
        "more": [[], 1, None],
        "absent": [1, None],
    }
    for name, values in bad.items():
        for value in values:
            with refused(f"{name} is .*; expected "):
                checked_facts({**given, name: value}, facts)
    for name in given:
        with refused(f"{name} is missing"):
            checked_facts({key: value for key, value in given.items() if key != name}, facts)
    with refused("'beyond' is unknown"):
        checked_facts({**given, "beyond": 1}, facts)
    with refused("expected a table, not list"):
        checked_facts([], facts)
