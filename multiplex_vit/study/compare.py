"""compare: many methods on many images, by one or more protocols."""

import os
import time
import warnings
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any, Unpack

import numpy as np
import pandas as pd

from multiplex_vit.arguments import checked
from multiplex_vit.errors import InputError
from multiplex_vit.evaluation.curve import Faithfulness
from multiplex_vit.evaluation.many import evaluate_many
from multiplex_vit.files import locked, output_folder
from multiplex_vit.study.comparison import Comparison
from multiplex_vit.study.ledger import Ledger, Shown
from multiplex_vit.study.runs import Choices, Plan, Run, planned
from multiplex_vit.tabular import unicode_text

Failure = tuple[str, str]


@checked
def compare(
    model: Any, images: Any, *, out: str | os.PathLike[str] | None = None, tell: Callable[[str], None] | None = None, **choices: Unpack[Choices]
) -> Comparison:
    """Measure methods on the same images, each at each budget and by each protocol.

    An image that cannot be read, or a method that fails on one, is told in the result's `failures`, and the others go on.

    Parameters
    ----------
    model : VisionModel
    images : mapping of name to image, or sequence of images or of (name, image)
        Images as for `explain`; a file's name is its path, any other image's its number.
    out : path-like, optional
        Folder in which every image's rows are written as soon as they are there; what it holds already is not measured again, and is
        part of the result.
    tell : callable, optional
        Given a line after every image.
    **choices
        methods (names of `EXPLAINERS` or functions; all of at most 100 passes unless given), budgets (of the methods that have
        one; 55), protocols ("token", "patch/black"), steps, label (the predicted class unless given), seed, batch_size, gallery (how many
        images' heatmaps are kept; 4).

    Returns
    -------
    Comparison
        `.table()`, `.summary()`, `.write(folder)`, `.plot()`.

    Raises
    ------
    InputError
        If a choice cannot be used, two images have one name, the folder holds another comparison, or no image could be measured.

    Examples
    --------
    >>> import multiplex_vit as mv
    >>> model = mv.load("demo-vit", device="cpu")
    >>> found = mv.compare(model, mv.samples(), methods=["raw_attention", "random_order"], protocols="token", steps=4)
    >>> found
    <Comparison of 2 methods on 3 images by demo-vit: token, 4 steps>
    >>> found.table().columns.tolist()
    ['image', 'method', 'budget', 'protocol', 'insertion', 'deletion', 'difference', 'quantity', 'forward_passes', 'backward_passes', 'seconds']
    """
    plan, named = planned(model, choices), named_images(images)
    label = None if plan.label is None else model.label_of(plan.label, 0)
    facts = {"model": model.name, "score": model.score.name, "steps": plan.steps, "label": label, "seed": plan.seed}
    failures: list[Failure] = []
    with nullcontext() if out is None else _alone_in(out):
        ledger = Ledger.opened(facts, out)
        for name, image in named.items():
            _add(ledger, model, name, image, plan, failures)
            if tell is not None:
                tell(_line(ledger, name, [reason for failed, reason in failures if failed == name]))
    if ledger.rows.empty:
        raise InputError(f"no image could be measured; the first, {failures[0][0]}: {failures[0][1]}" if failures else "there is no image; give at least one")
    return Comparison.of(ledger, tuple(failures))


@contextmanager
def _alone_in(folder: str | os.PathLike[str]) -> Iterator[None]:
    """Keep other comparisons out of a folder, whose rows this one would overwrite."""
    with output_folder(folder), locked(folder):
        yield


def named_images(images: Any) -> dict[str, Any]:
    """Return images by name.

    Raises
    ------
    InputError
        If two have one name.

    Examples
    --------
    >>> named_images([Path("a/cat.jpg"), ("dog", "b.png"), np.zeros((8, 8), dtype="uint8")]).keys()
    dict_keys(['a/cat.jpg', 'dog', '2'])
    """
    if isinstance(images, Mapping):
        return {unicode_text(str(name)): image for name, image in images.items()}
    several = list(images) if isinstance(images, Iterable) and not isinstance(images, (str, np.ndarray)) and not hasattr(images, "size") else [images]
    named: dict[str, Any] = {}
    for number, image in enumerate(several):
        name, image = _named(number, image)
        name = unicode_text(name)
        if name in named:
            raise InputError(f"two images are called {name}; give each once, or (name, image)")
        named[name] = image
    return named


