"""What `benchmark.py` measures: each function takes a case and returns rows of figures."""

import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers
from gemm_floor import bare, recorded
from PIL import Image
from scipy.stats import spearmanr

import multiplex_vit as mv

GEOMETRIES = {"tiny": (192, 12, 3), "small": (384, 12, 6), "base": (768, 12, 12), "large": (1024, 24, 16)}
BUNDLED = ("demo-vit", "demo-deit")
CENTRALITIES = ("in_strength", "out_strength", "in_degree", "out_degree", "pagerank", "hub", "in_closeness", "harmonic", "betweenness", "clustering")
Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class Case:
    """What to measure on.

    Attributes
    ----------
    model : str
        A bundled model, or family and geometry: "vit-base", "deit-small", with "@384" for another size in pixels.
    device : str
    repeats : int
    images : int
        Of rows that take several.
    """

    model: str
    device: str
    repeats: int
    images: int

    def build(self, **changes: Any) -> mv.VisionModel:
        """Return the model; of random weights drawn wider than at the start of training, so that attention differs between tokens."""
        if self.model in BUNDLED:
            return mv.load(self.model, device=self.device, dtype="float32", **changes)
        name, _, size = self.model.partition("@")
        family, geometry = name.split("-")
        width, blocks, heads = GEOMETRIES[geometry]
        options = {"hidden_size": width, "num_hidden_layers": blocks, "num_attention_heads": heads, "intermediate_size": 4 * width}
        return random_model(family, self.device, **{**options, "image_size": int(size or 224), "num_labels": 1000, **changes})


def random_model(family: str, device: str, **options: Any) -> mv.VisionModel:
    """Return a model of random weights."""
    torch.manual_seed(0)
    kind = {"vit": "ViT", "deit": "DeiT"}[family]
    config = getattr(transformers, f"{kind}Config")(initializer_range=0.06, **options)
    network = getattr(transformers, f"{kind}ForImageClassification")(config).eval().to(device)
    return mv.VisionModel(network, name=f"{kind} {options['hidden_size']} x {options['num_hidden_layers']}")


# --- (a), (b), (c) ----------------------------------------------------------------------------------------------------


def passes(case: Case) -> Rows:
    """(a) one mask at a time, (b) this package, (c) its matrix products alone; in turn."""
    model, image = case.build(), pixels(case.build)
    explanation = mv.explain(model, image)
    products = recorded(lambda: mv.explain(model, image))
    calls = {
        "naive": lambda: naive_loop(model, image, explanation.masks.kept),
        "package": lambda: mv.explain(model, image),
        "floor": bare(products, model.device, model.dtype),
    }
    difference = float(np.abs(calls["naive"]() - explanation.probabilities).max())
    assert difference < 1e-4, "both must compute the same"
    seconds = in_turn(calls, case.repeats)
    facts = {"masks": len(explanation.masks), "forward_passes": explanation.forward_passes, "difference": difference}
    rate = products.flop / 1e9 / statistics.median(seconds["package"])
    return [{**facts, **medians(seconds), "b/a": ratio(seconds, "package", "naive"), "b/c": ratio(seconds, "package", "floor"), "GFLOP/s": rate}]


def memory_naive(case: Case) -> Rows:
    """Run one mask at a time, for the memory that it takes."""
    model = case.build()
    rest = Rest(model.device)
    naive_loop(model, pixels(lambda: model), np.ones((2, int(np.prod(model.grid))), dtype=bool))
    return [rest.row()]


def memory(case: Case) -> Rows:
    """Explain once, for the memory that it takes above the model."""
    model = case.build()
    image, rest = pixels(lambda: model), Rest(model.device)
    seconds, _ = timed(lambda: mv.explain(model, image))
    return [{"tokens": int(np.prod(model.grid)) + model.n_prefix, "seconds": seconds, **rest.row()}]


def naive_loop(model: mv.VisionModel, image: np.ndarray, kept: np.ndarray) -> np.ndarray:
    """Classify masks one at a time with gradients on and eager attention; return class probabilities [mask, class]."""
    network, rows = model.model, []
    base = getattr(network, network.base_model_prefix)
    network.set_attn_implementation("eager")
    for mask in torch.from_numpy(kept):
        hidden = base.embeddings(torch.from_numpy(image).to(model.device))[:, torch.cat([torch.ones(model.n_prefix, dtype=torch.bool), mask])]
        for layer in base.layers:
            hidden = layer(hidden)
        rows.append(head_of(network, base.layernorm(hidden)).softmax(-1).detach().cpu().numpy())
    network.set_attn_implementation("sdpa")
    return np.concatenate(rows)


