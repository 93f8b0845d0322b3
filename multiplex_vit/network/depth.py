"""Depth: the transformer block, and the head, that each layer of a network shows."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from multiplex_vit.checks import whole
from multiplex_vit.errors import InputError

SEVERAL = -1
"""Stands for several blocks, or several heads, together."""


def checked_depth(
    blocks: Any,
    heads: Any,
    n_layers: int,
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return the block and the head of every layer.

    Parameters
    ----------
    blocks : sequence of int
        One number a layer, or none at all; -1 stands for several blocks together.
        Default: 0, 1, ...
    heads : sequence of int
        One number a layer, or none at all. Default: -1 (pooled over heads) for layers that have
        their block for themselves; layers of one block are numbered.
    n_layers : int

    Raises
    ------
    InputError
        If a number is not whole or below -1, there is not one a layer, or two layers show the same
        head of the same block.

    Examples
    --------
    >>> checked_depth((), (), 2), checked_depth((0, 0, 1), (), 3)
    (((0, 1), (-1, -1)), ((0, 0, 1), (0, 1, 0)))
    """
    blocks = _numbers("blocks", blocks, n_layers) or tuple(range(n_layers))
    heads = _numbers("heads", heads, n_layers) or _numbered(blocks)
    seen = set()
    for block, head in zip(blocks, heads, strict=True):
        if (block, head) in seen:
            raise InputError(f"two layers show head {head} of block {block}; give each another")
        seen.add((block, head))
    return blocks, heads


def ranks(blocks: Sequence[int] | np.ndarray) -> np.ndarray:
    """Return the place [layer] of every layer's block among the blocks that are there, from 0.

    Examples
    --------
    >>> ranks([2, 2, 7, 5]).tolist()
    [0, 0, 2, 1]
    """
    # The inverse of the sorted unique blocks is the place of each among them.
    return np.unique(np.asarray(blocks, dtype=int), return_inverse=True)[1]


def shared(numbers: Sequence[int]) -> int:
    """Return the number that all layers have, or -1 if they differ.

    Examples
    --------
    >>> shared((3, 3)), shared((3, 4))
    (3, -1)
    """
    if len(set(numbers)) == 1:
        return numbers[0]
    return SEVERAL


def _numbers(name: str, given: Any, n_layers: int) -> tuple[int, ...]:
    if not isinstance(given, (Sequence, np.ndarray)) or isinstance(given, str):
        raise InputError(f"{name} is {given!r}; give one number a layer, or none")
    # None at all stands for the default.
    if len(given) not in (0, n_layers):
        count = f"{len(given)} numbers for {n_layers} layers"
        raise InputError(f"{name} has {count}; give one a layer, or none")
    return tuple(whole(name, number, at_least=SEVERAL) for number in given)


def _numbered(blocks: tuple[int, ...]) -> tuple[int, ...]:
    """Return heads for layers of which only the blocks are known."""
    # A block that has one layer is pooled over its heads.
    if len(set(blocks)) == len(blocks):
        return (SEVERAL,) * len(blocks)
    heads = []
    for place, block in enumerate(blocks):
        heads.append(blocks[:place].count(block))
    return tuple(heads)
