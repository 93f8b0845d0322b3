"""evaluate: how faithful is a heatmap to the model?"""

from typing import Any, Unpack

import numpy as np

from multiplex_vit.errors import InputError
from multiplex_vit.evaluation.curve import Faithfulness
from multiplex_vit.evaluation.protocols import PROTOCOLS, Choices, Options, Protocol, Subject


def evaluate(
    model: Any, image: Any, heatmap: np.ndarray, *, label: int | str | None = None, protocol: str | Protocol = "patch", **choices: Unpack[Choices]
) -> Faithfulness:
    """Measure a heatmap by insertion and deletion (Petsiuk et al., BMVC 2018, arXiv:1806.07421).

    Parameters
    ----------
    model : VisionModel
    image : as for `explain`
    heatmap : ndarray [row, col]
        On the patch grid; greater is more important.
    label : int or str, optional
        The class whose confidence is followed; the predicted class unless given.
    protocol : str or callable
        "patch" (whole patches replaced by a baseline), "token" (tokens leave the sequence), or "mutex2025" (as published).
    **choices
        baseline ("black", "zero", "mean", "blur", "random"), steps, seed, batch_size.

    Returns
    -------
    Faithfulness
        insertion and deletion curves with their AUC.

    Raises
    ------
    InputError
        If the heatmap does not fit the grid or holds NaN, or a name is unknown.

    Examples
    --------
    >>> import multiplex_vit as mv
    >>> model = mv.load("demo-vit", device="cpu")
    >>> fid = mv.evaluate(model, mv.samples()["cat"], np.arange(64.0).reshape(8, 8), steps=4)
    >>> fid.insertion.fraction.tolist()
    [0.0, 0.25, 0.5, 0.75, 1.0]
    """
    run = PROTOCOLS.resolve(protocol)
    unknown = set(choices) - set(Options.__dataclass_fields__)
    if unknown:
        raise InputError(f"unknown option {sorted(unknown)[0]!r}; known: {', '.join(Options.__dataclass_fields__)}")
    options = Options(**choices)
    if not hasattr(model, "picture"):
        raise InputError(f"model is {type(model).__name__}; give what multiplex_vit.load returns, or VisionModel(model)")
    picture = model.picture(image)
    grid = model.grid_of(picture.pixels.shape[2:])
    values = np.asarray(heatmap.detach().cpu() if hasattr(heatmap, "detach") else heatmap)
    if values.shape != grid or not np.isfinite(np.asarray(values, dtype=float)).all():
        raise InputError(
            f"heatmap of shape {list(values.shape)}{'' if values.shape != grid else ' holds NaN or infinity'}; finite values [{grid[0]}, {grid[1]}] are wanted"
        )
    pixels = picture.pixels.cpu().numpy()
    predicted = int(model.classify(pixels)[0].argmax()) if label is None else -1
    subject = Subject(model, pixels, model.label_of(label, predicted), options.batch_size)
    insertion, deletion = run(subject, values, options)
    return Faithfulness(insertion, deletion, subject.label)
