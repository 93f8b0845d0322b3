"""What `multiplex_vit.study` offers: the code reads this list, and so do editors and type checkers."""

from .ablations import ablations as ablations
from .sources import images as images
from .study import Study as Study
