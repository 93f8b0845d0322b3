from itertools import permutations

import numpy as np
import pytest
import torch
from attention_masks import masks_of
from fake import PlantedModel
from scipy import stats

import multiplex_vit as mv
from multiplex_vit.models.randomise import randomised, weights_by_part
from multiplex_vit.saliency.agreement import rank_correlation
from multiplex_vit.saliency.masks import Masks

pytestmark = pytest.mark.filterwarnings("ignore:.*see masks.table")
CAT = mv.samples()["cat"]


def by_worth(model, picture, label=None):
    """An explainer that knows the planted model's answer."""
    return model.worth.reshape(model.grid_of(picture.pixels.shape[2:]))


def by_pixels(model, picture, label=None):
    """An explainer that shows the mean of each patch of pixel values."""
    pixels = picture.pixels[0].mean(0).numpy()
    rows, cols = model.patch
    return pixels.reshape(pixels.shape[0] // rows, rows, -1, cols).mean((1, 3))


# --- precision --------------------------------------------------------------------------------------------------------


IMAGE = np.zeros((1, 1, 4, 4), dtype=np.float32)


class Flat(PlantedModel):
    """Attention that varies over layers by a few of the last bits of float32, so that rounding decides masks there, and not in float64."""

    def __init__(self):
        super().__init__(np.arange(16.0).reshape(4, 4) / 120)
        level = torch.rand(16, 16, generator=torch.Generator().manual_seed(3))
        self.attention = (level * (1 + 1e-6 * self.attention.double())).float()


def kept_in_float64(weights, statistic, direction, min_cut=0.01, token_ratio=0.5):
    """NumPy's own float64 masks of weights [layer, source, target]."""
    weights = np.where(weights < min_cut * weights.max((1, 2), keepdims=True), 0, weights)
    values = weights.sum(1 if direction == "in_strength" else 2)
    share = values / values.sum(0)
    found = {
        "coherence": lambda: -(share * np.log(share)).sum(0),
        "max": lambda: values.max(0),
        "min": lambda: values.min(0),
        "sum": lambda: values.sum(0),
        "std": lambda: values.std(0, ddof=1),
        "sum/std": lambda: values.sum(0) / (values.std(0, ddof=1) + 1e-8),
        "median": lambda: np.sort(values, axis=0)[(len(values) - 1) // 2],
        "skew": lambda: stats.skew(values, axis=0),
        "kurtosis": lambda: stats.kurtosis(values, axis=0),
    }[statistic]()
    return found >= np.sort(found)[int(np.ceil(len(found) * token_ratio)) - 1]


def test_flips_are_those_of_an_independent_computation_in_float64():
    model = Flat()
    masks = mv.saliency.precision_flips(model, IMAGE, mv.Settings(operators=("sum",)))
    weights = model.attention[0, 0].numpy().astype(float)
    expected = [
        (kept != kept_in_float64(weights, statistic, direction)).sum()
        for kept, (_, direction, statistic) in zip(masks.kept, masks.labels, strict=True)
    ]
    assert masks.table()["flips"].tolist() == expected
    assert sum(expected) > 0


def test_flips_go_with_their_masks_and_are_no_column_where_unknown():
    masks = Masks(
        np.eye(2, dtype=bool),
        (("sum", "in_strength", "max"), ("sum", "in_strength", "min")),
        designs=("centrality", "centrality"),
        flips=np.array([0, 2]),
    )
    assert masks.select(np.array([False, True])).table()["flips"].tolist() == [2]
    assert (masks + masks).table()["flips"].tolist() == [0, 2, 0, 2]
    unknown = Masks(masks.kept, masks.labels, masks.designs)
    assert "flips" not in unknown.table()
    assert (masks + unknown).flips is None


def test_masks_told_of_flips_are_those_of_explain(demo_vit):
    settings = mv.Settings(token_ratio=0.7)
    assert np.array_equal(
        mv.saliency.precision_flips(demo_vit, CAT, settings).kept,
        mv.explain(demo_vit, CAT, method=settings).masks.kept,
    )


def test_agreement_counts_the_flips_of_every_mask_and_what_they_do():
    model, settings = Flat(), mv.Settings(operators=("sum",))
    flips = mv.saliency.precision_flips(model, IMAGE, settings).flips
    row = mv.saliency.precision_agreement(model, IMAGE, settings, label=0).iloc[0]
    assert (row["masks"], row["masks_differ"], row["tokens_differ"]) == (
        18,
        (flips > 0).sum(),
        flips.sum(),
    )
    exact = masks_of(model.attention[0].double(), settings).kept
    confidence = exact @ model.worth.ravel()
    heatmap = (exact * confidence[:, None]).sum(0) / exact.sum(0).clip(min=1)
    own = mv.explain(model, IMAGE, method=settings, label=0).heatmap
    assert row["max_difference"] == pytest.approx(
        np.abs(heatmap.reshape(4, 4) - own).max(), abs=1e-6
    )
    assert row["max_difference"] > 0
    assert row["correlation"] == pytest.approx(stats.spearmanr(heatmap, own.ravel()).statistic)


def test_agreement_with_another_device(demo_vit):
    table = mv.saliency.precision_agreement(
        demo_vit,
        CAT,
        mv.EXPLAINERS["communities"].settings,
        label="dog",
        other=mv.load("demo-vit", device="cpu"),
    )
    assert table["compared"].tolist() == ["float64", "cpu"]
    assert table.loc[
        1, ["masks_differ", "tokens_differ", "correlation", "max_difference"]
    ].tolist() == pytest.approx([0, 0, 1, 0])


def test_rank_correlation_by_hand():
    assert rank_correlation(
        np.array([[1, 2], [3, 4]]), np.array([[-1, -2], [-3, -4]])
    ) == pytest.approx(-1)
    assert np.isnan(rank_correlation(np.ones((2, 2)), np.ones((2, 2))))
    with pytest.raises(mv.InputError, match=r"shapes \[1, 2\] and \[2, 1\]"):
        rank_correlation(np.ones((1, 2)), np.ones((2, 1)))


# --- randomisation ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["ViT", "DeiT", "Dinov2", "Dinov2WithRegisters"])
def test_randomising_leaves_the_model_untouched_and_goes_part_by_part(tiny, kind):
    model = tiny(kind)
    before = {name: weight.clone() for name, weight in model.model.state_dict().items()}
    state = torch.random.get_rng_state()
    copies = list(randomised(model, seed=1))
    assert torch.equal(torch.random.get_rng_state(), state)
    assert all(
        torch.equal(weight, before[name]) for name, weight in model.model.state_dict().items()
    )
    parts = weights_by_part(model)
    assert (
        [part for part, _ in copies]
        == list(parts)
        == ["head", "block 2", "block 1", "block 0", "embeddings"]
    )
    assert sorted(name for names in parts.values() for name in names) == sorted(
        name for name, _ in model.model.named_parameters()
    )
    for done, (_, copy) in enumerate(copies, start=1):
        weights = dict(copy.model.named_parameters())
        for place, names in enumerate(parts.values()):
            changed = [not torch.equal(weights[name], before[name]) for name in names]
            assert all(changed) if place < done else not any(changed)


def test_randomised_weights_follow_the_seed_and_share_no_memory(tiny):
    model = tiny("ViT")
    first, again, other = ([copy for _, copy in randomised(model, seed)] for seed in (1, 1, 2))
    name = "classifier.weight"
    weights = [dict(copies[0].model.named_parameters())[name] for copies in (first, again, other)]
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])
    pointers = [copy.model.get_parameter(name).data_ptr() for copy in first] + [
        model.model.get_parameter(name).data_ptr()
    ]
    assert len(set(pointers)) == len(pointers)


