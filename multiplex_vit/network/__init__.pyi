"""What `multiplex_vit.network` offers: the code reads this list, and so do editors and type checkers."""

from .aggregate import AGGREGATIONS as AGGREGATIONS
from .centrality import CENTRALITIES as CENTRALITIES
from .comparison import LAYER_DISTANCES as LAYER_DISTANCES
from .comparison import EdgeStatistic as EdgeStatistic
from .comparison import compare as compare
from .comparison import compare_measures as compare_measures
from .comparison import network_based_statistic as network_based_statistic
from .comparison import permutation_test as permutation_test
from .coupling import COUPLINGS as COUPLINGS
from .export import EXPORTERS as EXPORTERS
from .export import PRESETS as PRESETS
from .export import exporter_of as exporter_of
from .export import lint_gephi as lint_gephi
from .filters import FILTERS as FILTERS
from .layer import Layer as Layer
from .layer_measures import LAYER_MEASURES as LAYER_MEASURES
from .layer_measures import NULL_MODELS as NULL_MODELS
from .multilayer import DENSITIES as DENSITIES
from .multilayer import LAYER_SIMILARITIES as LAYER_SIMILARITIES
from .multilayer import MULTILAYER_MEASURES as MULTILAYER_MEASURES
from .multilayer import Reducibility as Reducibility
from .multiplex import Multiplex as Multiplex
from .positions import LAYOUTS as LAYOUTS
from .sinks import residual_cancellation as residual_cancellation
from .sinks import token_similarity as token_similarity
from .tokens import Tokens as Tokens
