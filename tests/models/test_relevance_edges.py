"""Relevance on edges: each against an explicit computation, sums conserved, and a planted decision that runs through its tokens."""

import numpy as np
import pytest
import torch
from explicit_relevance import Explicit
from torch import nn
from zoo import N_CLASSES, ZOO, drawn, image_for, module_of

import multiplex_vit as mv

CASES = {
    "ViT": {},
    "Dinov2": {"use_swiglu_ffn": True},
    "Dinov2WithRegisters": {"num_register_tokens": 2},
}
FAMILIES = [
    "transformers DINOv3 with a probe",
    "timm vit",
    "timm qk-norm",
    "timm siglip",
    "timm eva02",
    "torchvision vit",
    "open_clip with a probe",
]


@pytest.mark.parametrize("kind", CASES)
def test_every_edge_is_that_of_explicit_shares(tiny, pixels, kind):
    model = tiny(kind, dtype=torch.float64, **CASES[kind])
    tokens = model.embed(pixels())
    edges, scores = model.relevance_edges(tokens, 3)
    explicit = Explicit(model.model, fixed_attention=False)
    expected = explicit.edges(tokens.values[0].numpy(), 3)
    assert np.abs(edges.numpy() - expected).max() < 1e-8 * np.abs(expected).max()
    assert torch.equal(scores, model.classify(pixels()))
    assert not edges.requires_grad


def test_sums_are_the_relevance_of_tokens(demo_vit, demo_deit):
    """In float32, of the bundled models, as the network has them."""
    for model in (demo_vit, demo_deit):
        cat = mv.samples()["cat"]
        tokens = model.embed(model.picture(cat).pixels)
        label = model.label_of("dog", 0)
        relevance = model.relevance(tokens, [label], "attn_lrp")[0][0].numpy()
        net = mv.multiplex(model, cat, edges="relevance", label="dog", prefix=True, min_cut=0)
        greatest = np.abs(relevance).max()
        assert np.abs(net.centrality("in_strength") - relevance).max() < 1e-5 * greatest
        assert net.signed
        assert net.provenance["label"] == "dog"


@pytest.mark.parametrize("name", FAMILIES)
def test_what_leaves_a_token_is_what_came_to_it_but_for_its_softmax(name):
    entry = ZOO[name]
    module = module_of(name).double()
    options = {"head": drawn(nn.Linear(entry.head, N_CLASSES)).double()} if entry.head else {}
    with torch.no_grad():
        for parameter, weight in module.named_parameters():
            if parameter.endswith("bias"):
                weight.zero_()
    model = mv.wrap(module, name=name, check=False, **options)
    tokens = model.embed(image_for(model))
    edges, _ = model.relevance_edges(tokens, 1)
    attention, gradient, _ = model.attention_gradients(tokens, 1, rules="attn_lrp")
    attention, gradient = attention.double(), gradient.double()
    given = (attention * gradient).sum(-1)
    handed_on = attention * (gradient - given[..., None])
    absorbed = (given - (handed_on * attention.log()).sum(-1)).sum(1)
    arriving = edges.sum(1)[1:]
    leaving = (edges.sum(2) + absorbed)[:-1]
    assert (leaving - arriving).abs().max() < 1e-5 * arriving.abs().max()


def bright(count, generator):
    """Return images of noise, in half of them a bright patch anywhere, and where."""
    pixels = 0.3 * torch.randn(count, 3, 16, 16, generator=generator)
    places = torch.randint(16, (count,), generator=generator)
    for number in range(1, count, 2):
        row, col = divmod(int(places[number]), 4)
        pixels[number, :, 4 * row : 4 * row + 4, 4 * col : 4 * col + 4] += 2
    return pixels, torch.arange(count) % 2, places


def test_a_planted_decision_runs_through_the_planted_token(tiny):
    """The model learns to see a bright patch; then what speaks for it comes from that patch."""
    model = tiny("ViT", num_labels=2, num_hidden_layers=2)
    generator = torch.Generator().manual_seed(1)
    weights = [weight.requires_grad_() for weight in model.model.parameters()]
    optimiser = torch.optim.Adam(weights, lr=5e-3)
    for _ in range(100):
        pixels, has_patch, _ = bright(32, generator)
        loss = nn.functional.cross_entropy(model.port.logits(pixels), has_patch)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    assert loss < 0.1, "it has learnt to see the patch"
    pixels, _, places = bright(8, generator)
    for number in range(1, 8, 2):
        image = pixels[number : number + 1].numpy()
        net = mv.multiplex(model, image, edges="relevance", label=1, prefix=True, min_cut=0)
        received = net.without_loops().part("positive").centrality("in_strength").sum(0)
        planted = 1 + int(places[number])
        assert received[1:].argmax() + 1 == planted
        assert received[planted] > 0.5 * received[1:].sum()
        contrast = mv.multiplex(
            model, image, edges="relevance", label=1, against=0, prefix=True, min_cut=0
        )
        assert contrast.centrality("in_strength")[0].argmax() == planted


# --- networks of gradients and of relevance -----------------------------------------------------------------------------


def test_gradient_edges_are_attention_times_gradient(demo_vit):
    cat = mv.samples()["cat"]
    tokens = demo_vit.embed(demo_vit.picture(cat).pixels)
    attention, gradient, _ = demo_vit.attention_gradients(tokens, 3)
    weighed = (attention * gradient).numpy()
    options = {"label": 3, "operator": "mean", "min_cut": 0, "prefix": True}
    net = mv.multiplex(demo_vit, cat, edges="gradient", **options)
    assert net.weights == pytest.approx(np.maximum(weighed, 0).mean(1), abs=1e-9)
    assert not net.signed
    signed = mv.multiplex(demo_vit, cat, edges="gradient(signed=True)", **options)
    assert signed.weights == pytest.approx(weighed.mean(1), abs=1e-9)
    assert signed.provenance["weights"] == "gradient(signed=True)"
    heads = mv.multiplex(demo_vit, cat, edges="gradient", heads=True, label=3, min_cut=0)
    assert heads.weights[4] == pytest.approx(np.maximum(weighed, 0)[1, 1, 1:, 1:], abs=1e-9)


def test_a_contrast_is_the_difference_of_two_classes(demo_vit):
    cat = mv.samples()["cat"]
    options = {"min_cut": 0, "prefix": True}
    for edges in ("relevance", "gradient"):
        cats, dogs = (
            mv.multiplex(demo_vit, cat, edges=edges, label=label, **options).weights
            for label in ("cat", "dog")
        )
        net = mv.multiplex(demo_vit, cat, edges=edges, label="cat", against="dog", **options)
        assert net.weights == pytest.approx(cats - dogs, abs=1e-6)
        assert (net.provenance["label"], net.provenance["against"]) == ("cat", "dog")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"edges": "relevant"}, "edges is 'relevant'; give one of 'attention', 'gradient'"),
        ({"edges": 3}, "edges is 3; give one of"),
        ({"label": "cat"}, "class 'cat' is given, and attention is of no class"),
        ({"against": 1}, "class 1 is given, and attention is of no class"),
        ({"edges": "relevance", "heads": True}, "relevance is of all heads together"),
        ({"edges": "relevance", "label": "unicorn"}, "unicorn"),
    ],
)
def test_what_kinds_of_edges_refuse(demo_vit, options, message):
    with pytest.raises(mv.InputError, match=message):
        mv.multiplex(demo_vit, mv.samples()["cat"], **options)