def test_randomised_copies_keep_dtype_processor_and_type_of_passes(demo_vit):
    model = mv.VisionModel(demo_vit.model, demo_vit.processor, mask_dtype=torch.bfloat16)
    _, copy = next(randomised(model))
    assert (copy.dtype, copy.mask_model.dtype, copy.processor) == (
        torch.float32,
        torch.bfloat16,
        model.processor,
    )


def test_an_explainer_that_ignores_the_model_stays_as_it_is(demo_vit):
    table = mv.evaluation.parameter_randomisation(demo_vit, CAT, "centre_prior")
    assert table["correlation"].to_numpy() == pytest.approx(np.ones(8 + 1))
    assert table["correlation_absolute"].to_numpy() == pytest.approx(np.ones(8 + 1))
    assert table["probability"].iloc[0] > 0.5 > table["probability"].iloc[-1]


def test_raw_attention_changes_with_the_blocks_but_not_with_the_head(demo_vit):
    table = mv.evaluation.parameter_randomisation(demo_vit, CAT, "raw_attention").set_index(
        "stage"
    )["correlation"]
    assert table[["none", "head"]].tolist() == pytest.approx([1, 1])
    assert abs(table["embeddings"]) < 0.5


def test_randomisation_asks_for_one_class_and_can_be_run_again(demo_vit):
    asked = []

    def telling(model, image, label=None):
        asked.append((model.name, label))
        return mv.EXPLAINERS["generic_attention"](model, image, label)

    first, again = (
        mv.evaluation.parameter_randomisation(demo_vit, CAT, telling, label="dog", seed=3)
        for _ in range(2)
    )
    assert {label for _, label in asked} == {5}
    assert asked[0][0] == "demo-vit"
    assert first.equals(again)


