"""Running: what a study computes, group by group and chunk by chunk."""

import math
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from multiplex_vit.checks import whole
from multiplex_vit.errors import InputError
from multiplex_vit.files import output_folder
from multiplex_vit.models.load import load
from multiplex_vit.models.place import fingerprint
from multiplex_vit.models.vision_model import VisionModel
from multiplex_vit.saliency.explainers import EXPLAINERS, Explainer
from multiplex_vit.study.failures import NothingExplainedError
from multiplex_vit.study.groups import PASSES, Group, planned
from multiplex_vit.study.kept import kept_of
from multiplex_vit.study.layout import UnitId
from multiplex_vit.study.manifest import versions
from multiplex_vit.study.plan import PREDICTED, TRUE, Plan
from multiplex_vit.study.run.dask import on_cluster
from multiplex_vit.study.run.processes import (
    Done,
    Runner,
    in_process,
    leave_if_started_by_a_worker,
    processes,
)
from multiplex_vit.study.run.progress import bar
from multiplex_vit.study.schema import IMAGES
from multiplex_vit.study.sources import ImageSource, Sample
from multiplex_vit.study.store import Store
from multiplex_vit.study.unit import Kept, Unit
from multiplex_vit.study.unregistered import check_registered


class Runnable(Protocol):
    """What is asked of a study to run it; see `Study`."""

    model: str | VisionModel
    plan: Plan
    explainers: tuple[Explainer, ...]
    protocols: tuple[str, ...]
    chunk: int
    out: Path
    store: Store

    @property
    def images(self) -> ImageSource:
        """The images."""

    @property
    def n_images(self) -> int:
        """How many images there are."""


def run_study(
    study: Runnable,
    *,
    workers: int,
    client: Any,
    progress: bool | None,
    retry_failed: bool,
    runner: Runner | None,
) -> None:
    """Compute every unit of a study that is not done yet; see `Study.run`."""
    leave_if_started_by_a_worker()
    workers = whole("workers", workers, at_least=1)
    for explainer in study.explainers:
        check_registered(explainer)
    is_here = runner is None and client is None and workers == 1
    model = study.model
    if isinstance(model, str):
        # Workers load their own; here it only says whether the study can be run.
        device = study.plan.device if is_here else "cpu"
        model = load(model, device=device, dtype=study.plan.dtype, score=study.plan.score)
    _check(study, model, is_here)
    record = _record(study, model)
    # Before the lock, which would be one more file among others.
    study.store.refuse_others()
    with output_folder(study.out), study.store.locked():
        study.store.check(record)
        study.store.sweep()
        _check_images_are_the_same(study)
        if retry_failed:
            study.store.forget(study.store.failed())
        _warn_of_other_versions(study)
        _compute(study, runner or _runner(model, workers, client), record, progress)


def _record(study: Runnable, model: VisionModel) -> dict[str, Any]:
    """Return what makes the study the one that it is."""
    return {
        "plan": study.plan.record(),
        "model_sha256": fingerprint(model.model),
        "score": model.score.name,
        "images": study.images.record(),
        "chunk": study.chunk,
    }


def _check(study: Runnable, model: VisionModel, is_here: bool) -> None:
    """Refuse what would fail for every image."""
    if not isinstance(study.model, str) and not is_here:
        what = "a model of one's own runs in this process alone"
        raise InputError(f"{what}; give the name of a model, or workers=1")
    if study.plan.target == TRUE and model.n_classes == 1:
        what = f"{model.name} gives one number, and no class but that one can be the true one"
        raise InputError(f"{what}; give target='predicted'")
    if study.plan.target not in (TRUE, PREDICTED):
        model.label_of(study.plan.target, 0)
    for explainer in study.explainers:
        settings = explainer.settings
        if settings is None:
            continue
        settings.resolved()
        if settings.starting_layer >= model.n_layers:
            layers = f"{model.name} has layers 0 to {model.n_layers - 1}"
            what = f"{explainer}: starting_layer is {settings.starting_layer}"
            raise InputError(f"{what}; {layers}")


