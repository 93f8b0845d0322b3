"""Pictures.

Every function takes plain arrays or tables first, draws on `ax` (default: the current axes)
and returns it.

Pictures of several panels make their own Figure and return that. Nothing is shown, saved or
styled globally. Names are drawn letter by letter, never read as mathematics. Objects of the other
rooms have a `.plot()` that calls these.
"""

from multiplex_vit.plot.colour import HEAT, INK, LINKS, SIGNED, colours
from multiplex_vit.plot.comparison import curve_bands, gallery, panel, passes
from multiplex_vit.plot.evaluation import curves, summary
from multiplex_vit.plot.heat import overlay, small_multiples, thumbnail
from multiplex_vit.plot.layers import reducibility, similarity
from multiplex_vit.plot.measures import distribution, pruning, trajectories
from multiplex_vit.plot.network import attention, stack, strongest
from multiplex_vit.plot.studies import changes, correlation, settings
from multiplex_vit.plot.text import shortened

__all__ = [
    "HEAT",
    "INK",
    "LINKS",
    "SIGNED",
    "attention",
    "changes",
    "colours",
    "correlation",
    "curve_bands",
    "curves",
    "distribution",
    "gallery",
    "overlay",
    "panel",
    "passes",
    "pruning",
    "reducibility",
    "settings",
    "shortened",
    "similarity",
    "small_multiples",
    "stack",
    "strongest",
    "summary",
    "thumbnail",
    "trajectories",
]
