"""Warnings that point to the user's own line, however many calls lie between."""

import inspect
import warnings


def warn(message: str) -> None:
    """Warn of something, at the line outside this package that called it."""
    # The frames of this function and of the next one are two of those between.
    warnings.warn(message, stacklevel=_caller_level())


def _caller_level() -> int:
    """Return the stack level, for `warn`, of the line outside this package."""
    frame, level = inspect.currentframe(), 0
    while frame is not None:
        module = frame.f_globals.get("__name__", "")
        if not module.startswith("multiplex_vit."):
            break
        frame, level = frame.f_back, level + 1
    return level
