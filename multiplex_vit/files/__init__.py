"""Writing: files whole or not at all, by one process at a time, into places checked before."""

from multiplex_vit.files.locks import locked
from multiplex_vit.files.scratch import clear_stale
from multiplex_vit.files.stems import output_stems
from multiplex_vit.files.stopping import Stopped, held_back, stopping
from multiplex_vit.files.targets import check_targets
from multiplex_vit.files.writing import (
    output_folder,
    writable,
    written_at_once,
    written_together,
    written_whole,
)

__all__ = [
    "Stopped",
    "check_targets",
    "clear_stale",
    "held_back",
    "locked",
    "output_folder",
    "output_stems",
    "stopping",
    "writable",
    "written_at_once",
    "written_together",
    "written_whole",
]
