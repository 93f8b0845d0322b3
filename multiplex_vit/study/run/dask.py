"""Studies on a Dask cluster, by the address of a scheduler or a client of one's own.

Clusters of queues such as SLURM's are started with dask-jobqueue, whose client is given then.
"""

import logging
import time
import warnings
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from itertools import islice
from queue import Empty, Queue
from typing import Any

from multiplex_vit.errors import InputError
from multiplex_vit.study.manifest import versions
from multiplex_vit.study.plan import Plan
from multiplex_vit.study.run.processes import (
    AHEAD,
    DEATHS,
    Done,
    Runner,
    names_of_units,
    sendable,
)
from multiplex_vit.study.unit import Unit
from multiplex_vit.study.work import compute_alone

PATIENCE = 10.0
"""Seconds that a scheduler may be silent."""

_LOGS = ("client", "core", "nanny", "scheduler", "worker", "comm", "batched", "utils", "deploy")


def on_cluster(client: Any) -> Runner:
    """Return a runner on a Dask cluster; units of a worker that is lost run again elsewhere.

    Parameters
    ----------
    client : str or distributed.Client
        Address of a scheduler, such as "tcp://host:8786", or a client.
    """

    def run(plan: Plan, units: Iterable[Unit]) -> Iterator[Done]:
        with connected(client) as connection:
            _warn_of_other_versions(connection)
            yield from _run(connection, plan, map(sendable, units))

    return run


@contextmanager
def connected(client: Any) -> Iterator[Any]:
    """Give a Dask client.

    Parameters
    ----------
    client : str or distributed.Client
        Address of a scheduler, or a client, which is given back as it is.

    Raises
    ------
    InputError
        If no scheduler answers, the package is missing, or something else is given.
    """
    try:
        import distributed
    except ImportError as error:
        raise InputError(
            "a Dask cluster needs the package distributed; pip install 'multiplex-vit[cluster]'"
        ) from error
    with ExitStack() as stack:
        stack.enter_context(_quiet_logs())
        if isinstance(client, distributed.Client):
            yield client
            return
        if not isinstance(client, str):
            wanted = "give the address of a Dask scheduler, or a distributed.Client"
            raise InputError(f"client is {type(client).__name__}; {wanted}")
        try:
            connection = distributed.Client(client, timeout=PATIENCE, set_as_default=False)
        except (OSError, TimeoutError, ValueError) as error:
            remedy = "start one with 'dask scheduler', or give its address"
            raise InputError(f"no Dask scheduler answers at {client}; {remedy}") from error
        # A client of the user's own stays open; this one is closed here.
        yield stack.enter_context(connection)


@contextmanager
def _quiet_logs() -> Iterator[None]:
    """Keep Dask's own log off the screen: what matters is said in one line."""
    names = ["distributed", "tornado.application"]
    names += [f"distributed.{part}" for part in _LOGS]
    logs = [logging.getLogger(name) for name in names]
    before = [log.level for log in logs]
    try:
        for log in logs:
            log.setLevel(logging.CRITICAL + 1)
        yield
    finally:
        for log, level in zip(logs, before, strict=True):
            log.setLevel(level)


def _run(client: Any, plan: Plan, units: Iterator[Unit]) -> Iterator[Done]:
    flying: dict[Any, Unit] = {}
    finished: Queue[Any] = Queue()
    again: list[Unit] = []
    deaths, last_heard = 0, time.monotonic()
    try:
        while True:
            room = max(0, _room(client) - len(flying))
            ready = [again.pop() for _ in range(min(room, len(again)))]
            for unit in [*ready, *islice(units, room - len(ready))]:
                future = client.submit(_on_worker, plan, unit, pure=False)
                future.add_done_callback(finished.put)
                flying[future] = unit
            if not flying:
                return
            with suppress(Empty):
                finished.get(timeout=1)
            # A client tries to find its scheduler again, for which it has some seconds.
            if client.status == "running":
                last_heard = time.monotonic()
            elif time.monotonic() - last_heard > PATIENCE:
                raise InputError(_lost_scheduler(client))
            for future in [future for future in flying if future.done()]:
                unit = flying.pop(future)
                done = _result(client, future)
                if done is not None:
                    # Deaths count in a row: a long study on a queue loses workers now and then.
                    deaths = 0
                    yield done
                    continue
                again.append(unit)
                deaths += 1
                if deaths == DEATHS:
                    what = f"workers died {DEATHS} times in a row ({names_of_units([unit])})"
                    raise InputError(f"{what}; perhaps memory is short: take smaller chunks")
    finally:
        # What is in flight would go on for nobody, where the run was stopped.
        if client.status == "running":
            client.cancel(list(flying))


def _result(client: Any, future: Any) -> Done | None:
    """Return the tables of a unit; None where its workers died, or it was lost with them."""
    from distributed import CancelledError, KilledWorker

    try:
        done: Done = future.result(timeout=PATIENCE)
        return done
    except KilledWorker:
        return None
    except CancelledError as error:
        # A future is cancelled too where the scheduler lost it, or is gone itself.
        if client.status == "running" and _answers(client):
            return None
        raise InputError(_lost_scheduler(client)) from error
    except (OSError, TimeoutError) as error:
        raise InputError(_lost_scheduler(client)) from error


def _answers(client: Any) -> bool:
    try:
        return bool(client.sync(client.scheduler.identity, callback_timeout=PATIENCE))
    except (OSError, TimeoutError):
        return False


def _lost_scheduler(client: Any) -> str:
    # What a client was started with may be a cluster of the user's own.
    start = client._start_arg
    address = start if isinstance(start, str) else "the cluster"
    what = f"the Dask scheduler at {address} is gone"
    return f"{what}; what is done is kept, run again to go on"


def _room(client: Any) -> int:
    """Return how many units may be in flight."""
    try:
        return AHEAD * max(1, len(client.scheduler_info(n_workers=-1)["workers"]))
    except (TypeError, KeyError, OSError):
        return AHEAD


def _on_worker(plan: Plan, unit: Unit) -> Done:
    from distributed import get_worker

    worker = get_worker()
    # Workers of queues have names such as SLURMCluster-3-1; the number spreads them over GPUs.
    digits = "".join(character for character in str(worker.name) if character.isdigit())
    number = int(digits[-6:] or "0")
    return compute_alone(plan, unit, worker=number, threads=worker.state.nthreads)


def _warn_of_other_versions(client: Any) -> None:
    """Warn of workers that have other versions of what results depend on."""
    here = versions()
    for address, there in client.run(versions, on_error="ignore").items():
        changed = []
        for name, number in here.items():
            if there.get(name) != number:
                changed.append(f"{name} {there.get(name)}, here {number}")
        if changed:
            line = f"worker {address} has other versions: {', '.join(changed)}"
            warnings.warn(line, stacklevel=2)