def _check_images_are_the_same(study: Runnable) -> None:
    """Refuse images whose content is not what was explained.

    A data set with a fingerprint is known by that.
    """
    if study.images.source.fingerprint is not None:
        return
    facts = study.store.read(IMAGES)
    for number, name, sha256 in facts[["number", "name", "sha256"]].itertuples(index=False):
        try:
            now = study.images.sample(number).sha256
        except (InputError, OSError):
            # It is gone; what was computed stays.
            continue
        if now != sha256:
            what = f"{name} is not the image that {study.out} explained"
            remedy = "give the same images, or another folder"
            raise InputError(f"{what}, its content is another one now; {remedy}")


def _warn_of_other_versions(study: Runnable) -> None:
    if not study.store.done():
        return
    before, now = study.store.manifest().versions, versions()
    changed = []
    for name in now:
        if now[name] != before.get(name):
            changed.append(f"{name} {before.get(name)} is {now[name]} now")
    if changed:
        line = f"{study.out} was begun with other versions: {', '.join(changed)}"
        warnings.warn(line, stacklevel=3)


def _compute(
    study: Runnable, runner: Runner, record: Mapping[str, Any], progress: bool | None
) -> None:
    """Compute what is left and write it, the manifest with the first image that has a result.

    Raises
    ------
    NothingExplainedError
        If no image has one; nothing is written then.
    """
    # Of a study of which nothing is done, the groups may be planned anew.
    there = study.store.groups() if study.store.done() else []
    wanted = Group(tuple(map(str, study.explainers)), study.protocols).pairs
    keeps_masks = "masks" in study.plan.save
    new = planned(study.explainers, study.protocols, there, masks_kept=keeps_masks)
    groups = [*there, *new]
    numbers = [i for i, group in enumerate(groups) if group.pairs & wanted]
    left = _units_left(study, numbers)
    queue = _Queue(left, groups)
    writer = _Writer(study.store, record, groups, study.images.origin)
    total = study.n_images * len(numbers)
    with bar(progress, total, total - _size(study, left)) as advance:
        while queue.waiting:
            # Read as they are asked for, so that a few units are in memory at a time.
            work = (_unit(study, unit, groups[unit.group]) for unit in queue.ready())
            for unit, rows in _closing(runner(study.plan, work)):
                writer.add(unit, rows)
                queue.done(unit)
                advance(_size(study, [unit]))
    writer.close()


class _Queue:
    """Units in an order in which none is begun before those of its chunk that it builds upon.

    The first group that explains a chunk writes the facts of its images: the class that all groups
    explain, and its probability, whose last bit depends on the images that shared a pass. With two
    groups at once, chance would say whose facts are kept. Groups that use what others keep come
    last.

    Attributes
    ----------
    waiting : list of UnitId
        Units that were not given out so far.
    """

    def __init__(self, units: Sequence[UnitId], groups: Sequence[Group]):
        explaining = [unit.group for unit in units if groups[unit.group].made_from == PASSES]
        first = min(explaining, default=None)
        self.waiting = list(units)
        self._rank: dict[int, int] = {}
        for number, group in enumerate(groups):
            uses_kept = group.made_from != PASSES
            self._rank[number] = 2 if uses_kept else int(number != first)
        self._left: dict[int, set[UnitId]] = {}
        for unit in units:
            self._left.setdefault(unit.chunk, set()).add(unit)

    def ready(self) -> Iterator[UnitId]:
        """Yield units as they are asked for; those that have to wait stay in `waiting`."""
        waiting, self.waiting = self.waiting, []
        if not any(self._may_begin(unit) for unit in waiting):
            raise InputError("the runner did not give back every unit; it must yield each once")
        for unit in waiting:
            if self._may_begin(unit):
                yield unit
            else:
                self.waiting.append(unit)

    def done(self, unit: UnitId) -> None:
        """Take note that a unit was written."""
        self._left[unit.chunk].discard(unit)

    def _may_begin(self, unit: UnitId) -> bool:
        rank = self._rank[unit.group]
        return all(self._rank[other.group] >= rank for other in self._left[unit.chunk])


