"""Every public function is given a value of a wrong type for each of its parameters in turn.

It must refuse the value in one line, or do what it says. Rooms network and plot have tests of their own.
"""

import functools
import inspect
import warnings

import numpy as np
import pandas as pd
import pytest
import torch
from conftest import tiny_model
from hostile import ending
from PIL import Image
from public import room_members, top_members

import multiplex_vit as mv
from multiplex_vit import report
from multiplex_vit.evaluation.evaluate import evaluate
from multiplex_vit.evaluation.many import evaluate_many
from multiplex_vit.models.taps.interface import interface
from multiplex_vit.study.sources import images as images_of

pytestmark = pytest.mark.slow
"""As one thing of every kind must be made first; `models/test_edge.py` is the quick share."""

ROOMS = ("saliency", "evaluation", "study", "models", "pictures")
VALUES = {
    "a number": -7.5,
    "a whole number": 10**30,
    "a text": "no such thing",
    "None": None,
    "a mapping": {"a": {"b": 1}},
    "a list": [object()],
    "an empty list": [],
    "an array": np.ones((2, 3, 4)),
    "an array of texts": np.array(["a", "b"]),
    "a complex number": 3j,
    "an object": object(),
    "bytes": b"\x00",
    "a truth value": np.True_,
}


@functools.cache
def model():
    return tiny_model("ViT")


@functools.cache
def picture():
    return np.random.default_rng(0).standard_normal((1, 3, 16, 16)).astype(np.float32)


@functools.cache
def several():
    return mv.networks(model(), [picture(), 2 * picture()])


@functools.cache
def explanation():
    return mv.explain(model(), picture(), operators=["sum"], statistics=["max", "min"])


def target():
    return mv.saliency.Target.of(model(), picture(), 1)


@functools.cache
def by_rollout():
    return mv.explain(model(), picture(), method="rollout")


@functools.cache
def photos(folder):
    """Return a folder of two images that a study can explain with the bundled model."""
    folder.mkdir(exist_ok=True)
    for number in range(2):
        values = np.random.default_rng(number).integers(0, 255, (32, 32, 3))
        Image.fromarray(values.astype(np.uint8)).save(folder / f"{number}.png")
    return folder


@functools.cache
def curve():
    return mv.evaluation.Curve(np.array([0.0, 1.0]), np.array([0.1, 0.9]), "token")


@functools.cache
def tokens():
    return model().embed(picture())


@functools.cache
def mosaic():
    pixels = np.concatenate([np.concatenate([picture()] * 2, 2)] * 2, 3)[:, :, ::2, ::2]
    return mv.evaluation.Mosaic(pixels, (0, 1, 2, 3), (0, 1, 2, 3))


def heatmap():
    return np.arange(16.0).reshape(4, 4)


def study(folder, **changes):
    given = {
        "images": photos(folder / "photos"),
        "out": folder / "study",
        "protocols": ["token"],
        "steps": 2,
    }
    return mv.Study(**{**given, **changes})


ASKED = {"label": 1, "seed": 1}
MEASURED = {"steps": 2, "seed": 1, "batch_size": 4}
SETTINGS = mv.Settings(operators=("sum",), statistics=("max",))
KEPT = np.eye(4, 16, dtype=bool)


