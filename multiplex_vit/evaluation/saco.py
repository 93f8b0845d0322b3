"""SaCo: do values of a heatmap say by how much the score falls, and not only in which order?"""

from typing import Any, Unpack

import numpy as np

from multiplex_vit.arguments import checked
from multiplex_vit.checks import vision_model, whole
from multiplex_vit.errors import InputError
from multiplex_vit.evaluation.localisation import finite_values
from multiplex_vit.evaluation.many import protocol_of
from multiplex_vit.evaluation.protocols import Choices, Options, Subject, ranks
from multiplex_vit.evaluation.protocols.order import pixel_map
from multiplex_vit.evaluation.protocols.painting import painter
from multiplex_vit.models.classifier import Classifier


@checked
def saco(
    model: Classifier,
    image: Any,
    heatmap: np.ndarray,
    *,
    label: int | str | None = None,
    protocol: str = "patch/mean",
    groups: int = 10,
    **choices: Unpack[Choices],
) -> float:
    """Return the salience-guided faithfulness coefficient, from -1 to 1.

    Patches are put into groups by rank. Group i has the sum s_i of its values, and takes away d_i
    of the score where it is left out alone. Of every two groups with s_i >= s_j, the difference s_i
    - s_j counts for the heatmap if d_i >= d_j, and else against it; the sum is divided by that of
    all differences. Unlike areas, it sees how great values are, so it suits signed heatmaps too.
    Wu, Kang, Tang, Hong, Yan, CVPR 2024, arXiv:2404.01415.

    Parameters
    ----------
    model : VisionModel
    image : as for `explain`
    heatmap : ndarray [row, col]
        On the patch grid; greater is more important.
    label : int or str, optional
        The class whose score is followed. Default: the predicted class.
    protocol : str
        How patches are left out: "token", or "patch" with its baseline; the paper has the image's
        mean colour. Default: "patch/mean".
    groups : int
        How many groups, at most one a patch. Default: 10, as in the paper.
    seed : int
        Seed of the baselines that have one. Default: 0.
    batch_size : int or "auto"
        Most images of a forward pass. Default: "auto".

    Returns
    -------
    float
        0 for a heatmap without any differences.

    Raises
    ------
    InputError
        If the heatmap does not fit the grid or holds NaN, or the protocol does not change whole
        patches.

    Examples
    --------
    >>> import multiplex_vit as mv
    >>> model, cat = mv.load("demo-vit", device="cpu"), mv.samples()["cat"]
    >>> occlusion = mv.explain(model, cat, method="occlusion").heatmap
    >>> saco(model, cat, occlusion, protocol="token", groups=64)
    1.0
    """
    options = protocol_of(protocol, choices)
    name = options.pop("protocol")
    if name not in ("token", "patch"):
        problem = f"protocol {protocol!r} does not change whole patches"
        remedy = "give 'token', or 'patch/mean' or with another baseline"
        raise InputError(f"{problem}; {remedy}")
    n_groups = whole("groups", groups, at_least=2)
    given = Options(**options)
    picture = vision_model(model).picture(image)
    # The grid follows from the image, where models take any size.
    grid = model.grid_of(picture.pixels.shape[2:])
    values = finite_values(heatmap, grid)
    pixels = picture.pixels.cpu().numpy()
    subject = Subject.of(model, pixels, label, given.batch_size)

    group = _groups(values, n_groups)
    # More groups than patches leave the last ones empty.
    n_filled = group.max() + 1
    flat = values.ravel().astype(float)
    salience = np.bincount(group, weights=flat)
    # The whole image comes last.
    numbers = np.arange(n_filled + 1)
    there = group != numbers[:, None]
    if name == "token":
        scores = subject.token_confidence(there)
    else:
        shown = there[:, pixel_map(subject, values.shape)]
        paint = painter(subject, given)
        scores = subject.confidence(paint(shown))
    fall = scores[-1] - scores[:-1]
    return _coefficient(salience, fall)


def _groups(values: np.ndarray, n_groups: int) -> np.ndarray:
    """Return the group [patch] of every patch by its rank."""
    # As equal as can be, the first ones a patch greater.
    parts = np.array_split(np.arange(values.size), n_groups)
    of_rank = np.empty(values.size, dtype=int)
    for number, places in enumerate(parts):
        of_rank[places] = number
    return of_rank[ranks(values)]


def _coefficient(salience: np.ndarray, fall: np.ndarray) -> float:
    """Return the coefficient of groups' salience [group] and what each takes away [group]."""
    first, second = np.triu_indices(len(salience), 1)
    difference = salience[first] - salience[second]
    # Groups are in the order of rank, so that no difference is below 0 but for ties in rounding.
    agrees = np.where(fall[first] >= fall[second], 1, -1)
    total = np.abs(difference).sum()
    # A heatmap without any differences says nothing.
    if not total > 0:
        return 0.0
    return float((agrees * difference).sum() / total)
