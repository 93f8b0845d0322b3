"""Explore: the interactive page, of plain arrays.

`mv.explorer(model, image)` makes one of an image; networks and explanations have `.explore()`.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
