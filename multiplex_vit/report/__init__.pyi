"""What `multiplex_vit.report` offers: the code reads this list, and so do editors and type checkers."""

from .ablate import Ablation as Ablation
from .ablate import ablate as ablate
from .agreement import agreement as agreement
from .agreement import rank_correlation as rank_correlation
from .figures import plot_curves as plot_curves
from .figures import plot_gallery as plot_gallery
from .figures import plot_passes as plot_passes
from .leaderboard import leaderboard as leaderboard
from .names import display_names as display_names
from .statistics import Interval as Interval
from .statistics import holm as holm
from .statistics import interval as interval
from .statistics import paired as paired
from .summary import summarise as summarise
from .writing import write_report as write_report
