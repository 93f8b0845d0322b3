"""What a row of the benchmark is measured on, and with: models, images, time in turn, memory."""

import statistics
import time
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers
from PIL import Image

import multiplex_vit as mv

GEOMETRIES = {
    "tiny": (192, 12, 3),
    "small": (384, 12, 6),
    "base": (768, 12, 12),
    "large": (1024, 24, 16),
    "deep": (96, 40, 24),
}
"""Width, blocks, heads; "deep" has the blocks and heads of DINOv2-g, and is narrow so that its weights are small."""

BUNDLED = ("demo-vit", "demo-deit")
Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class Case:
    """What to measure on.

    Attributes
    ----------
    model : str
        A bundled model, or family and geometry: "vit-base", "deit-small", with "@384" for another size in pixels; "dinov2-small" has 14 x 14 patches.
    device : str
    repeats : int
    images : int
        Of rows that take several.
    many_images : int
        Of rows that look whether memory grows.
    data : Path, optional
        Parquet file of images for these; cuttings of the bundled pictures unless given.
    """

    model: str
    device: str
    repeats: int
    images: int
    many_images: int
    data: Path | None = None

    def build(self, **changes: Any) -> mv.VisionModel:
        """Return the model; of random weights drawn wider than at the start of training, so that attention differs between tokens."""
        if self.model in BUNDLED:
            return mv.load(self.model, device=self.device, dtype="float32", **changes)
        mask_dtype = changes.pop("mask_dtype", None)
        name, _, size = self.model.partition("@")
        family, geometry = name.split("-")
        width, blocks, heads = GEOMETRIES[geometry]
        options = {"hidden_size": width, "num_hidden_layers": blocks, "num_attention_heads": heads}
        options |= (
            {"patch_size": 14, "mlp_ratio": 4}
            if family == "dinov2"
            else {"intermediate_size": 4 * width}
        )
        return random_model(
            family,
            self.device,
            mask_dtype=mask_dtype,
            **{**options, "image_size": int(size or 224), "num_labels": 1000, **changes},
        )

    def many(self, folder: Path) -> Any:
        """Return many images, each a file or a row of a file."""
        if self.data is not None:
            return mv.images(self.data, limit=self.many_images)
        return mv.images(photos(folder, self.many_images))


def random_model(
    family: str, device: str, *, mask_dtype: str | None = None, **options: Any
) -> mv.VisionModel:
    """Return a model of random weights, with the image processor of a bundled one at its size."""
    torch.manual_seed(0)
    processor = deepcopy(mv.load("demo-vit", device="cpu").processor)
    processor.size = {"height": options["image_size"], "width": options["image_size"]}
    rounded = getattr(torch, mask_dtype) if mask_dtype not in (None, "tf32") else mask_dtype
    kind = {"vit": "ViT", "deit": "DeiT", "dinov2": "Dinov2"}[family]
    config = getattr(transformers, f"{kind}Config")(initializer_range=0.06, **options)
    network = getattr(transformers, f"{kind}ForImageClassification")(config).eval().to(device)
    return mv.VisionModel(
        network,
        processor,
        name=f"{kind} {options['hidden_size']} x {options['num_hidden_layers']}",
        mask_dtype=rounded,
    )


def naive_loop(model: mv.VisionModel, image: np.ndarray, kept: np.ndarray) -> np.ndarray:
    """Classify masks one at a time with gradients on and eager attention; return class probabilities [mask, class]."""
    network, rows = model.model, []
    base = getattr(network, network.base_model_prefix)
    network.set_attn_implementation("eager")
    for mask in torch.from_numpy(kept):
        hidden = base.embeddings(torch.from_numpy(image).to(model.device))[
            :, torch.cat([torch.ones(model.n_prefix, dtype=torch.bool), mask])
        ]
        for layer in base.layers:
            hidden = layer(hidden)
        rows.append(head_of(network, base.layernorm(hidden)).softmax(-1).detach().cpu().numpy())
    network.set_attn_implementation("sdpa")
    return np.concatenate(rows)


def head_of(network: Any, hidden: torch.Tensor) -> torch.Tensor:
    """Return a classifier's logits; DeiT with a teacher averages two heads."""
    if hasattr(network, "distillation_classifier"):
        return (
            network.cls_classifier(hidden[:, 0]) + network.distillation_classifier(hidden[:, 1])
        ) / 2
    return network.classifier(hidden[:, 0])


class Rest:
    """Memory before something, to tell what it took."""

    def __init__(self, device: torch.device):
        self.device, self.before = device, resident("VmRSS")
        if device.type == "cuda":
            torch.cuda.reset_peak_memory_stats()
            self.before = torch.cuda.memory_allocated() / 2**20
        else:
            Path("/proc/self/clear_refs").write_text("5", encoding="ascii")

    def row(self) -> dict[str, float]:
        """Return the greatest memory since, and how much it is above what there was, in MiB; on a GPU, its own memory."""
        peak = (
            torch.cuda.max_memory_allocated() / 2**20
            if self.device.type == "cuda"
            else resident("VmHWM")
        )
        return {"before_mib": round(self.before), "above_mib": round(peak - self.before)}


def resident(what: str) -> float:
    """Return this process's memory now (VmRSS) or at its greatest (VmHWM), in MiB."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{what}:")) / 1024


def pixels(build: Callable[[], mv.VisionModel], seed: int = 0) -> np.ndarray:
    """Return an image of noise that fits a model."""
    return (
        np.random.default_rng(seed).standard_normal((1, 3, *build().input_size)).astype(np.float32)
    )


def photos(folder: Path, count: int) -> list[Path]:
    """Write so many cuttings of the bundled pictures as PNG files."""
    rng, pictures, paths = (
        np.random.default_rng(0),
        [mv.read_image(path) for path in mv.samples().values()],
        [],
    )
    for number in range(count):
        picture = pictures[number % len(pictures)]
        side = int(min(picture.size) * rng.uniform(0.5, 1))
        left, top = (int(rng.integers(0, length - side + 1)) for length in picture.size)
        paths.append(folder / f"{number:05d}.png")
        picture.crop((left, top, left + side, top + side)).resize(
            (96, 96), Image.Resampling.BILINEAR
        ).save(paths[-1])
    return paths


def in_turn(calls: dict[str, Callable[[], Any]], repeats: int) -> dict[str, list[float]]:
    """Return the seconds of each call, all of them once first, and then in turn so many times."""
    for call in calls.values():
        call()
    return {
        key: list(each)
        for key, each in zip(
            calls,
            zip(
                *[[timed(call)[0] for call in calls.values()] for _ in range(repeats)], strict=True
            ),
            strict=True,
        )
    }


def timed(function: Callable[[], Any]) -> tuple[float, Any]:
    """Return seconds and result of one call."""
    start = time.perf_counter()
    result = function()
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.perf_counter() - start, result


def medians(seconds: dict[str, list[float]]) -> dict[str, float]:
    """Return the median seconds of each."""
    return {f"{key}_s": statistics.median(each) for key, each in seconds.items()}


def ratio(seconds: dict[str, list[float]], above: str, below: str) -> float:
    """Return the median of ratios of what ran one after the other."""
    return statistics.median(a / b for a, b in zip(seconds[above], seconds[below], strict=True))
