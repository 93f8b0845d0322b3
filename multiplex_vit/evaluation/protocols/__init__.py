"""Protocols: how two curves are made of a heatmap. Importing this registers all of them.

Each takes a Subject, a heatmap [row, col] and Options, and returns two curves: first the one that
should be high (insertion), then the one that should be low (deletion). Numbers of different
protocols cannot be compared.
"""

from multiplex_vit.evaluation.protocols.chefer import chefer2021
from multiplex_vit.evaluation.protocols.mutex import mutex2025, published_baseline
from multiplex_vit.evaluation.protocols.options import LOGIT, Choices, Options
from multiplex_vit.evaluation.protocols.order import pixel_ranks, ranks, steps_of
from multiplex_vit.evaluation.protocols.patches import patch
from multiplex_vit.evaluation.protocols.registry import (
    INSERTION_DELETION,
    PROTOCOLS,
    Curves,
    Protocol,
    curve_names,
    fixed_options,
    full_name,
    options_of,
    parted,
    takes_baseline,
)
from multiplex_vit.evaluation.protocols.rise import rise2018
from multiplex_vit.evaluation.protocols.subject import Subject
from multiplex_vit.evaluation.protocols.tis import tis2023
from multiplex_vit.evaluation.protocols.tokens import token
from multiplex_vit.registry import import_members

import_members(__name__)

__all__ = [
    "INSERTION_DELETION",
    "LOGIT",
    "PROTOCOLS",
    "Choices",
    "Curves",
    "Options",
    "Protocol",
    "Subject",
    "chefer2021",
    "curve_names",
    "fixed_options",
    "full_name",
    "mutex2025",
    "options_of",
    "parted",
    "patch",
    "pixel_ranks",
    "published_baseline",
    "ranks",
    "rise2018",
    "steps_of",
    "takes_baseline",
    "tis2023",
    "token",
]
