"""explain: an image in, an Explanation out. multiplex: an image in, its network out."""

from collections.abc import Callable
from typing import Any, Unpack, overload

from multiplex_vit.arguments import checked
from multiplex_vit.models.operators import single_head
from multiplex_vit.models.vision_model import VisionModel
from multiplex_vit.network.direction import checked_direction
from multiplex_vit.network.multiplex import Multiplex
from multiplex_vit.registry import name_of
from multiplex_vit.saliency.each import explain_each, labels_of, picture_of
from multiplex_vit.saliency.explainers import EXPLAINERS, Explainer
from multiplex_vit.saliency.explainers.from_settings import warn_of_empty
from multiplex_vit.saliency.settings import Choices, Named, Settings


@overload
def explain(
    model: VisionModel,
    image: list[Any] | tuple[Any, ...],
    *,
    method: str | Explainer | Settings | Callable[..., Any] = "mutex",
    label: Any = None,
    batch_size: int | str = "auto",
    **options: Unpack[Choices],
) -> list[Any]: ...
@overload
def explain(
    model: VisionModel,
    image: Any,
    *,
    method: str | Explainer | Settings | Callable[..., Any] = "mutex",
    label: Any = None,
    batch_size: int | str = "auto",
    **options: Unpack[Choices],
) -> Any: ...
@checked
def explain(
    model: VisionModel,
    image: Any,
    *,
    method: str | Explainer | Settings | Callable[..., Any] = "mutex",
    label: Any = None,
    batch_size: int | str = "auto",
    **options: Unpack[Choices],
) -> Any:
    """Explain why a model sees a class in an image.

    Parameters
    ----------
    model : VisionModel
        From `load`.
    image : path-like, PIL image, uint8 array [row, col, channel], float array or Tensor [1, channel, row, col], or a list of these
        Floats are pixel values that are pre-processed already.
    method : str, Explainer, Settings or callable
        A member of `EXPLAINERS`, with options or without ("rise_tokens(budget=550)"), or a function
        of model, picture and label. Default: "mutex", the published method (doi:10.1007/s00521-025-11591-x);
        "communities" gives the better heatmap of as many passes.
    label : int or str, optional
        Index or name of the class to explain. Default: the predicted class.
    batch_size : int or "auto"
        Most masks a forward pass. Sums of other batches run in another order, which moves
        confidences by up to 1e-6, and heatmaps by as much times the estimator's gain; see
        `saliency.explainers.from_settings`. Default: "auto".
    **options
        Options of the method. Those of "mutex" and "communities" are the fields of `Settings`.

    Returns
    -------
    Explanation, or a list of them for a list of images

    Raises
    ------
    InputError
        If the image, the label, the method or an option cannot be used.

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
    explainer = EXPLAINERS.resolve(method).at(**options)
    if not isinstance(image, (list, tuple)):
        return explainer(model, image, label, batch_size=batch_size)
    labels = labels_of(label, len(image))
    if explainer.settings is None:
        return [explainer(model, one, of_one) for one, of_one in zip(image, labels, strict=True)]
    together = explain_each(model, image, [explainer.settings], label=labels, batch_size=batch_size)
    explanations = [explanation for (explanation,) in together]
    for explanation in explanations:
        warn_of_empty(explanation.masks)
    return explanations


@checked
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
