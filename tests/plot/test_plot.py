import itertools

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from scipy.cluster.hierarchy import linkage

import multiplex_vit as mv
from multiplex_vit import plot
from multiplex_vit.plot import text

IMAGE = np.zeros((30, 40, 3), dtype=np.uint8)
HEAT = np.array([[0.0, 1.0], [2.0, 3.0]])
VALUES = np.array([[1.0, 2.0, 3.0, 4.0], [0.0, 0.0, 2.0, 2.0], [8.0, 1.0, 1.0, 1.0]])
HOSTILE = ("m$\\frac{$", "_hidden", "a very long name of a layer that nobody can read")


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
    table = pd.DataFrame(
        {
            "curve": ["insertion"] * 3 + ["deletion"] * 3,
            "fraction": [0, 0.5, 1] * 2,
            "confidence": [0, 1, 1, 1, 0, 0],
        }
    )
    ax = plot.curves(table)
    assert [t.get_text() for t in ax.get_legend().get_texts()] == [
        "insertion, AUC 0.750",
        "deletion, AUC 0.250",
    ]
    assert not ax.collections
    ax = plot.curves(
        pd.concat([table, table.assign(confidence=table["confidence"] / 2)]),
        ax=plt.figure().add_subplot(),
    )
    assert ax.collections, "several images have an interval"


def test_curves_of_two_protocols_are_not_drawn_together():
    table = pd.DataFrame(
        {
            "curve": "insertion",
            "fraction": [0, 1],
            "confidence": [0, 1],
            "protocol": ["token", "patch/black"],
        }
    )
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
    explanations = mv.explain(
        demo_vit, [mv.samples()["cat"], mv.samples()["rocket"]], statistics=("max",)
    )
    evaluations = [
        mv.evaluate(demo_vit, mv.samples()[n], e.heatmap, steps=2)
        for n, e in zip(("cat", "rocket"), explanations, strict=True)
    ]
    figure = plot.summary(explanations, evaluations)
    assert len(figure.axes) == 8 + 2, "each heatmap has a colour bar"
    figure.savefig(tmp_path / "summary.pdf")
    assert evaluations[0].plot(ax=plt.figure().add_subplot()).lines
    assert (
        explanations[0]
        .plot(ax=plt.figure().add_subplot())
        .get_title()
        .startswith(explanations[0].label_name)
    )


def test_an_explanation_shows_itself_in_a_notebook(demo_vit):
    png = mv.explain(demo_vit, mv.samples()["cat"], statistics=("max",))._repr_png_()
    assert png.startswith(b"\x89PNG")
    assert not plt.get_fignums(), "no figure is left open"


def test_a_colour_bar_is_drawn_unless_declined():
    figure, bare = plt.figure(), plt.figure()
    plot.overlay(IMAGE, HEAT, ax=figure.add_subplot())
    plot.overlay(IMAGE, HEAT, ax=bare.add_subplot(), colourbar=False)
    assert [ax.get_ylim() for ax in figure.axes[1:]] == [(0, 3)]
    assert len(bare.axes) == 1


def test_the_image_is_grey_and_only_heat_has_colours():
    image, heat = plot.overlay(IMAGE, HEAT, ax=plt.figure().add_subplot()).get_images()
    assert image.get_array().shape == IMAGE.shape[:2]
    assert image.get_cmap().name == "gray"
    assert heat.get_cmap().name == plot.HEAT


def test_the_image_is_shaded_where_heat_is_little():
    heat = plot.overlay(IMAGE, HEAT, ax=plt.figure().add_subplot()).get_images()[1]
    opacity = heat.get_cmap()(np.linspace(0, 1, 5))[:, 3]
    assert (np.diff(opacity) < 0).all()
    clear = plot.overlay(IMAGE, HEAT, alpha=0, ax=plt.figure().add_subplot()).get_images()[1]
    assert not clear.get_cmap()(np.linspace(0, 1, 5))[:, 3].any()


def test_a_signed_heatmap_is_clear_at_zero():
    heat = plot.overlay(IMAGE, HEAT - 2, ax=plt.figure().add_subplot()).get_images()[1]
    against, none, in_favour = heat.get_cmap()([0.0, 0.5, 1.0])[:, 3]
    assert none < 0.25 < 0.7 < against
    assert in_favour == pytest.approx(against)


def test_many_patches_are_smooth_by_default():
    for side, shown in ((15, "nearest"), (16, "bicubic")):
        ax = plt.figure().add_subplot()
        heat = plot.overlay(IMAGE, np.eye(side), ax=ax).get_images()[1]
        assert heat.get_interpolation() == shown


