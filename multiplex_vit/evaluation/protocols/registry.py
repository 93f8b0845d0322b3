"""The registry of protocols, and what its members say of themselves."""

from collections.abc import Callable
from typing import Unpack

import numpy as np

from multiplex_vit.errors import InputError
from multiplex_vit.evaluation.baselines import BASELINES
from multiplex_vit.evaluation.curve import INSERTION_DELETION, Curve
from multiplex_vit.evaluation.protocols.options import Choices, Options
from multiplex_vit.evaluation.protocols.subject import Subject
from multiplex_vit.registry import Registry, name_of

Curves = tuple[Curve, Curve]
Protocol = Callable[[Subject, np.ndarray, Options], Curves]
PROTOCOLS: Registry[Protocol] = Registry("protocol", data=3)
"""A member may be registered with `curves`, the names of its two curves, and `fixed`, the options that are published and may not be chosen."""


def curve_names(protocol: str | Protocol) -> tuple[str, str]:
    """Return the names of a protocol's two curves, that which should be high first.

    Examples
    --------
    >>> from multiplex_vit.evaluation.protocols import PROTOCOLS
    >>> curve_names("patch"), curve_names("chefer2021")
    (('insertion', 'deletion'), ('negative', 'positive'))
    """
    return PROTOCOLS.trait(protocol, "curves") or INSERTION_DELETION


def parted(protocol: str | Protocol) -> tuple[str | Protocol, str | None]:
    """Return a protocol and the baseline that is spelled with it: "patch/black".

    Raises
    ------
    InputError
        If there is no such protocol, or it takes no baseline.

    Examples
    --------
    >>> from multiplex_vit.evaluation.protocols import PROTOCOLS
    >>> parted("patch/black"), parted("token")
    (('patch', 'black'), ('token', None))
    """
    if not isinstance(protocol, str):
        return protocol, None
    name, slash, baseline = protocol.partition("/")
    PROTOCOLS.resolve(name)
    if name == "token" and slash:
        why = "tokens leave the sequence, no baseline is put in their place"
        raise InputError(f"protocol {protocol!r}: {why}; give 'token'")
    return name, baseline if slash else None


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
        known = "a name, with its baseline where it has one, such as 'patch/black'"
        raise InputError(f"protocol is {protocol!r}; give {known}")
    name, baseline = parted(protocol)
    is_open = name != "token" and "baseline" not in (PROTOCOLS.trait(name, "fixed") or {})
    return f"{name}/black" if baseline is None and is_open else protocol


def options_of(protocol: str | Protocol, **choices: Unpack[Choices]) -> Options:
    """Return options for a protocol.

    Raises
    ------
    InputError
        If an option is unknown, cannot be used, or is one that the protocol does not leave open.

    Examples
    --------
    >>> from multiplex_vit.evaluation.protocols import PROTOCOLS
    >>> options_of("tis2023", baseline="black")
    Traceback (most recent call last):
    multiplex_vit.errors.InputError: tis2023 has its published blur; leave baseline out, or use protocol='patch'
    """
    PROTOCOLS.resolve(protocol)
    unknown = set(choices) - set(Options.__dataclass_fields__)
    if unknown:
        raise InputError(f"unknown option {sorted(unknown)[0]!r}; known: {', '.join(Options.__dataclass_fields__)}")
    options = Options(**choices)
    if options.baseline is not None:
        check = PROTOCOLS.trait(protocol, "baseline") or BASELINES.resolve
        check(options.baseline)
    for option, published in (PROTOCOLS.trait(protocol, "fixed") or {}).items():
        if getattr(options, option) is not None:
            raise InputError(f"{name_of(protocol)} has its {published}; leave {option} out, or use protocol='patch'")
    return options
