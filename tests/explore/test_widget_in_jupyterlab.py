"""The widget in a real JupyterLab: it draws, Python reads what was selected, and selects itself."""

import os
import re
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager

import nbformat
import pytest
from browser import PATIENCE, browser

pytestmark = pytest.mark.slow

CELLS = {
    "show": """
import numpy as np
import multiplex_vit as mv
weights = np.random.default_rng(0).random((3, 16, 16))
net = mv.Multiplex(weights, (4, 4), provenance={"model": "random"})
image = np.random.default_rng(1).integers(0, 255, (64, 64, 3), dtype=np.uint8)
widget = net.explore(image, measures=["in_strength"]).widget({"layer": "L01"})
widget
""",
    "read": "print('READ', widget.selection['layer'], widget.selection['pins'])",
    "select": "widget.selection = {**widget.selection, 'layer': 'L02', 'pins': ['r0c0', 'r3c3']}",
}


@contextmanager
def server(folder):
    """Give the address of a JupyterLab that serves a folder."""
    environment = {**os.environ, "JUPYTER_CONFIG_DIR": str(folder / "config")}
    environment |= {name: str(folder / name) for name in ("JUPYTER_RUNTIME_DIR", "IPYTHONDIR")}
    options = {
        "ServerApp.root_dir": folder,
        "ServerApp.port": 0,
        "IdentityProvider.token": "test",
        "ServerApp.allow_root": True,
        "LabApp.news_url": "None",
    }
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--expose-app-in-browser"]
    command += [f"--{name}={value}" for name, value in options.items()]
    with (folder / "log.txt").open("w") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, env=environment)
    try:
        yield address(folder / "log.txt", process)
    finally:
        process.terminate()
        process.wait(60)


def address(log, process):
    ends = time.monotonic() + PATIENCE / 1000
    while time.monotonic() < ends:
        found = re.search(r"http://(127\.0\.0\.1|localhost):\d+/", log.read_text())
        if found:
            return found[0]
        assert process.poll() is None, log.read_text()
        time.sleep(0.2)
    raise AssertionError(log.read_text())


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    folder = tmp_path_factory.mktemp("lab")
    book = nbformat.v4.new_notebook()
    book.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3"}
    book.cells = [nbformat.v4.new_code_cell(text.strip()) for text in CELLS.values()]
    nbformat.write(book, folder / "a.ipynb")
    with server(folder) as place, browser() as running:
        assert urllib.request.urlopen(f"{place}api?token=test").status == 200
        page = running.new_page(viewport={"width": 1500, "height": 1200})
        page.set_default_timeout(PATIENCE)
        page.goto(f"{place}lab/tree/a.ipynb?token=test")
        page.locator(".jp-Notebook .jp-CodeCell").first.wait_for()
        yield page


def run(page, name):
    """Run a cell, and return it when it has been run."""
    cell = page.locator(".jp-Notebook .jp-CodeCell").nth(list(CELLS).index(name))
    cell.locator(".jp-InputArea-editor").click()
    before = cell.locator(".jp-InputPrompt").first.text_content()
    page.evaluate("window.jupyterapp.commands.execute('notebook:run-cell')")
    ends = time.monotonic() + PATIENCE / 1000
    while True:
        prompt = cell.locator(".jp-InputPrompt").first.text_content()
        if prompt != before and "*" not in prompt:
            return cell
        assert time.monotonic() < ends, prompt
        page.wait_for_timeout(100)


def test_python_and_the_widget_follow_each_other(lab):
    cell = run(lab, "show")
    widget = cell.locator(".mvx[data-ready]")
    widget.wait_for()
    assert widget.get_by_role("heading", level=1).text_content() == "How random sees an image"
    assert widget.locator(".mvx-lens canvas").count() > 2
    layer = widget.get_by_label("Layer", exact=True)
    assert layer.input_value() == "1"

    # What is selected in the widget is read by Python.
    box = widget.locator(".mvx-photo").first.bounding_box()
    lab.mouse.click(box["x"] + 0.6 * box["width"], box["y"] + 0.4 * box["height"])
    layer.fill("0")
    lab.wait_for_timeout(500)
    read = run(lab, "read")
    assert read.locator(".jp-OutputArea-output").text_content().strip() == "READ L00 ['r1c2']"

    # What Python selects is selected in the widget.
    run(lab, "select")
    lab.wait_for_function("document.querySelector('.mvx-readout h3').textContent.startsWith('A (')")
    assert layer.input_value() == "2"
    assert "B (row 4, column 4)" in widget.locator(".mvx-readout").text_content()
    read = run(lab, "read")
    text = read.locator(".jp-OutputArea-output").text_content().strip()
    assert text == "READ L02 ['r0c0', 'r3c3']"
