"""What the outputs of a model mean: by the checkpoint, by its logits, and by one's own word."""

import functools

import numpy as np
import pytest
import torch
from conftest import tiny_model
from heads import KINDS, model_with
from torch import nn

import multiplex_vit as mv
from multiplex_vit.models.direct import Direct
from multiplex_vit.models.logits import class_names, width_of
from multiplex_vit.models.score import SCORES, score_named, score_of

LOGITS = torch.tensor([[0.0, np.log(3.0)], [-1000.0, 1000.0]], dtype=torch.float32)


def test_scores_by_hand():
    found = {name: score.of(LOGITS).numpy().round(6).tolist() for name, score in SCORES.items()}
    assert found["softmax"] == [[0.25, 0.75], [0, 1]]
    assert found["sigmoid"] == [[0.5, 0.75], [0, 1]]
    assert torch.equal(SCORES["raw"].of(LOGITS), LOGITS)
    assert all(score.of(LOGITS.bfloat16()).dtype == torch.float32 for score in SCORES.values())


@pytest.mark.parametrize("name", SCORES)
@pytest.mark.parametrize("n_classes", [1, 2, 5])
def test_a_score_fits_itself_and_says_so(name, n_classes):
    if (name, n_classes) == ("softmax", 1):
        return
    scores = SCORES[name].of(
        torch.randn(40, n_classes, generator=torch.Generator().manual_seed(0)) * 20
    )
    assert SCORES[name].unfit(scores.numpy()) == ""
    assert score_named(SCORES[name].quantity) is score_named(name) is SCORES[name]


@pytest.mark.parametrize(
    ("wanted", "problem_type", "n_classes", "score"),
    [
        ("auto", None, 1, "sigmoid"),
        ("auto", "single_label_classification", 1, "sigmoid"),
        ("auto", None, 2, "softmax"),
        ("auto", "single_label_classification", 3, "softmax"),
        ("auto", "multi_label_classification", 3, "sigmoid"),
        ("auto", "regression", 1, "raw"),
        ("auto", "regression", 2, "raw"),
        ("sigmoid", None, 3, "sigmoid"),
        ("softmax", "multi_label_classification", 3, "softmax"),
        ("raw", None, 1, "raw"),
    ],
)
def test_the_checkpoint_or_ones_own_word_decides(wanted, problem_type, n_classes, score):
    assert score_of(wanted, problem_type, n_classes) is SCORES[score]


@pytest.mark.parametrize("score", [3, None, np.ones(2), ["sigmoid"], 10**5000, b"x"], ids=type)
def test_whatever_is_no_score_is_met_with_the_choices(score):
    choices = "unknown score .*; give 'auto', 'softmax', 'sigmoid', 'raw'"
    network = tiny_model("ViT").model
    for take in (
        functools.partial(mv.load, "demo-vit"),
        functools.partial(mv.VisionModel, network),
    ):
        with pytest.raises(mv.InputError, match=choices):
            take(score=score)


@pytest.mark.parametrize("dtype", [3, np.ones(2), ["float32"], torch.int8, int])
def test_whatever_is_no_type_is_met_with_the_choices(dtype):
    for option in ("dtype", "mask_dtype"):
        choices = f"unknown {option} .*; give .* 'float32', 'float16', 'bfloat16'"
        with pytest.raises(mv.InputError, match=choices):
            mv.load("demo-vit", **{option: dtype})


@pytest.mark.parametrize("n_classes", [1, 2])
def test_ones_own_word_is_checked_at_once(n_classes):
    network = tiny_model("ViT", num_labels=n_classes).model
    with pytest.raises(
        mv.InputError, match="unknown score 'sigmoyd'; give 'auto', 'softmax', 'sigmoid', 'raw'"
    ):
        mv.VisionModel(network, score="sigmoyd")
    assert mv.VisionModel(network, score="raw").score is SCORES["raw"]
    if n_classes == 1:
        with pytest.raises(mv.InputError, match="a softmax of one logit is 1 for every image"):
            mv.VisionModel(network, score="softmax")
    else:
        assert mv.VisionModel(network, score="softmax").score is SCORES["softmax"]


def test_a_loaded_model_takes_ones_own_word(demo_vit):
    pixels = demo_vit.picture(mv.samples()["cat"]).pixels
    with torch.no_grad():
        logits = demo_vit.model(pixel_values=pixels).logits
    own = mv.load("demo-vit", device="cpu", score="sigmoid")
    assert torch.allclose(own.classify(pixels), logits.sigmoid(), atol=1e-6)
    assert torch.allclose(demo_vit.classify(pixels), logits.softmax(-1), atol=1e-6)


