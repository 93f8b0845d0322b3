"""mutex and communities: explainers that are settings by name."""

from typing import Any

import numpy as np

from multiplex_vit.models.classifier import Classifier
from multiplex_vit.saliency.batching import picture_of
from multiplex_vit.saliency.explainers.member import Member
from multiplex_vit.saliency.explainers.registry import EXPLAINERS
from multiplex_vit.saliency.explanation import Explanation
from multiplex_vit.saliency.given import GivenNetworks
from multiplex_vit.saliency.masks import Masks
from multiplex_vit.saliency.pipeline import explained
from multiplex_vit.saliency.settings import NAMED, Settings
from multiplex_vit.saliency.warned import warn

_KINDS = {"mutex": "published", "communities": "method"}


def by_settings(
    model: Classifier,
    image: Any,
    label: int | str | None,
    settings: Settings,
    batch_size: int | str = "auto",
    given: GivenNetworks | None = None,
) -> Explanation:
    """Return the explanation of an image by settings; warn of masks that carry no choice."""
    picture = picture_of(model, image)
    settings = settings.resolved()
    if given is not None:
        given.check_grid(model.grid_of(picture.pixels.shape[2:]))
    of_images = explained(model, [picture], [label], [settings], batch_size, given)
    ((explanation,),) = of_images
    warn_of_empty(explanation.masks)
    return explanation


def warn_of_empty(masks: Masks | None) -> None:
    """Warn once of masks that keep nothing or everything."""
    if masks is None:
        return
    count = masks.kept.sum(1)
    if np.isin(count, (0, masks.kept.shape[1])).any():
        warn(f"{masks.summary()}; see masks.table()")


# An explainer of settings is the same function at other settings.
for _name, _settings in NAMED.items():
    EXPLAINERS.add(
        Member(
            _name,
            by_settings,
            _KINDS[_name],
            defaults=_settings.choices(),
            settings=_settings,
        )
    )
