"""token: tokens leave the sequence."""

import numpy as np

from multiplex_vit.evaluation.curve import Curve
from multiplex_vit.evaluation.protocols.options import Options
from multiplex_vit.evaluation.protocols.order import ranks, steps_of
from multiplex_vit.evaluation.protocols.registry import PROTOCOLS, Curves
from multiplex_vit.evaluation.protocols.subject import Subject


@PROTOCOLS.register
def token(subject: Subject, heatmap: np.ndarray, options: Options) -> Curves:
    """Let tokens enter or leave the sequence, best first, ties by index; no baseline is needed.

    Fractions run from 0 to 1, with both ends. The difference of the two areas is the symmetric
    relevance gain, SRG (see `patch`).
    """
    counts = steps_of(heatmap.size, options.steps)
    fraction = counts / heatmap.size
    inserted = ranks(heatmap)[None] < counts[:, None]
    name = "token"
    if options.steps is not None:
        name += f"/{options.steps} steps"
    insertion = Curve(fraction, subject.token_confidence(inserted), name)
    deletion = Curve(fraction, subject.token_confidence(~inserted), name)
    return insertion, deletion
