"""Progress: a bar with images a second and the time left, where somebody looks."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def bar(shown: bool | None, total: int, done: int) -> Iterator[Callable[[int], object]]:
    """Give a function to call with the number of images that were done.

    Parameters
    ----------
    shown : bool, optional
        Whether there is a bar. Default: at a terminal and in a notebook.
    total, done : int
        Images, and those that were done before.
    """
    if shown is None:
        shown = sys.stderr.isatty() or "ipykernel" in sys.modules
    if not shown:
        yield lambda count: None
        return
    from tqdm import tqdm

    with tqdm(
        total=total, initial=done, unit=" images", dynamic_ncols=True, smoothing=0.1
    ) as drawn:
        yield drawn.update
