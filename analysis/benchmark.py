"""Time `explain` beside the naive loop that classifies its masks one at a time, in one run.

    python analysis/benchmark.py --geometry base --repeats 3 --out analysis/results/benchmark.json

The naive loop is what published code does: one mask a forward pass, eager attention, gradients on; it classifies the masks that
`explain` made, repeated ones too, and nothing else. Both run in turn, several times, on a model with random weights of ViT-Ti, S, B or L
geometry (224 x 224 pixels, 16 x 16 patches). Printed and written: medians, their ratio, forward passes, peak memory.
"""

import argparse
import json
import platform
import resource
import statistics
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers
from transformers import ViTConfig, ViTForImageClassification

import multiplex_vit as mv

GEOMETRIES = {"tiny": (192, 12, 3), "small": (384, 12, 6), "base": (768, 12, 12), "large": (1024, 24, 16)}


def make_model(geometry: str, device: str) -> mv.VisionModel:
    """Return a ViT with random weights; they are drawn wider than at the start of training, so that attention differs between tokens."""
    width, blocks, heads = GEOMETRIES[geometry]
    torch.manual_seed(0)
    config = ViTConfig(
        hidden_size=width, num_hidden_layers=blocks, num_attention_heads=heads, intermediate_size=4 * width, num_labels=1000, initializer_range=0.06
    )
    return mv.VisionModel(ViTForImageClassification(config).eval().to(device), name=f"ViT-{geometry}")


def naive_loop(model: mv.VisionModel, pixels: np.ndarray, kept: np.ndarray) -> np.ndarray:
    """Classify masks one at a time with gradients on and eager attention; return class probabilities [mask, class]."""
    network, rows = model.model, []
    network.set_attn_implementation("eager")
    for mask in torch.from_numpy(kept):
        tokens = network.vit.embeddings(torch.from_numpy(pixels).to(model.device))
        hidden = tokens[:, torch.cat([torch.tensor([True]), mask])]
        for layer in network.vit.layers:
            hidden = layer(hidden)
        logits = network.classifier(network.vit.layernorm(hidden)[:, 0])
        rows.append(logits.softmax(-1).detach().cpu().numpy())
    network.set_attn_implementation("sdpa")
    return np.concatenate(rows)


def timed(function: Callable[[], Any]) -> tuple[float, Any]:
    """Return seconds and result of one call."""
    start = time.perf_counter()
    result = function()
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.perf_counter() - start, result


def compare(model: mv.VisionModel, repeats: int) -> dict[str, Any]:
    """Return medians over repeats of `explain` and the naive loop, run in turn after one warm-up."""
    size = model.model.config.image_size
    pixels = np.random.default_rng(0).standard_normal((1, 3, size, size)).astype(np.float32)
    explanation = mv.explain(model, pixels)
    ours, naive = [], []
    for _ in range(repeats):
        seconds, explanation = timed(lambda: mv.explain(model, pixels))
        ours.append(seconds)
        seconds, probabilities = timed(lambda kept=explanation.masks.kept: naive_loop(model, pixels, kept))
        naive.append(seconds)
    assert len(explanation.masks.distinct()[0]) + 1 == explanation.forward_passes
    assert np.abs(probabilities - explanation.probabilities).max() < 1e-4, "both must compute the same"
    return {
        "model": model.name,
        "explain_s": statistics.median(ours),
        "naive_s": statistics.median(naive),
        "ratio": statistics.median(a / b for a, b in zip(ours, naive, strict=True)),
        "masks": len(explanation.masks),
        "forward_passes": explanation.forward_passes,
        "greatest_difference": float(np.abs(probabilities - explanation.probabilities).max()),
        "peak_memory_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        "repeats": repeats,
    }


def main() -> None:
    """Run the comparison and write it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--geometry", nargs="+", choices=list(GEOMETRIES), default=["small", "base"])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    where = f"{torch.cuda.get_device_name()}" if args.device == "cuda" else f"{platform.processor() or platform.machine()}, {torch.get_num_threads()} threads"
    command = f"python analysis/benchmark.py --geometry {' '.join(args.geometry)} --repeats {args.repeats}"
    facts = {"command": command, "date": date.today().isoformat(), "device": where, "torch": torch.__version__, "transformers": transformers.__version__}
    rows = [compare(make_model(geometry, args.device), args.repeats) for geometry in args.geometry]
    for row in rows:
        print(
            f"{row['model']}: explain {row['explain_s']:.2f} s, one mask at a time {row['naive_s']:.2f} s, ratio {row['ratio']:.2f}, {row['forward_passes']} passes for {row['masks']} masks"
        )
    if args.out:
        args.out.parent.mkdir(parents=True, exist_ok=True)
        args.out.write_text(json.dumps({**facts, "rows": rows}, indent=1) + "\n")


if __name__ == "__main__":
    main()
