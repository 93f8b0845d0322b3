"""Store a photo classifier with 8-bit weights, and measure what that changes.

    python analysis/make_demo_photo.py --checkpoint FOLDER --out DIR
    python analysis/make_demo_photo.py --checkpoint FOLDER --out DIR --data FOLDER --images 2000 --photos FOLDER

The checkpoint is one of `ViTForImageClassification` in safetensors. The second form also classifies CIFAR-10 test images
(`test.parquet` in --data, enlarged by the model's own processor, in the order of `cifar_images.reported`) and the photos of a
folder with `labels.csv` (file, label), by the checkpoint and by what was stored, and writes DIR/measured.json.
"""

import argparse
import json
import shutil
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from cifar_images import read_labelled, reported
from PIL import Image
from provenance import provenance
from safetensors.torch import load_file, save_file
from torch import Tensor
from transformers import ViTConfig, ViTForImageClassification, ViTImageProcessorPil

from multiplex_vit.models.bundled.eight_bit import FILE, quantised, read_eight_bit

BATCH = 25
UNUSED = "pooler."
"""Part of the names of weights that a classifier does not use."""

Labelled = Iterable[tuple[Image.Image, int]]


def main() -> None:
    """Store the model; measure it where images are given."""
    args = arguments()
    args.out.mkdir(parents=True, exist_ok=True)
    weights = load_file(args.checkpoint / "model.safetensors")
    store(args.checkpoint, weights, args.out)
    if args.data is None:
        return
    given = classifier(args.checkpoint, weights)
    stored = classifier(args.checkpoint, read_eight_bit(args.out / FILE))
    processor = ViTImageProcessorPil.from_pretrained(args.checkpoint)

    facts: dict[str, Any] = dict(provenance())
    images = read_labelled(args.data, reported(count=args.images))
    facts["cifar10"] = compare(given, stored, processor, images)
    if args.photos is not None:
        photos = labelled_photos(args.photos, given.config.label2id)
        facts["photos"] = compare(given, stored, processor, photos)
    (args.out / "measured.json").write_text(json.dumps(facts, indent=1) + "\n")
    print(json.dumps(facts, indent=1))


def arguments() -> argparse.Namespace:
    """Return what the command line says."""
    formatter = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=formatter)
    parser.add_argument("--checkpoint", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--images", type=int, default=2000)
    parser.add_argument("--photos", type=Path)
    return parser.parse_args()


def store(checkpoint: Path, weights: dict[str, Tensor], out: Path) -> None:
    """Write a checkpoint's files to a folder, its matrices with 8 bits a weight."""
    kept = {name: weight for name, weight in weights.items() if UNUSED not in name}
    save_file(quantised(kept), out / FILE)
    for name in ("config.json", "preprocessor_config.json"):
        shutil.copyfile(checkpoint / name, out / name)


def classifier(checkpoint: Path, weights: dict[str, Tensor]) -> ViTForImageClassification:
    """Return the model of a checkpoint's configuration with the given weights, in float32."""
    config = ViTConfig.from_pretrained(checkpoint)
    # transformers still reads weights by the names of its fourth edition, and renames them.
    return ViTForImageClassification.from_pretrained(
        None, config=config, state_dict=weights, dtype=torch.float32
    ).eval()


def labelled_photos(folder: Path, number_of: dict[str, int]) -> Iterator[tuple[Image.Image, int]]:
    """Yield photos with the numbers of their classes."""
    for row in pd.read_csv(folder / "labels.csv").itertuples():
        yield Image.open(folder / row.file).convert("RGB"), number_of[row.label]


def compare(given: Any, stored: Any, processor: Any, images: Labelled) -> dict[str, Any]:
    """Return how many images either model gets right, and how far their answers are apart."""
    rest = iter(images)
    probabilities: dict[str, list[Tensor]] = {"given": [], "stored": []}
    labels = []
    while batch := list(islice(rest, BATCH)):
        pictures = [picture for picture, _ in batch]
        labels += [label for _, label in batch]
        pixels = processor(pictures, return_tensors="pt")
        with torch.no_grad():
            probabilities["given"].append(given(**pixels).logits.softmax(-1))
            probabilities["stored"].append(stored(**pixels).logits.softmax(-1))

    truth = torch.tensor(labels)
    by_given, by_stored = (torch.cat(parts) for parts in probabilities.values())
    moved = (by_given - by_stored).abs().amax(-1)
    return {
        "images": len(labels),
        "right_as_given": int((by_given.argmax(-1) == truth).sum()),
        "right_as_stored": int((by_stored.argmax(-1) == truth).sum()),
        "same_class": int((by_given.argmax(-1) == by_stored.argmax(-1)).sum()),
        "mean_change_of_probability": round(float(moved.mean()), 5),
        "largest_change_of_probability": round(float(moved.max()), 5),
    }


if __name__ == "__main__":
    main()
