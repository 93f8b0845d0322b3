"""What a worker does: a unit of images in, rows of tables out."""

import threading
import time
import warnings
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np

from multiplex_vit.errors import InputError
from multiplex_vit.evaluation.many import evaluate_many
from multiplex_vit.models.load import load
from multiplex_vit.models.place import device_of_worker, use_threads
from multiplex_vit.models.vision_model import VisionModel
from multiplex_vit.saliency.each import explain_each
from multiplex_vit.saliency.explain import multiplex
from multiplex_vit.saliency.explanation import Explanation
from multiplex_vit.saliency.many import explain_many, shared_passes
from multiplex_vit.study.plan import RANDOM, Plan
from multiplex_vit.study.sources import Sample

Tables = dict[str, list[dict[str, Any]]]
MEASURES = ("insertion", "deletion", "difference")
_one_at_a_time = threading.Lock()


@dataclass(frozen=True)
class Explained:
    """Explanations that an earlier study kept, and the class they explain."""

    label: int
    explanations: tuple[Explanation, ...]


@dataclass(frozen=True)
class Unit:
    """Some of a study's images: what is computed and written together.

    Attributes
    ----------
    number : int
    samples : tuple of Sample
    failures : tuple of (int, str, str)
        Number, name and reason of images that could not be read.
    kept : dict of int to Explained
        By image; explanations that need no pass.
    """

    number: int
    samples: tuple[Sample, ...]
    failures: tuple[tuple[int, str, str], ...] = ()
    kept: dict[int, Explained] = field(default_factory=dict)


class Counted:
    """A model that counts the sequences it classifies."""

    def __init__(self, model: VisionModel):
        self.model, self.count = model, 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self.model, name)

    def attend(self, tokens: Any, *args: Any, **options: Any) -> Any:
        """Count and pass on."""
        self.count += len(tokens)
        return self.model.attend(tokens, *args, **options)

    def attend_directly(self, tokens: Any, *args: Any, **options: Any) -> Any:
        """Count and pass on."""
        self.count += len(tokens)
        return self.model.attend_directly(tokens, *args, **options)

    def probabilities(self, tokens: Any, kept: Any, **options: Any) -> Any:
        """Count and pass on."""
        self.count += len(kept)
        return self.model.probabilities(tokens, kept, **options)

    def probabilities_of_images(self, tokens: Any, kept: Any, **options: Any) -> Any:
        """Count and pass on."""
        self.count += sum(map(len, kept))
        return self.model.probabilities_of_images(tokens, kept, **options)

    def classify(self, pixels: Any, **options: Any) -> Any:
        """Count and pass on."""
        self.count += len(pixels)
        return self.model.classify(pixels, **options)


def compute_alone(plan: Plan, unit: Unit, *, worker: int = 0, threads: int = 1) -> tuple[int, Tables]:
    """Compute a unit in a worker process, which loads the model once."""
    with _one_at_a_time:
        use_threads(threads)
        device = device_of_worker(plan.device, worker)
        return unit.number, compute(plan, unit, _loaded(plan.model, device, plan.dtype, plan.score))


@lru_cache(maxsize=1)
def _loaded(name: str, device: str, dtype: str, score: str) -> VisionModel:
    return load(name, device=device, dtype=dtype, score=score)


def compute(plan: Plan, unit: Unit, model: VisionModel) -> Tables:
    """Return a unit's tables; an image that fails is a row of the failures, and the others go on.

    Raises
    ------
    InputError
        If a setting cannot be used here, or every image of several fails for a reason that is not the images'.
    """
    for _, settings in plan.settings:
        settings.resolved()
    tables: Tables = {name: [] for name in ("rows", "images", "failures", *plan.save)}
    tables["failures"] += [{"number": number, "name": name, "reason": reason} for number, name, reason in unit.failures]
    made = _together(plan, [sample for sample in unit.samples if sample.number not in unit.kept], model)
    failed: list[Failed] = []
    for sample in unit.samples:
        found = _image_or_reason(plan, sample, model, unit.kept.get(sample.number), made.get(sample.number))
        if isinstance(found, Failed):
            failed.append(found)
            tables["failures"].append({"number": sample.number, "name": sample.name, "reason": found.reason})
            continue
        for name, rows in found.items():
            tables[name] += rows
    if len(failed) > 1 and len(failed) == len(unit.samples) and all(each.strange for each in failed):
        raise InputError(f"every image of unit {unit.number} failed ({failed[0].reason}); it is not counted as done, mend the cause and run again")
    return tables


