"""What a GPU would be asked, without one: on the device "meta" tensors have a shape, a type and a place but no values, and one that stays behind fails."""

import numpy as np
import pytest
import torch

import multiplex_vit as mv
from multiplex_vit.models import attention, direct, logits, masked, tensors, unwrap
from multiplex_vit.models.fast import batches, memory

GPU, META = torch.device("cuda"), torch.device("meta")
KINDS = ["ViT", "DeiT", "Dinov2", "Dinov2WithRegisters"]


@pytest.fixture
def elsewhere(tiny, monkeypatch):
    """A maker of models that are not on the CPU."""
    monkeypatch.setattr(
        logits.Logits, "scores", lambda self, values: values.float().softmax(-1)
    )  # these look at values
    for module in (attention, direct):
        monkeypatch.setattr(module, "finite", lambda pooled, operators: pooled)
    # What users give must hold values; here a device without values stands for a GPU.
    monkeypatch.setattr(unwrap, "refuse_meta", lambda module: None)
    for module in (masked, batches, tensors):
        monkeypatch.setattr(module, "computable", lambda values: values)

    def make(kind, **options):
        model = mv.VisionModel(tiny(kind).model.to(META), name=kind, **options)
        assert {value.device for value in model.mask_model.state_dict().values()} == {META}
        return model

    return make


@pytest.mark.parametrize("kind", KINDS)
def test_every_step_of_the_passes_stays_on_the_device(elsewhere, kind):
    model = elsewhere(kind)
    kept = [np.arange(16)[None] < np.array([[3], [5], [3], [16], [0]])] * 3
    tokens = model.embed(np.zeros((3, 3, 16, 16), dtype=np.float32))
    attention, clean = model.attend(tokens, ["min", "max", "sum"])
    *_, shares = model.attend_directly(tokens, ["sum"])
    found = model.probabilities_of_images(tokens, kept)
    seen = model.classify(np.zeros((5, 3, 16, 16), dtype=np.float32))
    assert {each.device for each in (tokens, attention, clean, shares, *found, seen)} == {META}
    assert attention.shape == (3, 3, model.n_layers, 16, 16)
    assert shares.shape == (3, 16, 5)
    assert [each.shape for each in found] == [(5, 5)] * 3


def test_passes_of_another_type_stay_on_the_device(elsewhere):
    model = elsewhere("ViT", mask_dtype=torch.bfloat16)
    assert (model.dtype, model.mask_model.dtype) == (torch.float32, torch.bfloat16)
    tokens = model.embed(np.zeros((2, 3, 16, 16), dtype=np.float32))
    found, _ = model.probabilities_of_images(tokens, [np.ones((2, 16), dtype=bool)] * 2)
    assert (tokens.dtype, found.dtype, found.device) == (torch.float32, torch.float32, META)


def test_a_tensor_left_on_the_cpu_is_seen(elsewhere):
    model = elsewhere("ViT")
    with pytest.raises(RuntimeError, match="device"):
        model.attend(torch.zeros(1, 17, 16), ["sum"])


def test_a_pass_takes_what_half_of_the_free_memory_holds(monkeypatch):
    for name, value in (
        ("mem_get_info", (2**30, 2**34)),
        ("memory_reserved", 2**29),
        ("memory_allocated", 2**28),
    ):
        monkeypatch.setattr(torch.cuda, name, lambda device, value=value: value)
    free = 2**30 + 2**29 - 2**28
    assert memory.tokens_that_fit(GPU, 768, 2) == free // 2 // (memory.COPIES_OF_A_TOKEN * 768 * 2)
    assert memory.tokens_that_fit(GPU, 8, 2) == memory.MOST_TOKENS


def test_images_that_share_passes_take_an_eighth_of_the_free_memory(monkeypatch):
    for name, value in (
        ("mem_get_info", (2**33, 2**34)),
        ("memory_reserved", 0),
        ("memory_allocated", 0),
    ):
        monkeypatch.setattr(torch.cuda, name, lambda device, value=value: value)
    assert memory.bytes_that_fit(GPU) == 2**30
    assert memory.bytes_that_fit(torch.device("cpu")) == 64 * 2**20


def test_values_go_to_a_gpu_through_pinned_memory(monkeypatch):
    asked = []
    monkeypatch.setattr(torch.Tensor, "pin_memory", lambda self: asked.append("pinned") or self)
    monkeypatch.setattr(
        torch.Tensor,
        "to",
        lambda self, device, dtype, non_blocking: (
            asked.append((device.type, dtype, non_blocking)) or self
        ),
    )
    tensors.to_device(torch.zeros(2), GPU, torch.float16)
    assert asked == ["pinned", ("cuda", torch.float16, True)]


def test_memory_that_is_short_on_a_gpu_is_given_back_before_going_on(monkeypatch):
    emptied = []
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "empty_cache", lambda: emptied.append(True))

    def run(items):
        if len(items) > 2:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return torch.tensor(items)

    assert [each.tolist() for each in batches.in_batches(run, [1, 2, 3, 4, 5], 4)] == [
        [1, 2],
        [3, 4],
        [5],
    ]
    assert len(emptied) == 1
