"""What `multiplex_vit.models` offers: the code reads this list, and so do editors and type checkers."""

from .adapters import ADAPTERS as ADAPTERS
from .load import load as load
from .operators import OPERATORS as OPERATORS
from .vision_model import VisionModel as VisionModel
