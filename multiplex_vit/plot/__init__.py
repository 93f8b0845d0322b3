"""Pictures.

Every function takes plain arrays or tables first, draws on `ax` (default: the current axes)
and returns it.

Pictures of several panels make their own Figure and return that. Nothing is shown, saved or
styled globally. Names are drawn letter by letter, never read as mathematics. Objects of the other
rooms have a `.plot()` that calls these.

Importing this package does not import matplotlib; the first use of a name does.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
