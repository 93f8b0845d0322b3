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
PROTOCOLS: Registry[Protocol] = Registry("protocol", data=3)
"""How two curves are made of a heatmap.

A member may be registered with

- curves: the names of its two curves, the one that should be high first,
- fixed: a text for each option that is published and cannot be chosen,
- baseline: the function that finds a baseline by its name.
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
    if name == "token":
        why = "tokens leave the sequence, no baseline is put in their place"
        raise InputError(f"protocol {protocol!r}: {why}; give 'token'")
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
    has_own_baseline = name == "token" or "baseline" in fixed_options(name)
    if baseline is None and not has_own_baseline:
        return f"{name}/black/{LOGIT}" if score == LOGIT else f"{name}/black"
    return protocol


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
        # "mutex2025" has its own meaning of some names.
        check = PROTOCOLS.trait(protocol, "baseline") or BASELINES.resolve
        check(options.baseline)
    for option, published in fixed_options(protocol).items():
        if getattr(options, option) is not None:
            given = f"{name_of(protocol)} has its {published}"
            raise InputError(f"{given}; leave {option} out, or use protocol='patch'")
    return options
