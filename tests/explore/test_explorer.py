"""Explorers hold what networks, explanations and curves hold; what cannot be shown is refused."""

import json
import re

import numpy as np
import pytest
from awkward import NAMES, UNENCODABLE

import multiplex_vit as mv

HORSE = mv.samples()["horse"]
FAST = {"operators": ["sum"], "statistics": ["max", "min"]}


@pytest.fixture(scope="module")
def explanation():
    return mv.explain(mv.load("demo-vit", device="cpu"), HORSE, **FAST)


@pytest.fixture(scope="module")
def network():
    return mv.multiplex(mv.load("demo-vit", device="cpu"), HORSE)


def held(explorer):
    """Return the contents of a page, read back from the page itself."""
    text = re.search(r'id="explorer-contents">(.*?)</script>', explorer.html, re.DOTALL)[1]
    return json.loads(text)


def test_a_network_alone_is_a_page(net):
    explorer = net.explore(measures=["in_strength"], title="by hand")
    page = held(explorer)
    assert page == explorer.contents
    assert (page["title"], page["grid"], page["photo"]) == ("by hand", [2, 2], None)
    (shown,) = page["networks"]
    assert shown["layers"] == ["L00", "L01"]
    # Self-loops are no lines.
    assert shown["nEdges"] == [5, 3]
    assert shown["greatest"] == [0.5, 1.0]
    assert list(shown["measures"]) == ["in_strength"]
    assert page["classes"] is page["masks"] is page["curves"] is None


def test_measures_are_those_of_the_network(net):
    values = net.explore(measures={"mine": [1, 2, 3, 4]}).networks[0].measures
    assert values["mine"].tolist() == [[1, 2, 3, 4]] * 2
    all_measures = net.explore().networks[0].measures
    assert list(all_measures) == list(mv.CENTRALITIES)
    for name, found in all_measures.items():
        assert np.array_equal(found, net.centrality(name), equal_nan=True)
    with pytest.raises(mv.InputError, match="texts"):
        net.explore(measures={"mine": ["a", "b", "c", "d"]})


def test_each_head_is_a_network():
    weights = np.random.default_rng(0).random((4, 4, 4))
    net = mv.Multiplex(weights, (2, 2), blocks=(0, 0, 1, 1), heads=(0, 1, 0, 1))
    shown = net.explore().networks
    assert [network.name for network in shown] == ["head 0", "head 1"]
    assert shown[1].layer_names == ("L00", "L01")
    assert np.array_equal(shown[1].measures["in_strength"][1], weights[3].sum(0))


@pytest.mark.parametrize("edges", ["attention", "information"])
def test_sinks_of_the_page_are_those_of_the_network(edges):
    weights = np.random.default_rng(0).random((3, 6, 6)) ** 9
    # A token that attends to itself alone, and one to which all attend.
    weights[0, 4, 4] = weights[1, :, 2] = 4
    net = mv.Multiplex(weights, (2, 3), edges=edges)
    found = net.explore().networks[0].partitions["sinks"].numbers
    assert found.any()
    assert found.tolist() == net.sinks().astype(int).tolist()


def test_a_sink_receives_over_five_times_the_median():
    weights = np.full((1, 6, 6), 0.1)
    weights[0, :, 2] = 0.51
    sinks = mv.Multiplex(weights, (2, 3)).explore().networks[0].partitions["sinks"]
    assert sinks.numbers.tolist() == [[0, 0, 1, 0, 0, 0]]
    assert sinks.labels == ("other", "sink")


def test_communities_keep_their_numbers_from_layer_to_layer():
    pairs = np.kron(np.eye(2), np.array([[0, 1.0], [1.0, 0]]))
    turned = pairs[[2, 3, 0, 1]][:, [2, 3, 0, 1]]
    net = mv.Multiplex(np.stack([pairs, turned]), (2, 2))
    numbers = net.explore().networks[0].partitions["communities"].numbers
    assert numbers.tolist() == [[0, 0, 1, 1], [0, 0, 1, 1]]


def test_an_explanation_brings_its_heatmaps_and_masks(explanation, network):
    explorer = explanation.explore(network)
    classes, masks = explorer.classes, explorer.masks
    assert classes.names[0] == explanation.label_name
    for name, heatmap in zip(classes.names, classes.heatmaps, strict=True):
        assert np.array_equal(heatmap, explanation.for_class(name).heatmap.ravel())
    assert np.array_equal(masks.kept, explanation.masks.kept)
    assert np.array_equal(masks.confidence[:, 0], explanation.confidence)
    assert masks.counts == (1, 2, 3, 4)
    assert np.array_equal(masks.growth[:, -1], classes.heatmaps)
    # After one mask, what it keeps has its confidence.
    assert np.allclose(masks.growth[0, 0], masks.kept[0] * explanation.confidence[0])
    assert masks.labels[0] == "sum, in_strength, max"


