"""Every way in which a saved file of arrays can be wrong: files made from a whole one, by name."""

import io
import json
import zipfile

import numpy as np


def arrays_of(path):
    """Return the arrays of an .npz file by name."""
    with np.load(path) as archive:
        return dict(archive)


def facts_of(path):
    """Return the facts that an .npz file holds."""
    return json.loads(str(arrays_of(path)["facts"]))


def with_facts(arrays, **changed):
    """Return arrays with other facts, which may be whatever JSON can hold."""
    facts = {**json.loads(str(arrays["facts"])), **changed}
    return {**arrays, "facts": np.array(json.dumps(facts))}


def wrong_arrays(name, array):
    """Yield a kind of damage and an array of that kind, for an array of numbers or truth values."""
    for dtype in ("float16", "float64", "int8", "int64", "complex64", "bool", "uint8", ">f4", "U3"):
        if np.dtype(dtype) != array.dtype:
            yield f"{name} as {dtype}", array.astype(dtype)
    yield f"{name} as objects", array.astype(object)
    yield f"{name} as dates", np.zeros(array.shape, dtype="datetime64[s]")
    yield f"{name} as records", np.zeros(array.shape, dtype=[("a", "f4")])
    yield f"{name} with an axis more", array[None]
    yield f"{name} with an axis less", array.reshape(-1) if array.ndim > 1 else array[0]
    for axis in range(array.ndim):
        yield f"{name} shorter along {axis}", np.delete(array, 0, axis)
        yield f"{name} longer along {axis}", np.concatenate([array, array], axis)
        yield f"{name} of nothing along {axis}", np.take(array, [], axis)
    if array.dtype.kind == "f":
        for value in (np.nan, np.inf, -np.inf):
            changed = array.copy()
            changed.flat[-1] = value
            yield f"{name} with {value}", changed


def damaged_files(path):
    """Yield a kind of damage and bytes, of a whole .npz file."""
    whole, arrays = path.read_bytes(), arrays_of(path)
    for share in (0.1, 0.5, 0.9, 0.99):
        yield f"cut at {share}", whole[: int(len(whole) * share)]
    yield "nothing", b""
    yield "text", b"hello"
    yield "pickle", b"\x80\x04N."
    for share in (0.2, 0.4, 0.6, 0.8):
        place = int(len(whole) * share)
        flipped = bytes([whole[place] ^ 255])
        yield f"flipped at {share}", whole[:place] + flipped + whole[place + 1 :]
    for name in arrays:
        yield f"{name} as text", repacked(arrays, {name: b"hello"})
        yield f"{name} as a pickle", repacked(arrays, {name: b"\x80\x04N."})
        yield f"{name} of a wild header", repacked(arrays, {name: header("__import__('os')")})
        huge = header("{'descr': '|b1', 'fortran_order': False, 'shape': (1000000, 1000000)}")
        yield f"{name} that claims 10^12 values", repacked(arrays, {name: huge})
        wide = header("{'descr': '<U999999999', 'fortran_order': False, 'shape': ()}")
        yield f"{name} that claims a long text", repacked(arrays, {name: wide})


def header(text):
    """Return the first bytes of an array in NumPy's format, with any text for a header."""
    padded = text.ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00" + len(padded).to_bytes(2, "little") + padded.encode()


def repacked(arrays, raw):
    """Return the bytes of an .npz file with some members replaced by raw bytes."""
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as file:
        for name, array in arrays.items():
            content = io.BytesIO()
            np.save(content, array)
            file.writestr(f"{name}.npy", raw.get(name, content.getvalue()))
    return written.getvalue()
