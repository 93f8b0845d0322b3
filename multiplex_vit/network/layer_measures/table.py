"""A table of layers, with z-scores, p-values and q-values against a null model."""

import warnings
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import false_discovery_control

from multiplex_vit.accepts import accepts
from multiplex_vit.checks import whole
from multiplex_vit.errors import InputError
from multiplex_vit.network.layer import Layer
from multiplex_vit.network.layer_measures.null_models import (
    NULL_MODELS,
    most_rewired,
    share_moved,
    share_rewired,
)
from multiplex_vit.network.layer_measures.registry import LAYER_MEASURES
from multiplex_vit.network.scores import z_and_p
from multiplex_vit.network.signed import refuse_signed
from multiplex_vit.registry import Named, chosen, name_of

Measure = str | Callable[[Layer], float]
NullModel = str | Callable[[Layer, np.random.Generator], Layer]

_FEW = 0.5
"""A share of edges rewired below which a warning says so."""


@accepts()
def layer_table(
    layers: Sequence[Layer],
    measures: Measure | Iterable[Measure] | None = None,
    *,
    null_model: NullModel | None = None,
    samples: int = 20,
    seed: int = 0,
) -> pd.DataFrame:
    """Return one row a layer and one column a measure.

    With a null model, each measure has its z-score, p-value and q-value beside it.

    z = (observed - mean of the samples) / their standard deviation (with samples - 1 degrees of
    freedom). p = (1 + number of samples at least as far from the mean of all as the layer) / (1 +
    samples): two-sided and empirical, with the layer among those whose mean it is, so that the
    layer is one of samples + 1 alike where the null model holds. It is 1 / (samples + 1) at
    least, whatever z is: take 99 samples to be able to tell 0.01, and more where many measures of
    many layers are tested. All measures of a layer are held against the same samples. One sample
    takes as long as the layer itself, so choose measures where layers are large.

    q is p adjusted for all tests of the table (Benjamini, Hochberg): of the measures and layers
    with q below 0.05 no more than 5 % are expected to stand out by chance.

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
        Columns layer, name, one a measure and, with a null model, `<measure>_z`, `<measure>_p`
        and `<measure>_q`. z is NaN where the samples do not differ but for rounding; all are NaN
        where the measure is NaN for the layer or a sample. With a null model also `moved`, the
        mean share of the weight between nodes that a sample has elsewhere, and with one that
        rewires `rewired`, that share of edges.

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

    References
    ----------
    Phipson, Smyth, Stat. Appl. Genet. Mol. Biol. 9, 39 (2010), doi:10.2202/1544-6115.1585;
    Benjamini, Hochberg, J. R. Stat. Soc. B 57, 289 (1995), doi:10.1111/j.2517-6161.1995.tb02031.x.

    Examples
    --------
    >>> layer_table([Layer(np.array([[0, 0.5], [0.25, 1]]), name="L00")], ["edges", "weight_max"])
       layer name  edges  weight_max
    0      0  L00      3         1.0
    """
    members = chosen(LAYER_MEASURES, measures)
    scored = null_model is not None
    rewires = null_model is not None and bool(NULL_MODELS.trait(null_model, "rewires"))
    columns = _columns(members, scored=scored, rewires=rewires)
    samples = whole("samples", samples, at_least=2)
    seed = whole("seed", seed, at_least=0)
    rows: list[dict[str, Any]] = []
    for index, layer in enumerate(layers):
        row = {"layer": index, "name": layer.name, **_row(layer, members)}
        if null_model is not None:
            # A generator for each layer: its samples do not depend on the layers before it.
            rng = np.random.default_rng([seed, index])
            drawn = _samples(layer, null_model, samples, rng)
            row |= _scores(row, drawn, members)
            row["moved"] = float(np.mean([share_moved(layer, sample) for sample in drawn]))
            if rewires:
                rewired = [share_rewired(layer, sample) for sample in drawn]
                row["rewired"] = float(np.mean(rewired))
        rows.append(row)
    if rewires:
        _warn_of_stiff_layers(rows, layers)
    table = pd.DataFrame(rows, columns=columns)
    return _adjusted(table, members) if scored else table


