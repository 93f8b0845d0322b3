"""Batches: how many sequences or images one forward pass takes."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
from torch import Tensor

from multiplex_vit.checks import whole
from multiplex_vit.errors import InputError
from multiplex_vit.models.fast.memory import is_out_of_memory, release_memory
from multiplex_vit.models.tensors import computable

_IMAGES_OF_A_CHUNK = 8
_TOKENS_OF_A_CHUNK = 8192


def sequences_a_batch(n_token: int, batch_size: int | str, most_tokens: int) -> int:
    """Return how many sequences one forward pass takes.

    Parameters
    ----------
    n_token : int
        Tokens of a sequence.
    batch_size : int or "auto"
        What the user asks for; "auto" takes as many as fit.
    most_tokens : int
        How many tokens fit.

    Raises
    ------
    InputError
        If the batch size is neither "auto" nor a whole number of at least 1.

    Examples
    --------
    >>> sequences_a_batch(100, "auto", 1024), sequences_a_batch(100, 3, 1024)
    (10, 3)
    """
    if batch_size == "auto":
        return max(1, most_tokens // n_token)
    return whole("batch_size", batch_size, at_least=1)


def in_batches(
    run: Callable[[Any], Tensor], items: Sequence[Any] | Tensor, size: int
) -> Iterator[Tensor]:
    """Yield the results of a function for some items at a time.

    Where there is not enough memory, it is tried again with half as many items.

    Parameters
    ----------
    run : callable
        Takes a part of the items, gives a Tensor.
    items : sequence or Tensor
    size : int
        How many items at a time.

    Raises
    ------
    InputError
        If there is not enough memory for one item.

    Examples
    --------
    >>> [part.tolist() for part in in_batches(torch.tensor, [1, 2, 3], 2)]
    [[1, 2], [3]]
    """
    start = 0
    while start < len(items):
        result = _result_if_it_fits(run, items[start : start + size])
        if result is not None:
            yield result
            start += size
        elif size == 1:
            raise InputError(
                "there is not enough memory for one sequence a pass; take a smaller model, "
                "another device, or dtype='bfloat16'"
            )
        else:
            size = (min(size, len(items) - start) + 1) // 2


def _result_if_it_fits(run: Callable[[Any], Tensor], items: Any) -> Tensor | None:
    """Return what a function gives for items, or None where it runs out of memory."""
    try:
        return run(items)
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
    # Only after the handler, since the error holds on to the tensors of the failed pass.
    release_memory()
    return None


def chunks_of_fixed_size(values: Tensor, n_token: int) -> Iterator[tuple[Tensor, int]]:
    """Yield images a few at a time, so that an image's last bits do not depend on the others.

    The last bits depend on how many images share a pass, and they decide masks where values
    nearly tie. So on a CPU images go one by one, and on a GPU always equally many: the last
    image fills up the last chunk.

    Parameters
    ----------
    values : Tensor [image, ...]
    n_token : int
        Tokens of an image.

    Yields
    ------
    chunk : Tensor [image, ...]
    count : int
        How many of the chunk's images are asked for; the rest fills it up.
    """
    computable(values)
    size = 1
    if values.device.type == "cuda":
        size = max(1, min(_IMAGES_OF_A_CHUNK, _TOKENS_OF_A_CHUNK // n_token))
    for chunk in values.split(size):
        count = len(chunk)
        if count < size:
            filling = chunk[-1:].expand(size - count, *chunk.shape[1:])
            chunk = torch.cat([chunk, filling])
        yield chunk, count


def joined(passes: Sequence[tuple[tuple[Tensor, ...], int]]) -> list[Tensor]:
    """Return the results of passes over `chunks_of_fixed_size` one after another.

    Parameters
    ----------
    passes : sequence of (tuple of Tensor [image, ...], int)
        The results of each pass, and how many of its images were asked for.

    Returns
    -------
    list of Tensor [image, ...]
        As many as a pass has results.
    """
    first, count = passes[0]
    if len(passes) == 1 and len(first[0]) == count:
        # Attention is large: a single pass's needs no copy.
        return list(first)
    results = []
    for place in range(len(first)):
        results.append(torch.cat([tensors[place][:count] for tensors, count in passes]))
    return results
