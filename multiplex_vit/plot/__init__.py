"""Pictures.

Every function takes plain arrays or tables first, draws on `ax` (default: the current axes)
and returns it.

Pictures of several panels make their own Figure and return that. Nothing is shown, saved or
styled globally. Names are drawn letter by letter, never read as mathematics. Objects of the other
rooms have a `.plot()` that calls these.

Importing this package does not import matplotlib; the first use of a name does.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

_HOMES = {
    "HEAT": "colour",
    "INK": "colour",
    "LINKS": "colour",
    "SIGNED": "colour",
    "colours": "colour",
    "curve_bands": "comparison",
    "gallery": "comparison",
    "panel": "comparison",
    "passes": "comparison",
    "curves": "evaluation",
    "summary": "evaluation",
    "overlay": "heat",
    "small_multiples": "heat",
    "thumbnail": "heat",
    "reducibility": "layers",
    "similarity": "layers",
    "distribution": "measures",
    "pruning": "measures",
    "trajectories": "measures",
    "attention": "network",
    "stack": "network",
    "strongest": "network",
    "changes": "studies",
    "correlation": "studies",
    "settings": "studies",
    "shortened": "text",
}
"""The file in which each name is written."""

__all__ = [*_HOMES]

if TYPE_CHECKING:
    from multiplex_vit.plot.colour import HEAT as HEAT
    from multiplex_vit.plot.colour import INK as INK
    from multiplex_vit.plot.colour import LINKS as LINKS
    from multiplex_vit.plot.colour import SIGNED as SIGNED
    from multiplex_vit.plot.colour import colours as colours
    from multiplex_vit.plot.comparison import curve_bands as curve_bands
    from multiplex_vit.plot.comparison import gallery as gallery
    from multiplex_vit.plot.comparison import panel as panel
    from multiplex_vit.plot.comparison import passes as passes
    from multiplex_vit.plot.evaluation import curves as curves
    from multiplex_vit.plot.evaluation import summary as summary
    from multiplex_vit.plot.heat import overlay as overlay
    from multiplex_vit.plot.heat import small_multiples as small_multiples
    from multiplex_vit.plot.heat import thumbnail as thumbnail
    from multiplex_vit.plot.layers import reducibility as reducibility
    from multiplex_vit.plot.layers import similarity as similarity
    from multiplex_vit.plot.measures import distribution as distribution
    from multiplex_vit.plot.measures import pruning as pruning
    from multiplex_vit.plot.measures import trajectories as trajectories
    from multiplex_vit.plot.network import attention as attention
    from multiplex_vit.plot.network import stack as stack
    from multiplex_vit.plot.network import strongest as strongest
    from multiplex_vit.plot.studies import changes as changes
    from multiplex_vit.plot.studies import correlation as correlation
    from multiplex_vit.plot.studies import settings as settings
    from multiplex_vit.plot.text import shortened as shortened


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