def _adjusted(table: pd.DataFrame, members: list[Named]) -> pd.DataFrame:
    """Return a table whose q-values are its p-values, adjusted for all tests in it."""
    names = [name_of(member) for member in members]
    p = table[[f"{name}_p" for name in names]].to_numpy(dtype=float)
    tested = np.isfinite(p)
    q = np.full(p.shape, np.nan)
    if tested.any():
        q[tested] = false_discovery_control(p[tested])
    return table.assign(**{f"{name}_q": q[:, place] for place, name in enumerate(names)})


def _warn_of_stiff_layers(rows: list[dict[str, Any]], layers: Sequence[Layer]) -> None:
    """Warn of layers of which a null model moves less than half of the edges."""
    stiff = []
    for row, layer in zip(rows, layers, strict=True):
        if row["rewired"] < _FEW:
            label = row["name"] or row["layer"]
            most = f"at most {most_rewired(layer):.1%} can move"
            stiff.append(f"{label} {row['rewired']:.1%} ({most})")
    if stiff:
        advice = "scores then tell little about where edges lie: prune more first"
        message = f"less than half of the edges were rewired: {', '.join(stiff)}; {advice}"
        warnings.warn(message, stacklevel=3)


def _columns(members: list[Named], *, scored: bool, rewires: bool) -> list[str]:
    """Return the names of columns; one that is taken is refused."""
    columns = ["layer", "name"]
    if scored:
        columns.append("moved")
    if rewires:
        columns.append("rewired")
    for member in members:
        measure = name_of(member)
        names = [measure]
        if scored:
            names += [f"{measure}_z", f"{measure}_p", f"{measure}_q"]
        for name in names:
            if name in columns:
                problem = f"the table has a column {name!r} already"
                raise InputError(f"{problem}; give the measure another name")
            columns.append(name)
    return columns


def _row(layer: Layer, members: list[Named]) -> dict[str, Any]:
    row = {}
    for member in members:
        name = name_of(member)
        measure = LAYER_MEASURES.resolve(member)
        refuse_signed(LAYER_MEASURES, member, layer.weights)
        row[name] = _number(measure(layer), name)
    return row


def _number(value: Any, name: str) -> Any:
    """Return what a measure returned as a number of Python."""
    try:
        number = np.asarray(value)
    except (TypeError, ValueError):
        # What cannot become an array is no number either.
        number = np.empty(0)
    if number.shape != () or number.dtype.kind not in "biuf":
        given = f"{type(value).__name__} {np.shape(number) or ''}".rstrip()
        raise InputError(f"layer measure {name} returned {given}; expected one number")
    return number.item()


def _samples(
    layer: Layer,
    null_model: NullModel,
    samples: int,
    rng: np.random.Generator,
) -> list[Layer]:
    model = NULL_MODELS.resolve(null_model)
    refuse_signed(NULL_MODELS, null_model, layer.weights)
    drawn = [model(layer, rng) for _ in range(samples)]
    for sample in drawn:
        if not isinstance(sample, Layer) or sample.weights.shape != layer.weights.shape:
            given = f"null model {name_of(null_model)} returned {type(sample).__name__}"
            raise InputError(f"{given}; expected a Layer of {len(layer.weights)} nodes")
    return drawn


def _scores(
    row: dict[str, Any],
    drawn: list[Layer],
    members: list[Named],
) -> dict[str, float]:
    """Return z-score and p-value of every value of a row against the rows of its samples."""
    # All measures of a layer are held against the same samples.
    samples = pd.DataFrame([_row(sample, members) for sample in drawn])
    scores: dict[str, float] = {}
    for name in samples:
        values = samples[name].to_numpy(dtype=float)
        z, p = z_and_p(float(row[name]), values)
        scores[f"{name}_z"] = z
        scores[f"{name}_p"] = p
    return scores