def test_a_saved_checkpoint_says_what_its_outputs_mean(tmp_path, demo_vit):
    tiny = tiny_model("ViT", num_labels=3, problem_type="multi_label_classification")
    tiny.model.save_pretrained(tmp_path)
    demo_vit.processor.save_pretrained(tmp_path)
    assert mv.load(tmp_path, device="cpu").score is SCORES["sigmoid"]


def test_a_head_that_is_replaced_later_is_seen(pixels):
    model = tiny_model("ViT")
    assert len(model.classes) == 5
    model.model.classifier = nn.Linear(16, 1)
    with pytest.warns(
        UserWarning,
        match=r"gives 1 logits, but its configuration names 5 classes; they are called '0' \(",
    ):
        assert model.classes == ("0",)
    assert model.classify(pixels()).shape == (1, 1)
    assert model.score is SCORES["sigmoid"]
    model.model.classifier = nn.Sequential(nn.Linear(16, 4))
    assert model.classify(pixels()).shape == (1, 4)
    model.model.classifier = nn.Sequential(nn.Linear(16, 5))
    assert model.classify(pixels()).shape == (1, 5)
    assert model.classes == tuple(f"LABEL_{i}" for i in range(5))


def test_a_model_without_a_head_is_refused():
    with pytest.raises(mv.InputError, match="ViTForImageClassification has no classifier"):
        _ = tiny_model("ViT", num_labels=0).classes


def test_a_class_of_ones_own_is_asked_how_many_it_gives(pixels):
    from transformers import ViTConfig, ViTForImageClassification

    class Halved(ViTForImageClassification):
        def forward(self, *args, **options):
            output = super().forward(*args, **options)
            output.logits = output.logits[:, :2]
            return output

    sizes = {
        "hidden_size": 16,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "intermediate_size": 32,
    }
    model = mv.VisionModel(
        Halved(ViTConfig(**sizes, num_labels=5, image_size=16, patch_size=4)).eval()
    )
    with pytest.warns(UserWarning, match="gives 2 logits"):
        assert model.classes == ("0", "1")
    assert model.classify(pixels()).shape == (1, 2)


@pytest.mark.parametrize("readers", [("a",), ("a", "b"), ("a", "missing")])
def test_widths_that_a_pass_must_tell(readers):
    layers = nn.ModuleDict({"a": nn.Linear(4, 3), "b": nn.Linear(4, 2)})
    assert width_of(layers, readers) == (3 if readers == ("a",) else None)


@pytest.mark.parametrize(
    "names", [{}, {0: "a"}, {0: "a", 2: "b"}, {1: "a", 2: "b"}, {0: "a", 1: "b", 2: "c"}]
)
def test_names_that_do_not_fit_are_not_taken(names):
    with pytest.warns(UserWarning, match=f"names {len(names)} classes"):
        assert class_names(names, 2, "it") == ("0", "1")


def test_only_a_softmax_takes_the_mean_over_classes_away(pixels):
    model = tiny_model("ViT", num_labels=4)
    tokens = model.embed(pixels())
    centred = model.attend_directly(tokens, ["mean"])[-1]
    whole = mv.VisionModel(model.model, score="sigmoid").attend_directly(tokens, ["mean"])[-1]
    assert torch.allclose(whole - whole.mean(-1, keepdim=True), centred, atol=1e-6)
    assert (whole - centred).abs().max() > 1e-3
    one = tiny_model("ViT", num_labels=1)
    one.model.load_state_dict(
        {k: v[:1] if k.startswith("classifier") else v for k, v in model.model.state_dict().items()}
    )
    assert torch.allclose(one.attend_directly(tokens, ["mean"])[-1], whole[..., :1], atol=1e-6)
    assert Direct.__init__.__kwdefaults__ == {"exclusive": True}


@pytest.mark.parametrize("kind", ["replaced head", "replaced by layers", "one logit"])
@pytest.mark.filterwarnings("ignore:.*its configuration names")
def test_every_part_of_a_replaced_head_is_randomised(kind):
    from multiplex_vit.models.randomise import randomised

    model = model_with(kind)
    part, copy = next(randomised(model))
    assert part == "head"
    assert copy.score is model.score
    assert copy.n_classes == model.n_classes == KINDS[kind].n_classes
    for name, weight in model.model.named_parameters():
        if "classifier" in name and weight.dim() == 2:
            assert not torch.equal(weight, dict(copy.model.named_parameters())[name]), name
