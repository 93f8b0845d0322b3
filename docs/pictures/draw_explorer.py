"""Draw explorer_light.webp and explorer_dark.webp: python docs/pictures/draw_explorer.py.

It needs Chromium and playwright, and takes a page of `multiplex-vit explore` or makes one.
"""

import argparse
import io
import shutil
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, sync_playwright

import multiplex_vit as mv

HERE = Path(__file__).parent
PATIENCE = 300_000
"""Milliseconds to wait for the page."""

QUALITY = 85
VIEWS = {
    "light": "pins=r8c6&layer=L10&direction=sent&k=1",
    "dark": "tab=masks&mask=30&colour=class%3Aheatmap&layer=L11",
}
"""What each picture shows, as the page's address says it."""


def draw(browser: Browser, page_file: Path, theme: str) -> None:
    """Write the picture of one theme."""
    page = browser.new_page(viewport={"width": 1280, "height": 900}, color_scheme=theme)
    page.set_default_timeout(PATIENCE)
    page.goto(f"{page_file.as_uri()}#{VIEWS[theme]}")
    page.wait_for_selector("[data-ready]")
    page.wait_for_timeout(2_000)
    picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    picture.save(HERE / f"explorer_{theme}.webp", quality=QUALITY, method=6)
    page.close()


def main() -> None:
    """Draw both pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--page", type=Path, help="a page. Default: that of the deer and dog")
    parser.add_argument("--chromium", default=shutil.which("chromium"), help="the browser")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as driver:
        page_file = args.page
        if page_file is None:
            explorer = mv.explorer(mv.load(), mv.samples()["deer_and_dog"])
            page_file = explorer.write(Path(folder, "page.html"))
        options = ["--no-sandbox", "--enable-unsafe-swiftshader"]
        browser = driver.chromium.launch(executable_path=args.chromium, args=options)
        for theme in VIEWS:
            draw(browser, page_file.resolve(), theme)
        browser.close()


if __name__ == "__main__":
    main()
