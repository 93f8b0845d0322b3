"""Rows: what is known of an image and its heatmaps, as rows of a study's tables."""

from io import BytesIO
from typing import Any

import numpy as np
from PIL import Image

from multiplex_vit.errors import InputError
from multiplex_vit.evaluation.curve import Faithfulness
from multiplex_vit.evaluation.many import evaluate_many
from multiplex_vit.models.classifier import Classifier
from multiplex_vit.models.vision_model import VisionModel
from multiplex_vit.saliency.image_network import multiplex
from multiplex_vit.saliency.shared import shared_passes
from multiplex_vit.study.counting import Counted
from multiplex_vit.study.explaining import Subject
from multiplex_vit.study.groups import HEATMAPS, PASSES
from multiplex_vit.study.plan import Plan
from multiplex_vit.study.store import Rows
from multiplex_vit.study.unit import Unit

Tables = dict[str, Rows]

VIEWS = 4
"""Images, from the first, whose views are kept for galleries."""

Measured = dict[str, dict[str, Faithfulness]]
"""By protocol, then by the text of the explainer."""


def failure_row(number: int, name: str, explainer: str, reason: str) -> dict[str, Any]:
    """Return the row of a failure; the explainer is "" where the image as a whole failed."""
    return {"number": number, "name": name, "explainer": explainer, "reason": reason}


def tables_of(plan: Plan, unit: Unit, subject: Subject, model: VisionModel) -> Tables:
    """Return the tables of an image."""
    number, name = subject.sample.number, subject.sample.name
    counted = Counted(model)
    measured = _measured(plan, unit, subject, counted)
    tables: Tables = {
        "scores": _score_rows(number, measured),
        "curves": _curve_rows(number, measured),
        "heatmaps": _heatmap_rows(subject),
        "costs": _cost_rows(subject),
        "failures": [],
    }
    for text, failed in subject.failed.items():
        tables["failures"].append(failure_row(number, name, text, failed.reason))
    tables["work"] = [_work_row(subject, measured, counted.count)]
    # Only the first group that explains an image has the scores of it as a whole.
    if subject.scores is not None:
        tables["images"] = [_facts(subject, subject.scores, model)]
        tables["views"] = [_view_row(subject)] if number < VIEWS else []
        tables.update(_network_tables(plan, subject, model))
    if unit.made_from == HEATMAPS:
        # They were written with the group that made them.
        tables["heatmaps"] = []
        tables["costs"] = []
    if unit.made_from == PASSES and "masks" in plan.save:
        tables["masks"] = _mask_rows(subject)
    return tables


def _measured(plan: Plan, unit: Unit, subject: Subject, model: Classifier) -> Measured:
    """Return how faithful each heatmap is; equal heatmaps are measured once."""
    distinct: dict[bytes, np.ndarray] = {}
    places = {}
    for text, result in subject.results.items():
        # Of one image all heatmaps have one shape and type, so that bytes tell them apart.
        key = result.heatmap.tobytes()
        distinct.setdefault(key, result.heatmap)
        places[text] = list(distinct).index(key)
    if not distinct:
        return {}
    several = evaluate_many(
        model,
        subject.picture,
        list(distinct.values()),
        label=subject.label,
        protocols=unit.protocols,
        steps=plan.steps,
        seed=plan.seed,
    )
    measured: Measured = {}
    for protocol, curves in several.items():
        measured[protocol] = {text: curves[place] for text, place in places.items()}
    return measured


def _score_rows(number: int, measured: Measured) -> Rows:
    rows = []
    for protocol, by_explainer in measured.items():
        for text, faithfulness in by_explainer.items():
            head = {
                "number": number,
                "explainer": text,
                "protocol": protocol,
                "quantity": faithfulness.quantity,
            }
            for name, curve in faithfulness.curves.items():
                rows.append({**head, "measure": name, "value": curve.auc})
            difference = faithfulness.difference
            rows.append({**head, "measure": "difference", "value": difference})
    return rows


def _curve_rows(number: int, measured: Measured) -> Rows:
    rows = []
    for protocol, by_explainer in measured.items():
        for text, faithfulness in by_explainer.items():
            for name, curve in faithfulness.curves.items():
                head = {
                    "number": number,
                    "explainer": text,
                    "protocol": protocol,
                    "curve": name,
                }
                fractions = curve.fraction.tolist()
                confidences = curve.confidence.tolist()
                for fraction, confidence in zip(fractions, confidences, strict=True):
                    rows.append({**head, "fraction": fraction, "confidence": confidence})
    return rows


def _heatmap_rows(subject: Subject) -> Rows:
    rows = []
    for text, result in subject.results.items():
        values = result.heatmap.astype(np.float32).ravel().tolist()
        rows.append({"number": subject.sample.number, "explainer": text, "heatmap": values})
    return rows


