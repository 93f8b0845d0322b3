"""Methods: settings by name."""

from multiplex_vit.errors import InputError
from multiplex_vit.saliency.settings import Settings

METHODS = {
    "mutex": Settings(),
    "multiplex": Settings(numerics="stable", design="occlusion", estimator="graph", smoothness=0.03, direct_weight=0.3),
}
"""Named settings: "mutex" is the published method, "multiplex" the best found for as many passes: what the model misses without
each community of the token graph, and what each token writes to the class token itself (analysis/tune_multiplex.py)."""


def method_of(name: str) -> Settings:
    """Return the settings of a named method; InputError if there is none.

    Examples
    --------
    >>> method_of("multiplex").design
    'occlusion'
    """
    if name not in METHODS:
        raise InputError(f"unknown method {name!r}; known: {', '.join(METHODS)}")
    return METHODS[name]
