"""Where a worker runs: how many threads it takes, and which GPU where there are several."""

from hashlib import sha256

import torch


def use_threads(count: int) -> None:
    """Let torch use so many threads in this process."""
    torch.set_num_threads(count)


def device_of_worker(device: str, worker: int) -> str:
    """Return a device; "auto" spreads workers over the GPUs.

    Examples
    --------
    >>> device_of_worker("cpu", 3)
    'cpu'
    """
    n_gpus = torch.cuda.device_count() if device == "auto" else 0
    return f"cuda:{worker % n_gpus}" if n_gpus > 1 else device


def fingerprint(model: object) -> str:
    """Return a hash of a model's weights, names and types, the same wherever they are."""
    found = sha256()
    for name, weights in sorted(getattr(model, "state_dict", dict)().items()):
        found.update(f"{name} {list(weights.shape)} {weights.dtype}".encode())
        found.update(weights.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().data)
    return found.hexdigest()
