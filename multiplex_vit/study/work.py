"""Work: a unit of images and explainers in, rows of tables out. This is what a worker does."""

import threading
import time
import warnings
from functools import lru_cache

from multiplex_vit.errors import InputError
from multiplex_vit.models.load import load
from multiplex_vit.models.place import device_of_worker, use_threads
from multiplex_vit.models.vision_model import VisionModel
from multiplex_vit.study.explaining import Failed, Subject, explained, explained_together
from multiplex_vit.study.layout import UnitId
from multiplex_vit.study.plan import Plan
from multiplex_vit.study.rows import Tables, failure_row, tables_of
from multiplex_vit.study.schema import chunk_tables, unit_tables
from multiplex_vit.study.sources import Sample
from multiplex_vit.study.unit import Unit

_one_at_a_time = threading.Lock()
"""A worker of Dask may have several threads, and a model serves one at a time."""


def compute_alone(
    plan: Plan, unit: Unit, *, worker: int = 0, threads: int = 1
) -> tuple[UnitId, Tables]:
    """Compute a unit in a worker process, which loads the model once."""
    with _one_at_a_time:
        use_threads(threads)
        device = device_of_worker(plan.device, worker)
        model = _loaded(plan.model, device, plan.dtype, plan.score)
        return unit.id, compute(plan, unit, model)


# One model, as a worker of many studies would keep them all.
@lru_cache(maxsize=1)
def _loaded(name: str, device: str, dtype: str, score: str) -> VisionModel:
    return load(name, device=device, dtype=dtype, score=score)


def compute(plan: Plan, unit: Unit, model: VisionModel) -> Tables:
    """Return the tables of a unit.

    What fails is a row of the failures, and the others go on.

    Raises
    ------
    InputError
        If every image of several fails for a reason that is not the images'.
    """
    names = [*chunk_tables(plan.save), *unit_tables(plan.save)]
    tables: Tables = {name: [] for name in names}
    for number, name, reason in unit.unread:
        tables["failures"].append(failure_row(number, name, "", reason))
    together = explained_together(plan, unit, model)
    failed_images = []
    for sample in unit.samples:
        with warnings.catch_warnings():
            # What is to be known of thousands of images stands in tables, and not in lines.
            warnings.simplefilter("ignore")
            rows = _image_tables(plan, unit, sample, model, together.get(sample.number))
        if isinstance(rows, Failed):
            failed_images.append(rows)
            tables["failures"].append(failure_row(sample.number, sample.name, "", rows.reason))
            continue
        for name, several in rows.items():
            tables[name] += several
    # One image may be strange by itself; when all of a chunk are, it is the machine or the model.
    all_failed = 1 < len(failed_images) == len(unit.samples)
    if all_failed and all(failed.strange for failed in failed_images):
        what = f"every image of chunk {unit.id.chunk} failed ({failed_images[0].reason})"
        raise InputError(f"{what}; it is not counted as done, mend the cause and run again")
    return tables


def _image_tables(
    plan: Plan, unit: Unit, sample: Sample, model: VisionModel, subject: Subject | None
) -> Tables | Failed:
    """Return the tables of an image, or why it has none."""
    try:
        started = time.monotonic()
        spent = 0.0
        if subject is None:
            subject = explained(plan, unit, sample, model)
        else:
            spent = sum(result.seconds for result in subject.results.values())
        strange = [failed for failed in subject.failed.values() if failed.strange]
        if strange and not subject.results:
            return strange[0]
        tables = tables_of(plan, unit, subject, model)
        seconds = time.monotonic() - started + spent
        for row in tables["work"]:
            row["seconds"] = seconds
        return tables
    except Exception as error:
        return Failed.of(error)
