"""The report of a study: tables as Markdown and CSV, figures as PNG and PDF."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from multiplex_vit.errors import InputError
from multiplex_vit.files import output_folder, written_together
from multiplex_vit.tabular import read_table, write_table

if TYPE_CHECKING:
    from multiplex_vit.study.study import Study

FILES = ("report.md", "summary.csv")
"""What a report always holds, beside its figures."""

_MEASURES = ("difference", "insertion", "deletion")
_SHOWN = [
    *("setting", "images", "value", "low", "high", "more", "more_low", "more_high", "effect", "better", "p_holm"),
    *("change", "change_low", "change_high", "p_change", "agreement"),
]
_NUMBERS = (
    *("images", "value", "low", "high", "change", "change_low", "change_high"),
    *("effect", "better", "p", "p_holm", "agreement"),
)
"""Columns of an ablation's summary that hold numbers."""
_ABLATED = ["variant", "value", "low", "high", "change", "change_low", "change_high", "effect", "p_holm", "agreement"]


def write_report(study: "Study", out: Path) -> list[Path]:
    """Write report.md, summary.csv and the figures, all or none; return the files."""
    import matplotlib

    matplotlib.use("Agg")
    from multiplex_vit.study.summary import mean_agreement, summarise

    agreement = mean_agreement(study)
    summaries = {measure: summarise(study, measure, agreement) for measure in _MEASURES}
    with output_folder(out), written_together(out) as temporary:
        pictures = [name for name, figure in _figures(study, summaries["difference"]) if _saved(figure, temporary / name)]
        everything = pd.concat([table.assign(measure=measure) for measure, table in summaries.items()])
        write_table(everything, temporary / "summary.csv")
        (temporary / "report.md").write_text(_text(study, summaries, pictures), encoding="utf-8")
        names = sorted(path.name for path in temporary.iterdir())
    return [out / name for name in names]


def _saved(figure: Any, path: Path) -> bool:
    from matplotlib import pyplot as plt

    for suffix in (".png", ".pdf"):
        figure.savefig(path.with_suffix(suffix), dpi=150)
    plt.close(figure)
    return True


def _figures(study: "Study", summary: pd.DataFrame) -> Iterator[tuple[str, Any]]:
    """Yield names and figures: settings against the random order, a setting's course, how alike heatmaps are, ablations."""
    from matplotlib import pyplot as plt

    from multiplex_vit import plot
    from multiplex_vit.study.ablate import rank_correlation
    from multiplex_vit.study.plan import FULL, RANDOM

    names, first = ["protocol", "setting", "change", "change_low", "change_high", "p_holm"], study.plan.settings[0][0]
    beyond = summary[["protocol", "setting", "more", "more_low", "more_high", "p_holm"]].set_axis(names, axis=1)
    against = {"random order": beyond[beyond["setting"] != RANDOM], first: summary[["protocol", "setting", "change", "change_low", "change_high", "p_change"]]}
    for kind, (other, table) in zip(("settings", "changes"), against.items(), strict=True):
        rows = table.set_axis(names, axis=1).dropna(subset="change").rename(columns={"setting": "variant"})
        for number, (protocol, part) in enumerate(rows.groupby("protocol", sort=False)):
            figure, ax = plt.subplots(figsize=(7.5, 1.2 + 0.3 * len(part)), layout="constrained")
            plot.changes(part, label=f"insertion - deletion, more than {other} ({protocol})", ax=ax)
            yield f"{kind}_{number}", figure
    table = study.table().query("measure == 'difference' and variant == @FULL", local_dict={"FULL": FULL})
    numeric = [name for name in _varied(table) if pd.api.types.is_numeric_dtype(table[name])]
    for name in numeric:
        others = [other for other in numeric if other != name]
        figure, ax = plt.subplots(figsize=(5.5, 3.8), layout="constrained")
        first = table[table["protocol"] == table["protocol"].iloc[0]]
        plot.settings(first.rename(columns={"value": "insertion - deletion"}), x=name, hue=others[0] if others else None, y="insertion - deletion", ax=ax)
        ax.set_title(str(table["protocol"].iloc[0]), fontsize="small")
        yield f"course_{name}", figure
    if "heatmaps" in study.plan.save and len(study.plan.settings) > 1:
        heatmaps = study.heatmaps().query("variant == @FULL", local_dict={"FULL": FULL})
        size = 3 + 0.35 * len(study.plan.settings)
        figure, ax = plt.subplots(figsize=(size + 1, size), layout="constrained")
        plot.correlation(rank_correlation(heatmaps, "setting"), ax=ax)
        yield "agreement", figure
    yield from _ablations(study)


