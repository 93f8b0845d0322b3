"""What `multiplex_vit.evaluation` offers: the code reads this list, and so do editors and type checkers."""

from .baselines import BASELINES as BASELINES
from .completeness import completeness as completeness
from .curve import Curve as Curve
from .curve import Faithfulness as Faithfulness
from .evaluate import evaluate as evaluate
from .grid_game import grid_pointing_game as grid_pointing_game
from .localisation import grid_pointing as grid_pointing
from .localisation import mask_mass as mask_mass
from .localisation import pointing_game as pointing_game
from .mosaics import Mosaic as Mosaic
from .mosaics import draw_mosaics as draw_mosaics
from .mosaics import mosaic as mosaic
from .page import explorer as explorer
from .protocols import PROTOCOLS as PROTOCOLS
from .saco import saco as saco
from .sanity import flip_stability as flip_stability
from .sanity import greedy_ceiling as greedy_ceiling
from .sanity import noise_stability as noise_stability
from .sanity import parameter_randomisation as parameter_randomisation
from .sanity import seed_agreement as seed_agreement
