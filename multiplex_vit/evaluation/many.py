"""evaluate_many: curves of many heatmaps of one image, without showing the model a thing twice."""

from collections.abc import Callable, Iterable, Sequence
from hashlib import blake2b
from typing import Any, Unpack

import numpy as np

from multiplex_vit.arguments import checked
from multiplex_vit.checks import vision_model
from multiplex_vit.errors import InputError
from multiplex_vit.evaluation.curve import Faithfulness
from multiplex_vit.evaluation.evaluate import evaluate
from multiplex_vit.evaluation.protocols import (
    LOGIT,
    Choices,
    fixed_options,
    full_name,
    options_of,
    parted,
    ranks,
    steps_of,
)
from multiplex_vit.models.classifier import Classifier
from multiplex_vit.models.relay import Relay

_OPTIONS = ("steps", "seed", "batch_size")
MOST_BYTES = 256 * 2**20
"""Most bytes of scores that are remembered: 6.7 million rows of 10 classes, 3,000 of 21,841."""


@checked
def evaluate_many(
    model: Classifier,
    image: Any,
    heatmaps: Iterable[np.ndarray],
    *,
    label: int | str | None = None,
    protocols: Sequence[str] = ("token", "patch/black"),
    **choices: Unpack[Choices],
) -> dict[str, list[Faithfulness]]:
    """Measure many heatmaps of one image: the same numbers as `evaluate`, in fewer passes.

    What the model has been shown once, it is not shown again.

    Parameters
    ----------
    model : VisionModel
    image : as for `explain`
    heatmaps : iterable of ndarray [row, col]
        On the patch grid; greater is more important.
    label : int or str, optional
        The class whose confidence is followed. Default: the predicted class.
    protocols : sequence of str
        Each with its baseline, such as "patch/blur". Default: ("token", "patch/black").
    steps : int
        Points of a curve after the first, where the protocol leaves them open. Default: every
        patch, up to 100.
    seed : int
        Seed of the baseline "random". Default: 0.
    batch_size : int or "auto"
        Most images of a forward pass. Default: "auto".

    Returns
    -------
    dict of str to list of Faithfulness
        For each protocol as it was given, one for each heatmap, in their order.

    Raises
    ------
    InputError
        If a heatmap does not fit the grid or holds NaN, or a name is unknown.

    Examples
    --------
    >>> import multiplex_vit as mv
    >>> model, cat = mv.load("demo-vit", device="cpu"), mv.samples()["cat"]
    >>> order = np.arange(64.0).reshape(8, 8)
    >>> measured = evaluate_many(model, cat, [order, -order], protocols=["token"], steps=4)
    >>> [faithfulness.protocol for faithfulness in measured["token"]]
    ['token/4 steps', 'token/4 steps']
    """
    # All protocols are checked before the first pass.
    options = {protocol: protocol_of(protocol, choices) for protocol in protocols}
    heatmaps = list(heatmaps)
    remembering = Remembering(model, image)
    if "token" in options and heatmaps:
        _show_together(remembering, heatmaps, options["token"])
    measured: dict[str, list[Faithfulness]] = {}
    for protocol, given in options.items():
        measured[protocol] = []
        for heatmap in heatmaps:
            faithfulness = evaluate(remembering, image, heatmap, label=label, **given)
            measured[protocol].append(faithfulness)
    return measured


