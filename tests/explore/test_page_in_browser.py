"""The page in a browser: pointing, sliders, keys, masks, curves, both themes, files; no request."""

import re
import xml.etree.ElementTree as ET
from io import BytesIO

import numpy as np
import pytest
from browser import browser, opened, settle, wait_until
from PIL import Image

import multiplex_vit as mv

pytestmark = pytest.mark.slow

STATE = "document.getElementById('explorer').explorer.store.get()"
LENS = "document.getElementById('explorer').explorer.network.lens"
STACK = "document.getElementById('explorer').explorer.network.stack"


@pytest.fixture(scope="module")
def running():
    with browser() as found:
        yield found


@pytest.fixture(scope="module")
def explorer():
    model = mv.load("demo-vit", device="cpu")
    return mv.explorer(model, mv.samples()["horse"], operators=["sum", "max"], steps=8)


@pytest.fixture(scope="module")
def path(explorer, tmp_path_factory):
    return explorer.write(tmp_path_factory.mktemp("page") / "horse.html")


def state(page):
    settle(page)
    return page.evaluate(STATE)


def field(page, label):
    return page.get_by_label(label, exact=True)


def patch_middle(page, row, col, rows=8, cols=8):
    box = page.locator(".mvx-photo").first.bounding_box()
    x = box["x"] + (col + 0.5) * box["width"] / cols
    return x, box["y"] + (row + 0.5) * box["height"] / rows


def point_at(page, row, col):
    page.mouse.move(*patch_middle(page, row, col))
    settle(page)


def photo(page, place=0):
    """Return the pixels of the photo's canvas."""
    script = "(canvas) => canvas.toDataURL('image/png').split(',')[1]"
    import base64

    text = page.locator("canvas.mvx-photo").nth(place).evaluate(script)
    return np.asarray(Image.open(BytesIO(base64.b64decode(text))).convert("RGB"), dtype=float)


def patch_of(pixels, row, col, rows=8, cols=8):
    height, width = pixels.shape[0] / rows, pixels.shape[1] / cols
    inside = pixels[int(row * height) + 6 : int((row + 1) * height) - 6]
    return inside[:, int(col * width) + 6 : int((col + 1) * width) - 6]


# --- opening -------------------------------------------------------------------------------------


def test_the_page_says_what_one_sees(running, path, explorer):
    with opened(running, path) as page:
        assert page.title() == explorer.title
        assert page.get_by_role("heading", level=1).text_content() == explorer.title
        assert "8 × 8 patches" in page.locator(".mvx-head p").text_content()
        assert "16 strongest" in page.locator("footer").text_content()
        assert page.get_by_role("tab").all_text_contents() == [
            "Attention",
            "Masks",
            "Insertion and deletion",
        ]


def test_numbers_arrive_as_they_were(running, path, explorer):
    with opened(running, path) as page:
        for place, network in enumerate(explorer.networks):
            script = f"""(() => {{
                const network = document.getElementById("explorer").explorer.contents
                    .networks[{place}];
                const values = (edges) => network.layers.map((_, layer) =>
                    Array.from({{ length: network.nNodes }}, (_, node) =>
                        edges.of(layer, node).map((edge) => [edge.node, edge.weight])));
                return {{ sent: values(network.sent), received: values(network.received),
                    strength: Array.from(network.measure("in_strength")) }};
            }})()"""
            found = page.evaluate(script)
            for name in ("sent", "received"):
                edges = getattr(network, name)
                for layer in range(len(network.layer_names)):
                    for node in range(64):
                        shares = edges.shares[layer, node]
                        kept = shares >= 1e-4
                        nodes = [number for number, _ in found[name][layer][node]]
                        assert nodes == edges.nodes[layer, node][kept].tolist()
                        weights = [weight for _, weight in found[name][layer][node]]
                        expected = shares[kept] * network.greatest[layer]
                        assert np.allclose(weights, expected, rtol=0.019)
            strength = network.measures["in_strength"].ravel()
            half_a_step = np.ptp(strength) / 65_534 / 2
            slack = 1e-6 * np.abs(strength).max()
            assert np.abs(np.array(found["strength"]) - strength).max() <= half_a_step + slack


