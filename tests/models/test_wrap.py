"""Wrapping live modules: the self-check, processors, classes, heads, texts as a head, and what is refused."""

from dataclasses import replace
from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn
from zoo import N_CLASSES, SQUARE, WIDTH, drawn, hugging_face, image_for, model_of, module_of, timm

import multiplex_vit as mv
from multiplex_vit.models import NeighbourHead, PrototypeHead, TextHead
from multiplex_vit.models.check import check_reading
from multiplex_vit.models.swaps import forwards
from multiplex_vit.models.taps.fused import fused
from multiplex_vit.models.taps.weights import attended, mixed

CAT = mv.samples()["cat"]


# --- the self-check


def misread(name, *, head=None, **changes):
    """Return a model of a family of which something is told wrongly."""
    port = model_of(name).port
    trunk, head = replace(port.trunk, **changes), replace(port.head, **(head or {}))
    return mv.VisionModel(replace(port, trunk=trunk, head=head))


def without_bias(module, blocks, collect):
    """A tap that forgets what is added to the scores of attention."""

    def attend(part, values, shared_rel_pos_bias=None):
        heads = part.qkv(values).unflatten(-1, (3, part.num_heads, -1))
        query, key, value = heads.permute(2, 0, 3, 1, 4)
        brought = mixed(collect, part, attended(query, key), value)
        return part.proj(brought.transpose(1, 2).flatten(2))

    return forwards({block.attn: partial(attend, block.attn) for block in blocks})


def test_a_bias_that_is_ignored_is_found():
    with pytest.raises(mv.InputError, match="with its attention watched it gives other logits"):
        check_reading(misread("timm beit", tap=without_bias))


@pytest.mark.parametrize("prefix", [(), ("class", "register0")])
def test_a_prefix_that_is_miscounted_is_found(prefix):
    with pytest.raises(mv.InputError, match=r"makes 16 tokens, but its trunk says . prefix tokens"):
        check_reading(misread("timm vit", prefix=prefix))


def test_a_prefix_that_is_counted_as_patches_is_found():
    """Two registers stand for the class token and one patch: the number of tokens is right."""
    module = drawn(timm("VisionTransformer", img_size=(12, 20), reg_tokens=3))
    trunk = replace(mv.VisionModel(module).port.trunk, prefix=("class",), image_size=(12, 24))
    with pytest.raises(mv.InputError, match=r"cannot run an image of 3 x 12 x 24"):
        mv.wrap(module, trunk=trunk)
    trunk = replace(mv.VisionModel(module).port.trunk, prefix=("class",), patch=(4, 3))
    with pytest.raises(mv.InputError, match="mend its prefix, patch or image_size|its trunk says"):
        mv.wrap(module, trunk=trunk)


def test_a_grid_that_is_transposed_is_found():
    dinov2 = hugging_face("Dinov2ForImageClassification", image_size=SQUARE, mlp_ratio=2)
    model = mv.VisionModel(drawn(dinov2))
    trunk = replace(model.port.trunk, patch=(2, 8), image_size=(16, 16))
    wrong = mv.VisionModel(replace(model.port, trunk=trunk))
    with pytest.raises(mv.InputError, match=r"the patch in row 0 and column 1 is token ., but its"):
        check_reading(wrong)


def test_a_rotation_that_is_dropped_is_found():
    with pytest.raises(
        mv.InputError, match="some tokens, without the others .* mend its positions"
    ):
        check_reading(misread("timm dinov3", positions=None))
    with pytest.raises(
        mv.InputError, match="some tokens, without the others .* mend its positions"
    ):
        check_reading(misread("transformers DINOv3 with a probe", positions=None))


def test_blocks_and_taps_that_do_not_fit_are_found():
    with pytest.raises(mv.InputError, match=r"shows attention 0 times, but has 2 blocks"):
        check_reading(misread("torchvision vit", tap=fused))


