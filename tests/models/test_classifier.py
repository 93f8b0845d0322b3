"""What the package asks of a model, and a relay that hands it on."""

import inspect
import subprocess
import sys

import numpy as np
import pytest
import torch

import multiplex_vit as mv
from multiplex_vit.models.classifier import Classifier
from multiplex_vit.models.port import Tokens
from multiplex_vit.models.relay import Relay

MEMBERS = [name for name in vars(Classifier) if not name.startswith("_")]
VALUES = [name for name in MEMBERS if isinstance(vars(Classifier)[name], property)]
METHODS = [name for name in MEMBERS if name not in VALUES]


def arguments_of(method, model, pixels):
    """Return what a method is given in this test."""
    tokens = model.embed(pixels())
    kept = np.arange(16)[None] < np.array([[4], [9]])
    return {
        "grid_of": ((16, 16),),
        "label_of": (None, 3),
        "picture": (pixels(),),
        "with_score": ("raw",),
        "embed": (pixels(),),
        "attend": (tokens, ["sum"]),
        "attend_directly": (tokens, ["sum"]),
        "attend_relevance": (tokens, ["sum"], [1], "attn_lrp"),
        "activations": (tokens,),
        "probabilities": (tokens, kept),
        "probabilities_of_images": (tokens, [kept]),
        "classify": (pixels(),),
        "relevance": (tokens, [1], "attn_lrp"),
        "relevance_edges": (tokens, 1),
        "attention_gradients": (tokens, 1),
        "block_gradients": (tokens, 1),
        "token_gradients": (tokens, 1),
        "pixel_gradients": (torch.from_numpy(pixels()), 1),
    }[method]


def flat(result):
    """Return tensors and values of a result in one list."""
    if isinstance(result, (tuple, list)):
        return [value for part in result for value in flat(part)]
    if isinstance(result, mv.VisionModel):
        return [result.classify(torch.ones(1, 3, 16, 16))]
    if isinstance(result, Tokens):
        return [result.values]
    return [getattr(result, "pixels", result)]


@pytest.mark.parametrize("name", VALUES)
def test_a_relay_has_the_values_of_its_model(tiny, name):
    model = tiny("DeiT")
    expected, found = flat(getattr(model, name)), flat(getattr(Relay(model), name))
    assert len(found) == len(expected) > 0
    assert all(np.array_equal(a, b) for a, b in zip(found, expected, strict=True))


@pytest.mark.parametrize("name", METHODS)
def test_a_relay_hands_on_every_question(tiny, pixels, name):
    model = tiny("DeiT")
    arguments = arguments_of(name, model, pixels)
    expected = flat(getattr(model, name)(*arguments))
    found = flat(getattr(Relay(model), name)(*arguments))
    assert len(found) == len(expected) > 0
    for ours, theirs in zip(found, expected, strict=True):
        assert torch.equal(torch.as_tensor(ours), torch.as_tensor(theirs))


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize("kind", [Relay, mv.VisionModel])
def test_signatures_are_those_of_the_protocol(kind, name):
    def parameters(owner):
        signature = inspect.signature(getattr(owner, name))
        return [(value.name, value.kind, value.default) for value in signature.parameters.values()]

    assert parameters(kind) == parameters(Classifier)


def test_options_are_handed_on(tiny, pixels):
    model = tiny("ViT")
    attention, _ = Relay(model).attend(model.embed(pixels()), ["sum"], prefix=True)
    assert attention.shape[-1] == 17


def test_a_relay_that_counts_explains_like_its_model(tiny, pixels):
    class Counting(Relay):
        n_masks = 0

        def probabilities(self, tokens, kept, *, batch_size="auto"):
            self.n_masks += len(kept)
            return super().probabilities(tokens, kept, batch_size=batch_size)

    model = tiny("ViT")
    relay = Counting(model)
    found, expected = mv.explain(relay, pixels()), mv.explain(model, pixels())
    assert np.array_equal(found.heatmap, expected.heatmap)
    assert relay.n_masks == len(expected.masks.distinct()[0])


def test_the_protocol_needs_no_torch():
    check = "import sys, multiplex_vit.models.relay; print('torch' in sys.modules)"
    ended = subprocess.run(
        [sys.executable, "-c", check], capture_output=True, text=True, check=True
    )
    assert ended.stdout.strip() == "False"