def _ablations(study: "Study") -> Iterator[tuple[str, Any]]:
    from matplotlib import pyplot as plt

    from multiplex_vit import plot
    from multiplex_vit.study.plan import FULL

    for path in _ablation_files(study):
        summary = _ablation(path)
        first = summary[(summary["setting"] == summary["setting"].iloc[0]) & (summary["protocol"] == summary["protocol"].iloc[0])]
        figure, ax = plt.subplots(figsize=(7.5, 1.2 + 0.28 * len(first)), layout="constrained")
        plot.changes(first[first["variant"] != FULL], ax=ax)
        ax.set_title(f"{first['setting'].iloc[0]}, {first['protocol'].iloc[0]}", fontsize="small")
        yield f"ablation_{path.stem}", figure


def _ablation_files(study: "Study") -> list[Path]:
    from multiplex_vit.study.ablate import FOLDER

    return sorted((study.store.folder / FOLDER).glob("*.csv"))


def _ablation(path: Path) -> pd.DataFrame:
    """Return the summary of an ablation; it may have been edited since it was written."""
    give = "the table that ablate wrote, or run ablate again"
    table = read_table(path, numbers=_NUMBERS, give=give)
    missing = [name for name in ("setting", "protocol", *_ABLATED) if name not in table]
    if missing:
        raise InputError(f"cannot read {path}: it has no column {missing[0]!r}; give {give}")
    if table.empty:
        raise InputError(f"cannot read {path}: it has no rows; give {give}")
    return table


def _varied(table: pd.DataFrame) -> list[str]:
    fixed = ("number", "image", "label", "explained", "probability", "score", "setting", "variant", "protocol", "measure", "value")
    return [name for name in table if name not in fixed]


def _text(study: "Study", summaries: dict[str, pd.DataFrame], pictures: list[str]) -> str:
    """Return the report as Markdown."""
    from multiplex_vit.study.summary import markdown

    manifest, facts, failures, passes = study.store.manifest(), study.image_table(), study.failures(), study.all_passes()
    versions = ", ".join(f"{name} {number}" for name, number in manifest["versions"].items())
    lines = [
        f"# Study of {study.plan.model}",
        f"{len(facts)} images ({manifest['study']['images']['kind']}), {len(study.plan.settings)} settings, {len(failures)} images failed. "
        f"{passes.run:,} forward passes; without sharing {passes.naive:,}. Model sha256 {manifest['study']['model_sha256'][:16]}; {versions}.",
        "Means with bootstrap 95 % intervals over images; *more* is the paired difference to a random order of the patches, with Wilcoxon's p "
        "corrected by Holm; *change* is the paired difference to the first setting, and *agreement* the mean Spearman correlation with its heatmap.",
    ]
    for measure, table in summaries.items():
        name = {"difference": "Insertion - deletion"}.get(measure, measure.capitalize())
        for protocol, part in table.groupby("protocol", sort=False):
            lines += [f"## {name}, {protocol}", markdown(part[[column for column in _SHOWN if column in part]])]
    for path in _ablation_files(study):
        for (setting, protocol), part in _ablation(path).groupby(["setting", "protocol"], sort=False):
            lines += [f"## Ablation {path.stem}: {setting}, {protocol}", markdown(part[[column for column in _ABLATED if column in part]])]
    lines += ["## Figures", *(f"![{name}]({name}.png)" for name in pictures)]
    if len(failures):
        lines += ["## Images that failed", markdown(failures)]
    return "\n\n".join(lines) + "\n"
