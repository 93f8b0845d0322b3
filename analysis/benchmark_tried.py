"""What else was tried for the passes of masks, each beside what is done: padding in place of groups, nothing shared, other linear layers, a compiled model."""

import statistics
import time
from collections.abc import Callable
from functools import partial
from unittest.mock import patch

import numpy as np
import torch
from benchmark_case import Case, Rows, in_turn, pixels, ratio
from torch import Tensor, nn

import multiplex_vit as mv
from multiplex_vit.models.fast import onednn
from multiplex_vit.models.fast.onednn import fast_linear
from multiplex_vit.models.fast.switches import Fast
from multiplex_vit.models.running import attending
from multiplex_vit.models.swaps import entering

METHODS = ("mutex", "communities")
AS_IT_IS = "as it is"
SWITCHES = {
    "nothing shared among masks": Fast(sharing=False),
    "linear layers by default": Fast(onednn=False),
}
OTHERWISE = {
    "weights laid out at every call": (onednn, "MOST_BYTES", 0),
    "GELU by itself": (onednn, "FUSE_GELU", False),
}
"""What the package has in place of what it does otherwise: module, name, stand-in."""


def tried(case: Case) -> Rows:
    """Return how long the distinct masks of an image take in several ways, in turn, and what each takes of the way that it is done."""
    model = case.build()
    tokens = model.embed(pixels(lambda: model))
    rows = []
    for method in METHODS:
        masks = mv.explain(model, pixels(lambda: model), method=method).masks
        kept = masks.kept[masks.distinct()[0]]
        calls = {
            AS_IT_IS: partial(model.probabilities, tokens, kept),
            "padded to the longest": partial(padded, model, tokens, kept),
            "one mask a pass": partial(model.probabilities, tokens, kept, batch_size=1),
            "all masks in one pass a length": partial(
                model.probabilities, tokens, kept, batch_size=len(kept)
            ),
            **{
                name: partial(mv.VisionModel(model.model, fast=fast).probabilities, tokens, kept)
                for name, fast in SWITCHES.items()
            },
            **{
                name: patched(partial(model.probabilities, tokens, kept), *others)
                for name, others in OTHERWISE.items()
            },
        }
        expected = calls[AS_IT_IS]()
        for name, call in calls.items():
            assert torch.allclose(call(), expected, atol=1e-4), name
        seconds = in_turn(calls, case.repeats)
        facts = {"method": method, "masks": len(kept), "lengths": len(set(kept.sum(1)))}
        rows += [
            {
                **facts,
                "way": name,
                "seconds": statistics.median(each),
                "of as it is": ratio(seconds, name, AS_IT_IS),
            }
            for name, each in seconds.items()
        ]
    return rows + compiled(case)


def padded(model: mv.VisionModel, tokens: Tensor, kept: np.ndarray) -> Tensor:
    """Return what `model.probabilities` gives, every sequence filled up to the longest and the fill left out by an attention mask."""
    counts = torch.as_tensor(kept.sum(1)) + model.n_prefix
    prefix = np.ones((len(kept), model.n_prefix), dtype=bool)
    present = torch.from_numpy(np.concatenate([prefix, kept], axis=1)).to(model.device)
    places = present.int().argsort(dim=1, descending=True, stable=True)[:, : int(counts.max())]
    real = torch.arange(places.shape[1])[None] < counts[:, None]
    network = model.mask_model
    blank = model.port.blank(tokens.grid)
    first = model.port.blocks[0]
    size, found = max(1, 2048 // places.shape[1]), []
    with torch.inference_mode(), attending(network), fast_linear(network):
        for some, here in zip(places.split(size), real.to(model.device).split(size), strict=True):
            with entering(first, tokens.values[0][some]):
                found.append(
                    network(pixel_values=blank.expand(len(some), -1, -1, -1), attention_mask=here)
                    .logits.float()
                    .softmax(-1)
                )
    return torch.cat(found)


def patched(
    call: Callable[[], Tensor], module: object, name: str, stand_in: object
) -> Callable[[], Tensor]:
    """Return a call during which a module has something else by a name."""

    def run() -> Tensor:
        with patch.object(module, name, stand_in):
            return call()

    return run


def compiled(case: Case) -> Rows:
    """Return how long the blocks alone take at the length of the published masks: as they are run, as they come, and compiled."""
    model = case.build()
    network = model.mask_model
    layers, n_token = (
        getattr(network, network.base_model_prefix).layers,
        model.n_prefix + int(np.prod(model.grid)) // 2 + 1,
    )
    hidden = torch.randn(
        max(1, 2048 // n_token),
        n_token,
        network.config.hidden_size,
        device=model.device,
        dtype=model.dtype,
    )
    blocks = torch.compile(partial(through, layers), dynamic=False)
    with torch.inference_mode(), attending(network):
        began = time.perf_counter()
        blocks(hidden)
        first = time.perf_counter() - began
        calls = {
            "blocks as they are run": on_onednn(partial(through, layers, hidden), network),
            "blocks as they come": partial(through, layers, hidden),
        }
        seconds = in_turn({**calls, "blocks compiled": partial(blocks, hidden)}, 4 * case.repeats)
    base = "blocks as they are run"
    rows = [
        {"way": name, "seconds": statistics.median(each), "of as it is": ratio(seconds, name, base)}
        for name, each in seconds.items()
    ]
    rows[-1]["first call, seconds"] = first
    return [{"method": "", "masks": len(hidden), "lengths": 1, **row} for row in rows]


def through(layers: nn.ModuleList, hidden: Tensor) -> Tensor:
    """Return what blocks make of [sequence, token, width]."""
    for layer in layers:
        hidden = layer(hidden)
    return hidden


def on_onednn(call: Callable[[], Tensor], network: nn.Module) -> Callable[[], Tensor]:
    """Return a call during which linear layers are those of the passes."""

    def run() -> Tensor:
        with fast_linear(network):
            return call()

    return run