CLIP, TIMM = "transformers CLIP with a probe", "timm vit"
NOT_BROUGHT = "is not given what the heads of attention bring; mend its trunk's output"
NOT_GIVEN = "is not given what the last block gives, nor what a head reads of it"
WRONG = {
    "blocks that are no part": (
        TIMM,
        {"blocks": "layers"},
        "has no layer 'layers'; mend its trunk",
    ),
    "blocks without any": (TIMM, {"blocks": "head"}, "has no blocks in 'head'"),
    "an output that is no part": (
        "torchvision vit",
        {"output": "attn.proj"},
        "block 0 of .* has no layer 'attn.proj'; mend its trunk's output",
    ),
    "a scale that is no part": (TIMM, {"scale": "ls.weight"}, "no 'ls.weight'; mend .* scale"),
    "a norm that is no part": (
        TIMM,
        {"head": {"norm": "ln"}},
        "no layer 'ln'; mend its head's norm",
    ),
    "a reader that is no part": (
        TIMM,
        {"head": {"readers": ("head", "fc")}},
        "no layer 'fc'; mend its head's readers",
    ),
    "the MLP for the output": (CLIP, {"output": "mlp.fc2"}, f"'mlp.fc2' of block 0 {NOT_BROUGHT}"),
    "queries for the output": (TIMM, {"output": "attn.qkv"}, f"'attn.qkv' of .* {NOT_BROUGHT}"),
    "a norm before the blocks": (
        CLIP,
        {"head": {"norm": "backbone.pre_layrnorm"}},
        f"'backbone.pre_layrnorm' {NOT_GIVEN}",
    ),
    "a norm within a block": (TIMM, {"head": {"norm": "blocks.1.norm2"}}, NOT_GIVEN),
    "a norm that is left out": (TIMM, {"head": {"norm": ""}}, f"'head' {NOT_GIVEN}"),
    "a norm behind the mean": ("transformers BEiT", {"head": {"norm_first": True}}, NOT_GIVEN),
    "patches for the class token": ("transformers CLIP", {"head": {"reads": "prefix"}}, NOT_GIVEN),
}


@pytest.mark.parametrize(("name", "changes", "message"), WRONG.values(), ids=WRONG)
def test_parts_that_are_told_wrongly_are_found(name, changes, message):
    with pytest.raises(mv.InputError, match=message):
        check_reading(misread(name, **changes))


# --- processors and classes


def grey(image):
    return torch.full((3, *SQUARE), float(np.asarray(image).mean()) / 255)


@pytest.mark.parametrize("kind", ["a function", "torchvision", "timm", "transformers", "clip"])
def test_processors_of_every_kind(kind):
    from timm.data import create_transform
    from torchvision import transforms
    from transformers import ViTImageProcessorPil

    plain = ViTImageProcessorPil(size={"height": 16, "width": 16})
    resized = [transforms.Resize((16, 16)), transforms.ToTensor()]
    processors = {
        "a function": grey,
        "torchvision": transforms.Compose([*resized, transforms.Normalize([0.5] * 3, [0.5] * 3)]),
        "timm": create_transform((3, 16, 16), mean=(0.5,) * 3, std=(0.5,) * 3),
        "transformers": plain,
        "clip": SimpleNamespace(image_processor=plain),
    }
    model = mv.wrap(module_of("torchvision vit"), processors[kind])
    picture = model.picture(CAT)
    assert picture.pixels.shape == (1, 3, 16, 16)
    mean, std = model.normalisation
    if kind != "a function":
        assert np.allclose([mean, std], 0.5, atol=1e-3)
    assert mv.explain(model, CAT, budget=8).heatmap.shape == (4, 4)


def test_a_processor_that_gives_something_else():
    model = mv.wrap(module_of("torchvision vit"), lambda image: "no")
    with pytest.raises(mv.InputError, match="the processor gives str for an image; expected a Ten"):
        model.picture(CAT)
    with pytest.raises(mv.InputError, match="processor is int; give an image processor"):
        mv.wrap(module_of("torchvision vit"), 3)


def test_classes_by_name():
    names = ["cat", "dog", "cow", "hen", "pig"]
    model = mv.wrap(module_of("timm vit"), classes=names)
    assert model.label_of("dog", 0) == 1
    with pytest.raises(mv.InputError, match="2 classes are given, but .* gives 5 logits"):
        mv.wrap(module_of("timm vit"), classes=["cat", "dog"])


