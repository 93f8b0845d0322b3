"""Hostile values handed to Python functions: images, arrays and options."""

import io
from functools import partial

import numpy as np
import odd_values
import tiny
from harness import Attempt, pick
from PIL import Image

import multiplex_vit as mv


def check_heatmap(explanation):
    """A heatmap must be finite and on the grid; of a list of images, every one."""
    if isinstance(explanation, list):
        for one in explanation:
            check_heatmap(one)
        return
    assert explanation.heatmap.shape == (4, 4)
    assert np.isfinite(explanation.heatmap).all()


def check_finite_table(table):
    """A table has rows, and no infinite number."""
    assert len(table) > 0
    numbers = table.select_dtypes("number")
    assert not np.isinf(numbers.to_numpy(dtype=float)).any()


# --- images -------------------------------------------------------------------------------------


def images(rng, folder):
    """Return an attempt to explain something that may be an image."""
    kind = pick(rng, ("bytes", "file", "array", "pixels", "pil", "value"))
    image, what = IMAGES[kind](rng, folder)
    act = partial(mv.explain, tiny.model(), image)
    return Attempt(f"image ({kind}): {what}", act, check_heatmap, folder)


def encoded(rng):
    """Return a small picture in one of the formats that are read."""
    mode = pick(rng, ("RGB", "L", "P", "RGBA", "1", "CMYK", "I;16", "LA"))
    size = tuple(int(side) for side in rng.integers(1, 40, 2))
    formats = {
        "RGB": ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "PPM"),
        "CMYK": ("JPEG", "TIFF"),
    }
    name = pick(rng, formats.get(mode, ("PNG",)))
    stream = io.BytesIO()
    Image.new(mode, size).save(stream, format=name)
    return stream.getvalue(), f"{name} {mode} {size}"


def image_bytes(rng, folder):
    content, what = encoded(rng)
    if rng.random() < 0.7:
        content = odd_values.spoiled(rng, content)
    return content, what


def image_file(rng, folder):
    content, what = image_bytes(rng, folder)
    path = folder / pick(rng, ("a.png", "a.jpg", "b", "c.txt", "d.eps", "...", "-e.png"))
    path.write_bytes(content)
    return path, f"{what} as {path.name}"


def image_array(rng, folder):
    values = odd_values.array(rng)
    return values, f"{values.dtype} {values.shape}"


def pixel_values(rng, folder):
    shape = pick(
        rng,
        (
            (1, 3, 16, 16),
            (1, 3, 16, 16),
            (1, 3, 15, 16),
            (2, 3, 16, 16),
            (1, 1, 16, 16),
            (3, 16, 16),
        ),
    )
    values = rng.standard_normal(shape).astype(pick(rng, ("float32", "float64", "float16")))
    spoil = pick(rng, (None, None, np.nan, np.inf, 1e30, -1e30))
    if spoil is not None:
        with np.errstate(over="ignore"):
            values.flat[0] = spoil
    return values, f"{values.dtype} {shape} with {spoil}"


def pil_image(rng, folder):
    mode = pick(
        rng,
        ("RGB", "L", "F", "I", "1", "P", "LAB", "HSV", "YCbCr", "RGBA", "PA", "I;16"),
    )
    size = tuple(int(side) for side in rng.integers(0, 40, 2))
    return Image.new(mode, size), f"{mode} {size}"


def any_value(rng, folder):
    value = odd_values.value(rng)
    return value, repr(value)[:100]


IMAGES = {
    "bytes": image_bytes,
    "file": image_file,
    "array": image_array,
    "pixels": pixel_values,
    "pil": pil_image,
    "value": any_value,
}


# --- arrays -------------------------------------------------------------------------------------


def arrays(rng, folder):
    """Return an attempt to use an array where the package takes one."""
    use = pick(rng, ARRAY_USES)
    fitting = rng.random() < 0.3
    values = odd_values.array(rng)
    if fitting:
        values = rng.random(FITTING[use.__name__])
    what = f"{use.__name__}: {values.dtype} {values.shape}"
    return Attempt(what, partial(use, rng, values), lambda result: None, folder)


def of_multiplex(rng, values):
    grid = pick(
        rng,
        (
            (4, 4),
            (2, 2),
            (1, 2),
            (0, 0),
            (-8, -8),
            (10**6, 10**6),
            (2.5, 2),
            "ab",
            None,
        ),
    )
    if values.shape == FITTING["of_multiplex"]:
        grid = (4, 4)
    net = mv.Multiplex(values, grid)
    assert np.isfinite(net.weights).all()
    assert net.weights.min() >= 0
    check_finite_table(net.layer_table(["edges", "density"]))


def of_evaluate(rng, values):
    measured = mv.evaluate(tiny.model(), tiny.picture(), values, steps=2)
    assert 0 <= measured.insertion.auc <= 1


