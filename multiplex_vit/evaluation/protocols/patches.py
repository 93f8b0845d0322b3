"""patch: whole patches replaced by a baseline."""

import numpy as np

from multiplex_vit.evaluation.protocols.options import Options
from multiplex_vit.evaluation.protocols.order import pixel_map, ranks, steps_of
from multiplex_vit.evaluation.protocols.painting import inserted_and_deleted, painter
from multiplex_vit.evaluation.protocols.registry import PROTOCOLS, Curves
from multiplex_vit.evaluation.protocols.subject import Subject


@PROTOCOLS.register(takes_baseline=True)
def patch(subject: Subject, heatmap: np.ndarray, options: Options) -> Curves:
    """Insert and delete whole patches, best first, ties by index; fractions 0 to 1 with both ends.

    Insertion starts at the baseline image and ends at the clean one, deletion the other way round.
    The difference of the two areas is the symmetric relevance gain, SRG (Bluecher, Vielhaben,
    Strodthoff, TMLR 2024, arXiv:2401.06654): removing the least relevant patches first is inserting
    the most relevant ones, read from its end.
    Pixels that the model's patch embedding does not cover (a remainder at the border) go with their
    nearest patch.
    """
    rank = ranks(heatmap)[pixel_map(subject, heatmap.shape)]
    counts = steps_of(heatmap.size, options.steps)
    return inserted_and_deleted(
        subject,
        rank,
        counts,
        fraction=counts / heatmap.size,
        paint=painter(subject, options),
        protocol=f"patch/{options.label}",
    )