# --- images of other sizes


@pytest.mark.parametrize("size", [(16, 24), (24, 24), (12, 16)])
@pytest.mark.parametrize("kind", ["ViT", "DeiT", "IJepa", "CLIP", "Siglip"])
def test_positions_are_interpolated_as_transformers_does(kind, size):
    text = kind in ("CLIP", "Siglip")
    module = drawn(hugging_face(f"{kind}ForImageClassification", text=text, image_size=16))
    model = mv.wrap(module, interpolate=True)
    pixels = np.random.default_rng(0).standard_normal((1, 3, *size)).astype(np.float32)
    with torch.no_grad():
        logits = module(torch.from_numpy(pixels), interpolate_pos_encoding=True).logits
    assert torch.allclose(model.classify(pixels), logits.softmax(-1), atol=1e-6)
    everything = np.ones((1, size[0] * size[1] // 16), dtype=bool)
    kept = model.probabilities(model.embed(pixels), everything)
    assert torch.allclose(kept, logits.softmax(-1), atol=1e-5)
    assert mv.explain(model, pixels, budget=8).heatmap.shape == (size[0] // 4, size[1] // 4)


@pytest.mark.parametrize("size", [(20, 12), (24, 24)])
@pytest.mark.parametrize("kind", ["VisionTransformer", "VisionTransformerDistilled"])
def test_positions_are_interpolated_as_timm_does(kind, size):
    file = "deit" if kind.endswith("Distilled") else "vision_transformer"
    module = drawn(timm(kind, file))
    dynamic = timm(kind, file, dynamic_img_size=True).eval()
    dynamic.load_state_dict(module.state_dict())
    model = mv.wrap(module, interpolate=True)
    pixels = np.random.default_rng(0).standard_normal((1, 3, *size)).astype(np.float32)
    with torch.no_grad():
        expected = dynamic(torch.from_numpy(pixels)).softmax(-1)
    assert torch.allclose(model.classify(pixels), expected, atol=1e-6)
    assert torch.allclose(mv.wrap(dynamic).classify(pixels), expected, atol=1e-6)
    assert mv.explain(model, pixels, budget=8).heatmap.shape == (size[0] // 4, size[1] // 4)


def test_rotations_and_biases_follow_images_of_any_size():
    """An image of 5 x 3 patches has as many tokens as one of 3 x 5, and other positions."""
    for name in ("transformers DINOv3 with a probe", "transformers BEiT"):
        model = model_of(name)
        for size in ((12, 20), (20, 12)):
            pixels = np.random.default_rng(0).standard_normal((1, 3, *size)).astype(np.float32)
            everything = np.ones((1, 15), dtype=bool)
            kept = model.probabilities(model.embed(pixels), everything)
            assert torch.allclose(kept, model.classify(pixels), atol=1e-5), name


def test_positions_that_cannot_be_interpolated():
    with pytest.raises(mv.InputError, match="the position embeddings of .* cannot be interpolated"):
        mv.wrap(module_of("torchvision vit"), interpolate=True)


# --- heads of backbones


def features_of(model, pixels):
    """Return the features that a probe's head is given."""
    given = []
    hook = model.model.head.register_forward_pre_hook(lambda _module, args: given.append(args[0]))
    model.classify(pixels)
    hook.remove()
    return given[0]


@pytest.mark.parametrize("name", ["timm dinov2 with a probe", "transformers DINOv3 with a probe"])
def test_heads_of_neighbours_and_of_prototypes(name):
    model = model_of(name)
    images = np.concatenate([image_for(model, seed) for seed in range(6)])
    features, labels = features_of(model, images), torch.tensor([0, 1, 2] * 2)
    backbone = model.model.backbone
    prototypes = torch.stack([features[labels == label].mean(0) for label in range(3)])
    for head in (NeighbourHead(features, labels, k=1), PrototypeHead(prototypes)):
        wrapped = mv.wrap(backbone, head=head, classes=["a", "b", "c"])
        assert wrapped.classify(images[:3]).argmax(-1).tolist() == [0, 1, 2]
        assert mv.explain(wrapped, images[:1], label="a", budget=8).heatmap.shape == wrapped.grid


@pytest.mark.parametrize(
    "pooling", [{"global_pool": "avgmax"}, {"global_pool": "avg", "pool_include_prefix": True}]
)
def test_a_head_that_pools_tokens_in_another_way_has_no_direct_shares(pooling):
    model = mv.wrap(drawn(timm("VisionTransformer", **pooling)))
    assert model.n_classes == N_CLASSES
    with pytest.raises(mv.InputError, match="has no linear classifier .* give prior=None"):
        model.attend_directly(model.embed(image_for(model)), ["mean"])


def test_the_width_of_a_token_is_that_of_tokens_whatever_vector_a_block_holds_first():
    """As in BLIP's blocks, whose first vector is the bias of queries, keys and values."""
    backbone = drawn(hugging_face("ViTModel"))
    for block in backbone.layers:
        for name, part in list(block.named_children()):
            # Parts are listed in the order in which they were put in: the MLP is the first now.
            if name != "mlp":
                delattr(block, name)
                setattr(block, name, part)
    vectors = [weight for weight in backbone.layers[0].parameters() if weight.ndim == 1]
    assert len(vectors[0]) == 2 * WIDTH
    with pytest.raises(mv.InputError, match=f"takes 7 numbers, but a token of the .* has {WIDTH}"):
        mv.wrap(backbone, head=nn.Linear(7, 2))
    assert mv.wrap(backbone, head=drawn(nn.Linear(2 * WIDTH, 2))).reads == "both"


def test_a_head_of_another_width():
    with pytest.raises(mv.InputError, match="the head takes 7 numbers, but a token of the backbon"):
        mv.wrap(hugging_face("ViTMAEModel"), head=nn.Linear(7, 2))


def test_a_probe_reads_the_features_of_the_library_itself():
    module = drawn(timm("VisionTransformer", num_classes=0))
    model = mv.wrap(module, head=drawn(nn.Linear(WIDTH, 3)))
    pixels = torch.from_numpy(image_for(model))
    with torch.no_grad():
        expected = model.model.head(module(pixels)).softmax(-1)
    assert torch.allclose(model.classify(pixels), expected, atol=1e-6)


# --- texts as a head


class Words:
    """A tokenizer of words, each a number of its own."""

    def __init__(self):
        self.numbers = {}

    def __call__(self, prompts, *, padding, truncation, max_length, return_tensors):
        from transformers import BatchEncoding

        rows = []
        for prompt in prompts:
            known = [self.numbers.setdefault(w, 2 + len(self.numbers)) for w in prompt.split()]
            rows.append([0, *known, 1])
        length = max_length if padding == "max_length" else max(map(len, rows))
        ids = torch.tensor([row + [1] * (length - len(row)) for row in rows])
        mask = torch.tensor([[1] * len(row) + [0] * (length - len(row)) for row in rows])
        return BatchEncoding({"input_ids": ids, "attention_mask": mask})


CLASSES = ["a cat", "a dog on the moon", "a rocket"]
READERS = ["CLIPModel", "MetaClip2Model", "SiglipModel"]


def reader_of_text(name):
    torch.manual_seed(0)
    return drawn(hugging_face(name, text=True, image_size=16), 0.2)


@pytest.mark.parametrize("name", READERS)
def test_texts_are_a_linear_head(name):
    module, words = reader_of_text(name), Words()
    processor = SimpleNamespace(tokenizer=words, image_processor=grey)
    model = mv.wrap(module, processor, classes=CLASSES)
    pixels = torch.from_numpy(image_for(model))
    padding = "max_length" if "Siglip" in name else True
    tokens = words(CLASSES, padding=padding, truncation=True, max_length=16, return_tensors="pt")
    with torch.no_grad():
        logits = module(pixel_values=pixels, **tokens).logits_per_image
    expected = logits.sigmoid() if "Siglip" in name else logits.softmax(-1)
    assert torch.allclose(model.classify(pixels), expected, atol=1e-5)
    assert model.classes == tuple(CLASSES)
    heatmap = mv.explain(model, pixels, label="a rocket", budget=8).heatmap
    assert heatmap.shape == (4, 4)
    assert mv.explain(model, CAT, budget=8).heatmap.shape == (4, 4)


def test_direct_attribution_of_texts_holds_the_length_of_features(pixels):
    """A small change of what a token writes moves logits as its share says, but for that length."""
    module, words = reader_of_text("CLIPModel"), Words()
    model = mv.wrap(module, SimpleNamespace(tokenizer=words, image_processor=grey), classes=CLASSES)
    head = model.model.head
    features = torch.randn(2, WIDTH)
    weight, length = head.at_length(features)
    assert torch.allclose(features @ weight.T / length[:, None], head(features), atol=1e-4)
    _, _, shares = model.attend_directly(model.embed(pixels()), ["mean"])
    assert shares.shape == (1, 16, 3)
    assert torch.allclose(shares.mean(-1), torch.zeros(1, 16), atol=1e-5)


def test_several_prompts_are_averaged():
    module = reader_of_text("CLIPModel")
    processor = SimpleNamespace(tokenizer=Words(), image_processor=grey)
    classes = {"cat": ["a cat", "some cat"], "dog": "a dog"}
    model = mv.wrap(module, processor, classes=classes)
    assert model.classes == ("cat", "dog")
    alone = mv.wrap(module, processor, classes=["a cat", "some cat", "a dog"])
    texts, several = alone.model.head.texts, model.model.head.texts
    mean = nn.functional.normalize(texts[0] + texts[1], dim=-1)
    assert torch.allclose(several, torch.stack([mean, texts[2]]), atol=1e-6)


def test_open_clip_reads_texts_by_its_own_tokenizer():
    import open_clip

    vision = {"image_size": 16, "patch_size": 4, "width": 32, "layers": 2, "head_width": 16}
    text = {"width": 16, "heads": 2, "layers": 1, "context_length": 12}
    module = open_clip.CLIP(24, vision_cfg=vision, text_cfg=text).eval()
    model = mv.wrap(module, classes=CLASSES)
    pixels = torch.from_numpy(image_for(model))
    tokens = open_clip.SimpleTokenizer(context_length=12)(CLASSES)
    with torch.no_grad():
        logits, _ = module.get_logits(pixels, tokens)
    assert torch.allclose(model.classify(pixels), logits.softmax(-1), atol=1e-5)
    own = mv.wrap(module.visual, head=TextHead(module.encode_text(tokens).detach()))
    assert own.n_classes == 3


def test_what_reads_text_needs_classes_and_a_tokenizer():
    module = reader_of_text("CLIPModel")
    with pytest.raises(mv.InputError, match=r"CLIPModel compares images with texts; give classes="):
        mv.wrap(module)
    with pytest.raises(mv.InputError, match="has no tokenizer for the classes; give the whole"):
        mv.wrap(module, grey, classes=CLASSES)


# --- what is refused


def test_a_backbone_needs_a_head():
    for module in (hugging_face("ViTModel"), timm("VisionTransformer", num_classes=0)):
        with pytest.raises(mv.InputError, match=r"is a backbone without a classifier; give wrap\("):
            mv.wrap(module)
    with pytest.raises(mv.InputError, match="has a classifier of its own, which head would replac"):
        mv.wrap(hugging_face("ViTForImageClassification"), head=nn.Linear(WIDTH, 2))


def test_windows_are_refused_with_the_reason():
    from timm.models.swin_transformer import SwinTransformer

    windowed = SwinTransformer(img_size=32, patch_size=4, embed_dim=8, depths=(1,), num_heads=(1,))
    with pytest.raises(
        mv.InputError, match="attends within windows .* so no token can leave the s"
    ):
        mv.wrap(windowed)


def test_unknown_modules_are_told_what_to_pass():
    with pytest.raises(mv.InputError, match=r"Linear is not a .* give wrap\(module, trunk=Trunk\("):
        mv.wrap(nn.Linear(2, 2))
