"""The house: a file imports only rooms of a lower rank, torch stays in its rooms, and starting up is free of it."""

import ast
import functools
import subprocess
import sys
from pathlib import Path

import pytest

import multiplex_vit
from multiplex_vit.cli import COMMANDS

ROOT = Path(multiplex_vit.__file__).parent
RANKS = {
    "errors": 0,
    "fields": 0,
    "signatures": 0,
    "limits": 0,
    "spelling": 1,
    "checks": 1,
    "arguments": 2,
    "traits": 2.5,
    "registry": 3,
    "reading": 3,
    "accepts": 3,
    "files": 4,
    "tabular": 4,
    "pictures": 4,
    "plot": 4,
    "explore": 4.5,
    "network": 5,
    "models": 5,
    "saliency": 6,
    "evaluation": 7,
    "study": 8,
    "report": 9,
    "cli": 10,
    "__main__": 11,
}
ONLY_IN = {
    "torch": {"models", "saliency"},
    "transformers": {"models"},
    "matplotlib": {"plot", "cli", "report"},
    "seaborn": {"plot"},
    "igraph": {"network"},
}
FILES = [path for path in sorted(ROOT.rglob("*.py")) if path != ROOT / "__init__.py"]


def room_of(path):
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


def imports(path, typing_too=False):
    """Yield the full names that a file imports, anywhere in it; what stands under TYPE_CHECKING only if asked for."""
    tree = ast.parse(path.read_text())
    skipped = {
        id(n)
        for b in ast.walk(tree)
        if isinstance(b, ast.If) and "TYPE_CHECKING" in ast.unparse(b.test)
        for n in ast.walk(b)
    }
    for node in ast.walk(tree):
        if id(node) in skipped and not typing_too:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_imports_go_down(path):
    room = room_of(path)
    for name in imports(path):
        parts = name.split(".")
        if (
            parts[0] == "multiplex_vit"
            and len(parts) > 1
            and parts[1] in RANKS
            and parts[1] != room
        ):
            assert RANKS[parts[1]] < RANKS[room], f"{room} imports {parts[1]}"


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_heavy_packages_stay_in_their_rooms(path):
    for name in imports(path):
        rooms = ONLY_IN.get(name.split(".")[0])
        assert rooms is None or room_of(path) in rooms, f"{name} in {room_of(path)}"


def test_every_room_has_a_rank():
    assert {room_of(path) for path in FILES} == set(RANKS)


@pytest.mark.parametrize(
    "statement",
    [
        "import multiplex_vit",
        "from multiplex_vit.cli import main",
        "import multiplex_vit as mv; [dir(getattr(mv, room)) for room in ('network', 'plot', 'study')]",
        "import multiplex_vit as mv; mv.models.OPERATORS, mv.STATISTICS, mv.Settings()",
    ],
)
def test_starting_up_is_free_of_torch(statement):
    check = f"import sys; {statement}; print([m for m in ('torch', 'transformers', 'matplotlib') if m in sys.modules])"
    assert (
        subprocess.run(
            [sys.executable, "-c", check], capture_output=True, text=True, check=True
        ).stdout.strip()
        == "[]"
    )


def test_help_is_free_of_torch():
    """Whoever asks what a command takes does not wait for libraries that only its run needs."""
    script = """
import sys
from multiplex_vit.cli import COMMANDS, main
for command in COMMANDS:
    try:
        main([command, "--help"])
    except SystemExit:
        heavy = [m for m in ("torch", "transformers", "matplotlib") if m in sys.modules]
        print("IMPORTED", command, heavy)
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    lines = [line for line in done.stdout.splitlines() if line.startswith("IMPORTED")]
    assert lines == [f"IMPORTED {command} []" for command in COMMANDS]


@pytest.mark.slow
def test_torchvision_is_never_imported():
    script = "import sys; sys.modules['torchvision'] = None\nimport multiplex_vit as mv\nprint(mv.load('demo-vit', device='cpu').picture(mv.samples()['cat']).pixels.shape)"
    assert (
        "[1, 3, 32, 32]"
        in subprocess.run(
            [sys.executable, "-c", script], capture_output=True, text=True, check=True
        ).stdout
    )


# --- tests -----------------------------------------------------------------------------------------

TESTS = sorted(Path(__file__).parent.rglob("*.py"))


def test_no_two_files_of_tests_have_one_name():
    """Each is imported by its name alone, so that one would stand in for the other."""
    names = [path.name for path in TESTS]
    assert len(set(names)) == len(names)


def is_private(name):
    """Tell whether a name starts with an underscore and is none of Python's or IPython's own."""
    return name.startswith("_") and not name.endswith("_")


def defined_in(tree):
    """Yield the names that a file gives to functions, classes, variables and its own attributes."""
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            yield node.name
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            of_self = getattr(node.value, "id", "") == "self"
            yield from [node.attr] if of_self else []


def used_in(tree):
    """Yield the names that a file imports, asks an object for, or names for `setattr`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.Attribute):
            yield node.attr
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith("attr"):
            texts = [arg.value for arg in node.args if isinstance(arg, ast.Constant)]
            yield from (text.rpartition(".")[2] for text in texts if isinstance(text, str))


def private_names(names):
    return {name for name in names if is_private(name)}


OF_OTHERS = {"_version"}
"""Private names of the package that torch has too, which tests may ask."""


@functools.cache
def private_names_of_the_package():
    names = set()
    for path in FILES:
        names |= private_names(defined_in(ast.parse(path.read_text())))
    return names


@pytest.mark.parametrize("path", TESTS, ids=lambda p: p.name)
def test_tests_use_no_private_name_of_the_package(path):
    tree = ast.parse(path.read_text())
    allowed = private_names(defined_in(tree)) | OF_OTHERS
    used = private_names(used_in(tree))
    assert (used & private_names_of_the_package()) - allowed == set()


def test_private_names_are_found():
    tree = ast.parse(
        "from a import _b\nc._d\nsetattr('e._f', 1)\nclass G:\n    def __h__(self): ..."
    )
    assert private_names(used_in(tree)) == {"_b", "_d", "_f"}
    assert {"_functions", "_traits"} <= private_names_of_the_package(), "of the registry"
