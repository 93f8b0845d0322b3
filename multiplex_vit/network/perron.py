"""The leading eigenvector of a matrix of weights, also where the network falls apart."""

import numpy as np
from scipy import sparse
from scipy.sparse import csgraph
from scipy.sparse.linalg import ArpackError, eigs, spsolve

_SMALL = 8
"""Parts up to this size are solved densely."""

_EQUAL = 1e-12
"""Eigenvalues that differ by less than this share are taken as equal."""


def leading_eigenvector(weights: np.ndarray | sparse.csr_array) -> np.ndarray:
    """Return x >= 0 with W^T x = lambda x for the greatest eigenvalue lambda of W.

    Where the network is not strongly connected, one strong part has the greatest eigenvalue: it gives the values, hands them on to what
    it reaches, and all other nodes have 0. If several parts have it, the first one that reaches no other of them is taken.

    Parameters
    ----------
    weights : ndarray or csr_array [source, target]

    Returns
    -------
    ndarray [node]
        0 to 1, the greatest being 1; all 0 where there is no cycle, as lambda is 0 there.

    References
    ----------
    Berman, Plemmons, Nonnegative Matrices in the Mathematical Sciences (1994), chapter 2, doi:10.1137/1.9781611971262.

    Examples
    --------
    >>> leading_eigenvector(np.array([[0, 4.0], [1.0, 0]])).round(6).tolist()
    [0.5, 1.0]
    >>> leading_eigenvector(np.array([[0.5, 0.25, 0], [0, 0.25, 0], [0, 0.5, 0]])).round(6).tolist()
    [1.0, 1.0, 0.0]
    """
    matrix = _scaled(weights)
    parts = [part for part in _strong_parts(matrix) if len(part) > 1 or matrix[part[0], part[0]] > 0]
    if not parts:
        return np.zeros(matrix.shape[0])
    solved = [_perron(matrix[part][:, part].T) for part in parts]
    radius = max(value for value, _ in solved)
    leaders = [i for i, (value, _) in enumerate(solved) if value >= radius * (1 - _EQUAL)]
    reached = {i: csgraph.breadth_first_order(matrix, parts[i][0], return_predecessors=False) for i in leaders}
    others = {i: np.concatenate([parts[j] for j in leaders if j != i] or [np.array([], dtype=int)]) for i in leaders}
    chosen = next(i for i in leaders if not np.isin(others[i], reached[i]).any())
    values = _handed_on(matrix, parts[chosen], solved[chosen], np.setdiff1d(reached[chosen], parts[chosen]))
    return np.clip(values / values.max(), 0, 1) + 0.0


def _scaled(weights: np.ndarray | sparse.csr_array) -> sparse.csr_array:
    """Return a sparse matrix whose greatest entry is 1, so that no product overflows or vanishes."""
    matrix = sparse.csr_array(weights, dtype=float)
    return sparse.csr_array((matrix.data / (matrix.data.max(initial=0) or 1), matrix.indices, matrix.indptr), shape=matrix.shape)


def _strong_parts(matrix: sparse.csr_array) -> list[np.ndarray]:
    """Return the nodes of every strong component, in the order of their first nodes."""
    _, labels = csgraph.connected_components(matrix, connection="strong")
    order = np.argsort(labels, kind="stable")
    parts = np.split(order, np.flatnonzero(np.diff(labels[order])) + 1)
    return sorted(parts, key=lambda part: part[0])


def _perron(matrix: sparse.csr_array) -> tuple[float, np.ndarray]:
    """Return the greatest eigenvalue and its positive eigenvector of a strongly connected part."""
    if matrix.shape[0] > _SMALL:
        dense = matrix.toarray() if matrix.nnz > 0.1 * matrix.shape[0] ** 2 else matrix
        try:
            values, vectors = eigs(dense, k=1, which="LR", v0=np.ones(matrix.shape[0]))
        except ArpackError:
            values, vectors = np.linalg.eig(matrix.toarray())
    else:
        values, vectors = np.linalg.eig(matrix.toarray())
    first = values.real.argmax()
    vector = np.abs(vectors[:, first].real)
    return float(values[first].real), vector / vector.max()


def _handed_on(matrix: sparse.csr_array, part: np.ndarray, solved: tuple[float, np.ndarray], beyond: np.ndarray) -> np.ndarray:
    """Return the eigenvector of the whole network from that of one part: what it reaches solves (lambda I - W^T) x = what it receives."""
    value, vector = solved
    values = np.zeros(matrix.shape[0])
    values[part] = vector
    if len(beyond):
        within = value * sparse.eye_array(len(beyond), format="csc") - sparse.csc_array(matrix[beyond][:, beyond].T)
        # In natural order the factors of layers that links join forward stay as sparse as the layers.
        values[beyond] = spsolve(within, matrix[part][:, beyond].T @ vector, permc_spec="NATURAL")
    return values
