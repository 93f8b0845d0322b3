"""Does a study lose, double or tear a row when its processes are killed?

It is killed with SIGKILL at random moments, gone on with, and compared.

    python analysis/kill_study.py --data FOLDER --images 24 --kills 20 --runner local dask --steps 8

A study of two sweeps (min_cut x token_ratio of `mutex` and `communities`, 18 explainers) and of
three others is run once undisturbed, and with each runner once killed: each time the driver or one
of its workers, at a moment, both drawn from the seed. A driver that was killed is started again,
and so is a worker of the Dask cluster. All tables must then be equal to the last bit (but for
seconds), with every image and explainer once. Prints what was killed, and ends with 1 if tables
differ or a study was over before it was killed so often.
"""

import argparse
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
import psutil
from provenance import provenance

import multiplex_vit as mv
from multiplex_vit.report.markdown import markdown_table

EXPLAINERS = [
    *("--explainers", "mutex", "communities", "rise_tokens(budget=20)", "rollout"),
    *("--sweep", "min_cut=0.01,0.05,0.1", "--sweep", "token_ratio=0.3,0.5,0.7"),
]
TABLES = ("images", "views", "heatmaps", "curves", "costs", "masks", "failures", "work")
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1"}


class Cluster:
    """A Dask scheduler and workers, as processes of their own."""

    def __init__(self, n_workers: int):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.address = f"tcp://127.0.0.1:{free.getsockname()[1]}"
        self.scheduler = self._started(
            "dask_scheduler",
            "--port",
            self.address.split(":")[-1],
            "--host",
            "127.0.0.1",
            "--no-dashboard",
        )
        self.workers = [self._worker() for _ in range(n_workers)]

    @staticmethod
    def _started(program: str, *options: str) -> subprocess.Popen:
        command = [sys.executable, "-m", f"distributed.cli.{program}", *options]
        return subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=ENVIRONMENT
        )

    def _worker(self) -> subprocess.Popen:
        return self._started(
            "dask_worker",
            self.address,
            "--nthreads",
            "1",
            "--no-nanny",
            "--no-dashboard",
            "--local-directory",
            tempfile.gettempdir(),
        )

    def victims(self, driver: subprocess.Popen) -> list[int]:
        """Return the workers, those that died started again."""
        self.workers = [
            worker if worker.poll() is None else self._worker() for worker in self.workers
        ]
        return [worker.pid for worker in self.workers]

    def close(self) -> None:
        """End all."""
        for process in (*self.workers, self.scheduler):
            process.kill()
            process.wait()


def children(driver: subprocess.Popen) -> list[int]:
    """Return the worker processes of a driver."""
    try:
        return [
            child.pid
            for child in psutil.Process(driver.pid).children()
            if any("spawn_main" in word for word in child.cmdline())
        ]
    except psutil.Error:
        return []


def start(args: argparse.Namespace, out: Path, where: list[str]) -> subprocess.Popen:
    """Start the study, or go on with it."""
    command = [
        sys.executable,
        "-m",
        "multiplex_vit",
        "study",
        str(args.data),
        "--model",
        args.model,
        "--out",
        str(out),
        "--chunk",
        str(args.chunk),
        "--device",
        "cpu",
    ]
    limit = ["--limit", str(args.images)] if args.images else []
    steps = ["--steps", str(args.steps)] if args.steps else []
    return subprocess.Popen(
        [*command, *EXPLAINERS, *limit, *steps, *where],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env=ENVIRONMENT,
    )


def finish(driver: subprocess.Popen) -> None:
    """Wait for a driver, and stop if it failed."""
    _, told = driver.communicate()
    if driver.returncode:
        raise SystemExit(f"the study ended with {driver.returncode}: {told.decode()[-2000:]}")


@dataclass(frozen=True)
class Run:
    """What a killed study went through.

    Attributes
    ----------
    killed : list of str
        "driver" or "worker", in turn.
    units : list of int
        How many units were done at each kill.
    """

    killed: list[str] = field(default_factory=list)
    units: list[int] = field(default_factory=list)


@dataclass(frozen=True)
class Moments:
    """When to kill: by how much is done, and a while after that.

    So kills lie all over the study, however long starting again takes.

    Attributes
    ----------
    units : ndarray
        How many units are to be done before each kill, in order.
    delays : ndarray
        Seconds from then on.
    """

    units: np.ndarray
    delays: np.ndarray

    @classmethod
    def drawn(
        cls, n_kills: int, n_units: int, took: float, workers: int, rng: np.random.Generator
    ) -> "Moments":
        """Draw moments while at least one unit a worker is left.

        Delays are at most what a unit took a worker.
        """
        return cls(
            np.sort(rng.integers(0, max(1, n_units - workers), n_kills)),
            rng.uniform(0, took / n_units * workers, n_kills),
        )


