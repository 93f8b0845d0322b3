"""Explaining: the results of a unit's explainers for its images."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from multiplex_vit.errors import InputError
from multiplex_vit.models.classifier import Classifier
from multiplex_vit.models.vision_model import VisionModel
from multiplex_vit.saliency.explain import explain_each
from multiplex_vit.saliency.explainers import Explainer
from multiplex_vit.saliency.explanation import Explanation
from multiplex_vit.saliency.shared import shared_passes
from multiplex_vit.study.counting import Counted
from multiplex_vit.study.groups import HEATMAPS, MASKS, PASSES
from multiplex_vit.study.plan import PREDICTED, TRUE, Plan
from multiplex_vit.study.sources import Sample
from multiplex_vit.study.unit import Kept, Unit


@dataclass(frozen=True)
class Result:
    """A heatmap and what it took.

    Attributes
    ----------
    heatmap : ndarray [row, col]
    forward_passes, backward_passes : int
        Of the explainer by itself.
    seconds : float
    masks : Explanation, optional
        Where the explainer makes masks.
    """

    heatmap: np.ndarray
    forward_passes: int = 0
    backward_passes: int = 0
    seconds: float = 0.0
    masks: Explanation | None = None


@dataclass
class Subject:
    """An image of a unit while it is computed.

    Attributes
    ----------
    sample : Sample
    picture : Picture
    label : int
        The class explained.
    scores : ndarray [class], optional
        Of the whole image; None where the study knows the image's facts already.
    results : dict of str to Result
        By the text of the explainer.
    failed : dict of str to Failed
        Why an explainer has no result.
    passes : int
        That the model ran for the results.
    """

    sample: Sample
    picture: Any
    label: int
    scores: np.ndarray | None
    results: dict[str, Result]
    failed: dict[str, "Failed"]
    passes: int = 0


@dataclass(frozen=True)
class Failed:
    """Why something failed.

    Attributes
    ----------
    reason : str
        One line.
    strange : bool
        Whether the reason is not one that an image or a choice may have.
    """

    reason: str
    strange: bool

    @classmethod
    def of(cls, error: Exception) -> "Failed":
        """Return why an exception was raised."""
        line = " ".join(str(error).split())
        if isinstance(error, (InputError, OSError)):
            # Memory is short for other images too, whatever this one looks like.
            return cls(line, "memory is short" in line)
        return cls(f"{type(error).__name__}: {line}", True)


def explained_together(plan: Plan, unit: Unit, model: VisionModel) -> dict[int, Subject]:
    """Return the subjects whose masks ran together, in passes that images share.

    An image that fails is left out, to fail by itself; so are all images if the passes fail.
    """
    settings = _settings_of(plan, unit)
    if unit.made_from != PASSES or not settings:
        return {}
    started = time.monotonic()
    samples, pictures, labels = [], [], []
    for sample in unit.samples:
        try:
            label = _wanted_label(plan, unit, sample)
            picture = model.picture(sample.image)
        except Exception:
            # It is explained by itself later, and fails there with its reason.
            continue
        samples.append(sample)
        pictures.append(picture)
        labels.append(label)
    counted = Counted(model)
    try:
        several = list(explain_each(counted, pictures, settings, label=labels))
    except Exception:
        # One image may be the cause, so that each is tried by itself.
        return {}
    seconds = (time.monotonic() - started) / max(1, len(samples))
    passes = [shared_passes(explanations).run for explanations in several]
    if passes:
        # What ran is counted, whatever it should have been.
        passes[0] += counted.count - sum(passes)
    subjects = {}
    for place, sample in enumerate(samples):
        subject = _subject_of(sample, pictures[place], several[place], unit, seconds)
        subject.passes = passes[place]
        subjects[sample.number] = subject
    return subjects


def _settings_of(plan: Plan, unit: Unit) -> list[Any]:
    """Return the settings of the explainers that make masks; none unless all of them do."""
    # A group holds explainers that share masks, or others, and never both.
    several = [_seeded(explainer, plan.seed).settings for explainer in unit.explainers]
    return [] if None in several else several


def _subject_of(
    sample: Sample,
    picture: Any,
    explanations: Sequence[Explanation],
    unit: Unit,
    seconds: float,
) -> Subject:
    """Return a subject of explanations that share their passes and the time that they took."""
    total = sum(explanation.forward_passes for explanation in explanations)
    results = {}
    for explainer, explanation in zip(unit.explainers, explanations, strict=True):
        # Nobody measures single explainers of shared passes: time goes by their passes.
        part = seconds * explanation.forward_passes / max(1, total)
        results[str(explainer)] = _result(explanation, part)
    first = explanations[0]
    is_known = sample.number in unit.kept
    scores = None if is_known else first.clean
    return Subject(sample, picture, first.label, scores, results, {})


def _result(explanation: Explanation, seconds: float) -> Result:
    """Return the result of what an explainer gave."""
    return Result(
        np.asarray(explanation.heatmap),
        explanation.forward_passes,
        explanation.backward_passes,
        seconds,
        explanation if explanation.settings is not None else None,
    )


def explained(plan: Plan, unit: Unit, sample: Sample, model: VisionModel) -> Subject:
    """Return an image with the results of a unit's explainers, each by itself."""
    kept = unit.kept.get(sample.number, Kept())
    picture = model.picture(sample.image)
    counted = Counted(model)
    scores = None
    label = kept.label
    if label is None:
        # This pass is the study's own, and is needed only where no other group came before: what
        # is counted may not depend on which group was written first.
        scores = model.classify(picture.pixels)[0].cpu().numpy()
        predicted = int(scores.argmax())
        label = model.label_of(_wanted_label(plan, unit, sample), predicted)
    subject = Subject(sample, picture, label, scores, {}, {})
    for explainer in unit.explainers:
        text = str(explainer)
        try:
            result = _result_of(plan, unit, explainer, subject, counted)
        except Exception as error:
            subject.failed[text] = Failed.of(error)
            continue
        # A heatmap that was not kept is missing since its explainer failed, which is told already.
        if result is not None:
            subject.results[text] = result
    subject.passes = counted.count
    return subject


