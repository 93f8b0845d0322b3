"""Tables: what a study holds so far, as tidy data frames."""

from collections.abc import Iterable, Sequence
from io import BytesIO
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image

from multiplex_vit.saliency.explainers import Explainer
from multiplex_vit.study.schema import DONE, IMAGES
from multiplex_vit.study.store import Store

_FACTS = ["number", "image", "label", "explained", "probability", "score"]
_AREAS = ["insertion", "deletion"]
_KEYS = ["number", "explainer", "protocol"]
_CURVES = ["number", "image", "explainer", "protocol", "quantity", "curve"]
_HEATMAPS = ["number", "image", "explainer", "heatmap"]
_COSTS = ["number", "image", "explainer", "forward_passes", "backward_passes", "seconds"]


def scores(store: Store, explainers: Sequence[Explainer], protocols: Iterable[str]) -> pd.DataFrame:
    """Return one row an image, explainer and protocol; see `Study.scores`."""
    table = _chosen(store.read("scores"), explainers, protocols)
    keys = [*_KEYS, "quantity"]
    wide = table.pivot(
        index=keys,
        columns="measure",
        values="value",
    )
    # The pivot's name of its columns would show in every table.
    wide = wide.reset_index().rename_axis(columns=None)
    usual = [*_AREAS, "difference"]
    # Some protocols have other curves, whose areas come between.
    others = [name for name in wide if name not in (*keys, *usual)]
    # Columns stay the same where no protocol has these areas.
    for name in usual:
        if name not in wide:
            wide[name] = np.nan
    options = differing_options(explainers)
    facts = _named_facts(store)
    joined = wide.merge(facts, on="number", how="left")
    joined = joined.merge(options, on="explainer", how="left")
    varied = [name for name in options if name != "explainer"]
    columns = [
        *_FACTS,
        "explainer",
        *varied,
        "protocol",
        "quantity",
        *_AREAS,
        *others,
        "difference",
    ]
    rows = _ordered(joined, explainers, protocols)
    return rows[columns]


def curves(store: Store, explainers: Sequence[Explainer], protocols: Iterable[str]) -> pd.DataFrame:
    """Return one row a point of a curve; see `Study.curves`."""
    table = _chosen(store.read("curves"), explainers, protocols)
    # What a curve follows is kept once a curve, with its area, and not at every point.
    quantities = store.read("scores")[[*_KEYS, "quantity"]]
    # A curve has several areas, which would repeat its points.
    quantities = quantities.drop_duplicates(_KEYS)
    joined = table.merge(quantities, on=_KEYS, how="left")
    joined = joined.merge(_names(store), on="number")
    return joined[[*_CURVES, "fraction", "confidence"]]


def heatmaps(store: Store, explainers: Sequence[Explainer]) -> pd.DataFrame:
    """Return one row an image and explainer; see `Study.heatmaps`."""
    table = _chosen(store.read("heatmaps"), explainers).copy()
    grids = {}
    for row in store.read(IMAGES).itertuples():
        grids[row.number] = (row.grid_rows, row.grid_cols)
    arrays = []
    for row in table.itertuples():
        # Parquet holds lists, which do not know their shape.
        values = np.asarray(row.heatmap, dtype=np.float32)
        grid = grids[row.number]
        arrays.append(values.reshape(grid))
    # As objects: pandas would make rows of the arrays' values.
    table["heatmap"] = pd.Series(
        arrays,
        index=table.index,
        dtype=object,
    )
    names = _names(store)
    joined = table.merge(names, on="number", how="left")
    return _ordered(joined, explainers)[_HEATMAPS]


def costs(store: Store, explainers: Sequence[Explainer]) -> pd.DataFrame:
    """Return one row an image and explainer; see `Study.costs`."""
    table = _chosen(store.read("costs"), explainers)
    names = _names(store)
    joined = table.merge(names, on="number", how="left")
    return _ordered(joined, explainers)[_COSTS]


def image_table(store: Store) -> pd.DataFrame:
    """Return one row an image; see `Study.image_table`."""
    done = store.read(DONE)
    # Each group of explainers has done its own part of an image.
    work = done.groupby("number", as_index=False).sum()
    images = store.read(IMAGES)
    return images.merge(work, on="number", how="left")


def views(store: Store) -> pd.DataFrame:
    """Return the first images as the model saw them; see `Study.views`."""
    table = store.read("views")
    arrays = []
    for png in table["png"]:
        picture = Image.open(BytesIO(png))
        arrays.append(np.asarray(picture))
    view = pd.Series(arrays, dtype=object)
    return pd.DataFrame({"number": table["number"], "view": view})


