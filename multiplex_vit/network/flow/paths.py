"""Time-respecting paths: at most one edge a layer, from the last layer to the first."""

from dataclasses import dataclass

import numpy as np

from multiplex_vit.accepts import accepts, stack
from multiplex_vit.checks import share
from multiplex_vit.network.depth import ranks


@dataclass(frozen=True, eq=False)
class PathsInTime:
    """The strongest time-respecting path to every input token.

    Parameters
    ----------
    strengths : ndarray [node]
        The product of weights along the path; 0 where there is none.
    tokens : ndarray of int [node, step]
        The tokens passed, an output token first and the input token last: one for each block and
        one more. -1 where there is no path.
    """

    strengths: np.ndarray
    tokens: np.ndarray

    @property
    def hops(self) -> np.ndarray:
        """How often each path goes over to another token [node]; -1 where there is none."""
        changes = (np.diff(self.tokens, axis=1) != 0).sum(1)
        return np.where(self.strengths > 0, changes, -1)


@accepts(weights=stack)
def paths_in_time(
    weights: np.ndarray,
    tokens: np.ndarray,
    *,
    waiting: float = 1.0,
    blocks: np.ndarray | None = None,
) -> PathsInTime:
    """Return the strongest time-respecting path from output tokens to every input token.

    In each block, from the last to the first, a path follows one edge or waits at its token, as
    the residual stream lets it. A path of any network with links back may take several edges in
    one layer; the transformer applies each block once, so information can only come this way.

    Parameters
    ----------
    weights : ndarray [layer, source, target]
        The first block first; of layers of one block, the heads, the strongest edge counts.
    tokens : ndarray of bool [node]
        The output tokens at which paths begin.
    waiting : float, 0 to 1
        By what waiting for a block multiplies the strength of a path; with 0 a path must follow
        an edge in each. Default: 1.
    blocks : sequence of int, optional
        The block of every layer. Default: 0, 1, ...

    Returns
    -------
    PathsInTime
        Of equally strong paths, one.

    Raises
    ------
    InputError
        If `waiting` is not within 0 and 1.

    References
    ----------
    Kempe, Kleinberg, Kumar, J. Comput. Syst. Sci. 64, 820 (2002), doi:10.1006/jcss.2002.1829;
    Holme, Saramaki, Physics Reports 519, 97 (2012), doi:10.1016/j.physrep.2012.03.001.

    Examples
    --------
    >>> weights = np.array([[[0, 0.5], [0, 0]], [[0, 0.25], [0, 0]]])
    >>> paths = paths_in_time(weights, np.array([True, False]))
    >>> paths.strengths.tolist(), paths.tokens.tolist()
    ([1.0, 0.5], [[0, 0, 0], [0, 0, 1]])
    """
    waiting = share("waiting", waiting)
    depth = ranks(range(len(weights)) if blocks is None else blocks)
    n_nodes = weights.shape[1]
    # Logarithms, since products of many small weights vanish.
    with np.errstate(divide="ignore"):
        edges = np.log(weights.astype(float))
        stay = np.log(waiting)
        best = np.log(np.asarray(tokens, dtype=float))
    before = []
    for block in np.unique(depth)[::-1]:
        steps = edges[depth == block].max(0)
        loops = np.maximum(steps.diagonal(), stay)
        np.fill_diagonal(steps, loops)
        reached = best[:, None] + steps
        # Of equally strong steps waiting is taken, which makes the fewest hops.
        source = reached.argmax(0)
        waits = reached.diagonal() == reached.max(0)
        before.append(np.where(waits, np.arange(n_nodes), source))
        best = reached.max(0)
    passed = np.arange(n_nodes)
    path = [passed]
    for sources in before[::-1]:
        passed = sources[passed]
        path.append(passed)
    strengths = np.exp(best)
    trail = np.stack(path[::-1], axis=1)
    return PathsInTime(strengths, np.where(np.isfinite(best)[:, None], trail, -1))
