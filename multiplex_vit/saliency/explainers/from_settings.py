"""mutex and communities: explainers that are settings by name."""

import inspect
import warnings
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
        line = f"{masks.summary()}; see masks.table()"
        warnings.warn(line, stacklevel=_caller_level())


def _caller_level() -> int:
    """Return the stack level, for `warn_of_empty`, of the line outside this package."""
    # How many calls lie between depends on the way in: explain, an explainer, a study.
    frame, level = inspect.currentframe(), 0
    while frame is not None:
        module = frame.f_globals.get("__name__", "")
        if not module.startswith("multiplex_vit."):
            break
        frame, level = frame.f_back, level + 1
    return level


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
