"""evaluate_many: the curves of many heatmaps of one image, in which no two passes show the model the same thing."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any, Unpack

import numpy as np

from multiplex_vit.errors import InputError
from multiplex_vit.evaluation.baselines import BASELINES
from multiplex_vit.evaluation.curve import Faithfulness
from multiplex_vit.evaluation.evaluate import fitting, options_of, subject_of
from multiplex_vit.evaluation.protocols import PROTOCOLS, Choices, Options, Subject, ranks, steps_of

BY_STEPS = ("token", "patch")
"""Protocols whose number of points may be chosen; the others have their own."""


@dataclass(frozen=True, eq=False)
class Remembering(Subject):
    """A subject that remembers what it was shown, so that the model classifies it once."""

    known: dict[bytes, float] = field(default_factory=dict, repr=False)

    def confidence(self, pixels: np.ndarray) -> np.ndarray:
        """Return the class's probability [image]; images seen before take no pass."""
        return self._remembered(pixels, super().confidence)

    def token_confidence(self, kept: np.ndarray) -> np.ndarray:
        """Return the class's probability [mask]; masks seen before take no pass."""
        return self._remembered(kept, super().token_confidence)

    def _remembered(self, shown: np.ndarray, classify: Any) -> np.ndarray:
        keys = [blake2b(each.tobytes(), digest_size=16).digest() for each in shown]
        new = {key: place for place, key in enumerate(keys) if key not in self.known}
        if new:
            self.known.update(zip(new, classify(shown[list(new.values())]).tolist(), strict=True))
        return np.array([self.known[key] for key in keys], dtype=np.float32)


def evaluate_many(
    model: Any,
    image: Any,
    heatmaps: Iterable[np.ndarray],
    *,
    label: int | str | None = None,
    protocols: Sequence[str] = ("token", "patch/black"),
    **choices: Unpack[Choices],
) -> dict[str, list[Faithfulness]]:
    """Measure many heatmaps of one image as `evaluate` does each, in fewer passes: what the model has seen once it is not shown again.

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
        steps (of "token" and "patch"; the others have their own), seed, batch_size.

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
    runs = [(protocol, *protocol_of(protocol, choices)) for protocol in protocols]
    subject = subject_of(model, image, label, choices.get("batch_size", "auto"), Remembering)
    fitted = [fitting(heatmap, subject) for heatmap in heatmaps]
    found: dict[str, list[Faithfulness]] = {}
    for protocol, name, options in runs:
        if name == "token" and fitted:
            _show_together(subject, fitted, options.steps)
        found[protocol] = [Faithfulness(*PROTOCOLS[name](subject, heatmap, options), subject.label) for heatmap in fitted]
    return found


def protocol_of(spelled: str, choices: Choices) -> tuple[str, Options]:
    """Return the name of a protocol that is spelled with its baseline, and the options it is run with.

    Raises
    ------
    InputError
        If either is unknown, or "token" has a baseline.

    Examples
    --------
    >>> protocol_of("patch/blur", {"steps": 16})[1].label
    'blur, 16 steps'
    >>> protocol_of("token/blur", {})
    Traceback (most recent call last):
    multiplex_vit.errors.InputError: protocol 'token/blur': tokens leave the sequence, no baseline is put in their place; give 'token'
    """
    if not isinstance(spelled, str):
        raise InputError(f"protocol is {spelled!r}; give a name, with its baseline where it has one, such as 'patch/black'")
    name, _, baseline = spelled.partition("/")
    PROTOCOLS.resolve(name)
    if name == "token" and baseline:
        raise InputError(f"protocol {spelled!r}: tokens leave the sequence, no baseline is put in their place; give 'token'")
    if baseline:
        BASELINES.resolve(baseline)
    given = {key: value for key, value in choices.items() if key != "steps" or name in BY_STEPS}
    return name, options_of({**given, **({"baseline": baseline} if baseline else {})})  # type: ignore[typeddict-item]


def _show_together(subject: Subject, heatmaps: list[np.ndarray], steps: int | None) -> None:
    """Show all sets of tokens at once: those of one size share a batch, and every heatmap brings one set of each size."""
    counts = steps_of(heatmaps[0].size, steps)
    inserted = np.concatenate([ranks(heatmap)[None] < counts[:, None] for heatmap in heatmaps])
    subject.token_confidence(np.concatenate([inserted, ~inserted]))
