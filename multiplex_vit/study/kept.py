"""Explanations out of the masks that a study kept: of the class explained alone, and without a forward pass."""

from typing import TYPE_CHECKING, Any

import numpy as np

from multiplex_vit.errors import InputError
from multiplex_vit.models.score import score_named
from multiplex_vit.registry import name_of
from multiplex_vit.saliency.estimators import ESTIMATORS
from multiplex_vit.saliency.explanation import Explanation
from multiplex_vit.saliency.masks import Masks
from multiplex_vit.study.store import LAST
from multiplex_vit.study.work import Explained

if TYPE_CHECKING:
    from multiplex_vit.study.study import Study

_LABELS = ("operator", "centrality", "statistic")


def explanations(study: "Study", units: set[int] | None = None) -> dict[int, tuple[str, Explained]]:
    """Return each image's hash and explanations, a setting each, by the image's number.

    Raises
    ------
    InputError
        If masks were not kept, or an estimator wants the token graph, which is not.
    """
    if "masks" not in study.plan.save:
        raise InputError(f"{study.out} kept no masks; run the study with save=('heatmaps', 'masks')")
    for name, settings in study.plan.settings:
        if ESTIMATORS.trait(settings.estimator, "needs") == "graph":
            raise InputError(f"setting {name!r} has the estimator {name_of(settings.estimator)}, which needs the token graph; studies keep masks alone")
        if settings.direct_weight:
            raise InputError(f"setting {name!r} has direct_weight {settings.direct_weight}, which needs the direct attribution; studies keep masks alone")
    masks = study.store.arrow("masks", units).to_pandas()
    parts = dict(list(masks.groupby(["number", "setting"], sort=False)))
    found = {}
    for facts in study.store.read(LAST, units).to_dict("records"):
        several = tuple(_explanation(parts[facts["number"], name], facts, settings, study.plan.model) for name, settings in study.plan.settings)
        found[facts["number"]] = (facts["sha256"], Explained(int(facts["explained"]), several))
    return found


def _explanation(rows: Any, facts: dict[str, Any], settings: Any, model: str) -> Explanation:
    grid = (int(facts["grid_rows"]), int(facts["grid_cols"]))
    packed = np.stack([np.frombuffer(bits, dtype=np.uint8) for bits in rows["kept"]])
    kept = np.unpackbits(packed, axis=1, count=grid[0] * grid[1]).astype(bool)
    masks = Masks(kept, tuple(zip(*(rows[name] for name in _LABELS), strict=True)), tuple(rows["design"]))
    return Explanation(
        label=0,
        masks=masks,
        probabilities=rows["confidence"].to_numpy(dtype=np.float32)[:, None],
        clean=np.array([facts["probability"]], dtype=np.float32),
        grid=grid,
        classes=(str(facts["explained_name"]),),
        settings=settings,
        forward_passes=0,
        model=model,
        view=np.zeros((*grid, 3), dtype=np.uint8),
        score=score_named(facts["score"]),
    )
