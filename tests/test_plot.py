import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

import multiplex_vit as mv
from multiplex_vit import plot

IMAGE = np.zeros((30, 40, 3), dtype=np.uint8)
HEAT = np.array([[0.0, 1.0], [2.0, 3.0]])


@pytest.fixture(autouse=True)
def _figures():
    before = dict(plt.rcParams)
    yield
    plt.close("all")
    assert dict(plt.rcParams) == before, "no global style"


@pytest.mark.parametrize("smooth", [True, False])
def test_an_overlay_lies_on_the_image(smooth):
    ax = plt.figure().add_subplot()
    assert plot.overlay(IMAGE, HEAT, smooth=smooth, title="t", ax=ax) is ax
    image, heat = ax.get_images()
    assert list(image.get_extent()) == list(heat.get_extent()) == [0, 40, 30, 0]
    assert np.array_equal(heat.get_array(), HEAT)
    assert heat.get_interpolation() == ("bicubic" if smooth else "nearest")


def test_a_signed_heatmap_is_drawn_around_zero():
    heat = plot.overlay(IMAGE, HEAT - 2, ax=plt.figure().add_subplot()).get_images()[1]
    assert (heat.get_clim(), heat.get_cmap().name) == ((-2, 2), plot.SIGNED)


def test_curves_show_their_areas():
    table = pd.DataFrame({"curve": ["insertion"] * 3 + ["deletion"] * 3, "fraction": [0, 0.5, 1] * 2, "confidence": [0, 1, 1, 1, 0, 0]})
    ax = plot.curves(table)
    assert [t.get_text() for t in ax.get_legend().get_texts()] == ["insertion, AUC 0.750", "deletion, AUC 0.250"]
    assert not ax.collections
    ax = plot.curves(pd.concat([table, table.assign(confidence=table["confidence"] / 2)]), ax=plt.figure().add_subplot())
    assert ax.collections, "several images have an interval"


def test_curves_of_two_protocols_are_not_drawn_together():
    table = pd.DataFrame({"curve": "insertion", "fraction": [0, 1], "confidence": [0, 1], "protocol": ["token", "patch/black"]})
    with pytest.raises(mv.InputError, match="curves of token and patch/black do not compare"):
        plot.curves(table)


def test_any_text_is_a_title():
    assert plot.overlay(IMAGE, HEAT, title="m$\\frac{$").get_title() == "m$\\frac{$"
    plt.gcf().canvas.draw()


def test_a_layer_over_the_image(net):
    ax = plot.attention(IMAGE, net.weights[0], net.grid, edges=3, ax=plt.figure().add_subplot())
    assert len(ax.patches) == 3
    discs = ax.collections[0]
    assert discs.get_offsets().data.tolist() == [[10, 7.5], [30, 7.5], [10, 22.5], [30, 22.5]]
    assert np.argmax(discs.get_sizes()) == 3, "node 3 receives most from others"


def test_a_layer_without_edges():
    plot.attention(IMAGE, np.zeros((4, 4)), (2, 2))
    plot.stack(np.zeros((2, 4, 4)), (2, 2))


def test_the_stack_has_every_layer_and_its_links(net):
    ax = net.plot(edges=2, links=3, ax=plt.figure().add_subplot())
    assert [t.get_text() for t in ax.texts] == ["L00", "L01"]
    segments = [len(c.get_segments()) for c in ax.collections if hasattr(c, "get_segments")]
    assert segments[0] == 3
    assert segments[1:] == [2, 2]


def test_the_summary_has_a_row_an_image(demo_vit, tmp_path):
    explanations = mv.explain(demo_vit, [mv.samples()["cat"], mv.samples()["rocket"]], statistics=("max",))
    evaluations = [mv.evaluate(demo_vit, mv.samples()[n], e.heatmap, steps=2) for n, e in zip(("cat", "rocket"), explanations, strict=True)]
    figure = plot.summary(explanations, evaluations)
    assert len(figure.axes) == 8
    figure.savefig(tmp_path / "summary.pdf")
    assert evaluations[0].plot(ax=plt.figure().add_subplot()).lines
    assert explanations[0].plot(ax=plt.figure().add_subplot()).get_title().startswith(explanations[0].label_name)


def test_an_explanation_shows_itself_in_a_notebook(demo_vit):
    png = mv.explain(demo_vit, mv.samples()["cat"], statistics=("max",))._repr_png_()
    assert png.startswith(b"\x89PNG")
    assert not plt.get_fignums(), "no figure is left open"
