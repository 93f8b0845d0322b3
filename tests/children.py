"""Processes that tests start: they meet signals as if started from a terminal, whatever started the tests."""

import signal
import subprocess

import multiplex_vit as mv


def as_from_a_terminal():
    """Set the signals of a child as a terminal leaves them: under nohup or in the background, some are ignored."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


def start(command, **options):
    """Return a process whose output is text."""
    return subprocess.Popen(
        [str(part) for part in command], text=True, preexec_fn=as_from_a_terminal, **options
    )


def heatmap_there(model, pixels):
    """Return a heatmap: in a module of few imports, as a spawned process begins with them."""
    return mv.explain(model, pixels, label=1).heatmap
