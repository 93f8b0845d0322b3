"""Models as training and serving have them: compiled, in parallel, with adapters, under accelerate, in another process."""

import multiprocessing
import pickle
from concurrent.futures import ProcessPoolExecutor
from copy import deepcopy

import accelerate
import numpy as np
import peft
import pytest
import torch
from children import heatmap_there
from torch import nn

import multiplex_vit as mv
from multiplex_vit.models.randomise import randomised
from multiplex_vit.models.unwrap import duplicate, unwrapped

EXPLAINERS = list(mv.EXPLAINERS)


@pytest.fixture
def distributed(tmp_path):
    """A group of one process."""
    torch.distributed.init_process_group(
        "gloo", init_method=f"file://{tmp_path}/group", rank=0, world_size=1
    )
    yield
    torch.distributed.destroy_process_group()


def in_lora(module):
    return peft.get_peft_model(module, peft.LoraConfig(target_modules=["q_proj"]))


WRAPPERS = {
    "torch.compile": torch.compile,
    "DataParallel": nn.DataParallel,
    "PeftModel": in_lora,
    "LoraModel": lambda module: in_lora(module).base_model,
    "compiled in parallel with adapters": lambda module: torch.compile(
        nn.DataParallel(in_lora(module))
    ),
}


@pytest.mark.parametrize("wrapper", WRAPPERS)
def test_what_is_wrapped_is_taken_out(tiny, pixels, wrapper):
    module = tiny("ViT").model
    wanted = mv.explain(mv.VisionModel(module), pixels())
    model = mv.VisionModel(WRAPPERS[wrapper](module))
    assert model.model is module
    assert np.allclose(mv.explain(model, pixels()).heatmap, wanted.heatmap, atol=1e-6)


def test_distributed_data_parallel_is_taken_off(tiny, pixels, distributed):
    module = tiny("ViT").model
    assert mv.VisionModel(nn.parallel.DistributedDataParallel(module)).model is module


@pytest.mark.parametrize("part", ["all", "a block"])
def test_compiled_code_is_left_alone(tiny, pixels, part):
    """A model whose own parts are compiled runs as it is written, and is compiled still thereafter."""
    model = tiny("ViT")
    wanted = mv.explain(model, pixels()).heatmap
    used = []

    def backend(graph, _inputs):
        used.append(graph)
        return graph.forward

    compiled = model.model if part == "all" else model.model.vit.layers[1]
    compiled.compile(backend=backend)
    before = compiled._compiled_call_impl
    for name in ("mutex", "generic_attention", "legrad"):
        mv.EXPLAINERS[name].where_taken(budget=10)(model, pixels())
    assert np.allclose(mv.explain(model, pixels()).heatmap, wanted, atol=1e-6)
    assert compiled._compiled_call_impl is before
    assert not used


def accelerated(module, times=1):
    for _ in range(times):
        module._is_accelerate_prepared = False
        module = accelerate.Accelerator(mixed_precision="bf16", cpu=True).prepare(module)
    return module


@pytest.mark.parametrize("explainer", EXPLAINERS)
def test_every_explainer_runs_under_accelerate_as_without(tiny, pixels, explainer):
    explain = mv.EXPLAINERS[explainer].where_taken(budget=10)
    wanted = explain(tiny("ViT", num_hidden_layers=5), pixels(), label=1)
    module = accelerated(tiny("ViT", num_hidden_layers=5).model)
    wrapped = module.__dict__["forward"]
    found = explain(mv.VisionModel(module), pixels(), label=1)
    assert np.array_equal(found.clean, wanted.clean)
    assert np.array_equal(found.heatmap, wanted.heatmap)
    assert module.__dict__["forward"] is wrapped, "it trains in autocast as before"


def test_what_is_wrapped_twice_is_unwrapped_twice(tiny, pixels):
    model = tiny("ViT")
    wanted = model.classify(pixels())
    assert torch.equal(mv.VisionModel(accelerated(model.model, times=2)).classify(pixels()), wanted)


@pytest.mark.parametrize("mask_dtype", [None, torch.bfloat16])
def test_copies_of_an_accelerated_model_are_copies(tiny, pixels, mask_dtype):
    """Accelerate's forward is bound to the original, whose numbers a plain copy would give."""
    model = mv.VisionModel(accelerated(tiny("ViT").model), mask_dtype=mask_dtype)
    before = model.classify(pixels())
    *_, (_, last) = randomised(model)
    assert not torch.allclose(last.classify(pixels()), before, atol=1e-3)
    assert torch.equal(pickle.loads(pickle.dumps(model)).classify(pixels()), before)


