"""Provenance: where a network comes from, and which filters it went through."""

from collections.abc import Mapping
from typing import Any

from multiplex_vit.checks import shown
from multiplex_vit.errors import InputError
from multiplex_vit.network.filters import FILTERS

Provenance = Mapping[str, str | int | float]

_STEPS = ("subgraph", "null_model", "residual", "route")
"""What changes edges beside the filters."""


def checked_provenance(provenance: Any) -> Provenance:
    """Return provenance, after making sure that it is a mapping of names.

    Raises
    ------
    InputError
        If it is no mapping, or a name is empty or no text.

    Examples
    --------
    >>> checked_provenance({"model": "vit"})
    {'model': 'vit'}
    """
    if not isinstance(provenance, Mapping):
        raise InputError(f"provenance is {shown(provenance)}; give a mapping of names to facts")
    for name in provenance:
        if not isinstance(name, str) or not name:
            raise InputError(f"provenance has the keys {list(provenance)}; give names as text")
    return provenance


def after_step(provenance: Provenance, name: str, value: float | str) -> Provenance:
    """Return the provenance of a network that a filter was applied to.

    It has each filter's last value and, after several, all of them in order.

    Examples
    --------
    >>> after_step({"min_cut": 0.1}, "top_k", 5)
    {'min_cut': 0.1, 'top_k': 5, 'filters': 'min_cut 0.1; top_k 5'}
    """
    facts = {**provenance, name: value}
    before = provenance.get("filters")
    if not before:
        # The first filter stands under its own name alone.
        done = [step for step in (*FILTERS, *_STEPS) if step in provenance]
        before = "; ".join(_text(step, provenance[step]) for step in done)
    if before:
        facts["filters"] = f"{before}; {_text(name, value)}"
    return facts


def _text(name: str, value: Any) -> str:
    """Return a filter and its number as text."""
    if isinstance(value, str):
        return f"{name} {value}"
    return f"{name} {value:g}"
