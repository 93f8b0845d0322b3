"""Memory: how much a forward pass may take, and how to tell that it was too much."""

import torch

TOKENS_ON_CPU = 2048
"""Tokens of one forward pass on a CPU; more of them leave its caches."""

MOST_TOKENS = 65_536
"""Tokens of one forward pass on a GPU, however much memory it has."""

COPIES_OF_A_TOKEN = 32
"""How many numbers a forward pass holds at once for each number of a token."""

# How allocators and libraries below torch say so.
_MESSAGES = (
    "can't allocate memory",
    "CUBLAS_STATUS_ALLOC_FAILED",
    "CUDNN_STATUS_ALLOC_FAILED",
)


def tokens_that_fit(device: torch.device, width: int, n_bytes: int) -> int:
    """Return how many tokens one forward pass may take.

    Parameters
    ----------
    device : torch.device
        On a CPU the number is fixed; on a GPU the pass may take half of the free memory.
    width : int
        Numbers of a token.
    n_bytes : int
        Bytes of a number.

    Examples
    --------
    >>> tokens_that_fit(torch.device("cpu"), width=192, n_bytes=4)
    2048
    """
    if device.type != "cuda":
        return TOKENS_ON_CPU
    bytes_of_a_token = COPIES_OF_A_TOKEN * width * n_bytes
    return min(MOST_TOKENS, _free_bytes(device) // 2 // bytes_of_a_token)


def bytes_that_fit(device: torch.device) -> int:
    """Return how many bytes the attention of images that share passes may take.

    It is 64 MiB on a CPU, and an eighth of the free memory, at most 4 GiB, on a GPU.

    Examples
    --------
    >>> bytes_that_fit(torch.device("cpu"))
    67108864
    """
    if device.type != "cuda":
        return 64 * 2**20
    return min(4 * 2**30, _free_bytes(device) // 8)


def is_out_of_memory(error: BaseException) -> bool:
    """Tell whether an error says that there was not enough memory, on a CPU or a GPU.

    Examples
    --------
    >>> is_out_of_memory(MemoryError()), is_out_of_memory(ValueError("no"))
    (True, False)
    """
    if isinstance(error, (torch.OutOfMemoryError, MemoryError)):
        return True
    # Allocators and libraries below torch raise a plain RuntimeError.
    if not isinstance(error, RuntimeError):
        return False
    text = str(error)
    return any(message in text for message in _MESSAGES)


def release_memory() -> None:
    """Give back the memory that torch holds in reserve on a GPU."""
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def _free_bytes(device: torch.device) -> int:
    """Return the free memory of a GPU, that which torch holds in reserve included."""
    free = torch.cuda.mem_get_info(device)[0]
    reserve = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
    return free + reserve
