"""Insertion and deletion of many heatmaps of one image at once: the same figures as `multiplex_vit.evaluate`, each set of patches classified once."""

import io
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from PIL import Image

import multiplex_vit as mv
from multiplex_vit.evaluation.protocols import Subject, ranks, steps_of

PROTOCOLS = ("patch/black", "token")


def read_images(folder: Path | None, first: int, last: int) -> list[Image.Image]:
    """Return CIFAR-10 test images number `first` to `last`, from FOLDER/test.parquet or else the hub."""
    if folder is None:
        from huggingface_hub import hf_hub_download

        path = hf_hub_download("uoft-cs/cifar10", "plain_text/test-00000-of-00001.parquet", repo_type="dataset")
    else:
        path = folder / "test.parquet"
    rows = pq.read_table(path, columns=["img"]).slice(first, last - first + 1)["img"].to_pylist()
    return [Image.open(io.BytesIO(row["bytes"])).convert("RGB") for row in rows]


def measure(model: mv.VisionModel, image: Image.Image, heatmaps: list[np.ndarray], label: int, steps: int | None = None) -> list[dict[str, object]]:
    """Return one row a heatmap and protocol: heatmap (its number), protocol, insertion, deletion, difference."""
    counts = steps_of(heatmaps[0].size, steps)
    inserted = np.stack([ranks(heatmap)[None] < counts[:, None] for heatmap in heatmaps])
    sets = np.stack([inserted, ~inserted])
    distinct, inverse = np.unique(sets.reshape(-1, sets.shape[-1]), axis=0, return_inverse=True)
    subject = Subject(model, model.picture(image).pixels.cpu().numpy(), label)
    confidences = (_shown(subject, distinct, heatmaps[0].shape), subject.token_confidence(distinct))
    rows: list[dict[str, object]] = []
    for protocol, confidence in zip(PROTOCOLS, confidences, strict=True):
        areas = np.trapezoid(confidence[inverse.ravel()].reshape(sets.shape[:-1]), counts / heatmaps[0].size, axis=-1)
        rows += [
            {"heatmap": i, "protocol": protocol, "insertion": a, "deletion": b, "difference": a - b} for i, (a, b) in enumerate(areas.T.astype(float).tolist())
        ]
    return rows


def _shown(subject: Subject, sets: np.ndarray, grid: tuple[int, ...]) -> np.ndarray:
    """Return confidences of the image with all patches but those of a set black."""
    empty = subject.baseline(mv.BASELINES["black"], 0)
    confidences = []
    for chunk in np.array_split(sets, max(1, len(sets) // 64)):
        painted = chunk.reshape(-1, *grid).repeat(subject.model.patch[0], 1).repeat(subject.model.patch[1], 2)
        confidences.append(subject.confidence(np.where(painted[:, None], subject.pixels[0], empty)))
    return np.concatenate(confidences)