def _result_of(
    plan: Plan, unit: Unit, explainer: Explainer, subject: Subject, model: Classifier
) -> Result | None:
    kept = unit.kept.get(subject.sample.number, Kept())
    if unit.made_from == MASKS:
        if kept.base is None or explainer.settings is None:
            return None
        part = _part_of(kept.base, explainer.settings)
        return replace(_result(part, 0.0), forward_passes=shared_passes([part]).run)
    if unit.made_from == HEATMAPS:
        heatmap = kept.heatmaps.get(str(explainer))
        return None if heatmap is None else Result(heatmap)
    seed = plan.seed
    if explainer.kind == "baseline":
        # One order for all images would be a bad draw for all of them, or a good one.
        seed = baseline_seed(plan.seed, subject.sample.sha256)
    started = time.monotonic()
    explanation = _seeded(explainer, seed)(model, subject.picture, subject.label)
    result = _result(explanation, time.monotonic() - started)
    grid = model.grid_of(subject.picture.pixels.shape[2:])
    _check_heatmap(result.heatmap, grid)
    return result


def _part_of(base: Explanation, settings: Any) -> Explanation:
    """Return the explanation of some settings from the masks of a base; see `holds_masks_of`."""
    return base.subset(
        operator=settings.operators,
        centrality=settings.centralities,
        statistic=settings.statistics,
    )


def _seeded(explainer: Explainer, seed: int) -> Explainer:
    """Return an explainer with a seed, where it takes one that its text leaves open."""
    if explainer.takes("seed") and "seed" not in explainer.options:
        return explainer.at(seed=seed)
    return explainer


def baseline_seed(seed: int, sha256: str) -> int:
    """Return the seed of an image's baselines: its own, by its content, whatever study it is in.

    Examples
    --------
    >>> baseline_seed(0, "ab" * 32) == baseline_seed(0, "ab" * 32) != baseline_seed(0, "cd" * 32)
    True
    """
    # 16 bytes tell images apart; a seed of NumPy takes no more.
    entropy = [seed, *bytes.fromhex(sha256)[:16]]
    return int(np.random.SeedSequence(entropy).generate_state(1)[0])


def _check_heatmap(heatmap: np.ndarray, grid: tuple[int, int]) -> None:
    if heatmap.shape != grid or not np.isfinite(heatmap).all():
        what = f"its heatmap has shape {list(heatmap.shape)} or holds NaN"
        raise InputError(f"{what}; expected finite values of shape {list(grid)}")


def _wanted_label(plan: Plan, unit: Unit, sample: Sample) -> Any:
    """Return the class to explain, None for the predicted one."""
    kept = unit.kept.get(sample.number)
    if kept is not None and kept.label is not None:
        return kept.label
    if plan.target == PREDICTED:
        return None
    if plan.target != TRUE:
        return plan.target
    if sample.label is None:
        raise InputError("the image has no label, and its true class was to be explained")
    return sample.label
