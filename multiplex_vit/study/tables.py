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
    wide = table.pivot(index=keys, columns="measure", values="value")
    wide = wide.reset_index().rename_axis(columns=None)
    usual = [*_AREAS, "difference"]
    # Some protocols have other curves, whose areas come between.
    others = [name for name in wide if name not in (*keys, *usual)]
    for name in usual:
        if name not in wide:
            wide[name] = np.nan
    options = differing_options(explainers)
    joined = wide.merge(_named_facts(store), on="number", how="left")
    joined = joined.merge(options, on="explainer", how="left")
    varied = [name for name in options if name != "explainer"]
    columns = [*_FACTS, "explainer", *varied, "protocol", "quantity"]
    columns += [*_AREAS, *others, "difference"]
    return _ordered(joined, explainers, protocols)[columns]


def curves(store: Store, explainers: Sequence[Explainer], protocols: Iterable[str]) -> pd.DataFrame:
    """Return one row a point of a curve; see `Study.curves`."""
    table = _chosen(store.read("curves"), explainers, protocols)
    # What a curve follows is kept once a curve, with its area, and not at every point.
    quantities = store.read("scores")[[*_KEYS, "quantity"]].drop_duplicates(_KEYS)
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
        values = np.asarray(row.heatmap, dtype=np.float32)
        arrays.append(values.reshape(grids[row.number]))
    # As objects: pandas would make rows of the arrays' values.
    table["heatmap"] = pd.Series(arrays, index=table.index, dtype=object)
    joined = table.merge(_names(store), on="number", how="left")
    return _ordered(joined, explainers)[_HEATMAPS]


def costs(store: Store, explainers: Sequence[Explainer]) -> pd.DataFrame:
    """Return one row an image and explainer; see `Study.costs`."""
    table = _chosen(store.read("costs"), explainers)
    joined = table.merge(_names(store), on="number", how="left")
    return _ordered(joined, explainers)[_COSTS]


def image_table(store: Store) -> pd.DataFrame:
    """Return one row an image; see `Study.image_table`."""
    work = store.read(DONE).groupby("number", as_index=False).sum()
    return store.read(IMAGES).merge(work, on="number", how="left")


def views(store: Store) -> pd.DataFrame:
    """Return the first images as the model saw them; see `Study.views`."""
    table = store.read("views")
    arrays = []
    for png in table["png"]:
        arrays.append(np.asarray(Image.open(BytesIO(png))))
    view = pd.Series(arrays, dtype=object)
    return pd.DataFrame({"number": table["number"], "view": view})


def failures(store: Store) -> pd.DataFrame:
    """Return what failed, each once; see `Study.failures`."""
    # Each group of explainers fails at an image that cannot be read.
    table = store.read("failures").drop_duplicates(["number", "explainer", "reason"])
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
    by_name: dict[str, list[dict[str, Any]]] = {}
    for explainer, values in zip(explainers, options, strict=True):
        by_name.setdefault(explainer.name, []).append(values)
    differing: list[str] = []
    for several in by_name.values():
        for option in several[0]:
            # By their texts, as lists cannot be put into a set.
            if len({str(values.get(option)) for values in several}) > 1:
                differing.append(option)
    # Explainers of two names may differ in one option, which is one column.
    differing = list(dict.fromkeys(differing))
    rows = []
    for explainer, values in zip(explainers, options, strict=True):
        shown = {option: values.get(option) for option in differing}
        rows.append({"explainer": str(explainer), **shown})
    table = pd.DataFrame(rows, columns=["explainer", *differing])
    for option in differing:
        values = table[option].dropna()
        if all(map(_is_number, values)):
            is_whole = all(float(number).is_integer() for number in values)
            # "Int64" has room for the missing values of other explainers.
            table[option] = table[option].astype("Int64" if is_whole else "float64")
    return table


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _options_of(explainer: Explainer) -> dict[str, Any]:
    """Return all options of an explainer, lists of names as one text."""
    if explainer.settings is not None:
        return explainer.settings.row()
    return {**getattr(explainer, "defaults", {}), **explainer.options}


def _chosen(
    table: pd.DataFrame,
    explainers: Iterable[Explainer],
    protocols: Iterable[str] | None = None,
) -> pd.DataFrame:
    """Return the rows of some explainers and protocols."""
    is_chosen = table["explainer"].isin([str(explainer) for explainer in explainers])
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
    order = table.assign(**ranks).sort_values(["number", *places], kind="stable")
    return table.loc[order.index].reset_index(drop=True)


def _named_facts(store: Store) -> pd.DataFrame:
    facts = store.read(IMAGES).drop(columns="explained")
    facts = facts.rename(columns={"name": "image", "explained_name": "explained"})
    return facts[_FACTS]


def _names(store: Store) -> pd.DataFrame:
    names = store.read(IMAGES)[["number", "name"]]
    return names.rename(columns={"name": "image"})
