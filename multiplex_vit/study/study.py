"""Study: many images by many settings, computed once, kept on disk, gone on with after any interruption."""

import warnings
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from multiplex_vit.arguments import check_fields, checked
from multiplex_vit.checks import vision_model, whole
from multiplex_vit.errors import InputError
from multiplex_vit.files import output_folder
from multiplex_vit.models.load import load
from multiplex_vit.models.place import fingerprint
from multiplex_vit.models.vision_model import VisionModel
from multiplex_vit.reading import named
from multiplex_vit.saliency.settings import Settings
from multiplex_vit.study.images import images as images_of
from multiplex_vit.study.kept import explanations
from multiplex_vit.study.plan import RANDOM, Plan, Variant, varied
from multiplex_vit.study.progress import bar
from multiplex_vit.study.results import Results
from multiplex_vit.study.runners import Done, Runner, in_process, leave_if_started_by_a_worker, processes
from multiplex_vit.study.sources import DataSet, ImageSource, Sample
from multiplex_vit.study.store import LAST, Store, versions
from multiplex_vit.study.work import Explained, Unit


class NoneExplainedError(InputError):
    """Raised where not one image of a study could be explained, so that there is nothing to keep.

    Attributes
    ----------
    failures : list of (str, str)
        Name and reason of every image.
    """

    def __init__(self, failures: list[tuple[str, str]]):
        first = f"; the first, {failures[0][0]}: {failures[0][1]}" if failures else ""
        super().__init__(f"no image of {len(failures)} could be explained{first}")
        self.failures = failures


