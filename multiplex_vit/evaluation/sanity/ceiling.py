"""The greedy ceiling: how well the best order that search can find does.

It gives a figure a top as well as a bottom.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Unpack

import numpy as np
import pandas as pd

from multiplex_vit.arguments import checked
from multiplex_vit.checks import whole
from multiplex_vit.errors import InputError
from multiplex_vit.evaluation.curve import Faithfulness
from multiplex_vit.evaluation.evaluate import evaluate
from multiplex_vit.evaluation.many import Remembering, protocol_of
from multiplex_vit.evaluation.protocols import Choices, Options, Subject
from multiplex_vit.evaluation.protocols.order import pixel_map
from multiplex_vit.evaluation.protocols.painting import IMAGES_AT_ONCE, painter
from multiplex_vit.models.classifier import Classifier

ORDERS = ("insertion", "deletion", "difference")

Confidence = Callable[[np.ndarray], np.ndarray]
"""Takes which patches are there, bool [set, node], and returns the class's score [set]."""


@dataclass(frozen=True, eq=False)
class Ceiling:
    """Orders found by greedy search, and how well they do.

    Attributes
    ----------
    orders : dict of str to ndarray [node]
        Nodes, best first, by what was searched for: "insertion", "deletion", "difference".
    faithfulness : dict of str to Faithfulness
        The curves of each order.
    grid : tuple of int
        Rows and columns of patches.
    passes : int
        Distinct images or sets of tokens that the model classified, for the search and the curves.
    """

    orders: dict[str, np.ndarray]
    faithfulness: dict[str, Faithfulness]
    grid: tuple[int, int]
    passes: int

    def __repr__(self) -> str:
        differences = []
        for name, measured in self.faithfulness.items():
            differences.append(f"{name} {measured.difference:.3f}")
        what = "insertion - deletion by what was searched for"
        return f"<Ceiling, {what}: {', '.join(differences)}; {self.passes} passes>"

    def heatmap(self, order: str) -> np.ndarray:
        """Return an order as a heatmap [row, col]: how many patches come after each.

        Raises
        ------
        InputError
            If the order was not searched for.
        """
        if order not in self.orders:
            names = ", ".join(self.orders)
            raise InputError(f"no order was searched for {order!r}; there are {names}")
        return _heatmap(self.orders[order], self.grid)

    @checked
    def normalised(self, measured: Faithfulness) -> dict[str, float]:
        """Return where areas lie between the worst and the best that search found, from 0 to 1.

        It makes models and images comparable: NAOPC (Edin et al., ACL 2025, arXiv:2408.08137), with
        limits by greedy search. Of insertion it is (area - low) / (high - low) and of deletion
        (high - area) / (high - low), where high is the area of the best insertion found and low
        that of the best deletion: taking away the worst patches first passes through the same sets
        as inserting the best ones.

        Parameters
        ----------
        measured : Faithfulness
            Of the same image, class, protocol and steps.

        Returns
        -------
        dict of str to float
            "insertion", "deletion" and "difference", the mean of both.

        Raises
        ------
        InputError
            If it was measured otherwise, or insertion and deletion were not both searched for.
        """
        if not {"insertion", "deletion"} <= set(self.orders):
            found = ", ".join(self.orders)
            raise InputError(f"orders of {found} were searched for; search for both curves")
        best = self.faithfulness["insertion"]
        best.minus(measured)
        high = max(one.insertion.auc for one in self.faithfulness.values())
        low = min(one.deletion.auc for one in self.faithfulness.values())
        span = high - low
        if not span > 0:
            raise InputError("the best insertion is no better than the best deletion")
        insertion = (measured.insertion.auc - low) / span
        deletion = (high - measured.deletion.auc) / span
        both = (insertion + deletion) / 2
        return {"insertion": insertion, "deletion": deletion, "difference": both}

    def table(self) -> pd.DataFrame:
        """Return a row for each order: order, protocol, insertion, deletion, difference, passes.

        The passes are those of all orders together. Where insertion and deletion were both searched
        for, a last row, "insertion, deletion", holds the best insertion beside the best deletion.
        They come from different orders: no heatmap reaches both, and their difference lies above
        what a single order reached.
        """
        rows: list[dict[str, Any]] = []
        for name, measured in self.faithfulness.items():
            rows.append({"order": name, **measured.row()})
        if "insertion" in self.orders and "deletion" in self.orders:
            insertion = max(row["insertion"] for row in rows)
            deletion = min(row["deletion"] for row in rows)
            both = {
                "order": "insertion, deletion",
                "protocol": rows[0]["protocol"],
                "insertion": insertion,
                "deletion": deletion,
                "difference": insertion - deletion,
            }
            rows.append(both)
        return pd.DataFrame(rows).assign(passes=self.passes)


