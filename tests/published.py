"""Compare with the published implementation.

python tests/published.py masks vit        prints one row a case as JSON, of its masks
python tests/published.py all deit         of confidences and heatmaps too
python tests/published.py doubled vit      the same, by a model in float64
"""

import json
import sys
import warnings
from functools import cache

import numpy as np
import torch
from arithmetic import DATA
from attention_masks import masks_of
from margins import ROUNDED, decided, relative_error

import multiplex_vit as mv
from multiplex_vit.evaluation.protocols import published_baseline

FIELDS = ("min_cut", "token_ratio", "starting_layer")
NAMES = ("operators", "centralities", "statistics")
OPERATORS = ("min", "max", "sum")


def pixels(image):
    """Return the pre-processed pixel values [1, channel, row, col] of a recorded image."""
    return np.load(DATA / "pixel_values.npz")["pixel_values"][image][None]


def recorded(kind):
    """Return the recorded arrays of a model, by "KEY_masks", "KEY_conf", "KEY_heatmap" and so on."""
    return np.load(DATA / f"{kind}_expected.npz")


def recorded_masks(kind, key):
    """Return the recorded masks bool [mask, node] of a case."""
    return np.unpackbits(recorded(kind)[f"{key}_masks"], axis=1)[:, :196].astype(bool)


def cases(kind):
    """Return the recorded cases of a model: key, image, settings, label."""
    return json.loads((DATA / f"{kind}_cases.json").read_text())


def settings_of(case):
    """Return the settings of a case."""
    return mv.Settings(**{field: case[field] for field in FIELDS})


def load(kind, *, doubled=False):
    """Return a model on the CPU, in float64 where it is doubled."""
    model = mv.load(DATA / kind, device="cpu")
    if doubled:
        model.model.double()
    return model


@cache
def exact_attention(kind, image):
    """Return attention [operator, layer, source, target] by a model in float64."""
    return attention_of(load(kind, doubled=True), image)


def attention_of(model, image):
    """Return a model's attention [operator, layer, source, target] for a recorded image."""
    attention, _ = model.attend(model.embed(torch.from_numpy(pixels(image))), OPERATORS)
    return attention[0]


def compare_masks(kind, *, doubled=False):
    """Yield for each case its key and the labels of the masks that differ from the recorded ones."""
    model = load(kind, doubled=doubled)
    attention = [attention_of(model, image) for image in range(4)]
    for case in cases(kind):
        masks = masks_of(attention[case["image"]], settings_of(case))
        yield {"key": case["key"], **differences(kind, case, masks)}


def differences(kind, case, masks):
    """Return how many masks there are, which differ, and which differ beyond rounding."""
    wanted = recorded_masks(kind, case["key"])
    differing = (wanted != masks.kept).any(1)
    labels = [masks.labels[place] for place in np.flatnonzero(differing)]
    beyond = []
    for place in np.flatnonzero(differing):
        if is_beyond(kind, case, masks.labels[place], wanted[place] != masks.kept[place]):
            beyond.append(masks.labels[place])
    return {"masks": len(masks), "differing": labels, "beyond": beyond}


def is_beyond(kind, case, label, differing):
    """Tell whether a mask differs in tokens bool [node] that rounding does not decide."""
    if label[2] not in ROUNDED:
        return True
    kept, left = decided_tokens(kind, case, label)
    return bool((differing & (kept | left)).any())


def decided_tokens(kind, case, label):
    """Return which tokens of a mask every arithmetic keeps, and which every one leaves out."""
    attention = exact_attention(kind, case["image"])
    width = json.loads((DATA / kind / "config.json").read_text())["hidden_size"]
    weights = attention[OPERATORS.index(label[0]), case["starting_layer"] :]
    return decided(weights, relative_error(attention, width), label, case)


def compare(kind, chosen=None, *, doubled=False):
    """Yield for each case what `compare_masks` does, and the greatest deviations of the rest.

    Without chosen cases, all of them are compared.
    """
    model, expected = load(kind, doubled=doubled), recorded(kind)
    for case in chosen or cases(kind):
        key, image = case["key"], pixels(case["image"])
        found = mv.explain(model, image, label=case["label_given"], method=settings_of(case))
        equal = (recorded_masks(kind, key) == found.masks.kept).all(1)
        deviations = np.abs(expected[f"{key}_conf"] - found.confidence)
        yield {
            "key": key,
            "label": found.label == case["label"],
            **differences(kind, case, found.masks),
            "confidence": float(deviations[equal].max()),
            "heatmap": float(np.abs(expected[f"{key}_heatmap"] - found.heatmap).max()),
            "painted": painted(model, image, expected, key, found.label),
        }


def painted(model, image, expected, key, label):
    """Return the greatest deviation from the recorded insertion and deletion.

    They were recorded at 25, 50, 75 and 100 % of the patches; None for a case without them.
    """
    deviations = []
    for baseline in ("black", "mean"):
        if f"{key}_{baseline}_insertion" not in expected:
            continue
        measured = mv.evaluate(
            model,
            image,
            expected[f"{key}_heatmap"],
            label=label,
            baseline=published_baseline(baseline),
            steps=4,
        )
        for name in ("insertion", "deletion"):
            points = measured.curves[name].confidence[1:]
            deviations.append(np.abs(expected[f"{key}_{baseline}_{name}"] - points).max())
    return float(max(deviations)) if deviations else None


def main(what, kind):
    """Print the rows asked for as JSON."""
    warnings.simplefilter("ignore")
    rows = compare_masks(kind) if what == "masks" else compare(kind, doubled=what == "doubled")
    print(json.dumps(list(rows)))


if __name__ == "__main__":
    main(*sys.argv[1:])
