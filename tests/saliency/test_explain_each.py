"""Many images at once: what explain gives one by one, whatever shares a pass."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from small import PHOTOS

import multiplex_vit as mv
from multiplex_vit.models.fast import batches, memory, sharing
from multiplex_vit.saliency import batching

pytestmark = pytest.mark.filterwarnings("ignore:.*see masks.table")
CHOICES = [
    mv.Settings(),
    mv.Settings(token_ratio=0.3, min_cut=0.1, starting_layer=1),
    mv.Settings(
        operators=("mean",),
        centralities=("pagerank", "in_strength"),
        statistics=("std", "skew", "max"),
    ),
    mv.EXPLAINERS["communities"].settings,
    mv.Settings(design="random", budget=7, seed=2),
]
KINDS = ["ViT", "DeiT", "Dinov2", "Dinov2WithRegisters"]

few_examples = settings(max_examples=settings.default.max_examples // 4)
"""Passes of models take their time: a quarter of the examples that others have."""


def same(together, alone):
    assert (together.masks.kept == alone.masks.kept).all()
    assert together.masks.labels == alone.masks.labels
    assert (together.label, together.forward_passes, together.settings) == (
        alone.label,
        alone.forward_passes,
        alone.settings,
    )
    assert np.array_equal(together.clean, alone.clean)
    np.testing.assert_allclose(together.probabilities, alone.probabilities, atol=1e-5)
    np.testing.assert_allclose(
        together.estimate(alone.settings.estimator),
        alone.estimate(alone.settings.estimator),
        atol=1e-5,
    )
    if alone.prior is not None:
        assert together.prior.labels == alone.prior.labels
        np.testing.assert_allclose(together.prior.values, alone.prior.values, atol=1e-5)


@few_examples
@given(
    kind=st.sampled_from(KINDS),
    seeds=st.lists(st.integers(0, 3), min_size=1, max_size=5),
    chosen=st.lists(st.sampled_from(CHOICES), min_size=1, max_size=2),
    batch_size=st.sampled_from([1, 2, 5, 100, "auto"]),
    together=st.integers(1, 4),
    tokens=st.sampled_from([8, 60, 1024]),
)
def test_any_grouping_gives_what_one_at_a_time_gives(
    make_tiny, kind, seeds, chosen, batch_size, together, tokens
):
    model = make_tiny(kind)
    images = [
        np.random.default_rng(seed).standard_normal((1, 3, 16, 16)).astype(np.float32)
        for seed in seeds
    ]
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(batching.MOST_IMAGES, "cpu", together)
        patch.setattr(memory, "TOKENS_ON_CPU", tokens)
        found = list(mv.explain_each(model, images, chosen, batch_size=batch_size))
    assert len(found) == len(images)
    for image, explanations in zip(images, found, strict=True):
        for explanation, setting in zip(explanations, chosen, strict=True):
            same(explanation, mv.explain(model, image, method=setting))


@pytest.fixture(scope="module")
def make_tiny():
    """Models of random weights, made once a kind."""
    from functools import cache

    from conftest import tiny_model

    return cache(tiny_model)


def one_at_a_time(model, pixels, kept):
    """Return probabilities [mask, class] as the model itself gives them for each mask alone: of the tokens kept, by its default layers."""
    network = model.model
    base = getattr(network, network.base_model_prefix)
    embeddings, rows = base.embeddings, []
    with torch.inference_mode():
        tokens = embeddings(torch.from_numpy(pixels))
        for mask in kept:
            chosen = tokens[:, np.concatenate([np.ones(model.n_prefix, dtype=bool), mask])]
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(embeddings, "forward", lambda *_, chosen=chosen, **__: chosen)
                rows.append(network(torch.from_numpy(pixels)).logits.softmax(-1)[0].numpy())
    return np.stack(rows)


@few_examples
@given(
    kind=st.sampled_from(KINDS),
    seed=st.integers(0, 10**6),
    counts=st.lists(st.integers(1, 9), min_size=1, max_size=4),
    batch_size=st.sampled_from([1, 2, 3, 100, "auto"]),
    tokens=st.sampled_from([8, 40, 1024]),
)
def test_any_grouping_of_any_masks_gives_what_the_model_gives_for_each_alone(
    make_tiny, kind, seed, counts, batch_size, tokens
):
    model, rng = make_tiny(kind), np.random.default_rng(seed)
    images = [rng.standard_normal((1, 3, 16, 16)).astype(np.float32) for _ in counts]
    kept = [rng.random((count, 16)) < rng.uniform(0.2, 0.9, (count, 1)) for count in counts]
    for masks in kept:
        masks[:, 0] = True  # the mean of no patch is not a number in some classifiers
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(memory, "TOKENS_ON_CPU", tokens)
        found = model.probabilities_of_images(
            torch.cat([model.embed(image).values for image in images]), kept, batch_size=batch_size
        )
    for image, masks, each in zip(images, kept, found, strict=True):
        np.testing.assert_allclose(each.numpy(), one_at_a_time(model, image, masks), atol=1e-5)


def test_bundled_photos(demo_vit):
    photos = PHOTOS
    for together, photo in zip(mv.explain(demo_vit, photos), photos, strict=True):
        same(together, mv.explain(demo_vit, photo))


def test_images_of_several_sizes(tiny, pixels):
    model = tiny("Dinov2")
    images = [pixels(16, 16), pixels(16, 16, seed=1), pixels(24, 20), pixels(16, 16)]
    for together, image in zip(mv.explain(model, images), images, strict=True):
        same(together, mv.explain(model, image))


def test_equal_counts_of_different_images_share_a_pass(tiny, pixels):
    model, seen = tiny("ViT"), []
    tokens = torch.cat([model.embed(pixels(seed=seed)).values for seed in range(3)])
    kept = np.tile(np.arange(16) < 5, (3, 2, 1))
    model.model.vit.layernorm.register_forward_hook(
        lambda _, args, output: seen.append(len(output))
    )
    model.probabilities_of_images(tokens, list(kept))
    assert seen == [6]


def test_images_are_read_as_they_are_needed(demo_vit):
    read = []

    def photos():
        for number in range(100):
            read.append(number)
            yield mv.samples()["cat"]

    explanations = mv.explain_each(demo_vit, photos(), [mv.Settings(statistics=("max",))])
    next(explanations)
    assert len(read) <= 2 * batching.MOST_IMAGES["cpu"] + 2
    explanations.close()


def test_a_label_an_image(demo_vit):
    photos = [mv.samples()["cat"], mv.samples()["horse"]]
    assert [
        each.label
        for (each,) in mv.explain_each(demo_vit, photos, [mv.Settings()], label=["dog", None])
    ] == [5, 7]
    with pytest.raises(mv.InputError, match="1 labels were given for 2 images"):
        mv.explain_each(demo_vit, photos, [mv.Settings()], label=["dog"])


def test_a_bad_image_among_good_ones_is_told(demo_vit):
    with pytest.raises(mv.InputError, match="no such image"):
        mv.explain(demo_vit, [mv.samples()["cat"], "nowhere.png"])


@pytest.mark.parametrize("kind", ["ViT", "DeiT", "Dinov2"])
def test_out_of_memory_halves_the_batch_and_goes_on(tiny, pixels, kind):
    model, sizes = tiny(kind), []
    tokens, kept = model.embed(pixels()), np.random.default_rng(0).random((24, 16)) < 0.5
    expected = model.probabilities(tokens, kept)

    def short(_, args):
        sizes.append(len(args[0]))
        if len(args[0]) > 2:
            raise torch.OutOfMemoryError("CUDA out of memory")

    hook = model.model.get_submodule(
        f"{model.model.base_model_prefix}.layernorm"
    ).register_forward_pre_hook(short)
    assert torch.allclose(model.probabilities(tokens, kept), expected, atol=1e-6)
    assert model.classify(np.concatenate([pixels(seed=seed) for seed in range(5)])).shape == (5, 5)
    assert max(sizes) > 4
    hook.remove()
    assert not any("forward" in module.__dict__ for module in model.model.modules())


def test_a_sequence_too_long_for_memory_is_told(tiny, pixels):
    def short(_, args):
        raise torch.OutOfMemoryError("CUDA out of memory")

    model = tiny("ViT")
    tokens = model.embed(pixels())
    model.model.vit.layernorm.register_forward_pre_hook(short)
    with pytest.raises(mv.InputError, match="not enough memory for one sequence"):
        model.probabilities(tokens, np.ones((3, 16), dtype=bool))


@pytest.mark.parametrize("kind", KINDS)
def test_sharing_changes_rounding_alone(tiny, pixels, kind, monkeypatch):
    model = tiny(kind)
    tokens, kept = model.embed(pixels()), np.random.default_rng(0).random((9, 16)) < 0.5
    assert all(sharing.parts_of(block) for block in model.port.blocks)
    found = model.probabilities(tokens, kept)
    monkeypatch.setattr(sharing, "parts_of", lambda block: None)
    assert torch.allclose(found, model.probabilities(tokens, kept), atol=2e-6)


def test_a_block_that_is_listened_to_is_run_as_it_is(tiny, pixels):
    model, heard = tiny("ViT"), []
    tokens, kept = model.embed(pixels()), np.random.default_rng(0).random((3, 16)) < 0.5
    expected = model.probabilities(tokens, kept)
    hooks = [
        block.attention.k_proj.register_forward_hook(
            lambda _, args, output: heard.append(output.shape[-1])
        )
        for block in model.model.vit.layers
    ]
    assert torch.allclose(model.probabilities(tokens, kept), expected, atol=2e-6)
    for hook in hooks:
        hook.remove()
    assert len(heard) % model.n_layers == 0
    assert heard


def changed_attention(block):
    own = block.attention.forward
    block.attention.forward = lambda hidden, *args, **options: (
        own(hidden, *args, **options)[0] * 0.5,
        None,
    )


def changed_class(block):
    kind = type(block.attention)
    block.attention.__class__ = type(
        "Halved",
        (kind,),
        {
            "forward": lambda self, *args, **options: (
                kind.forward(self, *args, **options)[0] * 0.5,
                None,
            )
        },
    )


def changed_block(block):
    own = block.forward
    block.forward = lambda hidden, *args, **options: own(hidden * 0.5, *args, **options)


def changed_by_a_hook(block):
    block.dropout.register_forward_hook(lambda _, args, output: output * 0.5)


@pytest.mark.parametrize("place", [0, -1])
@pytest.mark.parametrize(
    "change", [changed_attention, changed_class, changed_block, changed_by_a_hook]
)
def test_blocks_that_were_changed_are_run_as_they_are(tiny, pixels, change, place):
    model = tiny("ViT")
    before = model.classify(pixels())
    change(model.model.vit.layers[place])
    expected = model.classify(pixels())
    assert not torch.allclose(expected, before, atol=1e-4)
    assert torch.allclose(
        model.probabilities(model.embed(pixels()), np.ones((2, 16), dtype=bool)),
        expected.expand(2, -1),
        atol=1e-5,
    )


def test_a_hook_on_a_block_sees_every_token(tiny, pixels):
    model, seen = tiny("ViT"), []
    model.model.vit.layers[-1].register_forward_hook(
        lambda _, args, output: seen.append(tuple(output.shape))
    )
    model.probabilities(model.embed(pixels()), np.ones((1, 16), dtype=bool))
    assert seen[-1] == (1, 17, 16)


def test_short_memory_halves_the_images_and_goes_on(tiny, pixels, monkeypatch):
    model, asked = tiny("ViT"), []
    images = [pixels(seed=seed) for seed in range(5)]
    expected = [mv.explain(model, image) for image in images]
    attend = model.attend

    def short(tokens, operators):
        asked.append(len(tokens))
        if len(tokens) > 2:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return attend(tokens, operators)

    monkeypatch.setattr(model, "attend", short)
    for together, alone in zip(mv.explain(model, images), expected, strict=True):
        same(together, alone)
    assert asked == [5, 2, 3, 1, 2]

    def never(tokens, operators):
        raise MemoryError

    monkeypatch.setattr(model, "attend", never)
    with pytest.raises(mv.InputError, match="memory is short of the attention of one image"):
        mv.explain(model, images[0])


def test_attention_is_not_copied_for_masks_whose_statistics_are_known(demo_vit, monkeypatch):
    def copied(inputs):
        pytest.fail("attention was copied")

    monkeypatch.setattr(mv.saliency.DesignInput, "attention", property(copied))
    mv.explain(demo_vit, mv.samples()["cat"])
    mv.explain(demo_vit, mv.samples()["cat"], method="communities")


def test_a_classifier_of_ones_own_gets_every_token(tiny, pixels):
    from transformers import ViTForImageClassification

    class Averaging(ViTForImageClassification):
        def forward(self, pixel_values=None, **options):
            output = super().forward(pixel_values, output_hidden_states=False, **options)
            output.logits = output.logits + self.vit(pixel_values).last_hidden_state[:, 1:].mean(
                (1, 2)
            )[:, None] * torch.arange(5)
            return output

    own = mv.VisionModel(Averaging(tiny("ViT").model.config).eval())
    tokens = own.embed(pixels())
    assert torch.allclose(
        own.probabilities(tokens, np.ones((1, 16), dtype=bool)), own.classify(pixels()), atol=1e-5
    )


def test_images_of_a_gpu_pass_are_padded_to_as_many(monkeypatch):
    values = torch.arange(5.0).view(5, 1, 1)
    assert [(len(chunk), count) for chunk, count in batches.chunks_of_fixed_size(values, 4)] == [
        (1, 1)
    ] * 5

    class OnGpu(torch.Tensor):
        device = torch.device("cuda")

    chunks = list(
        batches.chunks_of_fixed_size(torch.arange(11.0).view(11, 1, 1).as_subclass(OnGpu), 4)
    )
    assert [(len(chunk), count) for chunk, count in chunks] == [(8, 8), (8, 3)]
    assert chunks[1][0].flatten().tolist() == [8, 9, 10, 10, 10, 10, 10, 10]
