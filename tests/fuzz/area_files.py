"""Hostile files and names of files: paths, model folders, and files that the package saved itself."""

import json
import os
from functools import partial
from pathlib import Path

import numpy as np
import odd_values
import tiny
from harness import Attempt, pick
from safetensors.numpy import load_file, save_file

import multiplex_vit as mv

# --- paths --------------------------------------------------------------------------------------


def paths(rng, folder):
    """Return an attempt to read from or write to an odd place."""
    use = pick(rng, PATH_USES)
    place = odd_path(rng, folder)
    return Attempt(
        f"{use.__name__} {place!r:.100}",
        partial(use, place),
        lambda result: None,
        folder,
    )


def odd_path(rng, folder):
    """Return a path below the folder, or something that is no path at all."""
    (folder / "a folder").mkdir()
    (folder / "text").write_text("not what you think")
    os.mkfifo(folder / "pipe.npz")
    os.mkfifo(folder / "pipe.graphml")
    odd = [
        folder / "plain.npz",
        folder / "plain.graphml",
        folder / "deep" / "er.npz",
        folder / "text" / "below.npz",
        folder / "pipe.npz",
        folder / "pipe.graphml",
        folder / "a folder",
        folder / ("n" * 300 + ".npz"),
        folder / "na\x00me.npz",
        folder / "\udcff.npz",
        folder / "....npz",
        folder / "CON.npz",
        folder / "=1+1.graphml",
        "/dev/zero",
        "/dev/full",
        "/proc/self/nothing.npz",
        "",
    ]
    return pick(rng, odd) if rng.random() < 0.9 else odd_values.value(rng)


def read_as_image(place):
    mv.explain(tiny.model(), place)


def read_as_explanation(place):
    mv.Explanation.load(place)


def read_as_network(place):
    mv.Multiplex.read(place)


def load_as_model(place):
    mv.load(place)


def save_explanation(place):
    tiny.explanation().save(place)
    assert mv.Explanation.load(place).label == tiny.explanation().label


def write_network(place):
    for file in tiny.network().write(place):
        assert Path(file).exists()


PATH_USES = (
    read_as_image,
    read_as_explanation,
    read_as_network,
    load_as_model,
    save_explanation,
    write_network,
)

# --- model folders ------------------------------------------------------------------------------

SIZES = (
    "hidden_size",
    "num_hidden_layers",
    "num_attention_heads",
    "intermediate_size",
    "image_size",
    "patch_size",
    "num_channels",
)
SIZE_VALUES = (
    0,
    -1,
    1,
    3,
    2.5,
    10**6,
    10**9,
    10**30,
    "16",
    None,
    [16, 16],
    [],
    {},
    True,
    float("nan"),
)


def model_folders(rng, folder):
    """Return an attempt to load a model folder in which something is wrong."""
    tiny.write_model(folder)
    way = pick(rng, FOLDER_WAYS)
    what = way(rng, folder)
    return Attempt(
        f"{way.__name__}: {what}",
        partial(load_and_explain, folder),
        lambda result: None,
        folder,
    )


def load_and_explain(folder):
    with no_pickle():
        model = mv.load(folder, device="cpu")
        explanation = mv.explain(model, tiny.picture())
    assert np.isfinite(explanation.heatmap).all()
    assert np.isfinite(explanation.clean).all()


class no_pickle:  # noqa: N801
    """Make every way to a pickle an error that cannot be taken for a refusal."""

    def __enter__(self):
        import pickle

        import torch

        self.before = torch.load, pickle.load, pickle.loads

        def reached(*_, **__):
            raise AssertionError("a pickle was reached")

        torch.load = pickle.load = pickle.loads = reached

    def __exit__(self, *_):
        import pickle

        import torch

        torch.load, pickle.load, pickle.loads = self.before


def change_json(path, changes):
    content = json.loads(path.read_text())
    content.update(changes)
    path.write_text(json.dumps(content))


