"""A table of layers, with z-scores and p-values against a null model."""

import warnings
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from multiplex_vit.checks import whole
from multiplex_vit.errors import InputError
from multiplex_vit.network.layer import Layer
from multiplex_vit.network.layer_measures.null_models import (
    NULL_MODELS,
    most_rewired,
    share_rewired,
)
from multiplex_vit.network.layer_measures.registry import LAYER_MEASURES
from multiplex_vit.network.scores import z_and_p
from multiplex_vit.registry import Named, chosen, name_of

Measure = str | Callable[[Layer], float]
NullModel = str | Callable[[Layer, np.random.Generator], Layer]

_FEW = 0.5
"""A share of edges rewired below which a warning says so."""


def layer_table(
    layers: Sequence[Layer],
    measures: Measure | Iterable[Measure] | None = None,
    *,
    null_model: NullModel | None = None,
    samples: int = 20,
    seed: int = 0,
) -> pd.DataFrame:
    """Return one row a layer and one column a measure.

    With a null model, each measure has its z-score and p-value beside it.

    z = (observed - mean of the samples) / their standard deviation (with samples - 1 degrees of
    freedom). p = (1 + number of samples at least as far from the mean of all as the layer) / (1 +
    samples): two-sided and empirical, with the layer among those whose mean it is, so that the
    layer is one of samples + 1 alike where the null model holds. It is 1 / (samples + 1) at
    least, whatever z is: take 99 samples to be able to tell 0.01, and more where many measures of
    many layers are tested. All measures of a layer are held against the same samples. One sample
    takes as long as the layer itself, so choose measures where layers are large.

    Parameters
    ----------
    layers : sequence of Layer
    measures : str, callable or iterable of them, optional
        Members of `LAYER_MEASURES`, or functions of a `Layer` that return one number; Default:
        all members.
    null_model : str or callable, optional
        A member of `NULL_MODELS`, or a function: Layer, random generator -> Layer.
    samples : int
        Layers drawn from the null model for each layer, at least 2.
    seed : int
        From 0 up. The same seed gives the same table.

    Returns
    -------
    pandas.DataFrame
        Columns layer, name, one a measure and, with a null model, `<measure>_z` and
        `<measure>_p`. z is NaN where the samples do not differ but for rounding; both are NaN
        where the measure is NaN for the layer or a sample. With a null model that rewires, also
        `rewired`: the mean share of edges between nodes that a sample has elsewhere.

    Warns
    -----
    UserWarning
        If a null model that rewires moves less than half of the edges of a layer: samples are
        then much like the layer itself.

    Raises
    ------
    InputError
        If a name is unknown, a measure has the name of another column or does not return one
        number, or `samples` is less than 2.

    Examples
    --------
    >>> layer_table([Layer(np.array([[0, 0.5], [0.25, 1]]), name="L00")], ["edges", "weight_max"])
       layer name  edges  weight_max
    0      0  L00      3         1.0
    """
    members = chosen(LAYER_MEASURES, measures)
    rewires = null_model is not None and bool(NULL_MODELS.trait(null_model, "rewires"))
    columns = _columns(members, scored=null_model is not None, rewires=rewires)
    samples, seed = (
        whole("samples", samples, at_least=2),
        whole("seed", seed, at_least=0),
    )
    rows: list[dict[str, Any]] = []
    most: list[float] = []
    for index, layer in enumerate(layers):
        row = _row(layer, members)
        if null_model is not None:
            drawn = _samples(layer, null_model, samples, np.random.default_rng([seed, index]))
            row |= _scores(row, pd.DataFrame([_row(sample, members) for sample in drawn]))
            if rewires:
                row["rewired"] = float(np.mean([share_rewired(layer, one) for one in drawn]))
                most.append(most_rewired(layer))
        rows.append({"layer": index, "name": layer.name, **row})
    if rewires:
        _warn_of_stiff_layers(rows, most)
    return pd.DataFrame(rows, columns=columns)


def _warn_of_stiff_layers(rows: list[dict[str, Any]], most: list[float]) -> None:
    """Warn of layers of which a null model moves less than half of the edges."""
    stiff = []
    for row, possible in zip(rows, most, strict=True):
        if row["rewired"] < _FEW:
            label = row["name"] or row["layer"]
            stiff.append(f"{label} {row['rewired']:.1%} (at most {possible:.1%} can move)")
    if stiff:
        warnings.warn(
            f"less than half of the edges were rewired: {', '.join(stiff)}; scores then tell little about where edges lie: prune more first",
            stacklevel=3,
        )


def _columns(members: list[Named], *, scored: bool, rewires: bool) -> list[str]:
    """Return the names of columns; one that is taken is refused."""
    columns = ["layer", "name", *(["rewired"] if rewires else [])]
    for member in members:
        own = name_of(member)
        for name in [own, f"{own}_z", f"{own}_p"] if scored else [own]:
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
    """Return z-score and p-value of every value of a row against the rows of its samples."""
    scores: dict[str, float] = {}
    for name, observed in row.items():
        values = drawn[name].to_numpy(dtype=float)
        scores[f"{name}_z"], scores[f"{name}_p"] = z_and_p(float(observed), values)
    return scores
