"""Batches: how many sequences a pass takes, halved where memory is short, and how values get to the device."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
from torch import Tensor

from multiplex_vit.checks import whole
from multiplex_vit.errors import InputError
from multiplex_vit.models.given import held

_TOKENS_ON_CPU = 2048
_MOST_TOKENS = 65_536
_COPIES_OF_A_TOKEN = 32
_IMAGES_ALIKE, _TOKENS_ALIKE = 8, 8192


def tokens_that_fit(device: torch.device, width: int, n_bytes: int) -> int:
    """Return how many tokens of so many numbers of so many bytes a pass takes: few enough for a CPU's caches, or half of what is free on a GPU."""
    if device.type != "cuda":
        return _TOKENS_ON_CPU
    return min(_MOST_TOKENS, _free(device) // 2 // (_COPIES_OF_A_TOKEN * width * n_bytes))


def sequences_a_batch(n_token: int, batch_size: int | str, most_tokens: int) -> int:
    """Return how many sequences of so many tokens a pass takes.

    Examples
    --------
    >>> sequences_a_batch(100, "auto", 1024), sequences_a_batch(100, 3, 1024)
    (10, 3)
    """
    return max(1, most_tokens // n_token) if batch_size == "auto" else whole("batch_size", batch_size, at_least=1)


def in_batches(run: Callable[[Any], Tensor], items: Sequence[Any] | Tensor, size: int) -> Iterator[Tensor]:
    """Yield what `run` gives for so many items at a time; where memory is short, for half as many, and so on.

    Raises
    ------
    InputError
        If not even one item fits.

    Examples
    --------
    >>> [each.tolist() for each in in_batches(torch.tensor, [1, 2, 3], 2)]
    [[1, 2], [3]]
    """
    start = 0
    while start < len(items):
        found = _unless_short(run, items[start : start + size])
        if found is not None:
            yield found
            start += size
        elif size == 1:
            raise InputError("memory is short of one sequence a pass; take a smaller model, another device, or dtype='bfloat16'")
        else:
            size = (min(size, len(items) - start) + 1) // 2


def _unless_short(run: Callable[[Any], Tensor], items: Any) -> Tensor | None:
    """Return what `run` gives, or None where it ran out of memory; what it held then is free again."""
    try:
        return run(items)
    except (RuntimeError, MemoryError) as error:
        if not is_short(error):
            raise
    release()
    return None


def is_short(error: BaseException) -> bool:
    """Tell whether an error says that memory is short, on a CPU or a GPU."""
    said = ("can't allocate memory", "CUBLAS_STATUS_ALLOC_FAILED", "CUDNN_STATUS_ALLOC_FAILED")
    return isinstance(error, (torch.OutOfMemoryError, MemoryError)) or (isinstance(error, RuntimeError) and any(text in str(error) for text in said))


def release() -> None:
    """Give memory that a GPU holds for nothing back."""
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def bytes_that_fit(device: torch.device) -> int:
    """Return how many bytes may hold the attention of images that share passes: an eighth of what is free on a GPU, 4 GiB at most; 64 MiB elsewhere."""
    return min(4 * 2**30, _free(device) // 8) if device.type == "cuda" else 64 * 2**20


def _free(device: torch.device) -> int:
    return torch.cuda.mem_get_info(device)[0] + torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)


def alike(values: Tensor, n_token: int) -> Iterator[tuple[Tensor, int]]:
    """Yield images a few at a time, and how many they are, so that an image's last bits do not depend on those beside it.

    They decide masks where values nearly tie. On a CPU images go one by one; on a GPU always as many, the last again where they are fewer.
    """
    held(values)
    size = 1 if values.device.type != "cuda" else max(1, min(_IMAGES_ALIKE, _TOKENS_ALIKE // n_token))
    for chunk in values.split(size):
        lacking = size - len(chunk)
        yield (torch.cat([chunk, chunk[-1:].expand(lacking, *chunk.shape[1:])]) if lacking else chunk), len(chunk)


def sent(values: Tensor, device: torch.device, dtype: torch.dtype | None = None) -> Tensor:
    """Return values on a device; to a GPU they go through pinned memory, so that nothing waits for them."""
    held(values)
    if device.type == "cuda" and values.device.type == "cpu":
        values = values.pin_memory()
    return values.to(device, dtype, non_blocking=True)