def calls(folder):
    """Return every call as a function and arguments with which it succeeds, by its public name."""
    shown, vit = picture(), model()
    asked = {"model": vit, "image": shown}
    label = int(vit.classify(shown)[0].argmax())
    found = {
        "load": (
            mv.load,
            {
                "name": "demo-vit",
                "device": "cpu",
                "dtype": "float32",
                "mask_dtype": None,
                "score": "auto",
                "fast": True,
                "classes": None,
                "processor": None,
                "interpolate": False,
            },
        ),
        "wrap": (
            mv.models.wrap,
            {
                "module": vit.model,
                "processor": None,
                "classes": ["a", "b", "c", "d", "e"],
                "head": None,
                "trunk": None,
                "check": False,
                "name": "it",
                "score": "auto",
                "interpolate": False,
            },
        ),
        "PrototypeHead": (
            mv.models.PrototypeHead,
            {"prototypes": torch.eye(3), "temperature": 0.1},
        ),
        "PrototypeHead.forward": (
            mv.models.PrototypeHead(torch.eye(3)).forward,
            {"features": torch.ones(2, 3)},
        ),
        "NeighbourHead": (
            mv.models.NeighbourHead,
            {
                "features": torch.eye(3),
                "labels": torch.arange(3),
                "k": 2,
                "temperature": 0.1,
            },
        ),
        "NeighbourHead.forward": (
            mv.models.NeighbourHead(torch.eye(3), torch.arange(3)).forward,
            {"features": torch.ones(2, 3)},
        ),
        "TextHead": (
            mv.models.TextHead,
            {"texts": torch.eye(3), "scale": 10.0, "bias": 0.0, "projection": None},
        ),
        "TextHead.forward": (
            mv.models.TextHead(torch.eye(3)).forward,
            {"features": torch.ones(2, 3)},
        ),
        "TextHead.at_length": (
            mv.models.TextHead(torch.eye(3)).at_length,
            {"features": torch.ones(2, 3)},
        ),
        "Trunk": (
            mv.models.Trunk,
            {
                "blocks": "vit.layers",
                "prefix": ("class",),
                "patch": (4, 4),
                "image_size": (16, 16),
                "tap": interface,
                "positions": None,
                "any_size": False,
                "n_channels": 3,
                "n_heads": None,
                "stem": (),
                "output": "",
                "scale": "",
            },
        ),
        "Head": (
            mv.models.Head,
            {"reads": "prefix", "readers": (), "norm": "", "norm_first": True, "projection": ""},
        ),
        "Tokens": (
            mv.models.Tokens,
            {"values": tokens().values, "grid": (4, 4), "places": None},
        ),
        "VisionModel": (
            mv.VisionModel,
            {
                "model": vit.model,
                "processor": None,
                "name": "a",
                "mask_dtype": None,
                "score": "softmax",
                "fast": True,
            },
        ),
        "explain": (
            mv.explain,
            {
                **asked,
                "label": 1,
                "batch_size": 4,
                "method": "mutex",
                "network": None,
                **SETTINGS.choices(),
            },
        ),
        "multiplex": (
            mv.multiplex,
            {
                **asked,
                "operator": "sum",
                "min_cut": 0.1,
                "heads": False,
                "prefix": True,
                "edges": "gradient",
                "label": 1,
                "against": 2,
            },
        ),
        "networks": (
            mv.networks,
            {
                "model": vit,
                "images": [shown],
                "operator": "sum",
                "min_cut": 0.1,
                "heads": False,
                "prefix": True,
                "edges": "gradient",
                "label": 1,
                "against": 2,
            },
        ),
        "explain_many": (
            mv.explain_many,
            {**asked, "explainers": [SETTINGS], "label": 1, "batch_size": 4},
        ),
        "explain_each": (
            consumed(mv.explain_each),
            {
                "model": vit,
                "images": [shown],
                "explainers": [SETTINGS],
                "label": 1,
                "batch_size": 4,
            },
        ),
        "sweep": (mv.sweep, {"explainer": "rise_tokens", "budget": [5, 9], "seed": [1, 2]}),
        "precision_flips": (mv.saliency.precision_flips, {**asked, "method": SETTINGS}),
        "precision_agreement": (
            mv.saliency.precision_agreement,
            {**asked, "method": SETTINGS, "label": 1, "other": None},
        ),
        "evaluate": (
            evaluate,
            {
                **asked,
                "heatmap": heatmap(),
                "label": 1,
                "protocol": "patch",
                "baseline": "mean",
                **MEASURED,
            },
        ),
        "evaluate_many": (
            evaluate_many,
            {**asked, "heatmaps": [heatmap()], "label": 1, "protocols": ["token"], **MEASURED},
        ),
        "explorer": (
            mv.explorer,
            {**asked, "label": 1, "method": SETTINGS, "operators": ["sum"], "steps": 2},
        ),
        "mosaic": (
            mv.evaluation.mosaic,
            {"model": vit, "images": [shown] * 4, "shape": (2, 2), "full_size": False},
        ),
        "draw_mosaics": (
            mv.evaluation.draw_mosaics,
            {
                "model": vit,
                "labelled": [(shown, label)],
                "shape": (1, 1),
                "count": 1,
                "least": 0.1,
                "full_size": False,
            },
        ),
        "grid_pointing_game": (
            mv.evaluation.grid_pointing_game,
            {"model": vit, "mosaics": [mosaic()], "method": "rollout"},
        ),
        "grid_pointing": (
            mv.evaluation.grid_pointing,
            {"heatmaps": np.ones((4, 4, 4)), "shape": (2, 2), "centred": False},
        ),
        "pointing_game": (
            mv.evaluation.pointing_game,
            {"heatmap": heatmap(), "mask": np.eye(4, dtype=bool)},
        ),
        "mask_mass": (
            mv.evaluation.mask_mass,
            {"heatmap": heatmap(), "mask": np.eye(4, dtype=bool), "centred": False},
        ),
        "parameter_randomisation": (
            mv.evaluation.parameter_randomisation,
            {**asked, "method": "rise_tokens(budget=9)", **ASKED},
        ),
        "noise_stability": (
            mv.evaluation.noise_stability,
            {**asked, "method": "rise_tokens(budget=9)", "sd": 0.1, "draws": 1, **ASKED},
        ),
        "flip_stability": (
            mv.evaluation.flip_stability,
            {**asked, "method": "rise_tokens(budget=9)", **ASKED},
        ),
        "saco": (
            mv.evaluation.saco,
            {
                **asked,
                "heatmap": heatmap(),
                "label": 1,
                "protocol": "token",
                "groups": 4,
            },
        ),
        "completeness": (
            mv.evaluation.completeness,
            {**asked, "heatmap": heatmap(), "label": 1},
        ),
        "seed_agreement": (
            mv.evaluation.seed_agreement,
            {**asked, "method": "rise_tokens(budget=9)", "seeds": 2, **ASKED},
        ),
        "greedy_ceiling": (
            mv.evaluation.greedy_ceiling,
            {
                **asked,
                "protocol": "token",
                "orders": ["deletion"],
                "label": 1,
                "at_once": 16,
                **MEASURED,
            },
        ),
        "images": (
            images_of,
            {"source": photos(folder / "photos"), "labels": None, "index": [0], "limit": 1},
        ),
        "Study": (
            functools.partial(study, folder),
            {
                "images": photos(folder / "photos"),
                "out": folder / "study",
                "model": "demo-vit",
                "explainers": ["rollout"],
                "protocols": ["token"],
                "steps": 2,
                "seed": 1,
                "target": "predicted",
                "save": [],
                "network_measures": ["density"],
                "chunk": 2,
                "device": "cpu",
                "dtype": "float32",
                "score": "auto",
            },
        ),
        "ablations": (
            mv.ablations,
            {"explainer": "mutex", "leave_out": "statistic", "keep_only": ()},
        ),
        "read_image": (mv.read_image, {"image": photos(folder / "photos") / "0.png"}),
        "Settings.at": (SETTINGS.at, SETTINGS.choices()),
        "Settings": (lambda **given: mv.Settings(**given).resolved(), SETTINGS.choices()),
        "Masks": (
            mv.saliency.Masks,
            {"kept": KEPT, "labels": (("", "", ""),) * 4, "designs": ("a",) * 4, "flips": None},
        ),
        "Curve": (
            mv.evaluation.Curve,
            {
                "fraction": np.array([0.0, 1]),
                "confidence": np.array([0.0, 1]),
                "protocol": "token",
                "quantity": "",
            },
        ),
        "Faithfulness": (
            mv.Faithfulness,
            {"higher": curve(), "lower": curve(), "label": 1, "names": ("insertion", "deletion")},
        ),
        "Mosaic": (
            mv.evaluation.Mosaic,
            {name: getattr(mosaic(), name) for name in ("pixels", "labels", "images", "shape")},
        ),
        "InputError": (mv.InputError, {"message": "a"}),
    }
    return found | methods(folder)


