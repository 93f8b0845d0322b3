"""Does a study lose, double or tear a row when its processes are killed? It is killed with SIGKILL at random moments, gone on with, and compared.

    python analysis/kill_study.py --images FOLDER_OR_PARQUET --limit 200 --kills 20 --runner local
    python analysis/kill_study.py --images FOLDER_OR_PARQUET --limit 200 --kills 20 --runner dask

A study of 9 settings (min_cut x token_ratio) is run once undisturbed and once killed: each time the driver or one of its workers, drawn from the
seed, after a time drawn from the seed. A driver that was killed is started again, and so is a worker of the Dask cluster. Both tables must
then be equal to the last bit, with every image and setting once. Prints what was killed, and ends with 1 if the tables differ.
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
from pathlib import Path

import numpy as np
import pandas as pd
import psutil

import multiplex_vit as mv

VARY = ["--vary", "min_cut=0.01,0.05,0.1", "--vary", "token_ratio=0.3,0.5,0.7"]
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1"}


class Cluster:
    """A Dask scheduler and workers, as processes of their own."""

    def __init__(self, n_workers: int):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.address = f"tcp://127.0.0.1:{free.getsockname()[1]}"
        self.scheduler = self._started("dask_scheduler", "--port", self.address.split(":")[-1], "--host", "127.0.0.1", "--no-dashboard")
        self.workers = [self._worker() for _ in range(n_workers)]

    @staticmethod
    def _started(program: str, *options: str) -> subprocess.Popen:
        command = [sys.executable, "-m", f"distributed.cli.{program}", *options]
        return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=ENVIRONMENT)

    def _worker(self) -> subprocess.Popen:
        return self._started("dask_worker", self.address, "--nthreads", "1", "--no-nanny", "--no-dashboard", "--local-directory", tempfile.gettempdir())

    def victims(self, driver: subprocess.Popen) -> list[int]:
        """Return the workers, those that died started again."""
        self.workers = [worker if worker.poll() is None else self._worker() for worker in self.workers]
        return [worker.pid for worker in self.workers]

    def close(self) -> None:
        """End all."""
        for process in (*self.workers, self.scheduler):
            process.kill()
            process.wait()


def children(driver: subprocess.Popen) -> list[int]:
    """Return the worker processes of a driver."""
    try:
        return [child.pid for child in psutil.Process(driver.pid).children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def start(args: argparse.Namespace, out: Path, where: list[str]) -> subprocess.Popen:
    """Start the study, or go on with it."""
    command = [sys.executable, "-m", "multiplex_vit", "study", str(args.images), "--out", str(out), "--chunk", str(args.chunk), "--device", "cpu"]
    limit = ["--limit", str(args.limit)] if args.limit else []
    steps = ["--steps", str(args.steps)] if args.steps else []
    return subprocess.Popen([*command, *VARY, *limit, *steps, *where], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=ENVIRONMENT)


def finish(driver: subprocess.Popen) -> None:
    """Wait for a driver, and stop if it failed."""
    _, told = driver.communicate()
    if driver.returncode:
        raise SystemExit(f"the study ended with {driver.returncode}: {told.decode()[-2000:]}")


def kill_at_random(begin: Callable[[], subprocess.Popen], victims: Callable[[subprocess.Popen], list[int]], n_kills: int, pause: float, seed: int) -> list[str]:
    """Run a study to its end while killing its processes; return what was killed."""
    rng, killed = np.random.default_rng(seed), []
    driver = begin()
    while len(killed) < n_kills:
        time.sleep(float(rng.uniform(0, 2 * pause)))
        workers = victims(driver)
        if driver.poll() is not None:
            if driver.returncode == 0:
                break
            driver = begin()
            continue
        chosen = driver.pid if not workers or rng.random() < 0.5 else int(rng.choice(workers))
        try:
            os.kill(chosen, signal.SIGKILL)
        except ProcessLookupError:
            continue
        killed.append("driver" if chosen == driver.pid else "worker")
        if chosen == driver.pid:
            driver.communicate()
            driver = begin()
    if driver.poll() is None or driver.returncode:
        victims(driver)
        driver.communicate()
        finish(begin())
    return killed


def compare(undisturbed: Path, disturbed: Path) -> str:
    """Return what differs between two studies' tables, or nothing."""
    a, b = (mv.Study.open(folder).table() for folder in (undisturbed, disturbed))
    keys = ["number", "setting", "variant", "protocol", "measure"]
    if b.duplicated(keys).any():
        return "rows are doubled"
    try:
        pd.testing.assert_frame_equal(a, b, check_exact=True)
    except AssertionError as error:
        return str(error)
    return ""


def main() -> int:
    """Run the study undisturbed and killed, and compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=Path, default=next(iter(mv.samples().values())).parent)
    parser.add_argument("--limit", type=int)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--runner", choices=("local", "dask"), default="local")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--chunk", type=int, default=2)
    parser.add_argument("--steps", type=int)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        plain, hurt = Path(folder, "undisturbed"), Path(folder, "killed")
        started = time.monotonic()
        finish(start(args, plain, ["--workers", str(args.workers)]))
        took = time.monotonic() - started
        cluster = Cluster(args.workers) if args.runner == "dask" else None
        where = ["--scheduler", cluster.address] if cluster else ["--workers", str(args.workers)]
        try:
            killed = kill_at_random(
                lambda: start(args, hurt, where), cluster.victims if cluster else children, args.kills, took / max(1, args.kills), args.seed
            )
        finally:
            if cluster:
                cluster.close()
        difference = compare(plain, hurt)
        rows = len(mv.Study.open(hurt).table())
    print(
        f"{args.runner}: {len(killed)} kills ({killed.count('driver')} of the driver, {killed.count('worker')} of workers), {rows} rows, undisturbed in {took:.0f} s"
    )
    print(difference or "the tables are equal")
    return 1 if difference else 0


if __name__ == "__main__":
    raise SystemExit(main())
