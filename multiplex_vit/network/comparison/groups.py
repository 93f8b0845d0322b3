"""Groups of networks: whether their measures differ by more than chance would have it."""

import numpy as np
import pandas as pd
from scipy.stats import false_discovery_control

from multiplex_vit.accepts import accepts
from multiplex_vit.checks import numbers, whole
from multiplex_vit.errors import InputError

_KEYS = ["layer", "measure"]


@accepts()
def permutation_test(
    first: np.ndarray,
    second: np.ndarray,
    *,
    paired: bool = False,
    permutations: int = 999,
    seed: int = 0,
) -> tuple[np.ndarray, np.ndarray]:
    """Return how far the means of two groups differ, and how often chance alone has them so far.

    Parameters
    ----------
    first, second : ndarray [image, feature]
        One row an image; as many features of both. Paired, as many images, the same in each row.
    paired : bool
        Whether images are the same, as where two models see them. Then each image's two rows are
        exchanged or not at random; else images are dealt to the groups anew. Default: False.
    permutations : int
        From 1 up. Default: 999.
    seed : int
        Default: 0.

    Returns
    -------
    difference : ndarray [feature]
        Mean of the first less mean of the second group.
    p : ndarray [feature]
        Two-sided: (1 + permutations whose difference is at least as great) / (1 + permutations).
        NaN where a value is.

    Raises
    ------
    InputError
        If the groups have different features or, paired, different numbers of images.

    References
    ----------
    Phipson, Smyth, Stat. Appl. Genet. Mol. Biol. 9, 39 (2010), doi:10.2202/1544-6115.1585.

    Examples
    --------
    >>> first, second = np.arange(8.0)[:, None] + 10, np.arange(8.0)[:, None]
    >>> difference, p = permutation_test(first, second, permutations=99)
    >>> difference.tolist(), bool(p[0] < 0.05)
    ([10.0], True)
    """
    one, other = _rows("first", first), _rows("second", second)
    _refuse_unlike(one, other, paired)
    permutations = whole("permutations", permutations, at_least=1)
    rng = np.random.default_rng(whole("seed", seed, at_least=0))
    # The difference of means is a sum over images, each with its part in it.
    if paired:
        values = (one - other) / len(one)
        signs = np.ones(len(one))
    else:
        values = np.concatenate([one, other])
        signs = np.repeat([1 / len(one), -1 / len(other)], [len(one), len(other)])
    difference = signs @ values
    # Sums in another order differ in their last digits.
    least = np.abs(difference) - 1e-12 * np.abs(values).max(0)
    as_far = np.zeros(len(difference))
    for _ in range(permutations):
        dealt = rng.choice([-1.0, 1.0], len(signs)) if paired else rng.permutation(signs)
        as_far += np.abs(dealt @ values) >= least
    p = (1 + as_far) / (1 + permutations)
    return difference, np.where(np.isnan(difference), np.nan, p)


@accepts()
def compare_measures(
    first: pd.DataFrame,
    second: pd.DataFrame,
    *,
    paired: bool = False,
    permutations: int = 999,
    seed: int = 0,
) -> pd.DataFrame:
    """Return whether the measures of two groups of networks differ, layer by layer.

    Parameters
    ----------
    first, second : DataFrame
        One row an image, layer and measure, as `Networks.measures` returns them: columns number,
        layer, measure and value.
    paired, permutations, seed
        As for `permutation_test`; paired by number.

    Returns
    -------
    pandas.DataFrame
        One row a layer and measure: layer, measure, first and second (means), difference, p, and q
        (p adjusted for all rows: Benjamini, Hochberg). NaN where an image has no value.

    Raises
    ------
    InputError
        If a column is missing, or the tables have different layers or measures.

    References
    ----------
    Benjamini, Hochberg, J. R. Stat. Soc. B 57, 289 (1995), doi:10.1111/j.2517-6161.1995.tb02031.x.

    Examples
    --------
    >>> facts = {"number": range(4), "layer": 0, "measure": "edges"}
    >>> few, many = (pd.DataFrame({**facts, "value": v}) for v in ([1, 2, 3, 4], [11, 12, 13, 14]))
    >>> compare_measures(few, many)[["layer", "measure", "first", "second", "difference"]]
       layer measure  first  second  difference
    0      0   edges    2.5    12.5       -10.0
    """
    one, other = _wide("first", first), _wide("second", second)
    if not one.columns.equals(other.columns):
        raise InputError("the tables have different layers or measures; give the same of both")
    difference, p = permutation_test(
        one.to_numpy(),
        other.to_numpy(),
        paired=paired,
        permutations=permutations,
        seed=seed,
    )
    table = one.columns.to_frame(index=False)
    table["first"] = one.to_numpy().mean(0)
    table["second"] = other.to_numpy().mean(0)
    table["difference"] = difference
    table["p"] = p
    table["q"] = np.nan
    # A measure that an image lacks is not tested.
    tested = np.isfinite(p)
    if tested.any():
        adjusted = false_discovery_control(p[tested])
        table.loc[tested, "q"] = adjusted
    return table


def _refuse_unlike(one: np.ndarray, other: np.ndarray, paired: bool) -> None:
    same = one.shape == other.shape
    if not paired:
        same = one.shape[1] == other.shape[1]
    if not same:
        shapes = f"{list(one.shape)} and {list(other.shape)}"
        give = "give [image, feature] with as many of both"
        raise InputError(f"groups have shapes {shapes}; {give}")


def _rows(name: str, values: np.ndarray) -> np.ndarray:
    rows = numbers(name, values)
    if rows.ndim != 2 or not rows.size:
        raise InputError(f"{name} has shape {list(rows.shape)}; give [image, feature]")
    return rows


def _wide(name: str, table: pd.DataFrame) -> pd.DataFrame:
    """Return values [image, layer and measure]."""
    wanted = ("number", *_KEYS, "value")
    missing = [column for column in wanted if column not in table]
    if missing or table.empty:
        lacks = ", ".join(missing) or "with a row"
        give = "give what Networks.measures returns"
        raise InputError(f"{name} has no column {lacks}; {give}")
    wide = table.pivot(index="number", columns=_KEYS, values="value")
    return wide.sort_index(axis=1)
