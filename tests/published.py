"""Compare with the published implementation in a process of its own: python published.py vit|deit -> JSON on standard output.

The recorded numbers were made with AVX2 arithmetic. The last bit of a float decides some masks (nodes whose strength hardly varies over
layers), so the process asks PyTorch, oneDNN and NumPy for AVX2 before they are imported; processors with more would round otherwise.
"""

import json
import os
import sys
import warnings
from pathlib import Path

if __name__ == "__main__":
    newer = "X86_V4 AVX512F AVX512CD AVX512_SKX AVX512_CLX AVX512_CNL AVX512_ICL AVX512_SPR"
    os.environ.update(ATEN_CPU_CAPABILITY="avx2", ONEDNN_MAX_CPU_ISA="AVX2", NPY_DISABLE_CPU_FEATURES=newer)
    warnings.simplefilter("ignore")

import numpy as np

import multiplex_vit as mv
from multiplex_vit.evaluation.protocols import published_baseline

DATA = Path(__file__).parent / "data" / "published"
FIELDS = ("min_cut", "token_ratio", "starting_layer")


def compare(kind):
    """Return one row a case: masks that differ, and the greatest deviations of confidences, heatmap and painted confidences."""
    model = mv.load(DATA / kind, device="cpu")
    pixels = np.load(DATA / "pixel_values.npz")["pixel_values"]
    expected = np.load(DATA / f"{kind}_expected.npz")
    for case in json.loads((DATA / f"{kind}_cases.json").read_text()):
        key, image = case["key"], pixels[case["image"]][None]
        explanation = mv.explain(model, image, label=case["label_given"], **{f: case[f] for f in FIELDS})
        masks = np.unpackbits(expected[f"{key}_masks"], axis=1)[:, :196].astype(bool)
        differing = (masks != explanation.masks.kept).any(1)
        yield {
            "key": key,
            "label": explanation.label == case["label"],
            "masks": len(masks),
            "differing": [list(explanation.masks.labels[i]) for i in np.flatnonzero(differing)],
            "confidence": float(np.abs(expected[f"{key}_conf"] - explanation.confidence)[~differing].max()),
            "heatmap": float(np.abs(expected[f"{key}_heatmap"] - explanation.heatmap).max()),
            "painted": painted(model, image, expected, key, explanation.label),
        }


def painted(model, image, expected, key, label):
    """Return the greatest deviation from the recorded insertion and deletion at 25, 50, 75 and 100 % of the patches."""
    deviations = []
    for baseline in ("black", "mean"):
        if f"{key}_{baseline}_insertion" in expected:
            fid = mv.evaluate(model, image, expected[f"{key}_heatmap"], label=label, baseline=published_baseline(baseline), steps=4)
            deviations.append(np.abs(expected[f"{key}_{baseline}_insertion"] - fid.insertion.confidence[1:]).max())
            deviations.append(np.abs(expected[f"{key}_{baseline}_deletion"] - fid.deletion.confidence[1:]).max())
    return float(max(deviations)) if deviations else None


if __name__ == "__main__":
    print(json.dumps(list(compare(sys.argv[1]))))