# --- pointing ------------------------------------------------------------------------------------


def focus_edges(page):
    """Return the edges drawn of the patch in focus, as sets of pairs by kind."""
    script = f"""{LENS}.graph.filterEdges((edge) => !{LENS}.sigma.getEdgeDisplayData(edge).hidden)
        .map((edge) => [{LENS}.graph.getEdgeAttribute(edge, "kind"),
            ...{LENS}.graph.extremities(edge).map(Number)])"""
    edges = page.evaluate(script)
    pairs = {"sent": set(), "received": set()}
    for kind, source, target in edges:
        if kind in pairs:
            pairs[kind].add((source, target))
    return pairs


def test_pointing_at_the_photo_shows_the_strongest_edges(running, path, explorer):
    network = explorer.networks[0]
    with opened(running, path) as page:
        layer = state(page)["layer"]
        assert focus_edges(page) == {"sent": set(), "received": set()}
        point_at(page, 2, 5)
        node = 2 * 8 + 5
        expected = {
            "sent": {(node, int(other)) for other in network.sent.nodes[layer, node]},
            "received": {(int(other), node) for other in network.received.nodes[layer, node]},
        }
        assert focus_edges(page) == expected
        text = page.locator(".mvx-readout").text_content()
        assert f"row 3, column 6, layer L0{layer}" in text
        best = int(network.sent.nodes[layer, node, 0])
        assert f"looks atrow {best // 8 + 1}, column {best % 8 + 1}" in text
        page.mouse.move(5, 5)
        assert state(page)["hovered"] == -1
        assert focus_edges(page)["sent"] == set()


def test_pointing_at_the_photo_lights_up_patches(running, path, explorer):
    with opened(running, path, "direction=sent&overlay=none") as page:
        before = photo(page)
        point_at(page, 0, 0)
        after = photo(page)
        edges = explorer.networks[0].sent
        layer = state(page)["layer"]
        lit = {int(node) for node in edges.nodes[layer, 0]}
        orange = {}
        for node in range(1, 64):
            change = patch_of(after, *divmod(node, 8)) - patch_of(before, *divmod(node, 8))
            # What is lit has more red, compared to blue, than before.
            orange[node] = (change[..., 0] - change[..., 2]).mean()
        assert min(orange[node] for node in lit) > max(orange[node] for node in set(orange) - lit)


def test_pointing_at_the_network_selects_the_patch(running, path):
    with opened(running, path) as page:
        place = page.evaluate(f"{LENS}.sigma.graphToViewport({LENS}.graph.getNodeAttributes('21'))")
        box = page.locator(".mvx-lens").bounding_box()
        page.mouse.move(box["x"] + place["x"], box["y"] + place["y"])
        wait_until(page, f"{STATE}.hovered === 21")
        settle(page)
        assert "row 3, column 6" in page.locator(".mvx-readout").text_content()
        page.mouse.down()
        page.mouse.up()
        wait_until(page, f"{STATE}.pins === '21'")


def test_pressing_a_plane_selects_its_layer(running, path):
    with opened(running, path) as page:
        key = f"{STACK}.graph.getNodeAttributes('1:30')"
        place = page.evaluate(f"{STACK}.sigma.graphToViewport({key})")
        box = page.locator(".mvx-stack").bounding_box()
        page.mouse.move(box["x"] + place["x"], box["y"] + place["y"])
        wait_until(page, f"{STATE}.hovered === 30")
        page.mouse.down()
        page.mouse.up()
        wait_until(page, f"{STATE}.layer === 1")


def test_two_pins_are_compared(running, path):
    with opened(running, path) as page:
        for place in ((2, 5), (6, 2), (0, 0)):
            page.mouse.click(*patch_middle(page, *place))
            settle(page)
        page.mouse.move(5, 5)
        # A third pin takes the place of the first.
        assert state(page)["pins"] == "50,0"
        text = page.locator(".mvx-readout").text_content()
        assert "A (row 7, column 3) and B (row 1, column 1)" in text
        assert page.locator(".mvx-bars rect").count() == 12


