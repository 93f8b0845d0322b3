"""The rules of Gephi's GEXF importer."""

import re
from collections.abc import Callable
from functools import partial

from multiplex_vit.network.export import gephi_values as values
from multiplex_vit.network.export.gephi_elements import Lint

_VERSIONS = ("1.0", "1.1", "1.2", "1.3")
_TIMES = re.compile(r"<?\[\s*[^\[\]<>,;]+(\s*[,;]\s*[^\[\]<>,;]+)*\s*\]>?")
_VIZ = {
    "position": ("x", "y", "z"),
    "size": ("value",),
    "thickness": ("value",),
    "color": ("r", "g", "b"),
}

_TIME_ATTRIBUTES = {"timestamps", "timestamp", "start", "end", "timeset"}

_TIMESTAMPS = {"timestamps", "timestamp"}

_INTERVALS = {"start", "end", "startopen", "endopen"}


class GexfLint(Lint):
    """Checks GEXF."""

    def __init__(self) -> None:
        super().__init__()
        self._columns: dict[tuple[str, str], tuple[str, bool]] = {}
        self._blocks: list[str] = []
        # The class of the <attributes> being read, and whether they are dynamic.
        self._block = ("", False)
        self._dynamic = False
        self._represents = "interval"
        self._default_type: str | None = None
        # The element being read, "node" or "edge", and how problems name it.
        self._element = ""
        self._label = ""
        self._depth = 0
        self._placed = 0
        self._at_origin = 0
        self._seen: set[tuple[str, str]] = set()

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        """Check an element's attributes."""
        if tag in _CHECKED:
            check = getattr(self, f"_{tag}")
            check(attributes)
        elif tag in _VIZ and self._element:
            self._viz(tag, attributes)

    def end(self, tag: str, text: str) -> None:
        """Note which node or edge has ended."""
        if tag == "node":
            self._depth -= 1
        if tag in ("node", "edge"):
            self._element = ""

    def _gexf(self, attributes: dict[str, str]) -> None:
        version = attributes.get("version", "")
        if version.removesuffix("draft") not in _VERSIONS:
            problem = "of GEXF is not known; Gephi warns and reads on"
            self.say("version", f"version {version!r} {problem}")

    def _graph(self, attributes: dict[str, str]) -> None:
        if self.add_graph() > 1:
            problem = "is not the first of the file; Gephi puts all graphs into one"
            self.say("graphs", f"graph on line {self.line} {problem}")
        self._dynamic = attributes.get("mode") == "dynamic"
        self._represents = attributes.get("timerepresentation", "interval")
        self._default_type = attributes.get("defaultedgetype")
        if self._default_type == "mutual":
            problem = "which Gephi does not know; give directed, and both edges"
            self.say("mutual", f"defaultedgetype is mutual, {problem}")

    def _attributes(self, attributes: dict[str, str]) -> None:
        domain = attributes.get("class", "")
        # Gephi still knows GEXF 1.0's spelling of mode, which is type.
        mode = attributes.get("mode", attributes.get("type"))
        self._block = (domain, mode == "dynamic")
        if domain in self._blocks:
            block = f"a second <attributes class={domain!r}> on line {self.line}"
            problem = "Gephi Lite forgets the first and stops: put all in one"
            self.say("blocks", f"{block}; {problem}")
        self._blocks.append(domain)

    def _attribute(self, attributes: dict[str, str]) -> None:
        domain, dynamic = self._block
        identity = attributes.get("id", "")
        kind = attributes.get("type", "string")
        title = attributes.get("title", identity)
        if not identity:
            problem = f"on line {self.line} has no id; Gephi leaves the column out"
            self.say("attributes without an id", f"attribute {title!r} {problem}")
        if not values.known_type(kind):
            problem = f"has type {kind!r}; Gephi leaves the column out"
            self.say("types", f"{domain} attribute {title!r} {problem}")
        if (domain, identity) in self._columns:
            problem = "is there twice; Gephi mixes the columns up"
            self.say("attributes twice", f"{domain} attribute {identity!r} {problem}")
        alike = "weight" in (identity.lower(), title.lower())
        if domain == "edge" and identity != "weight" and alike:
            problem = "not exactly 'weight'; Gephi makes it a column, not the weight"
            self.say(
                "property names",
                f"attribute {title!r} has the id {identity!r}, {problem}",
            )
        self._columns[domain, identity] = kind, dynamic

    def _node(self, attributes: dict[str, str]) -> None:
        self._element = "node"
        self._label = self.add_node(attributes)
        self._seen.clear()
        self._depth += 1
        self._placed += 1
        if self._depth > 1 or "pid" in attributes:
            problem = "lies in another; Gephi has no hierarchy and reports an error"
            self.say("hierarchy", f"{self._label} {problem}")
        if not attributes.get("label"):
            self.say("labels", f"{self._label} has no label; Gephi leaves it blank")
        self._times(attributes)

    def _edge(self, attributes: dict[str, str]) -> None:
        kind = attributes.get("type", self._default_type)
        directed = kind != "undirected"
        self._element = "edge"
        self._label = self.add_edge(attributes, attributes.get("kind", ""), directed)
        self._seen.clear()
        self._check_type(attributes.get("type"))
        if "weight" in attributes:
            self._fault("weights", "weight", attributes["weight"], values.weight_fault)
            self._seen.add(("weight", str({})))
        self._times(attributes)

    def _fault(self, rule: str, name: str, text: str, check: Callable[[str], str | None]) -> None:
        """Say what is wrong with a value, if anything is."""
        fault = check(text)
        if fault:
            self.say(rule, f"{self._label} has {name} {text!r}, which {fault}")

    def _check_type(self, kind: str | None) -> None:
        if kind is None and self._default_type is None:
            problem = "Gephi takes it as directed, Gephi Lite as undirected"
            self.say(
                "edge types",
                f"{self._label} has no type and there is no default; {problem}",
            )
        elif kind == "undirected" and self._default_type == "directed":
            problem = "is undirected where defaultedgetype is directed; Gephi rejects it"
            self.say("edge types", f"{self._label} {problem}")
        elif kind not in (None, "directed", "undirected"):
            problem = "Gephi knows directed and undirected"
            self.say("edge types", f"{self._label} has type {kind!r}; {problem}")

    def _times(self, attributes: dict[str, str]) -> None:
        """Check when a node or edge is there."""
        names = set(attributes)
        stamped = self._represents == "timestamp"
        if not self._dynamic and _TIME_ATTRIBUTES & names:
            problem = "has times but the graph's mode is not dynamic; Gephi ignores them"
            self.say("times of a static graph", f"{self._label} {problem}")
        elif self._dynamic and _TIMESTAMPS & names and not stamped:
            problem = "timestamps where timerepresentation is not timestamp; Gephi fails on them"
            self.say("timerepresentation", f"{self._label} has {problem}")
        elif self._dynamic and _INTERVALS & names and stamped:
            problem = "an interval where timerepresentation is timestamp; Gephi fails on it"
            self.say("timerepresentation", f"{self._label} has {problem}")
        times = attributes.get("timestamps")
        if times is not None and not _right_times(times):
            problem = "not of the form '<[0.0, 1.0]>'; Gephi leaves them out"
            self.say("timestamps", f"{self._label} has timestamps {times!r}, {problem}")

    def _attvalue(self, attributes: dict[str, str]) -> None:
        identity = attributes.get("for") or attributes.get("id") or ""
        text = attributes.get("value", "")
        kind, dynamic = self._columns.get((self._element, identity), (None, False))
        if kind is None:
            problem = "which is not declared; Gephi leaves it out"
            self.say(
                "attributes not declared",
                f"{self._label} has a value of {identity!r}, {problem}",
            )
            return
        check: Callable[[str], str | None] = partial(values.value_fault, kind)
        if self._element == "edge" and identity == "weight":
            check = values.weight_fault
        self._fault(f"values of {identity}", identity, text, check)
        self._when(identity, dynamic, attributes)

    def _when(self, identity: str, dynamic: bool, attributes: dict[str, str]) -> None:
        """Check the time of a value: dynamic ones have a time, each another."""
        value = f"{self._label} has a value of {identity!r}"
        times = {}
        for name in ("timestamp", "start", "end"):
            if name in attributes:
                times[name] = attributes[name]
        if dynamic != bool(times):
            needs = "no time, for it is static"
            if dynamic:
                needs = "a timestamp, for it is dynamic"
            self.say("times of values", f"{value} that needs {needs}; Gephi reads it wrongly")
        for time in times.values():
            if values.java_float(time) is None:
                problem = "which is no number; Gephi leaves it out"
                self.say("times of values", f"{value} at {time!r}, {problem}")
                break
        if (identity, str(times)) in self._seen:
            when = " at one time" if times else ""
            values_twice = f"{self._label} has two values of {identity!r}{when}"
            self.say("values twice", f"{values_twice}; Gephi keeps one")
        self._seen.add((identity, str(times)))

    def _spells(self, attributes: dict[str, str]) -> None:
        owner = self._label or "the graph"
        problem = "which several versions of Gephi read wrongly; give timestamps"
        self.say("spells", f"{owner} has <spells>, {problem}")

    def _viz(self, tag: str, attributes: dict[str, str]) -> None:
        first = next(iter(attributes), "")
        if tag in ("size", "thickness") and first != "value":
            problem = "whose first attribute is not value; Gephi Lite fails on it"
            self.say("viz", f"{self._label} has viz:{tag} {problem}")
        checks = {"color": values.channel_fault, "position": values.place_fault}
        check = checks.get(tag, values.size_fault)
        for name in _VIZ[tag]:
            if name in attributes:
                self._fault("viz", f"viz:{tag} {name}", attributes[name], check)
        if tag == "color" and "hex" in attributes:
            self._fault("viz", "viz:color hex", attributes["hex"], values.colour_fault)
        if tag == "position" and _is_origin(attributes):
            self._at_origin += 1

    def finish(self) -> None:
        """Check the places of all nodes together."""
        if self._placed > 1 and self._at_origin == self._placed:
            problem = "Gephi strews them at random"
            self.say("places", f"every node lies at x = 0, y = 0; {problem}")


_CHECKED = (
    "gexf",
    "graph",
    "attributes",
    "attribute",
    "node",
    "edge",
    "attvalue",
    "spells",
)


def _right_times(text: str) -> bool:
    if not _TIMES.fullmatch(text.strip()):
        return False
    times = re.split("[,;]", text.strip(" <>[]"))
    return None not in map(values.java_float, times)


def _is_origin(attributes: dict[str, str]) -> bool:
    x = values.java_float(attributes.get("x", ""))
    y = values.java_float(attributes.get("y", ""))
    return x == 0 and y == 0
