"""Reports: what may be said of the tables that a study keeps. Nothing here runs a model."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