def head_of(network: Any, hidden: torch.Tensor) -> torch.Tensor:
    """Return a classifier's logits; DeiT with a teacher averages two heads."""
    if hasattr(network, "distillation_classifier"):
        return (network.cls_classifier(hidden[:, 0]) + network.distillation_classifier(hidden[:, 1])) / 2
    return network.classifier(hidden[:, 0])


# --- (d) to (g) -------------------------------------------------------------------------------------------------------


def folder(case: Case) -> Rows:
    """(d) images a second for a folder, by the naive loop of a few of them, and by this package; and the memory of many more."""
    model = case.build()
    with tempfile.TemporaryDirectory() as name:
        paths = photos(Path(name), case.images)
        few = paths[: max(2, case.images // 8)]
        masks = [each.masks.kept for each in mv.explain(model, few)]

        def naive() -> None:
            for path, kept in zip(few, masks, strict=True):
                naive_loop(model, model.picture(path).pixels.cpu().numpy(), kept)

        seconds = in_turn({"naive": naive, "package": lambda: mv.explain(model, paths)}, case.repeats)
        seconds = {"naive": [s / len(few) for s in seconds["naive"]], "package": [s / len(paths) for s in seconds["package"]]}
        rest = Rest(model.device)
        for _ in mv.explain_each(model, paths * 4, [mv.Settings()]):
            pass
        rates = {f"{key}_images_a_second": 1 / statistics.median(each) for key, each in seconds.items()}
        return [{"images": len(paths), **rates, "a/b": ratio(seconds, "naive", "package"), "streamed": 4 * len(paths), **rest.row()}]


def curves(case: Case) -> Rows:
    """(e) insertion and deletion of a heatmap, by tokens and by pixels."""
    model = case.build()
    image = pixels(lambda: model)
    heatmap = mv.explain(model, image).heatmap
    calls = {protocol: partial(mv.evaluate, model, image, heatmap, protocol=protocol, label=0) for protocol in ("token", "patch")}
    alone = {f"{protocol}, one a pass": partial(call, batch_size=1) for protocol, call in calls.items()}
    return [medians(in_turn({**calls, **alone}, case.repeats))]


def network(case: Case) -> Rows:
    """(f) an image's attention, its network, ten centralities and a GraphML file."""
    model = case.build()
    image = pixels(lambda: model)

    def run() -> None:
        with tempfile.TemporaryDirectory() as name:
            net = mv.multiplex(model, image)
            net.node_table(CENTRALITIES)
            net.write(Path(name, "net.graphml"), measures=CENTRALITIES)

    return [medians(in_turn({"network": lambda: mv.multiplex(model, image), "with ten centralities and GraphML": run}, case.repeats))]


def scaling(case: Case) -> Rows:
    """(g) seconds an image against tokens, blocks and images; the others as of ViT-Ti/16 at 224 pixels."""
    rows = []
    options = {"hidden_size": 192, "num_attention_heads": 3, "intermediate_size": 768, "num_labels": 1000}
    for what, values in (("tokens", (96, 160, 224, 320, 384)), ("blocks", (3, 6, 12, 24)), ("images", (1, 2, 8, 32))):
        for value in values:
            size, blocks, images = (value if what == name else usual for name, usual in (("tokens", 224), ("blocks", 12), ("images", 1)))
            model = random_model("vit", case.device, image_size=size, num_hidden_layers=blocks, **options)
            given = [pixels(lambda model=model: model, seed) for seed in range(images)]
            seconds = in_turn({"package": lambda model=model, given=given: mv.explain(model, given)}, case.repeats)
            shown = (size // 16) ** 2 + 1 if what == "tokens" else value
            rows.append({"against": what, "value": shown, "package_s_an_image": statistics.median(seconds["package"]) / images})
    return rows


def types(case: Case) -> Rows:
    """Return how fast masks are classified in each type, and how far the heatmaps move from those of float32."""
    options = {"cpu": ("bfloat16",), "cuda": ("tf32", "bfloat16", "float16")}[torch.device(case.device).type]
    models = {"float32": case.build(), **{name: case.build(passes=name) for name in options}}
    with tempfile.TemporaryDirectory() as name:
        paths = photos(Path(name), case.images)
        found = {key: mv.explain(model, paths) for key, model in models.items()}
        seconds = in_turn({key: partial(mv.explain, model, paths) for key, model in models.items()}, case.repeats)
        area = {key: [areas(models["float32"], *each) for each in zip(paths, found[key], strict=True)] for key in models}
    rows = []
    for key in models:
        pairs = list(zip(found["float32"], found[key], strict=True))
        rank = [spearmanr(a.heatmap.ravel(), b.heatmap.ravel()).statistic for a, b in pairs]
        moved = np.abs(np.array(area[key]) - area["float32"])
        figures = {"rank_correlation": statistics.mean(rank), "least_rank_correlation": min(rank), "auc_difference": moved.mean(), "greatest": moved.max()}
        rows.append({"passes": key, "seconds_an_image": statistics.median(seconds[key]) / len(paths), **{k: float(v) for k, v in figures.items()}})
    return rows


def areas(model: mv.VisionModel, path: Path, explanation: mv.Explanation) -> float:
    """Return insertion minus deletion, by tokens."""
    return mv.evaluate(model, path, explanation.heatmap, protocol="token", label=explanation.label).difference


# --- shared by the rows -----------------------------------------------------------------------------------------------


class Rest:
    """Memory before something, to tell what it took."""

    def __init__(self, device: torch.device):
        self.device, self.before = device, resident("VmRSS")
        if device.type == "cuda":
            torch.cuda.reset_peak_memory_stats()
            self.before = torch.cuda.memory_allocated() / 2**20
        else:
            Path("/proc/self/clear_refs").write_text("5", encoding="ascii")

    def row(self) -> dict[str, float]:
        """Return the greatest memory since, and how much it is above what there was, in MiB; on a GPU, its own memory."""
        peak = torch.cuda.max_memory_allocated() / 2**20 if self.device.type == "cuda" else resident("VmHWM")
        return {"before_mib": round(self.before), "above_mib": round(peak - self.before)}


def resident(what: str) -> float:
    """Return this process's memory now (VmRSS) or at its greatest (VmHWM), in MiB."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{what}:")) / 1024


def pixels(build: Callable[[], mv.VisionModel], seed: int = 0) -> np.ndarray:
    """Return an image of noise that fits a model."""
    return np.random.default_rng(seed).standard_normal((1, 3, *build().input_size)).astype(np.float32)


def photos(folder: Path, count: int) -> list[Path]:
    """Write so many cuttings of the bundled pictures as PNG files."""
    rng, pictures, paths = np.random.default_rng(0), [mv.read_image(path) for path in mv.samples().values()], []
    for number in range(count):
        picture = pictures[number % len(pictures)]
        side = int(min(picture.size) * rng.uniform(0.5, 1))
        left, top = (int(rng.integers(0, length - side + 1)) for length in picture.size)
        paths.append(folder / f"{number:05d}.png")
        picture.crop((left, top, left + side, top + side)).resize((96, 96), Image.Resampling.BILINEAR).save(paths[-1])
    return paths


def in_turn(calls: dict[str, Callable[[], Any]], repeats: int) -> dict[str, list[float]]:
    """Return the seconds of each call, all of them once first, and then in turn so many times."""
    for call in calls.values():
        call()
    return {key: list(each) for key, each in zip(calls, zip(*[[timed(call)[0] for call in calls.values()] for _ in range(repeats)], strict=True), strict=True)}


def timed(function: Callable[[], Any]) -> tuple[float, Any]:
    """Return seconds and result of one call."""
    start = time.perf_counter()
    result = function()
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.perf_counter() - start, result


def medians(seconds: dict[str, list[float]]) -> dict[str, float]:
    """Return the median seconds of each."""
    return {f"{key}_s": statistics.median(each) for key, each in seconds.items()}


def ratio(seconds: dict[str, list[float]], above: str, below: str) -> float:
    """Return the median of ratios of what ran one after the other."""
    return statistics.median(a / b for a, b in zip(seconds[above], seconds[below], strict=True))