def wrong_size(rng, folder):
    changes = {pick(rng, SIZES): pick(rng, SIZE_VALUES)}
    change_json(folder / "config.json", changes)
    return changes


def wrong_field(rng, folder):
    known = sorted(json.loads((folder / "config.json").read_text()))
    changes = {pick(rng, known): pick(rng, [*SIZE_VALUES, "nonsense", {"a": {"b": 1}}])}
    change_json(folder / "config.json", changes)
    return changes


def named_pickle(rng, folder):
    import torch

    name = pick(
        rng,
        ("pytorch_model.bin", "adapter_model.bin", "model.safetensors", "weights.pt"),
    )
    torch.save({"a": torch.zeros(1)}, folder / name)
    key = pick(
        rng,
        (
            "transformers_weights",
            "weights",
            "_name_or_path",
            "auto_map",
            "quantization_config",
        ),
    )
    changes = {
        key: pick(
            rng,
            (
                name,
                {"AutoModel": "code.Model"},
                {"quant_method": "bitsandbytes", "load_in_8bit": True},
            ),
        )
    }
    change_json(folder / "config.json", changes)
    (folder / "code.py").write_text("raise SystemExit('code of a checkpoint was run')")
    index = {"metadata": {}, "weight_map": {"classifier.weight": name}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    if rng.random() < 0.5 and name != "model.safetensors":
        (folder / "model.safetensors").unlink()
    return f"{name} by {changes}"


def wrong_processor(rng, folder):
    keys = (
        "size",
        "image_mean",
        "image_std",
        "resample",
        "rescale_factor",
        "do_resize",
        "do_normalize",
        "image_processor_type",
        "crop_size",
    )
    values = [
        *SIZE_VALUES,
        {"height": 10**6, "width": 10**6},
        {"shortest_edge": 3},
        [0, 0, 0],
        [0.5],
        99,
        "nonsense",
    ]
    changes = {pick(rng, keys): pick(rng, values)}
    change_json(folder / "preprocessor_config.json", changes)
    return changes


def spoiled_file(rng, folder):
    path = pick(rng, sorted(folder.iterdir()))
    path.write_bytes(odd_values.spoiled(rng, path.read_bytes()))
    return path.name


def deep_json(rng, folder):
    name = pick(rng, ("config.json", "preprocessor_config.json"))
    depth = pick(rng, (1_000, 100_000))
    (folder / name).write_text("[" * depth + "]" * depth)
    return f"{name} of {depth} levels"


def wrong_weights(rng, folder):
    path = folder / "model.safetensors"
    weights = load_file(path)
    name = pick(rng, sorted(weights))
    way = pick(rng, ("int8", "bool", "float64", "missing", "shape", "nan", "extra"))
    if way in ("int8", "bool", "float64"):
        weights = {key: values.astype(way) for key, values in weights.items()}
    elif way == "missing":
        del weights[name]
    elif way == "shape":
        weights[name] = np.zeros((3, 5, 7), dtype=np.float32)
    elif way == "nan":
        weights[name] = np.full_like(weights[name], np.nan)
    else:
        weights["something.else"] = np.zeros(3, dtype=np.float32)
    save_file(weights, path, metadata={"format": "pt"})
    return f"{way} {name}"


FOLDER_WAYS = (
    wrong_size,
    wrong_size,
    wrong_field,
    named_pickle,
    wrong_processor,
    spoiled_file,
    deep_json,
    wrong_weights,
)

# --- saved files --------------------------------------------------------------------------------


def saved_files(rng, folder):
    """Return an attempt to read a file that the package wrote and somebody changed."""
    way = pick(
        rng,
        (
            changed_archive,
            changed_archive,
            changed_facts,
            changed_network,
            changed_bytes,
        ),
    )
    what, act = way(rng, folder)
    return Attempt(f"{way.__name__}: {what}", act, lambda result: None, folder)


def read_explanation(path):
    loaded = mv.Explanation.load(path)
    assert loaded.heatmap.shape == loaded.grid
    assert np.isfinite(loaded.heatmap).all()
    assert loaded.masks.kept.dtype == bool
    assert loaded.label_name in " - ".join(loaded.classes)
    assert loaded.clean.dtype.kind == "f"
    assert loaded.probabilities.min() >= 0
    assert loaded.probabilities.max() <= 1 + 1e-6
    assert len(loaded.masks.table()) == len(loaded.masks)
    assert loaded.row()["masks"] == len(loaded.masks)
    repr(loaded)
    loaded.save(path.with_name("again.npz"))


def read_network(path):
    net = mv.Multiplex.read(path)
    assert np.isfinite(net.weights).all()
    assert net.weights.min() >= 0
    table = net.layer_table(["edges", "share_pruned"])
    assert table["share_pruned"].between(0, 1).all()
    repr(net)


def changed_archive(rng, folder):
    path = folder / "saved.npz"
    tiny.explanation().save(path)
    with np.load(path) as archive:
        content = {name: archive[name] for name in archive.files}
    name = pick(rng, [key for key in content if key != "facts"])
    content[name] = changed_array(rng, content[name])
    what = f"{name} {content[name].dtype} {content[name].shape}"
    if rng.random() < 0.1:
        del content[name]
        what = f"no {name}"
    np.savez(path, **content)
    return what, partial(read_explanation, path)


def changed_array(rng, values):
    way = pick(rng, ("any", "type", "nan", "shape", "scale", "negative", "text"))
    if way == "any":
        return odd_values.array(rng)
    if way == "type":
        return values.astype(pick(rng, ("complex64", "int64", "float64", "float16")))
    if way == "shape":
        return values[..., :-1]
    if way == "text":
        return values.astype("U8")
    changed = values.astype(float)
    if way == "nan":
        changed.flat[0] = np.nan
    elif way == "scale":
        changed *= 7
    else:
        changed -= 3
    return changed


def changed_facts(rng, folder):
    path = folder / "saved.npz"
    tiny.explanation().save(path)
    with np.load(path) as archive:
        content = {name: archive[name] for name in archive.files}
    facts = json.loads(str(content["facts"]))
    name = pick(rng, sorted(facts))
    odd = [
        None,
        -1,
        99,
        2.5,
        "text",
        [],
        {},
        [-8, -8],
        [1, 2, 3],
        float("nan"),
        True,
        [[1]],
        10**30,
    ]
    facts[name] = pick(rng, odd)
    content["facts"] = np.array(json.dumps(facts))
    np.savez(path, **content)
    return f"{name} = {facts[name]!r}", partial(read_explanation, path)


def changed_network(rng, folder):
    path = folder / "net.graphml"
    tiny.network().write(path)
    lines = path.read_text().splitlines()
    place = int(rng.integers(len(lines)))
    way = pick(rng, ("drop", "double", "number", "swap"))
    if way == "drop":
        del lines[place]
    elif way == "double":
        lines.insert(place, lines[place])
    elif way == "swap":
        other = int(rng.integers(len(lines)))
        lines[place], lines[other] = lines[other], lines[place]
    else:
        with_numbers = [i for i, line in enumerate(lines) if any(sign.isdigit() for sign in line)]
        place = pick(rng, with_numbers)
        digits = [sign for sign in lines[place] if sign.isdigit()]
        new = pick(rng, ("-8", "nan", "1e400", "99999999999", "x", ""))
        lines[place] = lines[place].replace(pick(rng, digits), new, 1)
    path.write_text("\n".join(lines))
    return f"{way} line {place}", partial(read_network, path)


def changed_bytes(rng, folder):
    if rng.random() < 0.5:
        path = folder / "saved.npz"
        tiny.explanation().save(path)
        read = read_explanation
    else:
        path = folder / "net.graphml"
        tiny.network().write(path)
        read = read_network
    path.write_bytes(odd_values.spoiled(rng, path.read_bytes()))
    return path.name, partial(read, path)