def kill_at_random(
    begin: Callable[[], subprocess.Popen],
    victims: Callable[[subprocess.Popen], list[int]],
    done: Callable[[], int],
    moments: Moments,
    rng: np.random.Generator,
) -> Run:
    """Run a study to its end while killing its processes."""
    run, driver = Run(), begin()
    for units, delay in zip(moments.units, moments.delays, strict=True):
        while done() < units and driver.poll() is None:
            victims(driver)
            time.sleep(0.05)
        time.sleep(float(delay))
        if driver.poll() is not None:
            break
        workers = victims(driver)
        chosen = driver.pid if not workers or rng.random() < 0.5 else int(rng.choice(workers))
        with suppress(ProcessLookupError):
            os.kill(chosen, signal.SIGKILL)
        run.killed.append("driver" if chosen == driver.pid else "worker")
        run.units.append(done())
        if chosen == driver.pid:
            driver.communicate()
            driver = begin()
    while driver.poll() is None:
        victims(driver)
        time.sleep(0.2)
    finish(driver)
    return run


def compare(undisturbed: Path, disturbed: Path) -> str:
    """Return what differs between the tables of two studies but for seconds, or nothing."""
    plain, killed = mv.Study.open(undisturbed), mv.Study.open(disturbed)
    if killed.scores().duplicated(["number", "explainer", "protocol"]).any():
        return "rows are doubled"
    try:
        pd.testing.assert_frame_equal(plain.scores(), killed.scores(), check_exact=True)
        for name in TABLES:
            tables = []
            for study in (plain, killed):
                table = study.store.read(name).drop(columns="seconds", errors="ignore")
                # Which process a unit ran in does not matter, nor in what order units ended.
                tables.append(table.reset_index(drop=True))
            pd.testing.assert_frame_equal(*tables, check_exact=True)
    except AssertionError as error:
        return str(error)
    return ""


def disturbed(args: argparse.Namespace, runner: str, out: Path, n_units: int, took: float) -> Run:
    """Run a study that is killed, and return what it went through."""
    rng = np.random.default_rng(args.seed)
    moments = Moments.drawn(args.kills, n_units, took, args.workers, rng)
    cluster = Cluster(args.workers) if runner == "dask" else None
    where = ["--scheduler", cluster.address] if cluster else ["--workers", str(args.workers)]
    try:
        return kill_at_random(
            lambda: start(args, out, where),
            cluster.victims if cluster else children,
            lambda: units_of(out),
            moments,
            rng,
        )
    finally:
        if cluster:
            cluster.close()


def units_of(out: Path) -> int:
    """Return how many units of a study are done."""
    return len(list((out / "work").glob("group-*.parquet")))


def described(name: str, study: Path, run: Run, difference: str) -> dict[str, str | int]:
    """Return the row of a study that was run."""
    return {
        "runner": name,
        "units": units_of(study),
        "scores": len(mv.Study.open(study).scores()),
        "kills of the driver": run.killed.count("driver"),
        "kills of workers": run.killed.count("worker"),
        "units done at each kill": " ".join(map(str, run.units)),
        "tables": difference or "equal to the last bit",
    }


def line_of(row: dict[str, str | int]) -> str:
    """Return a row as one line."""
    facts = [f"{name} {value}" for name, value in row.items() if name != "runner"]
    return f"{row['runner']}: {', '.join(facts)}"


def main() -> int:
    """Run the study undisturbed and killed, and compare."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--data",
        type=Path,
        default=next(iter(mv.samples().values())).parent,
        help="anything that a study takes; the bundled pictures unless given",
    )
    parser.add_argument("--model", default="demo-vit")
    parser.add_argument("--images", type=int, help="the first so many; all unless given")
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--runner", nargs="+", choices=("local", "dask"), default=["local", "dask"])
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--chunk", type=int, default=2)
    parser.add_argument("--steps", type=int)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--out",
        type=Path,
        help="also write what is printed, with the command and commit, as Markdown",
    )
    args = parser.parse_args()
    rows, is_sound = [], True
    with tempfile.TemporaryDirectory() as folder:
        plain = Path(folder, "undisturbed")
        started = time.monotonic()
        finish(start(args, plain, ["--workers", str(args.workers)]))
        took = time.monotonic() - started
        rows.append(described("undisturbed", plain, Run(), "that the others are compared with"))
        print(line_of(rows[-1]), flush=True)
        for runner in args.runner:
            killed = Path(folder, runner)
            run = disturbed(args, runner, killed, units_of(plain), took)
            difference = compare(plain, killed)
            rows.append(described(runner, killed, run, difference))
            print(line_of(rows[-1]), flush=True)
            is_sound = is_sound and not difference and len(run.killed) == args.kills
        texts = list(map(str, mv.Study.open(plain).explainers))
    if args.out:
        args.out.write_text(summary(args, pd.DataFrame(rows), texts))
    return 0 if is_sound else 1


def summary(args: argparse.Namespace, table: pd.DataFrame, explainers: list[str]) -> str:
    """Return what is written: the command, what was studied, and a row a runner."""
    facts = provenance()
    about = f"`{facts['command']}`; {facts['date']}, commit {facts['commit']}, {facts['device']}."
    what = f"{args.images or 'All'} images in chunks of {args.chunk}, {args.workers} workers"
    studied = f"{what}, {len(explainers)} explainers: {', '.join(explainers)}."
    head = ["# A study killed at random moments", about, studied]
    return "\n\n".join([*head, markdown_table(table)]) + "\n"


if __name__ == "__main__":
    raise SystemExit(main())
