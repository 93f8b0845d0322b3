"""mutex and communities: explainers that are settings by name."""

import warnings
from dataclasses import fields
from typing import Any

import numpy as np

from multiplex_vit.saliency.explainers.member import Member
from multiplex_vit.saliency.explainers.registry import EXPLAINERS
from multiplex_vit.saliency.explanation import Explanation
from multiplex_vit.saliency.many import explain_many
from multiplex_vit.saliency.masks import Masks
from multiplex_vit.saliency.settings import Settings

PUBLISHED = Settings()
"""The published method (MUTEX, doi:10.1007/s00521-025-11591-x).

How far rounding reaches: float32 confidences differ by up to e = 1e-6 between batch sizes and
processors. A heatmap of "mutex" is a mean of them, and moves by at most e.
"""

COMMUNITIES = Settings(
    numerics="stable",
    design="occlusion",
    estimator="graph",
    smoothness=0.03,
    direct_weight=0.3,
)
"""The best heatmap found for as many passes (analysis/tune_communities.py).

What the model misses without each community of the token graph, and beside it what each token
writes to the class token itself.

How far rounding reaches: a heatmap is an estimate in its standard deviations. The estimate is
linear in the confidences with a gain g (about 3: the greatest sum of its slopes), so that a value z
of the heatmap moves by at most e g (2 + |z|) / s, where e is how far confidences differ (see
`PUBLISHED`) and s is the standard deviation of the estimate. That is 1e-3 for s = .02, and 3e-5
were seen; up to 2e-4 were seen where a model is so sure that s is 2e-4. Values lie about 7 apart.
"""


def by_settings(
    model: Any,
    image: Any,
    label: int | str | None,
    settings: Settings,
    batch_size: int | str = "auto",
) -> Explanation:
    """Return the explanation of an image by settings; warn of masks that carry no choice."""
    explanation = explain_many(model, image, [settings], label=label, batch_size=batch_size)[0]
    warn_of_empty(explanation.masks)
    return explanation


def warn_of_empty(masks: Masks) -> None:
    """Warn once of masks that keep nothing or everything."""
    count = masks.kept.sum(1)
    if np.isin(count, (0, masks.kept.shape[1])).any():
        warnings.warn(f"{masks.summary()}; see masks.table()", stacklevel=4)


def _add(name: str, settings: Settings, kind: str) -> None:
    defaults = {setting.name: getattr(settings, setting.name) for setting in fields(Settings)}
    EXPLAINERS.add(
        Member(
            name,
            by_settings,
            kind,
            defaults=defaults,
            settings=settings,
        )
    )


_add("mutex", PUBLISHED, "published")
_add("communities", COMMUNITIES, "method")
