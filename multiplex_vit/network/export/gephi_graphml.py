"""The rules of Gephi's GraphML importer."""

from dataclasses import dataclass

from multiplex_vit.network.export import gephi_values as values
from multiplex_vit.network.export.gephi_elements import Lint

_NODE = (
    "label",
    "nodelabel",
    "x",
    "xpos",
    "y",
    "ypos",
    "z",
    "zpos",
    "size",
    "r",
    "g",
    "b",
    "color",
)
_EDGE = ("label", "edgelabel", "weight", "Edge Weight", "r", "g", "b", "color")
_PROPERTIES = {"node": _NODE, "edge": _EDGE}
_SAME = {
    "Edge Weight": "weight",
    "xpos": "x",
    "ypos": "y",
    "zpos": "z",
    "nodelabel": "label",
    "edgelabel": "label",
}
_FAULTS = {
    **dict.fromkeys(("weight", "Edge Weight"), values.weight_fault),
    **dict.fromkeys(("x", "xpos", "y", "ypos", "z", "zpos"), values.place_fault),
    "size": values.size_fault,
    **dict.fromkeys(("r", "g", "b"), values.channel_fault),
    "color": values.colour_fault,
}


@dataclass(frozen=True)
class _Key:
    """A declared attribute.

    `role` is the property that Gephi takes it for, or empty for a column of its own.
    """

    name: str
    domain: str
    kind: str
    role: str


