"""explain: an image in, an Explanation out. multiplex: an image in, its network out."""

import warnings
from dataclasses import replace
from typing import Any, Unpack, overload

import numpy as np

from multiplex_vit.errors import InputError
from multiplex_vit.models.operators import single_head
from multiplex_vit.models.vision_model import VisionModel
from multiplex_vit.network.direction import checked_direction
from multiplex_vit.network.multiplex import Multiplex
from multiplex_vit.registry import name_of
from multiplex_vit.saliency.each import explain_each, picture_of
from multiplex_vit.saliency.explanation import Explanation
from multiplex_vit.saliency.many import explain_many
from multiplex_vit.saliency.masks import Masks
from multiplex_vit.saliency.methods import method_of
from multiplex_vit.saliency.settings import Choices, Named, Settings


@overload
def explain(
    model: VisionModel,
    image: list[Any] | tuple[Any, ...],
    *,
    label: Any = None,
    batch_size: int | str = "auto",
    method: str | None = None,
    settings: Settings | None = None,
    **choices: Unpack[Choices],
) -> list[Explanation]: ...
@overload
def explain(
    model: VisionModel,
    image: Any,
    *,
    label: Any = None,
    batch_size: int | str = "auto",
    method: str | None = None,
    settings: Settings | None = None,
    **choices: Unpack[Choices],
) -> Explanation: ...
def explain(
    model: VisionModel,
    image: Any,
    *,
    label: int | str | None = None,
    batch_size: int | str = "auto",
    method: str | None = None,
    settings: Settings | None = None,
    **choices: Unpack[Choices],
) -> Explanation | list[Explanation]:
    """Explain why a model sees a class in an image (MUTEX, doi:10.1007/s00521-025-11591-x).

    Parameters
    ----------
    model : VisionModel
        From `load`.
    image : path-like, PIL image, uint8 array [row, col, channel], float array or Tensor [1, channel, row, col], or a list of these
        Floats are pixel values that are pre-processed already.
    label : int or str, optional
        Index or name of the class to explain; the predicted class unless given.
    batch_size : int or "auto"
        Most masks a forward pass. Sums of other batches run in another order, which moves
        confidences by up to 1e-6, and heatmaps by as much times the estimator's gain; see `METHODS`.
    method : "mutex" or "multiplex", optional
        Settings by name: the published method ("mutex", unless given), or the better heatmap of as many passes ("multiplex").
    settings : Settings, optional
        All choices at once, in place of a method.
    **choices
        Fields of `Settings` to change, such as min_cut, token_ratio, starting_layer, statistics, design, budget, seed, estimator.

    Returns
    -------
    Explanation, or a list of them for a list of images

    Raises
    ------
    InputError
        If the image, the label or a setting cannot be used.

    Warns
    -----
    UserWarning
        Once for an image some of whose masks keep nothing or everything.

    Examples
    --------
    >>> import multiplex_vit as mv
    >>> ex = mv.explain(mv.load("demo-vit", device="cpu"), mv.samples()["cat"], token_ratio=0.75)
    >>> ex.heatmap.shape, len(ex.masks)
    ((8, 8), 54)
    """
    chosen = _settings(method, settings, choices)
    several = isinstance(image, (list, tuple))
    if several:
        explanations = [each for (each,) in explain_each(model, image, [chosen], label=label, batch_size=batch_size)]
    else:
        explanations = explain_many(model, image, [chosen], label=label, batch_size=batch_size)
    for explanation in explanations:
        _tell(explanation.masks)
    return explanations if several else explanations[0]


def multiplex(
    model: VisionModel,
    image: Any,
    *,
    operator: Named = "sum",
    min_cut: float = 0.01,
    heads: bool = False,
    prefix: bool = False,
    edges: str = "attention",
) -> Multiplex:
    """Turn a forward pass into a multiplex network: a layer a transformer block, a node a patch token.

    Parameters
    ----------
    model : VisionModel
    image : as for `explain`
    operator : str or callable
        How attention is pooled over heads: "min", "max", "sum" or "mean".
    min_cut : float, 0 to 1
        In each layer, edges below this share of the greatest weight are cut.
    heads : bool
        A layer a block and head ("L03H00") instead, block by block; `operator` is not used then.
    prefix : bool
        Prefix tokens (class, distillation, registers) are nodes too, before the patches.
    edges : "attention" or "information"
        Which way edges run: from the token that attends to the one attended to, as in the published
        method, or the other way, as information flows. The weight is the attention paid.

    Returns
    -------
    Multiplex
        weights float32 [layer, source, target].

    Raises
    ------
    InputError
        If the image, the operator, `min_cut` or `edges` cannot be used.

    Examples
    --------
    >>> import multiplex_vit as mv
    >>> model = mv.load("demo-vit", device="cpu")
    >>> mv.multiplex(model, mv.samples()["cat"]).weights.shape
    (6, 64, 64)
    >>> mv.multiplex(model, mv.samples()["cat"], heads=True, prefix=True)
    <Multiplex: 18 layers of 65 nodes (8 x 8 + class), ... edges>
    """
    direction = checked_direction(edges)
    settings = Settings(operators=(operator,), min_cut=min_cut).resolved()
    picture = picture_of(model, image)
    operators: Any = settings.operators
    if heads:
        operators = [single_head(head) for head in range(model.n_heads)]
    attention, clean = model.attend(model.embed(picture.pixels), operators, prefix=prefix)
    predicted = int(clean[0].argmax())
    facts: dict[str, Any] = {"model": model.name, "layers": "block and head" if heads else "block"}
    if not heads:
        facts["operator"] = name_of(operator)
    facts["predicted"] = model.classes[predicted]
    facts["probability"] = float(clean[0, predicted])
    facts["score"] = model.score.quantity
    grid = model.grid_of(picture.pixels.shape[2:])
    net = Multiplex(
        attention[0].transpose(0, 1).flatten(0, 1).float().cpu().numpy(),
        grid,
        provenance=facts,
        prefix=model.prefix if prefix else (),
        **(_heads_of(model) if heads else {}),
    ).prune(settings.min_cut)
    return net if direction == net.edges else net.reverse()


def _heads_of(model: VisionModel) -> dict[str, Any]:
    """Return names, blocks and heads of the layers of a network of heads."""
    layers = [(block, head) for block in range(model.n_layers) for head in range(model.n_heads)]
    return {
        "layer_names": tuple(f"L{block:02d}H{head:02d}" for block, head in layers),
        "blocks": tuple(block for block, _ in layers),
        "heads": tuple(head for _, head in layers),
    }


def _settings(method: str | None, settings: Settings | None, choices: Choices) -> Settings:
    if settings is not None and (choices or method is not None):
        given = [*(["method"] if method is not None else []), *choices]
        raise InputError(f"both settings and {', '.join(given)} were given; change the settings with dataclasses.replace")
    unknown = set(choices) - set(Settings.__dataclass_fields__)
    if unknown:
        raise InputError(f"unknown setting {sorted(unknown)[0]!r}; known: {', '.join(Settings.__dataclass_fields__)}")
    return (settings or replace(method_of(method or "mutex"), **choices)).resolved()


def _tell(masks: Masks) -> None:
    """Warn once of masks that carry no choice."""
    count = masks.kept.sum(1)
    if np.isin(count, (0, masks.kept.shape[1])).any():
        warnings.warn(f"{masks.summary()}; see masks.table()", stacklevel=3)