def methods(folder):
    """Return every call of a method."""
    vit, out = model(), folder / "study"
    own = explanation()
    own_network = mv.multiplex(vit, picture())
    fid = mv.Faithfulness(curve(), curve(), 1)
    measured = studied(folder)
    return {
        "VisionModel.activations": (vit.activations, {"tokens": tokens(), "operators": ["mean"]}),
        "VisionModel.attend": (
            vit.attend,
            {"tokens": tokens(), "operators": ["mean"], "prefix": True},
        ),
        "VisionModel.relevance": (
            vit.relevance,
            {"tokens": tokens(), "labels": [1], "rules": "attn_lrp"},
        ),
        "VisionModel.with_score": (vit.with_score, {"score": "raw"}),
        "VisionModel.attend_directly": (
            vit.attend_directly,
            {"tokens": tokens(), "operators": ["mean"]},
        ),
        "VisionModel.attend_relevance": (
            vit.attend_relevance,
            {"tokens": tokens(), "operators": ["mean"], "labels": [1], "rules": "attn_lrp"},
        ),
        "VisionModel.attention_gradients": (
            vit.attention_gradients,
            {"tokens": tokens(), "label": 1},
        ),
        "VisionModel.relevance_edges": (vit.relevance_edges, {"tokens": tokens(), "label": 1}),
        "VisionModel.block_gradients": (vit.block_gradients, {"tokens": tokens(), "label": 1}),
        "VisionModel.token_gradients": (vit.token_gradients, {"tokens": tokens(), "label": 1}),
        "VisionModel.pixel_gradients": (
            vit.pixel_gradients,
            {"pixels": torch.as_tensor(picture()), "label": 1},
        ),
        "VisionModel.classify": (vit.classify, {"pixels": picture(), "batch_size": 2}),
        "VisionModel.embed": (vit.embed, {"pixels": picture()}),
        "VisionModel.grid_of": (vit.grid_of, {"size": (16, 16)}),
        "VisionModel.label_of": (vit.label_of, {"label": 1, "predicted": 0}),
        "VisionModel.picture": (vit.picture, {"image": picture()}),
        "VisionModel.probabilities": (
            vit.probabilities,
            {"tokens": tokens(), "kept": KEPT, "batch_size": 2},
        ),
        "VisionModel.probabilities_of_images": (
            vit.probabilities_of_images,
            {"tokens": tokens(), "kept": [KEPT], "batch_size": 2},
        ),
        "VisionModel.with_module": (vit.with_module, {"module": vit.model, "name": "a"}),
        "Explanation.explore": (
            own.explore,
            {
                "network": own_network,
                "faithfulness": None,
                "classes": [0],
                "measures": ["in_strength"],
                "title": "a",
            },
        ),
        "Explanation.contrast": (own.contrast, {"label": 0, "against": 1}),
        "Explanation.estimate": (own.estimate, {"estimator": "contrast"}),
        "Explanation.for_class": (own.for_class, {"label": 1}),
        "Explanation.load": (mv.Explanation.load, {"path": saved(folder / "own.npz", own)}),
        "Explanation.save": (own.save, {"path": folder / "a.npz"}),
        "Explanation.subset": (
            own.subset,
            {
                "operator": "sum",
                "centrality": "in_strength",
                "statistic": "max",
                "design": "centrality",
                "direction": "in",
            },
        ),
        "Explanation.with_classes": (
            own.with_classes,
            {"model": vit, "image": picture(), "labels": [1, 2]},
        ),
        "Networks.means": (several().means, {"by": "predicted"}),
        "Networks.measures": (several().measures, {"measures": ["edges"]}),
        "Networks.weights": (several().weights, {"layer": 1}),
        "Explanation.with_estimator": (
            estimated(own),
            {"estimator": "contrast"},
        ),
        "a heatmap.load": (
            mv.Explanation.load,
            {"path": saved(folder / "rollout.npz", by_rollout())},
        ),
        "a heatmap.save": (by_rollout().save, {"path": folder / "b.npz"}),
        "Explainer.sign": (mv.EXPLAINERS["mutex"].sign, {"explanation": own}),
        "Masks.of": (mv.saliency.Masks.of, {"kept": KEPT, "design": "random"}),
        "Ranking": (
            mv.Ranking,
            {
                "operators": ("sum",),
                "centralities": ("katz",),
                "statistics": ("max",),
                "min_cut": 0.1,
                "starting_layer": 1,
            },
        ),
        "Settings.narrowed": (SETTINGS.narrowed, {"labels": own.masks.labels}),
        "Target.of": (mv.saliency.Target.of, {"model": vit, "image": picture(), "label": 1}),
        "Target.answer": (
            target().answer,
            {"values": heatmap(), "clean": own.clean, "forward_passes": 1, "backward_passes": 0},
        ),
        "Target.explained": (
            target().explained,
            {"kept": KEPT, "clean": own.clean, "design": "random", "estimator": "coverage"},
        ),
        "Target.explained_class": (target().explained_class, {"clean": own.clean}),
        "Target.prefix_row": (target().prefix_row, {"relevance": torch.zeros(17, 17)}),
        "Masks.select": (own.masks.select, {"chosen": np.ones(len(own.masks), dtype=bool)}),
        "Settings.most_passes": (SETTINGS.most_passes, {"n_tokens": 64}),
        "Explainer": (
            mv.EXPLAINERS["rise_tokens"],
            {"model": vit, "image": picture(), "label": 1, "batch_size": 2},
        ),
        "Explainer.at": (mv.EXPLAINERS["rise_tokens"].at, {"budget": 9, "seed": 1}),
        "Explainer.of": (mv.Explainer.of, {"function": np.mean}),
        "Explainer.passes": (mv.EXPLAINERS["rise_tokens"].passes, {"n_tokens": 64, "n_layers": 3}),
        "Explainer.takes": (mv.EXPLAINERS["rise_tokens"].takes, {"option": "seed"}),
        "Explainer.where_taken": (
            mv.EXPLAINERS["rise_tokens"].where_taken,
            {"budget": 9, "seed": 1},
        ),
        "Faithfulness.early_difference": (fid.early_difference, {"until": 0.3}),
        "Curve.mean_between": (curve().mean_between, {"start": 0.1, "end": 0.6}),
        "Faithfulness.minus": (fid.minus, {"other": fid}),
        "Study.open": (
            mv.Study.open,
            {"out": run(folder, out), "images": photos(folder / "photos")},
        ),
        "Study.run": (
            study(folder).run,
            {
                "workers": 1,
                "client": None,
                "progress": False,
                "retry_failed": False,
                "runner": None,
            },
        ),
        "Study.extended": (measured.extended, {"explainers": ["rollout"], "protocols": "token"}),
        **reports(folder, measured),
    }


