"""Model folders for the tests: a whole one, and what can be changed in it."""

import io
import json
import pickle
import shutil
import zipfile
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file


class Poison:
    """What leaves a mark on the disk when it is unpickled."""

    def __init__(self, mark):
        self.mark = str(mark)

    def __reduce__(self):
        return (open, (self.mark, "w"))


def write_whole(folder, tiny):
    """Write a small checkpoint that can be loaded."""
    from transformers import ViTImageProcessorPil

    tiny("ViT").model.save_pretrained(folder)
    ViTImageProcessorPil(size={"height": 16, "width": 16}).save_pretrained(folder)


def changed(folder, file, remove=(), **values):
    """Write other values into a JSON file of a folder."""
    path = Path(folder) / file
    found = {**json.loads(path.read_text()), **values}
    path.write_text(json.dumps({key: value for key, value in found.items() if key not in remove}))


def with_weights(folder, change):
    """Write what `change` makes of the weights by name."""
    path = Path(folder) / "model.safetensors"
    weights = change(load_file(path))
    save_file({name: weight.contiguous() for name, weight in weights.items()}, path)


def pickles(weights, mark):
    """Return pickles of all kinds, by name; each leaves a mark if it is read."""
    poisoned = {**weights, "poison": Poison(mark)}
    new, old = io.BytesIO(), io.BytesIO()
    torch.save(poisoned, new)
    torch.save(poisoned, old, _use_new_zipfile_serialization=False)
    plain = pickle.dumps(Poison(mark))
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as file:
        file.writestr("archive/data.pkl", plain)
        file.writestr("archive/version", "3")
    kinds = {"zip": new, "legacy": old, "by hand": packed}
    return {"plain": plain, **{kind: written.getvalue() for kind, written in kinds.items()}}


def copied(whole, folder):
    """Copy a whole folder."""
    return shutil.copytree(whole, folder, dirs_exist_ok=True)
