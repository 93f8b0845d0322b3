"""Ablations: an explainer without some of its measures, or by some of them alone."""

from collections.abc import Iterable
from typing import Any

from multiplex_vit.arguments import checked
from multiplex_vit.errors import InputError
from multiplex_vit.registry import Named, name_of
from multiplex_vit.saliency.designs import DESIGNS
from multiplex_vit.saliency.explainers import EXPLAINERS, Explainer
from multiplex_vit.saliency.masks import direction_of
from multiplex_vit.study.groups import holds_masks_of
from multiplex_vit.study.plan import DIMENSIONS, names_of

_FIELDS = {
    "operator": "operators",
    "direction": "centralities",
    "centrality": "centralities",
    "statistic": "statistics",
}


@checked
def ablations(
    explainer: str | Explainer = "mutex",
    *,
    leave_out: str | Iterable[str] = (),
    keep_only: str | Iterable[str] = (),
) -> list[Explainer]:
    """Return an explainer and what it is without each of its measures in turn, or by each alone.

    A study of these runs the masked passes of the full explainer, and no others.

    Parameters
    ----------
    explainer : str or Explainer
        With masks of operators, centralities and statistics. Default: "mutex".
    leave_out : str or iterable of str
        "operator", "direction", "centrality", "statistic": without each value in turn.
        Default: "statistic", unless `keep_only` is given.
    keep_only : str or iterable of str
        The same: by each value alone.

    Returns
    -------
    list of Explainer
        The full one first, each once.

    Raises
    ------
    InputError
        If there is nothing to leave out or to keep alone.

    Examples
    --------
    >>> several = ablations("mutex", leave_out="operator")
    >>> [explainer.settings.operators for explainer in several]
    [('min', 'max', 'sum'), ('max', 'sum'), ('min', 'sum'), ('min', 'max')]
    """
    full = EXPLAINERS.resolve(explainer)
    variants = variant_names(full, leave_out=leave_out, keep_only=keep_only)
    return [full, *variants]


def variant_names(
    full: Explainer,
    *,
    leave_out: str | Iterable[str] = (),
    keep_only: str | Iterable[str] = (),
) -> dict[Explainer, str]:
    """Return the variants of an explainer, each with what it leaves out or keeps alone.

    Two names may mean the same masks; the first one is given then.

    Examples
    --------
    >>> list(variant_names(EXPLAINERS["mutex"], leave_out="direction").values())
    ['without direction in', 'without direction out']
    """
    leave_out = names_of("leave_out", leave_out)
    keep_only = names_of("keep_only", keep_only)
    if not leave_out and not keep_only:
        leave_out = ("statistic",)
    names: dict[Explainer, str] = {}
    for dimension in leave_out:
        for value in _several_values(full, dimension):
            others = [name for name in values_of(full, dimension) if name != value]
            # Of two strengths, one without "in" is one with "out" alone: the first name stays.
            variant = _with_only(full, dimension, others)
            names.setdefault(variant, f"without {dimension} {value}")
    for dimension in keep_only:
        for value in _several_values(full, dimension):
            variant = _with_only(full, dimension, [value])
            names.setdefault(variant, f"only {dimension} {value}")
    return names


def can_be_ablated(explainer: Explainer) -> bool:
    """Tell whether the masks of an explainer have operators, centralities and statistics."""
    settings = explainer.settings
    return settings is not None and DESIGNS.own_name(settings.design) == "centrality"


def without_variants(explainers: Iterable[Any]) -> list[Any]:
    """Return explainers but those that use some of the masks of another one.

    Examples
    --------
    >>> without_variants([*ablations("mutex", leave_out="operator"), EXPLAINERS["rollout"]])
    [<Explainer mutex>, <Explainer rollout>]
    """
    several = list(explainers)
    full = []
    for explainer in several:
        others = [other for other in several if other != explainer]
        if not any(_is_part(explainer, other) for other in others):
            full.append(explainer)
    return full


def _is_part(explainer: Explainer, other: Explainer) -> bool:
    """Tell whether an explainer uses some of the masks of another one."""
    if explainer.settings is None or other.settings is None:
        return False
    return holds_masks_of(other.settings, explainer.settings)


def values_of(explainer: Explainer, dimension: str) -> list[str]:
    """Return the values that an explainer has of a dimension.

    Examples
    --------
    >>> values_of(EXPLAINERS["mutex"], "direction"), values_of(EXPLAINERS["mutex"], "operator")
    (['in', 'out'], ['min', 'max', 'sum'])
    """
    if dimension not in DIMENSIONS:
        raise InputError(f"unknown dimension {dimension!r}; known: {', '.join(DIMENSIONS)}")
    names = [_value(member, dimension) for member in _members(explainer, dimension)]
    return list(dict.fromkeys(names))


def _several_values(explainer: Explainer, dimension: str) -> list[str]:
    values = values_of(explainer, dimension)
    if len(values) < 2:
        what = f"the masks of {explainer} are of one {dimension}"
        raise InputError(f"{what}; there is nothing to leave out or to keep alone")
    return values


def _members(explainer: Explainer, dimension: str) -> tuple[Named, ...]:
    if explainer.settings is None or not can_be_ablated(explainer):
        what = f"{explainer} has no masks of operators, centralities and statistics"
        raise InputError(f"{what}; give an explainer such as mutex")
    members: tuple[Named, ...] = getattr(explainer.settings, _FIELDS[dimension])
    return members


def _value(member: Named, dimension: str) -> str:
    name = name_of(member)
    return direction_of(name) if dimension == "direction" else name


def _with_only(explainer: Explainer, dimension: str, values: Iterable[str]) -> Explainer:
    """Return an explainer with the members that have some values of a dimension."""
    wanted = list(values)
    chosen = []
    for member in _members(explainer, dimension):
        if _value(member, dimension) in wanted:
            chosen.append(member)
    return explainer.at(**{_FIELDS[dimension]: tuple(chosen)})
