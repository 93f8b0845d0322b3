"""Nothing is unpickled and no code of a checkpoint is run, whatever its folder holds."""

import io
import json
import pickle

import pytest
import torch
from folders import changed, copied, pickles, with_weights, write_whole
from hostile import ending
from safetensors.torch import load_file, save_file

import multiplex_vit as mv

WEIGHTS = "model.safetensors"
INDEX = "model.safetensors.index.json"
KINDS = ("zip", "legacy", "by hand", "plain")
BINARY = ("pytorch_model.bin", "adapter_model.bin", "model.bin", "model.pt", "model.ckpt")


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    from conftest import tiny_model

    folder = tmp_path_factory.mktemp("whole")
    write_whole(folder, tiny_model)
    return folder


@pytest.fixture
def folder(whole, tmp_path):
    return copied(whole, tmp_path / "model")


@pytest.fixture
def reached(monkeypatch):
    """Return a list to which every way of reading a pickle, or of running a file, adds its name."""
    found = []

    def refuse(name):
        def called(*_, **__):
            found.append(name)
            raise AssertionError(f"{name} was reached")

        return called

    import torch._weights_only_unpickler as weights_only
    from transformers import dynamic_module_utils

    class Unpickler:
        def __init__(self, *_, **__):
            refuse("Unpickler")()

    ways = {
        pickle: ("load", "loads"),
        torch: ("load",),
        torch.serialization: ("load", "_load", "_legacy_load"),
        weights_only: ("load",),
        dynamic_module_utils: ("get_class_from_dynamic_module", "get_class_in_module"),
    }
    for module, names in ways.items():
        for name in names:
            if hasattr(module, name):
                monkeypatch.setattr(module, name, refuse(f"{module.__name__}.{name}"))
    for name in ("Unpickler", "_Unpickler"):
        monkeypatch.setattr(pickle, name, Unpickler)
    return found


def weight_map(folder, file):
    return {"metadata": {}, "weight_map": dict.fromkeys(load_file(folder / WEIGHTS), file)}


def write_index(folder, file):
    (folder / INDEX).write_text(json.dumps(weight_map(folder, file)))


def beside(folder, _):
    """Pickles of all usual names lie beside the safetensors."""


def in_place(folder, content):
    """A file named as safetensors is a pickle."""
    (folder / WEIGHTS).write_bytes(content)


def only(folder, _):
    """There are pickles alone."""
    (folder / WEIGHTS).unlink()


def explicit(folder, _):
    """The configuration names a pickle."""
    changed(folder, "config.json", transformers_weights="adapter_model.bin")


def explicit_only(folder, _):
    """The configuration names a pickle, and there are no safetensors."""
    explicit(folder, _)
    only(folder, _)


def explicit_safetensors(folder, content):
    """The configuration names a pickle that is called safetensors."""
    (folder / "other.safetensors").write_bytes(content)
    changed(folder, "config.json", transformers_weights="other.safetensors")


def indexed(folder, _):
    """The index names a pickle."""
    write_index(folder, "pytorch_model.bin")
    (folder / WEIGHTS).unlink()


def indexed_beside(folder, _):
    """The index names a pickle, beside safetensors."""
    write_index(folder, "pytorch_model.bin")


def indexed_in_place(folder, content):
    """The index names a pickle that is called safetensors."""
    write_index(folder, "part.safetensors")
    (folder / "part.safetensors").write_bytes(content)
    (folder / WEIGHTS).unlink()


def other_index(folder, _):
    """The index of pickles."""
    text = json.dumps(weight_map(folder, "pytorch_model.bin"))
    (folder / "pytorch_model.bin.index.json").write_text(text)
    (folder / WEIGHTS).unlink()


def linked(folder, content):
    """The safetensors are a link to a pickle elsewhere."""
    elsewhere = folder.parent / "elsewhere.bin"
    elsewhere.write_bytes(content)
    (folder / WEIGHTS).unlink()
    (folder / WEIGHTS).symlink_to(elsewhere)


