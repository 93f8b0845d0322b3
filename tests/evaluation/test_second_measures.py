"""Measures beside the areas of probabilities: logits, imputation, early areas, NAOPC, SaCo, completeness; each computed another way."""

import itertools

import numpy as np
import pytest
import torch
from fake import PlantedModel

import multiplex_vit as mv
from multiplex_vit.evaluation import Curve, completeness, greedy_ceiling, saco
from multiplex_vit.evaluation.imputation import NOISE, imputed
from multiplex_vit.evaluation.many import evaluate_many

WORTH = np.array([[0.4, 0.05, 0.1], [0.02, 0.2, 0.03]])
IMAGE = np.ones((1, 3, 2, 3), dtype=np.float32)


# --- logits


@pytest.mark.parametrize("protocol", ["token", "patch/black"])
def test_logits_are_followed_as_transformers_gives_them(tiny, pixels, protocol):
    model = tiny("ViT")
    heatmap = np.arange(16.0).reshape(4, 4)
    result = mv.evaluate(model, pixels(), heatmap, label=2, protocol=f"{protocol}/logit", steps=4)
    assert result.quantity == "logit"
    assert result.protocol.startswith(protocol)

    def logit(shown):
        if protocol == "token":
            tokens = model.embed(pixels()).values
            places = [0, *(1 + np.flatnonzero(shown.ravel()))]
            with torch.no_grad():
                hidden = tokens[:, places]
                for block in model.model.vit.layers:
                    hidden = block(hidden)
                last = model.model.vit.layernorm(hidden)[:, 0]
                return model.model.classifier(last)[0, 2].item()
        mean, std = model.normalisation
        black = -(mean / std)[:, None, None]
        painted = np.where(np.kron(shown, np.ones((4, 4), dtype=bool)), pixels()[0], black)
        with torch.no_grad():
            values = torch.tensor(painted[None], dtype=torch.float32)
            return model.model(pixel_values=values).logits[0, 2].item()

    for count, value in zip((0, 4, 8, 12, 16), result.insertion.confidence, strict=True):
        shown = heatmap >= 16 - count
        assert value == pytest.approx(logit(shown), abs=1e-4)
    for count, value in zip((0, 4, 8, 12, 16), result.deletion.confidence, strict=True):
        assert value == pytest.approx(logit(heatmap < 16 - count), abs=1e-4)


def test_a_logit_may_be_asked_for_in_two_ways_and_of_many_heatmaps(tiny, pixels):
    model, order = tiny("ViT"), np.arange(16.0).reshape(4, 4)
    spelled = mv.evaluate(model, pixels(), order, protocol="patch/blur/logit", steps=2)
    given = mv.evaluate(
        model, pixels(), order, protocol="patch", baseline="blur", score="logit", steps=2
    )
    many = evaluate_many(
        model, pixels(), [order, -order], protocols=["token", "patch/blur/logit"], steps=2
    )
    for other in (given, many["patch/blur/logit"][0]):
        assert np.allclose(other.insertion.confidence, spelled.insertion.confidence, atol=1e-5)
        assert other.protocol == spelled.protocol
    assert many["token"][0].quantity == "probability (softmax)"
    with pytest.raises(mv.InputError, match="do not compare"):
        many["token"][0].minus(mv.evaluate(model, pixels(), order, protocol="token/logit", steps=2))
    with pytest.raises(mv.InputError, match="score is 'odds'; give one of 'own', 'logit'"):
        mv.evaluate(model, pixels(), order, score="odds")


# --- imputation


def by_dense_equations(image, shown):
    """Solve for hidden pixels one equation each, written out."""
    n_rows, n_cols = shown.shape
    hidden = [(r, c) for r in range(n_rows) for c in range(n_cols) if not shown[r, c]]
    matrix, constants = np.zeros((len(hidden),) * 2), np.zeros((len(hidden), len(image)))
    for i, (row, col) in enumerate(hidden):
        for down, right in itertools.product((-1, 0, 1), repeat=2):
            near = row + down, col + right
            if (down, right) == (0, 0) or not (0 <= near[0] < n_rows and 0 <= near[1] < n_cols):
                continue
            weight = 1 / 12 if down and right else 1 / 6
            matrix[i, i] += weight
            if shown[near]:
                constants[i] += weight * image[(slice(None), *near)]
            else:
                matrix[i, hidden.index(near)] -= weight
    result = image.copy()
    for (row, col), values in zip(hidden, np.linalg.solve(matrix, constants), strict=True):
        result[:, row, col] = values
    return result