def reports(folder, measured):
    """Return every call of a report; its functions have no name at the top."""
    one = {"study": measured, "protocol": "token"}
    values = np.arange(3.0)
    table = pd.DataFrame({"a": values, "b": values + 1})
    return {
        "report.ablate": (
            report.ablate,
            {"study": measured, "leave_out": "statistic", "keep_only": ()},
        ),
        "report.agreement": (report.agreement, {"study": measured, "first": "random_order"}),
        "report.holm": (report.holm, {"p": values / 10}),
        "report.interval": (report.interval, {"values": values, "level": 0.9, "seed": 1}),
        "report.leaderboard": (report.leaderboard, {**one, "against": ["random_order"]}),
        "report.paired": (report.paired, {"values": table, "against": "a"}),
        "report.plot_curves": (report.plot_curves, {**one, "explainers": ["random_order"]}),
        "report.plot_gallery": (
            report.plot_gallery,
            {"study": measured, "explainers": ["random_order"]},
        ),
        "report.plot_passes": (report.plot_passes, one),
        "report.rank_correlation": (report.rank_correlation, {"heatmaps": measured.heatmaps()}),
        "report.display_names": (report.display_names, {"explainers": measured.explainers}),
        "report.summarise": (report.summarise, {"study": measured, "measure": "difference"}),
        "report.write_report": (
            report.write_report,
            {"study": measured, "out": folder / "report", "against": "random_order"},
        ),
    }