@pytest.mark.slow
def test_a_trainer_with_bf16(tiny, pixels, tmp_path):
    from transformers import Trainer, TrainingArguments

    module = tiny("ViT").model
    images = [
        {"pixel_values": torch.from_numpy(pixels(seed=i)[0]), "labels": i % 5} for i in range(8)
    ]
    arguments = TrainingArguments(
        tmp_path,
        bf16=True,
        use_cpu=True,
        max_steps=2,
        per_device_train_batch_size=4,
        report_to=[],
        save_strategy="no",
        disable_tqdm=True,
    )
    trainer = Trainer(module, arguments, train_dataset=images)
    trainer.train()
    assert "_original_forward" in module.__dict__
    plain = deepcopy(trainer.accelerator.unwrap_model(tiny("ViT").model, keep_fp32_wrapper=False))
    plain.load_state_dict(module.state_dict())
    wanted = mv.explain(mv.VisionModel(plain), pixels())
    assert np.allclose(
        mv.explain(mv.VisionModel(trainer.model), pixels()).heatmap, wanted.heatmap, atol=1e-6
    )
    trainer.train()


class Wrapper(nn.Module):
    def __init__(self, backbone):
        super().__init__()
        self.backbone = backbone


def test_what_cannot_be_unwrapped_names_the_call_to_make(tiny):
    module = tiny("ViT").model
    with pytest.raises(
        mv.InputError,
        match=r"Wrapper is not unwrapped; give VisionModel\(model\.backbone, processor\), the ViTForImageClassification in it",
    ):
        mv.VisionModel(Wrapper(module))
    assert unwrapped(Wrapper(module).backbone) is module


def test_prompts_are_no_layers(tiny):
    class Prompted(nn.Module):
        class active_peft_config:  # noqa: N801
            is_prompt_learning = True
            peft_type = peft.PeftType.PREFIX_TUNING

    Prompted.__name__ = "PeftModel"
    with pytest.raises(mv.InputError, match="PEFT's PREFIX_TUNING adds prompts to a model's input"):
        mv.VisionModel(Prompted())


def test_weights_that_are_kept_elsewhere_are_refused(tiny, tmp_path):
    module = accelerate.cpu_offload(tiny("ViT").model, torch.device("cpu"))
    with pytest.raises(
        mv.InputError,
        match="accelerate keeps weights off the device; load the model onto one device",
    ):
        mv.VisionModel(module)


def test_a_copy_that_would_run_the_original_is_refused(tiny, pixels):
    model = tiny("ViT")
    own = model.model.classifier.forward
    model.model.classifier.forward = lambda values: own(values)
    assert mv.explain(model, pixels()).heatmap.shape == (4, 4)
    with pytest.raises(
        mv.InputError,
        match="its part classifier has another forward function, which a copy would share; subclass Linear instead",
    ):
        duplicate(model.model)


def test_randomising_a_head_of_ones_own_and_adapters(tiny, pixels):
    model = tiny("ViT")
    model.model.classifier = nn.Sequential(nn.Linear(16, 8), nn.GELU(), nn.Linear(8, 5))
    head = next(copy for part, copy in randomised(model) if part == "head")
    assert not torch.allclose(head.model.classifier[2].weight, model.model.classifier[2].weight)
    assert torch.equal(
        head.model.vit.layers[0].mlp.fc1.weight, model.model.vit.layers[0].mlp.fc1.weight
    )
    with pytest.raises(
        mv.InputError,
        match=r"merge them first: give VisionModel\(peft_model\.merge_and_unload\(\)\)",
    ):
        next(randomised(mv.VisionModel(in_lora(tiny("ViT").model))))


# --- other processes ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mask_dtype", [None, torch.bfloat16])
@pytest.mark.parametrize("kind", ["ViT", "DeiT", "Dinov2", "Dinov2WithRegisters"])
def test_a_model_survives_pickling(tiny, pixels, kind, mask_dtype):
    model = mv.VisionModel(tiny(kind).model, mask_dtype=mask_dtype)
    wanted = mv.explain(model, pixels(), label=1)
    again = pickle.loads(pickle.dumps(model))
    assert repr(again) == repr(model)
    assert np.array_equal(mv.explain(again, pixels(), label=1).heatmap, wanted.heatmap)


@pytest.mark.slow
def test_a_spawned_process_gives_the_same_numbers(demo_deit):
    cat = mv.samples()["cat"]
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        there = pool.submit(heatmap_there, demo_deit, cat).result()
    assert np.allclose(there, mv.explain(demo_deit, cat, label=1).heatmap, atol=1e-6)
