"""What `multiplex_vit.saliency` offers: the code reads this list, and so do editors and type checkers."""

from .designs import DESIGNS as DESIGNS
from .designs import DesignInput as DesignInput
from .edges import EDGES as EDGES
from .estimators import ESTIMATORS as ESTIMATORS
from .explain import explain as explain
from .explain import explain_each as explain_each
from .explain import explain_many as explain_many
from .explainers import EXPLAINERS as EXPLAINERS
from .explainers import Explainer as Explainer
from .explainers import Target as Target
from .explainers import sweep as sweep
from .explanation import Explanation as Explanation
from .image_network import multiplex as multiplex
from .image_networks import Networks as Networks
from .image_networks import networks as networks
from .masks import Masks as Masks
from .precision import precision_agreement as precision_agreement
from .precision import precision_flips as precision_flips
from .ranking import Ranking as Ranking
from .settings import Settings as Settings
from .statistics import STATISTICS as STATISTICS
