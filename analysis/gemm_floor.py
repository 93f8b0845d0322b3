"""The floor under a computation: the matrix products that it really runs, recorded, and timed alone on operands that lie ready."""

import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode

from multiplex_vit.models.fast.rounding import tf32

Product = tuple[int, int, int, int]
"""How many at once, rows, inner, columns."""

N_WEIGHTS = 12


class Products(TorchDispatchMode):
    """Counts every matrix product of what runs inside; of fused attention, the two that it stands for."""

    def __init__(self) -> None:
        super().__init__()
        self.found: Counter[tuple[str, Product]] = Counter()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Count and go on."""
        name = func.overloadpacket.__name__
        if func._can_decompose():
            with self:
                return func.decompose(*args, **(kwargs or {}))
        if name in ("mm", "bmm", "addmm", "baddbmm"):
            left, right = args[-2:]
            self._count("bmm" if left.ndim == 3 else "mm", left.shape, right.shape[-1])
        elif name == "_linear_pointwise":
            self._count(name, args[0].flatten(0, -2).shape, args[1].shape[0])
        elif name.startswith("_scaled_dot_product"):
            query, key = args[0].flatten(0, 1), args[1].flatten(0, 1)
            self._count("bmm", query.shape, key.shape[1])
            self._count("bmm", (*query.shape[:2], key.shape[1]), query.shape[2])
        return func(*args, **(kwargs or {}))

    def _count(self, kind: str, left: Any, columns: int) -> None:
        self.found[kind, (*((1,) if len(left) == 2 else ()), *map(int, left), int(columns))] += 1

    @property
    def flop(self) -> int:
        """Floating point operations: two for every product of two numbers."""
        return sum(2 * b * m * k * n * count for (_, (b, m, k, n)), count in self.found.items())


def recorded(function: Callable[[], Any]) -> Products:
    """Return the matrix products of a call."""
    with Products() as products:
        function()
    return products


def bare(
    products: Products, device: torch.device, dtype: torch.dtype, *, laid_out: bool = False
) -> Callable[[], None]:
    """Return a function that runs the products and nothing else, each by the routine that ran it, on plain row-major operands.

    A shape's weights are taken in turn from twelve, as those of twelve blocks, so that no cache holds what it cannot hold in a model.
    With `laid_out`, oneDNN's weights are laid out for it beforehand, outside the time taken: less than any run of a model can take.
    """
    runs = [
        (_ready(kind, shape, device, dtype, laid_out), count)
        for (kind, shape), count in products.found.items()
    ]

    @torch.inference_mode()
    def run() -> None:
        for product, count in runs:
            for i in range(count):
                product(i % N_WEIGHTS)

    return run


def _ready(
    kind: str, shape: Product, device: torch.device, dtype: torch.dtype, laid_out: bool
) -> Callable[[int], Any]:
    b, m, k, n = shape
    options: Any = {"device": device, "dtype": dtype}
    if kind == "bmm":
        left, right, out = (
            torch.randn(b, m, k, **options),
            torch.randn(b, k, n, **options),
            torch.empty(b, m, n, **options),
        )
        return lambda _: torch.bmm(left, right, out=out)
    rows, weights = torch.randn(m, k, **options), torch.randn(N_WEIGHTS, n, k, **options)
    if kind == "_linear_pointwise":
        own = (
            [torch.ops.mkldnn._reorder_linear_weight(each, m) for each in weights]
            if laid_out
            else list(weights)
        )
        return lambda i: torch.ops.mkldnn._linear_pointwise(rows, own[i], None, "none", [], "")
    out = torch.empty(m, n, **options)
    return lambda i: torch.mm(rows, weights[i].T, out=out)


def gemm_rate(
    device: torch.device, kind: str, *, side: int | None = None, repeats: int = 10
) -> float:
    """Return the rate of one large square matrix product in a type ("float32", "tf32", "bfloat16", "float16"), in floating point operations a second."""
    side = side or (8192 if device.type == "cuda" else 2048)
    dtype = torch.float32 if kind == "tf32" else getattr(torch, kind)
    left, right = (torch.randn(side, side, device=device, dtype=dtype) for _ in range(2))
    with tf32(kind == "tf32"):
        seconds = min(_timed(lambda: torch.mm(left, right), device) for _ in range(repeats + 1))
    return 2 * side**3 / seconds


def _timed(function: Callable[[], Any], device: torch.device) -> float:
    start = time.perf_counter()
    function()
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter() - start
