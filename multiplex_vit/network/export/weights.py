"""Weights as text."""

import numpy as np

AT_ONCE = 1 << 15
"""How many edges are turned into Python objects at once."""

LEAST, GREATEST = 2.0**-149, float(np.finfo(np.float32).max)
"""Weights between which Gephi reads a weight as it is."""


def weight_texts(weights: np.ndarray) -> tuple[list[str], list[str]]:
    """Return weights as text twice: held within 32 bits, and exactly.

    Gephi reads weights as 32-bit floats and deletes edges whose weight that makes 0.

    Examples
    --------
    >>> weight_texts(np.array([0.1, 1e-60]))
    (['0.1', '1.401298464324817e-45'], ['0.1', '1e-60'])
    """
    exact = [repr(weight) for weight in weights.tolist()]
    held = np.copysign(np.clip(np.abs(weights), LEAST, GREATEST), weights)
    if np.array_equal(held, weights):
        return exact, exact
    return [repr(weight) for weight in held.tolist()], exact
