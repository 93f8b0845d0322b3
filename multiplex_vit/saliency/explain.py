"""explain: an image in, an explanation out."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import repeat
from typing import Any, Unpack, overload

from multiplex_vit.arguments import checked
from multiplex_vit.checks import vision_model
from multiplex_vit.errors import InputError
from multiplex_vit.models.classifier import Classifier
from multiplex_vit.saliency.batching import batches, labels_of
from multiplex_vit.saliency.explainers import EXPLAINERS, Explainer
from multiplex_vit.saliency.explainers.from_settings import warn_of_empty
from multiplex_vit.saliency.explanation import Explanation
from multiplex_vit.saliency.given import Network
from multiplex_vit.saliency.pipeline import explained
from multiplex_vit.saliency.settings import Choices, Settings

Method = str | Explainer | Settings | Callable[..., Any]
"""An explainer by name, as a value, by settings of masks, or as a function of one's own."""


@overload
def explain(
    model: Classifier,
    image: list[Any] | tuple[Any, ...],
    *,
    method: Method = "mutex",
    label: Any = None,
    batch_size: int | str = "auto",
    network: Network | list[Network] | None = None,
    **options: Unpack[Choices],
) -> list[Explanation]: ...
@overload
def explain(
    model: Classifier,
    image: Any,
    *,
    method: Method = "mutex",
    label: Any = None,
    batch_size: int | str = "auto",
    network: Network | None = None,
    **options: Unpack[Choices],
) -> Explanation: ...
@checked
def explain(
    model: Classifier,
    image: Any,
    *,
    method: Method = "mutex",
    label: Any = None,
    batch_size: int | str = "auto",
    network: Any = None,
    **options: Unpack[Choices],
) -> Explanation | list[Explanation]:
    """Explain why a model sees a class in an image.

    Parameters
    ----------
    model : VisionModel
        From `load`.
    image : path-like, PIL image, array, Tensor, or a list of these
        An array is uint8 [row, col, channel], or holds floats [1, channel, row, col] that are
        pre-processed already, as a Tensor does.
    method : str, Explainer, Settings or callable
        A member of `EXPLAINERS`, with options or without ("rise_tokens(budget=550)"), or a function
        of model, picture and label. Default: "mutex", the published method
        (doi:10.1007/s00521-025-11591-x); "communities" gives the better heatmap of as many passes.
    label : int or str, or a list of one an image, optional
        Index or name of the class to explain. Default: the predicted class.
    batch_size : int or "auto"
        Most masks a forward pass. Sums of other batches run in another order, which moves
        confidences by up to 1e-6, and heatmaps by as much times the estimator's gain; see
        `saliency.settings`. Default: "auto".
    network : Multiplex, mapping of head operator to Multiplex, or a list of one an image, optional
        What masks are made of in place of the image's own attention: a network that was filtered
        (`net.filter("disparity", 0.05)`), shuffled (`net.shuffled("degree")`), built, or made of
        another image, with the image's grid of patches. It is taken as it is: min_cut and operators
        are its own, and `starting_layer` leaves out its first layers. "mutex" ranks the nodes of
        each network, so that one network gives a third of the masks of three; "communities" makes
        the token graph of it. With `mv.multiplex(model, image, operator=o)` for each of "min",
        "max" and "sum", masks and heatmap are those of `explain` without networks. Default: none.
    **options
        Options of the method. Those of "mutex" and "communities" are the fields of `Settings`.

    Returns
    -------
    Explanation, or a list of them for a list of images

    Raises
    ------
    InputError
        If the image, the label, the method or an option cannot be used.

    Warns
    -----
    UserWarning
        Once for an image some of whose masks keep nothing or everything.

    Examples
    --------
    >>> import multiplex_vit as mv
    >>> ex = mv.explain(mv.load("demo-vit", device="cpu"), mv.samples()["cat"], token_ratio=0.75)
    >>> ex.heatmap.shape, len(ex.masks)
    ((8, 8), 54)
    """
    # All options are checked before an image is read or a pass is run.
    explainer = EXPLAINERS.resolve(method).at(**options)
    if not isinstance(image, (list, tuple)):
        return explainer(model, image, label, batch_size=batch_size, network=network)
    if network is not None:
        return _of_networks(explainer, model, image, label, batch_size, network)
    explanations = []
    for (explanation,) in explain_each(
        model, image, [explainer], label=label, batch_size=batch_size
    ):
        # Of one image, the explainer warns by itself.
        if explainer.settings is not None:
            warn_of_empty(explanation.masks)
        explanations.append(explanation)
    return explanations


