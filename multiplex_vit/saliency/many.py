"""explain_many: an image explained by several settings, what they share computed once."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from multiplex_vit.arguments import checked
from multiplex_vit.models.vision_model import VisionModel
from multiplex_vit.saliency.each import explained, picture_of, resolved
from multiplex_vit.saliency.explanation import Explanation
from multiplex_vit.saliency.settings import Settings


@dataclass(frozen=True)
class Passes:
    """How many sequences a model classified for several explanations of one image.

    Attributes
    ----------
    run : int
        Together: the whole image, and each distinct mask once.
    naive : int
        By a script that runs the image and every mask anew for each explanation.
    """

    run: int
    naive: int


@checked
def explain_many(
    model: VisionModel, image: Any, settings: Iterable[Settings], *, label: int | str | None = None, batch_size: int | str = "auto"
) -> list[Explanation]:
    """Explain an image by several settings: one attention pass for them all, and each distinct mask of their union once.

    Parameters
    ----------
    model : VisionModel
    image : as for `explain`
    settings : iterable of Settings
    label : int or str, optional
        Index or name of the class to explain; the predicted class unless given.
    batch_size : int or "auto"
        Most masks a forward pass.

    Returns
    -------
    list of Explanation
        In the settings' order, each as `explain` gives it; `shared_passes` counts what they took together.

    Raises
    ------
    InputError
        If the image, the label or a setting cannot be used.

    Examples
    --------
    >>> import multiplex_vit as mv
    >>> model = mv.load("demo-vit", device="cpu")
    >>> both = mv.explain_many(model, mv.samples()["cat"], [mv.Settings(), mv.Settings(statistics=("max", "min"))])
    >>> [len(ex.masks) for ex in both], shared_passes(both).run == both[0].forward_passes
    ([54, 12], True)
    """
    chosen = resolved(settings)
    return explained(model, [picture_of(model, image)], [label], chosen, batch_size)[0]


def shared_passes(explanations: Sequence[Explanation]) -> Passes:
    """Return how many forward passes explanations of one image take together, and how many without sharing.

    Examples
    --------
    >>> import multiplex_vit as mv
    >>> ex = mv.explain(mv.load("demo-vit", device="cpu"), mv.samples()["cat"])
    >>> shared_passes([ex, ex.subset(statistic="max")]).naive
    62
    """
    distinct = {row.tobytes() for ex in explanations for row in ex.masks.kept}
    return Passes(len(distinct) + 1, sum(len(ex.masks) + 1 for ex in explanations))