@dataclass(frozen=True)
class Failed:
    """Why an image failed, and whether for a reason that is not the image's."""

    reason: str
    strange: bool


def _image_or_reason(plan: Plan, sample: Sample, model: VisionModel, kept: Explained | None, made: "Made | None") -> "Tables | Failed":
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return _image(plan, sample, model, kept, made)
    except InputError as error:
        return Failed(" ".join(str(error).split()), "memory is short" in str(error))
    except Exception as error:
        return Failed(f"{type(error).__name__}: {' '.join(str(error).split())}", True)


@dataclass(frozen=True)
class Made:
    """An image's explanations that were made together with those of others, its passes, and its part of the time that they took."""

    picture: Any
    explanations: tuple[Explanation, ...]
    passes: int
    seconds: float


def _together(plan: Plan, samples: Sequence[Sample], model: VisionModel) -> dict[int, Made]:
    """Return what was made by image, in shared passes; an image that fails is left out, to fail alone, and so are all where the passes fail."""
    started, sound = time.monotonic(), []
    for sample in samples:
        with suppress(Exception):
            sound.append((sample.number, _label(plan, sample), model.picture(sample.data)))
    try:
        labels, pictures, counted = [label for _, label, _ in sound], [picture for *_, picture in sound], Counted(model)
        found = list(explain_each(counted, pictures, [settings for _, settings in plan.settings], label=labels))  # type: ignore[arg-type]
    except Exception:
        return {}
    seconds = (time.monotonic() - started) / max(1, len(samples))
    passes = [shared_passes(each).run for each in found]
    if found:
        passes[0] += counted.count - sum(passes)  # what ran is counted, whatever it should have been
    return {number: Made(picture, tuple(each), run, seconds) for (number, _, picture), each, run in zip(sound, found, passes, strict=True)}


def _image(plan: Plan, sample: Sample, model: VisionModel, kept: Explained | None, made: Made | None) -> Tables:
    """Return one image's tables."""
    started, explaining, counted = time.monotonic() - (made.seconds if made else 0), Counted(model), Counted(model)
    picture = made.picture if made else model.picture(sample.data)
    explanations = kept.explanations if kept else made.explanations if made else _explanations(plan, sample, explaining, picture)
    label = kept.label if kept else explanations[0].label
    heat = heatmaps_of(plan, explanations)
    heat.append((RANDOM, RANDOM, random_order(plan.seed, sample.sha256, explanations[0].grid), None))
    rows, naive = measured(plan, counted, picture, heat, label)
    facts = {
        **_facts(sample, model, explanations[0], label),
        "forward_passes": explaining.count + (made.passes if made else 0),
        "naive_passes": sum(len(of.masks) + 1 for *_, of in heat if of is not None),
        "evaluation_passes": counted.count,
        "naive_evaluation_passes": naive,
        "seconds": time.monotonic() - started,
    }
    found: Tables = {"rows": [{"number": sample.number, **row} for row in rows], "images": [facts]}
    return {**found, **_extras(plan, sample, model, picture, explanations, heat)}


def _explanations(plan: Plan, sample: Sample, model: Any, picture: Any) -> tuple[Explanation, ...]:
    return tuple(explain_many(model, picture, [settings for _, settings in plan.settings], label=_label(plan, sample)))


def _label(plan: Plan, sample: Sample) -> Any:
    """Return the class to explain, None for the predicted one."""
    if plan.explained == "true" and sample.label is None:
        raise InputError("the image has no label, and its true class was to be explained")
    return sample.label if plan.explained == "true" else None


Heat = tuple[str, str, np.ndarray, Explanation | None]
"""Setting, variant, heatmap, and the explanation that it is of."""


def heatmaps_of(plan: Plan, explanations: Sequence[Explanation]) -> list[Heat]:
    """Return every setting's variants, without a forward pass."""
    found: list[Heat] = []
    for (name, settings), explanation in zip(plan.settings, explanations, strict=True):
        for variant in plan.variants:
            if variant.fits(settings):
                narrowed = variant.of(explanation)
                found.append((name, variant.name, narrowed.heatmap, narrowed))
    return found


def random_order(seed: int, sha256: str, grid: tuple[int, int]) -> np.ndarray:
    """Return a random order of the patches [row, col] that is the image's own, by its hash, whatever unit or study it is in."""
    rng = np.random.default_rng([seed, *bytes.fromhex(sha256)[:16]])
    return rng.permutation(grid[0] * grid[1]).astype(np.float32).reshape(grid)


