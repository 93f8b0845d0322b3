"""Run hostile inputs one by one and say which of them were not met as they should be.

An input is met as it should be when it is refused by one clear line and leaves no file behind, or
when it is accepted and the result passes the check of its area. Everything else is a fault: any
other exception, a hang, a wrong result, a file that stays behind after a refusal.
"""

import faulthandler
import os
import resource
import sys
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from multiplex_vit.errors import InputError

SECONDS_AN_INPUT = 60
"""An input that takes longer hangs; the process is ended and names it. An area may say otherwise."""

LONGEST_LINE = 2_000


@dataclass
class Attempt:
    """One input: what it is, how it is used, and what must hold of the result if it is accepted."""

    what: str
    act: Callable[[], Any]
    check: Callable[[Any], None]
    folder: Path | None = None
    seconds: int = SECONDS_AN_INPUT


@dataclass
class Verdict:
    """What came of the inputs of an area."""

    refused: int = 0
    accepted: int = 0
    faults: list[str] = field(default_factory=list)
    megabytes: int = 0


def run_area(area: Callable[..., Attempt], numbers: range, folder: Path) -> Verdict:
    """Run the inputs of an area, each from a seed of its own, so that any one can be repeated."""
    verdict = Verdict()
    for number in numbers:
        own_folder = folder / f"{number:05d}"
        own_folder.mkdir()
        attempt = area(np.random.default_rng(number), own_folder)
        fault = judge(attempt, verdict)
        if fault is not None:
            verdict.faults.append(f"input {number}: {attempt.what[:300]}: {fault}")
    verdict.megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    return verdict


def judge(attempt: Attempt, verdict: Verdict) -> str | None:
    """Use one input; return what is wrong with how it was met, or None."""
    before = files_below(attempt.folder)
    print(attempt.what[:300], file=sys.stderr, flush=True)
    faulthandler.dump_traceback_later(attempt.seconds, exit=True)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            result = attempt.act()
    except InputError as error:
        verdict.refused += 1
        return fault_of_refusal(str(error), before, attempt.folder)
    except Exception as error:
        return f"{type(error).__name__} instead of one clear line: {str(error)[:300]}"
    finally:
        faulthandler.cancel_dump_traceback_later()
    verdict.accepted += 1
    try:
        attempt.check(result)
    except Exception as error:
        return f"accepted, and then {type(error).__name__}: {str(error)[:300]}"
    return None


def fault_of_refusal(line: str, before: dict[str, bytes], folder: Path | None) -> str | None:
    """Return what is wrong with a refusal, or None."""
    if not line.strip():
        return "refused without a word"
    if "\n" in line.strip():
        return f"refused in more than one line: {line[:300]!r}"
    if len(line) > LONGEST_LINE:
        return f"refused in {len(line)} characters"
    if "please report it" in line:
        return f"input is called a defect: {line[:300]}"
    after = files_below(folder)
    changed = [name for name in {*before, *after} if before.get(name) != after.get(name)]
    if changed:
        return f"refused, but changed or left {sorted(changed)[:5]}"
    return None


def files_below(folder: Path | None) -> dict[str, bytes]:
    """Return the regular files below a folder and their content; other things by name alone."""
    found: dict[str, bytes] = {}
    if folder is None:
        return found
    for root, folders, files in os.walk(os.fsencode(folder)):
        for name in folders:
            found[repr(os.path.join(root, name))] = b"a folder"
        for name in files:
            path = os.path.join(root, name)
            regular = os.path.isfile(path) and not os.path.islink(path)
            found[repr(path)] = Path(os.fsdecode(path)).read_bytes() if regular else b"special"
    return found


def pick(rng: np.random.Generator, choices: Any) -> Any:
    """Return one of the choices as it is (NumPy's `choice` would make an array of them)."""
    choices = list(choices)
    return choices[int(rng.integers(len(choices)))]