def _units_left(study: Runnable, groups: Iterable[int]) -> list[UnitId]:
    done = study.store.done()
    left = []
    n_chunks = math.ceil(study.n_images / study.chunk)
    for group in groups:
        for chunk in range(n_chunks):
            if (group, chunk) not in done:
                left.append(UnitId(group, chunk))
    return left


def _size(study: Runnable, units: Iterable[UnitId]) -> int:
    """Return how many images units have."""
    total = 0
    for unit in units:
        total += min(study.chunk, study.n_images - study.chunk * unit.chunk)
    return total


def _unit(study: Runnable, unit: UnitId, group: Group) -> Unit:
    """Read the images of a unit, and what is kept of them."""
    by_text = {str(explainer): explainer for explainer in study.explainers}
    # A group of an earlier run may hold explainers that this one does not ask for.
    explainers = [by_text.get(text) or EXPLAINERS[text] for text in group.explainers]
    kept = kept_of(study.store, group, unit.chunk, study.plan.model)
    samples: list[Sample] = []
    unread: list[tuple[int, str, str]] = []
    start = unit.chunk * study.chunk
    for number in range(start, min(start + study.chunk, len(study.images))):
        if group.made_from != PASSES and number not in kept:
            # It failed with the group that was to explain it.
            continue
        try:
            sample = study.images.sample(number)
            _check_same_image(sample, kept)
            samples.append(sample)
        except (InputError, OSError) as error:
            reason = " ".join(str(error).split())
            unread.append((number, study.images.name(number), reason))
    return Unit(
        unit,
        tuple(explainers),
        group.protocols,
        group.made_from,
        tuple(samples),
        tuple(unread),
        {number: what for number, (_, what) in kept.items()},
    )


class _Writer:
    """Writes units, the manifest with the first of them that has a result."""

    def __init__(
        self,
        store: Store,
        record: Mapping[str, Any],
        groups: list[Group],
        origin: Mapping[str, Any] | None,
    ):
        self._store, self._record = store, record
        self._groups, self._origin = groups, origin
        self._begun = bool(store.done())
        self._has_manifest = False
        self._waiting: list[Done] = []

    def add(self, unit: UnitId, rows: dict[str, Any]) -> None:
        """Write a unit, or let it wait as long as no image has a result."""
        self._waiting.append((unit, rows))
        self._begun = self._begun or bool(rows["scores"])
        if not self._begun:
            return
        if not self._has_manifest:
            self._store.begin(self._record, self._groups, self._origin)
            self._has_manifest = True
        while self._waiting:
            # It leaves the list once it is written: what cannot be written is not lost from sight.
            self._store.write(*self._waiting[0])
            self._waiting.pop(0)

    def close(self) -> None:
        """Raise NothingExplainedError where nothing was written, since no image has a result."""
        if self._begun or not self._waiting:
            return
        # Each group of explainers fails at an image that cannot be read, which is said once.
        failures: dict[tuple[str, str], None] = {}
        for _, rows in self._waiting:
            for row in rows["failures"]:
                failures[row["name"], row["reason"]] = None
        raise NothingExplainedError(list(failures))


def _runner(model: VisionModel, workers: int, client: Any) -> Runner:
    """Return where units are computed."""
    if client is not None:
        return on_cluster(client)
    return in_process(model) if workers == 1 else processes(workers)


def _closing(results: Iterator[Done]) -> Iterator[Done]:
    """Yield results, and close their generator whatever happens, so that workers end."""
    try:
        yield from results
    finally:
        getattr(results, "close", lambda: None)()


def _check_same_image(sample: Sample, kept: Mapping[int, tuple[str, Kept]]) -> None:
    if sample.number in kept and kept[sample.number][0] != sample.sha256:
        what = f"{sample.name} is not the image that the study explained"
        raise InputError(f"{what}; give the same images")
