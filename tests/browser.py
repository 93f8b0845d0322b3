"""A headless Chromium: a page opened from disk, and what went wrong meanwhile."""

import os
import shutil
import time
from contextlib import contextmanager

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome")
SOFTWARE = ["--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]
"""WebGL without a graphics card."""

PATIENCE = 120_000
"""Milliseconds to wait for what comes at once on a machine with nothing else to do."""


def chromium():
    """Return the path of a browser; without one the test fails in CI, and is left out elsewhere."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None and os.environ.get("CI"):
        pytest.fail("no Chromium here: apt-get install chromium")
    if found is None:
        pytest.skip("no Chromium here: apt-get install chromium")
    return found


@contextmanager
def browser():
    """Give a browser that draws without a graphics card."""
    from playwright.sync_api import sync_playwright

    path = chromium()
    with sync_playwright() as driver:
        running = driver.chromium.launch(executable_path=path, args=SOFTWARE)
        yield running
        running.close()


class Watch:
    """A page, and all that it should not do."""

    def __init__(self, page):
        self.page = page
        self.faults = []
        page.set_default_timeout(PATIENCE)
        page.on("console", self.on_console)
        page.on("pageerror", lambda error: self.faults.append(f"error: {error}"))
        page.on("dialog", self.on_dialog)
        page.on("request", self.on_request)

    def on_console(self, message):
        # A driver without a graphics card says that reading a pixel is slow, as it is there.
        is_driver = "GL Driver Message (OpenGL, Performance" in message.text
        if message.type in ("error", "warning") and not is_driver:
            self.faults.append(f"console: {message.text}")

    def on_dialog(self, dialog):
        self.faults.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def on_request(self, request):
        is_page = request.url.startswith("file:") and request.is_navigation_request()
        if not is_page and not request.url.startswith(("data:", "blob:")):
            self.faults.append(f"request: {request.url}")


@contextmanager
def opened(running, path, settings="", **options):
    """Give an explorer's page, ready; fail if it wrote errors or asked for anything."""
    options = {"viewport": {"width": 1400, "height": 1000}, **options}
    context = running.new_context(**options)
    watch = Watch(context.new_page())
    watch.page.goto(f"{path.as_uri()}#{settings}")
    watch.page.wait_for_selector("[data-ready]")
    settle(watch.page)
    yield watch.page
    context.close()
    assert watch.faults == []


def settle(page):
    """Wait until what has changed is drawn."""
    frame = "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
    page.evaluate(frame)


def wait_until(page, expression):
    """Wait until an expression of JavaScript is true in the page.

    Playwright's own way evaluates texts inside the page, which the page's policy forbids.
    """
    ends = time.monotonic() + PATIENCE / 1000
    while not page.evaluate(expression):
        assert time.monotonic() < ends, expression
        settle(page)
