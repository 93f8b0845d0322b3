"""Arrays: what a saved file (.npz) must hold, written down as one line an array, and checked.

Types and shapes stand in the first bytes of an array, so they are checked before it is
decompressed: a small file cannot fill the memory.
"""

import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from math import inf, prod
from typing import IO, Any

import numpy as np

from multiplex_vit.errors import InputError
from multiplex_vit.limits import MOST_ARRAY_BYTES, MOST_JSON_BYTES
from multiplex_vit.reading.paths import opened
from multiplex_vit.reading.text import parsed_json

Sizes = Mapping[str, int]
Arrays = dict[str, np.ndarray]
Header = tuple[tuple[int, ...], bool, np.dtype]
"""Shape, whether columns come first, and type, as an array's first bytes have them."""

FACTS = "facts"
"""Name of the array of no axes that holds everything but arrays, as JSON."""

_PACKED = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_HEADERS = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}


@dataclass(frozen=True)
class Field:
    """What an array of a saved file is.

    Attributes
    ----------
    dtype : str
        Its type, exactly.
    axes : tuple of str or int
        Its axes: a name, whose size is the same in all arrays of the file, or a size.
    low, high : float
        Range of its values, both included. NaN and infinity are never right.
    optional : bool
        Whether it may be missing.
    """

    dtype: str
    axes: tuple[str | int, ...]
    low: float = -inf
    high: float = inf
    optional: bool = False


class Archive:
    """An open .npz file, from `opened_archive`."""

    def __init__(self, file: zipfile.ZipFile):
        self._file = file
        self._members: dict[str, zipfile.ZipInfo] = {}
        for member in file.infolist():
            name, suffix = member.filename[:-4], member.filename[-4:]
            plain = member.compress_type in _PACKED and not member.flag_bits & 1
            if suffix != ".npy" or name in self._members or not plain:
                raise InputError(f"it holds {member.filename[:80]!r}, which is no array of NumPy's")
            self._members[name] = member
        size = sum(member.file_size for member in file.infolist())
        if size > MOST_ARRAY_BYTES:
            raise InputError(f"its arrays have {size:,} bytes (limit {MOST_ARRAY_BYTES:,})")

    def facts(self) -> Any:
        """Return what the array of facts holds, parsed."""
        with self._array(FACTS) as ((shape, _, dtype), file):
            if shape != () or dtype.kind != "U" or dtype.itemsize > 4 * MOST_JSON_BYTES:
                raise InputError(f"{FACTS} is {dtype} {list(shape)}; one text is wanted")
            text = str(np.lib.format.read_array(file, allow_pickle=False))
        return parsed_json(text, what=FACTS)

    def arrays(self, fields: Mapping[str, Field], sizes: Sizes | None = None) -> Arrays:
        """Return the arrays of a file that holds these and, beside facts, nothing else.

        Parameters
        ----------
        fields : mapping of str to Field
        sizes : mapping of str to int, optional
            Sizes of named axes that are known; others are what the first array has.

        Raises
        ------
        InputError
            If one is missing or unknown, or its type, shape or values are wrong.
        """
        unknown = [name for name in self._members if name not in fields and name != FACTS]
        if unknown:
            raise InputError(f"{unknown[0][:80]!r} is unknown")
        known = dict(sizes or {})
        found = {}
        for name, field in fields.items():
            if name in self._members:
                found[name] = self._checked(name, field, known)
            elif not field.optional:
                raise InputError(f"{name} is missing")
        return found

    def _checked(self, name: str, field: Field, sizes: dict[str, int]) -> np.ndarray:
        with self._array(name) as (head, file):
            self._check_header(name, field, sizes, head)
            values = np.lib.format.read_array(file, allow_pickle=False)
            # The check sum is compared when the end is read.
            file.read()
        self._check_values(name, field, values)
        return np.ascontiguousarray(values)

    def _check_header(self, name: str, field: Field, sizes: dict[str, int], head: Header) -> None:
        shape, _, dtype = head
        fits = len(shape) == len(field.axes)
        for axis, size in zip(field.axes, shape, strict=False):
            wanted = sizes.setdefault(axis, size) if isinstance(axis, str) else axis
            fits = fits and size == wanted
        if not fits or dtype != np.dtype(field.dtype):
            axes = ", ".join(str(sizes.get(str(axis), axis)) for axis in field.axes)
            raise InputError(f"{name} is {dtype} {list(shape)}; {field.dtype} [{axes}] is wanted")
        held = self._members[name].file_size
        if prod(shape) * dtype.itemsize > held:
            raise InputError(f"{name} claims shape {list(shape)}, but holds {held:,} bytes")

    @staticmethod
    def _check_values(name: str, field: Field, values: np.ndarray) -> None:
        if values.dtype.kind == "f" and not np.isfinite(values).all():
            raise InputError(f"{name} holds NaN or infinity")
        if not values.size or (field.low, field.high) == (-inf, inf):
            return
        low, high = float(values.min()), float(values.max())
        if low < field.low or high > field.high:
            worst = low if low < field.low else high
            wanted = f"numbers from {field.low:g} to {field.high:g} are wanted"
            raise InputError(f"{name} holds {worst:g}; {wanted}")

    @contextmanager
    def _array(self, name: str) -> Iterator[tuple[Header, IO[bytes]]]:
        """Give an array's header, and the file at the array's start."""
        if name not in self._members:
            raise InputError(f"{name} is missing")
        with self._file.open(self._members[name]) as file:
            header = _HEADERS[np.lib.format.read_magic(file)](file)
        with self._file.open(self._members[name]) as file:
            yield header, file


@contextmanager
def opened_archive(path: Any, *, what: str, give: str) -> Iterator[Archive]:
    """Open a saved file (.npz); whatever is wrong with it inside the block is one line.

    Parameters
    ----------
    path : path-like
    what : str
        What it should be: "a saved explanation".
    give : str
        What to give instead, for the message.

    Raises
    ------
    InputError
        If it is missing, no regular file, no .npz, damaged, or too large once decompressed.
    """
    with opened(path, give=give, most=MOST_ARRAY_BYTES) as file:
        try:
            with zipfile.ZipFile(file) as unpacked:
                yield Archive(unpacked)
        except Exception as error:  # a damaged file makes zipfile, zlib and NumPy fail in any way
            why = " ".join(str(error).split())[:300] or type(error).__name__
            raise InputError(f"{path} is not {what}, or is damaged ({why}); give {give}") from error
