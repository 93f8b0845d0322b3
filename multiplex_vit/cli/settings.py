"""Options of the settings: every field of `Settings` is an option of the command line.

Name, type, default and help come from the field: a new one is an option without a line here.
"""

import argparse
from typing import Any

import attrs

from multiplex_vit.fields import descriptions
from multiplex_vit.saliency.settings import REGISTRIES, Settings

_ELSEWHERE = ("seed",)
"""Fields for which a command has an option of its own."""

_NUMBERS: dict[Any, type] = {
    int: int,
    int | None: int,
    float: float,
    tuple[float, ...]: float,
}
"""Type of the numbers on the command line by the annotation of a field."""

_PLAIN_NUMBERS = (int, int | None, float)


def add_settings(parser: argparse.ArgumentParser) -> None:
    """Add an option for every field of `Settings`, such as --min-cut for `min_cut`.

    An option that is not given is None, so that the method keeps its own value.

    Examples
    --------
    >>> parser = argparse.ArgumentParser()
    >>> add_settings(parser)
    >>> settings_of(parser.parse_args(["--min-cut", "0.1", "--operators", "sum", "max"]))
    {'min_cut': 0.1, 'operators': ['sum', 'max']}
    """
    group = parser.add_argument_group(
        "settings of the masks",
        "The defaults are those of mutex; other methods have their own.",
    )
    texts = descriptions(Settings)
    for field in attrs.fields(Settings):
        if field.name in _ELSEWHERE:
            continue
        options: dict[str, Any] = {"help": _help(texts[field.name])}
        if field.type in _NUMBERS:
            options["type"] = _NUMBERS[field.type]
        if field.name in REGISTRIES:
            # argparse would print all the names once more in the usage.
            members = list(REGISTRIES[field.name])
            options["choices"] = members
            options["metavar"] = "NAME"
            options["help"] = f"{options['help']} Of {', '.join(members)}."
        if isinstance(field.default, tuple):
            options["nargs"] = "+"
        group.add_argument(_option(field.name), **options)


def settings_of(args: argparse.Namespace) -> dict[str, Any]:
    """Return the settings that were given, as keyword arguments of `Settings`."""
    given = {}
    for field in attrs.fields(Settings):
        if field.name in _ELSEWHERE:
            continue
        value = getattr(args, field.name)
        # What is not given is left to the method, whose defaults may be others.
        if value is not None:
            given[field.name] = value
    return given


def numeric_settings() -> list[str]:
    """Return the fields of `Settings` that hold one number each.

    Examples
    --------
    >>> numeric_settings()[:2]
    ['min_cut', 'starting_layer']
    """
    return [field.name for field in attrs.fields(Settings) if field.type in _PLAIN_NUMBERS]


def _option(field: str) -> str:
    return f"--{field.replace('_', '-')}"


def _help(text: str) -> str:
    """Return a description as argparse takes it."""
    # It formats help with %, and prints backquotes as they are.
    return text.replace("%", "%%").replace("`", "")
