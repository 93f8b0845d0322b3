"""What `multiplex_vit` offers: the code reads this list, and so do editors and type checkers."""

from . import evaluation as evaluation
from . import explore as explore
from . import models as models
from . import network as network
from . import plot as plot
from . import report as report
from . import saliency as saliency
from . import study as study
from .errors import InputError as InputError
from .evaluation import PROTOCOLS as PROTOCOLS
from .evaluation import Faithfulness as Faithfulness
from .evaluation import evaluate as evaluate
from .evaluation import explorer as explorer
from .explore import Explorer as Explorer
from .models import VisionModel as VisionModel
from .models import load as load
from .models import wrap as wrap
from .network import CENTRALITIES as CENTRALITIES
from .network import EXPORTERS as EXPORTERS
from .network import FILTERS as FILTERS
from .network import LAYER_MEASURES as LAYER_MEASURES
from .network import Multiplex as Multiplex
from .pictures import read_image as read_image
from .pictures import samples as samples
from .saliency import EXPLAINERS as EXPLAINERS
from .saliency import STATISTICS as STATISTICS
from .saliency import Explainer as Explainer
from .saliency import Explanation as Explanation
from .saliency import Ranking as Ranking
from .saliency import Settings as Settings
from .saliency import explain as explain
from .saliency import explain_each as explain_each
from .saliency import explain_many as explain_many
from .saliency import multiplex as multiplex
from .saliency import networks as networks
from .saliency import sweep as sweep
from .study import Study as Study
from .study import ablations as ablations
from .study import images as images

__version__: str
