"""How this processor rounds float32, beside how it was rounded where the masks were recorded.

The last bits of a matrix product depend on the order of its sums, and each processor has its own.
Some published masks depend on these bits, so they can be compared bit for bit only where a small
computation of the same kind ends in the bits that are kept in data/published/arithmetic.json.
It computes with transformers, torch and SciPy alone, so that a fault of this package cannot hide
itself. What it imports of the package lets transformers be imported beside any torchvision.

    python tests/arithmetic.py vit      prints the digests of one model as JSON
"""

import hashlib
import json
import os
import subprocess
import sys
import warnings
from pathlib import Path

DATA = Path(__file__).parent / "data" / "published"
RECORDED = DATA / "arithmetic.json"
NEWER = "X86_V4 AVX512F AVX512CD AVX512_SKX AVX512_CLX AVX512_CNL AVX512_ICL AVX512_SPR"

ARITHMETICS = {
    "held to AVX2": {
        "ATEN_CPU_CAPABILITY": "avx2",
        "ONEDNN_MAX_CPU_ISA": "AVX2",
        "NPY_DISABLE_CPU_FEATURES": NEWER,
    },
    "native": {},
    "two threads": {"OMP_NUM_THREADS": "2"},
    "without wide vectors": {
        "ATEN_CPU_CAPABILITY": "default",
        "ONEDNN_MAX_CPU_ISA": "SSE41",
        "MKL_CBWR": "COMPATIBLE",
    },
}
"""Environments that make torch, oneDNN, MKL and NumPy round otherwise; read when they are imported.

The masks were recorded on a processor held to AVX2.
"""


def run(script, *arguments, arithmetic):
    """Return what a script prints as JSON, run in a process of its own with another arithmetic."""
    environment = {**os.environ, **ARITHMETICS[arithmetic]}
    command = [sys.executable, script, *arguments]
    found = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert found.returncode == 0, found.stderr
    return json.loads(found.stdout)


def digests(kind):
    """Return a digest of the bits of attention, of strengths and of statistics, of every image."""
    import numpy as np
    import torch

    model = _published_model(kind)
    pixels = torch.from_numpy(np.load(DATA / "pixel_values.npz")["pixel_values"])
    bits = {"attention": b"", "strengths": b"", "statistics": b""}
    for image in pixels:
        with torch.inference_mode():
            blocks = model(pixel_values=image[None], output_attentions=True).attentions
        pooled = torch.cat([block[:, :, -196:, -196:] for block in blocks]).sum(1)
        # The masks that rounding decides are those of networks that have lost most edges.
        pruned = pooled.where(pooled >= 0.1 * pooled.amax((-2, -1), keepdim=True), 0)
        strengths = pruned.sum(-2)
        bits["attention"] += pooled.numpy().tobytes()
        bits["strengths"] += strengths.numpy().tobytes()
        bits["statistics"] += _statistics(strengths).tobytes()
    return {stage: hashlib.sha256(found).hexdigest() for stage, found in bits.items()}


def _published_model(kind):
    import multiplex_vit.models.libraries  # noqa: F401, I001 - before transformers imports torchvision
    import transformers

    architecture = json.loads((DATA / kind / "config.json").read_text())["architectures"][0]
    model_class = getattr(transformers, architecture)
    return model_class.from_pretrained(DATA / kind, attn_implementation="eager").eval()


def _statistics(strengths):
    """Return the three statistics [statistic, node] whose order depends on rounding."""
    import numpy as np
    from scipy import stats

    ratio = strengths.sum(0) / (strengths.std(0) + 1e-8)
    by_node = strengths.numpy().T
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        skew, kurtosis = stats.skew(by_node, axis=-1), stats.kurtosis(by_node, axis=-1)
    # A NaN has many spellings in bits; all mean the same here.
    return np.nan_to_num(np.stack([ratio.numpy(), skew, kurtosis]), nan=-99)


def why_not_recorded(kind):
    """Return in what this processor, held to AVX2, differs from the recording; "" if in nothing."""
    recorded = json.loads(RECORDED.read_text())[kind]
    found = run(__file__, kind, arithmetic="held to AVX2")
    differing = [stage for stage in recorded if recorded[stage] != found[stage]]
    if not differing:
        return ""
    return (
        f"this processor rounds {differing[0]} in float32 otherwise than the one on which the masks "
        "were recorded, even when it is held to AVX2; masks that rounding decides may differ"
    )


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    print(json.dumps(digests(sys.argv[1])))
