"""token: tokens leave the sequence."""

import numpy as np

from multiplex_vit.evaluation.curve import Curve
from multiplex_vit.evaluation.protocols.options import Options
from multiplex_vit.evaluation.protocols.order import ranks, steps_of
from multiplex_vit.evaluation.protocols.registry import PROTOCOLS, Curves
from multiplex_vit.evaluation.protocols.subject import Subject


@PROTOCOLS.register
def token(subject: Subject, heatmap: np.ndarray, options: Options) -> Curves:
    """Let tokens enter or leave the sequence, best first, ties by index; fractions 0 to 1 with both ends. No baseline is needed."""
    rank = ranks(heatmap)
    counts = steps_of(heatmap.size, options.steps)
    inserted = rank[None] < counts[:, None]
    fraction, name = counts / heatmap.size, "token" if options.steps is None else f"token/{options.steps} steps"
    return (
        Curve(fraction, subject.token_confidence(inserted), name),
        Curve(fraction, subject.token_confidence(~inserted), name),
    )
