"""The rows of the benchmark that tell time: each function takes a case and returns rows of figures."""

import statistics
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import torch
from benchmark_case import (
    Case,
    Rest,
    Rows,
    in_turn,
    medians,
    naive_loop,
    photos,
    pixels,
    random_model,
    ratio,
    timed,
)
from gemm_floor import bare, gemm_rate, recorded
from scipy.stats import spearmanr

import multiplex_vit as mv

CENTRALITIES = (
    "in_strength",
    "out_strength",
    "in_degree",
    "out_degree",
    "pagerank",
    "hub",
    "in_closeness",
    "harmonic",
    "betweenness",
    "clustering",
)


def passes(case: Case) -> Rows:
    """(a) one mask at a time, (b) this package, (c) its matrix products alone; in turn."""
    model, image = case.build(), pixels(case.build)
    rest = Rest(model.device)
    explanation = mv.explain(model, image)
    package = rest.row()["above_mib"]
    difference = float(
        np.abs(naive_loop(model, image, explanation.masks.kept) - explanation.probabilities).max()
    )
    assert difference < 1e-4, "both must compute the same"
    products = recorded(lambda: mv.explain(model, image))
    calls = {
        "naive": lambda: naive_loop(model, image, explanation.masks.kept),
        "package": lambda: mv.explain(model, image),
        "floor": bare(products, model.device, model.dtype),
        "floor_laid_out": bare(products, model.device, model.dtype, laid_out=True),
    }
    seconds = in_turn(calls, case.repeats)
    facts = {
        "masks": len(explanation.masks),
        "forward_passes": explanation.forward_passes,
        "difference": difference,
    }
    ratios = {
        name: ratio(seconds, "package", other)
        for name, other in (("b/a", "naive"), ("b/c", "floor"), ("b/c laid out", "floor_laid_out"))
    }
    rate = products.flop / 1e9 / statistics.median(seconds["package"])
    return [{**facts, **medians(seconds), **ratios, "GFLOP/s": rate, "package_above_mib": package}]


