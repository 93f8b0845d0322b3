"""Several settings of one image: what explain gives one by one, in fewer passes."""

import warnings

import numpy as np
import pytest

import multiplex_vit as mv
from multiplex_vit.errors import InputError
from multiplex_vit.saliency.shared import shared_passes

warnings.filterwarnings("ignore", message=".*see masks.table")
CAT = mv.samples()["cat"]
SWEEP = [
    mv.Settings(min_cut=cut, token_ratio=ratio) for cut in (0.01, 0.1) for ratio in (0.3, 0.5, 0.7)
]
MIXTURE = [
    mv.Settings(),
    mv.Settings(
        operators=("sum", "mean"), centralities=("pagerank", "in_strength"), statistics=("max",)
    ),
    mv.Settings(starting_layer=3),
    mv.EXPLAINERS["communities"].settings.at(budget=20),
    mv.Settings(design="random", budget=12, seed=4),
    mv.Settings(estimator="contrast"),
    mv.Settings(estimator="graph"),
]


class Counted:
    """A model that counts the masks it is given."""

    def __init__(self, model):
        self.model, self.masks, self.attentions = model, 0, 0

    def __getattr__(self, name):
        return getattr(self.model, name)

    def attend(self, *args, **options):
        self.attentions += 1
        return self.model.attend(*args, **options)

    def attend_directly(self, *args, **options):
        self.attentions += 1
        return self.model.attend_directly(*args, **options)

    def attend_relevance(self, *args, **options):
        self.attentions += 1
        return self.model.attend_relevance(*args, **options)

    def probabilities(self, tokens, kept, **options):
        self.masks += len(kept)
        return self.model.probabilities(tokens, kept, **options)


@pytest.mark.parametrize("settings", [SWEEP, MIXTURE], ids=["sweep", "mixture"])
def test_every_explanation_is_that_of_explain(demo_vit, settings):
    for together, each in zip(mv.explain_many(demo_vit, CAT, settings), settings, strict=True):
        alone = mv.explain(demo_vit, CAT, method=each)
        assert (together.masks.kept == alone.masks.kept).all()
        assert together.masks.labels == alone.masks.labels
        assert together.forward_passes == alone.forward_passes
        assert together.settings == each
        np.testing.assert_allclose(together.probabilities, alone.probabilities, atol=2e-6)
        np.testing.assert_allclose(together.heatmap, alone.heatmap, atol=2e-5)


def test_the_union_of_masks_runs_once(demo_vit):
    model = Counted(demo_vit)
    explanations = mv.explain_many(model, CAT, SWEEP)
    distinct = {row.tobytes() for ex in explanations for row in ex.masks.kept}
    assert (model.attentions, model.masks) == (1, len(distinct))
    passes = shared_passes(explanations)
    assert passes.run == len(distinct) + 1 < sum(ex.forward_passes for ex in explanations)
    assert passes.naive == 6 * 55


def test_settings_that_only_weigh_otherwise_run_nothing_more(demo_vit):
    model = Counted(demo_vit)
    explanations = mv.explain_many(
        model,
        CAT,
        [mv.Settings(), mv.Settings(estimator="contrast"), mv.Settings(estimator="graph")],
    )
    assert model.masks == explanations[0].forward_passes - 1
    assert not np.allclose(explanations[0].heatmap, explanations[1].heatmap)


def test_the_fake_models_heatmap_is_known(fake):
    first, second = mv.explain_many(
        fake,
        np.zeros((1, 3, 2, 3), dtype=np.float32),
        [mv.Settings(), mv.Settings(token_ratio=0.75)],
        label=0,
    )
    for ex in (first, second):
        np.testing.assert_allclose(
            ex.probabilities[:, 0], 0.1 + ex.masks.kept @ fake.worth, atol=1e-6
        )


def test_no_settings_and_an_unknown_name_are_told(fake):
    with pytest.raises(InputError, match="no explainer was given"):
        mv.explain_many(fake, np.zeros((1, 3, 2, 3)), [])
    with pytest.raises(InputError, match="unknown statistic 'mux'"):
        mv.explain_many(fake, np.zeros((1, 3, 2, 3)), [mv.Settings(statistics=("mux",))])
