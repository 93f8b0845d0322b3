"""Studies on a Dask cluster: an address, workers on this machine, or jobs of a queue such as SLURM's."""

import logging
import time
import warnings
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from inspect import signature
from itertools import islice
from queue import Empty, Queue
from typing import Any

from multiplex_vit.checks import shown, whole
from multiplex_vit.errors import InputError
from multiplex_vit.study.plan import Plan
from multiplex_vit.study.runners import AHEAD, DEATHS, Done, Runner, gone, sendable
from multiplex_vit.study.store import versions
from multiplex_vit.study.work import Unit, compute_alone

QUEUES = {"slurm": "SLURMCluster", "pbs": "PBSCluster", "sge": "SGECluster", "lsf": "LSFCluster", "htcondor": "HTCondorCluster", "oar": "OARCluster"}
"""Kinds of cluster that dask-jobqueue starts."""

_LOGS = ("client", "core", "nanny", "scheduler", "worker", "comm", "batched", "utils", "deploy")
PATIENCE = 10.0
"""Seconds that a scheduler may be silent."""


def on_cluster(scheduler: Any) -> Runner:
    """Return a runner on a Dask cluster; see `connected`. Units of a worker that is lost run again elsewhere."""

    def run(plan: Plan, units: Iterable[Unit]) -> Iterator[Done]:
        sendable(plan)
        with connected(scheduler) as client:
            _compare_versions(client)
            yield from _run(client, plan, iter(units))

    return run


@contextmanager
def connected(scheduler: Any) -> Iterator[Any]:
    """Give a Dask client.

    Parameters
    ----------
    scheduler : str, mapping or Dask client
        An address such as "tcp://host:8786"; or {"kind": "local", "workers": 2} for processes on this machine; or {"kind": "slurm", "jobs": 8}
        with the options of dask-jobqueue's SLURMCluster (cores, memory, queue, walltime, job_extra_directives, ...), and likewise for other queues.

    Raises
    ------
    InputError
        If no scheduler answers, the package is missing, or the options are wrong.
    """
    try:
        import distributed
    except ImportError as error:
        raise InputError("a Dask cluster wants the package distributed; pip install 'multiplex-vit[cluster]'") from error
    with ExitStack() as stack:
        stack.enter_context(_hushed())
        if isinstance(scheduler, distributed.Client):
            yield scheduler
            return
        if not isinstance(scheduler, (str, Mapping)):
            wanted = "an address, a mapping such as {'kind': 'local'}, or a Dask client"
            raise InputError(f"scheduler is {shown(scheduler)}; give {wanted}")
        address = stack.enter_context(_cluster(dict(scheduler))) if isinstance(scheduler, Mapping) else scheduler
        try:
            client = stack.enter_context(distributed.Client(address, timeout=PATIENCE, set_as_default=False))
        except (OSError, TimeoutError, ValueError) as error:
            raise InputError(f"no Dask scheduler answers at {scheduler}; start one with 'dask scheduler', or give its address") from error
        yield client


@contextmanager
def _hushed() -> Iterator[None]:
    """Keep Dask's own log off the screen: what matters is told in one line."""
    logs = [logging.getLogger(name) for name in ("distributed", *(f"distributed.{part}" for part in _LOGS), "tornado.application")]
    before = [log.level for log in logs]
    try:
        for log in logs:
            log.setLevel(logging.CRITICAL + 1)
        yield
    finally:
        for log, level in zip(logs, before, strict=True):
            log.setLevel(level)