def test_a_heatmap_with_gaps_keeps_its_scale():
    heat = plot.overlay(
        IMAGE, np.array([[np.nan, -1.0], [2.0, 0.0]]), ax=plt.figure().add_subplot()
    ).get_images()[1]
    assert heat.get_clim() == (-2, 2)


def test_colours_run_from_the_least_to_the_greatest():
    found = plot.colours(np.array([5, 3, np.nan, 4, np.inf]), cmap="gray")
    assert found.dtype == np.uint8
    assert found.tolist() == [[255] * 3, [0] * 3, [128] * 3, [128] * 3, [255] * 3]
    assert plot.colours(np.array([-np.inf, 1.0, 2.0]), cmap="gray")[:, 0].tolist() == [0, 0, 255]


@pytest.mark.parametrize("values", [np.zeros(3), np.full(3, 7.0), [2, 2, 2]])
def test_equal_values_have_the_middle_colour(values):
    assert plot.colours(values, cmap="gray").tolist() == [[128] * 3] * 3


def test_nothing_to_colour():
    assert plot.colours(np.full(2, np.nan)).tolist() == [[128] * 3] * 2
    assert plot.colours(np.array([])).shape == (0, 3)


def test_an_unknown_colour_map_is_refused():
    with pytest.raises(
        mv.InputError, match="unknown colour map 'virids' \\(did you mean 'viridis'"
    ):
        plot.colours(np.zeros(2), cmap="virids")


def test_small_multiples_share_a_scale():
    figure = plot.small_multiples(IMAGE, VALUES, (2, 2), cols=2, names=HOSTILE)
    assert len(figure.axes) == 5, "2 x 2 panels and a colour bar"
    heats = [ax.get_images()[1] for ax in figure.axes[:3]]
    assert [heat.get_clim() for heat in heats] == [(0, 8)] * 3
    assert heats[0].get_array().tolist() == [[1, 2], [3, 4]]
    assert figure.axes[0].get_title() == HOSTILE[0]
    figure.canvas.draw()


def test_the_colour_bar_stands_beside_the_last_panel_however_many_there_are():
    for cols in (1, 3, 6):
        figure = plot.small_multiples(IMAGE, np.tile(VALUES[0], (cols, 1)), (2, 2), cols=cols)
        figure.canvas.draw()
        *panels, bar = (ax.get_window_extent() for ax in figure.axes)
        assert panels[-1].x1 < bar.x0 < panels[-1].x1 + 0.4 * figure.dpi


def test_small_multiples_have_each_their_own_scale():
    figure = plot.small_multiples(IMAGE, VALUES, (2, 2), shared=False)
    assert [ax.get_images()[1].get_clim() for ax in figure.axes[:3]] == [(1, 4), (0, 2), (1, 8)]
    assert [ax.get_title() for ax in figure.axes[:3]] == ["L00", "L01", "L02"]
    assert len(figure.axes) == 6


def test_prefix_tokens_are_not_drawn_over_the_image():
    heat = plot.small_multiples(IMAGE, VALUES, (1, 3)).axes[0].get_images()[1]
    assert heat.get_array().tolist() == [[2, 3, 4]]
    weights = np.zeros((3, 3))
    weights[0, 1], weights[1, 2], weights[2, 0] = 9, 1, 9
    ax = plot.attention(IMAGE, weights, (1, 2), ax=plt.figure().add_subplot())
    assert (len(ax.patches), len(ax.collections[0].get_offsets())) == (1, 2)


def test_too_few_nodes_are_refused():
    for draw in (
        lambda: plot.small_multiples(IMAGE, VALUES, (3, 3)),
        lambda: plot.stack(np.zeros((1, 4, 4)), (3, 3)),
    ):
        with pytest.raises(mv.InputError, match="there are 4 nodes; a 3 x 3 grid needs 9"):
            draw()


def test_small_multiples_want_layers_and_columns():
    with pytest.raises(mv.InputError, match="cols is 0"):
        plot.small_multiples(IMAGE, VALUES, (2, 2), cols=0)
    with pytest.raises(mv.InputError, match="values have shape"):
        plot.small_multiples(IMAGE, np.zeros((0, 4)), (2, 2))


def random_weights(n_layers=3, n_nodes=5):
    return np.random.default_rng(0).random((n_layers, n_nodes, n_nodes))


