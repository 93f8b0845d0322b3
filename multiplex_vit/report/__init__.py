"""Reports: what may be said of the tables that a study keeps. Nothing here runs a model."""

from multiplex_vit.report.ablate import Ablation, ablate
from multiplex_vit.report.agreement import agreement, rank_correlation
from multiplex_vit.report.figures import plot_curves, plot_gallery, plot_passes
from multiplex_vit.report.leaderboard import leaderboard
from multiplex_vit.report.names import display_names
from multiplex_vit.report.statistics import Interval, holm, interval, paired
from multiplex_vit.report.summary import summarise
from multiplex_vit.report.writing import write_report

__all__ = [
    "Ablation",
    "Interval",
    "ablate",
    "agreement",
    "display_names",
    "holm",
    "interval",
    "leaderboard",
    "paired",
    "plot_curves",
    "plot_gallery",
    "plot_passes",
    "rank_correlation",
    "summarise",
    "write_report",
]
