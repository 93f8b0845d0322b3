"""What `multiplex_vit.models` offers: the code reads this list, and so do editors and type checkers."""

from .families import FAMILIES as FAMILIES
from .heads import NeighbourHead as NeighbourHead
from .heads import PrototypeHead as PrototypeHead
from .heads import TextHead as TextHead
from .load import load as load
from .operators import OPERATORS as OPERATORS
from .port import Head as Head
from .port import Tokens as Tokens
from .port import Trunk as Trunk
from .vision_model import VisionModel as VisionModel
from .wrap import wrap as wrap
