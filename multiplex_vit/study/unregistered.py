"""Unregistered: an explainer of which a study knows no more than its text."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from multiplex_vit.errors import InputError
from multiplex_vit.saliency.explainers import EXPLAINERS, Explainer


@dataclass(frozen=True)
class Unregistered:
    """An explainer that is not registered here, such as a function of one's own in another script.

    What a study holds of it can be read, but nothing more can be computed.

    Attributes
    ----------
    text : str
    """

    text: str
    kind: str = "method"
    settings: None = None
    options: Mapping[str, Any] = field(default_factory=dict, compare=False)

    @property
    def name(self) -> str:
        """The text."""
        return self.text

    def __str__(self) -> str:
        return self.text

    def takes(self, option: str) -> bool:
        """Return False: nothing is known of its options."""
        return False


def restored(text: str) -> Any:
    """Return an explainer by its text; of one that is not registered, the text alone."""
    return EXPLAINERS[text] if text in EXPLAINERS else Unregistered(text)


def check_registered(explainer: Any) -> Explainer:
    """Return an explainer that can be called.

    Raises
    ------
    InputError
        If it is not registered here.
    """
    if isinstance(explainer, Unregistered):
        raise InputError(
            f"explainer {explainer.text!r} is not registered here; register the function"
            " (@mv.EXPLAINERS.register) before the study is opened, or give it to a new Study"
        )
    registered: Explainer = explainer
    return registered
