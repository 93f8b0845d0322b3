"""How large the interactive page is, and how fast it draws, in a headless Chromium.

Networks are drawn at random with the geometry of ViT-S, of ViT-B and of a large model. The page is
opened from disk; frames are counted in the page while the camera moves over the stack of all
layers, and over the lens of one.
"""

import argparse
import json
import shutil
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from playwright.sync_api import Browser, Page, sync_playwright
from provenance import provenance

import multiplex_vit as mv
from multiplex_vit.network.thinned import thinned

RESULTS = Path(__file__).parent / "results"
GEOMETRIES = {
    "ViT-S, 12 x 256, 6 heads": (12, 6, (16, 16)),
    "ViT-B, 12 x 196, 12 heads": (12, 12, (14, 14)),
    "large, 24 x 576, pooled": (24, 0, (24, 24)),
}
"""Layers, heads that can be chosen, and grid."""

SOFTWARE = ["--no-sandbox", "--enable-unsafe-swiftshader"]
"""WebGL without a graphics card, as a browser has it on a machine without one."""

FRAMES = """async ([seconds, name]) => {
  const { network } = document.getElementById("explorer").explorer;
  const camera = network[name].sigma.getCamera();
  const start = performance.now();
  let frames = 0;
  while (performance.now() - start < 1000 * seconds) {
    const turn = (performance.now() - start) / 1000;
    camera.setState({ x: 0.5 + 0.1 * Math.sin(turn), y: 0.5 + 0.1 * Math.cos(turn), ratio: 0.8 });
    await new Promise(requestAnimationFrame);
    frames += 1;
  }
  return (1000 * frames) / (performance.now() - start);
}"""
"""Frames a second while a camera moves."""

POINTING = """async (times) => {
  const { store, contents } = document.getElementById("explorer").explorer;
  const waits = [];
  for (let time = 0; time < times; time += 1) {
    const start = performance.now();
    store.set({ hovered: (37 * time) % contents.nNodes });
    await new Promise(requestAnimationFrame);
    await new Promise(requestAnimationFrame);
    waits.push(performance.now() - start);
  }
  return waits.sort((one, other) => one - other)[Math.floor(times / 2)];
}"""
"""Median milliseconds from pointing at a patch to the frame after the one that shows it."""

DRAWN = """() => {
  const { stack, lens } = document.getElementById("explorer").explorer.network;
  return [stack.graph.order + lens.graph.order, stack.graph.size + lens.graph.size];
}"""


def attention(rng: np.random.Generator, layers: int, nodes: int) -> np.ndarray:
    """Return rows that add up to 1, with tails as heavy as those of attention."""
    weights = np.exp(2 * rng.standard_normal((layers, nodes, nodes)))
    return weights / weights.sum(axis=2, keepdims=True)


def page_of(layers: int, heads: int, grid: tuple[int, int]) -> mv.Explorer:
    """Return an explorer of random networks: one pooled, and one for each head."""
    rng = np.random.default_rng(0)
    nodes = grid[0] * grid[1]
    networks = {"pooled": mv.Multiplex(attention(rng, layers, nodes), grid).prune(0.01)}
    if heads:
        places = np.arange(layers * heads)
        of_heads = mv.Multiplex(
            attention(rng, layers * heads, nodes),
            grid,
            blocks=tuple((places // heads).tolist()),
            heads=tuple((places % heads).tolist()),
        )
        networks["head"] = of_heads.prune(0.01)
    return mv.Explorer("measured", thinned(networks, ["in_strength", "out_strength", "pagerank"]))


def measured(browser: Browser, explorer: mv.Explorer, seconds: float) -> dict[str, Any]:
    """Return the figures of a page."""
    with tempfile.TemporaryDirectory() as folder:
        path = explorer.write(Path(folder, "page.html"))
        page = browser.new_page(viewport={"width": 1400, "height": 1000})
        began = time.perf_counter()
        page.goto(path.as_uri())
        page.wait_for_selector("[data-ready]", timeout=120_000)
        opened = time.perf_counter() - began
        figures = {
            "megabytes": round(path.stat().st_size / 1e6, 2),
            "edges a node": explorer.networks[0].sent.nodes.shape[2],
            "seconds to open": round(opened, 1),
            **drawing(page, seconds),
        }
        page.close()
    return figures


def drawing(page: Page, seconds: float) -> dict[str, Any]:
    """Return what is drawn, and how fast."""
    nodes, edges = page.evaluate(DRAWN)
    frames = {}
    for name in ("stack", "lens"):
        # The first frames compile shaders.
        page.evaluate(FRAMES, [1, name])
        frames[f"frames a second, {name}"] = round(page.evaluate(FRAMES, [seconds, name]), 1)
    return {
        "nodes drawn": nodes,
        "edges drawn": edges,
        **frames,
        "ms to show a patch": round(page.evaluate(POINTING, 21), 1),
    }


def report(facts: dict[str, str], results: dict[str, dict[str, Any]]) -> str:
    """Return the figures as a page of Markdown, a column for each geometry."""
    names = list(results)
    lines = ["# The interactive page, measured", "", " ".join(__doc__.split()), ""]
    lines += [f"| | {' | '.join(names)} |", f"|---{'|---:' * len(names)}|"]
    for figure in results[names[0]]:
        values = " | ".join(str(results[name][figure]) for name in names)
        lines.append(f"| {figure} | {values} |")
    lines += ["", *(f"- {name}: {text}" for name, text in facts.items()), ""]
    return "\n".join(lines)


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=5, help="time that frames are counted")
    parser.add_argument("--chromium", default=shutil.which("chromium"), help="the browser")
    args = parser.parse_args()
    results = {}
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=args.chromium, args=SOFTWARE)
        version = browser.version
        for name, geometry in GEOMETRIES.items():
            results[name] = measured(browser, page_of(*geometry), args.seconds)
            print(name, results[name], flush=True)
        browser.close()
    facts = {**provenance(), "browser": f"Chromium {version}, headless, WebGL by SwiftShader"}
    content = {"provenance": facts, "results": results}
    (RESULTS / "explorer.json").write_text(json.dumps(content, indent=2) + "\n")
    (RESULTS / "explorer.md").write_text(report(facts, results))


if __name__ == "__main__":
    main()
