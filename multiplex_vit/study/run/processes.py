"""Runners: where units are computed.

A runner takes a plan and units, and yields (id of the unit, its tables) as they are done, in any
order.
"""

import multiprocessing
import os
import pickle
import signal
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from itertools import chain, islice
from threading import Thread
from typing import Any

from multiplex_vit.errors import InputError
from multiplex_vit.models.vision_model import VisionModel
from multiplex_vit.study.layout import UnitId
from multiplex_vit.study.plan import Plan
from multiplex_vit.study.rows import Tables
from multiplex_vit.study.unit import Unit
from multiplex_vit.study.work import compute, compute_alone

Done = tuple[UnitId, Tables]
Runner = Callable[[Plan, Iterable[Unit]], Iterator[Done]]

AHEAD = 2
"""Units in flight for each worker: enough that none waits, few enough to keep memory flat."""

UNGUARDED = 87
"""Exit code of a worker whose script runs the study again."""

DEATHS = 5
"""How often in a row workers may die without a unit done before a run gives up."""


def in_process(model: VisionModel) -> Runner:
    """Return a runner that computes one unit after the other, in this process."""

    def run(plan: Plan, units: Iterable[Unit]) -> Iterator[Done]:
        for unit in units:
            yield unit.id, compute(plan, unit, model)

    return run


def processes(workers: int) -> Runner:
    """Return a runner with worker processes of one thread each.

    Units of a worker that dies are computed again.
    """

    def run(plan: Plan, units: Iterable[Unit]) -> Iterator[Done]:
        waiting = map(sendable, units)
        again: list[Unit] = []
        deaths = 0
        while True:
            lost: list[Unit] = []
            for done in _until_a_death(plan, chain(again, waiting), workers, lost):
                deaths = 0
                yield done
            if not lost:
                return
            again, deaths = lost, deaths + 1
            if deaths == DEATHS:
                what = f"the workers died {DEATHS} times in a row ({names_of_units(lost)})"
                remedy = "take fewer workers, or smaller chunks"
                raise InputError(f"{what}; perhaps memory is short: {remedy}")

    return run


def leave_if_started_by_a_worker() -> None:
    """End a worker that, on its start, runs the script which would run the study again."""
    # Python has no public way to ask this; a worker is "inheriting" while it imports the script.
    if getattr(multiprocessing.current_process(), "_inheriting", False):
        # At once: an exception would be printed by every worker, over and over.
        os._exit(UNGUARDED)


def sendable(unit: Unit) -> Unit:
    """Return a unit that can be sent to another process; InputError if it cannot."""
    try:
        pickle.dumps(unit.explainers)
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        what = f"an explainer holds a function that workers cannot be given ({error})"
        raise InputError(f"{what}; define it in a module, or take one worker") from error
    return unit


def names_of_units(units: Iterable[Unit]) -> str:
    """Return which units were lost, for a message."""
    chunks = sorted({unit.id.chunk for unit in units})
    return f"chunks {', '.join(map(str, chunks))} were in work"


def _until_a_death(
    plan: Plan, units: Iterator[Unit], workers: int, lost: list[Unit]
) -> Iterator[Done]:
    """Yield what is done until a worker dies; what was in flight then is put into `lost`."""
    # A forked process would share locks that torch's threads hold, and CUDA does not survive it.
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(workers, mp_context=context, initializer=_start)
    flying: dict[Future[Done], Unit] = {}
    started: dict[int, Any] = {}
    try:
        while True:
            for unit in islice(units, max(0, AHEAD * workers - len(flying))):
                # A pool that broke meanwhile refuses the unit, which would be gone otherwise.
                lost.append(unit)
                flying[pool.submit(_computed, plan, unit)] = unit
                lost.remove(unit)
            # A broken pool forgets its processes, whose exit codes say why it broke.
            started |= getattr(pool, "_processes", None) or {}
            if not flying:
                return
            for future in wait(flying, return_when=FIRST_COMPLETED).done:
                yield future.result()
                del flying[future]
    except BrokenProcessPool as error:
        lost += flying.values()
        if any(_exit_code(process) == UNGUARDED for process in started.values()):
            what = "every worker runs the script that starts it, and would run the study again"
            remedy = 'put the call of run under if __name__ == "__main__":'
            raise InputError(f"{what}; {remedy}") from error
    finally:
        _stop(pool)


def _exit_code(process: Any) -> int | None:
    """Return a worker's exit code once it has ended."""
    process.join(timeout=5)
    code: int | None = process.exitcode
    return code


def _stop(pool: ProcessPoolExecutor) -> None:
    """End the workers without waiting for what they are at."""
    workers = list((getattr(pool, "_processes", None) or {}).values())
    pool.shutdown(wait=False, cancel_futures=True)
    for worker in workers:
        # A unit may take minutes, and is computed again anyway.
        worker.terminate()


def _start() -> None:
    """Let a worker end with the process that started it, and leave Ctrl-C to that process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    assert parent is not None

    def follow() -> None:
        # A parent that is killed cannot tell its workers, which would go on for nobody.
        parent.join()
        os._exit(1)

    Thread(target=follow, daemon=True).start()


def _computed(plan: Plan, unit: Unit) -> Done:
    name = multiprocessing.current_process().name
    number = "".join(character for character in name if character.isdigit())
    return compute_alone(plan, unit, worker=int(number or "0"))