class GraphmlLint(Lint):
    """Checks GraphML."""

    def __init__(self) -> None:
        super().__init__()
        self._checks = {
            "key": self._key,
            "graph": self._graph,
            "node": self._node,
            "edge": self._edge,
            "data": self._data_start,
        }
        self._keys: dict[tuple[str, str], _Key] = {}
        # Elements lie in elements, so these are stacks: the last entry is the one being read.
        self._open: list[str] = []
        self._labels: list[str] = []
        self._seen: list[set[str]] = []
        self._data: _Key | None = None
        self._directed = True
        self._placed = 0
        self._at_origin = 0

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        """Check an element's attributes."""
        check = self._checks.get(tag)
        if check is not None:
            check(attributes)
        elif tag in ("hyperedge", "port"):
            self.say(
                f"<{tag}>",
                f"<{tag}> on line {self.line}; Gephi has none and leaves it out",
            )
        if tag in ("graph", "node", "edge", "key"):
            self._open.append(tag)

    def end(self, tag: str, text: str) -> None:
        """Check what an element holds."""
        inside = self._open[-1] if self._open else ""
        if tag == "data" and self._data is not None:
            self._value(self._data, text)
        elif tag == "default" and inside == "key":
            self._default()
        elif tag == "desc" and inside in ("node", "edge"):
            self.say("<desc>", f"{self._labels[-1]} has a <desc>; Gephi makes it the label")
        if tag in ("graph", "node", "edge", "key"):
            self._open.pop()
        if tag in ("node", "edge"):
            self._labels.pop()
            self._seen.pop()
        if tag == "data":
            self._data = None

    def _graph(self, attributes: dict[str, str]) -> None:
        graph = f"graph on line {self.line}"
        default = attributes.get("edgedefault")
        if default not in ("directed", "undirected"):
            problem = f"has edgedefault {default!r}; give directed or undirected, or Gephi guesses"
            self.say("edgedefault", f"{graph} {problem}")
        if "graph" in self._open:
            problem = "lies in another; Gephi flattens the hierarchy"
            self.say("graphs within", f"{graph} {problem}")
        elif self.add_graph() > 1:
            problem = "is not the first of the file; Gephi puts all graphs into one"
            self.say("graphs", f"{graph} {problem}")
        self._directed = default != "undirected"

    def _key(self, attributes: dict[str, str]) -> None:
        identity = attributes.get("id", "")
        domain = attributes.get("for", "all")
        kind = attributes.get("attr.type", "string")
        name = attributes.get("attr.name", identity)
        if not identity:
            problem = f"on line {self.line} has no id; Gephi leaves the column out"
            self.say("keys without an id", f"key {name!r} {problem}")
        domains = ("node", "edge") if domain == "all" else (domain,)
        for one in domains:
            properties = _PROPERTIES.get(one, ())
            role = ""
            if identity in properties:
                role = identity
            elif name in properties:
                role = name
            if (one, identity) in self._keys:
                problem = "is there twice; Gephi mixes the columns up"
                self.say("keys twice", f"{one} key {identity!r} {problem}")
            key = _Key(identity, one, kind, role)
            if one in _PROPERTIES and not role:
                self._check_column(key, name)
            self._keys[one, identity] = key

    def _check_column(self, key: _Key, name: str) -> None:
        """Check a key that becomes a column of its own."""
        label = f"{key.domain} key {name!r}"
        spellings = (name.strip().lower(), key.name.strip().lower())
        for property_ in _PROPERTIES[key.domain]:
            if property_.lower() in spellings:
                problem = f"Gephi makes it a column and ignores it as {property_}"
                self.say("property names", f"{label} is not exactly {property_!r}; {problem}")
                break
        if not values.known_type(key.kind):
            self.say("types", f"{label} has type {key.kind!r}; Gephi leaves the column out")
        if "timeset" in (key.name.lower(), name.lower()):
            problem = "is the name of Gephi's own column of times; the import fails; rename it"
            self.say("timeset", f"{label} {problem}")
        for (domain, other_id), other in self._keys.items():
            if domain != key.domain or other_id == key.name or other.role:
                continue
            if other.name.lower() == key.name.lower():
                names = f"{key.domain} keys {other.name!r} and {key.name!r}"
                problem = "differ by capitals only; Gephi makes one column of them"
                self.say("keys alike", f"{names} {problem}")

    def _default(self) -> None:
        key = next(reversed(self._keys.values()))
        if key.role:
            problem = f"has a <default>; Gephi ignores it for {key.role}"
            self.say("defaults", f"{key.domain} key {key.name!r} {problem}")

    def _node(self, attributes: dict[str, str]) -> None:
        if "node" in self._open:
            problem = "lies in another; Gephi flattens the hierarchy"
            self.say("nodes within", f"node {attributes.get('id')!r} {problem}")
        self._labels.append(self.add_node(attributes))
        self._seen.append(set())
        self._placed += 1

    def _edge(self, attributes: dict[str, str]) -> None:
        direction = attributes.get("directed")
        directed = self._directed
        if direction is not None:
            directed = direction.lower() == "true"
        label = self.add_edge(attributes, attributes.get("label", ""), directed)
        if direction not in (None, "true", "false"):
            problem = "give true or false, or Gephi takes it as undirected"
            self.say("directed", f"{label} has directed={direction!r}; {problem}")
        self._labels.append(label)
        self._seen.append(set())

    def _data_start(self, attributes: dict[str, str]) -> None:
        domain = self._open[-1] if self._open else ""
        key = attributes.get("key", "")
        self._data = self._keys.get((domain, key))
        if self._data is None and domain in _PROPERTIES:
            problem = f"which is declared for no {domain}; Gephi leaves it out"
            self.say(
                "keys not declared",
                f"{self._labels[-1]} has data of key {key!r}, {problem}",
            )

    def _value(self, key: _Key, text: str) -> None:
        if key.domain not in _PROPERTIES:
            return
        # Several spellings of a property are one value.
        self._once(_SAME.get(key.role, key.role) or key.name)
        fault = None
        if key.role in _FAULTS:
            fault = _FAULTS[key.role](text)
        elif not key.role:
            fault = values.value_fault(key.kind, text)
        if fault:
            name = key.role or key.name
            value = f"{self._labels[-1]} has {name} {text!r}"
            self.say(f"values of {name}", f"{value}, which {fault}")
        elif key.role[:1] in ("x", "y") and values.java_float(text) == 0:
            self._at_origin += 1

    def _once(self, name: str) -> None:
        seen = self._seen[-1]
        if name in seen:
            problem = f"has two values of {name!r}; Gephi keeps one"
            self.say("values twice", f"{self._labels[-1]} {problem}")
        seen.add(name)

    def finish(self) -> None:
        """Check the places of all nodes together."""
        # Two coordinates for each node.
        if self._placed > 1 and self._at_origin == 2 * self._placed:
            problem = "Gephi strews them at random"
            self.say("places", f"every node lies at x = 0, y = 0; {problem}")