# --- stability --------------------------------------------------------------------------------------------------------


def test_noise_has_the_standard_deviation_asked_for_and_the_class_stays():
    model, seen = PlantedModel(np.arange(64.0).reshape(8, 8) / 4000, patch=(4, 4)), []
    image = np.zeros((1, 3, 32, 32), dtype=np.float32)

    def telling(model, picture, label=None):
        seen.append((picture.pixels.numpy(), label))
        return by_worth(model, picture)

    table = mv.evaluation.noise_stability(model, image, telling, sd=0.1, draws=2, label=1, seed=5)
    assert table[["method", "sd", "draw"]].values.tolist() == [
        ["telling", 0.1, 0],
        ["telling", 0.1, 1],
    ]
    assert table["correlation"].to_numpy() == pytest.approx(np.ones(2))
    assert [np.std(pixels) for pixels, _ in seen] == pytest.approx(
        [0, 0.2, 0.2], rel=0.05
    )  # the processor's standard deviation is 0.5
    assert {label for _, label in seen} == {1}
    assert not np.array_equal(seen[1][0], seen[2][0])


def test_noise_correlation_is_that_of_the_heatmaps():
    model, image = (
        PlantedModel(np.zeros((4, 4))),
        np.linspace(0, 1, 16, dtype=np.float32).reshape(1, 1, 4, 4),
    )
    noise = 0.3 / 0.5 * np.random.default_rng(0).standard_normal((1, 1, 4, 4))
    expected = stats.spearmanr(image.ravel(), (image + noise).astype(np.float32).ravel()).statistic
    assert mv.evaluation.noise_stability(model, image, by_pixels, sd=0.3, draws=1)[
        "correlation"
    ].item() == pytest.approx(expected)


def test_a_mirrored_heatmap_is_mirrored_back():
    image = np.random.default_rng(0).random((1, 3, 8, 12)).astype(np.float32)
    model = PlantedModel(np.random.default_rng(1).random((2, 3)), patch=(4, 4))
    assert mv.evaluation.flip_stability(model, image, by_pixels)[
        "correlation"
    ].item() == pytest.approx(1)
    expected = stats.spearmanr(model.worth.ravel(), model.worth[:, ::-1].ravel()).statistic
    assert mv.evaluation.flip_stability(model, image, by_worth)[
        "correlation"
    ].item() == pytest.approx(expected)


def test_a_mirror_that_does_not_map_patches_to_patches_is_refused(tiny, pixels):
    with pytest.raises(
        mv.InputError,
        match="22 pixels wide, which is not whole patches of 4; give one that is 20 wide",
    ):
        mv.evaluation.flip_stability(tiny("Dinov2"), pixels(12, 22), "raw_attention")


def test_the_prediction_of_the_mirrored_image_is_told():
    model = PlantedModel([[1.0, 0.0]])
    image = np.array([[[[1.0, 0.1]]]], dtype=np.float32)
    assert not mv.evaluation.flip_stability(model, image, by_worth)["same_class"].item()
    assert mv.evaluation.flip_stability(model, image, by_worth, label=1)["same_class"].item()