# --- controls ------------------------------------------------------------------------------------


def base_edges(page):
    script = f"{LENS}.graph.filterEdges((_, a) => a.kind === 'base').length"
    settle(page)
    return page.evaluate(script)


def strong_pairs(network, layer, k, *names):
    pairs = set()
    for name in names:
        edges = getattr(network, name)
        for node in range(64):
            for other, share in zip(
                edges.nodes[layer, node, :k], edges.shares[layer, node, :k], strict=True
            ):
                if share:
                    pairs.add((node, int(other)) if name == "sent" else (int(other), node))
    return pairs


def test_sliders_and_choices_change_the_edges(running, path, explorer):
    with opened(running, path) as page:
        for layer, k in ((0, 1), (5, 3)):
            field(page, "Layer").fill(str(layer))
            field(page, "Lines").fill(str(k))
            for choice, names in {
                "sent": ["sent"],
                "received": ["received"],
                "both": ["sent", "received"],
            }.items():
                field(page, "Direction").select_option(choice)
                expected = strong_pairs(explorer.networks[0], layer, k, *names)
                assert base_edges(page) == len(expected)
        field(page, "Network").select_option("head 1")
        head = next(network for network in explorer.networks if network.name == "head 1")
        assert base_edges(page) == len(strong_pairs(head, 5, 3, "sent", "received"))


def colours(page):
    settle(page)
    return page.evaluate(
        f"{LENS}.graph.mapNodes((node) => {LENS}.sigma.getNodeDisplayData(node).color)"
    )


def test_every_colour_and_size_can_be_chosen(running, path):
    with opened(running, path) as page:
        found = {}
        for label in ("Colour", "Size"):
            values = (
                field(page, label)
                .locator("option")
                .evaluate_all("(all) => all.map((one) => one.value)")
            )
            assert len(values) > 20
            for value in values:
                field(page, label).select_option(value)
                found[label, value] = tuple(colours(page))
            field(page, label).select_option("in_strength")
        assert found["Colour", "in_strength"] != found["Colour", "class:heatmap"]
        assert len(set(found["Colour", "photo:"])) > 3
        assert len(set(found["Colour", "group:communities"])) > 1


def test_another_class_has_another_heatmap(running, path, explorer):
    with opened(running, path, "colour=class%3Aheatmap") as page:
        before, nodes = photo(page), colours(page)
        other = explorer.classes.names[1]
        field(page, "Class").select_option(label=other)
        assert colours(page) != nodes
        assert np.abs(photo(page) - before).mean() > 1
        assert f"“{other}”" in page.locator(".mvx-legend").last.text_content()


def test_nodes_can_stand_by_force(running, path):
    with opened(running, path) as page:
        places = f"{LENS}.graph.mapNodes((_, a) => [a.x, a.y])"
        grid = np.array(page.evaluate(places))
        field(page, "Layout").select_option("force")
        settle(page)
        force = np.array(page.evaluate(places))
        assert np.isfinite(force).all()
        assert len(np.unique(force.round(3), axis=0)) == 64
        assert not np.allclose(grid, force)


# --- masks and curves ----------------------------------------------------------------------------


def test_masks_show_what_they_keep(running, path, explorer):
    masks = explorer.masks
    with opened(running, path, "tab=masks") as page:
        for mask in (0, 7):
            field(page, "Mask").fill(str(mask))
            settle(page)
            words = page.locator(".mvx-words:visible").text_content()
            assert masks.labels[mask] in words
            assert f"keeps {masks.kept[mask].sum()} of 64 patches" in words
            assert f"has {masks.confidence[mask, 0]:.3g}" in words
            pixels = photo(page)
            whole = photo(page, 1).shape
            assert whole[0] > 50
            faded = [patch_of(pixels, *divmod(node, 8)).min() for node in range(64)]
            # What is taken away is nearly as light as the page.
            removed = [faded[node] for node in range(64) if not masks.kept[mask, node]]
            assert min(removed) > 200
            flags = page.evaluate(
                f"{LENS}.graph.mapNodes((node) => {LENS}.sigma.getNodeDisplayData(node).color)"
            )
            grey = {node for node in range(64) if flags[node] == "#d8dbe0"}
            assert grey == set(np.flatnonzero(~masks.kept[mask]).tolist())


