"""The leading eigenvector of a matrix of weights, also where the network falls apart."""

from dataclasses import dataclass

import numpy as np
from scipy import sparse
from scipy.sparse import csgraph
from scipy.sparse.linalg import ArpackError, eigs, spsolve

from multiplex_vit.network.matrices import relative

_SMALL = 8
"""Parts up to this size are solved densely."""

_NEAR, _EQUAL = 1e-6, 1e-12
"""Eigenvalues that differ by less than these shares are computed anew, and are taken as equal."""

_NOTHING = np.finfo(float).eps ** 2
"""Share of the greatest weight below which a weight is none: rounding is greater by far."""


def leading_eigenvector(weights: np.ndarray | sparse.csr_array) -> np.ndarray:
    """Return x >= 0 with W^T x = lambda x for the greatest eigenvalue lambda of W.

    Where the network is not strongly connected, one strong part has the greatest eigenvalue: it
    gives the values, hands them on to what it reaches, and all other nodes have 0. Where several
    parts have it, there are many such x. This is then the one that tells no node from another
    beforehand: what (W^T + I)^k 1 tends to for great k, up to its size. So equal parts that do
    not reach one another add up, each by what it and the nodes before it contribute; of parts in
    a row the last has the values, and the longest such rows prevail. The numbers of the nodes do
    not matter.

    Parameters
    ----------
    weights : ndarray or csr_array [source, target]

    Returns
    -------
    ndarray [node]
        0 to 1, the greatest being 1; all 0 where there is no cycle, as lambda is 0 there.

    References
    ----------
    Berman, Plemmons, Nonnegative Matrices in the Mathematical Sciences (1994), chapter 2,
    doi:10.1137/1.9781611971262; Rothblum, Linear Algebra and its Applications 12, 281 (1975),
    doi:10.1016/0024-3795(75)90050-6, for parts in a row.

    Examples
    --------
    >>> leading_eigenvector(np.array([[0, 4.0], [1.0, 0]])).round(6).tolist()
    [0.5, 1.0]
    >>> leading_eigenvector(np.array([[0.5, 0.25, 0], [0, 0.25, 0], [0, 0.5, 0]])).round(6).tolist()
    [1.0, 1.0, 0.0]
    >>> leading_eigenvector(np.diag([0.5, 0.5, 0.25])).tolist()
    [1.0, 1.0, 0.0]
    """
    matrix = _scaled(weights)
    parts = _leading_parts(matrix)
    if not parts:
        return np.zeros(matrix.shape[0])
    several = len(parts) > 1
    values = _limit(matrix, parts) if several else _alone(matrix, parts[0])
    # Adding 0.0 turns -0.0 into 0.0.
    return np.clip(values / values.max(), 0, 1) + 0.0


@dataclass(frozen=True)
class _Part:
    """A strong part with the greatest eigenvalue.

    W^T x = value x and W y = value y among its nodes.
    """

    nodes: np.ndarray
    value: float
    x: np.ndarray
    y: np.ndarray


def _leading_parts(matrix: sparse.csr_array) -> list[_Part]:
    """Return the strong parts that have the greatest eigenvalue."""
    solved = []
    # The eigenvalues of a matrix are those of its strong parts.
    for nodes in _strong_parts(matrix):
        # A node without a self-loop lies on no cycle and has the eigenvalue 0.
        if len(nodes) > 1 or matrix[nodes[0], nodes[0]] > 0:
            within = matrix[nodes][:, nodes]
            value, x = _perron(within.T)
            solved.append((nodes, value, x))
    greatest = max((value for _, value, _ in solved), default=0.0)
    near = []
    for nodes, value, x in solved:
        if value >= greatest * (1 - _NEAR):
            near.append(_Part(nodes, value, x, x))
    if len(near) == 1:
        return near
    parts = [_with_left(matrix, part) for part in near]
    greatest = max((part.value for part in parts), default=0.0)
    return [part for part in parts if part.value >= greatest * (1 - _EQUAL)]


def _with_left(matrix: sparse.csr_array, part: _Part) -> _Part:
    """Return a part with its left eigenvector, and with its eigenvalue to all digits."""
    within = matrix[part.nodes][:, part.nodes]
    _, y = _perron(within)
    x = part.x
    # With both eigenvectors the error of the eigenvalue is of second order.
    value = float(y @ (within.T @ x) / (y @ x))
    return _Part(part.nodes, value, x, y)


def _alone(matrix: sparse.csr_array, part: _Part) -> np.ndarray:
    """Return the eigenvector of a network that one part alone leads."""
    return _spread(matrix, part, _reached(matrix, part.nodes))