def linked_in_the_index(folder, content):
    """The index names a link to a pickle elsewhere."""
    write_index(folder, "part.safetensors")
    linked(folder, content)
    (folder / WEIGHTS).rename(folder / "part.safetensors")


def adapter(folder, _):
    """There is an adapter of this model."""
    about = {"peft_type": "LORA", "base_model_name_or_path": str(folder), "r": 4}
    (folder / "adapter_config.json").write_text(json.dumps(about))


def adapter_alone(folder, _):
    """There is an adapter of another model, and no model."""
    adapter(folder, _)
    (folder / WEIGHTS).unlink()


def quantized(folder, _):
    """The weights claim to be quantized, by a name that others look up."""
    changed(folder, "config.json", quantization_config={"quant_method": "bitsandbytes"})


def own_code(folder, _):
    """The configuration names code of its own."""
    auto_map = {"AutoConfig": "evil.Config", "AutoModel": "evil.Model"}
    changed(folder, "config.json", auto_map=auto_map)


def own_processor(folder, _):
    """The image processor names code of its own."""
    auto_map = {"AutoImageProcessor": "evil.Processor"}
    changed(folder, "preprocessor_config.json", auto_map=auto_map)


def nested_processor(folder, _):
    """The image processor, one level below, names code of its own."""
    auto_map = {"AutoImageProcessor": "evil.Processor"}
    inside = {"image_processor_type": "evil.Processor", "auto_map": auto_map}
    (folder / "processor_config.json").write_text(json.dumps({"image_processor": inside}))


def custom_pipeline(folder, _):
    """The configuration names a pipeline of its own."""
    changed(folder, "config.json", custom_pipelines={"image-classification": {"impl": "evil.P"}})


def configuration(folder, content):
    """The configuration is a pickle."""
    (folder / "config.json").write_bytes(content)


def processor(folder, content):
    """The image processor is a pickle."""
    (folder / "preprocessor_config.json").write_bytes(content)


def header(folder, content):
    """The header of the safetensors is as it should be, and a pickle follows."""
    whole = (folder / WEIGHTS).read_bytes()
    (folder / WEIGHTS).write_bytes(whole + content)


_MAKERS = (
    beside,
    in_place,
    only,
    explicit,
    explicit_only,
    explicit_safetensors,
    indexed,
    indexed_beside,
    indexed_in_place,
    other_index,
    linked,
    linked_in_the_index,
    adapter,
    adapter_alone,
    quantized,
    own_code,
    own_processor,
    nested_processor,
    custom_pipeline,
    configuration,
    processor,
    header,
)
FAMILY = {make.__name__: make for make in _MAKERS}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("member", FAMILY)
def test_nothing_is_unpickled(folder, tmp_path, member, kind, request):
    mark = tmp_path / "mark"
    content = pickles(load_file(folder / WEIGHTS), mark)[kind]
    for name in BINARY:
        (folder / name).write_bytes(content)
    (folder / "evil.py").write_text(f"open({str(mark)!r}, 'w')")
    FAMILY[member](folder, content)
    reached = request.getfixturevalue("reached")
    with ending():
        if member == "beside":
            assert mv.load(folder, device="cpu").n_layers == 3
        else:
            with pytest.raises(mv.InputError) as caught:
                mv.load(folder, device="cpu")
            assert "\n" not in str(caught.value)
    assert not reached
    assert not mark.exists()


@pytest.mark.parametrize("kind", ["zip", "legacy", "plain"])
def test_the_pickles_of_these_tests_are_poisonous(folder, tmp_path, kind):
    """A test of the tests: reading one of them would leave the mark."""
    mark = tmp_path / "mark"
    content = pickles(load_file(folder / WEIGHTS), mark)[kind]
    if kind == "plain":
        pickle.loads(content).close()
    else:
        torch.load(io.BytesIO(content), weights_only=False)["poison"].close()
    assert mark.exists()


def test_links_to_safetensors_are_followed(folder, tmp_path):
    """The hub's own cache consists of links."""
    (folder / WEIGHTS).rename(tmp_path / "blob")
    (folder / WEIGHTS).symlink_to(tmp_path / "blob")
    assert mv.load(folder, device="cpu").n_layers == 3


