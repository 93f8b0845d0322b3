"""Groups: explainers of a study that are computed together, since they share passes."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from multiplex_vit.errors import InputError
from multiplex_vit.registry import name_of
from multiplex_vit.saliency.designs import DESIGNS
from multiplex_vit.saliency.estimators import ESTIMATORS
from multiplex_vit.saliency.explainers import EXPLAINERS, Explainer
from multiplex_vit.saliency.settings import Settings

PASSES, HEATMAPS, MASKS = "passes", "heatmaps", "masks"
"""What a group is made from: passes of the model, heatmaps that were kept, or masks that were."""

_DIMENSIONS = ("operators", "centralities", "statistics")


@dataclass(frozen=True)
class Group:
    """Explainers and protocols that are computed together for a chunk of images.

    Attributes
    ----------
    explainers : tuple of str
        Texts of the explainers, such as "rise_tokens(budget=550)".
    protocols : tuple of str
    made_from : "passes", "heatmaps" or "masks"
        Kept heatmaps are measured by further protocols; kept masks give the heatmaps of explainers
        that use some of them. Neither explains anything anew.
    base : str
        Text of the explainer whose masks are used; "" unless `made_from` is "masks".
    """

    explainers: tuple[str, ...]
    protocols: tuple[str, ...]
    made_from: str = PASSES
    base: str = ""

    @property
    def pairs(self) -> set[tuple[str, str]]:
        """Every explainer with every protocol."""
        pairs: set[tuple[str, str]] = set()
        for explainer in self.explainers:
            pairs.update((explainer, protocol) for protocol in self.protocols)
        return pairs

    def record(self) -> dict[str, Any]:
        """Return the group as JSON can hold it."""
        return {
            "explainers": list(self.explainers),
            "protocols": list(self.protocols),
            "made_from": self.made_from,
            "base": self.base,
        }

    @classmethod
    def restored(cls, record: Mapping[str, Any]) -> "Group":
        """Return a group from its record; InputError if it is none."""
        try:
            explainers = tuple(record["explainers"])
            protocols = tuple(record["protocols"])
            made_from, base = record["made_from"], record["base"]
        except (KeyError, TypeError) as error:
            raise InputError(f"a group of explainers lacks something: {error}") from error
        texts = (*explainers, *protocols, made_from, base)
        if not all(isinstance(text, str) for text in texts):
            raise InputError("a group of explainers holds something that is no text")
        return cls(explainers, protocols, made_from, base)


def planned(
    explainers: Sequence[Explainer],
    protocols: Sequence[str],
    there: Sequence[Group] = (),
    *,
    masks_kept: bool = False,
) -> list[Group]:
    """Return the groups that add what is missing to the groups that are there.

    Parameters
    ----------
    explainers : sequence of Explainer
    protocols : sequence of str
    there : sequence of Group
        What a study has, or is going to have.
    masks_kept : bool
        Whether the masks of what is there are kept.

    Returns
    -------
    list of Group
        Each pair of an explainer and a protocol that is missing is in one of them.
    """
    covered = set()
    for group in there:
        covered |= group.pairs
    # Their heatmaps are kept, and need only be measured by further protocols.
    explained = {text for text, _ in covered}
    bases = _bases(there) if masks_kept else {}
    # What is made from the same things and lacks the same protocols is computed together.
    together: dict[tuple[Any, ...], list[str]] = {}
    for explainer in explainers:
        text = str(explainer)
        missing = tuple(name for name in protocols if (text, name) not in covered)
        if not missing:
            continue
        made_from, base = PASSES, ""
        shares_masks = explainer.settings is not None
        if text in explained:
            made_from, shares_masks = HEATMAPS, False
        elif explainer.settings is not None:
            base = _base_of(explainer.settings, bases)
            made_from = MASKS if base else PASSES
        together.setdefault((made_from, base, shares_masks, missing), []).append(text)
    groups = []
    for (made_from, base, _, missing), texts in together.items():
        groups.append(Group(tuple(texts), missing, made_from, base))
    return groups


def _bases(there: Iterable[Group]) -> dict[str, Settings]:
    """Return the settings of the explainers whose masks are kept, by their text."""
    bases: dict[str, Settings] = {}
    for group in there:
        if group.made_from != PASSES:
            continue
        for text in group.explainers:
            # A function of one's own that is not registered has no masks.
            settings = EXPLAINERS[text].settings if text in EXPLAINERS else None
            if settings is not None:
                bases[text] = settings
    return bases


def _base_of(settings: Settings, bases: Mapping[str, Settings]) -> str:
    """Return the text of an explainer whose masks hold those of some settings, or ""."""
    for text, base in bases.items():
        if holds_masks_of(base, settings):
            return text
    return ""


def holds_masks_of(base: Settings, settings: Settings) -> bool:
    """Tell whether the heatmap of some settings follows from some of the masks of a base.

    That needs the published design, whose masks have an operator, a centrality and a statistic
    each, and an estimator that needs masks and confidences alone.

    Examples
    --------
    >>> holds_masks_of(Settings(), Settings(statistics=("max", "min")))
    True
    >>> holds_masks_of(Settings(), Settings(statistics=("max", "min"), min_cut=0.5))
    False
    """
    for chosen in (base, settings):
        # A budget cuts masks off at the end, so that what is left depends on all of them.
        if DESIGNS.own_name(chosen.design) != "centrality" or chosen.budget is not None:
            return False
    # The token graph and priors are not kept.
    needs_graph = ESTIMATORS.trait(settings.estimator, "needs") == "graph"
    if needs_graph or settings.prior is not None:
        return False
    for dimension in _DIMENSIONS:
        names = [name_of(member) for member in getattr(base, dimension)]
        wanted = [name_of(member) for member in getattr(settings, dimension)]
        # The order counts too: sums in another order have other last bits.
        if wanted != [name for name in names if name in wanted]:
            return False
    same = {dimension: getattr(base, dimension) for dimension in _DIMENSIONS}
    return settings.at(**same) == base