class Remembering(Relay):
    """A model that remembers its scores, and classifies equal pixels or sets of tokens once.

    It is for one image: sets of tokens are told apart by their places alone.

    Attributes
    ----------
    model : Classifier
    seen : Picture
        The image as the model takes it.
    """

    def __init__(self, model: Classifier, image: Any):
        super().__init__(vision_model(model))
        self.seen = model.picture(image)
        self._scores: dict[bytes, Any] = {}
        self._tokens: dict[bytes, Any] = {}
        self._of_score: dict[str, Remembering] = {}
        self._n_shown = 0

    @property
    def n_shown(self) -> int:
        """How many things the model classified.

        Equal ones count once, unless their scores were forgotten in between.
        """
        return self._n_shown

    def with_score(self, score: str) -> "Remembering":
        """Return what remembers the scores of another kind, the same at every call."""
        if score not in self._of_score:
            self._of_score[score] = Remembering(self.model.with_score(score), self.seen)
        return self._of_score[score]

    def picture(self, image: Any) -> Any:
        """Return the image as the model takes it, whatever is given."""
        return self.seen

    def embed(self, pixels: Any) -> Any:
        """Return the tokens that enter the first block, the same ones for the same pixels."""
        key = _key(pixels)
        if key not in self._tokens:
            self._tokens[key] = self.model.embed(pixels)
        return self._tokens[key]

    def classify(self, pixels: Any, *, batch_size: int | str = "auto") -> Any:
        """Return scores [image, class]; images seen before take no pass."""

        def classify(new: Any) -> Any:
            return self.model.classify(new, batch_size=batch_size)

        return self._remembered(pixels, classify)

    def probabilities(self, tokens: Any, kept: Any, *, batch_size: int | str = "auto") -> Any:
        """Return scores [mask, class]; masks seen before take no pass."""

        def classify(new: Any) -> Any:
            return self.model.probabilities(tokens, new, batch_size=batch_size)

        return self._remembered(kept, classify)

    def _remembered(self, shown: Any, classify: Callable[[Any], Any]) -> Any:
        keys = [_key(thing) for thing in shown]
        new_places: dict[bytes, int] = {}
        for place, key in enumerate(keys):
            if key not in self._scores:
                new_places[key] = place
        if new_places:
            # On the CPU, so that what is remembered takes none of the memory that passes need.
            scores = classify(shown[list(new_places.values())]).cpu()
            for key, row in zip(new_places, scores, strict=True):
                # A copy, as a row of a batch would keep the whole batch in memory.
                self._scores[key] = row.clone()
            self._n_shown += len(new_places)
        first = self._scores[keys[0]]
        result = first.new_empty((len(keys), len(first)))
        for place, key in enumerate(keys):
            result[place] = self._scores[key]
        self._forget(first.nbytes)
        return result

    def _forget(self, row_bytes: int) -> None:
        """Forget the oldest scores, where the rows of many classes would fill the memory."""
        while len(self._scores) * row_bytes > MOST_BYTES:
            oldest = next(iter(self._scores))
            del self._scores[oldest]


def protocol_of(protocol: str, choices: Choices) -> dict[str, Any]:
    """Return the keyword arguments of `evaluate` for a protocol spelled with its baseline.

    Parameters
    ----------
    protocol : str
        Such as "patch/blur".
    choices : dict
        steps, seed and batch_size; what the protocol fixes is left out.

    Raises
    ------
    InputError
        If the protocol, its baseline or an option is unknown, or it takes no baseline.

    Examples
    --------
    >>> protocol_of("patch/blur", {"steps": 16})
    {'protocol': 'patch', 'steps': 16, 'baseline': 'blur'}
    >>> protocol_of("token/blur", {})
    Traceback (most recent call last):
    multiplex_vit.errors.InputError: protocol is 'token/blur', but token takes no baseline; give 'token', or 'patch/blur'
    """
    # It says what is wrong with a text that is no protocol.
    full_name(protocol)
    name, baseline, score = parted(protocol)
    fixed = fixed_options(name)
    options: dict[str, Any] = {}
    for option, value in choices.items():
        if option not in _OPTIONS:
            known = f"{', '.join(_OPTIONS)} (a baseline is spelled with its protocol)"
            raise InputError(f"unknown option {option!r}; known: {known}")
        if option not in fixed:
            options[option] = value
    if baseline is not None:
        options["baseline"] = baseline
    if score == LOGIT:
        options["score"] = LOGIT
    # The options are made for their checks alone: `evaluate` makes them again.
    options_of(name, **options)
    return {"protocol": name, **options}


def _show_together(
    remembering: Remembering,
    heatmaps: list[np.ndarray],
    options: dict[str, Any],
) -> None:
    """Show all sets of tokens at once.

    Sets of one size share a batch, and every heatmap brings one set of each size.
    """
    pixels = remembering.seen.pixels
    grid = remembering.grid_of(pixels.shape[2:])
    n_nodes = grid[0] * grid[1]
    counts = steps_of(n_nodes, options.get("steps"))
    inserted = []
    for heatmap in heatmaps:
        values = heatmap.detach().cpu() if hasattr(heatmap, "detach") else heatmap
        values = np.asarray(values)
        if values.shape != grid or values.dtype.kind not in "biuf":
            # It is left for `evaluate` to say what is wrong.
            return
        inserted.append(ranks(values)[None] < counts[:, None])
    kept = np.concatenate(inserted)
    remembering.probabilities(
        remembering.embed(pixels.cpu().numpy()),
        np.concatenate([kept, ~kept]),
        batch_size=options.get("batch_size", "auto"),
    )


def _key(shown: Any) -> bytes:
    """Return what tells an array or tensor apart from others."""
    values = np.asarray(shown.cpu() if hasattr(shown, "cpu") else shown)
    # 16 bytes: among 10**9 things two have one hash with a probability of 10**-21.
    digest = blake2b(values.tobytes(), digest_size=16).digest()
    # Masks of 0 and 1 have the bytes of an image of such values.
    return digest + values.dtype.kind.encode()