def test_imputed_pixels_solve_the_equations():
    rng = np.random.default_rng(3)
    image, shown = rng.standard_normal((3, 6, 7)), rng.random((6, 7)) < 0.3
    result = imputed(image, shown, 0 * image, seed=5)
    noise = np.random.default_rng(5).standard_normal(image.shape)
    expected = by_dense_equations(image, shown)
    expected[:, ~shown] += NOISE * noise[:, ~shown]
    assert result == pytest.approx(expected, abs=1e-9)
    assert np.array_equal(result[:, shown], image[:, shown])
    assert np.array_equal(imputed(image, np.ones_like(shown), 0 * image), image)
    assert np.array_equal(imputed(image, np.zeros_like(shown), 0 * image), 0 * image)


def test_the_protocol_shows_imputed_images(tiny, pixels):
    model, order = tiny("ViT"), np.arange(16.0).reshape(4, 4)
    result = mv.evaluate(model, pixels(), order, label=1, protocol="patch/impute", steps=4, seed=2)
    image = pixels()[0]
    mean = np.broadcast_to(image.mean((1, 2), keepdims=True), image.shape)
    for count, value in zip((0, 4, 8, 12, 16), result.deletion.confidence, strict=True):
        shown = np.kron(order < 16 - count, np.ones((4, 4), dtype=bool))
        values = imputed(image, shown, mean, seed=2)[None].astype(np.float32)
        assert value == pytest.approx(model.classify(values)[0, 1].item(), abs=1e-6)


# --- areas


def test_means_of_parts_agree_with_fine_sums():
    rng = np.random.default_rng(0)
    curve = Curve(np.linspace(0, 1, 7), rng.random(7), "token")
    for start, end in ((0, 0.1), (0, 0.3), (0.7, 1), (0.25, 0.26), (0, 1)):
        fine = np.linspace(start, end, 200_001)
        expected = np.interp(fine, curve.fraction, curve.confidence).mean()
        assert curve.mean_between(start, end) == pytest.approx(expected, abs=1e-5)
    assert curve.mean_between(0, 1) == pytest.approx(curve.auc)
    with pytest.raises(mv.InputError, match="start is 0.5 and end 0.5; give 0 <= start < end <= 1"):
        curve.mean_between(0.5, 0.5)


def test_an_early_difference_tells_orders_apart_whose_ends_meet():
    """The score is there as long as a third of the worth is: only what goes first matters."""
    model = PlantedModel(WORTH, rule=lambda total: np.minimum(total, 0.3))
    good, bad = (mv.evaluate(model, IMAGE, h, label=0, protocol="token") for h in (WORTH, -WORTH))
    assert good.early_difference(1) == pytest.approx(good.difference)
    assert good.early_difference() == pytest.approx(-bad.early_difference(), abs=1e-6)
    # Taken away one by one, best first: the worth left is 0.8, 0.4, 0.2, 0.1, ...
    left = np.minimum(0.8 - np.cumsum([0, 0.4, 0.2, 0.1, 0.05, 0.03, 0.02]), 0.3)
    from_best = Curve(np.linspace(0, 1, 7), left, "token").mean_between(0, 0.5)
    assert good.early_difference(0.5) == pytest.approx(0.3 - from_best, abs=1e-6)


# --- NAOPC


def test_naopc_has_the_limits_of_all_orders():
    """Of six patches every order is tried; the score is additive, so that greedy search finds the best of them."""
    model = PlantedModel(WORTH)
    ceiling = greedy_ceiling(model, IMAGE, "token", label=0)
    areas = []
    for order in itertools.permutations(range(6)):
        gained = np.append(0, np.cumsum(WORTH.ravel()[list(order)]))
        areas.append(np.trapezoid(gained[-1] - gained, dx=1 / 6))
    for heatmap in (WORTH, -WORTH, np.array([[3.0, 1, 2], [6, 5, 4]])):
        measured = mv.evaluate(model, IMAGE, heatmap, label=0, protocol="token")
        expected = (max(areas) - measured.deletion.auc) / (max(areas) - min(areas))
        assert ceiling.normalised(measured)["deletion"] == pytest.approx(expected, abs=1e-6)
        assert -1e-6 <= ceiling.normalised(measured)["difference"] <= 1 + 1e-6
    assert ceiling.normalised(mv.evaluate(model, IMAGE, WORTH, label=0, protocol="token")) == {
        "insertion": pytest.approx(1),
        "deletion": pytest.approx(1),
        "difference": pytest.approx(1),
    }


