"""explorer: an image in, its interactive page out."""

from collections.abc import Sequence
from typing import Any

from multiplex_vit.arguments import checked
from multiplex_vit.checks import vision_model
from multiplex_vit.errors import InputError
from multiplex_vit.evaluation.evaluate import evaluate
from multiplex_vit.explore import Explorer
from multiplex_vit.models.classifier import Classifier
from multiplex_vit.models.operators import OPERATORS
from multiplex_vit.network.multiplex import Multiplex
from multiplex_vit.registry import Named, chosen, name_of
from multiplex_vit.saliency.explain import explain
from multiplex_vit.saliency.image_network import multiplex
from multiplex_vit.saliency.steps import likeliest

MOST_WEIGHTS = 100_000_000
"""Weights of all heads together, of which single heads are shown; 400 MB in float32."""


@checked
def explorer(
    model: Classifier,
    image: Any,
    *,
    label: int | str | None = None,
    method: Any = "mutex",
    operators: Named | Sequence[Named] = ("sum",),
    steps: int | None = 25,
) -> Explorer:
    """Explain an image and return it as an interactive page, which also is a widget.

    It is `explain`, `multiplex` and `evaluate` with their defaults, put together by
    `Explanation.explore`; call these for other settings.

    Parameters
    ----------
    model : VisionModel
    image : as for `explain`
    label : int or str, optional
        The class to explain. Default: the predicted class.
    method : as for `explain`
        Default: "mutex".
    operators : str, callable, or sequence of them
        How attention is pooled over heads: a network for each. Default: "sum". Single heads are
        shown too where all of them have at most `MOST_WEIGHTS` weights.
    steps : int, optional
        Points of the insertion and deletion curves (protocol "patch/black"), of which each takes
        two passes; None for no curves. Default: 25.

    Returns
    -------
    Explorer
        `write("page.html")` writes the page, `widget()` shows it in a notebook.

    Raises
    ------
    InputError
        If the image, the label, the method or an operator cannot be used.

    Examples
    --------
    >>> import multiplex_vit as mv
    >>> model = mv.load("demo-vit", device="cpu")
    >>> page = mv.explorer(model, mv.samples()["horse"], steps=None)
    >>> [network.name for network in page.networks]
    ['sum over heads', 'head 0', 'head 1', 'head 2']
    """
    picture = vision_model(model).picture(image)
    pooled = chosen(OPERATORS, operators)
    if not pooled:
        raise InputError("no operator was given; give at least one")
    explanation = explain(model, picture, method=method, label=label)
    # A prior by relevance is of the class explained alone; the page shows others too.
    explanation = explanation.with_classes(model, picture, likeliest(explanation))
    networks: dict[str, Multiplex] = {}
    for operator in pooled:
        name = f"{name_of(operator)} over heads"
        networks[name] = multiplex(model, picture, operator=operator)
    n_nodes = networks[name].n_nodes
    if model.n_layers * model.n_heads * n_nodes**2 <= MOST_WEIGHTS:
        networks["head"] = multiplex(model, picture, heads=True)
    faithfulness = None
    if steps is not None:
        faithfulness = evaluate(
            model,
            picture,
            explanation.heatmap,
            label=explanation.label,
            steps=steps,
        )
    return explanation.explore(networks, faithfulness)
