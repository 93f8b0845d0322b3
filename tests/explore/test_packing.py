"""What is packed comes back, to within what its docstring says."""

import base64
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from multiplex_vit.explore.packing import packed, packed_flags, packed_shares, quantised
from multiplex_vit.explore.thinning import WEAKEST

TYPES = {"u8": "<u1", "u16": "<u2", "u32": "<u4"}


def codes(fields):
    content = base64.b64decode(fields["data"])
    return np.frombuffer(content, TYPES[fields["type"]]).reshape(fields["shape"])


def values(fields):
    """Return quantised numbers as the page reads them."""
    found = codes(fields)
    missing = 2 ** (8 * found.itemsize) - 1
    step = (fields["high"] - fields["low"]) / (missing - 1)
    return np.where(found == missing, np.nan, fields["low"] + found * step)


@pytest.mark.parametrize("top", [0, 255, 256, 65_535, 65_536])
def test_whole_numbers_come_back(top):
    numbers = np.array([[0, top]])
    assert codes(packed(numbers)).tolist() == numbers.tolist()


@pytest.mark.parametrize("bits", [8, 16])
@given(arrays(float, 7, elements=st.floats(-1e6, 1e6) | st.just(math.nan)))
def test_numbers_come_back_to_half_a_step(bits, numbers):
    fields = quantised(numbers, bits)
    found = values(fields)
    assert np.array_equal(np.isnan(found), np.isnan(numbers))
    half_a_step = (fields["high"] - fields["low"]) / (2**bits - 2) / 2
    # The ends are far larger than the rounding of the sums that lead to a value.
    slack = 1e-12 * max(abs(fields["low"]), abs(fields["high"]), 1)
    assert np.nanmax(np.abs(found - numbers), initial=0) <= half_a_step + slack


def test_infinite_values_become_the_ends():
    found = values(quantised(np.array([-math.inf, 1, 2, math.inf])))
    assert found.tolist() == [1, 1, 2, 2]
    assert np.isnan(values(quantised(np.array([math.inf])))).sum() == 0


@given(arrays(float, 9, elements=st.floats(0, 1)))
def test_shares_come_back_to_two_percent(shares):
    fields = packed_shares(shares)
    found = codes(fields)
    read = np.where(found == 0, 0, WEAKEST ** ((255 - found.astype(float)) / 254))
    held = shares >= WEAKEST
    assert np.array_equal(found > 0, held)
    # Half a step of the logarithmic scale.
    most = WEAKEST ** (-0.5 / 254) - 1
    assert most < 0.019
    assert (np.abs(read - shares)[held] <= (most + 1e-9) * shares[held]).all()


@given(arrays(bool, (3, 5)))
def test_flags_come_back(flags):
    fields = packed_flags(flags)
    content = np.frombuffer(base64.b64decode(fields["data"]), np.uint8)
    bits = np.unpackbits(content, bitorder="little")[: flags.size]
    assert np.array_equal(bits.reshape(fields["shape"]).astype(bool), flags)