def test_naopc_refuses_what_was_measured_otherwise():
    model = PlantedModel(WORTH)
    other = mv.evaluate(model, IMAGE, WORTH, label=0, protocol="patch/black")
    with pytest.raises(mv.InputError, match="do not compare"):
        greedy_ceiling(model, IMAGE, "token", label=0).normalised(other)
    with pytest.raises(mv.InputError, match="search for both curves"):
        greedy_ceiling(model, IMAGE, "token", label=0, orders=["deletion"]).normalised(other)


# --- SaCo


def coefficient(worth, heatmap, n_groups):
    """Return SaCo pair by pair, of a score that is the sum of the worth of what is there."""
    order = sorted(range(worth.size), key=lambda i: (-heatmap.ravel()[i], i))
    groups = [list(part) for part in np.array_split(order, n_groups)]
    salience = [sum(heatmap.ravel()[i] for i in group) for group in groups]
    fall = [sum(worth.ravel()[i] for i in group) for group in groups]
    agreeing = total = 0.0
    for i in range(n_groups):
        for j in range(i + 1, n_groups):
            weight = salience[i] - salience[j]
            agreeing += weight if fall[i] >= fall[j] else -weight
            total += abs(weight)
    return agreeing / total


@pytest.mark.parametrize("n_groups", [2, 3, 4, 6])
@pytest.mark.parametrize("seed", range(4))
def test_saco_agrees_with_pairs_written_out(n_groups, seed):
    heatmap = np.random.default_rng(seed).standard_normal((2, 3))
    found = saco(PlantedModel(WORTH), IMAGE, heatmap, label=0, protocol="token", groups=n_groups)
    assert found == pytest.approx(coefficient(WORTH, heatmap, n_groups), abs=1e-6)


def test_saco_goes_from_minus_one_to_one():
    model = PlantedModel(WORTH)
    for protocol in ("token", "patch/zero"):
        given = {"label": 0, "protocol": protocol, "groups": 6}
        assert saco(model, IMAGE, WORTH, **given) == 1
        assert saco(model, IMAGE, -WORTH, **given) == -1
        assert saco(model, IMAGE, 0 * WORTH, **given) == 0
    with pytest.raises(mv.InputError, match="does not change whole patches"):
        saco(model, IMAGE, WORTH, protocol="tis2023")


# --- completeness


def test_relevance_of_all_tokens_is_complete_without_biases(tiny, pixels):
    model = tiny("Dinov2")
    with torch.no_grad():
        for name, weight in model.model.named_parameters():
            if name.endswith(".bias"):
                weight.zero_()
        logit = model.model(pixel_values=torch.tensor(pixels())).logits[0, 3].item()
    heatmap = mv.explain(model, pixels(), method="cp_lrp", label=3).heatmap
    relevance, _ = model.relevance(model.embed(pixels()), [3], "cp_lrp")
    of_prefix = relevance[0, 0, :1].sum().item()
    found = completeness(model, pixels(), heatmap, label=3)
    assert found["logit"] == pytest.approx(logit, rel=1e-5)
    assert found["sum"] + of_prefix == pytest.approx(logit, rel=1e-4)
    assert found["error"] == pytest.approx(abs(of_prefix / logit), rel=1e-2)


def test_completeness_of_heatmaps_by_hand(tiny, pixels):
    model = tiny("ViT")
    logit = completeness(model, pixels(), np.zeros((4, 4)), label=1)["logit"]
    exact = completeness(model, pixels(), np.full((4, 4), logit / 16), label=1)
    assert exact["error"] == pytest.approx(0, abs=1e-6)
    assert completeness(model, pixels(), np.zeros((4, 4)), label=1)["error"] == 1
