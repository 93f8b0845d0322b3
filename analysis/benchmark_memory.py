"""The rows of the benchmark that tell memory: of one explanation, and of many images one after the other."""

import os
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import psutil
from benchmark_case import Case, Rest, Rows, naive_loop, pixels

import multiplex_vit as mv

PAUSE = 0.1
"""Seconds between two looks at the memory."""


def memory(case: Case) -> Rows:
    """Explain once, for the memory that it takes above the model."""
    model = case.build()
    image, rest = pixels(lambda: model), Rest(model.device)
    mv.explain(model, image)
    return [{"tokens": int(np.prod(model.grid)) + model.n_prefix, **rest.row()}]


def memory_naive(case: Case) -> Rows:
    """Run one mask at a time, of half of the tokens as the published ones keep, for the memory that it takes."""
    model = case.build()
    image, kept = (
        pixels(lambda: model),
        np.arange(int(np.prod(model.grid))) % 2 == np.arange(2)[:, None],
    )
    rest = Rest(model.device)
    naive_loop(model, image, kept)
    return [rest.row()]


def stream(case: Case) -> Rows:
    """Explain a folder of many images one after the other: memory in the first half and in the second."""
    model, done = case.build(), [0]
    with tempfile.TemporaryDirectory() as name:
        source = case.many(Path(name))

        def run() -> None:
            for _ in mv.explain_each(
                model, (source.sample(i).data for i in range(len(source))), [mv.Settings()]
            ):
                done[0] += 1

        return [{"images": case.many_images, **watched(run, lambda: done[0], case.many_images)}]


def study(case: Case) -> Rows:
    """Run a study of many images, here and by worker processes: memory of all processes in the first half and in the second."""
    rows = []
    for workers in (1, 2):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name, "study")
            made = mv.Study(
                folder,
                case.many(Path(name)),
                model=case.model,
                protocols="token",
                steps=1,
                device=case.device,
            )
            figures = watched(
                lambda made=made, workers=workers: made.run(workers=workers),
                lambda made=made: made.chunk * units(made),
                case.many_images,
            )
            rows.append(
                {
                    "workers": workers,
                    "images": case.many_images,
                    "rows": len(made.scores()),
                    **figures,
                }
            )
    return rows


def units(study: mv.Study) -> int:
    """Return how many units are done, without reading them."""
    folder = Path(study.out) / "images"
    return sum(name.startswith("chunk-") for name in os.listdir(folder)) if folder.exists() else 0


def watched(run: Callable[[], object], done: Callable[[], int], count: int) -> dict[str, float]:
    """Return images a second, and the greatest memory in MiB of this process and its children while each half of the images was in work.

    The first tenth does not count: what is loaded once is loaded then.
    """
    seen: list[tuple[int, float]] = []
    over = threading.Event()

    def look() -> None:
        while not over.wait(PAUSE):
            seen.append((done(), memory_of_all()))

    watcher = threading.Thread(target=look, daemon=True)
    watcher.start()
    started = time.perf_counter()
    try:
        run()
    finally:
        over.set()
        watcher.join()
    seconds = time.perf_counter() - started
    halves = {"first_half_mib": (count / 10, count / 2), "second_half_mib": (count / 2, count + 1)}
    greatest = {
        key: round(max((mib for number, mib in seen if low <= number < high), default=0))
        for key, (low, high) in halves.items()
    }
    return {"images_a_second": count / seconds, **greatest}


def memory_of_all() -> float:
    """Return the memory of this process and its children, in MiB."""
    total = 0
    for process in (psutil.Process(), *psutil.Process().children(recursive=True)):
        try:
            total += process.memory_info().rss
        except psutil.Error:
            continue
    return total / 2**20