def of_masks(rng, values):
    kept = tiny.model().probabilities(tiny_tokens(), values)
    assert np.isfinite(kept.numpy()).all()


def of_omega(rng, values):
    matrix = tiny.network().supra_adjacency(omega=values)
    assert np.isfinite(matrix.data).all()


def of_modularity(rng, values):
    assert (
        -1
        <= tiny.network().modularity(values.astype(int) if values.dtype.kind == "f" else values)
        <= 1
    )


def of_pruning_curve(rng, values):
    check_finite_table(tiny.network().pruning_curve(values))


def of_min_cut(rng, values):
    assert tiny.network().prune(values).weights.shape == tiny.network().weights.shape


def tiny_tokens():
    model = tiny.model()
    return model.embed(model.picture(tiny.picture()).pixels)


ARRAY_USES = (
    of_multiplex,
    of_evaluate,
    of_masks,
    of_omega,
    of_modularity,
    of_pruning_curve,
    of_min_cut,
)
FITTING = {
    "of_multiplex": (3, 16, 16),
    "of_evaluate": (4, 4),
    "of_masks": (3, 16),
    "of_omega": (3, 16),
    "of_modularity": (3, 16),
    "of_pruning_curve": (3,),
    "of_min_cut": (),
}


# --- options ------------------------------------------------------------------------------------


def options(rng, folder):
    """Return an attempt to call a function with one or two options that are anything."""
    name = pick(rng, OPTIONS)
    function, sensible = OPTIONS[name]
    given = {}
    for option in rng.permutation(list(sensible))[: int(rng.integers(1, 3))]:
        use_sensible = rng.random() < 0.25
        given[str(option)] = sensible[str(option)] if use_sensible else odd_values.value(rng)
    what = f"{name}({', '.join(f'{key}={value!r:.60}' for key, value in given.items())})"
    return Attempt(what, partial(function, **given), lambda result: None, folder)


def explain_option(**given):
    check_heatmap(mv.explain(tiny.model(), tiny.picture(), **given))


def rival_option(method="rise_tokens", **given):
    check_heatmap(mv.explain(tiny.model(), tiny.picture(), method=method, **given))


def multiplex_option(**given):
    assert mv.multiplex(tiny.model(), tiny.picture(), **given).n_layers >= 1


def evaluate_option(**given):
    heatmap = np.arange(16.0).reshape(4, 4)
    measured = mv.evaluate(tiny.model(), tiny.picture(), heatmap, **{"steps": 2, **given})
    assert np.isfinite(measured.insertion.auc)


def node_table_option(**given):
    check_finite_table(tiny.network().node_table(**given))


def layer_table_option(**given):
    assert len(tiny.network().layer_table(**{"measures": ["density"], "samples": 2, **given})) == 3


def coupling_option(**given):
    assert tiny.network().supra_adjacency(**given).shape == (48, 48)


def communities_option(**given):
    assert tiny.network().communities(**given).shape == (3, 16)


def study_option(**given):
    mv.Study(**{"images": [tiny.picture()], "out": "nowhere", "model": tiny.model(), **given})


def subset_option(**given):
    check_heatmap(tiny.explanation().subset(**given))


OPTIONS = {
    "explain": (
        explain_option,
        {
            "label": 1,
            "batch_size": 4,
            "method": "mutex",
            "min_cut": 0.1,
            "token_ratio": 0.3,
            "starting_layer": 1,
            "operators": ["sum"],
            "centralities": ["in_degree"],
            "statistics": ["max"],
            "design": "random",
            "budget": 9,
            "seed": 1,
            "estimator": "contrast",
            "smoothness": 1.0,
            "prior": None,
            "prior_weight": 0.1,
        },
    ),
    "rise_tokens": (rival_option, {"budget": 9, "seed": 1, "label": 0}),
    "multiplex": (
        multiplex_option,
        {"operator": "mean", "min_cut": 0.1, "heads": True, "prefix": True},
    ),
    "evaluate": (
        evaluate_option,
        {"label": 1, "protocol": "token", "baseline": "mean", "steps": 3, "seed": 1},
    ),
    "node_table": (node_table_option, {"measures": "pagerank"}),
    "layer_table": (
        layer_table_option,
        {"measures": ["density"], "null_model": "weights", "samples": 2, "seed": 3},
    ),
    "supra_adjacency": (coupling_option, {"coupling": "ordinal", "omega": 0.5}),
    "communities": (
        communities_option,
        {"how": "linked", "resolution": 1.0, "seed": 1},
    ),
    "Study": (
        study_option,
        {
            "protocols": ["token"],
            "steps": 2,
            "seed": 1,
            "save": [],
            "chunk": 2,
            "explainers": ["mutex(min_cut=0.1)"],
        },
    ),
    "subset": (
        subset_option,
        {"operator": "sum", "statistic": "max", "direction": "in"},
    ),
}