def _limit(matrix: sparse.csr_array, parts: list[_Part]) -> np.ndarray:
    """Return what repeated steps from equal values tend to where several parts are equal."""
    part_of = np.full(matrix.shape[0], -1)
    for number, part in enumerate(parts):
        part_of[part.nodes] = number
    reached = [_reached(matrix, part.nodes, part_of >= 0) for part in parts]
    places = _places_in_row([np.unique(part_of[nodes]) for nodes in reached])
    share = np.zeros(len(parts))
    backwards = sparse.csr_array(matrix.T)
    for first in np.flatnonzero(places == 0):
        share[first] = _contributed(backwards, parts[first])
    # After k steps a part at place p has grown k^p times as much as one at place 0, so that only
    # what it is handed by parts at place p - 1 counts.
    for place in range(places.max() + 1):
        here = np.flatnonzero(places == place)
        share[here] /= share[here].max()
        values = np.zeros(matrix.shape[0])
        for number in here.tolist():
            beyond = reached[number]
            beyond = beyond[part_of[beyond] < 0]
            values += share[number] * _spread(matrix, parts[number], beyond)
        for number in np.flatnonzero(places == place + 1).tolist():
            part = parts[number]
            received = matrix[:, part.nodes].T @ values
            share[number] = part.y @ received / (part.y @ part.x)
    return values


def _places_in_row(after: list[np.ndarray]) -> np.ndarray:
    """Return how many parts at most stand in a row before each part.

    `after` says which parts come directly after each; -1 stands for nodes of no part.
    """
    places = np.zeros(len(after), dtype=int)
    changed = set(range(len(after)))
    while changed:
        later = set()
        for number in changed:
            for other in after[number]:
                if other >= 0 and places[other] <= places[number]:
                    places[other] = places[number] + 1
                    later.add(int(other))
        changed = later
    return places


def _contributed(backwards: sparse.csr_array, part: _Part) -> float:
    """Return by how much equal values of all nodes make a part grow that no equal part reaches."""
    turned = _Part(part.nodes, part.value, part.y, part.x)
    return float(_alone(backwards, turned).sum() / (part.y @ part.x))


def _reached(
    matrix: sparse.csr_array,
    part: np.ndarray,
    stops: np.ndarray | None = None,
) -> np.ndarray:
    """Return the nodes beyond a part that it reaches; paths end at nodes that are stops."""
    seen = np.zeros(matrix.shape[0], dtype=bool)
    seen[part] = True
    last = part
    while len(last):
        neighbours = np.unique(matrix[last].indices)
        last = neighbours[~seen[neighbours]]
        seen[last] = True
        if stops is not None:
            last = last[~stops[last]]
    seen[part] = False
    return np.flatnonzero(seen)


def _scaled(weights: np.ndarray | sparse.csr_array) -> sparse.csr_array:
    """Return a sparse matrix whose greatest entry is 1, without entries below `_NOTHING`.

    So no product overflows or vanishes.
    """
    matrix = sparse.csr_array(weights, dtype=float)
    data = relative(matrix.data)
    # Parts that only such entries join have one eigenvalue in floating point, and what a solver
    # makes of that changes from one call to the next.
    data[data < _NOTHING] = 0
    scaled = sparse.csr_array((data, matrix.indices, matrix.indptr), shape=matrix.shape)
    scaled.eliminate_zeros()
    return scaled


def _strong_parts(matrix: sparse.csr_array) -> list[np.ndarray]:
    """Return the nodes of every strong component, in the order of their first nodes."""
    _, labels = csgraph.connected_components(matrix, connection="strong")
    order = np.argsort(labels, kind="stable")
    starts = np.flatnonzero(np.diff(labels[order])) + 1
    parts = np.split(order, starts)
    return sorted(parts, key=lambda part: part[0])


def _perron(matrix: sparse.csr_array) -> tuple[float, np.ndarray]:
    """Return the greatest eigenvalue and its positive eigenvector of a strongly connected part."""
    size = matrix.shape[0]
    if size == 1:
        return float(matrix[0, 0]), np.ones(1)
    values, vectors = _eigen(matrix)
    # By Perron and Frobenius the greatest eigenvalue of a strong part is real.
    first = values.real.argmax()
    vector = np.abs(vectors[:, first].real)
    return float(values[first].real), vector / vector.max()


def _eigen(matrix: sparse.csr_array) -> tuple[np.ndarray, np.ndarray]:
    """Return eigenvalues and eigenvectors, the greatest alone of a large matrix."""
    size = matrix.shape[0]
    if size <= _SMALL:
        return np.linalg.eig(matrix.toarray())
    # Products with a matrix of many entries are quicker where it is dense.
    dense = matrix.nnz > 0.1 * size**2
    operator = matrix.toarray() if dense else matrix
    try:
        return eigs(operator, k=1, which="LR", v0=np.ones(size))
    except ArpackError:
        return np.linalg.eig(matrix.toarray())


def _spread(matrix: sparse.csr_array, part: _Part, beyond: np.ndarray) -> np.ndarray:
    """Return the eigenvector of a network from that of a part.

    What the part reaches solves (lambda I - W^T) x = what it receives.
    """
    values = np.zeros(matrix.shape[0])
    values[part.nodes] = part.x
    if len(beyond):
        within = sparse.csc_array(matrix[beyond][:, beyond].T)
        system = part.value * sparse.eye_array(len(beyond), format="csc") - within
        received = matrix[part.nodes][:, beyond].T @ part.x
        # In natural order the factors of layers that links join forward stay as sparse as they are.
        values[beyond] = spsolve(system, received, permc_spec="NATURAL")
    return values
