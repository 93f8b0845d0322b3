"""Bands of curves and galleries of heatmaps."""

import io

import numpy as np
import pandas as pd
import pytest

import multiplex_vit as mv
from multiplex_vit import plot


def test_bands_are_normal_intervals_of_the_mean():
    points = {"entry": "a", "protocol": "token", "curve": "insertion"}
    table = pd.DataFrame(
        [
            {**points, "image": i, "fraction": f, "confidence": c}
            for i, values in enumerate(([0.1, 0.5], [0.3, 0.7]))
            for f, c in enumerate(values)
        ]
    )
    (ax,) = plot.curve_bands(table).axes
    assert ax.lines[0].get_ydata().tolist() == pytest.approx([0.2, 0.6])
    edges = ax.collections[0].get_paths()[0].vertices[:, 1]
    assert edges.max() == pytest.approx(0.6 + 1.96 * 0.1)
    assert edges.min() == pytest.approx(0.2 - 1.96 * 0.1)
    with pytest.raises(mv.InputError, match="token and patch/black do not compare"):
        plot.curve_bands(pd.concat([table, table.assign(protocol="patch/black")]))


def test_a_gallery_has_a_row_an_image_and_a_column_a_method():
    view, heatmap = np.zeros((8, 12, 3), dtype=np.uint8), np.arange(6.0).reshape(2, 3) - 3
    figure = plot.gallery(
        [view, view], [[heatmap, None], [heatmap, heatmap]], methods=["$a_", "b"], images=["x", "y"]
    )
    assert len(figure.axes) == 6
    assert [ax.get_title() for ax in figure.axes[:3]] == ["image", "$a_", "b"]
    assert not figure.axes[2].axison
    figure.savefig(io.BytesIO())
    with pytest.raises(mv.InputError, match="1 images, 2 methods"):
        plot.gallery([view], [[heatmap]], methods=["a", "b"])
