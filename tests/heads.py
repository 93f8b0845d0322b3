"""Kinds of heads that a classifier may have, and the scores that transformers' own logits then mean."""

from dataclasses import dataclass, field

import torch
from conftest import tiny_model
from torch import nn

ARCHITECTURES = {
    "ViT": ("ViT", "ForImageClassification"),
    "DeiT with teacher": ("DeiT", "ForImageClassificationWithTeacher"),
    "Dinov2": ("Dinov2", "ForImageClassification"),
}


@dataclass(frozen=True)
class Kind:
    """A kind of head: its configuration, what is put in its place, and what its logits mean."""

    score: str
    n_classes: int
    changes: dict = field(default_factory=dict)
    replaced: str = ""


def _multi_label(n):
    return {"num_labels": n, "problem_type": "multi_label_classification"}


def _values(n):
    return {"num_labels": n, "problem_type": "regression"}


KINDS = {
    "one logit": Kind("sigmoid", 1, {"num_labels": 1}),
    "two": Kind("softmax", 2, {"num_labels": 2}),
    "multi-label": Kind("sigmoid", 4, _multi_label(4)),
    "regression": Kind("raw", 1, _values(1)),
    "several values": Kind("raw", 3, _values(3)),
    "21,841 classes": Kind("softmax", 21_841, {"num_labels": 21_841}),
    "replaced head": Kind("softmax", 3, {"num_labels": 10}, "linear"),
    "replaced by layers": Kind("softmax", 3, {"num_labels": 10}, "layers"),
    "replaced by one logit": Kind("sigmoid", 1, {"num_labels": 10}, "linear"),
}
MEANINGS = {"softmax": lambda x: x.softmax(-1), "sigmoid": torch.sigmoid, "raw": lambda x: x}


def model_with(kind, architecture="ViT"):
    """Return a VisionModel with random weights and a kind of head."""
    own, head = ARCHITECTURES[architecture]
    model = tiny_model(own, head, **KINDS[kind].changes)
    if KINDS[kind].replaced:
        for name in model.port.head.readers:
            setattr(model.model, name, _replacement(getattr(model.model, name), KINDS[kind]))
    return model


def _replacement(head, kind):
    torch.manual_seed(1)
    if kind.replaced == "linear":
        return nn.Linear(head.in_features, kind.n_classes)
    return nn.Sequential(nn.Linear(head.in_features, 8), nn.GELU(), nn.Linear(8, kind.n_classes))


def own_scores(model, kind, pixels):
    """Return the scores [image, class] that transformers' model itself gives."""
    with torch.no_grad():
        logits = model.model(pixel_values=torch.as_tensor(pixels)).logits
    return MEANINGS[KINDS[kind].score](logits).numpy()
