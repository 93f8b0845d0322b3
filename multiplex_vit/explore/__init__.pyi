"""What `multiplex_vit.explore` offers: the code reads this list, and so do editors and type checkers."""

from .data import MaskSteps as MaskSteps
from .data import Partition as Partition
from .data import ShownClasses as ShownClasses
from .data import ShownCurve as ShownCurve
from .data import ShownCurves as ShownCurves
from .data import ThinNetwork as ThinNetwork
from .explorer import Explorer as Explorer
from .thinning import Strongest as Strongest
from .thinning import edges_that_fit as edges_that_fit
from .thinning import greatest as greatest
from .thinning import strongest as strongest
