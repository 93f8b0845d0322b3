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
_ENCRYPTED = 1
"""The bit of a member's flags that says that it is encrypted."""

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
        Range of its values, both included. NaN and infinity are never right. Default: any value.
    optional : bool
        Whether it may be missing. Default: False.
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
        size = 0
        for member in file.infolist():
            name = member.filename.removesuffix(".npy")
            is_array = name != member.filename and _is_plain(member)
            # Two members of one name would be one array to NumPy.
            if not is_array or name in self._members:
                given = f"{member.filename[:80]!r}"
                raise InputError(f"it holds {given}, which is no array of NumPy's")
            self._members[name] = member
            size += member.file_size
        # What the members claim; zipfile does not let them hold more.
        if size > MOST_ARRAY_BYTES:
            limit = f"(limit {MOST_ARRAY_BYTES:,})"
            raise InputError(f"its arrays have {size:,} bytes {limit}")

    def facts(self) -> Any:
        """Return what the array of facts holds, parsed."""
        with self._array(FACTS) as ((shape, _, dtype), file):
            # NumPy keeps 4 bytes a letter.
            is_small = dtype.itemsize <= 4 * MOST_JSON_BYTES
            if shape != () or dtype.kind != "U" or not is_small:
                given = f"{FACTS} is {dtype} {list(shape)}"
                raise InputError(f"{given}; expected one text")
            text = str(np.lib.format.read_array(file, allow_pickle=False))
        return parsed_json(text, what=FACTS)

    def arrays(self, fields: Mapping[str, Field], sizes: Sizes | None = None) -> Arrays:
        """Return the arrays of a file that holds these and, beside facts, nothing else.

        Parameters
        ----------
        fields : mapping of str to Field
        sizes : mapping of str to int, optional
            Sizes of named axes; those of others are what the first array has. Default: None.

        Raises
        ------
        InputError
            If one is missing or unknown, or its type, shape or values are wrong.
        """
        for name in self._members:
            if name not in fields and name != FACTS:
                raise InputError(f"{name[:80]!r} is unknown")
        sizes_so_far = dict(sizes or {})
        arrays = {}
        for name, field in fields.items():
            if name in self._members:
                arrays[name] = self._checked(name, field, sizes_so_far)
            elif not field.optional:
                raise InputError(f"{name} is missing")
        return arrays

    def _checked(self, name: str, field: Field, sizes: dict[str, int]) -> np.ndarray:
        with self._array(name) as (header, file):
            self._check_header(name, field, sizes, header)
            values = np.lib.format.read_array(file, allow_pickle=False)
            # The check sum is compared when the end is read.
            file.read()
        _check_values(name, field, values)
        return np.ascontiguousarray(values)

    def _check_header(self, name: str, field: Field, sizes: dict[str, int], header: Header) -> None:
        shape, _, dtype = header
        fits = len(shape) == len(field.axes)
        for axis, size in zip(field.axes, shape, strict=False):
            # The first array that has an axis decides its size.
            wanted = sizes.setdefault(axis, size) if isinstance(axis, str) else axis
            fits = fits and size == wanted
        if not fits or dtype != np.dtype(field.dtype):
            axes = [str(sizes.get(str(axis), axis)) for axis in field.axes]
            expected = f"{field.dtype} [{', '.join(axes)}]"
            raise InputError(f"{name} is {dtype} {list(shape)}; expected {expected}")
        # A header may claim more than there is, which would be allocated before it is read.
        held = self._members[name].file_size
        if prod(shape) * dtype.itemsize > held:
            claim = f"claims shape {list(shape)}"
            raise InputError(f"{name} {claim}, but holds {held:,} bytes")

    @contextmanager
    def _array(self, name: str) -> Iterator[tuple[Header, IO[bytes]]]:
        """Give an array's header, and the file at the array's start."""
        if name not in self._members:
            raise InputError(f"{name} is missing")
        with self._file.open(self._members[name]) as file:
            header = _HEADERS[np.lib.format.read_magic(file)](file)
        # Opened anew, since NumPy reads the header once more with the array.
        with self._file.open(self._members[name]) as file:
            yield header, file


def _is_plain(member: zipfile.ZipInfo) -> bool:
    """Tell whether a member is packed as NumPy does it, and not encrypted."""
    return member.compress_type in _PACKED and not member.flag_bits & _ENCRYPTED


def _check_values(name: str, field: Field, values: np.ndarray) -> None:
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        raise InputError(f"{name} holds NaN or infinity")
    if not values.size or (field.low, field.high) == (-inf, inf):
        return
    low, high = float(values.min()), float(values.max())
    if low < field.low or high > field.high:
        outside = low if low < field.low else high
        expected = f"numbers from {field.low:g} to {field.high:g}"
        raise InputError(f"{name} holds {outside:g}; expected {expected}")


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
        except Exception as error:
            # A damaged file makes zipfile, zlib and NumPy fail in any way.
            reason = " ".join(str(error).split())[:300] or type(error).__name__
            damage = f"{path} is not {what}, or is damaged ({reason})"
            raise InputError(f"{damage}; give {give}") from error
