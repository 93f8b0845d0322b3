"""Scales of colour: one direction in all pictures of edges, and no value painted as another is."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.collections import LineCollection
from matplotlib.colors import to_rgba
from matplotlib.patches import FancyArrowPatch

import multiplex_vit as mv
from multiplex_vit import plot

IMAGE = np.full((20, 20, 3), 255, dtype=np.uint8)
CHAIN = np.zeros((4, 4))
CHAIN[0, 1], CHAIN[1, 2], CHAIN[2, 3] = 0.1, 0.5, 0.9


@pytest.fixture(autouse=True)
def _closed():
    yield
    plt.close("all")


def brightness(colours):
    """Return the luminance of colours, without regard to how opaque they are."""
    return np.asarray([to_rgba(colour)[:3] for colour in colours]) @ [0.2126, 0.7152, 0.0722]


def over_the_image():
    ax = plot.attention(IMAGE, CHAIN, (2, 2))
    return [arrow.get_edgecolor() for arrow in ax.patches if isinstance(arrow, FancyArrowPatch)]


def in_the_stack():
    ax = plot.stack(CHAIN[None], (2, 2), links=0)
    lines = [part for part in ax.collections if isinstance(part, LineCollection)]
    drawn = [part for part in lines if part.get_segments()]
    return [colour for part in drawn for colour in part.get_colors()]


@pytest.mark.parametrize("drawn", [over_the_image, in_the_stack])
def test_strong_edges_are_bright_in_every_picture(drawn):
    found = brightness(drawn())
    assert len(found) == 3
    assert (np.diff(found) > 0.1).all(), "weakest first"


def test_both_pictures_paint_a_weight_alike():
    assert np.allclose(over_the_image(), in_the_stack())


def test_information_is_drawn_as_it_runs():
    first, *_ = plot.attention(IMAGE, CHAIN.T, (2, 2)).patches
    assert first._posA_posB == [(15, 5), (5, 5)]


def painted(figure):
    """Return the colours [row, col, 4] of the cells of a picture of similarities."""
    figure.canvas.draw()
    cells = figure.axes[0].collections[0]
    n = int(len(cells.get_facecolors()) ** 0.5)
    return cells.get_facecolors().reshape(n, n, 4)


@pytest.mark.parametrize("measure", mv.network.LAYER_SIMILARITIES)
def test_different_similarities_are_painted_differently(measure, demo_vit):
    net = mv.multiplex(demo_vit, mv.samples()["cat"], operator="mean", min_cut=0.1)
    matrix = net.similarity(measure)
    colours = painted(plot.similarity(matrix))
    pairs = matrix[~np.eye(len(matrix), dtype=bool)]
    for layer, own in enumerate(matrix.diagonal()):
        if not pairs.min() <= own <= pairs.max():
            others = colours[~np.eye(len(matrix), dtype=bool)]
            assert np.abs(others - colours[layer, layer]).sum(1).min() > 0.15


def test_values_beyond_have_the_colour_at_the_end_of_the_bar():
    matrix = np.array([[1.0, 0.23, 0.1], [0.23, 1.0, 0.04], [0.1, 0.04, 1.0]])
    figure = plot.similarity(matrix)
    colours = painted(figure)
    assert np.allclose(colours[0, 0], figure.axes[0].collections[0].get_cmap().get_over())
    assert np.allclose(colours[0, 0], colours[2, 2])
    assert not np.allclose(colours[0, 0], colours[0, 1])
    distances = 1 - matrix
    figure = plot.similarity(distances)
    assert np.allclose(painted(figure)[0, 0], figure.axes[0].collections[0].get_cmap().get_under())


# --- depth ------------------------------------------------------------------------------------

VALUES = np.array([[1.0, 0.0], [3.0, 2.0], [5.0, 6.0], [7.0, 6.0]])


def test_heads_of_a_block_are_one_point_of_a_line():
    options = {"names": ("L00H00", "L00H01", "L01H00", "L01H01"), "highlight": 0}
    ax = plot.trajectories(VALUES, blocks=(0, 0, 1, 1), **options)
    assert [line.get_ydata().tolist() for line in ax.lines[:2]] == [[2, 6], [1, 6]]
    assert [tick.get_text() for tick in ax.get_xticklabels()] == ["L00", "L01"]
    turned = plot.trajectories(
        VALUES, blocks=(1, 1, 0, 0), ax=plt.figure().add_subplot(), **options
    )
    assert turned.lines[0].get_ydata().tolist() == [6, 2]


def test_a_layer_that_has_its_block_for_itself_keeps_its_name():
    ax = plot.trajectories(VALUES, names=("a", "b", "c", "d"), blocks=range(4))
    assert [tick.get_text() for tick in ax.get_xticklabels()] == ["a", "b", "c", "d"]
    with pytest.raises(mv.InputError, match="3 blocks were given for 4 layers; give one a layer"):
        plot.trajectories(VALUES, blocks=(0, 1, 2))