@functools.cache
def studied(folder):
    """Return a finished study of an explainer, its variants and a random order."""
    few = mv.EXPLAINERS["mutex"].at(operators="sum", statistics=("max", "min"))
    explainers = mv.ablations(few, leave_out="statistic")
    return study(folder, out=folder / "measured", explainers=explainers).run(progress=False)


def consumed(function):
    return functools.wraps(function)(lambda *args, **options: list(function(*args, **options)))


def estimated(own):
    return lambda **given: own.with_estimator(**given).heatmap


def saved(path, explained):
    explained.save(path)
    return path


@functools.cache
def run(folder, out):
    study(folder, out=out).run(progress=False)
    return out


# What takes no value that could be of a wrong type, and what is tested through another name.
WITHOUT = {"samples", "__version__", "Explainer.name"}
DRAWN = {"Explanation.plot", "Faithfulness.plot"}
MADE_BY_THE_PACKAGE = {"Explanation", "DesignInput", "Networks", "Target"}


def public():
    """Return the names of all public functions, classes and methods of the rooms, with how many parameters each has."""
    found = {}
    rooms = room_members("evaluation", "models", "saliency", "study")
    for name, member in {**top_members(), **rooms}.items():
        home = getattr(member, "__module__", "")
        if (
            not callable(member)
            or isinstance(member, type(mv.EXPLAINERS))
            or not any(f"multiplex_vit.{room}" in home for room in ROOMS)
        ):
            continue
        found[name] = member
        if inspect.isclass(member):
            for own, method in inspect.getmembers(member, callable):
                # What torch gives its modules is torch's own.
                ours = str(getattr(method, "__module__", "")).startswith("multiplex_vit")
                if not own.startswith("_") and ours:
                    found[f"{name}.{own}"] = method
    return found