def test_the_stack_draws_the_layers_chosen():
    ax = plot.stack(
        random_weights(), (2, 2), names=("a", "b", "c"), layers=(2, 0), edges=4, links=2
    )
    assert [t.get_text() for t in ax.texts] == ["c", "a"]
    assert [len(c.get_segments()) for c in ax.collections if hasattr(c, "get_segments")] == [
        2,
        4,
        4,
    ]


def test_prefix_tokens_stand_left_of_the_sheet():
    ax = plot.stack(random_weights(1), (2, 2), edges=0)
    prefix, patches = [c.get_offsets() for c in ax.collections][-2:]
    assert (len(prefix), len(patches)) == (1, 4)
    assert prefix[:, 0].max() < patches[:, 0].min()


def test_values_give_nodes_their_size_and_colour():
    values = np.array([[0.0, 1, 2, 3, np.nan]] * 3)
    figure = plt.figure()
    ax = plot.stack(random_weights(), (1, 5), values={"page$rank": values}, ax=figure.add_subplot())
    discs = next(c for c in ax.collections if len(c.get_offsets()) == 5)
    assert discs.get_sizes().tolist() == [4, 16, 28, 40, 4]
    assert np.allclose(discs.get_facecolors()[4, :3], 128 / 255)
    assert len(np.unique(discs.get_facecolors(), axis=0)) == 5
    assert figure.axes[1].get_xlabel() == "page$rank"
    figure.canvas.draw()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"layers": (3,)}, "layers are \\[3\\]; give one or more of 0 to 2"),
        ({"layers": ()}, "layers are"),
        ({"names": ("a",)}, "1 names were given for 3 layers"),
        ({"values": np.zeros((3, 4))}, "values have shape \\[3, 4\\]"),
        ({"values": {"a": 1, "b": 2}}, "values hold 2 measures"),
    ],
)
def test_a_stack_that_does_not_fit_is_refused(options, message):
    with pytest.raises(mv.InputError, match=message):
        plot.stack(random_weights(), (2, 2), **options)


def test_the_names_of_a_stack_stay_in_the_axes():
    for size in ((6, 3), (3, 6)):
        figure = plt.figure(figsize=size)
        ax = plot.stack(
            random_weights(6),
            (2, 2),
            names=[f"layer {i} of a name" for i in range(6)],
            ax=figure.add_subplot(),
        )
        figure.canvas.draw()
        assert max(t.get_window_extent().x1 for t in ax.texts) <= figure.bbox.x1


def test_a_distribution_is_the_share_of_nodes_at_least_so_great():
    ax = plot.distribution(VALUES, names=("a", "b", "c$"), label="in$")
    assert [line.get_xydata().tolist() for line in ax.lines] == [
        [[1, 1], [2, 0.75], [3, 0.5], [4, 0.25]],
        [[2, 0.5]],
        [[1, 1], [8, 0.25]],
    ]
    assert (ax.get_xscale(), ax.get_yscale()) == ("log", "log")
    assert [t.get_text() for t in ax.get_legend().get_texts()] == ["a", "b (2 zeros)", "c$"]


def test_many_layers_have_a_colour_bar_for_a_legend():
    figure = plt.figure()
    ax = plot.distribution(np.tile(VALUES, (8, 1)), ax=figure.add_subplot())
    assert ax.get_legend() is None
    assert ax.get_title() == "not drawn: 16 zeros of 96 values"
    assert [t.get_text() for t in figure.axes[1].get_yticklabels()] == [
        f"L{i:02d}" for i in range(0, 24, 2)
    ]


def test_trajectories_name_the_highest_nodes():
    table = pd.DataFrame(VALUES, index=["x", "y", "z"], columns=["class", "r0c0", "r0c1", "r$"])
    ax = plot.trajectories(table, highlight=2, label="pagerank")
    assert [t.get_text() for t in ax.texts] == ["class", "r$"]
    assert [t.get_text() for t in ax.get_xticklabels()] == ["x", "y", "z"]
    median = next(line for line in ax.lines if line.get_label() == "median")
    assert median.get_ydata().tolist() == [2.5, 1, 1]
    assert [
        t.get_text()
        for t in plot.trajectories(VALUES, highlight=(2,), ax=plt.figure().add_subplot()).texts
    ] == ["2"]


def test_trajectories_that_do_not_fit_are_refused():
    with pytest.raises(mv.InputError, match="nodes \\[4\\] are to stand out"):
        plot.trajectories(VALUES, highlight=[4])
    with pytest.raises(mv.InputError, match="1 names were given for 4 nodes"):
        plot.trajectories(VALUES, nodes=["a"])