def test_seeds_that_draw_are_compared_in_pairs(demo_vit):
    table = mv.evaluation.seed_agreement(demo_vit, CAT, "rise_tokens(budget=20)", seeds=3, seed=7)
    heatmaps = [
        mv.EXPLAINERS["rise_tokens"].at(budget=20, seed=seed)(demo_vit, CAT).heatmap.ravel()
        for seed in (7, 8, 9)
    ]
    pairs = [
        stats.spearmanr(heatmaps[a], heatmaps[b]).statistic for a, b in ((0, 1), (0, 2), (1, 2))
    ]
    assert table.values.tolist() == [
        [
            "rise_tokens(budget=20)",
            3,
            False,
            pytest.approx(np.mean(pairs)),
            pytest.approx(min(pairs)),
        ]
    ]


def test_what_takes_no_seed_is_run_once_and_what_does_not_use_it_twice(fake, demo_vit):
    ran = []

    def telling(model, picture, label=None):
        ran.append(label)
        return by_worth(model, picture)

    image = np.zeros((1, 1, 2, 3), dtype=np.float32)
    assert mv.evaluation.seed_agreement(fake, image, telling).values.tolist() == [
        ["telling", 1, True, 1.0, 1.0]
    ]
    assert ran == [0]
    assert mv.evaluation.seed_agreement(demo_vit, CAT, "mutex").values.tolist() == [
        ["mutex", 2, True, 1.0, 1.0]
    ]


@pytest.mark.parametrize(
    "check",
    [
        mv.evaluation.parameter_randomisation,
        mv.evaluation.noise_stability,
        mv.evaluation.flip_stability,
        mv.evaluation.seed_agreement,
    ],
)
def test_what_is_asked_wrongly_is_told(demo_vit, check):
    with pytest.raises(mv.InputError, match="unknown explainer 'mutx'"):
        check(demo_vit, CAT, "mutx")
    with pytest.raises(TypeError, match="bugdet"):
        check(demo_vit, CAT, "mutex", bugdet=3)
    with pytest.raises(mv.InputError, match="label 'unicorn'"):
        check(demo_vit, CAT, "mutex", label="unicorn")
    with pytest.raises(mv.InputError, match="model is the text"):
        check("demo-vit", CAT, "mutex")


@pytest.mark.parametrize("options", [{"sd": 0}, {"draws": 0}])
def test_noise_of_no_size_is_refused(fake, options):
    with pytest.raises(mv.InputError, match="give a"):
        mv.evaluation.noise_stability(
            fake, np.zeros((1, 1, 2, 3), dtype=np.float32), by_worth, **options
        )


# --- the greedy ceiling -----------------------------------------------------------------------------------------------

RULES = {
    "linear": lambda total: total,
    "steep": lambda total: total**3,
    "early": lambda total: np.sqrt(np.maximum(total, 0)),
}


@pytest.mark.parametrize("protocol", ["token", "patch/zero"])
@pytest.mark.parametrize("rule", RULES)
def test_the_greedy_ceiling_is_the_best_of_all_orders(protocol, rule):
    model = PlantedModel([[0.1, 0.4], [0.3, 0.2]], rule=RULES[rule])
    image, (name, _, baseline) = np.ones((1, 1, 2, 2), dtype=np.float32), protocol.partition("/")
    options = {"protocol": name, **({"baseline": baseline} if baseline else {})}
    every = [
        mv.evaluate(model, image, np.reshape(order, (2, 2)), label=0, **options)
        for order in permutations(range(4))
    ]
    found = mv.evaluation.greedy_ceiling(model, image, protocol, label=0)
    table = found.table().set_index("order")
    assert table.loc["insertion", "insertion"] == pytest.approx(
        max(fid.insertion.auc for fid in every), abs=1e-6
    )
    assert table.loc["deletion", "deletion"] == pytest.approx(
        min(fid.deletion.auc for fid in every), abs=1e-6
    )
    assert table.loc["difference", "difference"] == pytest.approx(
        max(fid.difference for fid in every), abs=1e-6
    )
    assert {name: order.tolist() for name, order in found.orders.items()} == {
        name: [1, 2, 3, 0] for name in ("insertion", "deletion", "difference")
    }
    assert found.heatmap("deletion").tolist() == [[0, 3], [2, 1]]