def test_classes_can_be_chosen(explanation, network):
    names = explanation.explore(network, classes=["cat", "dog"]).classes.names
    assert names == (explanation.label_name, "cat", "dog")
    with pytest.raises(mv.InputError, match="no class"):
        explanation.explore(network, classes=["unicorn"])
    with pytest.raises(mv.InputError, match="classes is 'cat'; give a list"):
        explanation.explore(network, classes="cat")


def test_what_is_not_made_of_masks_has_one_class(network):
    explanation = mv.explain(mv.load("demo-vit", device="cpu"), HORSE, method="rollout")
    explorer = explanation.explore(network)
    assert explorer.masks is None
    assert explorer.classes.names == (explanation.label_name,)
    with pytest.raises(mv.InputError, match="alone; leave classes out"):
        explanation.explore(network, classes=["cat"])


def test_a_contrast_is_one_class(explanation, network):
    contrast = explanation.contrast("horse", "dog")
    classes = contrast.explore(network).classes
    assert classes.names == ("horse - dog",)
    assert np.array_equal(classes.heatmaps[0], contrast.heatmap.ravel())


@pytest.mark.parametrize("protocol", ["patch/black", "mutex2025", "chefer2021"])
def test_curves_follow_the_heatmap(explanation, network, protocol):
    model = mv.load("demo-vit", device="cpu")
    options = {"steps": 4} if protocol == "patch/black" else {}
    faithfulness = mv.evaluate(model, HORSE, explanation.heatmap, protocol=protocol, **options)
    curves = explanation.explore(network, faithfulness).curves
    assert [curve.name for curve in curves.curves] == list(faithfulness.names)
    for curve in curves.curves:
        assert 0 <= curve.fraction.min() <= curve.fraction.max() <= 1
        assert curve.appears == (curve.name == "insertion")
        assert curve.greatest_first == (curve.name != "negative")
    falling = explanation.heatmap.ravel()[curves.order]
    assert (np.diff(falling) <= 0).all()


def test_networks_of_other_tokens_are_refused(explanation, network, net):
    with pytest.raises(mv.InputError, match="other tokens"):
        explanation.explore({"one": network, "other": net})
    with pytest.raises(mv.InputError, match="heatmaps are of 64 patches; the networks have 2 x 2"):
        explanation.explore(net)
    with pytest.raises(mv.InputError, match="have one head operator"):
        explanation.explore([network, network])
    with pytest.raises(mv.InputError, match="give a Multiplex"):
        explanation.explore(network.weights)
    with pytest.raises(mv.InputError, match="no network was given"):
        explanation.explore([])
    with pytest.raises(mv.InputError, match="give what evaluate returns"):
        explanation.explore(network, 0.5)


# --- names and files -----------------------------------------------------------------------------

HOSTILE = ["</script><script>alert(1)</script>", "<!--", "]]>", "\u2028", "`${1}`"]


@pytest.mark.parametrize("name", [*NAMES, *UNENCODABLE, *HOSTILE])
def test_names_are_data_and_never_markup(name, tmp_path):
    printable = name if name.isprintable() and name.strip() else "layer"
    weights = np.random.default_rng(0).random((2, 3, 3))
    net = mv.Multiplex(weights, (1, 2), (printable, "other"), {"model": name}, ("class token",))
    explorer = net.explore(measures={name: [1.0, 2.0, 3.0]}, title=name)
    page = explorer.write(tmp_path / "a.html").read_text(encoding="utf-8")
    assert page.lower().count("<script") == page.lower().count("</script>") == 2
    assert "<!--" not in page
    shown = held(explorer)
    assert shown["title"] == name
    assert shown["networks"][0]["layers"] == [printable, "other"]
    assert list(shown["networks"][0]["measures"]) == [name]


def test_a_page_asks_for_nothing_from_elsewhere(net):
    page = net.explore().html
    policy = re.search(r'Content-Security-Policy" content="(.*?)"', page)[1]
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    head = page.split("<script", 1)[0]
    assert not re.search(r"<link|<img|src=|href=|url\(", head)


@pytest.mark.parametrize("name", ["a", "a.png", "a.html.txt"])
def test_a_page_has_the_name_of_a_page(net, name, tmp_path):
    with pytest.raises(mv.InputError, match=r"give one that ends in \.html"):
        net.explore().write(tmp_path / name)
    assert not any(tmp_path.iterdir())


def test_a_folder_that_is_missing_is_told(net, tmp_path):
    with pytest.raises(mv.InputError, match="cannot write"):
        net.explore().write(tmp_path / "none" / "a.html")