def _cluster(options: dict[str, Any]) -> Any:
    """Return a cluster by its kind and options, its workers asked for."""
    import distributed

    kind = kind_of(options)
    options.pop("kind", None)
    try:
        if kind == "local":
            workers = whole("workers", options.pop("workers", 1), at_least=1)
            known = {name for taker in (distributed.LocalCluster, distributed.Nanny, distributed.Worker) for name in signature(taker).parameters}
            unknown = sorted(set(options) - known)
            if unknown:
                raise TypeError(f"it takes no {unknown[0]!r}")
            return distributed.LocalCluster(n_workers=workers, **{"threads_per_worker": 1, "dashboard_address": ":0", **options})
        import dask_jobqueue

        jobs = whole("jobs", options.pop("jobs", 1), at_least=1)
        cluster = getattr(dask_jobqueue, QUEUES[kind])(**options)
        cluster.scale(jobs=jobs)
    except ImportError as error:
        raise InputError(f"a {kind} cluster wants the package dask-jobqueue; pip install 'multiplex-vit[cluster]'") from error
    except (TypeError, ValueError, RuntimeError, OSError) as error:
        raise InputError(f"the {kind} cluster cannot be started: {' '.join(str(error).split())}; mend its options") from error
    return cluster


def kind_of(options: Mapping[str, Any]) -> str:
    """Return the kind of cluster that options ask for; InputError if it is unknown."""
    kind = options.get("kind", "local")
    if kind != "local" and kind not in QUEUES:
        raise InputError(f"unknown kind of cluster {kind!r}; known: local, {', '.join(QUEUES)}")
    return str(kind)


def _run(client: Any, plan: Plan, units: Iterator[Unit]) -> Iterator[Done]:
    flying: dict[Any, Unit] = {}
    finished: Queue[Any] = Queue()
    again: list[Unit] = []
    deaths, heard = 0, time.monotonic()
    try:
        while True:
            room = max(0, _ahead(client) - len(flying))
            ready = [again.pop() for _ in range(min(room, len(again)))]
            for unit in [*ready, *islice(units, room - len(ready))]:
                future = client.submit(_on_worker, plan, unit, pure=False)
                future.add_done_callback(finished.put)
                flying[future] = unit
            if not flying:
                return
            with suppress(Empty):
                finished.get(timeout=1)
            if client.status == "running":
                heard = time.monotonic()
            elif time.monotonic() - heard > PATIENCE:
                raise InputError(_lost(client))
            for future in [future for future in flying if future.done()]:
                unit = flying.pop(future)
                done = _result(client, future)
                if done is None:
                    again, deaths = [*again, unit], deaths + 1
                    if deaths == DEATHS:
                        raise InputError(f"workers died {DEATHS} times in a row ({gone([unit])}); perhaps memory is short: take smaller units")
                else:
                    deaths = 0
                    yield done
    finally:
        if client.status == "running":
            client.cancel(list(flying))


def _result(client: Any, future: Any) -> Done | None:
    """Return a unit's tables; None where its workers died, or where the future was lost with them."""
    from distributed import CancelledError, KilledWorker

    try:
        return future.result(timeout=PATIENCE)
    except KilledWorker:
        return None
    except CancelledError as error:
        if client.status == "running" and _answers(client):
            return None
        raise InputError(_lost(client)) from error
    except (OSError, TimeoutError) as error:
        raise InputError(_lost(client)) from error


def _answers(client: Any) -> bool:
    try:
        return bool(client.sync(client.scheduler.identity, callback_timeout=PATIENCE))
    except (OSError, TimeoutError):
        return False


def _lost(client: Any) -> str:
    return (
        f"the Dask scheduler at {client._start_arg if isinstance(client._start_arg, str) else 'the cluster'} is gone; what is done is kept, run again to go on"
    )


def _ahead(client: Any) -> int:
    try:
        return AHEAD * max(1, len(client.scheduler_info(n_workers=-1)["workers"]))
    except (TypeError, KeyError, OSError):
        return AHEAD


def _on_worker(plan: Plan, unit: Unit) -> Done:
    from distributed import get_worker

    worker = get_worker()
    number = "".join(filter(str.isdigit, str(worker.name)))[-6:] or "0"
    return compute_alone(plan, unit, worker=int(number), threads=worker.state.nthreads)


def _compare_versions(client: Any) -> None:
    """Warn of workers that have other versions of what results depend on."""
    here = versions()
    for address, there in client.run(versions, on_error="ignore").items():
        changed = [f"{name} {there.get(name)}, here {here[name]}" for name in here if there.get(name) != here[name]]
        if changed:
            warnings.warn(f"worker {address} has other versions: {', '.join(changed)}", stacklevel=2)
