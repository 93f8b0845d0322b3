"""Signals that ask a process to stop: raised as an exception, and held back during a step that must be finished."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_ASK_TO_STOP = ("SIGTERM", "SIGHUP")
_HELD_BACK = ("SIGINT", *_ASK_TO_STOP)


class Stopped(KeyboardInterrupt):
    """Raised where a signal asked the process to stop.

    Attributes
    ----------
    number : int
        Of the signal.
    code : int
        Exit code that a shell expects then.
    """

    def __init__(self, number: int):
        super().__init__(signal.Signals(number).name)
        self.number = number
        self.code = 128 + number


@contextmanager
def stopping() -> Iterator[None]:
    """Raise `Stopped` where a signal asks the process to stop, so that it clears up what it was writing.

    A signal that is ignored, as under nohup, or that somebody else handles stays as it is.

    Examples
    --------
    >>> with stopping():
    ...     try:
    ...         signal.raise_signal(signal.SIGTERM)
    ...     except Stopped as stopped:
    ...         print(stopped, stopped.code)
    SIGTERM 143
    """
    before = _replaced(_ASK_TO_STOP, _stop, only=(signal.SIG_DFL,))
    try:
        yield
    finally:
        _restore(before)


@contextmanager
def held_back() -> Iterator[None]:
    """Let a step be finished before a signal stops the process: it is raised once more after the block.

    Signals reach the main thread alone; in another thread there is nothing to hold back.

    Examples
    --------
    >>> with stopping():
    ...     try:
    ...         with held_back():
    ...             signal.raise_signal(signal.SIGTERM)
    ...             print("finished")
    ...     except Stopped:
    ...         print("stopped")
    finished
    stopped
    """
    came: list[int] = []
    before = _replaced(_HELD_BACK, lambda number, _: came.append(number))
    try:
        yield
    finally:
        _restore(before)
        if came:
            signal.raise_signal(came[0])


def _stop(number: int, _: Any) -> None:
    raise Stopped(number)


def _replaced(names: tuple[str, ...], handler: Any, only: tuple[Any, ...] = ()) -> dict[int, Any]:
    """Set the handler of signals that are not ignored, and return the handlers that were there."""
    before: dict[int, Any] = {}
    if threading.current_thread() is not threading.main_thread():
        return before
    for name in names:
        # Windows has no SIGHUP.
        number = getattr(signal, name, None)
        if number is None:
            continue
        there = signal.getsignal(number)
        if there in (None, signal.SIG_IGN) or (only and there not in only):
            continue
        before[number] = there
        signal.signal(number, handler)
    return before


def _restore(before: dict[int, Any]) -> None:
    for number, handler in before.items():
        signal.signal(number, handler)
