"""The registry of protocols, and what its members say of themselves."""

from collections.abc import Callable
from typing import NamedTuple, Unpack

import attrs
import numpy as np

from multiplex_vit.errors import InputError
from multiplex_vit.evaluation.baselines import BASELINES
from multiplex_vit.evaluation.curve import INSERTION_DELETION, Curve
from multiplex_vit.evaluation.protocols.options import LOGIT, OWN, Choices, Options
from multiplex_vit.evaluation.protocols.subject import Subject
from multiplex_vit.registry import Registry, name_of

Curves = tuple[Curve, Curve]
Protocol = Callable[[Subject, np.ndarray, Options], Curves]
PROTOCOLS: Registry[Protocol] = Registry(
    "protocol",
    data=3,
    traits={
        "curves": tuple[str, str],
        "fixed": dict[str, str],
        "takes_baseline": bool,
        "baseline": Callable,
        "probability": str,
        "quantity": str,
        "from_zero": bool,
    },
)
"""How two curves are made of a heatmap.

A member may be registered with

- curves: the names of its two curves, the one that should be high first,
- fixed: a text for each option that is published and cannot be chosen,
- takes_baseline: whether a baseline can be chosen, as in "patch/black"; default: no,
- baseline: the function that finds a baseline by its name; default: `BASELINES`,
- probability: what it does with a score that only a probability allows, which `evaluate` says
  where it refuses models that predict values; default: nothing,
- quantity: what its curves follow in place of the model's score,
- from_zero: whether deletion begins at a score of 0, and not at that of the whole image.
"""


def curve_names(protocol: str | Protocol) -> tuple[str, str]:
    """Return the names of a protocol's two curves; the one that should be high comes first.

    Examples
    --------
    >>> from multiplex_vit.evaluation.protocols import PROTOCOLS
    >>> curve_names("patch"), curve_names("chefer2021")
    (('insertion', 'deletion'), ('negative', 'positive'))
    """
    return PROTOCOLS.trait(protocol, "curves") or INSERTION_DELETION


def takes_baseline(protocol: str | Protocol) -> bool:
    """Tell whether a baseline can be chosen for a protocol.

    Examples
    --------
    >>> from multiplex_vit.evaluation.protocols import PROTOCOLS
    >>> takes_baseline("patch"), takes_baseline("token"), takes_baseline("tis2023")
    (True, False, False)
    """
    if not PROTOCOLS.own_name(protocol):
        # Nothing is known of a function that is no member.
        return True
    return bool(PROTOCOLS.trait(protocol, "takes_baseline"))


class Parts(NamedTuple):
    """What a protocol is spelled of: its name, its baseline, and the score that is followed."""

    name: str | Protocol
    baseline: str | None = None
    score: str = OWN


def parted(protocol: str | Protocol) -> Parts:
    """Return the parts of a protocol's spelling, as in "patch/black" or "patch/black/logit".

    Raises
    ------
    InputError
        If there is no such protocol, or it takes no baseline.

    Examples
    --------
    >>> from multiplex_vit.evaluation.protocols import PROTOCOLS
    >>> parted("patch/black")
    Parts(name='patch', baseline='black', score='own')
    >>> parted("token/logit")
    Parts(name='token', baseline=None, score='logit')
    """
    if not isinstance(protocol, str):
        return Parts(protocol)
    score = LOGIT if protocol.endswith(f"/{LOGIT}") else OWN
    name, slash, baseline = protocol.removesuffix(f"/{LOGIT}").partition("/")
    PROTOCOLS.resolve(name)
    if not slash:
        return Parts(name, None, score)
    # Said here, as "token/black" looks like the name of a protocol that there is.
    if not takes_baseline(name):
        problem = f"protocol is {protocol!r}, but {_no_baseline(name)}"
        raise InputError(f"{problem}; give {name!r}, or 'patch/{baseline}'")
    return Parts(name, baseline, score)


def full_name(protocol: str) -> str:
    """Return a protocol as results, tables and the command line spell it, with its baseline.

    Raises
    ------
    InputError
        If it is no text, or there is no such protocol.

    Examples
    --------
    >>> from multiplex_vit.evaluation.protocols import PROTOCOLS
    >>> full_name("patch"), full_name("patch/blur"), full_name("token"), full_name("tis2023")
    ('patch/black', 'patch/blur', 'token', 'tis2023')
    """
    if not isinstance(protocol, str):
        expected = "a name, with its baseline where it has one, such as 'patch/black'"
        raise InputError(f"protocol is {protocol!r}; give {expected}")
    name, baseline, score = parted(protocol)
    if baseline is None and takes_baseline(name):
        return f"{name}/black/{LOGIT}" if score == LOGIT else f"{name}/black"
    return protocol


def _no_baseline(protocol: str | Protocol) -> str:
    """Return in words that a protocol takes no baseline, or which one it has."""
    name = name_of(protocol)
    published = fixed_options(protocol).get("baseline")
    if published:
        return f"{name} has its {published}"
    return f"{name} takes no baseline"


def fixed_options(protocol: str | Protocol) -> dict[str, str]:
    """Return the options that a protocol fixes, and in words what it has for each.

    Examples
    --------
    >>> from multiplex_vit.evaluation.protocols import PROTOCOLS
    >>> fixed_options("mutex2025"), fixed_options("patch")
    ({'steps': '12 published points'}, {})
    """
    return PROTOCOLS.trait(protocol, "fixed") or {}


def options_of(protocol: str | Protocol, **choices: Unpack[Choices]) -> Options:
    """Return options for a protocol.

    Parameters
    ----------
    protocol : str or callable
    **choices
        Fields of `Options`: baseline, score, steps, seed, batch_size.

    Raises
    ------
    InputError
        If an option is unknown, cannot be used, or is one that the protocol fixes.

    Examples
    --------
    >>> from multiplex_vit.evaluation.protocols import PROTOCOLS
    >>> options_of("tis2023", baseline="black")
    Traceback (most recent call last):
    multiplex_vit.errors.InputError: tis2023 has its published blur; leave baseline out, or use protocol='patch'
    """
    PROTOCOLS.resolve(protocol)
    names = [field.name for field in attrs.fields(Options)]
    for option in sorted(choices):
        if option not in names:
            raise InputError(f"unknown option {option!r}; known: {', '.join(names)}")
    options = Options(**choices)
    if options.baseline is not None:
        if not takes_baseline(protocol):
            advice = "leave baseline out, or use protocol='patch'"
            raise InputError(f"{_no_baseline(protocol)}; {advice}")
        # "mutex2025" has its own meaning of some names.
        check = PROTOCOLS.trait(protocol, "baseline") or BASELINES.resolve
        check(options.baseline)
    for option, published in fixed_options(protocol).items():
        if getattr(options, option) is not None:
            given = f"{name_of(protocol)} has its {published}"
            raise InputError(f"{given}; leave {option} out, or use protocol='patch'")
    return options
