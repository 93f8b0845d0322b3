"""Study: many images by many explainers, computed once and kept on disk.

A study that was interrupted is resumed.
"""

import tempfile
from pathlib import Path
from typing import Any

import pandas as pd

from multiplex_vit.arguments import checked
from multiplex_vit.checks import vision_model, whole
from multiplex_vit.errors import InputError
from multiplex_vit.models.bundled import DEFAULT
from multiplex_vit.models.vision_model import VisionModel
from multiplex_vit.reading import named
from multiplex_vit.saliency.explainers import EXPLAINERS, Explainer
from multiplex_vit.saliency.shared import SharedPasses
from multiplex_vit.study import tables
from multiplex_vit.study.groups import Group
from multiplex_vit.study.layout import UnitId
from multiplex_vit.study.plan import Plan, checked_plan, checked_protocols, names_of
from multiplex_vit.study.run.processes import Runner
from multiplex_vit.study.running import run_study
from multiplex_vit.study.sources import ImageSource
from multiplex_vit.study.sources import images as images_of
from multiplex_vit.study.store import Store
from multiplex_vit.study.unregistered import restored

CONTROL = "random_order"
"""What every study measures as a control."""


class Study:
    """Many images explained by many explainers, and how faithful the heatmaps are.

    Everything that is computed is kept in a folder. Running the same study again continues where
    it was interrupted; one with further explainers or protocols computes what is missing, and
    nothing else.

    Parameters
    ----------
    out : path-like, optional
        Folder of the study. Default: a temporary folder, deleted with the study.
    images : anything that `images` takes
    model : str or VisionModel
        A name as `load` takes it, which workers load themselves; or a model of one's own, which
        runs in this process alone. Default: "demo-photo".
    explainers : Explainer, str or callable, or several of these
        Members of `EXPLAINERS`, with or without options, or functions of one's own. A random
        order of the patches is always measured too, as a control. Default: "mutex".
    protocols : str or sequence of str
        How heatmaps are measured: "patch/black", "token", "mutex2025/black", ... .
        Default: "patch/black".
    steps : int, optional
        Points of a curve. Default: every patch, up to 100.
    seed : int
        Of explainers that draw something, and of the controls. Default: 0.
    target : "predicted", "true", or the index or name of a class
        Which class is explained. Default: "predicted".
    save : str or sequence of str
        Tables to keep besides the others: "masks" (ablations need them), "layers" and
        "multilayer" (measures of the network). Default: "masks".
    network_measures : str, callable or several of these
        Members of `LAYER_MEASURES` of which the table "layers" is kept too, one row an image and
        layer. Default: none; all of them where `save` asks for that table.
    chunk : int
        Images that are computed and written together. Default: 8.
    device, dtype, score : str
        As `load` takes them; a model of one's own has its own. Default: "auto".

    Raises
    ------
    InputError
        If something is unknown or out of range.

    Examples
    --------
    >>> import multiplex_vit as mv
    >>> photos = list(mv.samples().values())
    >>> study = mv.Study(images=photos, model="demo-vit", explainers="raw_attention", steps=4)
    >>> study.run().scores()[["image", "explainer", "protocol"]].values.tolist()[:2]
    [['cat.jpg', 'raw_attention', 'patch/black'], ['cat.jpg', 'random_order', 'patch/black']]
    """

    @checked
    def __init__(
        self,
        out: Any = None,
        images: Any = None,
        *,
        model: str | VisionModel = DEFAULT,
        explainers: Any = "mutex",
        protocols: Any = "patch/black",
        steps: int | None = None,
        seed: int = 0,
        target: str | int = "predicted",
        save: Any = "masks",
        network_measures: Any = (),
        chunk: int = 8,
        device: str = "auto",
        dtype: str = "auto",
        score: str = "auto",
    ):
        self.model = model
        self.chunk = whole("chunk", chunk, at_least=1)
        self.protocols = checked_protocols(protocols, steps)
        self.explainers = _with_control(_explainers(explainers))
        name = model if isinstance(model, str) else vision_model(model).name
        if not isinstance(model, str):
            score = model.score.name
        self.plan = checked_plan(
            name,
            save=save,
            network_measures=network_measures,
            target=target,
            steps=steps,
            seed=seed,
            device=device,
            dtype=dtype,
            score=score,
        )
        self._temporary = None
        if out is None:
            # It lives as long as the study, which holds it.
            self._temporary = tempfile.TemporaryDirectory(prefix="multiplex_vit-study-")
            out = Path(self._temporary.name) / "study"
        self.out = named(out)
        self.store = Store(self.out)
        self._source: ImageSource | None = _source_of(images)

    def __repr__(self) -> str:
        done = len(self.units_done())
        what = f"{len(self.explainers)} explainers, {len(self.protocols)} protocols"
        return f"<Study {self.out}: {what}, {self.n_images} images, {done} units done>"

    @classmethod
    def open(cls, out: Any, *, images: Any = None) -> "Study":
        """Return a study from its folder, with all the explainers and protocols that it has.

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
        manifest = store.manifest()
        try:
            plan = Plan.restored(manifest.study["plan"])
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            reason = " ".join(str(error).split())
            what = f"the manifest of {out} is damaged or of another version ({reason})"
            raise InputError(f"{what}; give another folder") from error
        texts: dict[str, None] = {}
        protocols: dict[str, None] = {}
        for group in manifest.groups:
            texts.update(dict.fromkeys(group.explainers))
            protocols.update(dict.fromkeys(group.protocols))
        # Past the checks of what a user gives: these values were checked when they were written.
        study = cls.__new__(cls)
        study.model = plan.model
        study.chunk = manifest.study["chunk"]
        study.protocols = tuple(protocols)
        # Tables can be read without a function of one's own that is not registered here.
        study.explainers = tuple(restored(text) for text in texts)
        study.plan = plan
        study.out = named(out)
        study.store = store
        study._temporary = None
        study._source = None if images is None else images_of(images)
        return study

    @checked
    def extended(self, *, explainers: Any = (), protocols: Any = ()) -> "Study":
        """Return this study with further explainers or protocols; `run` computes what is missing.

        Parameters
        ----------
        explainers, protocols
            As `Study` takes them.

        Raises
        ------
        InputError
            If one is unknown.
        """
        given = _explainers(explainers, may_be_empty=True)
        more = [explainer for explainer in given if explainer not in self.explainers]
        names = [*self.protocols, *names_of("protocols", protocols)]
        study = self.__class__.__new__(self.__class__)
        study.__dict__.update(self.__dict__)
        study.explainers = (*self.explainers, *more)
        study.protocols = checked_protocols(list(dict.fromkeys(names)), self.plan.steps)
        return study

    @property
    def images(self) -> ImageSource:
        """The images."""
        if self._source is None:
            origin = self.store.manifest().origin
            if origin is None:
                what = f"where the images of {self.out} came from is not known"
                raise InputError(f"{what}; give them: Study.open(..., images=...)")
            self._source = images_of(**origin)
        return self._source

    @checked
    def run(
        self,
        *,
        workers: int = 1,
        client: Any = None,
        progress: bool | None = None,
        retry_failed: bool = False,
        runner: Runner | None = None,
    ) -> "Study":
        """Compute every unit that is not done yet, and return the study.

        Parameters
        ----------
        workers : int
            Processes; with 1 everything is computed in this one. A script that asks for more does
            so under `if __name__ == "__main__":`. Default: 1.
        client : str or distributed.Client, optional
            A Dask scheduler's address or a client, in place of workers.
        progress : bool, optional
            Whether to show a bar. Default: on a terminal and in a notebook.
        retry_failed : bool
            Whether units in which something failed are computed again. Default: False.
        runner : callable, optional
            A runner of one's own.

        Raises
        ------
        InputError
            If the folder holds another study or is in use, nothing can be written, the model
            cannot be loaded, or all images of a chunk fail for a reason that is not theirs. What
            is done is kept.
        """
        run_study(
            self,
            workers=workers,
            client=client,
            progress=progress,
            retry_failed=retry_failed,
            runner=runner,
        )
        return self

    @property
    def n_images(self) -> int:
        """How many images there are."""
        if self._source is None:
            return self.store.manifest().n_images
        return len(self._source)

    def units_done(self) -> set[UnitId]:
        """Return the units done that hold something which this study asks for."""
        wanted = Group(tuple(map(str, self.explainers)), self.protocols).pairs
        groups = self.store.groups()
        return {unit for unit in self.store.done() if groups[unit.group].pairs & wanted}

    def scores(self) -> pd.DataFrame:
        """Return one row an image, explainer and protocol: how faithful the heatmap is.

        Returns
        -------
        DataFrame
            number, image, label, explained, probability (of the class explained), score (what
            that number is), explainer, the options that differ between explainers, protocol,
            quantity (what the curves follow), insertion, deletion (areas under the curves; named
            otherwise where the protocol does), difference. Of a study that is not finished, what
            is done.
        """
        return tables.scores(self.store, self.explainers, self.protocols)

    def curves(self) -> pd.DataFrame:
        """Return one row a point of a curve.

        Returns
        -------
        DataFrame
            number, image, explainer, protocol, quantity, curve, fraction, confidence.
        """
        return tables.curves(self.store, self.explainers, self.protocols)

    def heatmaps(self) -> pd.DataFrame:
        """Return one row an image and explainer: number, image, explainer, heatmap.

        A heatmap is an ndarray float32 [row, col].
        """
        return tables.heatmaps(self.store, self.explainers)

    def costs(self) -> pd.DataFrame:
        """Return one row an image and explainer: what its heatmap took.

        Returns
        -------
        DataFrame
            number, image, explainer, forward_passes, backward_passes (of the explainer by
            itself), seconds (its part of the time, where explainers shared passes).
        """
        return tables.costs(self.store, self.explainers)

    def masks(self) -> pd.DataFrame:
        """Return one row a mask that was kept.

        Returns
        -------
        DataFrame
            number, explainer, operator, centrality, statistic, design, kept (packed bits over
            nodes), confidence (of the class explained, with the kept tokens alone).
        """
        return self.store.read("masks")

    def image_table(self) -> pd.DataFrame:
        """Return one row an image: name, hash, label, class explained, grid, and its passes.

        Returns
        -------
        DataFrame
            number, name, sha256, label, explained (index), explained_name, probability, score,
            correct, grid_rows, grid_cols, forward_passes, naive_passes, evaluation_passes,
            naive_evaluation_passes (naive: without sharing), seconds.
        """
        return tables.image_table(self.store)

    def views(self) -> pd.DataFrame:
        """Return the first images as the model saw them.

        Columns are number and view, an array uint8 [row, col, channel].
        """
        return tables.views(self.store)

    def layers(self) -> pd.DataFrame:
        """Return the measures of each layer of each image's network, where they were saved."""
        return self.store.read("layers")

    def multilayer(self) -> pd.DataFrame:
        """Return the multilayer measures of each image's network, where they were saved."""
        return self.store.read("multilayer")

    def failures(self) -> pd.DataFrame:
        """Return what failed: number, name, explainer and reason.

        The explainer is "" where the image as a whole failed.
        """
        return tables.failures(self.store)

    def passes(self) -> SharedPasses:
        """Return how many forward passes explaining took, and how many without sharing."""
        work = self.store.read("work")
        run, naive = work["forward_passes"], work["naive_passes"]
        return SharedPasses(int(run.sum()), int(naive.sum()))

    def all_passes(self) -> SharedPasses:
        """Return the same of explaining and measuring together."""
        work = self.store.read("work")
        run = work["forward_passes"] + work["evaluation_passes"]
        naive = work["naive_passes"] + work["naive_evaluation_passes"]
        return SharedPasses(int(run.sum()), int(naive.sum()))


def _explainers(members: Any, *, may_be_empty: bool = False) -> tuple[Explainer, ...]:
    """Return explainers, each once."""
    listed = names_of("explainers", members)
    explainers = tuple(EXPLAINERS.resolve(member) for member in listed)
    texts = [str(explainer) for explainer in explainers]
    if not texts and not may_be_empty:
        raise InputError("explainers is empty; give at least one")
    for text in texts:
        if texts.count(text) > 1:
            raise InputError(f"two explainers are called {text}; give each once, by its own name")
    return explainers


def _with_control(explainers: tuple[Explainer, ...]) -> tuple[Explainer, ...]:
    # Without it nobody could say whether a heatmap is better than none.
    if any(explainer.name == CONTROL for explainer in explainers):
        return explainers
    return (*explainers, EXPLAINERS[CONTROL])


def _source_of(images: Any) -> ImageSource:
    if images is None:
        raise InputError("images is None; give a folder, a CSV, Parquet, a data set or image files")
    return images if isinstance(images, ImageSource) else images_of(images)