def test_the_heatmap_grows(running, path):
    with opened(running, path, "tab=masks") as page:
        first = photo(page, 1)
        field(page, "Mask").fill("53")
        settle(page)
        assert "the first 54 masks" in page.locator("figcaption").last.text_content()
        assert np.abs(photo(page, 1) - first).mean() > 1


def test_masks_play_by_themselves(running, path):
    with opened(running, path, "tab=masks&mask=51") as page:
        page.get_by_role("button", name="Play").click()
        wait_until(page, f"{STATE}.mask === 53")
        page.get_by_role("button", name="Play").wait_for()


def test_curves_show_picture_and_confidence(running, path, explorer):
    insertion, deletion = explorer.curves.curves
    with opened(running, path, "tab=curves") as page:
        field(page, "Share of the patches").fill("0.5")
        for name, curve in (("insertion", insertion), ("deletion", deletion)):
            page.get_by_role("button", name=name, exact=True).click()
            settle(page)
            words = page.locator(".mvx-words:visible").text_content()
            expected = np.interp(0.5, curve.fraction, curve.confidence)
            shown = float(re.search(r"has (\S+?)\. Area", words)[1])
            assert shown == pytest.approx(expected, rel=0.006)
            black = [not patch_of(photo(page), *divmod(node, 8)).any() for node in range(64)]
            gone = explorer.curves.order[32:] if name == "insertion" else explorer.curves.order[:32]
            assert all(black[node] for node in gone)


def test_the_chart_can_be_dragged(running, path):
    with opened(running, path, "tab=curves&share=0") as page:
        box = page.locator(".mvx-curves").bounding_box()
        y = box["y"] + box["height"] / 2
        page.mouse.move(box["x"] + 0.3 * box["width"], y)
        page.mouse.down()
        page.mouse.move(box["x"] + 0.9 * box["width"], y)
        page.mouse.up()
        share = state(page)["share"]
        assert 0.8 < share < 1
        page.mouse.move(box["x"] + 0.5 * box["width"], y)
        assert state(page)["share"] == share


# --- keys, address, themes -----------------------------------------------------------------------


def test_keys_do_what_the_pointer_does(running, path):
    with opened(running, path) as page:
        page.locator(".mvx").focus()
        start = state(page)
        for key in ("ArrowRight", "ArrowRight", "ArrowDown", "Enter", "[", "+", "+"):
            page.keyboard.press(key)
            settle(page)
        now = state(page)
        assert (now["hovered"], now["pins"]) == (10, "10")
        assert (now["layer"], now["k"]) == (start["layer"] - 1, start["k"] + 2)
        page.keyboard.press("Escape")
        assert (state(page)["hovered"], state(page)["pins"]) == (-1, "")
        page.keyboard.press("2")
        page.keyboard.press(".")
        settle(page)
        page.keyboard.press(".")
        assert (state(page)["tab"], state(page)["mask"]) == ("masks", 2)
        page.keyboard.press("?")
        assert page.get_by_role("dialog").is_visible()
        page.keyboard.press("Escape")
        assert not page.get_by_role("dialog").is_visible()


def test_the_address_holds_the_settings(running, path):
    wanted = "tab=masks&network=head+2&layer=L01&k=3&colour=group%3Asinks&pins=r2c5%2Cr6c2&mask=5"
    with opened(running, path, wanted) as page:
        now = state(page)
        assert (now["tab"], now["layer"], now["k"], now["mask"]) == ("masks", 1, 3, 5)
        assert (now["colour"], now["pins"]) == ("group:sinks", "21,50")
        field(page, "Layer").fill("4")
        settle(page)
        assert set(page.evaluate("location.hash.slice(1)").split("&")) == set(
            wanted.replace("&layer=L01", "").split("&")
        )


