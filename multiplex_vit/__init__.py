"""multiplex_vit: Vision Transformers as multiplex networks, and the networks as explanations.

Importing this package does not import torch; each public name brings what it needs when it is first
used. The names stand in `__init__.pyi`, here and in each room.
"""

import lazy_loader

__version__ = "0.1.0"

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
