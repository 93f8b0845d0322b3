"""Every public function that takes a model takes a VisionModel, and says in one line what to give where it is something else."""

import inspect

import numpy as np
import pytest
import torch
from public import room_members

import multiplex_vit as mv
from multiplex_vit.evaluation.many import evaluate_many
from multiplex_vit.evaluation.mosaics import Mosaic
from multiplex_vit.models.randomise import randomised, weights_by_part

CAT = mv.samples()["cat"]
MOSAIC = Mosaic(np.zeros((1, 3, 32, 32), dtype=np.float32), (3, 4, 5, 6), (0, 0, 0, 0))
HEATMAP = np.arange(64.0).reshape(8, 8)


def calls(explanation):
    """Return, for each public function with a parameter `model`, a call of it that is right but for the model."""
    return {
        "explain": lambda model: mv.explain(model, CAT),
        "multiplex": lambda model: mv.multiplex(model, CAT),
        "networks": lambda model: mv.networks(model, [CAT]),
        "explain_many": lambda model: mv.explain_many(model, CAT, [mv.Settings()]),
        "explain_each": lambda model: mv.explain_each(model, [CAT], [mv.Settings()]),
        "evaluate": lambda model: mv.evaluate(model, CAT, HEATMAP, steps=2),
        "explorer": lambda model: mv.explorer(model, CAT, method="centre_prior", steps=None),
        "saco": lambda model: mv.evaluation.saco(model, CAT, HEATMAP),
        "completeness": lambda model: mv.evaluation.completeness(model, CAT, HEATMAP),
        "mosaic": lambda model: mv.evaluation.mosaic(model, [CAT] * 4),
        "draw_mosaics": lambda model: mv.evaluation.draw_mosaics(
            model, [(CAT, 3)], shape=(1, 1), count=1, least=0.1
        ),
        "grid_pointing_game": lambda model: mv.evaluation.grid_pointing_game(
            model, [MOSAIC], "centre_prior"
        ),
        "precision_flips": lambda model: mv.saliency.precision_flips(model, CAT),
        "precision_agreement": lambda model: mv.saliency.precision_agreement(model, CAT),
        "parameter_randomisation": lambda model: mv.evaluation.parameter_randomisation(
            model, CAT, "centre_prior"
        ),
        "noise_stability": lambda model: mv.evaluation.noise_stability(model, CAT, "centre_prior"),
        "flip_stability": lambda model: mv.evaluation.flip_stability(model, CAT, "centre_prior"),
        "seed_agreement": lambda model: mv.evaluation.seed_agreement(model, CAT, "centre_prior"),
        "greedy_ceiling": lambda model: mv.evaluation.greedy_ceiling(
            model, CAT, orders=["deletion"], at_once=32, steps=2
        ),
    }


INSIDE = {
    "evaluate_many": lambda model: evaluate_many(
        model, CAT, [HEATMAP], protocols=["token"], steps=2
    ),
    "precision_agreement, other": lambda model: mv.saliency.precision_agreement(
        mv.load("demo-vit", device="cpu"), CAT, other=model
    ),
    "weights_by_part": weights_by_part,
    "randomised": lambda model: next(randomised(model)),
}
NAMES = sorted(calls(None))


@pytest.fixture(scope="session")
def explanation(demo_vit):
    return mv.explain(demo_vit, CAT)


@pytest.fixture(params=["module", "text", "nothing", "class"])
def no_model(request, demo_vit):
    return {"module": demo_vit.model, "text": "demo-vit", "nothing": None, "class": mv.VisionModel}[
        request.param
    ]


def refused(call, model):
    with pytest.raises(
        mv.InputError,
        match=r"give what multiplex_vit\.load returns, or VisionModel\(module, processor\)",
    ) as caught:
        call(model)
    assert "\n" not in str(caught.value)


def test_every_function_that_takes_a_model_is_tested_here():
    functions = {
        name
        for name, each in room_members().items()
        if inspect.isfunction(each) and "model" in inspect.signature(each).parameters
    }
    assert functions == set(NAMES)


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_functions_take_a_vision_model(demo_vit, explanation, name):
    assert calls(explanation)[name](demo_vit) is not None


@pytest.mark.parametrize("name", [*NAMES, *INSIDE])
def test_functions_refuse_anything_else(explanation, no_model, name):
    if no_model is None and name in ("ablate", "precision_agreement, other"):
        pytest.skip("nothing is what stands there unless something is given")
    refused({**calls(explanation), **INSIDE}[name], no_model)


@pytest.mark.parametrize("name", mv.EXPLAINERS)
def test_rivals_refuse_anything_else(no_model, name):
    refused(lambda model: mv.EXPLAINERS[name](model, CAT), no_model)


def test_a_study_refuses_a_bare_module(demo_vit, tmp_path):
    refused(
        lambda model: mv.Study(images=[CAT], out=tmp_path / "study", model=model), demo_vit.model
    )
    assert not (tmp_path / "study").exists()


def test_loading_what_is_loaded_names_the_call_to_make(demo_vit):
    for given in (demo_vit.model, torch.nn.DataParallel(demo_vit.model), demo_vit):
        with pytest.raises(
            mv.InputError,
            match=r"load takes a name or a folder, not the \w+ itself; give wrap\(module, processor\) for a module in memory",
        ):
            mv.load(given)
    with pytest.raises(mv.InputError, match="the model's name is None"):
        mv.load(None)


def test_a_vision_model_of_what_is_no_module(demo_vit):
    class Trainer:
        model = demo_vit.model

    for given, message in (
        ("demo-vit", r"give multiplex_vit\.load\('demo-vit'\)"),
        (demo_vit, "is a VisionModel already"),
        (
            Trainer(),
            r"the model is Trainer, which holds one; give VisionModel\(model\.model, processor\)",
        ),
        (3, "the model is int; give a transformers image classifier"),
    ):
        with pytest.raises(mv.InputError, match=message):
            mv.VisionModel(given)