def test_weights_in_several_files(folder):
    weights = load_file(folder / WEIGHTS)
    before = mv.load(folder, device="cpu").model.state_dict()
    names = sorted(weights)
    parts = {"a.safetensors": names[::2], "b.safetensors": names[1::2]}
    for file, own in parts.items():
        save_file({name: weights[name] for name in own}, folder / file)
    files = {name: file for file, own in parts.items() for name in own}
    (folder / WEIGHTS).unlink()
    (folder / INDEX).write_text(json.dumps({"weight_map": files}))
    after = mv.load(folder, device="cpu").model.state_dict()
    assert all(torch.equal(before[name], after[name]) for name in before)
    for damage in ({names[0]: "b.safetensors"}, {"more": "a.safetensors"}, {names[0]: 3}):
        (folder / INDEX).write_text(json.dumps({"weight_map": {**files, **damage}}))
        with pytest.raises(mv.InputError):
            mv.load(folder, device="cpu")
    for damaged in ("", "[]", "{}", '{"weight_map": []}', '{"weight_map": {}}', "[" * 100_000):
        (folder / INDEX).write_text(damaged)
        with pytest.raises(mv.InputError, match="is damaged"):
            mv.load(folder, device="cpu")


@pytest.mark.slow
def test_nothing_is_left_out_or_drawn_anew(folder, whole):
    weights = load_file(whole / WEIGHTS)
    for name in weights:
        with_weights(folder, lambda found, name=name: {k: w for k, w in found.items() if k != name})
        with pytest.raises(mv.InputError, match="has no weights for"):
            mv.load(folder, device="cpu")
        copied(whole, folder)
        with_weights(folder, lambda found, name=name: {**found, name: torch.zeros(1, 2, 3)})
        with pytest.raises(mv.InputError, match=r"has shape \[1, 2, 3\], but its configuration"):
            mv.load(folder, device="cpu")
        copied(whole, folder)
    with_weights(folder, lambda found: {**found, "vit.layers.9.weight": torch.zeros(3)})
    with pytest.raises(mv.InputError, match="1 weights that its configuration has no place for"):
        mv.load(folder, device="cpu")
    copied(whole, folder)
    changed(folder, "config.json", num_hidden_layers=2)
    with pytest.raises(mv.InputError, match="has no place for, such as"):
        mv.load(folder, device="cpu")


def test_a_pooler_that_no_classifier_uses_may_be_there(folder):
    names = ("vit.pooler.dense.weight", "vit.embeddings.mask_token")
    with_weights(folder, lambda found: {**found, **{name: torch.zeros(1) for name in names}})
    assert mv.load(folder, device="cpu").n_layers == 3


TYPES = ("int8", "uint8", "int16", "int32", "int64", "bool", "complex64", "float8_e4m3fn")


@pytest.mark.parametrize("dtype", TYPES)
def test_weights_that_are_no_floating_point_numbers(folder, dtype):
    name = "classifier.weight"
    with_weights(folder, lambda found: {**found, name: found[name].to(getattr(torch, dtype))})
    with pytest.raises(mv.InputError, match="classifier.weight is .*floating point numbers"):
        mv.load(folder, device="cpu")


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
def test_weights_of_every_floating_point_type(folder, dtype):
    with_weights(folder, lambda found: {n: w.to(getattr(torch, dtype)) for n, w in found.items()})
    assert mv.load(folder, device="cpu").dtype == torch.float32


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf"), 1e6])
def test_weights_that_are_not_finite(folder, value):
    def change(found):
        weight = found["classifier.weight"].clone()
        weight[-1, -1] = value
        return {**found, "classifier.weight": weight}

    with_weights(folder, change)
    # A finite weight may be too large for half precision.
    dtype = "float16" if value == 1e6 else "float32"
    message = f"classifier.weight holds NaN or infinity in {dtype}"
    with pytest.raises(mv.InputError, match=message):
        mv.load(folder, device="cpu", dtype=dtype)
