"""multiplex: an image in, its network out."""

from typing import Any

from multiplex_vit.arguments import checked_but
from multiplex_vit.checks import share
from multiplex_vit.models.classifier import Classifier
from multiplex_vit.models.operators import OPERATORS, single_head
from multiplex_vit.network.direction import checked_direction
from multiplex_vit.network.multiplex import Multiplex
from multiplex_vit.registry import Named, name_of
from multiplex_vit.saliency.batching import picture_of


@checked_but("edges")
def multiplex(
    model: Classifier,
    image: Any,
    *,
    operator: Named = "sum",
    min_cut: float = 0.01,
    heads: bool = False,
    prefix: bool = False,
    edges: str = "attention",
) -> Multiplex:
    """Turn a forward pass into a multiplex network.

    A layer is a transformer block, a node a patch token.

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
    min_cut = share("min_cut", min_cut)
    picture = picture_of(model, image)
    operators = [OPERATORS.resolve(operator)]
    if heads:
        operators = [single_head(head) for head in range(model.n_heads)]
    tokens = model.embed(picture.pixels)
    attention, clean = model.attend(tokens, operators, prefix=prefix)
    depth = {"layers": "block"}
    names = {"operator": name_of(operator)}
    if heads:
        depth, names = {"layers": "block and head"}, {}
    # A layer of heads stands beside those of its block: block by block, head by head.
    net = Multiplex(
        attention[0].transpose(0, 1).flatten(0, 1).float().cpu().numpy(),
        model.grid_of(picture.pixels.shape[2:]),
        provenance={
            "model": model.name,
            **depth,
            **names,
            **_prediction(model, clean[0]),
        },
        prefix=model.prefix if prefix else (),
        **(_heads_of(model) if heads else {}),
    ).prune(min_cut)
    return net if direction == net.edges else net.reverse()


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
