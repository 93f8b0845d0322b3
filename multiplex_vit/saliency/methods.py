"""Methods: settings by name."""

from multiplex_vit.errors import InputError
from multiplex_vit.saliency.settings import Settings

METHODS = {
    "mutex": Settings(),
    "multiplex": Settings(numerics="stable", design="occlusion", estimator="graph", smoothness=0.03, direct_weight=0.3),
}
"""Named settings: "mutex" is the published method, "multiplex" the best found for as many passes: what the model misses without
each community of the token graph, and what each token writes to the class token itself (analysis/tune_multiplex.py).

How far rounding reaches: float32 confidences differ by up to e = 1e-6 between batch sizes and
processors. A heatmap of "mutex" is a mean of them, and moves by at most e. That of "multiplex" is an
estimate in its standard deviations. The estimate is linear in the confidences with a gain g (about 3:
the greatest sum of its slopes), so that a value z of the heatmap moves by at most
e g (2 + |z|) / s, where s is the standard deviation of the estimate. That is 1e-3 for s = .02, and
3e-5 were seen; up to 2e-4 were seen where a model is so sure that s is 2e-4. Values lie about 7 apart.
"""


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
