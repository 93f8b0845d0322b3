"""multiplex: an image in, its network out."""

from functools import partial
from typing import Any

from multiplex_vit.arguments import checked_but
from multiplex_vit.checks import share, shown
from multiplex_vit.errors import InputError
from multiplex_vit.models.classifier import Classifier
from multiplex_vit.models.operators import OPERATORS, single_head
from multiplex_vit.network.multiplex import Multiplex
from multiplex_vit.registry import Named, name_of
from multiplex_vit.saliency.batching import picture_of
from multiplex_vit.saliency.edges import EDGES


@checked_but("edges", "label", "against")
def multiplex(
    model: Classifier,
    image: Any,
    *,
    operator: Named = "sum",
    min_cut: float = 0.01,
    heads: bool = False,
    prefix: bool = False,
    edges: Named = "attention",
    label: int | str | None = None,
    against: int | str | None = None,
) -> Multiplex:
    """Turn a forward pass into a multiplex network.

    A layer is a transformer block, a node a patch token.

    Parameters
    ----------
    model : VisionModel
    image : as for `explain`
    operator : str or callable
        How weights are pooled over heads: "min", "max", "sum" or "mean". Default: "sum".
    min_cut : float, 0 to 1
        In each layer, edges below this share of the greatest weight are cut. Default: 0.01.
    heads : bool
        A layer a block and head ("L03H00") instead, block by block; `operator` is not used then.
    prefix : bool
        Prefix tokens (class, distillation, registers) are nodes too, before the patches.
    edges : str or callable
        What weights are: "attention"; "gradient" or "gradient(signed=True)", attention times the
        gradient of a class at it; or "relevance", what passes along the edge of a class's logit by
        AttnLRP, signed, for all heads together. Edges run from the token that attends to the one
        attended to; "information" is attention with edges the other way, as information flows.
        Default: "attention".
    label : int or str, optional
        The class of gradients and relevance. Default: the predicted one.
    against : int or str, optional
        A class whose weights are taken off those of `label`: what speaks for one rather than the
        other, signed. Default: none.

    Returns
    -------
    Multiplex
        weights float32 [layer, source, target]. For relevance whose sums are those of the tokens
        (see `saliency.edges.relevance`), give min_cut=0 and prefix=True.

    Raises
    ------
    InputError
        If the image, the operator, `min_cut` or `edges` cannot be used, there is no such class, or
        a class is given for attention, which is of none.

    Examples
    --------
    >>> import multiplex_vit as mv
    >>> model = mv.load("demo-vit", device="cpu")
    >>> mv.multiplex(model, mv.samples()["cat"]).weights.shape
    (6, 64, 64)
    >>> mv.multiplex(model, mv.samples()["cat"], heads=True, prefix=True)
    <Multiplex: 18 layers of 65 nodes (8 x 8 + class), ... edges>
    >>> mv.multiplex(model, mv.samples()["cat"], edges="relevance", label="cat", prefix=True)
    <Multiplex: 6 layers of 65 nodes (8 x 8 + class), ... signed edges>
    """
    kind = _kind_of(edges, heads, label, against)
    min_cut = share("min_cut", min_cut)
    picture = picture_of(model, image)
    operators = [OPERATORS.resolve(operator)]
    if heads:
        operators = [single_head(head) for head in range(model.n_heads)]
    tokens = model.embed(picture.pixels)
    weigh = partial(
        EDGES.resolve(kind),
        model,
        tokens,
        operators=operators,
        prefix=prefix,
    )
    weights, clean = weigh(label=_index(model, label))
    if against is not None:
        others, _ = weigh(label=_index(model, against))
        weights = weights - others
    # A layer of heads stands beside those of its block: block by block, head by head.
    layers = weights.transpose(0, 1).flatten(0, 1)
    values = layers.float().cpu().numpy()
    about = {"model": model.name, "layers": "block and head"}
    if not heads:
        about.update(layers="block", operator=name_of(operator))
    about.update(_class_of(model, kind, label, against, clean[0]))
    about.update(_prediction(model, clean[0]))
    net = Multiplex(
        values,
        model.grid_of(picture.pixels.shape[2:]),
        provenance=about,
        prefix=model.prefix if prefix else (),
        signed=bool((values < 0).any()),
        **(_heads_of(model) if heads else {}),
    ).prune(min_cut)
    return net.reverse() if _is_information(edges) else net


def _is_information(edges: Any) -> bool:
    return isinstance(edges, str) and edges == "information"


def _kind_of(edges: Any, heads: bool, label: Any, against: Any) -> Named:
    """Return the member of `EDGES`, after making sure that what else is asked for goes with it."""
    kind = "attention" if _is_information(edges) else edges
    is_known = isinstance(kind, str) and kind in EDGES
    if not is_known and not callable(kind):
        known = ", ".join(map(repr, (*EDGES, "information")))
        raise InputError(f"edges is {shown(edges)}; give one of {known}")
    # A function of the user's own has no traits.
    if not EDGES.own_name(kind):
        return kind
    given = against if label is None else label
    name = name_of(kind)
    if given is not None and not EDGES.trait(kind, "of_class"):
        problem = f"class {shown(given)} is given, and {name} is of no class"
        raise InputError(f"{problem}; give edges='gradient' or edges='relevance'")
    if heads and not EDGES.trait(kind, "by_head"):
        raise InputError(f"{name} is of all heads together; give heads=False")
    return kind


def _index(model: Classifier, label: int | str | None) -> int | None:
    return None if label is None else model.label_of(label, 0)


def _class_of(model: Classifier, kind: Named, label: Any, against: Any, clean: Any) -> dict:
    """Return of which class weights are, for the provenance; nothing of attention."""
    if not EDGES.trait(kind, "of_class"):
        return {}
    explained = model.label_of(label, int(clean.argmax()))
    about = {"weights": name_of(kind), "label": model.classes[explained]}
    if against is not None:
        other = model.label_of(against, 0)
        about["against"] = model.classes[other]
    return about


def _prediction(model: Classifier, clean: Any) -> dict[str, Any]:
    """Return what the model sees in the image, for the provenance."""
    predicted = int(clean.argmax())
    return {
        "predicted": model.classes[predicted],
        "probability": float(clean[predicted]),
        "score": model.score.quantity,
    }


def _heads_of(model: Classifier) -> dict[str, Any]:
    """Return names, blocks and heads of the layers of a network of heads."""
    names, blocks, heads = [], [], []
    for block in range(model.n_layers):
        for head in range(model.n_heads):
            names.append(f"L{block:02d}H{head:02d}")
            blocks.append(block)
            heads.append(head)
    return {
        "layer_names": tuple(names),
        "blocks": tuple(blocks),
        "heads": tuple(heads),
    }
