"""Networks of many images: each made when it is asked for, and none kept."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, Self

import numpy as np
import pandas as pd

from multiplex_vit.arguments import checked, checked_but
from multiplex_vit.checks import layer_index, one_of, shown, vision_model, whole_or_none
from multiplex_vit.errors import InputError
from multiplex_vit.models.classifier import Classifier
from multiplex_vit.network.layer_measures import LAYER_MEASURES
from multiplex_vit.network.multiplex import Multiplex
from multiplex_vit.registry import Named, chosen, name_of
from multiplex_vit.saliency.image_network import multiplex

_GROUPS = ("predicted", "label")
"""What images may be grouped by."""


class Facts(NamedTuple):
    """What is known of an image beside its network."""

    number: int
    name: str
    label: str


class Networks(Sequence[Multiplex]):
    """The networks of many images, in their order.

    A network is made, by a forward pass, each time that it is asked for. Nothing of it is kept, so
    that memory does not grow with the number of images.

    Parameters
    ----------
    model : VisionModel
    images : sequence
        Images as `multiplex` takes them, or what `mv.images` returns, which knows their classes.
    options : mapping
        Of `multiplex`.

    Examples
    --------
    >>> import multiplex_vit as mv
    >>> photos = [mv.samples()[name] for name in ("cat", "deer")]
    >>> several = mv.networks(mv.load("demo-vit", device="cpu"), photos)
    >>> len(several), several[1]
    (2, <Multiplex: 6 layers of 64 nodes (8 x 8), ... edges>)
    >>> several.measures(["edges", "density"]).columns.tolist()
    ['number', 'image', 'label', 'predicted', 'layer', 'measure', 'value']
    """

    def __init__(self, model: Classifier, images: Any, options: Mapping[str, Any]):
        self.model = vision_model(model)
        self.images = _listed(images)
        self.options = dict(options)

    def __repr__(self) -> str:
        return f"<Networks of {len(self)} images by {self.model.name}>"

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, number: Any) -> Any:
        """Return the network of an image, or the networks of some.

        Raises
        ------
        InputError
            If there is no such image.
        """
        if isinstance(number, slice):
            places = range(len(self))[number]
            return self._of([self._image(place) for place in places])
        place = whole_or_none(number)
        if place is None or not -len(self) <= place < len(self):
            problem = f"there is no image {shown(number)}"
            raise InputError(f"{problem}; give 0 to {len(self) - 1}, or a slice")
        return self._network(self._image(place % len(self)))

    def __iter__(self) -> Iterator[Multiplex]:
        for _, network in self._all():
            yield network

    # --- tables and means -----------------------------------------------------------------

    @checked
    def measures(self, measures: Named | Iterable[Named] | None = None) -> pd.DataFrame:
        """Return one row an image, layer and measure.

        Parameters
        ----------
        measures : str, callable or iterable of them, optional
            Members of `LAYER_MEASURES`, or functions of a `Layer`. Default: all members; many
            images want those that are quick.

        Returns
        -------
        DataFrame
            number, image (name), label (of the image, "" where it is not known), predicted, layer,
            measure, value. `network.compare_measures` says whether two of these differ.

        Raises
        ------
        InputError
            If a measure is unknown, or an image cannot be read.
        """
        members = chosen(LAYER_MEASURES, measures)
        names = [name_of(member) for member in members]
        tables = []
        for facts, network in self._all():
            wide = network.layer_table(members)
            # Row by row: all measures of a layer, then the next layer.
            values = wide[names].to_numpy(dtype=float)
            table = pd.DataFrame(
                {
                    "number": facts.number,
                    "image": facts.name,
                    "label": facts.label,
                    "predicted": network.provenance["predicted"],
                    "layer": np.repeat(wide["layer"].to_numpy(), len(names)),
                    "measure": names * len(wide),
                    "value": values.ravel(),
                }
            )
            tables.append(table)
        return pd.concat(tables, ignore_index=True)

    @checked
    def means(self, by: str = "predicted") -> dict[str, Multiplex]:
        """Return the mean network of each class, by its name.

        Parameters
        ----------
        by : "predicted" or "label"
            Whether images are of the class that the model predicts, or of their own.
            Default: "predicted".

        Raises
        ------
        InputError
            If images have different sizes, or an image cannot be read.
        """
        one_of("by", by, _GROUPS)
        sums: dict[str, np.ndarray] = {}
        counts: dict[str, int] = {}
        last = None
        for facts, network in self._all():
            if last is not None and network.weights.shape != last.weights.shape:
                raise InputError(f"{facts.name} has another size; give images of one size")
            last = network
            group = str(network.provenance["predicted"])
            if by == "label":
                group = facts.label
            weights = network.weights.astype(float)
            sums[group] = sums[group] + weights if group in sums else weights
            counts[group] = counts.get(group, 0) + 1
        assert last is not None, "there is an image"
        means = {}
        for name, total in sums.items():
            means[name] = _mean(last, total, name, counts[name])
        return means

    @checked
    def weights(self, layer: int | str) -> np.ndarray:
        """Return the weights of one layer of every image's network.

        Parameters
        ----------
        layer : int or str
            By number or name.

        Returns
        -------
        ndarray [image, source, target]
            As `network.network_based_statistic` takes them.

        Raises
        ------
        InputError
            If there is no such layer, images have different sizes, or one cannot be read.
        """
        layers = []
        for network in self:
            place = layer_index(layer, network.layer_names)
            layers.append(network.weights[place])
            if layers[-1].shape != layers[0].shape:
                raise InputError("images have different sizes; give images of one size")
        return np.stack(layers)

    def by_label(self) -> dict[str, Self]:
        """Return the networks of the images of each class, by its name.

        Raises
        ------
        InputError
            If an image has no label, or cannot be read.
        """
        groups: dict[str, list[Any]] = {}
        for place in range(len(self)):
            image = self._image(place)
            facts = _facts(image, place)
            if not facts.label:
                raise InputError(f"{facts.name} has no label; give mv.images of labelled images")
            groups.setdefault(facts.label, []).append(image)
        return {label: self._of(images) for label, images in groups.items()}

    def _of(self, images: list[Any]) -> Self:
        return type(self)(self.model, images, self.options)

    def _all(self) -> Iterator[tuple[Facts, Multiplex]]:
        for place in range(len(self)):
            image = self._image(place)
            yield _facts(image, place), self._network(image)

    def _image(self, place: int) -> Any:
        # A source of images has samples, and reads each when it is asked for.
        sample = getattr(self.images, "sample", None)
        return self.images[place] if sample is None else sample(place)

    def _network(self, image: Any) -> Multiplex:
        # A sample holds the image, and what is known of it.
        content = getattr(image, "image", image)
        return multiplex(self.model, content, **self.options)


@checked_but("images")
def networks(
    model: Classifier,
    images: Any,
    *,
    operator: Named = "sum",
    min_cut: float = 0.01,
    heads: bool = False,
    prefix: bool = False,
    edges: Named = "attention",
    label: int | str | None = None,
    against: int | str | None = None,
) -> Networks:
    """Return the networks of many images, of which each is made when it is asked for.

    Parameters
    ----------
    model : VisionModel
    images : sequence
        Images as `multiplex` takes them, or what `mv.images` returns.
    operator, min_cut, heads, prefix, edges, label, against
        As for `multiplex`.

    Raises
    ------
    InputError
        If images is no list, or holds none.

    Examples
    --------
    >>> import multiplex_vit as mv
    >>> model = mv.load("demo-vit", device="cpu")
    >>> several = mv.networks(model, list(mv.samples().values()), operator="mean")
    >>> sorted(several.means())[:2]
    ['bird', 'cat']
    """
    options = {
        "operator": operator,
        "min_cut": min_cut,
        "heads": heads,
        "prefix": prefix,
        "edges": edges,
        "label": label,
        "against": against,
    }
    return Networks(model, images, options)


def _listed(images: Any) -> Any:
    """Return images that can be asked for by their place, at least one."""
    has_samples = hasattr(images, "sample") and hasattr(images, "__len__")
    if not has_samples:
        is_stack = getattr(images, "ndim", 0) > 3
        if not is_stack and not isinstance(images, (list, tuple)):
            give = "give a list of images, or mv.images(folder)"
            raise InputError(f"images is {shown(images)}; {give}")
    if not len(images):
        raise InputError("images is empty; give at least one")
    return images


def _facts(image: Any, place: int) -> Facts:
    """Return what is known of an image: a sample knows its name and class, a path its name."""
    named = getattr(image, "name", image)
    name = str(named) if isinstance(named, (str, bytes)) else f"{place:06d}"
    label = getattr(image, "label", None)
    number = getattr(image, "number", place)
    return Facts(number, name, "" if label is None else str(label))


def _mean(network: Multiplex, total: np.ndarray, name: str, count: int) -> Multiplex:
    """Return the network of mean weights of the images of a class."""
    about = {"model": network.provenance["model"], "mean of": name, "images": count}
    return Multiplex(
        total / count,
        network.grid,
        network.layer_names,
        about,
        network.prefix,
        edges=network.edges,
        blocks=network.blocks,
        heads=network.heads,
        signed=network.signed,
    )
