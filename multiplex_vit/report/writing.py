"""Writing: a study's tables and figures as files: CSV, Markdown and PNG."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pandas as pd

from multiplex_vit import plot
from multiplex_vit.arguments import checked
from multiplex_vit.files import output_folder, written_together
from multiplex_vit.report.ablate import FULL, ablation_of
from multiplex_vit.report.agreement import agreement, rank_correlation
from multiplex_vit.report.figures import (
    change_figure,
    correlation_figure,
    option_figures,
    plot_curves,
    plot_gallery,
    plot_passes,
)
from multiplex_vit.report.given import ReadOnce, check_study
from multiplex_vit.report.leaderboard import leaderboard, readable
from multiplex_vit.report.markdown import REPORT, markdown_table
from multiplex_vit.report.names import display_names
from multiplex_vit.report.summary import MEASURES, summarise
from multiplex_vit.study.study import CONTROL
from multiplex_vit.tabular import write_table

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from multiplex_vit.report.ablate import Ablation
    from multiplex_vit.study.study import Study

DIGITS = 6
"""Significant digits of figures in files."""

_SUMMARY = [
    *("name", "images", "value", "low", "high", "more", "more_low", "more_high"),
    *("effect", "better", "p_holm", "change", "change_low", "change_high", "p_change"),
    "agreement",
]
_HOW_TO_READ = (
    "Areas under curves are means with bootstrap 95 % intervals over images. Differences are"
    " paired; p is Wilcoxon's (signed ranks, two-sided), Holm-corrected within a table."
    " Explainers that the paired interval does not tell from the one above share a rank."
    " *more* is the difference to a random order of the patches, *change* that to the first"
    " explainer, *agreement* the mean Spearman correlation with its heatmaps."
)
_CHANGES = ["variant", "change", "change_low", "change_high", "p_holm"]
_ABLATION = [
    *("variant", "value", "low", "high", "change", "change_low", "change_high"),
    *("effect", "p_holm", "agreement"),
]


@checked
def write_report(
    study: "Study", out: Any, *, against: str | Iterable[str] | None = None
) -> list[Path]:
    """Write a study's report into a folder: all files or none.

    Written are report.md, scores.csv, curves.csv, summary.csv, a leaderboard for each protocol
    (CSV), ablation.csv where the study has variants, and figures (PNG).

    Parameters
    ----------
    study : Study
    out : path-like
    against : str or iterable of str, optional
        See `leaderboard`.

    Returns
    -------
    list of Path
        The files.

    Raises
    ------
    InputError
        If nothing is done yet, or the folder cannot be written.
    """
    check_study(study)
    # Every table and figure below reads the same few tables, with their checksums.
    study = cast("Study", ReadOnce(study))
    agreements = agreement(study)
    summaries = {}
    for measure in MEASURES:
        # Protocols without insertion leave it missing; the difference is always there, or the
        # study has nothing yet, which the summary says.
        is_there = study.scores()[measure].notna().any()
        if is_there or measure == "difference":
            summaries[measure] = summarise(
                study,
                measure,
                agreements=agreements,
            )
    boards = {}
    for protocol in study.protocols:
        boards[protocol] = leaderboard(study, protocol, against=against)
    ablation = ablation_of(study)
    # All is drawn before the folder is touched.
    differences = summaries["difference"]
    figures = dict(_figures(study, differences, ablation))
    with output_folder(out) as folder, written_together(folder) as temporary:
        write_table(study.scores(), temporary / "scores.csv", digits=DIGITS)
        write_table(study.curves(), temporary / "curves.csv", digits=DIGITS)
        parts = []
        for measure, table in summaries.items():
            parts.append(table.assign(measure=measure))
        write_table(pd.concat(parts), temporary / "summary.csv", digits=DIGITS)
        for protocol, board in boards.items():
            name = f"leaderboard_{_file_name(protocol)}.csv"
            write_table(board, temporary / name, digits=DIGITS)
        if ablation is not None:
            write_table(ablation.summary(), temporary / "ablation.csv", digits=DIGITS)
        for name, figure in figures.items():
            figure.savefig(temporary / f"{name}.png", dpi=130)
        text = _text(study, summaries, boards, ablation, list(figures))
        # Names of images may hold what UTF-8 does not.
        (temporary / REPORT).write_bytes(text.encode("utf-8", "backslashreplace"))
        names = sorted(path.name for path in temporary.iterdir())
    return [folder / name for name in names]


def _figures(
    study: "Study", summary: pd.DataFrame, ablation: "Ablation | None"
) -> Iterator[tuple[str, "Figure"]]:
    """Yield names and figures."""
    names = display_names(study.explainers)
    for protocol in study.protocols:
        file = _file_name(protocol)
        ax = plot.panel((7, 4.6))
        plot_passes(study, protocol, ax=ax)
        yield f"passes_{file}", ax.figure  # type: ignore[misc]
        yield f"curves_{file}", plot_curves(study, protocol)
        rows = summary[summary["protocol"] == protocol]
        first = names[str(study.explainers[0])]
        yield from _change_figures(rows, protocol, first)
    if len(study.views()):
        yield "gallery", plot_gallery(study)
    yield from option_figures(study, study.protocols[0])
    # A random order agrees with nothing, and would only take a row.
    heatmaps = study.heatmaps()
    heatmaps = heatmaps[heatmaps["explainer"] != CONTROL]
    if heatmaps["explainer"].nunique() > 1:
        shown = heatmaps["explainer"].map(names)
        named = heatmaps.assign(explainer=shown)
        matrix = rank_correlation(named)
        yield "agreement", correlation_figure(matrix)
    if ablation is not None:
        yield from _ablation_figures(ablation, names)


def _ablation_figures(
    ablation: "Ablation",
    names: dict[str, str],
) -> Iterator[tuple[str, "Figure"]]:
    """Yield a figure of what variants change for each explainer and protocol."""
    table = ablation.summary()
    groups = table.groupby(["explainer", "protocol"], sort=False)
    for (text, protocol), rows in groups:
        # The full explainer's change against itself is 0.
        changes = rows[rows["variant"] != FULL]
        title = f"{names[text]}, {protocol}"
        figure = change_figure(
            changes,
            label="change of insertion - deletion",
            title=title,
        )
        yield f"ablation_{_file_name(title)}", figure


def _change_figures(
    rows: pd.DataFrame, protocol: str, first: str
) -> Iterator[tuple[str, "Figure"]]:
    """Yield figures of the paired differences to the random order, and to the first explainer."""
    drawn = {
        CONTROL: ["name", "more", "more_low", "more_high", "p_holm"],
        first: ["name", "change", "change_low", "change_high", "p_change"],
    }
    for other, columns in drawn.items():
        mean = columns[1]
        # A study may lack the random order, or a second explainer.
        if not set(columns) <= set(rows) or rows[mean].isna().all():
            continue
        table = rows[columns].dropna(subset=mean)
        table = table.set_axis(_CHANGES, axis=1)
        kind = "more" if other == CONTROL else "changes"
        label = f"insertion - deletion, more than {other} ({protocol})"
        figure = change_figure(table, label=label)
        yield f"{kind}_{_file_name(protocol)}", figure


def _text(
    study: "Study",
    summaries: dict[str, pd.DataFrame],
    boards: dict[str, pd.DataFrame],
    ablation: "Ablation | None",
    pictures: list[str],
) -> str:
    """Return the report as Markdown."""
    sections = [f"# Study of {study.plan.model}", *_introduction(study)]
    for protocol, board in boards.items():
        sections.append(f"## Leaderboard, {protocol}")
        sections.append(markdown_table(readable(board)))
    for measure, table in summaries.items():
        title = measure.capitalize()
        if measure == "difference":
            title = "Insertion - deletion"
        for protocol, rows in table.groupby("protocol", sort=False):
            columns = [name for name in _SUMMARY if name in rows]
            sections.append(f"## {title}, {protocol}")
            sections.append(markdown_table(rows[columns]))
    if ablation is not None:
        names = display_names(study.explainers)
        table = ablation.summary()
        groups = table.groupby(["explainer", "protocol"], sort=False)
        for (text, protocol), rows in groups:
            sections.append(f"## Ablation of {names[text]}, {protocol}")
            sections.append(markdown_table(rows[_ABLATION]))
    sections.append("## Figures")
    for name in pictures:
        sections.append(f"![{name}]({name}.png)")
    failures = study.failures()
    if len(failures):
        sections += ["## Failures", markdown_table(failures)]
    return "\n\n".join(sections) + "\n"


def _introduction(study: "Study") -> list[str]:
    """Return what was studied, and how to read the tables."""
    manifest = study.store.manifest()
    passes = study.all_passes()
    versions = []
    for name, number in manifest.versions.items():
        versions.append(f"{name} {number}")
    steps = "every patch up to 100 steps"
    if study.plan.steps:
        steps = f"{study.plan.steps} steps"
    n_images = len(study.image_table())
    return [
        f"{n_images} images ({manifest.study['images']['kind']}),"
        f" {len(study.explainers)} explainers, {len(study.failures())} failures,"
        f" {manifest.study['score']}, {steps}, seed {study.plan.seed}."
        f" {passes.run:,} forward passes; without sharing {passes.naive:,}."
        f" Model sha256 {manifest.study['model_sha256'][:16]}; {', '.join(versions)}.",
        _HOW_TO_READ,
    ]


def _file_name(text: str) -> str:
    """Return a text with what file names may not hold replaced.

    Examples
    --------
    >>> _file_name("patch/black")
    'patch-black'
    """
    allowed = []
    for character in text:
        allowed.append(character if character.isalnum() else "-")
    return "".join(allowed)