def test_names_beside_lines_do_not_overlap():
    figure = plt.figure()
    ax = plot.trajectories(np.ones((4, 9)), highlight=9, ax=figure.add_subplot())
    figure.canvas.draw()
    boxes = sorted((t.get_window_extent() for t in ax.texts), key=lambda box: box.y0)
    assert all(a.y1 <= b.y0 + 1 for a, b in itertools.pairwise(boxes))


MATRIX = np.array([[1, 0.1, 0.5], [0.1, 1, 0.2], [0.5, 0.2, 1]])
TREE = np.array([[0, 2, 0.5, 2], [1, 3, 0.85, 3]])


def test_the_similarity_of_layers_is_ordered_by_its_tree():
    figure = plot.similarity(MATRIX, names=("a", "b", "c"), linkage=TREE, title="$")
    _tree, cells, bar = figure.axes
    assert (
        [t.get_text() for t in cells.get_yticklabels()]
        == [t.get_text() for t in cells.get_xticklabels()]
        == ["b", "a", "c"]
    )
    assert cells.collections[0].get_array().tolist() == [
        [1, 0.1, 0.2],
        [0.1, 1, 0.5],
        [0.2, 0.5, 1],
    ]
    assert cells.collections[0].get_clim() == bar.get_ylim() == (0.1, 0.5)
    assert [t.get_text() for t in cells.texts][:3] == ["1.00", "0.10", "0.20"]


def test_leaves_lie_beside_their_rows():
    n = 24
    values = np.random.default_rng(0).random((n, 5))
    figure = plot.similarity(
        np.corrcoef(values), linkage=linkage(values), names=["a long name"] * n
    )
    figure.canvas.draw()
    tree, cells, _bar = figure.axes
    leaves, rows = [
        ax.transData.transform([(0, y) for y in places])[:, 1]
        for ax, places in ((tree, (5, 10 * n - 5)), (cells, (0.5, n - 0.5)))
    ]
    assert np.allclose(leaves, rows)
    assert cells.collections[0].cmap.name == plot.SIGNED
    assert not cells.texts


def test_reducibility_marks_the_best():
    left, right = plot.reducibility(TREE, np.array([0, 0.4, 0.1]), names=("a", "b", "c")).axes
    assert [t.get_text() for t in right.get_legend().get_texts()] == ["best: 2 of 3 layers"]
    assert [line.get_xydata().tolist() for line in right.lines] == [
        [[3, 0], [2, 0.4], [1, 0.1]],
        [[2, 0.4]],
    ]
    assert left.lines[0].get_xdata()[0] == pytest.approx((0.5 + 0.85) / 2)
    assert [t.get_text() for t in left.get_yticklabels()] == ["b", "a", "c"]


def test_reducibility_shows_what_chance_gives():
    by_chance = np.array([[0, 0.3, 0.1], [0, 0.5, 0.1]])
    _, right = plot.reducibility(TREE, np.array([0, 0.4, 0.1]), by_chance=by_chance).axes
    assert [t.get_text() for t in right.get_legend().get_texts()] == [
        "nodes permuted, 2 times",
        "best: 2 of 3 layers",
    ]
    assert right.lines[0].get_xydata() == pytest.approx(np.array([[3, 0], [2, 0.4], [1, 0.1]]))
    with pytest.raises(mv.InputError, match=r"by_chance has shape \[2, 2\]; give \[sample, 3\]"):
        plot.reducibility(TREE, np.zeros(3), by_chance=by_chance[:, :2])


@pytest.mark.parametrize(
    ("draw", "message"),
    [
        (lambda: plot.similarity(np.zeros((2, 3))), "the matrix has shape \\[2, 3\\]"),
        (
            lambda: plot.similarity(MATRIX, linkage=TREE[:1]),
            "the linkage has shape \\[1, 4\\]; 3 layers need \\[2, 4\\]",
        ),
        (
            lambda: plot.reducibility(TREE, np.zeros(2)),
            "the linkage has shape \\[2, 4\\]; 2 layers",
        ),
        (
            lambda: plot.reducibility(TREE, np.zeros(3), best=3),
            "best is 3; give a number of merges of 0 to 2",
        ),
        (lambda: plot.distribution(np.zeros(3)), "values have shape \\[3\\]"),
        (
            lambda: plot.pruning(pd.DataFrame({"value": [0]})),
            "no column density; it needs value, density, isolates, giant_component",
        ),
        (lambda: plot.pruning(pruned().iloc[:0]), "the table is empty"),
    ],
)
def test_what_cannot_be_drawn_is_refused(draw, message):
    with pytest.raises(mv.InputError, match=message):
        draw()