@checked
def greedy_ceiling(
    model: Classifier,
    image: Any,
    protocol: str = "token",
    *,
    orders: Sequence[str] = ORDERS,
    label: int | str | None = None,
    at_once: int = 1,
    **choices: Unpack[Choices],
) -> Ceiling:
    """Search for the best orders of patches under one protocol, greedily.

    For "insertion", the patch that raises the class's score most is added next, from the empty
    image on. For "deletion", the patch that lowers it most is taken away next, from the whole image
    on. For "difference", one order for both curves, the next patch is the one after which the score
    of what is there less the score of what is left is greatest.

    Greedy search need not find the best order where patches act together: the true ceiling may lie
    higher. Over n patches it takes n (n + 1) / 2 passes for insertion or for deletion, and the sum
    of both for the difference.

    Parameters
    ----------
    model : VisionModel
    image : as for `explain`
    protocol : str
        "token" or "patch", with its baseline, such as "patch/blur". Default: "token".
    orders : sequence of str
        What to search for. Default: "insertion", "deletion" and "difference".
    label : int or str, optional
        The class whose confidence is followed. Default: the predicted class.
    at_once : int
        How many patches of a round are taken, the best ones; more of them take fewer passes and
        reach less. Default: 1.
    steps : int
        Points of the curves that are reported. Default: every patch, up to 100.
    seed : int
        Seed of the baseline "random". Default: 0.
    batch_size : int or "auto"
        Most images of a forward pass. Default: "auto".

    Returns
    -------
    Ceiling

    Raises
    ------
    InputError
        If the image or the class cannot be used, or the protocol does not change whole patches.

    Examples
    --------
    >>> import multiplex_vit as mv
    >>> model, cat = mv.load("demo-vit", device="cpu"), mv.samples()["cat"]
    >>> ceiling = greedy_ceiling(model, cat, "token", orders=["deletion"], at_once=16, steps=4)
    >>> ceiling.table()[["order", "protocol", "passes"]].values.tolist()
    [['deletion', 'token/4 steps', 169]]
    """
    options = protocol_of(protocol, choices)
    name = options.pop("protocol")
    if name not in ("token", "patch"):
        remedy = "give 'token', or 'patch/black' or with another baseline"
        raise InputError(f"protocol {protocol!r} does not change whole patches; {remedy}")
    names = _checked_orders(orders)
    at_once = whole("at_once", at_once, at_least=1)

    # The curves of the orders show the model what the search has shown it already.
    remembering = Remembering(model, image)
    pixels = remembering.seen.pixels.cpu().numpy()
    grid = remembering.grid_of(pixels.shape[2:])
    given = Options(**options)
    subject = Subject.of(remembering, pixels, label, given.batch_size)
    confidence: Confidence = subject.token_confidence
    if name == "patch":
        confidence = _painted(subject, given, grid)

    best: dict[str, np.ndarray] = {}
    for order in names:
        best[order] = _order(confidence, grid[0] * grid[1], order, at_once)
    measured: dict[str, Faithfulness] = {}
    for order, nodes in best.items():
        heatmap = _heatmap(nodes, grid)
        measured[order] = evaluate(
            remembering, pixels, heatmap, label=subject.label, protocol=name, **options
        )
    return Ceiling(best, measured, grid, remembering.n_shown)


def _checked_orders(orders: Sequence[str]) -> list[str]:
    names = [orders] if isinstance(orders, str) else list(orders)
    if not names or not set(names) <= set(ORDERS):
        raise InputError(f"orders is {orders!r}; give some of {', '.join(ORDERS)}")
    return names


def _painted(subject: Subject, options: Options, grid: tuple[int, int]) -> Confidence:
    """Return the confidence in images whose other patches are a baseline's."""
    node_of_pixel = pixel_map(subject, grid)
    paint = painter(subject, options)

    def confidence(there: np.ndarray) -> np.ndarray:
        scores = []
        # Images of thousands of sets at once would fill the memory.
        for start in range(0, len(there), IMAGES_AT_ONCE):
            chunk = there[start : start + IMAGES_AT_ONCE]
            shown = chunk[:, node_of_pixel]
            scores.append(subject.confidence(paint(shown)))
        return np.concatenate(scores)

    return confidence


def _order(confidence: Confidence, n_nodes: int, kind: str, at_once: int) -> np.ndarray:
    """Return nodes [node] in the order in which greedy search takes them, ties by index."""
    taken = np.zeros(n_nodes, dtype=bool)
    order: list[int] = []
    while not taken.all():
        left = np.flatnonzero(~taken)
        # Row i is what is taken after the i-th node of those that are left.
        candidates = np.repeat(taken[None], len(left), axis=0)
        candidates[np.arange(len(left)), left] = True
        gain = _gain(confidence, candidates, kind)
        best = left[np.argsort(-gain, kind="stable")[:at_once]]
        taken[best] = True
        order += best.tolist()
    return np.array(order)


def _gain(confidence: Confidence, taken: np.ndarray, kind: str) -> np.ndarray:
    """Return what the search makes great [set], after nodes [set, node] were taken."""
    gain = np.zeros(len(taken))
    if kind != "deletion":
        gain += confidence(taken)
    if kind != "insertion":
        gain -= confidence(~taken)
    return gain


def _heatmap(order: np.ndarray, grid: tuple[int, int]) -> np.ndarray:
    """Return for each node how many come after it [row, col]."""
    heatmap = np.empty(len(order))
    heatmap[order] = np.arange(len(order))[::-1]
    return heatmap.reshape(grid)