def folder(case: Case) -> Rows:
    """(d) images a second for a folder, by the naive loop of a few of them, and by this package."""
    model = case.build()
    with tempfile.TemporaryDirectory() as name:
        paths = photos(Path(name), case.images)
        few = paths[: max(2, case.images // 8)]
        masks = [each.masks.kept for each in mv.explain(model, few)]

        def naive() -> None:
            for path, kept in zip(few, masks, strict=True):
                naive_loop(model, model.picture(path).pixels.cpu().numpy(), kept)

        seconds = in_turn(
            {"naive": naive, "package": lambda: mv.explain(model, paths)}, case.repeats
        )
        seconds = {
            "naive": [s / len(few) for s in seconds["naive"]],
            "package": [s / len(paths) for s in seconds["package"]],
        }
        rates = {
            f"{key}_images_a_second": 1 / statistics.median(each) for key, each in seconds.items()
        }
        return [
            {
                "images": len(paths),
                "images_naive": len(few),
                **rates,
                "a/b": ratio(seconds, "naive", "package"),
            }
        ]


def curves(case: Case) -> Rows:
    """(e) insertion and deletion of a heatmap, by tokens and by pixels."""
    model = case.build()
    image = pixels(lambda: model)
    heatmap = mv.explain(model, image).heatmap
    calls = {
        protocol: partial(mv.evaluate, model, image, heatmap, protocol=protocol, label=0)
        for protocol in ("token", "patch")
    }
    alone = {
        f"{protocol}, one a pass": partial(call, batch_size=1) for protocol, call in calls.items()
    }
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

    return [
        medians(
            in_turn(
                {
                    "network": lambda: mv.multiplex(model, image),
                    "with ten centralities and GraphML": run,
                },
                case.repeats,
            )
        )
    ]


def scaling(case: Case) -> Rows:
    """(g) seconds an image against tokens, blocks and images; the others as of ViT-Ti/16 at 224 pixels."""
    rows = []
    options = {
        "hidden_size": 192,
        "num_attention_heads": 3,
        "intermediate_size": 768,
        "num_labels": 1000,
    }
    for what, values in (
        ("tokens", (96, 160, 224, 320, 384)),
        ("blocks", (3, 6, 12, 24)),
        ("images", (1, 2, 8, 32)),
    ):
        for value in values:
            size, blocks, images = (
                value if what == name else usual
                for name, usual in (("tokens", 224), ("blocks", 12), ("images", 1))
            )
            model = random_model(
                "vit", case.device, image_size=size, num_hidden_layers=blocks, **options
            )
            given = [pixels(lambda model=model: model, seed) for seed in range(images)]
            seconds = in_turn(
                {"package": lambda model=model, given=given: mv.explain(model, given)}, case.repeats
            )
            shown = (size // 16) ** 2 + 1 if what == "tokens" else value
            rows.append(
                {
                    "against": what,
                    "value": shown,
                    "package_s_an_image": statistics.median(seconds["package"]) / images,
                }
            )
    return rows


def types(case: Case) -> Rows:
    """Return for each type in which masks are classified: images a second and times the naive loop's, the rate of the masked passes alone beside that of a bare matrix
    product, and how far heatmaps move from those of float32."""
    options = {"cpu": ("bfloat16",), "cuda": ("tf32", "bfloat16", "float16")}[
        torch.device(case.device).type
    ]
    models = {"float32": case.build(), **{name: case.build(mask_dtype=name) for name in options}}
    with tempfile.TemporaryDirectory() as name:
        paths = photos(Path(name), case.images)
        few = paths[: max(2, case.images // 32)]
        found = {key: mv.explain(model, paths) for key, model in models.items()}
        masked = {
            key: masked_passes(model, [model.picture(path).pixels for path in few], found[key])
            for key, model in models.items()
        }
        flop = {key: recorded(call).flop for key, call in masked.items()}
        seconds = in_turn(
            {key: partial(mv.explain, model, paths) for key, model in models.items()}, case.repeats
        )
        alone = in_turn(masked, case.repeats)
        naive, _ = timed(
            lambda: [
                naive_loop(
                    models["float32"],
                    models["float32"].picture(path).pixels.cpu().numpy(),
                    found["float32"][0].masks.kept,
                )
                for path in few
            ]
        )
        area = {
            key: [areas(models["float32"], *each) for each in zip(paths, found[key], strict=True)]
            for key in models
        }
    rows = []
    for key, model in models.items():
        rank = [
            spearmanr(a.heatmap.ravel(), b.heatmap.ravel()).statistic
            for a, b in zip(found["float32"], found[key], strict=True)
        ]
        moved = np.abs(np.array(area[key]) - area["float32"])
        figures = {
            "rank_correlation": statistics.mean(rank),
            "least_rank_correlation": min(rank),
            "auc_difference": moved.mean(),
            "greatest": moved.max(),
        }
        image, rate = (
            statistics.median(seconds[key]) / len(paths),
            flop[key] / statistics.median(alone[key]),
        )
        speed = {
            "images_a_second": 1 / image,
            "a/b": naive / len(few) / image,
            "GFLOP/s": rate / 1e9,
            "of_a_product": rate / gemm_rate(model.device, key),
        }
        rows.append(
            {
                "mask_dtype": key,
                "images": len(paths),
                **{k: float(v) for k, v in (speed | figures).items()},
            }
        )
    return rows


def masked_passes(
    model: mv.VisionModel, several: list[torch.Tensor], explanations: list[mv.Explanation]
) -> Callable[[], object]:
    """Return what classifies the distinct masks of some images together, and nothing else."""
    tokens = model.embed(torch.cat(several))
    kept = [each.masks.kept[each.masks.distinct()[0]] for each in explanations[: len(several)]]
    return partial(model.probabilities_of_images, tokens, kept)


def areas(model: mv.VisionModel, path: Path, explanation: mv.Explanation) -> float:
    """Return insertion minus deletion, by tokens."""
    return mv.evaluate(
        model, path, explanation.heatmap, protocol="token", label=explanation.label
    ).difference
