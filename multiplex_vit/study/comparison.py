"""Comparison: what compare gives back."""

import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pandas as pd

from multiplex_vit.arguments import checked
from multiplex_vit.errors import InputError
from multiplex_vit.files import output_folder, written_together
from multiplex_vit.models.score import score_named
from multiplex_vit.study.ledger import CURVES, DIGITS, ROWS, Ledger, Shown
from multiplex_vit.study.standing import entries, standing, told
from multiplex_vit.tabular import markdown_cell, write_table

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_MOST_CURVES, _MOST_HEATMAPS = 7, 12


@dataclass(frozen=True, eq=False)
class Comparison:
    """Methods measured on the same images. Figures of different protocols never stand in one column.

    Attributes
    ----------
    rows : DataFrame
        One row an image, method, budget and protocol; see `table`.
    curves : DataFrame
        One row a point of a curve: image, method, budget, protocol, curve, fraction, confidence, quantity.
    shown : tuple of Shown
        Views and heatmaps of some images, for the gallery.
    failures : tuple of (image, reason)
        What could not be measured in this run.
    model : str
    score : str
        What the model's outputs mean: "softmax", "sigmoid" or "raw".
    steps : int, optional
        Points of a curve after the first; every patch up to 100 where None.
    label : int, optional
        The class explained; each image's predicted class where None.
    seed : int
    """

    rows: pd.DataFrame = field(repr=False)
    curves: pd.DataFrame = field(repr=False)
    shown: tuple[Shown, ...]
    failures: tuple[tuple[str, str], ...]
    model: str
    score: str = "softmax"
    steps: int | None = None
    label: int | None = None
    seed: int = 0

    def __repr__(self) -> str:
        runs, images = len(self.rows[["method", "budget"]].drop_duplicates()), self.rows["image"].nunique()
        steps = f", {self.steps} steps" if self.steps else ""
        failed = f", {len(self.failures)} failed" if self.failures else ""
        return f"<Comparison of {runs} methods on {images} images by {self.model}: {', '.join(self.protocols)}{steps}{failed}>"

    @classmethod
    def of(cls, ledger: Ledger, failures: tuple[tuple[str, str], ...] = ()) -> "Comparison":
        """Return what a ledger holds."""
        facts = {name: ledger.facts[name] for name in ("model", "score", "steps", "label", "seed")}
        return cls(ledger.rows, ledger.all_curves(), tuple(ledger.shown.values()), failures, **facts)

    @classmethod
    @checked
    def read(cls, folder: str | os.PathLike[str]) -> "Comparison":
        """Read what `compare` wrote into a folder, its curves and heatmaps where they are there.

        Raises
        ------
        InputError
            If the folder holds no comparison.
        """
        ledger = Ledger.read(folder)
        if ledger.rows.empty:
            raise InputError(f"{folder} holds no rows of a comparison; measure something into it first")
        return cls.of(ledger)

    def _repr_html_(self) -> str:
        parts = [f"<p>{escape(repr(self)[1:-1])}</p>"]
        for protocol, rows in self.summary().items():
            parts.append(f"<p>{escape(protocol)}</p>")
            parts.append(told(rows, brief=True).to_html(index=False))
        return "".join(parts)

    @property
    def protocols(self) -> list[str]:
        """Protocols, as they were spelled."""
        return list(self.rows["protocol"].unique())

    def table(self) -> pd.DataFrame:
        """Return one row an image, method, budget and protocol.

        Columns: image, method, budget (missing for methods that have none), protocol, insertion, deletion, difference (AUC),
        quantity (what the curves follow), forward_passes, backward_passes, seconds.
        """
        return self.rows.copy()

    @checked
    def summary(self, against: str | Iterable[str] | None = None) -> dict[str, pd.DataFrame]:
        """Return for every protocol one row a method and budget, best first: means, intervals, paired differences, ranks.

        Parameters
        ----------
        against : str or iterable of str, optional
            Methods that the others are compared with, "mutex" where it was measured; the best rival is another.

        Returns
        -------
        dict of str to DataFrame
            See `multiplex_vit.study.standing.standing` for the columns.
        """
        return {protocol: standing(part, against=against) for protocol, part in self.rows.groupby("protocol", sort=False)}

    @checked
    def markdown(self, against: str | Iterable[str] | None = None) -> str:
        """Return the summary as Markdown: a table a protocol, and how to read it."""
        steps = f"{self.steps} steps" if self.steps else "every patch up to 100 steps"
        lines = [
            f"Model {self.model}, {score_named(self.score).quantity}, {steps}, seed {self.seed}. AUC: means with bootstrap 95 % intervals over images. Differences to another method are paired, p is",
            "Wilcoxon's (signed ranks, two-sided), Holm-corrected within a table. Methods that the paired interval does not tell from the one above share a rank.",
            "Where methods were measured on different numbers of images, rows are ordered by the adjusted mean: as if all had been measured on all (least squares).",
        ]
        for protocol, rows in self.summary(against).items():
            text = told(rows)
            lines.append(f"\n## {self.model}, {protocol}\n")
            for line in (text.columns, ["---"] * len(text.columns), *text.to_numpy()):
                cells = [markdown_cell(str(cell)) for cell in line]
                lines.append(f"| {' | '.join(cells)} |")
        failed = [f"- {image}: {reason}" for image, reason in self.failures]
        return "\n".join([*lines, *(["\nNot measured:\n", *failed] if failed else [])]) + "\n"

    def plot(self, protocol: str | None = None, **options: Any) -> "Axes":
        """Draw the difference of AUC against passes, by one protocol; see `multiplex_vit.plot.passes`."""
        from multiplex_vit import plot

        chosen = self._protocol(protocol)
        return plot.passes(standing(self.rows[self.rows["protocol"] == chosen]), **{"title": f"{self.model}, {chosen}", **options})

    @checked
    def plot_curves(self, protocol: str | None = None, *, methods: Iterable[str] | None = None) -> "Figure":
        """Draw mean curves with 95 % bands, by one protocol; of the best methods and a random order unless methods are named.

        See `multiplex_vit.plot.curve_bands`.
        """
        from multiplex_vit import plot

        chosen = self._protocol(protocol)
        curves = self.curves[self.curves["protocol"] == chosen]
        rows = self.rows[self.rows["protocol"] == chosen]
        order = list(standing(rows)["entry"])
        wanted = self._few(order) if methods is None else list(methods)
        curves = curves.assign(entry=entries(curves))
        curves = curves[curves["entry"].isin(wanted) | curves["method"].isin(wanted)]
        if curves.empty:
            raise InputError(f"no curve is of {', '.join(wanted)}; here are {', '.join(order)}")
        return plot.curve_bands(curves, order=order, title=f"{self.model}, {chosen}")

    @checked
    def plot_gallery(self, *, methods: Iterable[str] | None = None) -> "Figure":
        """Draw heatmaps side by side: a row an image, a column a method, the best first; see `multiplex_vit.plot.gallery`."""
        from multiplex_vit import plot

        if not self.shown:
            raise InputError("no heatmap was kept; compare with gallery=4, say")
        names = entries(self.rows)
        entry = {(m, None if pd.isna(b) else int(b)): name for m, b, name in zip(self.rows["method"], self.rows["budget"], names, strict=True)}
        order = list(self.rows.assign(entry=names).groupby("entry")["difference"].mean().sort_values(ascending=False).index)
        there = [name for name in order if any(entry.get(run) == name for shown in self.shown for run in shown.heatmaps)]
        wanted = there[:_MOST_HEATMAPS] if methods is None else [name for name in there if name in set(methods) or name.split(" ")[0] in set(methods)]
        heatmaps = [{entry[run]: heatmap for run, heatmap in shown.heatmaps.items() if run in entry} for shown in self.shown]
        return plot.gallery(
            [shown.view for shown in self.shown],
            [[each.get(name) for name in wanted] for each in heatmaps],
            methods=wanted,
            images=[Path(shown.image).name for shown in self.shown],
        )

    @checked
    def write(self, folder: str | os.PathLike[str], *, against: str | Iterable[str] | None = None) -> list[Path]:
        """Write rows and curves (CSV), the summary (CSV a protocol, Markdown) and figures (PNG) into a folder, all or none; return the files.

        Raises
        ------
        InputError
            If it cannot be written.
        """
        figures = self._figures()
        with output_folder(folder) as out, written_together(out) as temporary:
            write_table(self.rows, temporary / ROWS, digits=DIGITS)
            write_table(self.curves, temporary / CURVES, digits=DIGITS)
            for protocol, rows in self.summary(against).items():
                write_table(rows, temporary / f"summary_{_file(protocol)}.csv", digits=DIGITS)
            (temporary / "summary.md").write_bytes(self.markdown(against).encode("utf-8", "backslashreplace"))
            for name, figure in figures.items():
                figure.savefig(temporary / name, dpi=130)
            return [out / file.name for file in sorted(temporary.iterdir())]

    def _figures(self) -> "dict[str, Figure]":
        from multiplex_vit import plot

        drawn: dict[str, Figure] = {}
        for protocol in self.protocols:
            self.plot(protocol, ax=(ax := plot.panel((7, 4.6))))
            drawn[f"passes_{_file(protocol)}.png"] = cast("Figure", ax.figure)
            drawn[f"curves_{_file(protocol)}.png"] = self.plot_curves(protocol)
        return drawn | ({"gallery.png": self.plot_gallery()} if self.shown else {})

    def _protocol(self, protocol: str | None) -> str:
        chosen = self.protocols[0] if protocol is None else protocol
        if chosen not in self.protocols:
            raise InputError(f"nothing was measured by {protocol!r}; here are {', '.join(self.protocols)}")
        return chosen

    def _few(self, order: list[str]) -> list[str]:
        """Return the best entries and what they are always held against."""
        always = [name for name in order if name.split(" ")[0] in ("communities", "mutex", "random_order")]
        best = [name for name in order if name not in always]
        return [*always, *best[: max(0, _MOST_CURVES - len(always))]]


def _file(protocol: str) -> str:
    return "".join(letter if letter.isalnum() else "-" for letter in protocol)
