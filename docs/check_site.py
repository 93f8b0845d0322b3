"""Check a built site: python docs/check_site.py FOLDER

Every link to a page, a picture or an anchor of the site leads somewhere, and no page is over 2 MB.
"""

import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

MOST_BYTES = 2_000_000


class Page(HTMLParser):
    """The anchors and the links of a page."""

    def __init__(self, path: Path):
        super().__init__()
        self.anchors: set[str] = set()
        self.links: list[str] = []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take down what a tag says."""
        for name, value in attrs:
            if name == "id" and value:
                self.anchors.add(value)
            if name in ("href", "src") and value:
                self.links.append(value)


def problems_of(folder: Path) -> list[str]:
    """Return what is wrong with a site, a line each."""
    pages = {path.resolve(): Page(path) for path in folder.rglob("*.html")}
    problems = []
    for path, page in pages.items():
        shown = path.relative_to(folder.resolve())
        size = path.stat().st_size
        if size > MOST_BYTES:
            problems.append(f"{shown} has {size:,} bytes; at most {MOST_BYTES:,} are allowed")
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = path
            if parts.path:
                target = (path.parent / unquote(parts.path)).resolve()
            if not target.exists():
                problems.append(f"{shown}: {link} leads nowhere")
                continue
            anchors = pages[target].anchors if target in pages else None
            if parts.fragment and anchors is not None and unquote(parts.fragment) not in anchors:
                problems.append(f"{shown}: {link} has no such anchor")
    if not pages:
        problems.append(f"{folder} holds no page")
    return problems


def main() -> int:
    """Print the problems of a site, and return 1 if there are any."""
    problems = problems_of(Path(sys.argv[1]))
    for problem in problems:
        print(problem)
    return int(bool(problems))


if __name__ == "__main__":
    sys.exit(main())
