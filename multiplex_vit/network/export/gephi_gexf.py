"""The rules of Gephi's GEXF importer."""

import re

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


class GexfLint(Lint):
    """Checks GEXF."""

    def __init__(self) -> None:
        super().__init__()
        self._columns: dict[tuple[str, str], tuple[str, bool]] = {}
        self._blocks: list[str] = []
        self._block = ("", False)
        self._dynamic = False
        self._represents = "interval"
        self._default_type: str | None = None
        self._element, self._called = "", ""
        self._depth = self._placed = self._at_origin = 0
        self._given: set[tuple[str, str]] = set()

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        """Check an element's attributes."""
        check = getattr(self, f"_{tag}", None) if tag in _CHECKED else None
        if check is not None:
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
            self.say(
                "version",
                f"version {version!r} of GEXF is not known; Gephi warns and reads on",
            )

    def _graph(self, attributes: dict[str, str]) -> None:
        if self.add_graph() > 1:
            self.say(
                "graphs",
                f"graph on line {self.line} is not the first of the file; Gephi puts all graphs into one",
            )
        self._dynamic = attributes.get("mode") == "dynamic"
        self._represents = attributes.get("timerepresentation", "interval")
        self._default_type = attributes.get("defaultedgetype")
        if self._default_type == "mutual":
            self.say(
                "mutual",
                "defaultedgetype is mutual, which Gephi does not know; give directed, and both edges",
            )

    def _attributes(self, attributes: dict[str, str]) -> None:
        domain = attributes.get("class", "")
        # Gephi still knows GEXF 1.0's spelling of mode, which is type.
        mode = attributes.get("mode", attributes.get("type"))
        self._block = (domain, mode == "dynamic")
        if domain in self._blocks:
            self.say(
                "blocks",
                f"a second <attributes class={domain!r}> on line {self.line}; Gephi Lite forgets the first and stops: put all in one",
            )
        self._blocks.append(domain)

    def _attribute(self, attributes: dict[str, str]) -> None:
        (domain, dynamic), identity, kind = (
            self._block,
            attributes.get("id", ""),
            attributes.get("type", "string"),
        )
        title = attributes.get("title", identity)
        if not identity:
            self.say(
                "attributes without an id",
                f"attribute {title!r} on line {self.line} has no id; Gephi leaves the column out",
            )
        if not values.known_type(kind):
            self.say(
                "types",
                f"{domain} attribute {title!r} has type {kind!r}; Gephi leaves the column out",
            )
        if (domain, identity) in self._columns:
            self.say(
                "attributes twice",
                f"{domain} attribute {identity!r} is there twice; Gephi mixes the columns up",
            )
        if domain == "edge" and identity != "weight" and "weight" in (identity.lower(), title.lower()):
            self.say(
                "property names",
                f"attribute {title!r} has the id {identity!r}, not exactly 'weight'; Gephi makes it a column, not the weight",
            )
        self._columns[domain, identity] = kind, dynamic

    def _node(self, attributes: dict[str, str]) -> None:
        self._element, self._called = "node", self.add_node(attributes)
        self._given.clear()
        self._depth += 1
        self._placed += 1
        if self._depth > 1 or "pid" in attributes:
            self.say(
                "hierarchy",
                f"{self._called} lies in another; Gephi has no hierarchy and reports an error",
            )
        if not attributes.get("label"):
            self.say("labels", f"{self._called} has no label; Gephi leaves it blank")
        self._times(attributes)

    def _edge(self, attributes: dict[str, str]) -> None:
        kind = attributes.get("type", self._default_type)
        self._element, self._called = (
            "edge",
            self.add_edge(attributes, attributes.get("kind", ""), kind != "undirected"),
        )
        self._given.clear()
        self._check_type(attributes.get("type"))
        if "weight" in attributes and (fault := values.weight_fault(attributes["weight"])):
            self.say(
                "weights",
                f"{self._called} has weight {attributes['weight']!r}, which {fault}",
            )
        if "weight" in attributes:
            self._given.add(("weight", str({})))
        self._times(attributes)

    def _check_type(self, kind: str | None) -> None:
        if kind is None and self._default_type is None:
            self.say(
                "edge types",
                f"{self._called} has no type and there is no default; Gephi takes it as directed, Gephi Lite as undirected",
            )
        elif kind == "undirected" and self._default_type == "directed":
            self.say(
                "edge types",
                f"{self._called} is undirected where defaultedgetype is directed; Gephi rejects it",
            )
        elif kind not in (None, "directed", "undirected"):
            self.say(
                "edge types",
                f"{self._called} has type {kind!r}; Gephi knows directed and undirected",
            )

    def _times(self, attributes: dict[str, str]) -> None:
        """Check when a node or edge is there."""
        times = attributes.get("timestamps")
        if not self._dynamic and {
            "timestamps",
            "timestamp",
            "start",
            "end",
            "timeset",
        } & set(attributes):
            self.say(
                "times of a static graph",
                f"{self._called} has times but the graph's mode is not dynamic; Gephi ignores them",
            )
        elif self._dynamic and {"timestamps", "timestamp"} & set(attributes) and self._represents != "timestamp":
            self.say(
                "timerepresentation",
                f"{self._called} has timestamps where timerepresentation is not timestamp; Gephi fails on them",
            )
        elif self._dynamic and {"start", "end", "startopen", "endopen"} & set(attributes) and self._represents == "timestamp":
            self.say(
                "timerepresentation",
                f"{self._called} has an interval where timerepresentation is timestamp; Gephi fails on it",
            )
        if times is not None and not _right_times(times):
            self.say(
                "timestamps",
                f"{self._called} has timestamps {times!r}, not of the form '<[0.0, 1.0]>'; Gephi leaves them out",
            )

    def _attvalue(self, attributes: dict[str, str]) -> None:
        identity, text = (
            attributes.get("for") or attributes.get("id") or "",
            attributes.get("value", ""),
        )
        kind, dynamic = self._columns.get((self._element, identity), (None, False))
        if kind is None:
            self.say(
                "attributes not declared",
                f"{self._called} has a value of {identity!r}, which is not declared; Gephi leaves it out",
            )
            return
        weighs = self._element == "edge" and identity == "weight"
        fault = values.weight_fault(text) if weighs else values.value_fault(kind, text)
        if fault:
            self.say(
                f"values of {identity}",
                f"{self._called} has {identity} {text!r}, which {fault}",
            )
        self._when(identity, dynamic, attributes)

    def _when(self, identity: str, dynamic: bool, attributes: dict[str, str]) -> None:
        """Check the time of a value: dynamic ones have one, each another."""
        times = {name: attributes[name] for name in ("timestamp", "start", "end") if name in attributes}
        if dynamic != bool(times):
            wanted = "a timestamp, for it is dynamic" if dynamic else "no time, for it is static"
            self.say(
                "times of values",
                f"{self._called} has a value of {identity!r} that wants {wanted}; Gephi reads it wrongly",
            )
        bad = [time for time in times.values() if values.java_float(time) is None]
        if bad:
            self.say(
                "times of values",
                f"{self._called} has a value of {identity!r} at {bad[0]!r}, which is no number; Gephi leaves it out",
            )
        if (identity, str(times)) in self._given:
            self.say(
                "values twice",
                f"{self._called} has two values of {identity!r}{' at one time' if times else ''}; Gephi keeps one",
            )
        self._given.add((identity, str(times)))

    def _spells(self, attributes: dict[str, str]) -> None:
        self.say(
            "spells",
            f"{self._called or 'the graph'} has <spells>, which several versions of Gephi read wrongly; give timestamps",
        )

    def _viz(self, tag: str, attributes: dict[str, str]) -> None:
        if tag in ("size", "thickness") and next(iter(attributes), "") != "value":
            self.say(
                "viz",
                f"{self._called} has viz:{tag} whose first attribute is not value; Gephi Lite fails on it",
            )
        check = {"color": values.channel_fault, "position": values.place_fault}.get(tag, values.size_fault)
        for name in _VIZ[tag]:
            if name in attributes and (fault := check(attributes[name])):
                self.say(
                    "viz",
                    f"{self._called} has viz:{tag} {name} {attributes[name]!r}, which {fault}",
                )
        if tag == "color" and "hex" in attributes and (fault := values.colour_fault(attributes["hex"])):
            self.say(
                "viz",
                f"{self._called} has viz:color hex {attributes['hex']!r}, which {fault}",
            )
        if tag == "position" and all(values.java_float(attributes.get(name, "")) == 0 for name in "xy"):
            self._at_origin += 1

    def finish(self) -> None:
        """Check the places of all nodes together."""
        if self._placed > 1 and self._at_origin == self._placed:
            self.say("places", "every node lies at x = 0, y = 0; Gephi strews them at random")


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
    return all(values.java_float(time) is not None for time in re.split("[,;]", text.strip(" <>[]")))
