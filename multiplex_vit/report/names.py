"""Names: explainers as tables and pictures show them, short and each of its own."""

from collections.abc import Iterable
from typing import Any

from multiplex_vit.checks import shown
from multiplex_vit.errors import InputError
from multiplex_vit.registry import name_of

_MOST_LEFT_OUT = 3
"""Measures that a name lists as left out; of more it lists those that are left."""

_PLURALS = {"operators": "operator", "centralities": "centrality", "statistics": "statistic"}


def display_names(explainers: Iterable[Any]) -> dict[str, str]:
    """Return short names of explainers by their texts.

    An explainer is called by its name and the options that it changes. A list of measures that
    lacks a few of the explainer's own is told by these, and one of a single measure by that.

    Examples
    --------
    >>> import multiplex_vit as mv
    >>> several = mv.ablations("mutex", leave_out="direction") + [mv.EXPLAINERS["tis(budget=9)"]]
    >>> list(display_names(several).values())
    ['mutex', 'mutex, only centrality out_strength', 'mutex, only centrality in_strength', ...]
    """
    if not isinstance(explainers, Iterable):
        raise InputError(f"explainers is {shown(explainers)}; give a list of explainers")
    names: dict[str, str] = {}
    for explainer in explainers:
        if not hasattr(explainer, "options"):
            raise InputError(f"explainers holds {shown(explainer)}; give explainers alone")
        # Nothing is known of the defaults of what is not registered.
        defaults = getattr(explainer, "defaults", {})
        parts = [explainer.name]
        for option, value in explainer.options.items():
            default = defaults.get(option)
            parts.append(_shown(option, value, default))
        text = str(explainer)
        name = ", ".join(parts)
        # Two explainers may not have one name: the text tells them apart.
        if name in names.values():
            name = text
        names[text] = name
    return names


def _shown(option: str, value: Any, default: Any) -> str:
    """Return an option and its value as pictures show them."""
    if option not in _PLURALS or not isinstance(value, tuple):
        # A function's own text would hold its place in memory.
        text = name_of(value) if callable(value) else value
        return f"{option}={text}"
    members = [name_of(member) for member in value]
    usual = [name_of(member) for member in default or ()]
    left_out = []
    for name in usual:
        if name not in members:
            left_out.append(name)
    kind = _PLURALS[option]
    if len(members) == 1:
        return f"only {kind} {members[0]}"
    # In another order they are other masks, which "without" would not say.
    kept = [name for name in usual if name in members]
    if kept == members and len(left_out) <= _MOST_LEFT_OUT:
        lacking = " and ".join(left_out)
        return f"without {kind} {lacking}"
    listed = "+".join(members)
    return f"{option}={listed}"
