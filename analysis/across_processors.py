"""What differs between processors: masks and heatmaps under several arithmetics, each in a process of its own.

    python analysis/across_processors.py --photos FOLDER --checkpoint FOLDER --cifar FOLDER
    python analysis/across_processors.py

Without the folders the bundled models and pictures and the recorded test models are used, and the
output says what was left out. Written: analysis/results/across_processors.csv (one row an arithmetic
and way of making masks), .md (the tables) and .json (how they were made).
"""

import argparse
import json
import os
import subprocess
import sys
import warnings
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
OUT = Path("analysis/results/across_processors")
NEWER_THAN_AVX2 = "X86_V4 AVX512F AVX512CD AVX512_SKX AVX512_CLX AVX512_CNL AVX512_ICL AVX512_SPR"
AVX2 = {
    "ATEN_CPU_CAPABILITY": "avx2",
    "ONEDNN_MAX_CPU_ISA": "AVX2",
    "NPY_DISABLE_CPU_FEATURES": NEWER_THAN_AVX2,
}
ARITHMETICS = {
    "AVX2, 2 threads": {**AVX2, "OMP_NUM_THREADS": "2"},
    "AVX2, 1 thread": {**AVX2, "OMP_NUM_THREADS": "1"},
    "native, 2 threads": {"OMP_NUM_THREADS": "2"},
    "native, 1 thread": {"OMP_NUM_THREADS": "1"},
    "no vector extensions": {"ATEN_CPU_CAPABILITY": "default", "ONEDNN_MAX_CPU_ISA": "SSE41"},
    "float64 attention": {"ACROSS_DTYPE": "float64"},
}
REFERENCE = "AVX2, 2 threads"
CUTS = (0.01, 0.1)


def ways():
    """Return how masks and heatmaps are made, by name."""
    import multiplex_vit as mv

    found = {}
    for numerics in ("published", "stable"):
        for cut in CUTS:
            found[f"mutex, {numerics}, min_cut {cut}"] = mv.Settings(numerics=numerics, min_cut=cut)
    found["communities"] = mv.EXPLAINERS["communities"].settings
    return found


def subjects(photos, checkpoint):
    """Yield name, model and image of everything that is explained."""
    import numpy as np

    import multiplex_vit as mv

    recorded = ROOT / "tests" / "data" / "published"
    pixels = np.load(recorded / "pixel_values.npz")["pixel_values"]
    for kind in ("vit", "deit"):
        model = loaded(recorded / kind)
        for number, values in enumerate(pixels):
            yield f"recorded {kind} {number}", model, values[None]
    pictures = sorted(Path(photos).glob("*.jpg")) if photos else []
    for name in ("demo-vit", "demo-deit"):
        model = loaded(name)
        for path in [*mv.samples().values(), *pictures[:10]]:
            yield f"{name} {path.name}", model, path
    if checkpoint:
        model = loaded(checkpoint)
        for path in pictures[::3]:
            yield f"{Path(checkpoint).name} {path.name}", model, path


def loaded(name):
    """Return a model, on a GPU or in float64 where the environment asks for it."""
    import multiplex_vit as mv

    model = mv.load(name, device=os.environ.get("ACROSS_DEVICE", "cpu"))
    if os.environ.get("ACROSS_DTYPE") == "float64":
        model.model.double()
    return model


def record(photos, checkpoint, out):
    """Explain everything under this process's arithmetic; write masks and heatmaps."""
    import numpy as np

    import multiplex_vit as mv

    warnings.simplefilter("ignore")
    arrays = {}
    chosen = ways()
    for subject, model, image in subjects(photos, checkpoint):
        explanations = mv.explain_many(model, image, chosen.values())
        for way, explanation in zip(chosen, explanations, strict=True):
            arrays[f"{way}|{subject}|masks"] = explanation.masks.kept
            arrays[f"{way}|{subject}|heatmap"] = explanation.heatmap
    np.savez_compressed(out, **arrays)


def compare(reference, other):
    """Return one row a way: how many masks and tokens differ, and how far heatmaps move."""
    import numpy as np
    from scipy.stats import spearmanr

    rows = []
    for way in dict.fromkeys(key.split("|")[0] for key in reference.files):
        n_masks = n_differing = n_tokens = 0
        correlations = []
        furthest = 0.0
        for key in reference.files:
            if not key.startswith(f"{way}|") or not key.endswith("|masks"):
                continue
            first, second = reference[key], other[key]
            n_masks += len(first)
            if first.shape == second.shape:
                differs = first != second
                n_differing += int(differs.any(1).sum())
                n_tokens += int(differs.sum())
            else:
                n_differing += len(first)
                n_tokens += first.size
            heat_key = key.replace("|masks", "|heatmap")
            one, two = reference[heat_key].ravel(), other[heat_key].ravel()
            correlations.append(spearmanr(one, two).statistic)
            furthest = max(furthest, float(np.abs(one - two).max() / np.ptp(one)))
        rows.append(
            {
                "masks from": way,
                "images": len(correlations),
                "masks": n_masks,
                "masks that differ": n_differing,
                "share, %": round(100 * n_differing / n_masks, 3),
                "tokens that differ": n_tokens,
                "rank correlation, least": round(min(correlations), 6),
                "rank correlation, mean": round(float(np.mean(correlations)), 6),
                "heatmap moves by, share of its range": float(f"{furthest:.2g}"),
            }
        )
    return rows


