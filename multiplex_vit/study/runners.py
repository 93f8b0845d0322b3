"""Runners: where units are computed. Each takes a plan and units, and yields (unit's number, tables) as they are done, in any order."""

import multiprocessing
import os
import pickle
import signal
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from itertools import islice
from threading import Thread
from typing import Any

from multiplex_vit.errors import InputError
from multiplex_vit.models.vision_model import VisionModel
from multiplex_vit.study.plan import Plan
from multiplex_vit.study.work import Tables, Unit, compute, compute_alone

Done = tuple[int, Tables]
Runner = Callable[[Plan, Iterable[Unit]], Iterator[Done]]
AHEAD = 2
"""Units in flight a worker: enough that none waits, few enough that memory does not grow with the images."""

UNGUARDED = 87
"""Exit code of a worker whose script runs the study again."""

DEATHS = 5
"""So many times in a row workers may die without a unit done before a run gives up."""


def in_process(model: VisionModel) -> Runner:
    """Return a runner that computes one unit after the other, here."""

    def run(plan: Plan, units: Iterable[Unit]) -> Iterator[Done]:
        for unit in units:
            yield unit.number, compute(plan, unit, model)

    return run


def processes(workers: int) -> Runner:
    """Return a runner with worker processes of one thread each; units of a worker that dies are run again."""

    def run(plan: Plan, units: Iterable[Unit]) -> Iterator[Done]:
        sendable(plan)
        again: list[Unit] = []
        waiting, deaths = iter(units), 0
        while True:
            left: list[Unit] = []
            for done in _until_a_death(plan, _chained(again, waiting), workers, left):
                deaths = 0
                yield done
            if not left:
                return
            again, deaths = left, deaths + 1
            if deaths == DEATHS:
                raise InputError(f"the workers died {DEATHS} times in a row ({gone(left)}); perhaps memory is short: take fewer workers, or smaller units")

    return run


def leave_if_started_by_a_worker() -> None:
    """End a worker that, on its start, runs the script that started it and would run the study again."""
    if getattr(multiprocessing.current_process(), "_inheriting", False):
        os._exit(UNGUARDED)


def sendable(plan: Plan) -> None:
    """Refuse a plan that cannot be sent to another process."""
    try:
        pickle.dumps(plan)
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        raise InputError(f"the settings hold a function that workers cannot be given ({error}); define it in a module, or take one worker") from error


def gone(units: Iterable[Unit]) -> str:
    """Return which units were lost, for a message."""
    return f"units {', '.join(str(unit.number) for unit in units)} were in work"


def _chained(again: list[Unit], waiting: Iterator[Unit]) -> Iterator[Unit]:
    yield from again
    yield from waiting


def _until_a_death(plan: Plan, units: Iterator[Unit], workers: int, left: list[Unit]) -> Iterator[Done]:
    """Yield what is done until a worker dies; what was in flight then is put into `left`."""
    pool = ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn"), initializer=_start)
    flying: dict[Future[Done], Unit] = {}
    started: dict[int, Any] = {}
    try:
        while True:
            for unit in islice(units, max(0, AHEAD * workers - len(flying))):
                left.append(unit)
                flying[pool.submit(_computed, plan, unit)] = unit
                left.remove(unit)
            started |= getattr(pool, "_processes", None) or {}
            if not flying:
                return
            for future in wait(flying, return_when=FIRST_COMPLETED).done:
                yield future.result()
                del flying[future]
    except BrokenProcessPool as error:
        left += flying.values()
        if any(_ended(process) == UNGUARDED for process in started.values()):
            raise InputError(
                'every worker runs the script that starts it, and would run the study again; put the call of run under if __name__ == "__main__":'
            ) from error
    finally:
        _stop(pool)


def _ended(process: Any) -> int | None:
    """Return a worker's exit code once it has ended."""
    process.join(timeout=5)
    return process.exitcode


def _stop(pool: ProcessPoolExecutor) -> None:
    """End the workers without waiting for what they are at."""
    workers = list((getattr(pool, "_processes", None) or {}).values())
    pool.shutdown(wait=False, cancel_futures=True)
    for worker in workers:
        worker.terminate()


def _start() -> None:
    """Let a worker end when the process that started it is gone, even killed; and leave Ctrl-C to that process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    assert parent is not None

    def follow() -> None:
        parent.join()
        os._exit(1)

    Thread(target=follow, daemon=True).start()


def _computed(plan: Plan, unit: Unit) -> Done:
    number = "".join(filter(str.isdigit, multiprocessing.current_process().name)) or "0"
    return compute_alone(plan, unit, worker=int(number))