def _cost_rows(subject: Subject) -> Rows:
    rows = []
    for text, result in subject.results.items():
        rows.append(
            {
                "number": subject.sample.number,
                "explainer": text,
                "forward_passes": result.forward_passes,
                "backward_passes": result.backward_passes,
                "seconds": result.seconds,
            }
        )
    return rows


def _mask_rows(subject: Subject) -> Rows:
    """Return one row a mask: what made it, the nodes it keeps (packed bits), its confidence."""
    rows = []
    for text, result in subject.results.items():
        if result.masks is None:
            continue
        explanation, masks = result.masks, result.masks.masks
        assert masks is not None, "what has settings has masks"
        # Eight nodes a byte: masks are most of what a study keeps.
        packed = np.packbits(masks.kept, axis=1)
        for place, label in enumerate(masks.labels):
            rows.append(
                {
                    "number": subject.sample.number,
                    "explainer": text,
                    "operator": label[0],
                    "centrality": label[1],
                    "statistic": label[2],
                    "design": masks.designs[place],
                    "kept": packed[place].tobytes(),
                    "confidence": float(explanation.confidence[place]),
                }
            )
    return rows


def _work_row(subject: Subject, measured: Measured, evaluation_passes: int) -> dict[str, Any]:
    """Return how many passes ran, and how many would have without sharing."""
    points = 0
    for by_explainer in measured.values():
        for faithfulness in by_explainer.values():
            points += sum(len(curve.fraction) for curve in faithfulness.curves.values())
    naive = 0
    for result in subject.results.values():
        # A script that shares nothing runs repeated masks again, and the image once more.
        if result.masks is None:
            naive += result.forward_passes
        else:
            naive += shared_passes([result.masks]).naive
    return {
        "number": subject.sample.number,
        "forward_passes": subject.passes,
        "naive_passes": naive,
        "evaluation_passes": evaluation_passes,
        "naive_evaluation_passes": points,
        "seconds": 0.0,
    }


def _facts(subject: Subject, scores: np.ndarray, model: VisionModel) -> dict[str, Any]:
    """Return the row of an image."""
    sample = subject.sample
    true, label = None, None
    if sample.label is not None:
        true = _true_class(sample.label, model)
        # A label of which the model has no class is kept as it stands.
        label = str(sample.label) if true is None else model.classes[true]
    rows, columns = model.grid_of(subject.picture.pixels.shape[2:])
    return {
        "number": sample.number,
        "name": sample.name,
        "sha256": sample.sha256,
        "label": label,
        "explained": subject.label,
        "explained_name": model.classes[subject.label],
        "probability": float(scores[subject.label]),
        "score": model.score.quantity,
        "correct": _is_correct(scores, true, model),
        "grid_rows": rows,
        "grid_cols": columns,
    }


def _is_correct(scores: np.ndarray, true: int | None, model: VisionModel) -> bool | None:
    """Return whether the model decides for the true class; None where that is not known."""
    if true is None or not model.score.is_probability:
        return None
    return bool(model.score.decided(scores, true))


def _true_class(label: int | str, model: VisionModel) -> int | None:
    """Return the class that a label means, or None where the model has no such class.

    With one class, labels 0 and 1 may stand for no and yes: there only a name is understood.
    """
    if model.n_classes == 1:
        names = model.classes[0].lower().split(", ")
        if str(label).lower() not in names or str(label).isdecimal():
            return None
    try:
        return model.label_of(label, 0)
    except InputError:
        return None


def _view_row(subject: Subject) -> dict[str, Any]:
    """Return the image as the model saw it, as a PNG."""
    written = BytesIO()
    Image.fromarray(subject.picture.view).save(written, "PNG")
    return {"number": subject.sample.number, "png": written.getvalue()}


def _network_tables(plan: Plan, subject: Subject, model: VisionModel) -> Tables:
    """Return measures of the image's network that were asked for."""
    tables: Tables = {}
    if not {"layers", "multilayer"} & set(plan.save):
        return tables
    number = subject.sample.number
    network = multiplex(model, subject.picture)
    if "layers" in plan.save:
        measures = plan.network_measures or None
        table = network.layer_table(measures).assign(number=number)
        tables["layers"] = table.to_dict("records")
    if "multilayer" in plan.save:
        table = network.multilayer_table()
        table = table.drop(columns=["node", "row", "col"], errors="ignore")
        # One row an image: the mean over nodes, since all nodes of many images would be too many.
        means = table.mean(numeric_only=True)
        tables["multilayer"] = [{"number": number, **means.to_dict()}]
    return tables
