"""Hostile values that several areas use: numbers, names, arrays, bytes."""

import math
from typing import Any

import numpy as np
from harness import pick

# Functions are left out: what a function of the user's own raises is the user's to read.


class Blank:
    """An object without any use."""


NUMBERS = [
    0,
    1,
    -1,
    2,
    3,
    0.5,
    1.5,
    -0.5,
    10**9,
    10**30,
    1e300,
    math.nan,
    math.inf,
    -math.inf,
    True,
]
NAMES = [
    "",
    " ",
    "mutex",
    "nonsense",
    "None",
    "01",
    "=1+1",
    "a\x00b",
    "x" * 5_000,
    "\ud800",
    "<b>",
    "f(",
    "f(x=",
    "../..",
]
OBJECTS = [
    None,
    [],
    {},
    (),
    [1],
    ["a", "a"],
    {"a": 1},
    object(),
    Blank(),
    b"bytes",
    3j,
    range(3),
]


def value(rng: np.random.Generator) -> Any:
    """Return anything at all."""
    kind = pick(rng, ("number", "name", "object", "array"))
    if kind == "number":
        return pick(rng, NUMBERS)
    if kind == "name":
        return pick(rng, NAMES)
    if kind == "object":
        return pick(rng, OBJECTS)
    return array(rng)


def array(rng: np.random.Generator) -> np.ndarray:
    """Return an array of any type, shape and content."""
    shape = tuple(int(side) for side in rng.choice([0, 1, 2, 3, 4, 16], size=rng.integers(0, 5)))
    kind = pick(
        rng,
        (
            "float32",
            "float64",
            "float16",
            "int8",
            "int64",
            "bool",
            "complex64",
            "U3",
            "object",
            "uint8",
            "datetime64[s]",
        ),
    )
    if kind == "object":
        return np.full(shape, None, dtype=object)
    values = rng.integers(0, 255, shape) if kind != "bool" else rng.random(shape) < 0.5
    if kind.startswith("float"):
        values = rng.random(shape)
        spoil = pick(rng, (None, None, math.nan, math.inf, -1.0, 1e30))
        if spoil is not None and values.size:
            values.flat[int(rng.integers(values.size))] = spoil
    with np.errstate(all="ignore"):
        return np.asarray(values).astype(kind)


def spoiled(rng: np.random.Generator, content: bytes) -> bytes:
    """Return bytes with some of them changed, cut off, doubled or put elsewhere."""
    data = bytearray(content)
    for _ in range(int(rng.integers(1, 4))):
        if not data:
            return bytes(data)
        place = int(rng.integers(len(data)))
        way = pick(rng, ("flip", "cut", "double", "zero", "insert", "drop"))
        if way == "flip":
            data[place] ^= 1 << int(rng.integers(8))
        elif way == "cut":
            del data[place:]
        elif way == "double":
            data[place:place] = data[place : place + 64]
        elif way == "zero":
            data[place : place + 16] = bytes(len(data[place : place + 16]))
        elif way == "insert":
            data[place:place] = rng.bytes(8)
        else:
            del data[place : place + int(rng.integers(1, 32))]
    return bytes(data)
