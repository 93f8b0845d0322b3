"""sweep: an explainer at every combination of some options."""

from collections.abc import Callable, Sequence
from itertools import product
from typing import Any

from multiplex_vit.errors import InputError
from multiplex_vit.saliency.explainers.explainer import Explainer
from multiplex_vit.saliency.explainers.registry import EXPLAINERS


def sweep(
    explainer: str | Explainer | Callable[..., Any] = "mutex", **values: Sequence[Any]
) -> list[Explainer]:
    """Return an explainer at every combination of options.

    Parameters
    ----------
    explainer : str, Explainer or callable
        Default: "mutex".
    **values : list
        Of each option the values to take; the first option varies slowest.

    Returns
    -------
    list of Explainer
        Each once, also where two combinations are the same.

    Raises
    ------
    InputError
        If there is no such explainer or option, or an option is given no list of values.

    Examples
    --------
    >>> sweep(min_cut=[0.01, 0.05], token_ratio=[0.3])
    [<Explainer mutex(token_ratio=0.3)>, <Explainer mutex(min_cut=0.05, token_ratio=0.3)>]
    """
    base = EXPLAINERS.resolve(explainer)
    lists = [_listed(name, several) for name, several in values.items()]
    swept: dict[Explainer, None] = {}
    for combination in product(*lists):
        options = dict(zip(values, combination, strict=True))
        # A dictionary keeps the order, and each explainer once.
        swept[base.at(**options)] = None
    return list(swept)


def _listed(name: str, values: Any) -> list[Any]:
    if isinstance(values, (str, bytes)) or not hasattr(values, "__iter__"):
        what = f"{name} is {values!r}"
        raise InputError(f"{what}; give a list of the values to take")
    # An empty list would give no explainers at all, without a word.
    listed = list(values)
    if not listed:
        raise InputError(f"{name} is empty; give at least one value")
    return listed
