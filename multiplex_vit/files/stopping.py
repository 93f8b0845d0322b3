"""Signals that ask a process to stop: raised as an exception, held back during a step."""

import _thread
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_ASK_TO_STOP = ("SIGTERM", "SIGHUP")
_HELD_BACK = ("SIGINT", *_ASK_TO_STOP)
_MOMENT = 0.02
"""Seconds until a signal is sent anew whose exception Python has swallowed."""


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
    """Raise `Stopped` where a signal asks the process to stop, so that it clears up.

    A signal that is ignored, as under nohup, or that somebody else handles stays as it is.
    An exception that is raised while Python runs a `__del__` or a callback of a weak reference is
    swallowed there; the signal is sent anew then.

    Examples
    --------
    >>> with stopping():
    ...     try:
    ...         signal.raise_signal(signal.SIGTERM)
    ...     except Stopped as stopped:
    ...         print(stopped, stopped.code)
    SIGTERM 143
    """
    if threading.current_thread() is not threading.main_thread():
        # Signals reach the main thread alone.
        yield
        return
    # Python hands what it cannot raise to this hook, the exception of a signal among it.
    swallowed = _Swallowed(sys.unraisablehook)
    before = _replaced(_ASK_TO_STOP, _stop, only=(signal.SIG_DFL,))
    sys.unraisablehook = swallowed
    try:
        yield
    finally:
        sys.unraisablehook = swallowed.hook
        try:
            swallowed.end()
        finally:
            _restore(before)
    if swallowed.number is not None:
        raise Stopped(swallowed.number)


@contextmanager
def held_back() -> Iterator[None]:
    """Let a step be finished before a signal stops the process.

    The signal is raised once more after the block.
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
    signals: list[int] = []
    before = _replaced(_HELD_BACK, lambda number, _: signals.append(number))
    try:
        yield
    finally:
        _restore(before)
        if signals:
            # The first one: whoever pressed Ctrl-C twice meant the same.
            signal.raise_signal(signals[0])


class _Swallowed:
    """A hook for exceptions that Python cannot raise: sends the signal of a swallowed one anew.

    Attributes
    ----------
    hook : callable
        The hook that was there, for all other exceptions.
    number : int, optional
        Signal whose exception was swallowed and which was not sent anew so far.
    """

    def __init__(self, hook: Any):
        self.hook = hook
        self.number: int | None = None
        self._timer: threading.Timer | None = None

    def __call__(self, unraisable: Any) -> None:
        """Send the signal a moment later: what is raised in here is swallowed too."""
        error = unraisable.exc_value
        if not isinstance(error, KeyboardInterrupt):
            self.hook(unraisable)
            return
        self.number = getattr(error, "number", signal.SIGINT)
        self._timer = threading.Timer(_MOMENT, self._send)
        self._timer.daemon = True
        self._timer.start()

    def end(self) -> None:
        """Send no more signals."""
        timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()
            timer.join()

    def _send(self) -> None:
        number, self.number = self.number, None
        if number is None:
            return
        if hasattr(signal, "pthread_kill"):
            # A signal to the main thread also ends its waiting for a lock.
            signal.pthread_kill(threading.main_thread().ident or 0, number)
        else:
            _thread.interrupt_main(signal.Signals(number))


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