def test_the_best_insertion_and_the_best_deletion_can_need_different_orders():
    """Either of the first two tokens is worth 0.4, both no more than one; the third is worth little alone, and the fourth only beside it."""

    def rule(kept):
        a, b, c, d = np.asarray(kept, dtype=float).T
        return 0.4 * np.maximum(a, b) + 0.3 * c * d + 0.05 * c

    model = PlantedModel(np.zeros((2, 2)))
    model.probabilities = lambda tokens, kept, *, batch_size="auto": torch.tensor(
        np.stack([rule(kept), 1 - rule(kept)], 1), dtype=torch.float32
    )
    image = np.ones((1, 1, 2, 2), dtype=np.float32)
    every = [
        mv.evaluate(model, image, np.reshape(order, (2, 2)), label=0, protocol="token")
        for order in permutations(range(4))
    ]
    found = mv.evaluation.greedy_ceiling(model, image, "token", label=0)
    assert found.orders["insertion"].tolist() == [0, 2, 3, 1]
    assert found.orders["deletion"].tolist() == [2, 0, 1, 3]
    last = found.table().iloc[-1]
    assert last["order"] == "insertion, deletion"
    assert last["insertion"] == pytest.approx(max(fid.insertion.auc for fid in every), abs=1e-6)
    assert last["deletion"] == pytest.approx(min(fid.deletion.auc for fid in every), abs=1e-6)
    assert last["difference"] > max(fid.difference for fid in every) + 0.01


def test_passes_of_the_ceiling_are_those_that_the_model_ran():
    model = PlantedModel(np.random.default_rng(0).random((3, 4)) / 12)
    found = mv.evaluation.greedy_ceiling(
        model, np.ones((1, 1, 3, 4), dtype=np.float32), "token", orders="insertion", label=0
    )
    assert found.passes == model.sequences
    n_search, n_deletion = 12 * 13 // 2, 10
    assert (
        found.passes == n_search + 1 + n_deletion
    )  # the empty set too; of the eleven sets without the best ones, the last is a single one, seen before
    assert found.table()["order"].tolist() == ["insertion"]


def test_several_patches_at_once_take_fewer_passes():
    model, image = (
        PlantedModel(np.arange(12.0).reshape(3, 4) / 66),
        np.ones((1, 1, 3, 4), dtype=np.float32),
    )
    found = mv.evaluation.greedy_ceiling(
        model, image, "token", orders=["deletion"], label=0, at_once=5, steps=3
    )
    assert found.orders["deletion"].tolist() == list(range(12))[::-1]
    assert found.passes < 12 + 7 + 2 + 8


def test_the_ceiling_of_a_real_model_lies_above_its_heatmaps(demo_vit):
    found = mv.evaluation.greedy_ceiling(
        demo_vit, CAT, "token", orders=["difference"], at_once=8, steps=8
    )
    own = mv.evaluate(demo_vit, CAT, mv.explain(demo_vit, CAT).heatmap, protocol="token", steps=8)
    assert found.faithfulness["difference"].minus(own) > 0


def test_a_search_that_cannot_be_made_is_refused(fake):
    image = np.zeros((1, 1, 2, 3), dtype=np.float32)
    with pytest.raises(mv.InputError, match="protocol 'tis2023' does not change whole patches"):
        mv.evaluation.greedy_ceiling(fake, image, "tis2023")
    with pytest.raises(mv.InputError, match="give some of insertion, deletion, difference"):
        mv.evaluation.greedy_ceiling(fake, image, orders=["insert"])
    with pytest.raises(
        mv.InputError, match="no order was searched for 'deletion'; there are insertion"
    ):
        mv.evaluation.greedy_ceiling(fake, image, orders=["insertion"]).heatmap("deletion")
    with pytest.raises(mv.InputError, match="at_once is 0"):
        mv.evaluation.greedy_ceiling(fake, image, at_once=0)
