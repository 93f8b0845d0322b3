"""A checkpoint's JSON files are checked before anything is built: types and sizes."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest
import torch
from folders import changed, copied, write_whole
from hostile import FILES, refused

import multiplex_vit as mv

CONFIG, PROCESSOR, WEIGHTS = "config.json", "preprocessor_config.json", "model.safetensors"
ODD = [True, "16", [], {}, [16], [16, 16, 16], {"a": 1}, 16.5, "", [[16]], -1]
HUGE = [10**6, 10**9, 10**30, 2**63]


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    from conftest import tiny_model

    folder = tmp_path_factory.mktemp("whole")
    write_whole(folder, tiny_model)
    return folder


@pytest.fixture
def folder(whole, tmp_path):
    return copied(whole, tmp_path / "model")


def refuse(folder, damage, match=None):
    with refused(match):
        mv.load(folder, device="cpu")
        pytest.fail(f"accepted: {damage}")


SIZES = {
    "hidden_size": [0, 15, 17, 1000, 40_000, *HUGE, *ODD],
    "intermediate_size": [0, 31, 33, 40_000, *HUGE, *ODD],
    "num_hidden_layers": [0, 2, 4, 500, *HUGE, *ODD],
    "num_attention_heads": [0, 3, 5, 32, *HUGE, *ODD],
    "num_channels": [0, 1, 4, *HUGE, *ODD],
    "image_size": [0, 3, 15, 20, 4096, [16, 0], [16, 32], *HUGE, *ODD],
    "patch_size": [0, 2, 8, 17, 4096, [4, 0], [4, 8], *HUGE, *ODD],
    "encoder_stride": [0, *HUGE, *ODD],
    "pooler_output_size": [0, *HUGE, *ODD],
    "num_labels": [0, 4, 6, 100_000, *HUGE, *ODD],
    "hidden_dropout_prob": [1.5, 2, -0.5, "0", True, [], {}],
    "attention_probs_dropout_prob": [1.5, -0.5, "0", True, [], {}],
    "layer_norm_eps": [-1, 2, "0", True, [], {}],
    "initializer_range": [-1, 1e9, "0", True, []],
    "qkv_bias": [1, 0, "true", [], "", {}],
    "hidden_act": ["nonsense", "", 3, True, [], {}, ["gelu"], "os.system"],
    "pooler_act": ["nonsense", "", 3, []],
    "dtype": ["float8", "load", "int8", "nn", 3, [], "save", "complex64", True],
    "problem_type": ["nonsense", 3, [], True, ""],
    "model_type": ["deit", "nonsense", 3, [], {}, "bert"],
    "architectures": [[], None, {}, 3, "", [3], ["Nonsense"], ["PreTrainedModel"], ["BertModel"]],
    "id2label": [
        {},
        [],
        3,
        "a",
        {"0": "a"},
        {str(i): "a" for i in range(6)},
        {str(i): "a" for i in range(1, 6)},
        {str(i - 1): "a" for i in range(5)},
        {f"{i}.5": "a" for i in range(5)},
        {f" {i}": "a" for i in range(5)},
        {**{str(i): "a" for i in range(4)}, "99": "a"},
        {**{str(i): "a" for i in range(4)}, "04": "a"},
        {**{str(i): "a" for i in range(4)}, "four": "a"},
        {str(i): ["a"] for i in range(5)},
        {str(i): None for i in range(5)},
    ],
    "transformers_weights": ["model.safetensors", "adapter_model.bin"],
    "auto_map": [{"AutoConfig": "a.B"}, "a", [1]],
    "quantization_config": [{"quant_method": "bitsandbytes"}, "a", [1]],
    "per_layer_config": [{"0": {"hidden_size": 8}}],
    "pruned_heads": [{"0": [1]}],
}
"""Wrong values of every key; the checkpoint has 3 blocks of width 16, 2 heads and 5 classes."""


@pytest.mark.slow
@pytest.mark.parametrize("key", SIZES)
def test_every_value_of_the_configuration_is_checked(folder, key):
    for value in SIZES[key]:
        # The number of classes stands in their names already, where there are names.
        names = ("id2label", "label2id") if key == "num_labels" else ()
        copied_config = (folder / CONFIG).read_text()
        changed(folder, CONFIG, remove=names, **{key: value})
        refuse(folder, f"{key} {value!r:.60}")
        (folder / CONFIG).write_text(copied_config)


KEPT = {
    "problem_type": [None, "single_label_classification", "multi_label_classification"],
    "dtype": [None, "float16", "float32"],
    "torch_dtype": ["float16"],
    "image_size": [[16, 16]],
    "patch_size": [[4, 4]],
    "id2label": [{str(i): i for i in range(5)}, {str(i): "same" for i in range(5)}],
    "nonsense": [3, {"a": [1]}],
    "return_dict": [False],
    "output_attentions": [True],
    "is_encoder_decoder": [True],
    "attn_implementation": ["nonsense/kernel"],
    "_attn_implementation": ["nonsense/kernel"],
    "label2id": [{}, None, 3],
    "auto_map": [None, {}],
    "quantization_config": [None],
    "encoder_stride": [4],
}
"""Other values that are right, or that nothing depends on."""


@pytest.mark.parametrize("key", KEPT)
def test_values_that_are_right_or_not_used(folder, whole, key, pixels):
    before = mv.load(whole, device="cpu").model(torch.from_numpy(pixels())).logits
    for value in KEPT[key]:
        copied(whole, folder)
        changed(folder, CONFIG, **{key: value})
        after = mv.load(folder, device="cpu").model(torch.from_numpy(pixels())).logits
        assert torch.equal(before, after), value


PROCESSORS = {
    "size": [
        *(value for value in ODD if value != [16]),
        *HUGE,
        0,
        {"height": 16},
        {"height": 16, "width": 0},
        {"height": 16, "width": 10**6},
        {"height": "16", "width": 16},
        {"height": True, "width": 16},
        {"shortest_edge": 10**6},
        {"shortest_edge": -1},
        {"longest_edge": 16},
        {"min_pixels": 1, "max_pixels": 10**9},
    ],
    "crop_size": [*HUGE, 0, -5, "16", [16, 0], {"height": 10**6, "width": 10**6}, {"a": 1}],
    "do_resize": [1, "true", [], 0, {}],
    "do_center_crop": [1, "true", []],
    "do_rescale": [1, "true", []],
    "do_normalize": [1, "true", []],
    "do_convert_rgb": [1, "true", []],
    "resample": [99, -1, 6, "bilinear", 2.5, True, [], {}],
    "rescale_factor": [0, -1, "1", True, [], 1e300, 10**400],
    "image_mean": [[], [0.5], [0.5, 0.5], [0.5] * 4, "0.5", [True] * 3, [None] * 3, {}, 1e30],
    "image_std": [0, [], [0.5, 0.5], [0.5] * 4, [0.5, 0, 0.5], -1, [-1] * 3, "1", {}, True],
    "image_processor_type": [
        "os.system",
        "",
        3,
        [],
        {},
        True,
        "SamImageProcessor",
        "DetrImageProcessor",
        "ViT",
        "PreTrainedModel",
        "ViTForImageClassification",
    ],
    "auto_map": [{"AutoImageProcessor": "evil.P"}, "a", [1]],
    "do_pad": [True, 1, "a", []],
    "data_format": ["channels_last", 3, [], "nonsense"],
}
"""Wrong values of every key of an image processor."""


@pytest.mark.slow
@pytest.mark.parametrize("key", PROCESSORS)
def test_every_value_of_the_image_processor_is_checked(folder, whole, key):
    for value in PROCESSORS[key]:
        # 0 is also False to Python, which is right.
        copied(whole, folder)
        changed(folder, PROCESSOR, **{key: value})
        refuse(folder, f"{key} {value!r:.60}")


@pytest.mark.parametrize(
    "values",
    [
        {"size": 16},
        {"size": [16, 16]},
        {"size": {"height": 16, "width": 16}},
        {"image_processor_type": "ViTImageProcessorFast"},
        {"image_processor_type": "ViTImageProcessorPil"},
        {"image_processor_type": None, "feature_extractor_type": "ViTFeatureExtractor"},
        {"image_processor_type": None},
        {"image_mean": 0.5, "image_std": 0.5},
        {"image_mean": None},
        {"data_format": "channels_first", "do_pad": None, "device": "cpu", "nonsense": 3},
        {"auto_map": None},
        {"_valid_processor_keys": ["a"]},
    ],
)
def test_image_processors_that_are_right(folder, values):
    changed(folder, PROCESSOR, **values)
    picture = mv.load(folder, device="cpu").picture(np.zeros((20, 20, 3), dtype=np.uint8))
    assert picture.pixels.shape == (1, 3, 16, 16)


def test_an_image_processor_one_level_below(folder):
    inside = json.loads((folder / PROCESSOR).read_text())
    (folder / PROCESSOR).unlink()
    (folder / "processor_config.json").write_text(json.dumps({"image_processor": inside}))
    assert mv.load(folder, device="cpu").processor.size["height"] == 16


BROKEN = {
    "nothing": b"",
    "null": b"null",
    "a list": b"[]",
    "text": b"hello",
    "deep": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    "a bit deep": b'{"a":' * 100 + b"1" + b"}" * 100,
    "deep lists": b"[" * 100_000,
    "NaN": b'{"hidden_size": NaN}',
    "not UTF-8": b'{"a": "\xff"}',
    "UTF-16": '{"a": 1}'.encode("utf-16"),
    "a key twice": b'{"hidden_size": 16, "hidden_size": 16}',
    "a number of 10,000 digits": b'{"hidden_size": ' + b"9" * 10_000 + b"}",
}


@pytest.mark.parametrize("file", [CONFIG, PROCESSOR, "processor_config.json", WEIGHTS])
@pytest.mark.parametrize("damage", BROKEN)
def test_files_that_cannot_be_read(folder, file, damage):
    (folder / file).write_bytes(BROKEN[damage])
    refuse(folder, f"{file} {damage}", "cannot read the (configuration|image processor|weights)")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no pipes")
@pytest.mark.parametrize("kind", FILES)
@pytest.mark.parametrize("file", [CONFIG, PROCESSOR, "processor_config.json", WEIGHTS])
def test_odd_files(folder, file, kind):
    (folder / file).unlink(missing_ok=True)
    FILES[kind](folder / file)
    refuse(folder, f"{file} {kind}")


def test_a_byte_order_mark_is_read_over(folder):
    for file in (CONFIG, PROCESSOR):
        text = (folder / file).read_text()
        (folder / file).write_text(text, encoding="utf-8-sig")
    assert mv.load(folder, device="cpu").n_layers == 3


def test_a_file_in_place_of_a_folder(folder):
    for file in (CONFIG, WEIGHTS):
        with refused("it is a file; give the folder of a checkpoint"):
            mv.load(folder / file)


_LIMITED = """
import resource, sys, time
import multiplex_vit as mv
mv.load("demo-vit", device="cpu")
status = open("/proc/self/status").read().split()
now = 1024 * int(status[status.index("VmSize:") + 1])
resource.setrlimit(resource.RLIMIT_AS, (now + 2**30, -1))
for folder in sys.argv[1:]:
    start = time.process_time()
    try:
        mv.load(folder, device="cpu")
    except mv.InputError as error:
        assert "memory" not in str(error).lower(), error
        assert time.process_time() - start < 20, f"{folder} was built before it was refused"
        print("refused")
"""
"""Loads folders with a gigabyte more than a process has that has loaded a model."""

LARGE = [
    {"hidden_size": 40_000},
    {"hidden_size": 40_000, "num_attention_heads": 1},
    {"intermediate_size": 65_536, "hidden_size": 65_536},
    {"num_labels": 200_000, "id2label": None, "label2id": None},
    {"num_hidden_layers": 30, "hidden_size": 60_000},
    {"image_size": 4_096, "patch_size": 32, "hidden_size": 65_536},
]


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="memory is limited as Linux does")
def test_large_sizes_are_refused_without_memory(folder, tmp_path):
    """Each of these would take 1 to 100 GB."""
    copies = []
    for number, values in enumerate(LARGE):
        copies.append(str(copied(folder, tmp_path / str(number))))
        changed(copies[-1], CONFIG, **values)
    command = [sys.executable, "-c", _LIMITED, *copies]
    run = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert run.stdout.split() == ["refused"] * len(LARGE), run.stderr[-500:]