def takes_something(function):
    parameters = [name for name in inspect.signature(function).parameters if name != "self"]
    return bool(parameters)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("wrong")


@pytest.fixture(scope="module")
def known(folder):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return calls(folder)


def names():
    """Return the names of all calls, without making what they need."""
    listed = [name for name, member in public().items() if takes_something(member)]
    listed += [f"report.{name}" for name in dir(report) if name not in ("Ablation", "Interval")]
    return sorted(
        {*listed, "evaluate_many", "a heatmap.load", "a heatmap.save", "Settings"}
        - WITHOUT
        - DRAWN
        - MADE_BY_THE_PACKAGE
    )


def test_every_public_function_is_called(known):
    assert set(names()) <= set(known)


@pytest.mark.parametrize("name", list(names()))
def test_values_of_wrong_types_are_refused_in_one_line_or_do_what_they_should(
    name, known, tmp_path, monkeypatch
):
    # A text may be the name of a folder, which is then written.
    monkeypatch.chdir(tmp_path)
    function, sensible = known[name]
    function(**sensible)
    faults = []
    for parameter in sensible:
        for kind, value in VALUES.items():
            fault = fault_of(function, {**sensible, parameter: value})
            if fault:
                faults.append(f"{parameter} = {kind}: {fault}")
    assert faults == []


def fault_of(function, given):
    """Return what is wrong with how arguments were met, or None."""
    with warnings.catch_warnings(), ending():
        warnings.simplefilter("ignore")
        try:
            function(**given) if not isinstance(function, mv.Explainer) else function(
                given["model"], given["image"], given["label"], batch_size=given["batch_size"]
            )
        except mv.InputError as error:
            line = str(error)
            return (
                None
                if line and "\n" not in line and "please report" not in line
                else f"an unclear line: {line!r}"
            )
        except Exception as error:
            return f"{type(error).__name__}: {' '.join(str(error).split())[:160]}"
    return None