def failures(store: Store) -> pd.DataFrame:
    """Return what failed, each once; see `Study.failures`."""
    table = store.read("failures")
    # Each group of explainers fails at an image that cannot be read.
    keys = ["number", "explainer", "reason"]
    table = table.drop_duplicates(keys)
    table = table.sort_values(["number", "explainer"], kind="stable")
    return table.reset_index(drop=True)


def differing_options(explainers: Iterable[Explainer]) -> pd.DataFrame:
    """Return the options in which explainers of one name differ, a column an option.

    An explainer that has no such option has a missing value there.

    Examples
    --------
    >>> import multiplex_vit as mv
    >>> several = [*mv.sweep(min_cut=[0.01, 0.05]), mv.EXPLAINERS["rollout"]]
    >>> differing_options(several)["min_cut"].tolist()
    [0.01, 0.05, nan]
    """
    explainers = list(explainers)
    options = [_options_of(explainer) for explainer in explainers]
    differing = _differing(explainers, options)
    rows = []
    for explainer, values in zip(explainers, options, strict=True):
        row: dict[str, Any] = {"explainer": str(explainer)}
        for option in differing:
            row[option] = values.get(option)
        rows.append(row)
    table = pd.DataFrame(rows, columns=["explainer", *differing])
    for option in differing:
        table[option] = _as_numbers(table[option])
    return table


def _differing(
    explainers: list[Explainer],
    options: list[dict[str, Any]],
) -> list[str]:
    """Return the options in which explainers of one name differ."""
    by_name: dict[str, list[dict[str, Any]]] = {}
    for explainer, values in zip(explainers, options, strict=True):
        by_name.setdefault(explainer.name, []).append(values)
    differing = []
    for several in by_name.values():
        for option in several[0]:
            # By their texts, as lists cannot be put into a set.
            texts = {str(values.get(option)) for values in several}
            if len(texts) > 1:
                differing.append(option)
    # Explainers of two names may differ in one option, which is one column.
    return list(dict.fromkeys(differing))


def _as_numbers(column: pd.Series) -> pd.Series:
    """Return a column of numbers alone as such, whole ones where all are; others as they are."""
    there = column.dropna()
    if not all(map(_is_number, there)):
        return column
    is_whole = all(float(number).is_integer() for number in there)
    # "Int64" has room for the missing values of other explainers.
    return column.astype("Int64" if is_whole else "float64")


def _is_number(value: Any) -> bool:
    # True and False are numbers to Python.
    is_flag = isinstance(value, bool)
    return isinstance(value, (int, float)) and not is_flag


def _options_of(explainer: Explainer) -> dict[str, Any]:
    """Return all options of an explainer, lists of names as one text."""
    if explainer.settings is not None:
        return explainer.settings.row()
    # Nothing is known of the defaults of what is not registered.
    defaults = getattr(explainer, "defaults", {})
    return {**defaults, **explainer.options}


def _chosen(
    table: pd.DataFrame,
    explainers: Iterable[Explainer],
    protocols: Iterable[str] | None = None,
) -> pd.DataFrame:
    """Return the rows of some explainers and protocols."""
    texts = [str(explainer) for explainer in explainers]
    is_chosen = table["explainer"].isin(texts)
    if protocols is not None:
        is_chosen &= table["protocol"].isin(list(protocols))
    return table[is_chosen]


def _ordered(
    table: pd.DataFrame,
    explainers: Iterable[Explainer],
    protocols: Iterable[str] | None = None,
) -> pd.DataFrame:
    """Return rows by image, then as explainers and protocols are given."""
    texts = [str(explainer) for explainer in explainers]
    places = {"explainer": {text: place for place, text in enumerate(texts)}}
    if protocols is not None:
        places["protocol"] = {name: place for place, name in enumerate(protocols)}
    ranks = {name: table[name].map(place_of) for name, place_of in places.items()}
    # A stable sort leaves the points of a curve in their order.
    ranked = table.assign(**ranks)
    order = ranked.sort_values(["number", *places], kind="stable")
    # Rows of the table itself, as ranks took the place of names.
    return table.loc[order.index].reset_index(drop=True)


def _named_facts(store: Store) -> pd.DataFrame:
    facts = store.read(IMAGES).drop(columns="explained")
    # Files keep a class's number too; tables show its name.
    shown = {"name": "image", "explained_name": "explained"}
    facts = facts.rename(columns=shown)
    return facts[_FACTS]


def _names(store: Store) -> pd.DataFrame:
    names = store.read(IMAGES)[["number", "name"]]
    return names.rename(columns={"name": "image"})
