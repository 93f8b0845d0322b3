"""Results: the tables of a study, of what is done so far."""

import pandas as pd

from multiplex_vit.saliency.many import Passes
from multiplex_vit.study.plan import Plan
from multiplex_vit.study.store import LAST, Store

_FIRST = ("number", "image", "label", "explained", "probability", "score", "setting")


class Results:
    """What may be read of a study's folder."""

    @property
    def plan(self) -> Plan:
        """What is computed of every image."""
        raise NotImplementedError

    @property
    def store(self) -> Store:
        """The folder."""
        raise NotImplementedError

    def table(self) -> pd.DataFrame:
        """Return one row an image, setting, variant, protocol and measure: with the image's facts and the settings that differ.

        Columns: number, image, label, explained, probability (of the class explained), score (what that number is), setting, the fields that differ between settings, variant, protocol, measure,
        value. The setting and variant "random order" is the control. Of a run that is not finished, what is done.
        """
        rows, facts = self.store.read("rows"), self.store.read(LAST)
        facts = facts.rename(columns={"name": "image", "explained": "class", "explained_name": "explained"})
        joined = rows.merge(facts[["number", "image", "label", "explained", "probability", "score"]], on="number", how="left").merge(
            self._varied(), on="setting", how="left"
        )
        fields = [name for name in joined if name not in ("variant", "protocol", "measure", "value", *_FIRST)]
        return joined[[*_FIRST, *fields, "variant", "protocol", "measure", "value"]]

    def _varied(self) -> pd.DataFrame:
        """Return the fields that differ between settings, by the settings' names."""
        records = pd.DataFrame([{"setting": name, **each.row()} for name, each in self.plan.settings])
        differ = [name for name in records.columns[1:] if records[name].nunique(dropna=False) > 1]
        whole = {name: "Int64" for name in differ if pd.api.types.is_integer_dtype(records[name])}  # the control has none of these fields
        return records[["setting", *differ]].astype(whole)

    def image_table(self) -> pd.DataFrame:
        """Return one row an image: name, hash, label, class explained, passes that ran and that a script without sharing would have run."""
        return self.store.read(LAST)

    def failures(self) -> pd.DataFrame:
        """Return number, name and reason of each image that could not be explained."""
        return self.store.read("failures")

    def heatmaps(self) -> pd.DataFrame:
        """Return number, setting, variant and heatmap (a list over nodes)."""
        return self.store.read("heatmaps")

    def passes(self) -> Passes:
        """Return how many forward passes explaining took, and how many the same without sharing."""
        table = self.image_table()
        return Passes(int(table["forward_passes"].sum()), int(table["naive_passes"].sum()))

    def all_passes(self) -> Passes:
        """Return the same of explaining and measuring together."""
        table = self.image_table()
        run = table["forward_passes"] + table["evaluation_passes"]
        return Passes(int(run.sum()), int((table["naive_passes"] + table["naive_evaluation_passes"]).sum()))
