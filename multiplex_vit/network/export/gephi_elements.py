"""What the lints of both formats share: problems, and the book of nodes and edges."""

from array import array
from collections import Counter
from pathlib import Path

import numpy as np

from multiplex_vit.network.export.xml_stream import XmlStream

_SHOWN = 5


class Lint(XmlStream):
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
        # What is kept of each edge: the hash of its id, both ends in one number, its kind.
        self._hashes = array("q")
        self._pairs = array("q")
        self._of_kind = array("i")

    def problems(self, path: Path) -> list[str]:
        """Return the problems of a file, in the order of their rules' first offenders."""
        self.read(path)
        self.finish()
        self._check_empty()
        self._check_ends()
        self._check_parallel()
        self._check_repeated_ids(path)
        problems = []
        for rule, lines in self._lines.items():
            problems += lines
            more = self._counts[rule] - len(lines)
            if more:
                problems.append(f"... and {more:,} more: {rule}")
        return problems

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
            place = f"node on line {self.line}"
            self.say(
                "nodes without an id",
                f"{place} has no id; Gephi stops the whole import",
            )
            return place
        number = self._number(name)
        # Names also become known as ends of edges, so that being known is not being declared.
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
        label = f"edge {identity!r}" if identity else f"edge on line {self.line}"
        if identity == "":
            problem = "has an empty id; Gephi stops the whole import"
            self.say("edges with an empty id", f"{label} {problem}")
        if identity:
            self._hashes.append(hash(identity))
        source = attributes.get("source", "")
        target = attributes.get("target", "")
        if not source or not target:
            end = "target" if source else "source"
            problem = f"has no {end}; Gephi stops the whole import"
            self.say("edges without an end", f"{label} {problem}")
            return label
        ends = [self._number(source), self._number(target)]
        if not directed:
            ends.sort()
        self._pairs.append(ends[0] << 32 | ends[1])
        code = self._kinds.setdefault((kind, directed), len(self._kinds))
        self._of_kind.append(code)
        return label

    def _number(self, name: str) -> int:
        return self._numbers.setdefault(name, len(self._numbers))

    def _check_empty(self) -> None:
        if not self._graphs:
            self.say("no graph", "the file has no <graph>; Gephi finds nothing in it")
        elif not self._numbers and "nodes without an id" not in self._counts:
            self.say("no nodes", "the graph has no nodes; Gephi finds nothing in it")

    def _check_ends(self) -> None:
        problem = "is the end of an edge but is never declared; Gephi invents it"
        for name, number in self._numbers.items():
            if number not in self._declared:
                self.say("nodes never declared", f"node {name!r} {problem}")

    def _check_parallel(self) -> None:
        pairs = np.frombuffer(self._pairs, dtype=np.int64)
        of_kind = np.frombuffer(self._of_kind, dtype=np.int32)
        names = list(self._numbers)
        problem = "Gephi makes one of them and sums the weights"
        for (kind, _), code in self._kinds.items():
            unique, counts = np.unique(pairs[of_kind == code], return_counts=True)
            of = f" of kind {kind!r}" if kind else ""
            for place in np.flatnonzero(counts > 1):
                source, target = divmod(int(unique[place]), 1 << 32)
                ends = f"{names[source]!r} to {names[target]!r}"
                edges = f"{counts[place]} edges{of} run from {ends}"
                self.say("parallel edges", f"{edges}; {problem}")

    def _check_repeated_ids(self, path: Path) -> None:
        """Name repeated edge ids.

        Their hashes tell whether there are any, and only then is the file read again.
        """
        hashes = np.frombuffer(self._hashes, dtype=np.int64)
        unique, counts = np.unique(hashes, return_counts=True)
        repeated = unique[counts > 1].tolist()
        if not repeated:
            return
        reader = _EdgeIds(set(repeated))
        reader.read(path)
        problem = "Gephi keeps the first edge and drops the others"
        for identity, count in reader.counts.items():
            # Different ids may have one hash.
            if count > 1:
                times = f"edge id {identity!r} is there {count} times"
                self.say("edge ids twice", f"{times}; {problem}")


class _EdgeIds(XmlStream):
    """Counts the edge ids of given hashes."""

    def __init__(self, hashes: set[int]) -> None:
        super().__init__()
        self.hashes = hashes
        self.counts: Counter[str] = Counter()

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        if tag != "edge":
            return
        identity = attributes.get("id")
        if identity and hash(identity) in self.hashes:
            self.counts[identity] += 1
