"""Where a worker runs: how many threads it takes, and which GPU where there are several."""

from hashlib import sha256

import torch


def use_threads(count: int) -> None:
    """Let torch use this many threads in this process."""
    torch.set_num_threads(count)


def device_of_worker(device: str, worker: int) -> str:
    """Return the device of a worker; "auto" spreads workers over the GPUs.

    Examples
    --------
    >>> device_of_worker("cpu", 3)
    'cpu'
    """
    if device != "auto":
        return device
    n_gpus = torch.cuda.device_count()
    return f"cuda:{worker % n_gpus}" if n_gpus > 1 else device


def fingerprint(model: object) -> str:
    """Return a hash of a model's weights, names and types, the same wherever they are."""
    content = sha256()
    weights_by_name: dict[str, torch.Tensor] = getattr(model, "state_dict", dict)()
    for name, weights in sorted(weights_by_name.items()):
        line = f"{name} {list(weights.shape)} {weights.dtype}"
        content.update(line.encode())
        values = weights.detach().cpu().contiguous()
        # As bytes, since NumPy has no bfloat16.
        numbers = values.flatten().view(torch.uint8).numpy()
        content.update(numbers.data)
    return content.hexdigest()
