"""Are the families that could be read before as fast as in another checkout, and is timm's ViT-B faster than the naive loop?

    git worktree add ../before COMMIT
    python analysis/compare_checkouts.py ../before --turns 3

Each checkout explains the same random pixels by `mutex` with models of the same random weights, each
in a process of its own; the processes run in turn, so that a busy machine slows both. A turn's time
is the least of several explanations, and the ratio is the median over turns. Written:
analysis/results/compare_checkouts.md and .json.
"""

import argparse
import importlib
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
OUT = ROOT / "analysis" / "results" / "compare_checkouts"
FAMILIES = {
    "ViT": ("ViTForImageClassification", {}),
    "DeiT": ("DeiTForImageClassification", {}),
    "DeiT with teacher": ("DeiTForImageClassificationWithTeacher", {}),
    "DINOv2": ("Dinov2ForImageClassification", {"patch_size": 14}),
    "DINOv2 with registers": ("Dinov2WithRegistersForImageClassification", {"patch_size": 14}),
}
SMALL = {"hidden_size": 384, "num_hidden_layers": 12, "num_attention_heads": 6, "num_labels": 1000}
EXPLANATIONS = 3


def module_of(family):
    """Return a transformers model of ViT-S's geometry with random weights."""
    import torch
    import transformers

    name, changes = FAMILIES[family]
    torch.manual_seed(0)
    options = {**SMALL, "image_size": 224, "initializer_range": 0.06, **changes}
    if "Dinov2" not in name:
        options["intermediate_size"] = 4 * SMALL["hidden_size"]
    configuration = getattr(transformers, name).config_class(**options)
    return getattr(transformers, name)(configuration).eval()


def seconds_of(family):
    """Print the least time of several explanations, in seconds, and how many passes one takes."""
    # These families need no torchvision, and one that does not belong to torch would stop older checkouts.
    sys.modules["torchvision"] = None
    import numpy as np

    import multiplex_vit as mv

    model = mv.VisionModel(module_of(family))
    pixels = np.random.default_rng(0).standard_normal((1, 3, 224, 224)).astype(np.float32)
    times = []
    for _ in range(1 + EXPLANATIONS):
        started = time.perf_counter()
        explanation = mv.explain(model, pixels, label=1, method="mutex")
        times.append(time.perf_counter() - started)
    print(json.dumps({"seconds": min(times[1:]), "passes": explanation.forward_passes}))


def timm_beside_the_loop():
    """Print the time of timm's ViT-B and of a loop that classifies one mask at a time, in seconds."""
    import numpy as np
    import torch

    import multiplex_vit as mv
    import multiplex_vit.models.libraries  # before timm imports torchvision

    timm = importlib.import_module("timm")
    torch.manual_seed(0)
    module = timm.create_model("vit_base_patch16_224", pretrained=False).eval()
    model = mv.wrap(module)
    pixels = np.random.default_rng(0).standard_normal((1, 3, 224, 224)).astype(np.float32)
    explanation = mv.explain(model, pixels, label=1, method="mutex")
    kept = torch.from_numpy(explanation.masks.kept)
    for block in module.blocks:
        block.attn.fused_attn = False
    started = time.perf_counter()
    loop = naive_confidences(module, torch.from_numpy(pixels), kept)
    naive = time.perf_counter() - started
    for block in module.blocks:
        block.attn.fused_attn = True
    started = time.perf_counter()
    explanation = mv.explain(model, pixels, label=1, method="mutex")
    package = time.perf_counter() - started
    difference = float(np.abs(loop - explanation.confidence).max())
    print(json.dumps({"naive": naive, "package": package, "difference": difference}))


def naive_confidences(module, pixels, kept):
    """Return the confidences of label 1, one mask a pass, with gradients on and attention in parts."""
    import numpy as np
    import torch

    confidences = []
    for mask in kept:
        tokens = module._pos_embed(module.patch_embed(pixels))
        with_prefix = torch.cat([torch.ones(1, dtype=torch.bool), mask])
        hidden = module.blocks(module.norm_pre(tokens[:, with_prefix]))
        scores = module.forward_head(module.norm(hidden))
        confidences.append(float(scores.softmax(-1)[0, 1].detach()))
    return np.array(confidences)


def run(checkout, *job):
    """Return what a job prints, run in a process that imports a checkout's package."""
    environment = {**os.environ, "PYTHONPATH": str(checkout), "HF_HUB_OFFLINE": "1"}
    command = [sys.executable, __file__, "--job", *job]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    if done.returncode:
        raise SystemExit(done.stderr)
    return json.loads(done.stdout.splitlines()[-1])


def compared(before, turns):
    """Return a row a family: seconds of both checkouts, and the ratio."""
    rows = []
    for family in FAMILIES:
        times = [(run(before, family), run(ROOT, family)) for _ in range(turns)]
        then, now = ([time["seconds"] for time in side] for side in zip(*times, strict=True))
        ratio = statistics.median(new / old for old, new in zip(then, now, strict=True))
        row = {
            "family": family,
            "forward passes": times[0][1]["passes"],
            "before, s": round(statistics.median(then), 3),
            "now, s": round(statistics.median(now), 3),
            "now / before": round(ratio, 3),
        }
        print(row, flush=True)
        rows.append(row)
    return rows


def beside_the_loop(turns):
    """Return the row of timm's ViT-B: seconds of the loop and of the package, and the ratio."""
    times = [run(ROOT, "timm") for _ in range(turns)]
    row = {
        "model": "timm vit_base_patch16_224",
        "naive loop, s": round(statistics.median(one["naive"] for one in times), 2),
        "package, s": round(statistics.median(one["package"] for one in times), 2),
        "package / naive": round(
            statistics.median(one["package"] / one["naive"] for one in times), 3
        ),
        "confidences differ by": max(one["difference"] for one in times),
    }
    print(row, flush=True)
    return row


def main():
    """Measure both, and write the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("before", nargs="?", type=Path, help="the other checkout")
    parser.add_argument("--turns", type=int, default=3, help="processes a checkout (%(default)s)")
    parser.add_argument("--job", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.job:
        timm_beside_the_loop() if args.job == "timm" else seconds_of(args.job)
        return
    if args.before is None or not (args.before / "multiplex_vit").is_dir():
        parser.error(f"{args.before} holds no package; give a checkout of this repository")
    import pandas as pd
    from provenance import commit, provenance

    from multiplex_vit.report.markdown import markdown_table

    families = compared(args.before.resolve(), args.turns)
    timm_row = beside_the_loop(args.turns)
    about = {**provenance(), "before": commit(args.before)}
    OUT.with_suffix(".json").write_text(
        json.dumps({"about": about, "families": families, "timm": timm_row}, indent=1) + "\n"
    )
    OUT.with_suffix(".md").write_text(
        "# Speed beside another checkout, and timm's ViT-B beside the naive loop\n\n"
        f"`{about['command']}`; {about['date']}, commit {about['commit']} beside {about['before']}, "
        f"{about['device']}.\n\n"
        f"{markdown_table(pd.DataFrame(families))}\n\n{markdown_table(pd.DataFrame([timm_row]))}\n"
    )


if __name__ == "__main__":
    main()
