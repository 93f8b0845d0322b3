"""Explainer: a way to explain an image, as a value with a name and options."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import attrs
import numpy as np

from multiplex_vit.arguments import checked
from multiplex_vit.checks import vision_model
from multiplex_vit.errors import InputError
from multiplex_vit.saliency.explainers.member import (
    MEMBERS,
    Member,
    Passes,
    Sizes,
    member_behind,
    own_member,
)
from multiplex_vit.saliency.explainers.options import (
    in_order,
    of_partial,
    settings_at,
)
from multiplex_vit.saliency.explainers.target import Target
from multiplex_vit.saliency.explanation import Explanation
from multiplex_vit.saliency.given import GivenNetworks, Network, check_usable
from multiplex_vit.saliency.settings import Settings, differences, plain
from multiplex_vit.spelling import called, did_you_mean


@attrs.frozen(repr=False, eq=False)
class Explainer:
    """A way to explain an image: a name and options, as a value.

    It is called as `explainer(model, image, label)` and returns the explanation. Explainers are
    compared, hashed and pickled by what they are; their text gives them back.

    Attributes
    ----------
    name : str
    kind : "published", "method", "rival", "baseline" or "control"
    class_specific : bool
        Whether the heatmap depends on the class.
    each_token : bool
        Whether it takes a pass for each token, whatever the budget.

    Examples
    --------
    >>> import multiplex_vit as mv
    >>> rise = mv.EXPLAINERS["rise_tokens"].at(budget=550, seed=0)
    >>> str(rise), rise == mv.EXPLAINERS["rise_tokens(budget=550)"]
    ('rise_tokens(budget=550)', True)
    >>> rise.kind, rise.passes(n_tokens=196)
    ('rival', Passes(forward=550, backward=0))
    >>> rise.at(budgt=55)
    Traceback (most recent call last):
    multiplex_vit.errors.InputError: explainer rise_tokens has no option 'budgt' (did you mean ...
    """

    _member: Member
    _options: tuple[tuple[str, Any], ...]
    _settings: Settings | None

    @classmethod
    def of(cls, function: Callable[..., Any]) -> "Explainer":
        """Return a function of one's own as an explainer.

        Parameters
        ----------
        function : callable
            Takes model, picture and label, and perhaps keyword-only options; returns an
            explanation (see `Target.answer`), or an array [row, col]. A `functools.partial` has the
            options that it sets.

        Examples
        --------
        >>> import functools
        >>> def corner(model, picture, label=None, *, size=1): ...
        >>> Explainer.of(functools.partial(corner, size=2)), Explainer.of(corner).takes("size")
        (<Explainer corner(size=2)>, True)
        """
        inner, options = of_partial(function)
        if isinstance(inner, Explainer):
            return inner.at(**options)
        member = member_behind(inner) or own_member(inner)
        return explainer_at(member, {}).at(**options)

    @property
    def name(self) -> str:
        """The name of the method, without options."""
        return self._member.name

    @property
    def __name__(self) -> str:
        return str(self)

    @property
    def options(self) -> Mapping[str, Any]:
        """The options that differ from the method's own; they cannot be changed."""
        return MappingProxyType(dict(self._options))

    @property
    def defaults(self) -> Mapping[str, Any]:
        """All options of the method with its own values."""
        return MappingProxyType(dict(self._member.defaults))

    @property
    def function(self) -> Callable[..., Any]:
        """The function behind the name."""
        return self._member.function

    @property
    def settings(self) -> Settings | None:
        """The settings by which masks are made and weighed; None for methods that have none."""
        return self._settings

    @property
    def kind(self) -> str:
        """What the method is in a comparison: one of `KINDS`."""
        return self._member.kind

    @property
    def class_specific(self) -> bool:
        """Whether the heatmap depends on the class."""
        return self._member.class_specific

    @property
    def each_token(self) -> bool:
        """Whether it takes a pass for each token, whatever the budget."""
        return self._member.each_token

    @property
    def gradients(self) -> bool:
        """Whether gradients are taken; False where nothing is known of that."""
        if self._settings is not None:
            return self._settings.backward_passes > 0
        return self._member.backward not in (None, 0)

    @checked
    def passes(self, n_tokens: int = 196, n_layers: int = 12) -> Passes | None:
        """Return how many passes an image takes at most; None where the method does not say.

        Parameters
        ----------
        n_tokens : int
            Patches of the image. Default: 196.
        n_layers : int
            Blocks of the model. Default: 12.
        """
        if self._settings is not None:
            # The budget is not used up where a design makes fewer masks.
            forward = self._settings.most_passes(n_tokens)
            return Passes(forward, self._settings.backward_passes)
        options = {**self._member.defaults, **self.options}
        budget = options.get("budget", 0)
        return self._member.passes(Sizes(n_tokens, n_layers, budget))

    @checked
    def takes(self, option: str) -> bool:
        """Tell whether the method has an option of this name."""
        return option in self._member.defaults

    def at(self, **options: Any) -> "Explainer":
        """Return the method with these options changed.

        Raises
        ------
        InputError
            If the method has no such option, or cannot have that value.
        """
        self._check_known(options)
        return explainer_at(self._member, {**self.options, **options})

    def where_taken(self, **options: Any) -> "Explainer":
        """Return the method with those of the options changed that it has; others are left out.

        Examples
        --------
        >>> import multiplex_vit as mv
        >>> [mv.EXPLAINERS[name].where_taken(budget=9) for name in ("rollout", "tis")]
        [<Explainer rollout>, <Explainer tis(budget=9)>]
        """
        taken = {name: value for name, value in options.items() if self.takes(name)}
        return self.at(**taken)

    def __call__(
        self,
        model: Any,
        image: Any,
        label: int | str | None = None,
        *,
        batch_size: int | str = "auto",
        network: Network | None = None,
    ) -> Explanation:
        """Explain an image.

        A function that returns an array [row, col] is taken to have run no pass; the scores of the
        whole image then take one.

        Parameters
        ----------
        model : VisionModel
        image : as for `explain`
        label : int or str, optional
            Index or name of the class to explain. Default: the predicted class.
        batch_size : int or "auto"
            Most masks a forward pass, for methods made of masks by settings. Default: "auto".
        network : Multiplex, or mapping of head operator to Multiplex, optional
            What masks are made of, as for `explain`. Default: the image's own.

        Raises
        ------
        InputError
            If the image or the class cannot be used, or the method returns no heatmap.
        """
        # Methods are given what the model sees, whatever the user has.
        picture = vision_model(model).picture(image)
        run = self._member.function
        given = None if network is None else self._given(network)
        if self._settings is not None:
            settings = self._settings
            return self.sign(run(model, picture, label, settings, batch_size, given))
        result = run(model, picture, label=label, **self.options)
        if isinstance(result, Explanation):
            return self.sign(result)
        # A heatmap alone does not say what the model thinks of the image.
        target = Target.of(model, picture, label)
        values = _array(result, self)
        return self.sign(target.answer(values, target.clean()))

    @checked
    def sign(self, explanation: Explanation) -> Explanation:
        """Return an explanation with this explainer as what explained it."""
        return replace(explanation, explainer=str(self))

    def __str__(self) -> str:
        texts = {name: plain(value) for name, value in self._options}
        return called(self.name, texts)

    def __repr__(self) -> str:
        return f"<Explainer {self}>"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Explainer):
            return NotImplemented
        return self._identity() == other._identity()

    def __hash__(self) -> int:
        return hash(self._identity())

    def __reduce__(self) -> tuple[Any, ...]:
        # Functions are pickled by where they are defined, and registered there when that is read.
        if self._settings is not None:
            return _restored, (self.name, dict(self._options))
        return _restored, (self.function, dict(self._options))

    def _identity(self) -> tuple[Any, ...]:
        return self.name, self._member.function, self._options

    def _given(self, network: Network) -> GivenNetworks:
        if self._settings is None:
            what = f"{self} makes no masks of networks"
            raise InputError(f"{what}; leave network out")
        check_usable(self._settings, self.options, str(self))
        return GivenNetworks.of(network)

    def _check_known(self, options: Mapping[str, Any]) -> None:
        if self._member.any_option:
            return
        defaults = self._member.defaults
        for option in options:
            if option not in defaults:
                which = f"known: {', '.join(defaults)}" if defaults else "it has none"
                what = f"explainer {self.name} has no option {option!r}"
                raise InputError(f"{what}{did_you_mean(option, defaults)}; {which}")


def explainer_at(member: Member, options: Mapping[str, Any]) -> Explainer:
    """Return a method of the registry with options, without those that are its own already."""
    settings = None
    if member.settings is not None:
        settings = settings_at(member.settings, options)
        options = differences(settings, member.settings)
    return Explainer(member, in_order(options, member.defaults), settings)


def _array(result: Any, explainer: Explainer) -> np.ndarray:
    """Return what a function of one's own returned, if it is a heatmap."""
    if getattr(result, "ndim", None) != 2:
        kind = type(result).__name__
        what = f"explainer {explainer} returned {kind}"
        raise InputError(f"{what}; expected an array [row, col]")
    return result


def _restored(source: Any, options: dict[str, Any]) -> Explainer:
    """Return what was pickled.

    It is a member by its name, or a function found where its module has it.
    """
    if isinstance(source, str):
        return explainer_at(MEMBERS[source], options)
    return Explainer.of(source).at(**options)