def measured(plan: Plan, model: Any, picture: Any, heat: Sequence[Heat], label: int) -> tuple[list[dict[str, Any]], int]:
    """Return rows of setting, variant, protocol, measure, value, and how many passes the curves would take one by one; equal heatmaps are measured once."""
    places: dict[bytes, int] = {}
    place = [places.setdefault(values.tobytes(), len(places)) for _, _, values, _ in heat]
    distinct = [next(values for (_, _, values, _), at in zip(heat, place, strict=True) if at == i) for i in range(len(places))]
    found = evaluate_many(model, picture, distinct, label=label, protocols=plan.protocols, steps=plan.steps, seed=plan.seed)
    rows = [
        {"setting": setting, "variant": variant, "protocol": protocol, "measure": measure, "value": each[at].row()[measure]}
        for protocol, each in found.items()
        for (setting, variant, _, _), at in zip(heat, place, strict=True)
        for measure in MEASURES
    ]
    points = sum(len(each[0].insertion.fraction) + len(each[0].deletion.fraction) for each in found.values())
    return rows, points * len(heat)


def _facts(sample: Sample, model: VisionModel, explanation: Explanation, label: int) -> dict[str, Any]:
    """Return an image's row; an explanation kept by an earlier study knows its own class alone."""
    clean = explanation.clean
    true = None if sample.label is None else _true(sample.label, model)
    return {
        "number": sample.number,
        "name": sample.name,
        "sha256": sample.sha256,
        "label": None if sample.label is None else model.classes[true] if true is not None else str(sample.label),
        "explained": label,
        "explained_name": model.classes[label],
        "probability": float(clean[explanation.label]),
        "score": explanation.score.quantity,
        "correct": _correct(clean, true, model),
        "grid_rows": explanation.grid[0],
        "grid_cols": explanation.grid[1],
    }


def _correct(clean: np.ndarray, true: int | None, model: VisionModel) -> bool | None:
    """Return whether the model decides for the true class; None where that is not known."""
    knows_all = len(clean) == model.n_classes
    if true is None or not knows_all or not model.score.is_probability:
        return None
    return bool(model.score.decided(clean, true))


def _true(label: int | str, model: VisionModel) -> int | None:
    """Return the class that a label means, or None where the model has no such class.

    With one class, labels 0 and 1 may stand for no and yes: there only a name is understood.
    """
    if model.n_classes == 1 and str(label).lower() not in model.classes[0].lower().split(", "):
        return None
    if model.n_classes == 1 and str(label).isdecimal():
        return None
    try:
        return model.label_of(label, 0)
    except InputError:
        return None


def _extras(plan: Plan, sample: Sample, model: VisionModel, picture: Any, explanations: Sequence[Explanation], heat: Sequence[Heat]) -> Tables:
    """Return the tables that were asked for besides the rows."""
    found: Tables = {}
    number = {"number": sample.number}
    if "heatmaps" in plan.save:
        found["heatmaps"] = [{**number, "setting": s, "variant": v, "heatmap": values.ravel().tolist()} for s, v, values, of in heat if of is not None]
    if "masks" in plan.save:
        found["masks"] = [
            {**number, "setting": name, **row} for (name, _), explanation in zip(plan.settings, explanations, strict=True) for row in mask_rows(explanation)
        ]
    if {"layers", "multilayer"} & set(plan.save):
        net = multiplex(model, picture, min_cut=plan.settings[0][1].min_cut)
        if "layers" in plan.save:
            found["layers"] = net.layer_table().assign(**number).to_dict("records")
        if "multilayer" in plan.save:
            measures = net.multilayer_table().drop(columns=["node", "row", "col"], errors="ignore").mean(numeric_only=True)
            found["multilayer"] = [{**number, **measures.to_dict()}]
    return found


def mask_rows(explanation: Explanation) -> list[dict[str, Any]]:
    """Return one row a mask: what made it, which nodes it keeps (packed bits), and the confidence with them."""
    packed = np.packbits(explanation.masks.kept, axis=1)
    masks = zip(explanation.masks.labels, explanation.masks.designs, packed, explanation.confidence.tolist(), strict=True)
    return [
        {"operator": o, "centrality": c, "statistic": s, "design": design, "kept": bits.tobytes(), "confidence": confidence}
        for (o, c, s), design, bits, confidence in masks
    ]