def pruned(cuts=(0, 0.01, 0.1)):
    rows = [
        {
            "layer": i,
            "name": f"L{i}",
            "filter": "min_cut",
            "value": cut,
            "edges": 4,
            "density": 1 - cut - i / 4,
            "isolates": i,
            "giant_component": 4,
            "tau_in$": 1 - cut - i / 2,
        }
        for cut in cuts
        for i in (0, 1)
    ]
    return pd.DataFrame(rows)


def test_pruning_shows_means_over_layers():
    figure = plot.pruning(pruned(), title="$\\frac{$")
    density, *_others, taus = figure.axes
    assert np.allclose(density.lines[0].get_ydata(), [0.875, 0.865, 0.775])
    assert np.allclose(taus.lines[0].get_ydata(), [0.75, 0.74, 0.65])
    assert [t.get_text() for t in taus.get_legend().get_texts()] == ["in$"]
    assert {ax.get_xscale() for ax in figure.axes} == {"symlog"}
    band = density.collections[0].get_paths()[0].get_extents()
    assert (band.y0, band.y1) == pytest.approx((0.65, 1.0)), "from the least to the greatest layer"
    figure.canvas.draw()


def test_pruning_without_zero_or_measures():
    figure = plot.pruning(pruned((0.01, 0.1)).drop(columns="tau_in$"))
    assert {ax.get_xscale() for ax in figure.axes} == {"log"}
    assert [t.get_text() for t in figure.axes[3].texts] == ["no measure"]
    plot.pruning(pruned((0,)).assign(tau_a=np.nan)).canvas.draw()


@pytest.mark.slow
@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    ("shape", "fill"),
    [
        ((1, 1), 0.0),
        ((1, 1), np.nan),
        ((1, 4), 1.0),
        ((3, 1), -1.0),
        ((3, 4), 1e-300),
        ((3, 4), np.nan),
        ((9, 2), 0.0),
        ((9, 2), 2.0),
    ],
)
def test_any_numbers_and_names_are_drawn(shape, fill):
    n_layers, n_nodes = shape
    values, names = np.full(shape, fill), [HOSTILE[i % 3] for i in range(n_layers)]
    axes = [plot.distribution(values, names=names, label="$", ax=plt.figure().add_subplot())]
    axes += [
        plot.trajectories(
            values, names=names, nodes=["$_$"] * n_nodes, ax=plt.figure().add_subplot()
        )
    ]
    weights = np.zeros((n_layers, n_nodes, n_nodes))
    axes += [plot.stack(weights, (1, 1), names=names, values=values, ax=plt.figure().add_subplot())]
    axes += [plot.overlay(IMAGE, values, title="$", colourbar=True, ax=plt.figure().add_subplot())]
    figures = [ax.figure for ax in axes]
    figures += [
        plot.small_multiples(IMAGE, values, (1, n_nodes), names=names, shared=shared)
        for shared in (True, False)
    ]
    tree = linkage(np.arange(n_layers)[:, None]) if n_layers > 1 else np.zeros((0, 4))
    figures += [plot.similarity(np.full((n_layers, n_layers), fill), names=names, linkage=tree)]
    figures += [plot.reducibility(tree, np.full(n_layers, fill), names=names)]
    for figure in figures:
        figure.canvas.draw()


def test_emoji_are_names():
    with pytest.warns(UserWarning, match="Glyph"):
        plot.trajectories(VALUES, names=["🐴", "b", "c"]).figure.canvas.draw()


def test_heights_are_spread_in_their_order():
    rng = np.random.default_rng(0)
    for n in (0, 1, 2, 7, 30):
        heights = rng.random(n)
        moved = text.spread(heights, 0.05)
        assert np.array_equal(np.argsort(moved), np.argsort(heights))
        assert not n or (moved.min() >= -1e-12 and moved.max() <= 1 + 1e-12)
        assert n < 2 or np.diff(np.sort(moved)).min() >= min(0.05, 1 / (n - 1)) - 1e-12


def test_curves_are_drawn_beside_others():
    def table(*names):
        rows = [
            {"curve": name, "fraction": f, "confidence": f} for name in names for f in (0.0, 1.0)
        ]
        return pd.DataFrame(rows).assign(quantity="probability", protocol="token")

    ax = plot.curves(table("negative", "positive"), ax=plot.panel((3, 3)))
    plot.curves(table("insertion", "deletion"), ax=ax)
    names = [text.get_text() for text in ax.get_legend().get_texts()]
    assert "insertion, AUC 0.500" in names
    assert "negative" in names
