"""How figures came about: the command, the commit, the device, the version of torch, the day."""

import platform
import shlex
import subprocess
import sys
from collections.abc import Iterable
from datetime import date
from pathlib import Path

import torch

HIDDEN = ("--data", "--photos", "--checkpoint", "--cifar", "--out", "--study")
"""Options whose values are places on one's own disk."""


def provenance(model: torch.device | str = "cpu", *, dtype: str = "float32") -> dict[str, str]:
    """Return what a result is to say of itself, where this script ran on a device."""
    return {
        "command": command(sys.argv),
        "date": str(date.today()),
        "commit": commit(),
        "device": f"{device_name(model)}, {dtype}, torch {torch.__version__}",
    }


def command(words: Iterable[str]) -> str:
    """Return a command line without places on one's own disk; of a model's, its name is kept.

    >>> command(["/somewhere/analysis/check_sanity.py", "--data", "/mine", "--images", "3"])
    'python analysis/check_sanity.py --data FOLDER --images 3'
    """
    script, *rest = words
    rest = [
        Path(word).name if before == "--model" else word
        for before, word in zip(["", *rest], rest, strict=False)
    ]
    shown = [
        "FOLDER" if before in HIDDEN else word
        for before, word in zip(["", *rest], rest, strict=False)
    ]
    return f"python analysis/{Path(script).name} {shlex.join(shown)}".strip()


def commit(folder: Path | None = None) -> str:
    """Return the commit that is checked out in a folder, or here, marked where files differ from it; "unknown" where there is no git to ask."""
    found = subprocess.run(
        ["git", "describe", "--always", "--exclude=*", "--dirty=, changed"],
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
    )
    return found.stdout.strip() or "unknown"


def device_name(device: torch.device | str) -> str:
    """Return what a device is called, of a CPU with its threads."""
    place, threads = torch.device(device), torch.get_num_threads()
    return (
        torch.cuda.get_device_name(place)
        if place.type == "cuda"
        else f"{platform.machine()} CPU, {threads} thread{'' if threads == 1 else 's'}"
    )