@checked
def explain_each(
    model: Classifier,
    images: Iterable[Any],
    explainers: Method | Iterable[Method],
    *,
    label: Any = None,
    batch_size: int | str = "auto",
) -> Iterator[list[Explanation]]:
    """Explain images one after the other, in the time and memory of several at once.

    Explainers made of masks by settings share one pass of the whole image, and each distinct mask
    is run once for all of them; masks that keep equally many tokens share a pass, whatever their
    image. Other explainers run by themselves. The next images are read in a thread meanwhile.
    Memory does not grow with the number of images, unless results are kept.

    Parameters
    ----------
    model : VisionModel
    images : iterable
        Each as for `explain`.
    explainers : str, Explainer, Settings or callable, or several of them
    label : int, str, or a list of one an image, optional
        Class to explain. Default: the predicted class, also where one of a list is None.
    batch_size : int or "auto"
        Most masks a forward pass. Default: "auto".

    Yields
    ------
    list of Explanation
        An image's, in the order of the explainers.

    Raises
    ------
    InputError
        If an image, a label or an explainer cannot be used.

    Examples
    --------
    >>> import multiplex_vit as mv
    >>> model = mv.load("demo-vit", device="cpu")
    >>> photos = [mv.samples()[name] for name in ("cat", "horse")]
    >>> for mutex, rollout in mv.explain_each(model, photos, ["mutex", "rollout"]):
    ...     print(mutex.label_name, mutex.forward_passes, rollout.forward_passes)
    cat 53 1
    horse 52 1
    """
    vision_model(model)
    chosen = _resolved(explainers)
    # Images may be without end, so that they are not counted unless they must be.
    labels: Iterable[Any] = repeat(label)
    if isinstance(label, (list, tuple)):
        images = list(images)
        labels = labels_of(label, len(images))
    return _each(model, images, labels, chosen, batch_size)


@checked
def explain_many(
    model: Classifier,
    image: Any,
    explainers: Method | Iterable[Method],
    *,
    label: int | str | None = None,
    batch_size: int | str = "auto",
) -> list[Explanation]:
    """Explain an image by several explainers, which share passes as in `explain_each`.

    Parameters
    ----------
    model : VisionModel
    image : as for `explain`
    explainers : str, Explainer, Settings or callable, or several of them
    label : int or str, optional
        Index or name of the class to explain. Default: the predicted class.
    batch_size : int or "auto"
        Most masks a forward pass. Default: "auto".

    Returns
    -------
    list of Explanation
        In the order of the explainers; `shared_passes` counts what they took together.

    Raises
    ------
    InputError
        If the image, the label or an explainer cannot be used.

    Examples
    --------
    >>> import multiplex_vit as mv
    >>> model, cat = mv.load("demo-vit", device="cpu"), mv.samples()["cat"]
    >>> both = mv.explain_many(model, cat, mv.sweep(statistics=["max", "skew"]))
    >>> [len(ex.masks) for ex in both]
    [6, 6]
    """
    of_images = explain_each(
        model,
        [image],
        explainers,
        label=[label],
        batch_size=batch_size,
    )
    return next(of_images)


def _of_networks(
    explainer: Explainer,
    model: Classifier,
    images: Sequence[Any],
    label: Any,
    batch_size: int | str,
    network: Any,
) -> list[Explanation]:
    """Return explanations of images from one network for all of them, or one each."""
    networks = network
    if not isinstance(network, (list, tuple)):
        networks = [network] * len(images)
    if len(networks) != len(images):
        given = f"{len(networks)} networks were given for {len(images)} images"
        raise InputError(f"{given}; give one an image, or one for all")
    labels = labels_of(label, len(images))
    explanations = []
    for image, own_label, own_network in zip(images, labels, networks, strict=True):
        explanation = explainer(
            model,
            image,
            own_label,
            batch_size=batch_size,
            network=own_network,
        )
        explanations.append(explanation)
    return explanations


def _resolved(explainers: Any) -> list[Explainer]:
    if isinstance(explainers, (str, Explainer, Settings)) or callable(explainers):
        explainers = [explainers]
    if not isinstance(explainers, Iterable):
        what = f"explainers is {explainers!r}"
        raise InputError(f"{what}; give an explainer, or several of them")
    chosen = [EXPLAINERS.resolve(explainer) for explainer in explainers]
    if not chosen:
        raise InputError("no explainer was given; give at least one")
    return chosen


def _each(
    model: Classifier,
    images: Iterable[Any],
    labels: Iterable[Any],
    chosen: list[Explainer],
    batch_size: int | str,
) -> Iterator[list[Explanation]]:
    # Others run by themselves, so that batches are as large as these allow.
    settings = [explainer.settings for explainer in chosen if explainer.settings is not None]
    for pictures, own_labels in batches(model, images, labels, settings):
        together: list[list[Explanation]] = [[] for _ in pictures]
        if settings:
            together = explained(model, pictures, own_labels, settings, batch_size)
        for picture, label, of_image in zip(pictures, own_labels, together, strict=True):
            by_settings = iter(of_image)
            explanations = []
            for explainer in chosen:
                if explainer.settings is None:
                    explanations.append(explainer(model, picture, label))
                else:
                    explanations.append(explainer.sign(next(by_settings)))
            yield explanations
