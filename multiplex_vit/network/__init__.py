"""Multiplex networks of patch tokens: the object, its measures, its couplings, its files.

Nothing in this room imports torch.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
