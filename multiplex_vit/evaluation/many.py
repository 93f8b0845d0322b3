"""evaluate_many: the curves of many heatmaps of one image, in which no two passes show the model the same thing."""

from collections.abc import Callable, Iterable, Sequence
from hashlib import blake2b
from typing import Any, Unpack

import numpy as np

from multiplex_vit.arguments import checked
from multiplex_vit.checks import vision_model
from multiplex_vit.errors import InputError
from multiplex_vit.evaluation.curve import Faithfulness
from multiplex_vit.evaluation.evaluate import evaluate
from multiplex_vit.evaluation.protocols import PROTOCOLS, Choices, full_name, options_of, parted, ranks, steps_of
from multiplex_vit.models.classifier import Classifier
from multiplex_vit.models.relay import Relay


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
    """Measure many heatmaps of one image as `evaluate` does each, in fewer passes: what the model has seen it is not shown again.

    Parameters
    ----------
    model : VisionModel
    image : as for `explain`
    heatmaps : iterable of ndarray [row, col]
    label : int or str, optional
        The class whose confidence is followed; the predicted class unless given.
    protocols : sequence of str
        Each with its baseline as results print it, such as "token", "patch/black", "patch/blur".
    **choices
        steps (where the protocol leaves them open), seed, batch_size.

    Returns
    -------
    dict of str to list of Faithfulness
        For every protocol as it was given, one a heatmap, in their order.

    Raises
    ------
    InputError
        If a heatmap does not fit the grid or holds NaN, or a name is unknown.

    Examples
    --------
    >>> import multiplex_vit as mv
    >>> model, order = mv.load("demo-vit", device="cpu"), np.arange(64.0).reshape(8, 8)
    >>> found = evaluate_many(model, mv.samples()["cat"], [order, -order], protocols=["token"], steps=4)
    >>> [fid.protocol for fid in found["token"]]
    ['token/4 steps', 'token/4 steps']
    """
    runs = {protocol: protocol_of(protocol, choices) for protocol in protocols}
    shown, given = Remembering(model, image), list(heatmaps)
    if "token" in runs and given:
        _show_together(shown, given, runs["token"])
    return {name: [evaluate(shown, image, heatmap, label=label, **options) for heatmap in given] for name, options in runs.items()}


_MOST_BYTES = 256 * 2**20
"""Most bytes of scores that are remembered: 6.7 million rows of 10 classes, 3,000 of 21,841."""


class Remembering(Relay):
    """A model that remembers what it was shown, so that it classifies equal pixels, or equal sets of tokens, once.

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
        self._known: dict[bytes, Any] = {}
        self._shown = 0
        self._tokens: dict[bytes, Any] = {}

    @property
    def n_shown(self) -> int:
        """How many things the model classified; equal ones count once, unless they were forgotten in between."""
        return self._shown

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
        return self._remembered(pixels, lambda new: self.model.classify(new, batch_size=batch_size))

    def probabilities(self, tokens: Any, kept: Any, *, batch_size: int | str = "auto") -> Any:
        """Return scores [mask, class]; masks seen before take no pass."""
        return self._remembered(kept, lambda new: self.model.probabilities(tokens, new, batch_size=batch_size))

    def _remembered(self, shown: Any, classify: Callable[[Any], Any]) -> Any:
        keys = [_key(each) for each in shown]
        new = {key: place for place, key in enumerate(keys) if key not in self._known}
        if new:
            # Copies, as a row of a batch would keep the whole batch in memory.
            found = classify(shown[list(new.values())]).cpu()
            self._known.update({key: row.clone() for key, row in zip(new, found, strict=True)})
            self._shown += len(new)
        first = self._known[keys[0]]
        result = first.new_empty((len(keys), len(first)))
        for place, key in enumerate(keys):
            result[place] = self._known[key]
        self._forget(first.nbytes)
        return result

    def _forget(self, row_bytes: int) -> None:
        """Forget what was seen longest ago, where the rows of many classes would fill the memory."""
        while len(self._known) * row_bytes > _MOST_BYTES:
            del self._known[next(iter(self._known))]


def protocol_of(spelled: str, choices: Choices) -> dict[str, Any]:
    """Return what `evaluate` is given for a protocol that is spelled with its baseline.

    Raises
    ------
    InputError
        If the protocol, its baseline or an option is unknown, or "token" has a baseline.

    Examples
    --------
    >>> protocol_of("patch/blur", {"steps": 16})
    {'protocol': 'patch', 'steps': 16, 'baseline': 'blur'}
    >>> protocol_of("token/blur", {})
    Traceback (most recent call last):
    multiplex_vit.errors.InputError: protocol 'token/blur': tokens leave the sequence, no baseline is put in their place; give 'token'
    """
    full_name(spelled)
    name, baseline = parted(spelled)
    unknown = set(choices) - {"steps", "seed", "batch_size"}
    if unknown:
        raise InputError(f"unknown option {sorted(unknown)[0]!r}; known: steps, seed, batch_size (a baseline is spelled with its protocol)")
    fixed = PROTOCOLS.trait(name, "fixed") or {}
    given = {**{key: value for key, value in choices.items() if key not in fixed}, **({} if baseline is None else {"baseline": baseline})}
    options_of(name, **given)  # type: ignore[arg-type]
    return {"protocol": name, **given}


def _show_together(shown: Remembering, heatmaps: list[np.ndarray], options: dict[str, Any]) -> None:
    """Show all sets of tokens at once: those of one size share a batch, and every heatmap brings one set of each size.

    What does not fit is left for `evaluate` to refuse.
    """
    values = [np.asarray(heatmap.detach().cpu() if hasattr(heatmap, "detach") else heatmap) for heatmap in heatmaps]
    pixels = shown.seen.pixels
    grid = shown.grid_of(pixels.shape[2:])
    if any(value.shape != grid or value.dtype.kind not in "biuf" for value in values):
        return
    counts = steps_of(values[0].size, options.get("steps"))
    inserted = np.concatenate([ranks(value)[None] < counts[:, None] for value in values])
    shown.probabilities(shown.embed(pixels.cpu().numpy()), np.concatenate([inserted, ~inserted]), batch_size=options.get("batch_size", "auto"))


def _key(shown: Any) -> bytes:
    """Return what tells an array or tensor apart from others."""
    values = np.asarray(shown.cpu() if hasattr(shown, "cpu") else shown)
    return blake2b(values.tobytes(), digest_size=16).digest() + values.dtype.kind.encode()
