"""Figures: pictures of a study, drawn from its tables."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from multiplex_vit import plot
from multiplex_vit.arguments import checked
from multiplex_vit.errors import InputError
from multiplex_vit.report.given import check_study
from multiplex_vit.report.leaderboard import leaderboard
from multiplex_vit.report.names import display_names
from multiplex_vit.study.ablations import without_variants
from multiplex_vit.study.tables import differing_options

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from multiplex_vit.study.study import Study

_MOST_CURVES, _MOST_HEATMAPS = 7, 12
_ALWAYS_SHOWN = ("communities", "mutex", "random_order")


@checked
def plot_passes(study: "Study", protocol: str | None = None, **options: Any) -> "Axes":
    """Draw the difference of AUC against passes, by one protocol; see `multiplex_vit.plot.passes`.

    Parameters
    ----------
    study : Study
    protocol : str, optional
        Default: the study's first.
    **options
        As `multiplex_vit.plot.passes` takes them.
    """
    check_study(study)
    protocol = study.protocols[0] if protocol is None else protocol
    board = leaderboard(study, protocol)
    board = board[board["explainer"].isin(_shown(study))]
    methods = {str(explainer): explainer.name for explainer in study.explainers}
    # Budgets of one method share a colour, and have entries of their own.
    table = board.assign(
        entry=board["name"],
        method=board["explainer"].map(methods),
    )
    title = f"{study.plan.model}, {protocol}"
    return plot.passes(table, **{"title": title, **options})


@checked
def plot_curves(
    study: "Study", protocol: str | None = None, *, explainers: Iterable[str] | None = None
) -> "Figure":
    """Draw mean curves with 95 % bands, by one protocol; see `multiplex_vit.plot.curve_bands`.

    Parameters
    ----------
    study : Study
    protocol : str, optional
        Default: the study's first.
    explainers : iterable of str, optional
        Texts or names. Default: the best ones, the package's own and a random order.

    Raises
    ------
    InputError
        If no curve is of these.
    """
    check_study(study)
    protocol = study.protocols[0] if protocol is None else protocol
    order = list(leaderboard(study, protocol)["explainer"])
    if explainers is None:
        pictured = _shown(study)
        best_first = [text for text in order if text in pictured]
        wanted = _few(best_first)
    else:
        wanted = _texts(study, explainers, order)
    names = display_names(study.explainers)
    curves = study.curves()
    is_wanted = curves["explainer"].isin(wanted)
    is_wanted &= curves["protocol"] == protocol
    curves = curves[is_wanted]
    curves = curves.assign(entry=curves["explainer"].map(names))
    # The legend lists explainers as the board does, the best first.
    shown = [names[text] for text in order]
    title = f"{study.plan.model}, {protocol}"
    return plot.curve_bands(curves, order=shown, title=title)


@checked
def plot_gallery(study: "Study", *, explainers: Iterable[str] | None = None) -> "Figure":
    """Draw heatmaps side by side: a row an image, a column an explainer, the best first.

    Parameters
    ----------
    study : Study
    explainers : iterable of str, optional
        Texts or names. Default: the best ones.

    Raises
    ------
    InputError
        If no view was kept, or none of the explainers has a heatmap.
    """
    check_study(study)
    views = study.views().set_index("number")["view"]
    if views.empty:
        problem = f"{study.out} holds no view of an image"
        raise InputError(f"{problem}; run the study first")
    order = list(leaderboard(study)["explainer"])
    if explainers is None:
        pictured = _shown(study)
        best_first = [text for text in order if text in pictured]
        wanted = best_first[:_MOST_HEATMAPS]
    else:
        wanted = _texts(study, explainers, order)
    heatmaps = study.heatmaps()
    once = heatmaps.drop_duplicates("number")
    images = once.set_index("number")["image"]
    # An image whose explainers all failed has a view and no heatmap.
    numbers = [number for number in views.index if number in images.index]
    table = heatmaps.set_index(["number", "explainer"])["heatmap"]
    rows = []
    for number in numbers:
        # None where an explainer failed: its place stays empty.
        row = [table.get((number, text)) for text in wanted]
        rows.append(row)
    names = display_names(study.explainers)
    return plot.gallery(
        [views[number] for number in numbers],
        rows,
        methods=[names[text] for text in wanted],
        images=[Path(images[number]).name for number in numbers],
    )


def option_figures(study: "Study", protocol: str) -> Iterable[tuple[str, "Figure"]]:
    """Yield a name and a figure for each numeric option that differs between explainers."""
    table = study.scores()
    methods = {str(explainer): explainer.name for explainer in study.explainers}
    table = table.assign(method=table["explainer"].map(methods))
    is_shown = table["explainer"].isin(_shown(study))
    is_shown &= table["protocol"] == protocol
    table = table[is_shown]
    # The first column is the explainer itself.
    options = differing_options(study.explainers).columns[1:]
    numeric = []
    for name in options:
        if pd.api.types.is_numeric_dtype(table[name]) and name != "seed":
            numeric.append(name)
    label = "insertion - deletion"
    for name in numeric:
        others = [other for other in numeric if other != name]
        # Explainers without the option have no value of it.
        rows = table.dropna(subset=[name])
        rows = rows.rename(columns={"difference": label})
        # A mean over methods would be of none of them.
        hues = ["method"] if rows["method"].nunique() > 1 else others
        ax = plot.panel((5.5, 3.8))
        plot.settings(
            rows,
            x=name,
            hue=hues[0] if hues else None,
            y=label,
            ax=ax,
        )
        ax.set_title(protocol, fontsize="small")
        yield f"option_{name}", ax.figure  # type: ignore[misc]


def change_figure(table: pd.DataFrame, *, label: str, title: str = "") -> "Figure":
    """Return a figure of paired differences; see `multiplex_vit.plot.changes`."""
    ax = plot.panel((7.5, 1.2 + 0.3 * len(table)))
    plot.changes(table, label=label, ax=ax)
    ax.set_title(title, fontsize="small", parse_math=False)
    return ax.figure  # type: ignore[return-value]


def correlation_figure(matrix: pd.DataFrame) -> "Figure":
    """Return a figure of how alike heatmaps are; see `multiplex_vit.plot.correlation`."""
    size = 3 + 0.35 * len(matrix)
    ax = plot.panel((size + 1, size))
    plot.correlation(matrix, ax=ax)
    return ax.figure  # type: ignore[return-value]


def _shown(study: "Study") -> list[str]:
    """Return the texts of explainers that pictures show: variants have pictures of their own."""
    return [str(explainer) for explainer in without_variants(study.explainers)]


def _few(order: list[str]) -> list[str]:
    """Return the best explainers, and those that are always shown beside them."""
    always = [text for text in order if text in _ALWAYS_SHOWN]
    best = [text for text in order if text not in always]
    # Not below 0, which would count from the end.
    n_left = max(0, _MOST_CURVES - len(always))
    return [*always, *best[:n_left]]


def _texts(study: "Study", explainers: Iterable[str], order: list[str]) -> list[str]:
    """Return the texts of explainers that are named by them, or by their names alone."""
    if isinstance(explainers, str):
        wanted = [explainers]
    else:
        wanted = [str(explainer) for explainer in explainers]
    names = {str(explainer): explainer.name for explainer in study.explainers}
    texts = [text for text in order if text in wanted or names[text] in wanted]
    if not texts:
        problem = f"nothing was measured of {', '.join(wanted)}"
        raise InputError(f"{problem}; known: {', '.join(order)}")
    return texts
