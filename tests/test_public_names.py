"""What the package and its rooms offer: the stub files say it, to Python as to editors."""

import ast
from pathlib import Path

import pytest
from public import ROOMS, room_members, top_members

import multiplex_vit as mv

MOST_AT_THE_TOP = 31


def listed(package):
    """Return the names that the stub file beside a package imports, and where from."""
    stub = Path(package.__file__).with_suffix(".pyi")
    names = {}
    for node in ast.parse(stub.read_text()).body:
        if isinstance(node, ast.ImportFrom):
            assert node.level == 1
            names.update({alias.asname: node.module for alias in node.names})
    return names


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_has_what_its_stub_lists(room):
    package = getattr(mv, room)
    assert sorted(listed(package)) == dir(package) == sorted(package.__all__)
    for name, home in listed(package).items():
        member = getattr(package, name)
        assert member is not None
        written_in = getattr(member, "__module__", "")
        if written_in.startswith("multiplex_vit") and callable(member):
            assert written_in.startswith(f"{package.__name__}.{home}"), name


def test_the_top_has_what_its_stub_lists():
    assert sorted(listed(mv)) == dir(mv) == sorted(mv.__all__)
    assert set(ROOMS) <= set(dir(mv))
    assert len(top_members()) <= MOST_AT_THE_TOP


def test_the_top_offers_the_objects_of_the_rooms():
    rooms = room_members()
    for name, home in listed(mv).items():
        if home in ROOMS:
            assert getattr(mv, name) is rooms[name]


@pytest.mark.parametrize("package", [mv, mv.network, mv.plot], ids=lambda each: each.__name__)
def test_what_is_not_there_is_an_attribute_error(package):
    with pytest.raises(AttributeError, match="nonsense"):
        package.nonsense  # noqa: B018
