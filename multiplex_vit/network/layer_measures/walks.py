"""How a walker who follows edges gets about: the layer as a Markov chain."""

from functools import lru_cache

from multiplex_vit.accepts import accepts
from multiplex_vit.network.flow.chain import Chain
from multiplex_vit.network.layer import Layer
from multiplex_vit.network.layer_measures.registry import LAYER_MEASURES


@LAYER_MEASURES.register(scale="invariant", isolates="kept")
@accepts()
def second_eigenvalue(layer: Layer) -> float:
    """Return the second greatest modulus of an eigenvalue of the chain: how slowly it mixes.

    See `flow.Chain` for the chain. Heads with a great one keep apart regions of the image.

    Parameters
    ----------
    layer : Layer

    Returns
    -------
    float
        0 (the next step does not depend on where the walker is) to 1 (where the walk began is
        never forgotten: the layer falls apart, or is periodic). 0 without an edge.

    References
    ----------
    Erel et al., Attention (as Discrete-Time Markov) Chains, arXiv:2507.17657 (2025).

    Examples
    --------
    >>> import numpy as np
    >>> round(second_eigenvalue(Layer(np.array([[0.5, 0.5], [0.25, 0.75]]))), 4)
    0.25
    """
    return _chain(layer).second_eigenvalue


@LAYER_MEASURES.register(scale="invariant", isolates="kept")
@accepts()
def spectral_gap(layer: Layer) -> float:
    """Return 1 less the second greatest modulus of an eigenvalue of the chain.

    Parameters
    ----------
    layer : Layer

    Returns
    -------
    float
        0 to 1; see `second_eigenvalue`.

    References
    ----------
    Levin, Peres, Markov Chains and Mixing Times (2017), section 12.2, doi:10.1090/mbk/107.

    Examples
    --------
    >>> import numpy as np
    >>> round(spectral_gap(Layer(np.array([[0.5, 0.5], [0.25, 0.75]]))), 4)
    0.75
    """
    return _chain(layer).spectral_gap


@LAYER_MEASURES.register(scale="invariant", isolates="kept")
@accepts()
def relaxation_time(layer: Layer) -> float:
    """Return in how many steps what a walk knows of its start falls to 1 / e: 1 / spectral gap.

    Parameters
    ----------
    layer : Layer

    Returns
    -------
    float
        From 1 up, in steps. NaN where a walk never forgets its start.

    References
    ----------
    Levin, Peres, Markov Chains and Mixing Times (2017), section 12.2, doi:10.1090/mbk/107.

    Examples
    --------
    >>> import numpy as np
    >>> round(relaxation_time(Layer(np.array([[0.5, 0.5], [0.25, 0.75]]))), 4)
    1.3333
    """
    return _chain(layer).relaxation_time


@LAYER_MEASURES.register(scale="invariant", isolates="kept")
@accepts()
def kemeny_constant(layer: Layer) -> float:
    """Return how many steps a walker needs to a node drawn from where it is in the long run.

    K = sum over all eigenvalues but the first of 1 / (1 - lambda), wherever the walk begins.

    Parameters
    ----------
    layer : Layer

    Returns
    -------
    float
        From 0 up (a single node), in steps. NaN where the layer falls apart, or has no edge.

    References
    ----------
    Kemeny, Snell, Finite Markov Chains (1960), section 4.4; Levene, Loizou, American Mathematical
    Monthly 109, 741 (2002), doi:10.2307/3072398.

    Examples
    --------
    >>> import numpy as np
    >>> round(kemeny_constant(Layer(np.array([[0.5, 0.5], [0.25, 0.75]]))), 4)
    1.3333
    """
    return _chain(layer).kemeny_constant


# A table asks for one measure of a layer after the other, so the last layer alone is kept.
@lru_cache(maxsize=1)
def _chain(layer: Layer) -> Chain:
    """Return a layer as a Markov chain, whose eigenvalues several measures need."""
    return Chain(layer)
