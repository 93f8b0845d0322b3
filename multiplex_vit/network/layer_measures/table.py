"""A table of layers, with z-scores against a null model."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from multiplex_vit.checks import whole
from multiplex_vit.errors import InputError
from multiplex_vit.network.layer import Layer
from multiplex_vit.network.layer_measures.null_models import NULL_MODELS
from multiplex_vit.network.layer_measures.registry import LAYER_MEASURES
from multiplex_vit.registry import Named, chosen, name_of

Measure = str | Callable[[Layer], float]
NullModel = str | Callable[[Layer, np.random.Generator], Layer]


def layer_table(
    layers: Sequence[Layer], measures: Measure | Iterable[Measure] | None = None, *, null_model: NullModel | None = None, samples: int = 20, seed: int = 0
) -> pd.DataFrame:
    """Return one row a layer, one column a measure, and beside it its z-score where a null model is given.

    z = (observed - mean of the samples) / their standard deviation (with samples - 1 degrees of freedom). All measures of a layer are held
    against the same samples. One sample takes as long as the layer itself, so choose measures where layers are large.

    Parameters
    ----------
    layers : sequence of Layer
    measures : str, callable or iterable of them, optional
        Members of `LAYER_MEASURES`, or functions of a `Layer` that return one number; all members unless told.
    null_model : str or callable, optional
        A member of `NULL_MODELS`, or a function: Layer, random generator -> Layer.
    samples : int
        Layers drawn from the null model for each layer, at least 2.
    seed : int
        From 0 up. The same seed gives the same table.

    Returns
    -------
    pandas.DataFrame
        Columns layer, name, one a measure and, with a null model, `<measure>_z`: NaN where the samples do not differ but for rounding, or
        the measure is NaN for the layer or a sample.

    Raises
    ------
    InputError
        If a name is unknown, a measure has the name of another column or does not return one number, or `samples` is less than 2.

    Examples
    --------
    >>> layer_table([Layer(np.array([[0, 0.5], [0.25, 1]]), name="L00")], ["edges", "weight_max"])
       layer name  edges  weight_max
    0      0  L00      3         1.0
    """
    members = chosen(LAYER_MEASURES, measures)
    columns = _columns(members, scored=null_model is not None)
    samples, seed = whole("samples", samples, at_least=2), whole("seed", seed, at_least=0)
    rows = []
    for index, layer in enumerate(layers):
        row = _row(layer, members)
        if null_model is not None:
            drawn = _samples(layer, null_model, samples, np.random.default_rng([seed, index]))
            row |= _scores(row, pd.DataFrame([_row(sample, members) for sample in drawn]))
        rows.append({"layer": index, "name": layer.name, **row})
    return pd.DataFrame(rows, columns=columns)


def _columns(members: list[Named], *, scored: bool) -> list[str]:
    """Return the names of columns; one that is taken is refused."""
    columns = ["layer", "name"]
    for member in members:
        for name in [name_of(member), f"{name_of(member)}_z"][: 2 if scored else 1]:
            if name in columns:
                raise InputError(f"the table has a column {name!r} already; give the measure another name")
            columns.append(name)
    return columns


def _row(layer: Layer, members: list[Named]) -> dict[str, Any]:
    return {name_of(member): _number(LAYER_MEASURES.resolve(member)(layer), name_of(member)) for member in members}


def _number(value: Any, name: str) -> Any:
    try:
        number = np.asarray(value)
    except (TypeError, ValueError):
        number = np.empty(0)
    if number.shape != () or number.dtype.kind not in "biuf":
        raise InputError(f"layer measure {name} returned {type(value).__name__} {np.shape(number) or ''}; one number was wanted")
    return number.item()


def _samples(layer: Layer, null_model: NullModel, samples: int, rng: np.random.Generator) -> list[Layer]:
    drawn = [NULL_MODELS.resolve(null_model)(layer, rng) for _ in range(samples)]
    if not all(isinstance(sample, Layer) and sample.weights.shape == layer.weights.shape for sample in drawn):
        raise InputError(f"null model {name_of(null_model)} returned {type(drawn[0]).__name__}; a Layer of {len(layer.weights)} nodes was wanted")
    return drawn


def _scores(row: dict[str, Any], drawn: pd.DataFrame) -> dict[str, float]:
    """Return the z-score of every value of a row against the rows of its samples."""
    values, observed = drawn.to_numpy(dtype=float), np.array(list(row.values()), dtype=float)
    with np.errstate(invalid="ignore", divide="ignore"):
        spread = values.std(0, ddof=1)
        # Samples that are equal differ by rounding still, by the order of a sum: relative to their size, and about 1e-16 around 0.
        differ = spread > 1e-10 * np.abs(values).max(0) + 1e-14
        z = np.where(differ, (observed - values.mean(0)) / spread, np.nan)
    return {f"{name}_z": float(score) for name, score in zip(row, z, strict=True)}
