"""Packing: arrays as short texts that JavaScript reads as typed arrays."""

import math
from base64 import b64encode
from typing import Any

import numpy as np

from multiplex_vit.explore.thinning import WEAKEST

Packed = dict[str, Any]
"""An array as JSON: its type, its shape, its bytes in base64, and how codes become values."""

_TYPES = {"uint8": "u8", "uint16": "u16", "uint32": "u32"}


def packed(values: np.ndarray) -> Packed:
    """Return whole numbers from 0 up in as few bytes as they need.

    Examples
    --------
    >>> packed(np.array([[1, 2]]))
    {'type': 'u8', 'shape': [1, 2], 'data': 'AQI='}
    """
    smallest = np.min_scalar_type(int(values.max(initial=0)))
    codes = np.ascontiguousarray(values, dtype=smallest)
    # The first byte of a number is the least, as on all processors of today.
    codes = codes.astype(codes.dtype.newbyteorder("<"))
    return {
        "type": _TYPES[smallest.name],
        "shape": list(values.shape),
        "data": b64encode(codes.tobytes()).decode(),
    }


def quantised(values: np.ndarray, bits: int = 16) -> Packed:
    """Return numbers as codes 0, 1, ... from their least to their greatest finite value.

    The highest code stands for NaN. Infinite values become the least or greatest finite one.

    Parameters
    ----------
    values : ndarray
    bits : 8 or 16
        Default: 16, whose step is 1 / 65,534 of the range.

    Examples
    --------
    >>> quantised(np.array([0, 1, np.nan]), bits=8)
    {'type': 'u8', 'shape': [3], 'data': 'AP7/', 'low': 0.0, 'high': 1.0}
    """
    values = np.asarray(values, dtype=float)
    finite = values[np.isfinite(values)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 0.0)
    missing = 2**bits - 1
    # Values that are all the same have no range to divide by.
    step = (high - low) / (missing - 1) or 1.0
    clipped = np.clip(np.nan_to_num(values, nan=low), low, high)
    codes = np.rint((clipped - low) / step)
    codes[np.isnan(values)] = missing
    fields = _of_bits(codes, bits)
    return {**fields, "low": low, "high": high}


def packed_shares(shares: np.ndarray) -> Packed:
    """Return shares of a greatest weight as one byte each, on a scale of logarithms.

    Code 255 is a share of 1, code 1 is `WEAKEST`, and code 0 is no edge. Values read back differ by
    at most 1.9 % of themselves.

    Examples
    --------
    >>> packed_shares(np.array([1, 0.0001, 0]))["data"]
    '/wEA'
    """
    # The logarithm of 0 is not wanted, and what is below the weakest edge is none.
    held = np.where(shares >= WEAKEST, shares, WEAKEST)
    codes = 1 + np.rint(254 * (1 - np.log(held) / math.log(WEAKEST)))
    codes[shares < WEAKEST] = 0
    return {**_of_bits(codes, 8), "weakest": WEAKEST}


def packed_flags(flags: np.ndarray) -> Packed:
    """Return truth values as bits, eight in a byte, the first one lowest.

    Examples
    --------
    >>> packed_flags(np.array([[True, False, True]]))
    {'type': 'bits', 'shape': [1, 3], 'data': 'BQ=='}
    """
    bits = np.packbits(flags.ravel(), bitorder="little")
    return {"type": "bits", "shape": list(flags.shape), "data": b64encode(bits.tobytes()).decode()}


def _of_bits(codes: np.ndarray, bits: int) -> Packed:
    kind = np.dtype(f"uint{bits}").newbyteorder("<")
    return {
        "type": _TYPES[f"uint{bits}"],
        "shape": list(codes.shape),
        "data": b64encode(codes.astype(kind).tobytes()).decode(),
    }