@pytest.mark.parametrize(
    "settings",
    ["layer=99&k=-1&k=1e9&tab=x&network=y", "pins=<script>&mask=NaN&share=7", "%&%%=&__proto__=1"],
)
def test_an_address_that_means_nothing_changes_nothing(running, path, settings):
    with opened(running, path) as page:
        usual = state(page)
    with opened(running, path, settings) as page:
        assert state(page) == usual


def ground(page):
    settle(page)
    script = "getComputedStyle(document.getElementById('explorer')).backgroundColor"
    return page.evaluate(script)


def test_both_themes(running, path):
    light, dark = "rgb(255, 255, 255)", "rgb(20, 23, 28)"
    with opened(running, path, color_scheme="light") as page:
        assert ground(page) == light
        page.emulate_media(color_scheme="dark")
        assert ground(page) == dark
        page.get_by_role("button", name="◐").click()
        assert ground(page) == light
        page.emulate_media(color_scheme="light")
        assert ground(page) == light
    with opened(running, path, "theme=dark", color_scheme="light") as page:
        assert ground(page) == dark


def contrast(one, other):
    """Return the contrast of two colours as WCAG 2 has it."""

    def light(colour):
        parts = np.array([int(part) for part in re.findall(r"\d+", colour)[:3]]) / 255
        linear = np.where(parts <= 0.03928, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
        return linear @ [0.2126, 0.7152, 0.0722]

    first, second = sorted([light(one), light(other)], reverse=True)
    return (first + 0.05) / (second + 0.05)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_texts_stand_out_from_the_page(running, path, theme):
    with opened(running, path, f"theme={theme}&pins=r2c5") as page:
        script = """(all) => all.filter((one) => one.offsetParent && one.childNodes.length
            && [...one.childNodes].some((child) => child.nodeType === 3 && child.data.trim()))
            .map((one) => { let under = one; let ground = "rgba(0, 0, 0, 0)";
                while (ground === "rgba(0, 0, 0, 0)") {
                    ground = getComputedStyle(under).backgroundColor; under = under.parentElement;
                }
                return [one.textContent.slice(0, 40), getComputedStyle(one).color, ground]; })"""
        found = page.locator(".mvx *:not(option)").evaluate_all(script)
        assert len(found) > 30
        low = [
            (text, colour, below) for text, colour, below in found if contrast(colour, below) < 4.5
        ]
        assert low == []


@pytest.mark.parametrize("tab", ["attention", "masks", "curves"])
def test_the_page_is_readable_at_200_percent(running, path, tab):
    # A window of 1,280 pixels at 200 % has 640 of them.
    with opened(
        running, path, f"tab={tab}&pins=r2c5", viewport={"width": 640, "height": 480}
    ) as page:
        assert page.evaluate("document.documentElement.scrollWidth") <= 640
        for field_ in page.locator(".mvx-controls .mvx-field").all():
            assert field_.bounding_box()["width"] > 150


# --- files ---------------------------------------------------------------------------------------


def saved(page, name):
    with page.expect_download() as download:
        page.get_by_role("button", name=name, exact=True).click()
    return download.value.path().read_bytes()


def test_the_view_is_saved_as_a_picture(running, path):
    with opened(running, path, "pins=r2c5") as page:
        picture = np.asarray(Image.open(BytesIO(saved(page, "PNG"))).convert("RGB"), dtype=int)
        height, width = picture.shape[:2]
        assert width > 1.5 * height
        # Photo, stack and lens are all there.
        for part in np.array_split(picture, 3, axis=1):
            assert len(np.unique(part.reshape(-1, 3), axis=0)) > 50


def test_the_view_is_saved_as_a_drawing(running, path):
    with opened(running, path, "pins=r2c5&direction=sent") as page:
        drawing = ET.fromstring(saved(page, "SVG"))
        name = "{http://www.w3.org/2000/svg}"
        assert len(drawing.findall(f".//{name}image")) == 1
        # 6 layers of 64 patches, their frames' corners, and the lens.
        assert len(drawing.findall(f".//{name}circle")) == 6 * (64 + 4) + 64
        texts = [text.text for text in drawing.findall(f".//{name}text")]
        assert sorted(texts) == ["L00", "L01", "L02", "L03", "L05", "▸ L04"]
        orange = [line for line in drawing.iter(f"{name}line") if line.get("stroke") == "#c2410c"]
        assert len(orange) == 16


# --- other contents ------------------------------------------------------------------------------


def test_names_cannot_become_markup(running, tmp_path):
    name = "</script><img src=x onerror=alert(1)><script>alert(2)</script>"
    weights = np.random.default_rng(0).random((2, 5, 5))
    net = mv.Multiplex(weights, (2, 2), (name, "other"), {"model": name}, (f"{name} token",))
    page_file = net.explore(title=name, measures={name: np.arange(5.0)}).write(tmp_path / "a.html")
    with opened(running, page_file) as page:
        assert page.get_by_role("heading", level=1).text_content() == name
        assert field(page, "Colour").locator("option").first.text_content() == name
        assert page.locator("img").count() == 0
        page.locator(".mvx").focus()
        page.keyboard.press("ArrowRight")
        settle(page)
        assert page.locator("img").count() == 0


def test_a_network_alone_has_one_tab_and_no_photo(running, tmp_path, net):
    with opened(running, net.explore().write(tmp_path / "a.html")) as page:
        assert page.get_by_role("tab").all_text_contents() == ["Attention"]
        assert "The image is cut into 2 × 2 patches" in page.locator(".mvx-head p").text_content()
        point = patch_middle(page, 0, 1, 2, 2)
        page.mouse.move(*point)
        assert state(page)["hovered"] == 1
        assert "looks at" in page.locator(".mvx-readout").text_content()


def test_edges_of_information_have_their_own_words(running, tmp_path, net):
    with opened(running, net.reverse().explore().write(tmp_path / "a.html")) as page:
        point_at_first = patch_middle(page, 0, 0, 2, 2)
        page.mouse.move(*point_at_first)
        settle(page)
        text = page.locator(".mvx-readout").text_content()
        assert "passes information to" in text
        assert "looks at" not in text


def test_prefix_tokens_are_nodes(running, tmp_path):
    model = mv.load("demo-vit", device="cpu")
    network = mv.multiplex(model, mv.samples()["cat"], prefix=True)
    explanation = mv.explain(model, mv.samples()["cat"], operators=["sum"], statistics=["max"])
    page_file = explanation.explore(network).write(tmp_path / "a.html")
    with opened(running, page_file, "pins=class&tab=masks&colour=class%3Aheatmap") as page:
        assert state(page)["pins"] == "0"
        assert page.evaluate(f"{LENS}.graph.order") == 65
        page.keyboard.press("1")
        field_ = page.get_by_role("tab", name="Attention")
        field_.click()
        settle(page)
        assert "the class token" in page.locator(".mvx-readout").text_content()


def test_24_layers_of_576_tokens_open(running, tmp_path):
    rng = np.random.default_rng(0)
    weights = rng.random((24, 576, 576), dtype=np.float32)
    net = mv.Multiplex(weights, (24, 24)).top_k(20)
    explorer = net.explore(measures=["in_strength"])
    page_file = explorer.write(tmp_path / "a.html")
    assert page_file.stat().st_size < 4e6
    with opened(running, page_file) as page:
        point_at(page, 3, 3)
        assert page.evaluate(f"{STACK}.graph.order") == 24 * (576 + 5)
        page.mouse.move(*patch_middle(page, 10, 10, 24, 24))
        assert state(page)["hovered"] == 250
        assert len(focus_edges(page)["sent"]) == explorer.networks[0].sent.nodes.shape[2]
