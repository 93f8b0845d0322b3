"""The greedy ceiling: how well the best order that search can find does, so that a figure has a top as well as a bottom."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Unpack

import numpy as np
import pandas as pd

from multiplex_vit.arguments import checked
from multiplex_vit.checks import whole
from multiplex_vit.errors import InputError
from multiplex_vit.evaluation.baselines import BASELINES
from multiplex_vit.evaluation.curve import Faithfulness
from multiplex_vit.evaluation.evaluate import evaluate
from multiplex_vit.evaluation.many import Remembering, protocol_of
from multiplex_vit.evaluation.protocols import Choices, Options, Subject
from multiplex_vit.evaluation.protocols.order import pixel_map
from multiplex_vit.models.classifier import Classifier

ORDERS = ("insertion", "deletion", "difference")
_IMAGES_AT_ONCE = 32

Confidence = Callable[[np.ndarray], np.ndarray]
"""Takes which patches there are, bool [set, node], and returns the class's score [set]."""


@dataclass(frozen=True, eq=False)
class Ceiling:
    """Orders found by greedy search, and how well they do.

    Attributes
    ----------
    orders : dict of str to ndarray [node]
        Nodes, best first, by what was searched for: "insertion", "deletion", "difference".
    faithfulness : dict of str to Faithfulness
        What each order does.
    grid : tuple of int
    passes : int
        Distinct images or sets of tokens that the model classified, for the search and the curves.
    """

    orders: dict[str, np.ndarray]
    faithfulness: dict[str, Faithfulness]
    grid: tuple[int, int]
    passes: int

    def __repr__(self) -> str:
        found = ", ".join(f"{name} {each.difference:.3f}" for name, each in self.faithfulness.items())
        return f"<Ceiling, insertion - deletion by what was searched for: {found}; {self.passes} passes>"

    def heatmap(self, order: str) -> np.ndarray:
        """Return an order as a heatmap [row, col]: the number of patches that come after each; InputError if it was not searched for."""
        if order not in self.orders:
            raise InputError(f"no order was searched for {order!r}; there are {', '.join(self.orders)}")
        return _heatmap(self.orders[order], self.grid)

    def table(self) -> pd.DataFrame:
        """Return one row an order: order, protocol, insertion, deletion, difference, passes (of all orders together).

        The last row, "insertion, deletion", holds the best insertion beside the best deletion that were found. They come from different orders:
        no heatmap reaches both, and their difference lies above what a single order found. It is there where both were searched for.
        """
        rows = [{"order": name, **found.row()} for name, found in self.faithfulness.items()]
        if {"insertion", "deletion"} <= set(self.orders):
            insertion, deletion = max(row["insertion"] for row in rows), min(row["deletion"] for row in rows)
            apart = {"insertion": insertion, "deletion": deletion, "difference": insertion - deletion}
            rows.append({"order": "insertion, deletion", "protocol": rows[0]["protocol"], **apart})
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

    For "insertion", the patch that raises the class's score most is added next, from the empty image on; for "deletion" the one that
    lowers it most is taken away next, from the whole image on; for "difference" the one after which the score of what is there less that
    of what is left is greatest: one order for both curves. Greedy search need not find the best order where patches act together: the true
    ceiling may lie higher. Over n patches it takes n (n + 1) / 2 passes for insertion or for deletion, and the sum of both for the difference.

    Parameters
    ----------
    model : VisionModel
    image : as for `explain`
    protocol : str
        "token" or "patch", with its baseline as results print it: "patch/black", "patch/blur".
    orders : sequence of str
        Some of "insertion", "deletion", "difference".
    label : int or str, optional
        The class whose confidence is followed; the predicted class unless given.
    at_once : int
        How many patches of a round are taken, the best ones; more of them take fewer passes and find less.
    **choices
        steps (points of the curves that are reported), seed (of the baseline "random"), batch_size.

    Returns
    -------
    Ceiling

    Raises
    ------
    InputError
        If the image or the class cannot be used, or the protocol is one whose steps are no patches.

    Examples
    --------
    >>> import multiplex_vit as mv
    >>> model = mv.load("demo-vit", device="cpu")
    >>> found = greedy_ceiling(model, mv.samples()["cat"], "token", orders=["deletion"], at_once=16, steps=4)
    >>> found.table()[["order", "protocol", "passes"]].values.tolist()
    [['deletion', 'token/4 steps', 169]]
    """
    options = protocol_of(protocol, choices)
    if options["protocol"] not in ("token", "patch"):
        raise InputError(f"protocol {protocol!r} does not change whole patches; give 'token', or 'patch/black' or with another baseline")
    wanted, at_once = _checked(orders), whole("at_once", at_once, at_least=1)
    shown = Remembering(model, image)
    pixels = shown.seen.pixels.cpu().numpy()
    grid = shown.grid_of(pixels.shape[2:])
    predicted = int(shown.classify(pixels)[0].argmax()) if label is None else -1
    given = Options(**{name: value for name, value in options.items() if name != "protocol"})
    subject = Subject(shown, pixels, shown.label_of(label, predicted), given.batch_size)
    confidence = subject.token_confidence if options["protocol"] == "token" else _painted(subject, given, grid)
    found = {name: _order(confidence, int(np.prod(grid)), name, at_once) for name in wanted}
    measured = {name: evaluate(shown, pixels, _heatmap(order, grid), label=subject.label, **options) for name, order in found.items()}
    return Ceiling(found, measured, grid, shown.n_shown)


def _checked(orders: Sequence[str]) -> list[str]:
    wanted = [orders] if isinstance(orders, str) else list(orders)
    unknown = [name for name in wanted if name not in ORDERS]
    if unknown or not wanted:
        raise InputError(f"orders is {orders!r}; give some of {', '.join(ORDERS)}")
    return wanted


def _painted(subject: Subject, options: Options, grid: tuple[int, int]) -> Confidence:
    """Return the confidence in images whose other patches are a baseline's; never more than 32 of them are in memory."""
    places, empty = pixel_map(subject, grid), subject.baseline(BASELINES.resolve(options.empty), options.seed)

    def confidence(there: np.ndarray) -> np.ndarray:
        chunks = np.split(there, range(_IMAGES_AT_ONCE, len(there), _IMAGES_AT_ONCE))
        return np.concatenate([subject.confidence(np.where(chunk[:, places][:, None], subject.pixels[0], empty)) for chunk in chunks])

    return confidence


def _order(confidence: Confidence, n_nodes: int, kind: str, at_once: int) -> np.ndarray:
    """Return nodes [node] in the order in which greedy search takes them, ties by index."""
    taken = np.zeros(n_nodes, dtype=bool)
    order: list[int] = []
    while not taken.all():
        left = np.flatnonzero(~taken)
        candidates = np.repeat(taken[None], len(left), axis=0)
        candidates[np.arange(len(left)), left] = True
        best = left[np.argsort(-_gain(confidence, candidates, kind), kind="stable")[:at_once]]
        taken[best] = True
        order += best.tolist()
    return np.array(order)


def _gain(confidence: Confidence, taken: np.ndarray, kind: str) -> np.ndarray:
    """Return what is to be great [set] after nodes [set, node] were taken."""
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