def _named(number: int, image: Any) -> tuple[str, Any]:
    if isinstance(image, tuple) and len(image) == 2 and isinstance(image[0], str):
        return image
    return (str(image) if isinstance(image, (str, os.PathLike)) else str(number)), image


def _add(ledger: Ledger, model: Any, name: str, image: Any, plan: Plan, failures: list[Failure]) -> None:
    """Measure what is missing of an image, and write it."""
    done = ledger.done
    missing = {run: [p for p in plan.protocols if (name, run.method, run.budget, p) not in done] for run in plan.runs()}
    missing = {run: protocols for run, protocols in missing.items() if protocols}
    if not missing:
        return
    try:
        picture = model.picture(image)
        label = model.label_of(plan.label, int(model.classify(picture.pixels)[0].argmax()))
    except Exception as error:
        failures.append((name, _reason(error)))
        return
    explained = {}
    for run in missing:
        try:
            explained[run] = _explained(model, picture, label, run.explainer(name, plan.seed))
        except Exception as error:
            failures.append((name, f"{run.method}: {_reason(error)}"))
    if not explained:
        return
    rows, curves = _measured(model, picture, label, plan, {run: missing[run] for run in explained}, explained)
    kept = name in ledger.shown or len(ledger.shown) < plan.gallery
    heatmaps = {(run.method, run.budget): heatmap for run, (heatmap, _) in explained.items()}
    ledger.add([{"image": name, **row} for row in rows], [table.assign(image=name) for table in curves], Shown(name, picture.view, heatmaps) if kept else None)


def _explained(model: Any, picture: Any, label: int, explainer: Callable[..., Any]) -> tuple[np.ndarray, dict[str, Any]]:
    """Return a heatmap, and what it took."""
    start = time.perf_counter()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*see masks.table")
        result = explainer(model, picture, label)
    seconds = time.perf_counter() - start
    heatmap, grid = np.asarray(result.heatmap), model.grid_of(picture.pixels.shape[2:])
    if heatmap.shape != grid or not np.isfinite(heatmap).all():
        raise InputError(f"its heatmap has shape {list(heatmap.shape)} or holds NaN; finite values [{grid[0]}, {grid[1]}] are wanted")
    return heatmap, {"forward_passes": result.forward_passes, "backward_passes": getattr(result, "backward_passes", 0), "seconds": seconds}


def _measured(
    model: Any, picture: Any, label: int, plan: Plan, missing: dict[Run, list[str]], explained: dict[Run, tuple[np.ndarray, dict[str, Any]]]
) -> tuple[list[dict[str, Any]], list[pd.DataFrame]]:
    """Return rows and curves of the runs by the protocols that each misses; runs that miss the same are measured together."""
    together: defaultdict[tuple[str, ...], list[Run]] = defaultdict(list)
    for run, several in missing.items():
        together[tuple(several)].append(run)
    rows, curves = [], []
    for protocols, runs in together.items():
        heatmaps = [explained[run][0] for run in runs]
        found = evaluate_many(model, picture, heatmaps, label=label, protocols=protocols, **plan.options)
        for protocol, measured in found.items():
            for run, fid in zip(runs, measured, strict=True):
                head = {"method": run.method, "budget": run.budget, "protocol": protocol}
                rows.append({**head, **_areas(fid), **explained[run][1]})
                curves.append(fid.table().assign(**head))
    return rows, curves


def _areas(fid: Faithfulness) -> dict[str, Any]:
    return {name: value for name, value in fid.row().items() if name != "protocol"}


def _reason(error: Exception) -> str:
    kind = "" if isinstance(error, (InputError, OSError)) else f"{type(error).__name__}: "
    return kind + " ".join(str(error).split())


def _line(ledger: Ledger, name: str, failed: list[str]) -> str:
    rows = int((ledger.rows["image"] == name).sum())
    return f"{Path(name).name}: {rows} rows{f', {len(failed)} failed' if failed else ''}"
