"""What the lints of both formats share: problems, and the book of nodes and edges."""

from array import array
from collections import Counter
from pathlib import Path

import numpy as np

from multiplex_vit.network.export.markup import Stream

_SHOWN = 5


class Lint(Stream):
    """Reads a file and collects problems.

    Of each edge only three numbers are kept, so that big files fit into memory.
    """

    def __init__(self) -> None:
        super().__init__()
        self._lines: dict[str, list[str]] = {}
        self._counts: Counter[str] = Counter()
        self._numbers: dict[str, int] = {}
        self._declared: set[int] = set()
        self._graphs = 0
        self._kinds: dict[tuple[str, bool], int] = {}
        self._hashes, self._pairs, self._of_kind = array("q"), array("q"), array("i")

    def problems(self, path: Path) -> list[str]:
        """Return the problems of a file, in the order of their rules' first offenders."""
        self.read(path)
        self.finish()
        self._empty()
        self._dangling()
        self._parallel()
        self._repeated_ids(path)
        many = {rule: self._counts[rule] - _SHOWN for rule in self._counts if self._counts[rule] > _SHOWN}
        return [
            line
            for rule, lines in self._lines.items()
            for line in [
                *lines,
                *([f"... and {many[rule]:,} more: {rule}"] if rule in many else []),
            ]
        ]

    def finish(self) -> None:
        """Take the end of the file."""

    def say(self, rule: str, line: str) -> None:
        """Note a problem; of one rule the first few are kept and all are counted."""
        self._counts[rule] += 1
        if self._counts[rule] <= _SHOWN:
            self._lines.setdefault(rule, []).append(line)

    def add_graph(self) -> int:
        """Note a graph; return how many there are by now."""
        self._graphs += 1
        return self._graphs

    def add_node(self, attributes: dict[str, str]) -> str:
        """Note a node; return how to call it in a problem."""
        name = attributes.get("id", "")
        if not name:
            self.say(
                "nodes without an id",
                f"node on line {self.line} has no id; Gephi stops the whole import",
            )
            return f"node on line {self.line}"
        number = self._number(name)
        if number in self._declared:
            self.say(
                "node ids twice",
                f"node {name!r} is there twice; Gephi makes one node of them",
            )
        self._declared.add(number)
        return f"node {name!r}"

    def add_edge(self, attributes: dict[str, str], kind: str, directed: bool) -> str:
        """Note an edge; return how to call it in a problem."""
        identity = attributes.get("id")
        called = f"edge {identity!r}" if identity else f"edge on line {self.line}"
        if identity == "":
            self.say(
                "edges with an empty id",
                f"{called} has an empty id; Gephi stops the whole import",
            )
        if identity:
            self._hashes.append(hash(identity))
        source, target = attributes.get("source", ""), attributes.get("target", "")
        if not source or not target:
            self.say(
                "edges without an end",
                f"{called} has no {'target' if source else 'source'}; Gephi stops the whole import",
            )
            return called
        ends = self._number(source), self._number(target)
        low, high = ends if directed else sorted(ends)
        self._pairs.append(low << 32 | high)
        self._of_kind.append(self._kinds.setdefault((kind, directed), len(self._kinds)))
        return called

    def _number(self, name: str) -> int:
        return self._numbers.setdefault(name, len(self._numbers))

    def _empty(self) -> None:
        if not self._graphs:
            self.say("no graph", "the file has no <graph>; Gephi finds nothing in it")
        elif not self._numbers and "nodes without an id" not in self._counts:
            self.say("no nodes", "the graph has no nodes; Gephi finds nothing in it")

    def _dangling(self) -> None:
        for name, number in self._numbers.items():
            if number not in self._declared:
                self.say(
                    "nodes never declared",
                    f"node {name!r} is the end of an edge but is never declared; Gephi invents it",
                )

    def _parallel(self) -> None:
        pairs, of_kind = (
            np.frombuffer(self._pairs, dtype=np.int64),
            np.frombuffer(self._of_kind, dtype=np.int32),
        )
        names, kinds = list(self._numbers), list(self._kinds)
        for code, (kind, _) in enumerate(kinds):
            several, counts = np.unique(pairs[of_kind == code], return_counts=True)
            for pair, count in zip(several[counts > 1].tolist(), counts[counts > 1].tolist(), strict=True):
                ends = f"{names[pair >> 32]!r} to {names[pair & 0xFFFFFFFF]!r}"
                of = f" of kind {kind!r}" if kind else ""
                self.say(
                    "parallel edges",
                    f"{count} edges{of} run from {ends}; Gephi makes one of them and sums the weights",
                )

    def _repeated_ids(self, path: Path) -> None:
        """Name repeated edge ids.

        Their hashes tell whether there are any, and only then is the file read again.
        """
        hashes, counts = np.unique(np.frombuffer(self._hashes, dtype=np.int64), return_counts=True)
        if not (counts > 1).any():
            return
        ids = _EdgeIds(set(hashes[counts > 1].tolist()))
        ids.read(path)
        for identity, count in ids.counts.items():
            if count > 1:
                self.say(
                    "edge ids twice",
                    f"edge id {identity!r} is there {count} times; Gephi keeps the first edge and drops the others",
                )


class _EdgeIds(Stream):
    """Counts the edge ids of given hashes."""

    def __init__(self, hashes: set[int]) -> None:
        super().__init__()
        self.hashes = hashes
        self.counts: Counter[str] = Counter()

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        if tag == "edge" and attributes.get("id") and hash(attributes["id"]) in self.hashes:
            self.counts[attributes["id"]] += 1