def faithfulness(cifar, n_images):
    """Return insertion minus deletion AUC of both numerics, on CIFAR-10 test images that choose no setting."""
    import pandas as pd
    from cifar_images import read_images, reported

    import multiplex_vit as mv

    warnings.simplefilter("ignore")
    images = read_images(Path(cifar), reported(0, n_images))
    settings = [mv.Settings(numerics=numerics) for numerics in ("published", "stable")]
    rows = []
    for name in ("demo-vit", "demo-deit"):
        model = mv.load(name, device="cpu")
        for number, image in images.items():
            for explanation in mv.explain_many(model, image, settings):
                for protocol in ("patch", "token"):
                    fid = mv.evaluate(
                        model,
                        image,
                        explanation.heatmap,
                        label=explanation.label,
                        protocol=protocol,
                        steps=16,
                    )
                    difference = fid.insertion.auc - fid.deletion.auc
                    rows.append((name, protocol, explanation.settings.numerics, number, difference))
    table = pd.DataFrame(rows, columns=["model", "protocol", "numerics", "image", "difference"])
    wide = table.pivot_table(
        index=["model", "protocol", "image"], columns="numerics", values="difference"
    )
    wide["change"] = wide["stable"] - wide["published"]
    found = wide.groupby(["model", "protocol"]).agg(["mean", "sem"]).round(4)
    found.columns = [f"{numerics} {figure}" for numerics, figure in found.columns]
    return found.reset_index(), len(images)


def main():
    """Run every arithmetic, compare each with the reference, and write the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--photos", help="folder of JPEG photos")
    parser.add_argument("--checkpoint", help="folder of another model")
    parser.add_argument("--cifar", help="folder of CIFAR-10 as Parquet, for faithfulness")
    parser.add_argument(
        "--images", type=int, default=40, help="CIFAR-10 images for faithfulness (%(default)s)"
    )
    folder = "what each arithmetic gave, where a second run continues (%(default)s)"
    parser.add_argument(
        "--recordings", type=Path, default=Path("studies/across_processors"), help=folder
    )
    parser.add_argument("--record", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.record:
        record(args.photos, args.checkpoint, args.record)
        return
    write(args)


def write(args):
    """Write the tables and how they were made."""
    import numpy as np
    import pandas as pd
    import torch
    from provenance import provenance

    arithmetics = dict(ARITHMETICS)
    if torch.cuda.is_available():
        arithmetics["CUDA"] = {"ACROSS_DEVICE": "cuda"}
    given = []
    for option in ("photos", "checkpoint"):
        if getattr(args, option):
            given += [f"--{option}", getattr(args, option)]
    recorded = {}
    args.recordings.mkdir(parents=True, exist_ok=True)
    for name, environment in arithmetics.items():
        path = args.recordings / f"{name.replace(' ', '-').replace(',', '')}.npz"
        if not path.exists():
            partial = path.with_name(f"partial-{path.name}")
            command = [sys.executable, __file__, "--record", str(partial), *given]
            subprocess.run(command, env={**os.environ, **environment}, check=True)
            partial.rename(path)
        recorded[name] = np.load(path)
        print(f"{name}: done", flush=True)
    rows = []
    for name, found in recorded.items():
        if name != REFERENCE:
            rows += [{"arithmetic": name, **row} for row in compare(recorded[REFERENCE], found)]
    table = pd.DataFrame(rows)
    OUT.parent.mkdir(parents=True, exist_ok=True)
    table.to_csv(OUT.with_suffix(".csv"), index=False)
    lines = ["# What differs between processors", f"Compared with {REFERENCE}.", markdown(table)]
    for option, what in (
        ("photos", "photos"),
        ("checkpoint", "the ViT-S"),
        ("cifar", "faithfulness on CIFAR-10"),
    ):
        if not getattr(args, option):
            lines.append(f"Left out, since --{option} was not given: {what}.")
    if args.cifar:
        faithful, n_images = faithfulness(args.cifar, args.images)
        title = f"Insertion minus deletion AUC of `mutex` (min_cut 0.01), {n_images} CIFAR-10 test images a model"
        lines += [f"## {title}", markdown(faithful)]
    OUT.with_suffix(".md").write_text("\n\n".join(lines) + "\n")
    OUT.with_suffix(".json").write_text(json.dumps(provenance(), indent=1) + "\n")


def markdown(table):
    """Return a table as Markdown."""
    head = "| " + " | ".join(table.columns) + " |"
    rule = "|" + "---|" * len(table.columns)
    rows = ["| " + " | ".join(map(str, row)) + " |" for row in table.itertuples(index=False)]
    return "\n".join([head, rule, *rows])


if __name__ == "__main__":
    main()
