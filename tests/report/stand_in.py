"""A stand-in for a study: tables of differences that a test gives, and nothing else."""

from types import SimpleNamespace

import numpy as np
import pandas as pd

import multiplex_vit as mv


class Studied:
    """What reports read of a study, from differences {text of an explainer: [image]}."""

    def __init__(self, differences, protocols=("token",), model="model"):
        self.explainers = tuple(explainer(text) for text in differences)
        self.protocols = protocols
        self.plan = SimpleNamespace(model=model, steps=None, seed=0)
        self.out = "a folder"
        self._differences = differences

    def scores(self):
        rows = []
        for text, values in self._differences.items():
            for protocol in self.protocols:
                for number, value in enumerate(values):
                    if value is not None:
                        rows.append(self._row(number, text, protocol, value))
        return pd.DataFrame(rows)

    def costs(self):
        scores = self.scores()[["number", "image", "explainer"]].drop_duplicates()
        seconds = 1.0 + scores["number"]
        return scores.assign(forward_passes=55, backward_passes=0, seconds=seconds)

    def curves(self):
        return pd.DataFrame()

    def heatmaps(self):
        rows = self.scores()[["number", "image", "explainer"]].drop_duplicates()
        order = np.arange(4.0).reshape(2, 2)
        return rows.assign(heatmap=[order * (i + 1) for i in range(len(rows))])

    @staticmethod
    def _row(number, text, protocol, value):
        head = {"number": number, "image": f"{number}.png", "explainer": text}
        areas = {"insertion": value + 0.25, "deletion": 0.25, "difference": value}
        return {**head, "protocol": protocol, "quantity": "probability", **areas}


def explainer(text):
    """Return a member of the registry, or a stand-in of that name."""
    if text in mv.EXPLAINERS:
        return mv.EXPLAINERS[text]

    def unknown(model, picture, label=None):
        raise AssertionError("a report runs nothing")

    unknown.__name__ = text
    return mv.EXPLAINERS.resolve(unknown)