@dataclass(frozen=True, eq=False, kw_only=True)
class Study(Results):
    """Explanations of many images by many settings, and how faithful they are.

    Attributes
    ----------
    images : anything that `images` takes
    out : path-like
        The study's folder. One that holds the same study is gone on with, another one is refused.
    model : str or VisionModel
        A name as `load` takes it; workers load it themselves. A model of one's own runs in this process alone.
    settings : Settings or mapping of str to Settings
        What is common to all; or all of them by name.
    vary : mapping of str to values
        Fields of `Settings` and the values each takes; every combination is run.
    protocols : sequence of str
        How heatmaps are measured: "patch/black", "token", "mutex2025/black", ... .
    steps : int, optional
        Points of a curve; every patch up to 100 unless given.
    seed : int
        Of the random order that every image is measured with as a control.
    explained : "predicted" or "true"
        Which class is explained.
    variants : sequence of Variant
        Parts of each explanation that are measured too; see `ablate`.
    save : sequence of str
        Tables besides the rows: "heatmaps", "masks" (ablations need them), "layers" and "multilayer" (network measures).
    chunk : int
        Images a unit of work.
    device, dtype, score : str
        As `load` takes them; a model of one's own has its own.

    Raises
    ------
    InputError
        If something is unknown or out of range.
    """

    images: Any
    out: str | Path
    model: str | VisionModel = "demo-vit"
    settings: Settings | Mapping[str, Settings] = field(default_factory=Settings)
    vary: Mapping[str, Any] = field(default_factory=dict)
    protocols: Iterable[str] = ("patch/black",)
    steps: int | None = None
    seed: int = 0
    explained: str = "predicted"
    variants: Iterable[Variant] = (Variant(),)
    save: Iterable[str] = ("heatmaps", "masks")
    chunk: int = 8
    device: str = "auto"
    dtype: str = "auto"
    score: str = "auto"
    kept: "Study | None" = field(default=None, repr=False)
    opened: bool = field(default=False, repr=False)

    def __post_init__(self) -> None:
        check_fields(self)
        object.__setattr__(self, "chunk", whole("chunk", self.chunk, at_least=1))
        object.__setattr__(self, "out", named(self.out))
        _ = self.plan

    def __repr__(self) -> str:
        done, n = len(self.store.done()), len(self._numbers())
        return f"<Study {self.out}: {len(self.plan.settings)} settings, {self._n_images} images, {done} of {n} units done>"

    @cached_property
    def plan(self) -> Plan:
        """What is computed of every image."""
        if isinstance(self.settings, Mapping) and self.vary:
            raise InputError("settings by name and vary were given; give one of them")
        named = dict(self.settings) if isinstance(self.settings, Mapping) else varied(self.settings, self.vary)
        if not named:
            raise InputError("settings is empty; give at least one")
        if RANDOM in named:
            raise InputError(f"a setting is named {RANDOM!r}, as the control is; choose another name")
        name = self.model if isinstance(self.model, str) else vision_model(self.model).name
        options: dict[str, Any] = {option: getattr(self, option) for option in ("protocols", "steps", "seed", "explained", "save", "device", "dtype")}
        options["score"] = self.score if isinstance(self.model, str) else self.model.score.name
        known = named if self.opened else {key: each.resolved() for key, each in named.items()}  # tables can be read without a function of one's own
        return Plan(name, tuple(known.items()), tuple(self.variants), **options)

    @cached_property
    def store(self) -> Store:
        """The folder."""
        return Store(Path(self.out))

    @cached_property
    def source(self) -> ImageSource:
        """The images."""
        if self.images is None:
            origin = self.store.manifest()["origin"]
            if origin is None:
                raise InputError(f"where the images of {self.out} came from is not known; give them: Study.open(..., images=...)")
            return images_of(**origin)
        return self.images if isinstance(self.images, ImageSource) else images_of(self.images)

    @classmethod
    @checked
    def open(cls, out: str | Path, *, images: Any = None) -> "Study":
        """Return a study from its folder: to read its tables, to go on with it, to ablate it.

        Parameters
        ----------
        out : path-like
        images : optional
            The images, where they are elsewhere now, or were a data set.

        Raises
        ------
        InputError
            If there is none.
        """
        store = Store(named(out))
        record = store.manifest()["study"]
        try:
            plan = Plan.restored(record["plan"])
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise InputError(f"the manifest of {out} is damaged or of another version ({' '.join(str(error).split())}); give another folder") from error
        return cls(
            images=images,
            out=out,
            model=plan.model,
            settings=dict(plan.settings),
            **{name: getattr(plan, name) for name in ("protocols", "steps", "seed", "explained", "variants", "save", "dtype", "score")},
            chunk=record["chunk"],
            opened=True,
        )

    @checked
    def run(
        self, *, workers: int = 1, scheduler: Any = None, progress: bool | None = None, retry_failed: bool = False, runner: Runner | None = None
    ) -> "Study":
        """Compute every unit that is not done yet, and return the study.

        Parameters
        ----------
        workers : int
            Processes; 1 computes in this one. A script that asks for more has to do so under `if __name__ == "__main__":`.
        scheduler : str, mapping or Dask client, optional
            Address of a Dask scheduler, or what `multiplex_vit.study.cluster.connected` takes, in place of workers.
        progress : bool, optional
            Show a bar with images a second and the time left; on a terminal and in a notebook unless told otherwise.
        retry_failed : bool
            Compute units again in which images failed.
        runner : callable, optional
            A runner of one's own.

        Raises
        ------
        InputError
            If the folder holds another study or is in use, nothing can be written, the model cannot be loaded, or all images of a unit fail for a
            reason that is not theirs. What is done is kept.
        """
        leave_if_started_by_a_worker()
        workers = whole("workers", workers, at_least=1)
        for _, settings in self.plan.settings:
            settings.resolved()
        model = (
            load(self.model, device="cpu" if runner or scheduler is not None or workers > 1 else self.device, dtype=self.dtype, score=self.score)
            if isinstance(self.model, str)
            else self.model
        )
        self._check(model, alone=runner is None and scheduler is None and workers == 1)
        record = {
            "plan": self.plan.record(),
            "model_sha256": fingerprint(model.model),
            "score": model.score.name,
            "images": self.source.record(),
            "chunk": self.chunk,
        }
        self.store.refuse_others()
        with output_folder(self.store.folder), self.store.locked():
            self.store.check(record)
            self.store.sweep()
            self._same_images()
            if retry_failed:
                self.store.forget(self.store.failed())
            self._note_versions()
            chosen = runner or (_dask(scheduler) if scheduler is not None else in_process(model) if workers == 1 else processes(workers))
            self._compute(chosen, record, progress)
        return self

    def _check(self, model: VisionModel, *, alone: bool) -> None:
        """Refuse what would fail for every image."""
        if not isinstance(self.model, str) and not alone:
            raise InputError("a model of one's own runs in this process alone; give the name of a model, or workers=1")
        if self.explained == "true" and model.n_classes == 1:
            raise InputError(f"{model.name} gives one number, and no class but that one can be the true one; give explained='predicted'")
        for name, settings in self.plan.settings:
            if settings.starting_layer >= model.n_layers:
                raise InputError(f"{name}: starting_layer is {settings.starting_layer}; {model.name} has layers 0 to {model.n_layers - 1}")

    def _same_images(self) -> None:
        """Refuse images whose content is not what was explained; a data set with a fingerprint is known by that."""
        if isinstance(self.source.source, DataSet) and self.source.source.state()[0]:
            return
        for number, name, sha256 in self.store.read(LAST)[["number", "name", "sha256"]].itertuples(index=False):
            try:
                now = self.source.sample(number).sha256
            except (InputError, OSError):
                continue  # it is gone; what was found stays
            if now != sha256:
                raise InputError(f"{name} is not the image that {self.out} explained, its content is another one now; give the same images, or another folder")

    def _note_versions(self) -> None:
        if not self.store.done():
            return
        before, now = self.store.manifest()["versions"], versions()
        changed = [f"{name} {before.get(name)} is {now.get(name)} now" for name in now if now.get(name) != before.get(name)]
        if changed:
            warnings.warn(f"{self.out} was begun with other versions: {', '.join(changed)}", stacklevel=4)

    def _compute(self, runner: Runner, record: Mapping[str, Any], progress: bool | None) -> None:
        """Compute what is left and write it, the manifest with the first image that could be explained.

        Raises
        ------
        NoneExplainedError
            If no image could; nothing is written then.
        """
        done = self.store.done()
        there = set(self._numbers()) if self.kept is None else self.kept.store.done()
        left = [number for number in self._numbers() if number in there - done]
        if not left:
            return
        begun = bool(done)
        waiting: list[Done] = []
        with bar(progress, self._n_images, self._size(done)) as advance:
            for number, tables in self._closing(runner(self.plan, map(self._unit, left))):
                waiting.append((number, tables))
                begun = begun or bool(tables[LAST])
                if begun:
                    self._keep(waiting, record)
                advance(self._size({number}))
        if not begun:
            failures = [(row["name"], row["reason"]) for _, tables in waiting for row in tables["failures"]]
            raise NoneExplainedError(failures)

    def _keep(self, waiting: list[Done], record: Mapping[str, Any]) -> None:
        """Write units; what is written is no longer waiting."""
        self.store.begin(record, self.source.origin)
        while waiting:
            self.store.write(*waiting[0])
            waiting.pop(0)

    @staticmethod
    def _closing(results: Iterator[Done]) -> Iterator[Done]:
        """Yield results, and close their generator whatever happens, so that workers end."""
        try:
            yield from results
        finally:
            getattr(results, "close", lambda: None)()

    @property
    def _n_images(self) -> int:
        return len(self.source) if self.images is not None else int(self.store.manifest()["study"]["images"]["images"])

    def _numbers(self) -> range:
        return range(-(-self._n_images // self.chunk))

    def _size(self, units: set[int]) -> int:
        return sum(min(self.chunk, self._n_images - self.chunk * unit) for unit in units)

    def _unit(self, number: int) -> Unit:
        """Read a unit's images."""
        samples: list[Sample] = []
        failures: list[tuple[int, str, str]] = []
        kept = explanations(self.kept, {number}) if self.kept is not None else {}
        for image in range(number * self.chunk, min((number + 1) * self.chunk, len(self.source))):
            try:
                sample = self.source.sample(image)
                if self.kept is not None:
                    _known(sample, kept)
                samples.append(sample)
            except (InputError, OSError) as error:
                failures.append((image, self.source.name(image), " ".join(str(error).split())))
        return Unit(number, tuple(samples), tuple(failures), {image: found for image, (_, found) in kept.items()})


def _known(sample: Sample, kept: Mapping[int, tuple[str, Explained]]) -> None:
    """Refuse an image that is not the one that was explained."""
    if sample.number not in kept:
        raise InputError("the study could not explain this image")
    if kept[sample.number][0] != sample.sha256:
        raise InputError(f"{sample.name} is not the image that the study explained; give the same images")


def _dask(scheduler: Any) -> Runner:
    from multiplex_vit.study.cluster import on_cluster

    return on_cluster(scheduler)
